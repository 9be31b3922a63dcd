"""Everything that is claimed of templates that Caisson may not have written, decided (NET-02, IAM-02, IAM-03).

Each claim is decided on two readings (`readings`): it holds when no request is against it by the one that allows most;
it is broken when a request is against it by the one that allows least; else what nobody knows is named.

>>> examination = Examination(read(Path("cdk.out")))  # doctest: +SKIP
>>> [proof.verdict for proof in examination.proofs()]  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType

from caisson.assurance.iam.principals import ACCOUNT
from caisson.assurance.identities import isolation
from caisson.assurance.identities.approvals import Approvals
from caisson.assurance.identities.claims import ANY, around, claims, speaks_of_guardrails, unguarded
from caisson.assurance.identities.endpoints import Passage, passages
from caisson.assurance.identities.estates import Estates, Limit, estates, limits, owners, passing, universe_of
from caisson.assurance.identities.holders import Holder, holders
from caisson.assurance.identities.reach import reach
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof, prove
from caisson.assurance.templates import Templates, placeholder
from caisson.assurance.verdict import Verdict

REASONS_SHOWN = 3
NETWORKED = ("AWS::EC2::VPC", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api", "AWS::Lambda::Url")
"""Types with which there is something to say of networks."""
READ = Claim(
    id="templates.read", controls=(), accounts=(), actions=(),
    says="Everything in the folder was read, and says whom and what it is about.",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim, and the two readings that it is decided on."""

    claim: Claim
    estates: Estates
    doubts: tuple[str, ...]


