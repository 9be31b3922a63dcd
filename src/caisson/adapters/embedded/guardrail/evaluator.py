"""The port: guardrails evaluated in the gateway itself.

>>> guardrail = EmbeddedGuardrail(system, configuration_version=3)  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter

from caisson.adapters.embedded.guardrail.attacks import Judged, judged, prepare
from caisson.adapters.embedded.guardrail.decisions import Decisions
from caisson.adapters.embedded.guardrail.output import EmbeddedOutputInspection
from caisson.adapters.embedded.guardrail.passages import Passages
from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.adapters.embedded.guardrail.seams import Seams
from caisson.detect.course import Flow
from caisson.detect.people.find import recogniser
from caisson.detect.pseudonyms import Pseudonyms
from caisson.errors import DeveloperError
from caisson.ports.guardrail import Guardrail, Inspection, InspectionContext, OutputInspection, Part
from caisson.system.entities import STATISTICAL
from caisson.system.schema import System

ANSWERS_HELD_FROM_TIER = 3
"""From then on a rule without a span has judged a whole content block before any of it leaves."""
COMPARED_ROLES = frozenset({"document", "tool"})
"""Whose markings are compared with the caller's clearance. What a caller writes, they may read."""
SLICE_CHARACTERS = 32_768
"""How much of a text is inspected before other requests get their turn."""


class EmbeddedGuardrail(Guardrail):
    """Evaluates the guardrails of one configuration version. Rules that an earlier one had are not compiled anew."""

    def __init__(self, system: System, configuration_version: int) -> None:
        version = str(configuration_version)
        if any(entry.prompt_attack != "none" for entry in system.guardrails.values()):
            prepare()  # now, so that no request has to wait for it
        if any(STATISTICAL & entry.pii.keys() for entry in system.guardrails.values()):
            recogniser()
        self._seams = Seams()
        self._windows = system.tier < ANSWERS_HELD_FROM_TIER
        cleared = any(group.clearance is not None for group in system.identity.groups.values())
        self._rulebooks = {
            name: Rulebook.of(name, entry, version, markings=cleared) for name, entry in system.guardrails.items()
        }

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """See the port."""
        rulebook = self._rulebook(context.guardrail)
        decisions = Decisions(rulebook, "input")
        passages = Passages(rulebook, Pseudonyms(context.pseudonym_key), context.clearance)
        restorable: dict[str, str] = {}
        texts = []
        for part in parts:
            values = restorable if part.role == "user" else None
            flow = decisions.inspect(part.path, passages.of_input(values, compared=part.role in COMPARED_ROLES))
            texts.append(await _through(flow, part.text, decisions))
            if not flow.blocked:
                decisions.add(part.path, await self._judged(part, rulebook, context, decisions))
        return Inspection(
            texts=tuple(texts),
            blocked=decisions.blocked,
            actions=decisions.actions,
            restorable=restorable,
            guarded_characters=decisions.characters,
            total_characters=sum(len(part.text) for part in parts),
        )

    async def _judged(self, part: Part, rulebook: Rulebook, context: InspectionContext, decisions: Decisions) -> Judged:
        started = perf_counter()
        strength, layer = rulebook.prompt_attack, rulebook.attack_layer
        said = await judged(part.text, part.role, strength, layer)
        if part.role == "user" and strength != "none":
            seam = self._seams.judged(context.session_id, part.text, strength, layer)
            said = said if said.hits else seam
        decisions.seconds += perf_counter() - started
        return said

    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> OutputInspection:
        """See the port."""
        rulebook = self._rulebook(context.guardrail)
        return EmbeddedOutputInspection(rulebook, context, restorable, windows=self._windows)

    def messages(self, guardrail: str) -> tuple[str, str]:
        """See the port."""
        rulebook = self._rulebook(guardrail)
        return rulebook.blocked_input_message, rulebook.blocked_output_message

    def _rulebook(self, name: str) -> Rulebook:
        try:
            return self._rulebooks[name]
        except KeyError:
            raise DeveloperError(f"expected a guardrail of the system file, found {name!r}") from None


async def _through(flow: Flow, text: str, decisions: Decisions) -> str:
    """The text after all stages. A long one goes in slices, and others get their turn in between."""
    started = perf_counter()
    passed = [flow.take(text[:SLICE_CHARACTERS], final=len(text) <= SLICE_CHARACTERS)]
    for start in range(SLICE_CHARACTERS, len(text), SLICE_CHARACTERS):
        decisions.seconds += perf_counter() - started
        await asyncio.sleep(0)
        started = perf_counter()
        end = start + SLICE_CHARACTERS
        passed.append(flow.take(text[start:end], final=end >= len(text)))
    decisions.characters += len(text)
    decisions.seconds += perf_counter() - started
    return "".join(passed)
