"""Whether what a pipeline deploys is approved by somebody else than who changes it (IR-04, row S72).

- Nothing is deployed last that no manual approval comes before.
- Nobody who changes the pipeline, starts it or writes its source decides on an approval: not by himself, not as a role
  that he becomes, not by another permission set that is assigned to him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from caisson.assurance.iam.principal_element import Named
from caisson.assurance.identities.estates import Estates
from caisson.assurance.identities.holders import Holder
from caisson.assurance.identities.pipelines import Pipeline, Write, pipelines
from caisson.assurance.identities.reach import reach
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.estate import Estate
from caisson.assurance.proofs.search import Proof, prove
from caisson.assurance.templates import Reference, Templates, placeholder
from caisson.assurance.verdict import Verdict

ASSIGNMENT = "AWS::SSO::Assignment"
APPROVE = ("codepipeline:PutApprovalResult",)
CARRYING_OUT = frozenset({"cloudformation", "codedeploy", "codepipeline"})
"""Services that act as a role once a deployment is under way. A build runs what its author wrote."""
_SURELY = frozenset({Verdict.BROKEN})
_PERHAPS = frozenset({Verdict.BROKEN, Verdict.UNDETERMINED})
"""Verdicts on "never" by which somebody can."""


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """Principals that one person can be."""

    name: str
    """Of the first, or what is assigned to the person."""
    roles: tuple[Holder, ...]


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """Claims about the pipelines of one folder."""

    templates: Templates
    holders: Sequence[Holder]
    around: Callable[[Sequence[Holder]], Estates]
    """The organization around principals."""

    def __len__(self) -> int:
        """How many claims there are."""
        return 2 * len(pipelines(self.templates))

    def proofs(self) -> Iterator[Proof]:
        """Each claim with its verdict."""
        for one in pipelines(self.templates):
            yield _before(one)
            yield self._another(one)

    def _another(self, one: Pipeline) -> Proof:
        claim = _claim("approval.by-another", one, "Nobody who changes, starts or feeds it decides on its approvals.")
        held = [_there(holder, one) for holder in self.holders]
        over = self.around(held)
        writes = [*one.writes()]
        unsaid = [*one.doubts, *(write for write in writes if isinstance(write, str))]
        known = [write for write in writes if isinstance(write, Write)]
        deciding = [Write(actions=APPROVE, on=on) for on in one.approvals]
        doubts = []
        for estate, counts in ((over.least, _SURELY), (over.most, _PERHAPS)):
            for somebody in self._people(held, estate, counts):
                approving = _first(somebody, deciding, estate, counts)
                changing = _first(somebody, known, estate, counts) if approving else None
                if approving is None or changing is None:
                    continue
                reason = f"{somebody.name} decides on it, and may change it: {changing.reason}"
                if counts == _SURELY:
                    return replace(approving, claim=claim, reason=reason)
                doubts.append(f"{reason}; whether it does depends on {_first_of(somebody, over)}")
        if found := [*doubts, *unsaid]:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=found[0])
        return Proof(claim=claim, verdict=Verdict.HOLDS, reason="no principal of these templates does both")

    def _people(self, held: Sequence[Holder], estate: Estate, counts: frozenset[Verdict]) -> Iterator[Somebody]:
        """Each principal with what it becomes, and each person with all permission sets that are assigned."""
        by_arn = {one.arn: one for one in held}
        roles = [one for one in held if ":role/" in one.arn]
        acting = [one for one in held if not _deploys(one)]
        ways = reach(acting, lambda claim: prove(claim, estate).verdict in counts, roles=roles)
        for one in acting:
            yield Somebody(name=one.name, roles=(one, *(by_arn[arn] for arn in ways[one.arn])))
        assigned: dict[str, dict[str, Holder]] = {}
        by_name = {one.name: one for one in held}
        for assignment in self.templates.resources(ASSIGNMENT):
            given = assignment.properties.get("PermissionSetArn")
            who = placeholder(assignment.properties.get("PrincipalId"))
            name = f"{given.stack}/{given.id}" if isinstance(given, Reference) else ""
            if who is not None and name in by_name:
                assigned.setdefault(who, {})[name] = by_name[name]
        for who, sets in assigned.items():
            yield Somebody(name=f"{who} as {' and '.join(sets)}", roles=tuple(sets.values()))


def _before(one: Pipeline) -> Proof:
    claim = _claim("approval.before-deployment", one, "What it deploys last, somebody approved before.")
    early = one.unapproved()
    if early is not None and not one.doubts:
        way = tuple(str(action) for action in one.actions if action.order <= early.order)
        reason = f"{early} waits for no approval"
        return Proof(claim=claim, verdict=Verdict.BROKEN, reason=reason, way=way)
    if one.doubts:
        return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=one.doubts[0])
    return Proof(claim=claim, verdict=Verdict.HOLDS, reason="a manual approval comes before")


def _claim(kind: str, one: Pipeline, says: str) -> Claim:
    return Claim(
        id=f"{kind}: {one.name}", controls=("IR-04",), says=says, accounts=(), actions=(), about=one.name,
        place=str(one.place),
    )  # fmt: skip


def _there(holder: Holder, one: Pipeline) -> Holder:
    """A permission set as the role that it becomes in the pipeline's account."""
    if ":role/aws-reserved/sso.amazonaws.com/" not in holder.arn:
        return holder
    arn = holder.arn.replace(f"::{holder.account}:", f"::{one.account}:")
    return replace(holder, arn=arn, account=one.account)


def _deploys(holder: Holder) -> bool:
    """A role of services that do what was approved: nobody acts as it before."""
    entries = [
        entry
        for policy in holder.trust.most
        for statement in policy.statements
        if statement.principal is not None
        for entry in statement.principal.entries
    ]
    return bool(entries) and all(
        entry.named is Named.SERVICE and entry.text.partition(".")[0] in CARRYING_OUT for entry in entries
    )


def _first_of(somebody: Somebody, over: Estates) -> str:
    """The first thing that is not known of a person."""
    found = (doubt for one in somebody.roles for doubt in (*one.doubts, *over.doubts[one.account], *one.trust.doubts))
    return next(found, "what AWS does not document")


def _first(somebody: Somebody, writes: Iterable[Write], estate: Estate, counts: frozenset[Verdict]) -> Proof | None:
    """How a person can do one of these, if at all."""
    for role in somebody.roles:
        for write in writes:
            claim = Claim(
                id="", controls=(), says="", accounts=(), who=(role.arn,), actions=write.actions, on=(write.on,)
            )
            found = prove(claim, estate)
            if found.verdict in counts:
                return found
    return None