class Examination:
    """Of one folder.

    Raises:
        TemplateError: a policy in it is none.
    """

    def __init__(
        self, templates: Templates, *, callers: str = "", sessions: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Of a deployment of a system file two things more are known.

        Args:
            templates: the folder.
            callers: ARN pattern of the roles that its endpoints are for.
            sessions: ARN of a role to the tag that keeps its sessions apart, which its policies must name.
        """
        self.templates = templates
        self._limits = limits(templates)
        self._holders, self._same = _different(holders(templates))
        self._passages = passages(templates, callers=callers)
        self._universe = universe_of(templates, self._holders, self._limits)
        read = [*(one.content for one in self._limits), *(one.identity for one in self._holders)]
        read += [one.policy for one in self._passages]
        policies = [policy for one in read for policy in (*one.most, *one.least)]
        self._owners = owners(self._universe, policies)
        self._over = self._around(self._holders)
        self._roles = [one for one in self._holders if ":role/" in one.arn]
        self._arns = frozenset((*(one.arn for one in self._roles), *self._anywhere()))
        self._approvals = Approvals(templates=templates, holders=self._holders, around=self._around)
        self._sessions = sessions
        self._decided: dict[str, Proof] = {}
        self._tags: dict[tuple[tuple[str, str], ...], tuple[dict[str, Holder], Estates]] = {}

    def _anywhere(self) -> Iterator[str]:
        """Roles of stacks of which nobody says whose they are: a policy may well know their account."""
        unsaid = {placeholder(one.account) for one in self.templates.stacks if not isinstance(one.account, str)}
        for one in self._roles:
            if one.account in unsaid:
                yield one.arn.replace(f"::{one.account}:", f"::{ANY}:")

    def __len__(self) -> int:
        """How many claims there are."""
        return 1 + len(self.questions()) + len(self._tagged()) + len(self._approvals) + len(self._workloads())

    def proofs(self) -> Iterator[Proof]:
        """Each claim with its verdict."""
        yield self._read()
        for question in self.questions():
            yield self.decide(question)
        yield from self.isolated()
        yield from self._approvals.proofs()
        yield from self._reached()

    def isolated(self) -> Iterator[Proof]:
        """Whether tags keep sessions apart."""
        for holder, tag in self._tagged():
            yield self._isolated(holder, tag)

    # -- what is asked ------------------------------------------------------------------------------------------------

    def questions(self) -> list[Question]:
        """What is decided by itself, claim by claim."""
        found = [*self._of_targets(), *(one for holder in self._holders for one in self._of(holder))]
        return [*found, *(one for passage in self._passages for one in self._through_endpoint(passage))]

    def _of(self, holder: Holder) -> Iterator[Question]:
        doubts = tuple(dict.fromkeys((*holder.doubts, *self._over.doubts[holder.account])))
        for claim in claims(holder, self._owners, self._arns):
            yield Question(claim=claim, estates=self._over, doubts=doubts)

    def _of_targets(self) -> Iterator[Question]:
        """Where policies of the organization speak of guardrails: what they leave to an administrator."""
        speaking = [one for one in self._limits if speaks_of_guardrails(one.content)]
        for target in dict.fromkeys(target for one in speaking for target in one.targets or ()):
            yield from self._of_target(target, target, self._limits)
        if unattached := [one for one in speaking if one.targets is None]:
            name = "an account under " + ", ".join(one.name for one in unattached)
            bound = [replace(one, targets=("r-unsaid",)) if one.targets is None else one for one in self._limits]
            yield from self._of_target(name, "", bound)

    def _of_target(self, name: str, target: str, bound: Sequence[Limit]) -> Iterator[Question]:
        account = target if ACCOUNT.fullmatch(target) else f"{int(sha256(name.encode()).hexdigest(), 16) % 10**12:012d}"
        over = estates({account: target}, self._universe, bound)
        for claim in (
            unguarded(name, accounts=(account,), owners=self._owners),
            around(name, accounts=(account,)),
        ):
            yield Question(claim=claim, estates=over, doubts=over.doubts[account])

    def _through_endpoint(self, passage: Passage) -> Iterator[Question]:
        """By the endpoint's policy alone, whatever the organization says."""
        over = passing(passage.policy, self._universe)
        for claim in passage.claims(self._owners):
            yield Question(claim=claim, estates=over, doubts=passage.policy.doubts)

    def _workloads(self) -> list[Holder]:
        return [one for one in self._holders if one.workload]

    def _tagged(self) -> list[tuple[Holder, str]]:
        found = [(one, tag) for one in self._holders for tag in isolation.tags(one)]
        asked = [(one, self._sessions[one.arn]) for one in self._holders if one.arn in self._sessions]
        return [*found, *(one for one in asked if one not in found)]

    # -- what is answered ---------------------------------------------------------------------------------------------

    def decide(self, question: Question) -> Proof:
        """A claim with its verdict, decided once."""
        claim = question.claim
        found = self._decided.get(claim.id)
        if found is None:
            found = self._decided[claim.id] = _decided(question)
        return found

    def _isolated(self, holder: Holder, tag: str) -> Proof:
        """Whether two values of a tag are kept apart."""
        claim = isolation.about(holder, tag)
        if tag not in isolation.tags(holder):
            verdict = Verdict.UNDETERMINED if holder.doubts else Verdict.BROKEN
            reason = f"no policy of it names {tag}: a session reaches whatever another does"
            return Proof(claim=claim, verdict=verdict, reason=holder.doubts[0] if holder.doubts else reason)
        other, _ = self._supposed(isolation.supposed(holder, tag, isolation.OTHER))
        found = []
        for own in isolation.OWN:
            given = isolation.supposed(holder, tag, own)
            mine, over = self._supposed(given)
            one = mine[holder.arn]
            doubts = tuple(dict.fromkeys((*one.doubts, *over.doubts[one.account])))
            try:
                shut = [*isolation.apart(one, other[holder.arn], given, tag)]
            except ValueError as error:
                return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=str(error))
            for part in shut:
                proof = _on_both(Question(claim=part, estates=over, doubts=doubts))
                said = f"with {tag} = {own}, of what is open to {isolation.OTHER}: {proof.reason}"
                found.append(replace(proof, claim=claim, reason=said))
        wrong = [one for one in found if _broken(one)] or [one for one in found if not _holds(one)]
        if wrong:
            return wrong[0]
        return Proof(
            claim=claim, verdict=Verdict.HOLDS, reason="no request of any class is allowed against it",
            passed=sum(one.passed for one in found), decided=sum(one.decided for one in found),
        )  # fmt: skip

    def _supposed(self, tags: Mapping[str, str]) -> tuple[dict[str, Holder], Estates]:
        """Every principal by ARN, where all have these tags, and the organization around them."""
        asked = tuple(sorted(tags.items()))
        if asked not in self._tags:
            read, _ = _different(holders(self.templates, tags))
            self._tags[asked] = {one.arn: one for one in read}, self._around(read)
        return self._tags[asked]

    def _around(self, held: Sequence[Holder]) -> Estates:
        accounts = {account: account for account in dict.fromkeys(one.account for one in held)}
        return estates(accounts, self._universe, self._limits, held)

    def _read(self) -> Proof:
        problems = [*map(str, self.templates.problems), *self._same]
        if not self._holders and not self._limits and next(self.templates.resources(*NETWORKED), None) is None:
            problems.append("there is no principal, no policy of an organization and no network in these templates")
        if problems:
            return Proof(claim=READ, verdict=Verdict.UNDETERMINED, reason=_listed(problems))
        return Proof(claim=READ, verdict=Verdict.HOLDS, reason="nothing was passed over")

    def _reached(self) -> Iterator[Proof]:
        """What a workload can do as somebody else."""
        workloads = self._workloads()
        if not workloads:
            return
        surely = reach(workloads, lambda claim: _broken(prove(claim, self._over.least)), roles=self._roles)
        perhaps = reach(workloads, lambda claim: not _holds(prove(claim, self._over.most)), roles=self._roles)
        for one in workloads:
            yield self._through(one, surely[one.arn], perhaps[one.arn])

    def _through(
        self, one: Holder, surely: Mapping[str, tuple[str, ...]], perhaps: Mapping[str, tuple[str, ...]]
    ) -> Proof:
        claim = Claim(
            id=f"escalation.reach: {one.name}",
            controls=("IAM-02",),
            says="Becomes nobody of whom these claims do not hold.",
            who=(one.arn,),
            accounts=(),
            about=one.name,
            place=str(one.place),
            actions=("sts:AssumeRole", "iam:PassRole"),
        )
        by_arn = {holder.arn: holder for holder in self._roles}
        doubt = ""
        for arn, way in perhaps.items():
            other = by_arn[arn]
            names = " → ".join(by_arn[step].name for step in way)
            for question in self._of(replace(other, workload=True)):
                proof = self.decide(question)
                if _holds(proof):
                    continue
                if _broken(proof) and arn in surely:
                    return Proof(
                        claim=claim, verdict=Verdict.BROKEN, reason=f"{names}, where {proof.reason}",
                        counterexample=proof.counterexample,
                    )  # fmt: skip
                doubt = doubt or f"{names} may be a way, and {proof.claim.id} is {proof.verdict.value}: {proof.reason}"
        if doubt:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=doubt)
        reason = (
            f"of {len(perhaps)} roles that it may become, all claims hold" if perhaps else "it becomes no other role"
        )
        return Proof(claim=claim, verdict=Verdict.HOLDS, reason=reason)


