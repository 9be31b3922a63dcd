"""A check: a description and a function that tries it, and what came of it.

- An attack is told as it is tried: what was done, what must happen, what was seen. Secrets are never told.
- A check that found nothing wrong holds only when its witness passed: the honest request that differs from the attack
  in what is attacked. So a system that refuses everything shows nothing.
- What keeps a check from running is a reason (`Lacking`) and makes it undetermined; so does a failure of its own.

>>> seen = Transcript()
>>> seen.witness("a signed request", "200", "200", True)
>>> seen.attack("the same without a signature", "refused", "403 MissingAuthenticationTokenException", True)
>>> seen.verdict
<Verdict.HOLDS: 'holds'>
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from caisson.assurance.verdict import Verdict
from caisson.errors import CaissonError

if TYPE_CHECKING:
    from caisson.assurance.probes.target import Target

STEPS_MAX = 400
"""Steps told of one check; what goes beyond counts and is not told."""
TEXT_CHARACTERS_MAX = 400
On = Literal["system", "rehearsal", "parts"]
"""What is tried: the running system; a rehearsal of it that may be broken and whose model is ours; or code of this
installation with values of its own."""
StepKind = Literal["witness", "attack", "note"]


class Lacking(Exception):  # noqa: N818 - a reason, not an error
    """Why a check cannot be run here."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of a transcript."""

    kind: StepKind
    did: str
    expected: str
    saw: str
    verdict: Verdict


@dataclass
class Transcript:
    """What a check did and saw."""

    steps: list[Step] = field(default_factory=list)
    omitted: int = 0
    """Steps that held and are not told any more."""
    _verdicts: set[tuple[StepKind, Verdict]] = field(default_factory=set)

    def attack(self, did: str, expected: str, saw: str, held: bool | None) -> None:
        """What was tried against the system; None when what was seen decides nothing."""
        verdict = Verdict.UNDETERMINED if held is None else Verdict.HOLDS if held else Verdict.BROKEN
        self._add("attack", did, expected, saw, verdict)

    def witness(self, did: str, expected: str, saw: str, held: bool) -> None:
        """The honest counterpart. When it fails, nothing is shown."""
        self._add("witness", did, expected, saw, Verdict.HOLDS if held else Verdict.UNDETERMINED)

    def note(self, text: str) -> None:
        """Something worth knowing that decides nothing."""
        self._add("note", text, "", "", Verdict.NOT_APPLICABLE)

    def _add(self, kind: StepKind, did: str, expected: str, saw: str, verdict: Verdict) -> None:
        self._verdicts.add((kind, verdict))
        if len(self.steps) >= STEPS_MAX and verdict is Verdict.HOLDS:
            self.omitted += 1
            return
        self.steps.append(Step(kind=kind, did=_cut(did), expected=_cut(expected), saw=_cut(saw), verdict=verdict))

    @property
    def verdict(self) -> Verdict:
        """One broken attack is enough; to hold it takes an attack and a witness, and every one of both."""
        attacks = {verdict for kind, verdict in self._verdicts if kind == "attack"}
        witnesses = {verdict for kind, verdict in self._verdicts if kind == "witness"}
        if Verdict.BROKEN in attacks:
            return Verdict.BROKEN
        shown = attacks == {Verdict.HOLDS} and witnesses == {Verdict.HOLDS}
        return Verdict.HOLDS if shown else Verdict.UNDETERMINED

    def reason(self) -> str:
        """One sentence for whoever reads no transcript."""
        attacks = sum(step.kind == "attack" for step in self.steps) + self.omitted
        wrong = [step for step in self.steps if step.verdict in (Verdict.BROKEN, Verdict.UNDETERMINED)]
        worst = next((step for step in wrong if step.verdict is Verdict.BROKEN), wrong[0] if wrong else None)
        if worst is not None:
            return f"{worst.did}: expected {worst.expected}, saw {worst.saw}"
        if self.verdict is Verdict.UNDETERMINED:
            return "nothing was tried that could have shown it"
        return f"{attacks} {'attack' if attacks == 1 else 'attacks'}, none came through"


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS_MAX else text[: TEXT_CHARACTERS_MAX - 1] + "…"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is tried, by whom, where."""

    name: str
    """`family.what`."""
    claim: str
    """What must be true, in one sentence."""
    attacker: str
    """Who would try it."""
    on: On
    run: Callable[[Target, Transcript], None] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a check."""

    check: Check
    verdict: Verdict
    reason: str
    steps: tuple[Step, ...] = ()
    omitted: int = 0
    seconds: float = 0.0


def run(check: Check, target: Target) -> Outcome:
    """Try it. Never raises but for what ends the program."""
    seen, began = Transcript(), time.monotonic()
    verdict, reason = Verdict.UNDETERMINED, ""
    try:
        check.run(target, seen)
        verdict, reason = seen.verdict, seen.reason()
    except Lacking as lacking:
        reason = str(lacking)
    except (CaissonError, OSError, EOFError) as error:
        reason = f"it could not be tried to its end: {type(error).__name__}: {error}"
    except Exception as error:  # a check with a bug shows nothing, and takes no other check down
        reason = f"the check itself failed: {type(error).__name__}: {error}"
    if reason and verdict is Verdict.UNDETERMINED and seen.verdict is Verdict.BROKEN:
        verdict, reason = Verdict.BROKEN, seen.reason()  # what came through before the end came through
    return Outcome(
        check=check, verdict=verdict, reason=_cut(reason), steps=tuple(seen.steps), omitted=seen.omitted,
        seconds=time.monotonic() - began,
    )  # fmt: skip


def unable(check: Check, reason: str) -> Outcome:
    """It was not tried."""
    return Outcome(check=check, verdict=Verdict.UNDETERMINED, reason=reason)
