"""From checks to verdicts: each control gets exactly one (docs/decisions/0015-what-holds-on-one-machine.md).

- A control above the system's tier, or one for tools in a system without any, does not apply, and says why.
- A part holds when all its checks hold and nothing of it is missing. A part that nothing shows is undetermined.
- A proof is over templates. A file without `aws` describes no deployment to AWS, so there is nothing to prove. A file
  with `aws` describes one: its policies are proved, and a claim that does not hold breaks the control.
  As long as the rest of the deployment is not proved, nothing holds by that.
- Proofs alone never make a control hold on one machine: something must have been tried here.

>>> judge(CATALOGUE["IR-06"], Question(tier=2, tools=False, aws=False), {}).verdict
<Verdict.MANUAL: 'manual'>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caisson.assurance.controls import CATALOGUE, Control, Kind, Part
from caisson.assurance.probes.check import Outcome
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict, combined
from caisson.system.schema import System

TIERS = {1: "low", 2: "medium", 3: "high", 4: "critical"}
NO_CLAIM = "no claim about the deployment's policies is about it; other parts of the deployment are not proved yet"
AS_FAR = "other parts of the deployment are not proved yet"
CLAIMS_NAMED_MAX = 4
_WORSE = (Verdict.BROKEN, Verdict.UNDETERMINED)
ON_AWS = Part(kind=Kind.PROOF, claim="the deployment to AWS that the file describes holds it too")
"""Where the catalogue asks for no proof, a file that describes a deployment does."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about a system."""

    tier: int
    tools: bool
    """Whether its agents may use tools."""
    aws: bool
    """Whether the file describes a deployment to AWS, and it was asked about."""

    @classmethod
    def about(cls, system: System, *, machine_only: bool = False) -> Question:
        """The question that a system file puts. `machine_only` leaves its deployment to AWS out."""
        client_tools = any(agent.client_tools for agent in system.agents.values())
        tools = bool(system.tools) or client_tools
        return cls(tier=system.tier, tools=tools, aws=system.aws is not None and not machine_only)


@dataclass(frozen=True, kw_only=True)
class JudgedPart:
    """A part and what came of it."""

    part: Part
    verdict: Verdict
    reason: str
    outcomes: tuple[Outcome, ...] = ()
    proved: tuple[Proof, ...] = ()
    """Claims about the deployment's policies that it rests on."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A control and its one verdict."""

    control: Control
    verdict: Verdict
    reason: str
    parts: tuple[JudgedPart, ...] = ()


def outside(control: Control, question: Question) -> str:
    """Why a control does not apply; empty when it does."""
    if control.tier > question.tier:
        needed, found = (f"{tier} ({TIERS[tier]})" for tier in (control.tier, question.tier))
        return f"needed from tier {needed}; this system is tier {found}"
    if control.agentic and not question.tools:
        return "for systems whose agents have tools; this one declares none"
    return ""


def wanted(question: Question) -> tuple[str, ...]:
    """Names of the checks that show anything of what applies, each once."""
    applying = (control for control in CATALOGUE.values() if not outside(control, question))
    return tuple(dict.fromkeys(name for control in applying for part in control.shown for name in part.checks))


def judge(
    control: Control,
    question: Question,
    outcomes: Mapping[str, Outcome],
    proved: Sequence[Proof] = (),
    unproved: str = "",
) -> Judged:
    """The verdict, from what checks found.

    Args:
        proved: claims about the deployment's policies that are about this control, with their verdicts.
        unproved: why nothing could be proved; empty when it was tried.
    """
    why_not = outside(control, question)
    if why_not:
        return Judged(control=control, verdict=Verdict.NOT_APPLICABLE, reason=why_not)
    shown = control.shown
    if question.aws and all(part.kind not in (Kind.PROOF, Kind.MANUAL) for part in shown):
        shown = (*shown, ON_AWS)
    parts = tuple(
        _proof(part, proved, unproved)
        if part.kind is Kind.PROOF and question.aws and not part.checks
        else _part(part, question, outcomes)
        for part in shown
    )
    verdict = combined(part.verdict for part in parts)
    return Judged(control=control, verdict=verdict, reason=_reason(verdict, parts), parts=parts)


def _part(part: Part, question: Question, outcomes: Mapping[str, Outcome]) -> JudgedPart:
    if part.kind is Kind.MANUAL:
        return JudgedPart(part=part, verdict=Verdict.MANUAL, reason=part.claim)
    if part.kind is Kind.PROOF and not question.aws:
        reason = "about a deployment to AWS, which this verdict is not about"
        return JudgedPart(part=part, verdict=Verdict.NOT_APPLICABLE, reason=reason)
    found = tuple(outcomes[name] for name in part.checks if name in outcomes)
    verdicts = [outcome.verdict for outcome in found]
    absent = [name for name in part.checks if name not in outcomes]
    if absent or part.missing:
        verdicts.append(Verdict.UNDETERMINED)
    verdict = combined(verdicts)
    worst = next((outcome for outcome in found if outcome.verdict is verdict), None)
    if verdict is Verdict.HOLDS:
        reason = "; ".join(f"{outcome.check.name}: {outcome.reason}" for outcome in found)
    elif worst is not None:
        reason = f"{worst.check.name}: {worst.reason}"
    else:
        reason = part.missing or f"not run: {', '.join(absent)}"
    return JudgedPart(part=part, verdict=verdict, reason=reason, outcomes=found)


def _proof(part: Part, proved: Sequence[Proof], unproved: str) -> JudgedPart:
    """One claim that does not hold breaks the part. All that hold show these and no more, so that
    the part is undetermined still."""
    if unproved or not proved:
        return JudgedPart(part=part, verdict=Verdict.UNDETERMINED, reason=unproved or NO_CLAIM)
    worst = next((proof for verdict in _WORSE for proof in proved if proof.verdict is verdict), None)
    if worst is not None:
        reason = f"{worst.claim.id}: {worst.reason}"
        return JudgedPart(part=part, verdict=worst.verdict, reason=reason, proved=tuple(proved))
    named = ", ".join(proof.claim.id for proof in proved[:CLAIMS_NAMED_MAX])
    more = f" and {len(proved) - CLAIMS_NAMED_MAX} more" if len(proved) > CLAIMS_NAMED_MAX else ""
    reason = f"proved of the deployment's policies: {named}{more}; {AS_FAR}"
    return JudgedPart(part=part, verdict=Verdict.UNDETERMINED, reason=reason, proved=tuple(proved))


def _reason(verdict: Verdict, parts: tuple[JudgedPart, ...]) -> str:
    """One sentence: the first part that decides, and for `holds` how much was tried."""
    if verdict is Verdict.HOLDS:
        tried = {outcome.check.name: outcome for part in parts for outcome in part.outcomes}
        attacks = sum(step.kind == "attack" for outcome in tried.values() for step in outcome.steps)
        attacks += sum(outcome.omitted for outcome in tried.values())
        return f"{attacks:,} attacks by {len(tried)} {'check' if len(tried) == 1 else 'checks'}, none came through"
    deciding = next((part for part in parts if part.verdict is verdict), None)
    return deciding.reason if deciding is not None else "nothing shows it on one machine"