def _decided(question: Question) -> Proof:
    found = _on_both(question)
    if _holds(found) and question.claim.but and _holds(prove(replace(question.claim, but=()), question.estates.most)):
        return replace(found, reason="nothing of the kind is allowed at all")
    return found


def _on_both(question: Question) -> Proof:
    """What holds by the reading that allows most, or is broken by the one that allows least."""
    most = prove(question.claim, question.estates.most)
    if _holds(most) or not question.doubts:
        return most
    least = prove(question.claim, question.estates.least)
    if _broken(least):
        return least
    if _broken(most):
        reason = f"{most.reason}, unless what is not known forbids it: {_listed(question.doubts)}"
        return replace(most, verdict=Verdict.UNDETERMINED, reason=reason)
    return most


def _different(found: Sequence[Holder]) -> tuple[list[Holder], list[str]]:
    """Principals by ARN, and a line for each ARN that is there twice."""
    by_arn: dict[str, Holder] = {}
    same = []
    for one in found:
        if one.arn in by_arn:
            same.append(
                f"{one.place}: {one.name} has the same ARN as {by_arn[one.arn].name}, which alone was looked at"
            )
        else:
            by_arn[one.arn] = one
    return list(by_arn.values()), same


def _holds(proof: Proof) -> bool:
    return proof.verdict is Verdict.HOLDS


def _broken(proof: Proof) -> bool:
    return proof.verdict is Verdict.BROKEN


def _listed(reasons: Sequence[str]) -> str:
    shown = "; ".join(reasons[:REASONS_SHOWN])
    more = len(reasons) - REASONS_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown
