"""Inspection of one answer while it streams (NET-02, DAT-06).

- What a rule without a span has to say comes first: it judges the model's own words, before anything in them is masked.
- An answer that repeats the system prompt ends there. Reasoning that does is removed: models reason about their orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

from caisson.adapters.embedded.guardrail.attacks import LONG_CHARACTERS
from caisson.adapters.embedded.guardrail.decisions import Decisions
from caisson.adapters.embedded.guardrail.passages import Passages
from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.channels.messages import GuardrailAction
from caisson.detect.course import Flow
from caisson.detect.finding import Finding
from caisson.detect.gate import Gate
from caisson.detect.leakage import Watch, fingerprints
from caisson.detect.pseudonyms import Pseudonyms
from caisson.detect.scanner import BLOCK, MASK
from caisson.detect.stream import Hit
from caisson.detect.visible import visible
from caisson.ports.guardrail import InspectionContext, OutputInspection

REASONING = ".reasoningContent.text"
"""End of the path of what a model thinks."""


class EmbeddedOutputInspection(OutputInspection):
    """See the port. Content blocks have stages of their own; a block anywhere ends them all."""

    def __init__(
        self, rulebook: Rulebook, context: InspectionContext, restorable: Mapping[str, str], *, windows: bool
    ) -> None:
        """Args:
        rulebook: the guardrail.
        context: of the request.
        restorable: pseudonym to value of the user's own.
        windows: rules without a span judge sentences; else they judge whole blocks.
        """
        self._leak_layer = rulebook.leak_layer
        self._windows = windows
        self._prompt, self._known = context.prompt, context.known
        self._said: Watch | None = None
        self._thought: Watch | None = None
        self._gates: dict[int, Gate] = {}
        self._decisions = Decisions(rulebook, "output")
        taken = {pseudonym: _normal(rulebook, pseudonym, value) for pseudonym, value in restorable.items()}
        self._passages = Passages(rulebook, Pseudonyms(context.pseudonym_key, taken), context.clearance)
        self._restorable = restorable
        self._blocks: dict[int, Flow] = {}
        self._blocked: GuardrailAction | None = None
        self._used = False

    async def feed(self, block: int, text: str) -> str:
        """See the port."""
        await self._watch()
        return self._take(block, text, final=False)

    async def finish(self, block: int) -> str:
        """See the port."""
        return await self.last(block, "")

    async def last(self, block: int, text: str) -> str:
        """See the port. One pass over the text instead of two over its end."""
        await self._watch()
        rest = self._take(block, text, final=True)
        self._blocks.pop(block, None)
        self._gates.pop(block, None)
        return rest

    async def whole(self, text: str, path: str) -> str:
        """See the port."""
        await self._watch()
        if self._said is not None and self._blocked is None and self._leaks(text, path):
            return ""
        return self._through(self._decisions.inspect(path, self._passages.of_output({})), text, final=True)

    @property
    def blocked(self) -> GuardrailAction | None:
        """See the port."""
        return self._blocked

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """See the port."""
        return self._decisions.actions if self._used else ()

    async def _watch(self) -> None:
        """Where there is a prompt, begin to look for it. A long one is read beside the event loop."""
        if not self._prompt or self._said is not None:
            return
        if len(self._prompt) > LONG_CHARACTERS:
            found = await asyncio.to_thread(fingerprints, self._prompt)
        else:
            found = fingerprints(self._prompt)
        self._said, self._thought = Watch(found, self._known), Watch(found, self._known)

    def _take(self, block: int, text: str, *, final: bool) -> str:
        flow = self._blocks.get(block)
        if flow is None:
            location = f"content[{block}].text"
            if self._said is not None:
                gate = self._gates[block] = Gate(self._said.judge, layer=self._leak_layer, windows=self._windows)
                self._decisions.add(location, gate)
            flow = self._decisions.inspect(location, self._passages.of_output(self._restorable))
            self._blocks[block] = flow
        if self._said is None:
            return self._through(flow, text, final=final)
        return self._judged(self._gates[block], flow, text, final=final)

    def _judged(self, gate: Gate, flow: Flow, text: str, *, final: bool) -> str:
        if self._blocked is not None:
            return ""
        started = perf_counter()
        windows = gate.take(text, final=final)
        self._decisions.seconds += perf_counter() - started
        if not gate.blocked:
            return self._through(flow, "".join(windows), final=final)
        passed = self._through(flow, "".join(windows[:-1]), final=False)
        if self._blocked is not None:
            gate.forget()
            return passed
        passed += self._through(flow, windows[-1], final=True)
        self._blocked = self._decisions.blocked
        return passed

    def _leaks(self, text: str, path: str) -> bool:
        """Whether what is held gives the prompt away and must not leave."""
        started = perf_counter()
        thought = path.endswith(REASONING)
        watch = self._thought if thought else self._said
        found = watch.judge(text) if watch is not None else None
        self._decisions.seconds += perf_counter() - started
        if found is None:
            return False
        self._used = True
        layer = MASK if thought and self._leak_layer == BLOCK else self._leak_layer
        self._decisions.add(path, Leaked(found, layer))
        if layer == BLOCK:
            self._blocked = self._decisions.blocked
        return layer in (BLOCK, MASK)

    def _through(self, flow: Flow, text: str, *, final: bool) -> str:
        if self._blocked is not None:
            return ""
        started = perf_counter()
        passed = flow.take(text, final=final)
        self._used = True
        self._decisions.characters += len(text)
        self._decisions.seconds += perf_counter() - started
        if flow.blocked:
            self._blocked = self._decisions.blocked
        return passed


class Leaked:
    """What was found in a text that leaves whole or not at all."""

    def __init__(self, found: Finding, layer: int) -> None:
        self.blocked = layer == BLOCK
        self.hits = [Hit(layer, found, found.start, found.end - found.start, self.blocked)]


def _normal(rulebook: Rulebook, pseudonym: str, value: str) -> str:
    """The value in the normal form that its pseudonym was made from."""
    kind = pseudonym[1:].rpartition("_")[0]
    return rulebook.normalise.get(kind, str)(visible(value))
