"""Inspection of one answer while it streams (NET-02, DAT-06)."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from caisson.adapters.embedded.guardrail.decisions import Decisions
from caisson.adapters.embedded.guardrail.passages import Passages
from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.channels.messages import GuardrailAction
from caisson.detect.course import Flow
from caisson.detect.pseudonyms import Pseudonyms
from caisson.detect.visible import visible
from caisson.ports.guardrail import InspectionContext, OutputInspection


class EmbeddedOutputInspection(OutputInspection):
    """See the port. Content blocks have stages of their own; a block anywhere ends them all."""

    def __init__(self, rulebook: Rulebook, context: InspectionContext, restorable: Mapping[str, str]) -> None:
        self._decisions = Decisions(rulebook, "output")
        taken = {pseudonym: _normal(rulebook, pseudonym, value) for pseudonym, value in restorable.items()}
        self._passages = Passages(rulebook, Pseudonyms(context.pseudonym_key, taken))
        self._restorable = restorable
        self._blocks: dict[int, Flow] = {}
        self._blocked: GuardrailAction | None = None
        self._used = False

    async def feed(self, block: int, text: str) -> str:
        """See the port."""
        return self._take(block, text, final=False)

    async def finish(self, block: int) -> str:
        """See the port."""
        return await self.last(block, "")

    async def last(self, block: int, text: str) -> str:
        """See the port. One pass over the text instead of two over its end."""
        rest = self._take(block, text, final=True)
        self._blocks.pop(block, None)
        return rest

    async def whole(self, text: str, path: str) -> str:
        """See the port."""
        return self._through(self._decisions.inspect(path, self._passages.of_output({})), text, final=True)

    @property
    def blocked(self) -> GuardrailAction | None:
        """See the port."""
        return self._blocked

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """See the port."""
        return self._decisions.actions if self._used else ()

    def _take(self, block: int, text: str, *, final: bool) -> str:
        flow = self._blocks.get(block)
        if flow is None:
            flow = self._decisions.inspect(f"content[{block}].text", self._passages.of_output(self._restorable))
            self._blocks[block] = flow
        return self._through(flow, text, final=final)

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


def _normal(rulebook: Rulebook, pseudonym: str, value: str) -> str:
    """The value in the normal form that its pseudonym was made from."""
    kind = pseudonym[1:].rpartition("_")[0]
    return rulebook.normalise.get(kind, str)(visible(value))
