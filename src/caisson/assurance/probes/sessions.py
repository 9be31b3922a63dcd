"""How long a session lives, what it may do and hand on, and that nothing crosses (IAM-06, SESS-01, SESS-02)."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.guardrails import personal_actions
from caisson.assurance.probes.held import HeldClock
from caisson.assurance.probes.routes import routes
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Answer
from caisson.errors import CaissonError, Refusal
from caisson.policy.sessions import Role, role_arn
from caisson.ports.keys import Keys, SealingKey, SigningKey
from caisson.protocol.sigv4 import Keys as SigningKeys

OVER_S = 1.0
"""Past a session's end."""


def revoked(target: Target, seen: Transcript) -> None:
    """A session is revoked, and what it handed on with it."""
    session = target.session(fresh=True)
    route, body = _cheapest(target, session)
    child = _narrowed(target, session)
    for who, held in (("the session", session), ("what it handed on", child)):
        answer = target.ask(held, route, body)
        seen.witness(f"{who}, before", "200", answer.said, answer.status == 200)
    target.revoke(session)
    for who, held in (("the session", session), ("what it handed on", child)):
        answer = target.until_refused(lambda held=held: target.ask(held, route, body))  # type: ignore[misc]
        seen.attack(f"{who}, after it was revoked", "refused", answer.said, _refused(answer))
    answer = _sts(target, session, Action="AssumeRole", RoleSessionName="again", RoleArn=_arn(target, session))
    seen.attack("handing it on after it was revoked", "refused", answer.said, _refused(answer))


def expired(target: Target, seen: Transcript) -> None:
    """The gateway's own verifier over its own keys, with the clock moved past a session's end."""
    session = target.session()
    bearer = target.bearer(session)
    folder = target.zone("runtime") / "keys"
    try:
        held = FileKeys(folder)
    except PermissionError:
        raise Lacking(f"{folder} belongs to another user") from None
    with tempfile.TemporaryDirectory() as spare:

        def open_keys(names: tuple[str, ...]) -> Keys:
            return _Either(held, FileKeys.create(Path(spare), signing=names, secrets=names))

        clock = HeldClock(target.clock())
        verifier = EmbeddedCredentials(open_keys=open_keys, system=target.system.name, clock=clock)
        token = session.keys.session_token
        found = verifier.verify_session_token(token, clock.at)
        seen.witness("a session token, now", "a principal", _named(found), not isinstance(found, Refusal))
        known = verifier.verify_bearer(bearer.bearer, clock.at)
        seen.witness("a bearer token, now", "a principal", _named(known), not isinstance(known, Refusal))
        for what, later in (("a second after its end", OVER_S), ("a day after its end", 86_400.0)):
            # a verifier of its own each time: what was verified once may be remembered
            for fresh in (False, True):
                tried = EmbeddedCredentials(open_keys=open_keys, system=target.system.name, clock=clock)
                used, how = (tried, "unknown to it") if fresh else (verifier, "known to it")
                found = used.verify_session_token(token, session.expires + later)
                told = f"a session token {how}, {what}"
                seen.attack(told, "refused", _named(found), isinstance(found, Refusal))
                known = used.verify_bearer(bearer.bearer, bearer.expires + later)
                told = f"a bearer token {how}, {what}"
                seen.attack(told, "refused", _named(known), isinstance(known, Refusal))


def other(target: Target, seen: Transcript) -> None:
    """The secret of one session with the token of another."""
    mine, theirs = target.session(), target.session(fresh=True)
    child = _narrowed(target, mine)
    route, body = _cheapest(target, mine)
    for who, held in (("the first session", mine), ("the second session", theirs), ("a narrowed session", child)):
        answer = target.ask(held, route, body)
        seen.witness(who, "200", answer.said, answer.status == 200)
    mixed = (
        ("the second session's token under the first one's secret", mine.keys, theirs.keys),
        ("a narrowed session's token under its parent's secret", mine.keys, child.keys),
        ("a session's token under the secret of what it handed on", child.keys, mine.keys),
    )
    for what, secret, token in mixed:
        for name, keys in (
            ("and id", replace(secret, session_token=token.session_token)),
            ("alone", replace(token, secret_access_key=secret.secret_access_key)),
        ):
            answer = target.endpoint().ask("POST", route, body, target.headers(replace(mine, keys=keys), route, body))
            seen.attack(f"{what} {name}", "refused", answer.said, _refused(answer))


def scope(target: Target, seen: Transcript) -> None:
    """A session asks for what its role does not have, and hands on more than it has."""
    session = target.session()
    route, body = _cheapest(target, session)
    answer = target.ask(session, route, body)
    seen.witness("its own model", "200", answer.said, answer.status == 200)
    own = target.model_id(session)
    foreign = [spec.id for spec in target.system.models.values() if spec.id != own]
    for model_id in (*foreign[:3], "anthropic.claude-3-opus-20240229-v1:0", f"{own}x", f"us.{own}"):
        for found in routes(model_id):
            if "count-tokens" in found.target or "/converse" in found.target or "/invoke" in found.target:
                answer = target.ask(session, found.target, found.request("Hello") or b"")
                seen.attack(f"{found.name} of the model {model_id}", "refused", answer.said, _refused(answer))
        chat = next(found for found in routes(model_id) if found.bearer)
        answer = target.send(chat, session, chat.request("Hello") or b"")
        seen.attack(f"chat completions of the model {model_id}", "refused", answer.said, _refused(answer))
    own_guardrail = target.system.agents[session.agent].guardrail
    for name in (*(name for name in target.system.guardrails if name != own_guardrail), "none"):
        path = f"/guardrail/{quote(name, safe='')}/version/DRAFT/apply"
        answer = target.ask(session, path, b'{"source":"INPUT","content":[{"text":{"text":"Hello"}}]}')
        seen.attack(f"the guardrail {name}", "refused", answer.said, _refused(answer))
    answer = _sts(target, session, Action="AssumeRole", RoleSessionName="probe", RoleArn=_arn(target, session))
    seen.witness("handing on the same role", "200", answer.said, answer.status == 200)
    system = target.system.name
    wanted = [
        role_arn(system, Role(agent, task))
        for agent, found in target.system.agents.items()
        for task in found.tasks
        if target.system.models[found.model].id != own
    ]
    wanted += [role_arn(system, Role("nobody", "anything")), role_arn("another-system", Role("nobody", "anything"))]
    wanted += ["arn:aws:iam::111111111111:role/Admin"]
    for arn in wanted:
        answer = _sts(target, session, Action="AssumeRole", RoleSessionName="probe", RoleArn=arn)
        seen.attack(f"handing on {arn}", "refused", answer.said, _refused(answer))
    answer = _sts(
        target, session, Action="AssumeRole", RoleSessionName="probe", RoleArn=_arn(target, session), Policy="{}"
    )
    seen.attack("handing it on with a policy of one's own", "refused", answer.said, _refused(answer))


def crossing(target: Target, seen: Transcript) -> None:
    """A pseudonym that stands for a value in one session is sent in others, by a client and by the model."""
    model = target.hostile()
    session = target.session()
    kinds = personal_actions(target, session)
    kind = next((kind for kind in kinds if kinds[kind] == "pseudonymise"), None)
    if kind is None:
        raise Lacking("the file's guardrail replaces no kind of personal data, so there is nothing to restore")
    value = canaries.PERSONAL[kind]()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    model.forget()
    model.repeat()
    answer = target.send(route, session, route.request(canaries.AROUND[kind].format(value)) or b"")
    seen.witness(
        "in its own session the value comes back", "the value", _whether(value, answer), value in answer.heard()
    )
    tag = next(iter(re.findall(rf"\[{kind}_[0-9a-f]+\]", " ".join(model.received))), "")
    seen.witness("what the model saw instead", "a pseudonym", tag or "no pseudonym", bool(tag))
    if not tag:
        return
    others = [("another session of the same user", target.session(fresh=True))]
    if len(target.roles()[0]) > 1:
        others.append(("a session of another user", target.session(user=1)))
    for who, held in others:
        for said in (False, True):
            for found in target.routes(held):
                if not found.answers:
                    continue
                if said:
                    model.say(f"Write to {tag}, please.")
                else:
                    model.repeat()
                text = "Who was that?" if said else f"Who is {tag}?"
                answer = target.send(found, held, found.request(text) or b"")
                what = "the model says the pseudonym" if said else "the client sends the pseudonym"
                came = canaries.leaked(value, answer.heard())
                held_back = None if answer.status >= 500 else not came
                seen.attack(f"{who}, {found.name}: {what}", "no value", _whether(value, answer), held_back)
    model.say("Good day.")


