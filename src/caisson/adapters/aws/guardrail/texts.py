"""Any texts through calls of bounded size.

- Short texts share a call. When one of them was masked, each goes again alone, because an answer does not say which of
  several texts its outputs stand for.
- A text longer than a call goes in windows that overlap, so that what spans a border is seen whole once. What is masked
  in a window has no sure place in the text, so it blocks.
- Calls of one inspection are counted: more text than they carry is refused, not skipped. Blank texts say nothing and
  need no call.

>>> [len(window) for window in windows("x" * 25_000)]
[10000, 10000, 7000]
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from caisson.adapters.aws.bedrock.assessment import Stage, at
from caisson.adapters.aws.guardrail.apply import Applied, ApplyGuardrail
from caisson.adapters.embedded.model import failures
from caisson.channels.messages import GuardrailAction
from caisson.errors import UpstreamError
from caisson.ports.model import PinnedGuardrail

CALL_CHARACTERS_MAX = 10_000
"""Ten text units of the service; its quotas are in units a second."""
CALL_TEXTS_MAX = 100
OVERLAP_CHARACTERS = 1_000
"""One text unit: longer than any pattern (500) and any entity that the service knows."""
CALLS_MAX = 128
"""Calls of one inspection: over a megabyte of text."""
CONCURRENT_MAX = 4
TOO_LONG_TO_MASK = "aws.masked-in-long-text"


@dataclass(frozen=True, kw_only=True)
class Located:
    """A text and where it stands."""

    text: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of the texts."""

    texts: tuple[str, ...]
    """In order, with masked spans replaced."""
    blocked: GuardrailAction | None
    actions: tuple[GuardrailAction, ...]
    uncovered_characters: int
    """Of texts that the service did not say to have guarded whole."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Texts of one call."""

    indexes: tuple[int, ...]
    """Which of the given texts they are."""
    texts: tuple[str, ...]
    window: bool = False
    """One part of a longer text."""


def windows(text: str) -> Iterator[str]:
    """The text in overlapping windows, each as large as a call may be."""
    step = CALL_CHARACTERS_MAX - OVERLAP_CHARACTERS
    for start in range(0, max(len(text) - OVERLAP_CHARACTERS, 1), step):
        yield text[start : start + CALL_CHARACTERS_MAX]


def calls_for(texts: Sequence[str]) -> tuple[Call, ...]:
    """The calls that carry all texts that say something."""
    calls: list[Call] = []
    indexes: list[int] = []
    size = 0

    def close() -> None:
        nonlocal size
        if indexes:
            calls.append(Call(indexes=tuple(indexes), texts=tuple(texts[index] for index in indexes)))
        indexes.clear()
        size = 0

    for index, text in enumerate(texts):
        if not text.strip():
            continue
        if len(text) > CALL_CHARACTERS_MAX:
            calls += [Call(indexes=(index,), texts=(part,), window=True) for part in windows(text)]
            continue
        if size + len(text) > CALL_CHARACTERS_MAX or len(indexes) == CALL_TEXTS_MAX:
            close()
        indexes.append(index)
        size += len(text)
    close()
    return tuple(calls)


async def judge(apply: ApplyGuardrail, pin: PinnedGuardrail, given: Sequence[Located], stage: Stage) -> Judged:
    """Have the texts evaluated.

    Raises:
        UpstreamError: the service failed, or there is more text than one inspection carries.
    """
    results: list[tuple[Call, Applied]] = []
    calls = calls_for([located.text for located in given])
    for _ in range(2):
        if len(results) + len(calls) > CALLS_MAX:
            raise failures.invalid(f"more text for the guardrail than {CALLS_MAX} calls carry")
        done = list(zip(calls, await _all(apply, pin, calls, stage), strict=True))
        again = [call for call, applied in done if len(call.indexes) > 1 and applied.masked and not applied.blocked]
        results += [pair for pair in done if pair[0] not in again]
        calls = tuple(Call(indexes=(index,), texts=(given[index].text,)) for call in again for index in call.indexes)
        if not calls:
            break
    return _joined(pin, given, results, stage)


async def _all(apply: ApplyGuardrail, pin: PinnedGuardrail, calls: Sequence[Call], stage: Stage) -> list[Applied]:
    room = asyncio.Semaphore(CONCURRENT_MAX)

    async def one(call: Call) -> Applied:
        async with room:
            return await apply.apply(pin, call.texts, stage)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except BaseExceptionGroup as failed:
        first = next((error for error in failed.exceptions if isinstance(error, UpstreamError)), failed.exceptions[0])
        raise first from None
    return [task.result() for task in tasks]


def _joined(
    pin: PinnedGuardrail, given: Sequence[Located], results: Sequence[tuple[Call, Applied]], stage: Stage
) -> Judged:
    texts = [located.text for located in given]
    uncovered: set[int] = set()
    rows: list[GuardrailAction] = []
    for call, applied in results:
        rows += at(applied.actions, _place(call, given))
        if not applied.is_whole:
            uncovered.update(call.indexes)
        if not applied.masked or applied.blocked is not None:
            continue
        if call.window:
            rows.append(_unmaskable(pin, given[call.indexes[0]].path, stage))
        elif len(applied.outputs) == 1:
            texts[call.indexes[0]] = applied.outputs[0]
        else:
            raise failures.nonsense(f"the guardrail masked one text and gave {len(applied.outputs)} back")
    return Judged(
        texts=tuple(texts),
        blocked=next((row for row in rows if row.decision == "blocked"), None),
        actions=tuple(rows),
        uncovered_characters=sum(len(given[index].text) for index in uncovered),
    )


def _place(call: Call, given: Sequence[Located]) -> str:
    first = given[call.indexes[0]].path
    return first if len(call.indexes) == 1 else f"{first} and {len(call.indexes) - 1} more"


def _unmaskable(pin: PinnedGuardrail, path: str, stage: Stage) -> GuardrailAction:
    return GuardrailAction(
        guardrail_id=pin.identifier.rpartition("/")[2],
        guardrail_version=pin.version,
        stage=stage,
        decision="blocked",
        rule=TOO_LONG_TO_MASK,
        rationale=f"something to mask in a text of over {CALL_CHARACTERS_MAX} characters",
        location=path,
    )