class _Either(Keys):
    """A zone's keys, and made-up ones for epochs that it has none of yet."""

    def __init__(self, held: Keys, spare: Keys) -> None:
        self._held, self._spare = held, spare

    def signing(self, name: str) -> SigningKey:
        try:
            return self._held.signing(name)
        except CaissonError:
            return self._spare.signing(name)

    def sealing(self, name: str) -> SealingKey:
        return self._held.sealing(name)

    def secret(self, name: str) -> bytes:
        try:
            return self._held.secret(name)
        except CaissonError:
            return self._spare.secret(name)


def _named(found: object) -> str:
    return f"refused, {found.rule}" if isinstance(found, Refusal) else "a principal"


def _whether(value: str, answer: Answer) -> str:
    return f"{answer.said}, {'the value' if canaries.leaked(value, answer.heard()) else 'not the value'}"


def _refused(answer: Answer) -> bool | None:
    if 200 <= answer.status < 300:
        return False
    return True if 400 <= answer.status < 500 and answer.status != 429 else None


def _cheapest(target: Target, session: Session) -> tuple[str, bytes]:
    """A request that asks no model."""
    route = next(found for found in target.routes(session) if not found.answers)
    return route.target, route.request("Hello") or b""


def _arn(target: Target, session: Session) -> str:
    return role_arn(target.system.name, Role(session.agent, session.task))


def _sts(target: Target, session: Session, **parameters: str) -> Answer:
    body = urlencode({"Version": "2011-06-15", **parameters}).encode()
    more = {"content-type": "application/x-www-form-urlencoded"}
    return target.ask(session, "/", body, service="sts", more=more)


def _narrowed(target: Target, session: Session) -> Session:
    """The same role once more, handed on by STS."""
    answer = _sts(target, session, Action="AssumeRole", RoleSessionName="probe", RoleArn=_arn(target, session))
    text = answer.body.decode("utf-8", "replace")
    found = {name: re.search(rf"<{name}>([^<]+)</{name}>", text) for name in
             ("AccessKeyId", "SecretAccessKey", "SessionToken")}  # fmt: skip
    if answer.status != 200 or not all(found.values()):
        raise Lacking(f"a session cannot be handed on: {answer.said}")
    values = {name: match[1] for name, match in found.items() if match is not None}
    keys = SigningKeys(
        access_key_id=values["AccessKeyId"], secret_access_key=values["SecretAccessKey"],
        session_token=values["SessionToken"],
    )  # fmt: skip
    return replace(session, keys=keys)


CHECKS = (
    Check(
        name="sessions.revoked", on="system", attacker="whoever has a revoked session", run=revoked,
        claim="A revoked session, and what it handed on, is refused within seconds.",
    ),
    Check(
        name="sessions.expired", on="system", attacker="whoever kept old credentials", run=expired,
        claim="Credentials are worth nothing after their end.",
    ),
    Check(
        name="sessions.other", on="system", attacker="a program with two sessions", run=other,
        claim="What belongs to one session does not sign for another.",
    ),
    Check(
        name="sessions.scope", on="system", attacker="a signed-in program", run=scope,
        claim="A session reaches its agent's model and guardrail alone, and hands on no more than it has.",
    ),
    Check(
        name="sessions.crossing", on="rehearsal", attacker="another user, and the model", run=crossing,
        claim="What stands for a value in one session is worth nothing in another.",
    ),
)  # fmt: skip
