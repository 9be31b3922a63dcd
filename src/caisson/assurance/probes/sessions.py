"""How long a session lives, what it may do and hand on, and that nothing crosses (IAM-06, SESS-01, SESS-02)."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.guardrails import personal_actions
from caisson.assurance.probes.held import HeldClock
from caisson.assurance.probes.routes import routes
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Answer
from caisson.errors import CaissonError, LedgerError, Refusal
from caisson.policy.sessions import Role, role_arn
from caisson.ports.keys import Keys, SealingKey, SigningKey
from caisson.ports.ledger import Account, Rate
from caisson.protocol.sigv4 import Keys as SigningKeys

OVER_S = 1.0
"""Past a session's end."""
WORKERS, REQUESTS = 4, 60
"""Threads that spend one account, and what each asks for."""
TOKENS, TOKENS_MAX, ACTIONS_MAX, RATE_MAX = 37, 1_000, 24, 20


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


def overshoot(_target: Target, seen: Transcript) -> None:
    """Four workers spend one account at once, on the ledger that the gateway has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        now = 1_000.0
        account = Account(
            session_id="s-probe", user="probe", agent="a", task="t", opened=0.0, expires=now + 3_600,
            tokens_max=TOKENS_MAX, actions_max=ACTIONS_MAX,
        )  # fmt: skip
        roomy = replace(account, session_id="s-rate", tokens_max=10**9, actions_max=10**6)
        first = EmbeddedLedger(path)
        for opened in (account, roomy):
            asyncio.run(first.open(opened))
        granted = _spent(path, account.session_id, (), now)
        tokens = len(granted) * TOKENS
        fits = min(TOKENS_MAX // TOKENS, ACTIONS_MAX)
        seen.witness(f"reservations granted of {WORKERS * REQUESTS}", f"{fits}", f"{len(granted)}", len(granted) >= 1)
        seen.attack("tokens reserved at once", f"at most {TOKENS_MAX}", f"{tokens}", tokens <= TOKENS_MAX)
        told = f"at most {ACTIONS_MAX}"
        seen.attack("actions begun at once", told, f"{len(granted)}", len(granted) <= ACTIONS_MAX)
        rated = _spent(path, roomy.session_id, (Rate(key="user:probe", count=RATE_MAX, window_s=60.0),), now)
        seen.witness(f"requests under a rate of {RATE_MAX} a minute", f"{RATE_MAX}", f"{len(rated)}", bool(rated))
        seen.attack("requests in one window", f"at most {RATE_MAX}", f"{len(rated)}", len(rated) <= RATE_MAX)
        after = _spent(path, account.session_id, (), account.expires + 1, workers=1)
        seen.attack("reservations after the session's end", "none", f"{len(after)}", not after)
        asyncio.run(first.end(roomy.session_id, "probe"))
        closed = _spent(path, roomy.session_id, (), now, workers=1)
        seen.attack("reservations on a closed session", "none", f"{len(closed)}", not closed)
        first.close()


def _spent(path: Path, session_id: str, rates: Sequence[Rate], now: float, *, workers: int = WORKERS) -> list[str]:
    """Reservations that were granted to workers of their own."""
    granted: list[str] = []
    begin = threading.Barrier(workers)

    async def spend(worker: int) -> None:
        ledger = EmbeddedLedger(path)
        try:
            begin.wait(10)
            made = await asyncio.gather(
                *(
                    ledger.reserve(
                        reservation_id=f"{session_id}-{now}-{worker}-{number}", session_id=session_id, tokens=TOKENS,
                        actions=1, rates=rates, now=now, deadline=now + 60,
                    )
                    for number in range(REQUESTS)
                )
            )  # fmt: skip
            granted.extend(found.reservation_id for found in made if not isinstance(found, Refusal))
        finally:
            ledger.close()

    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            asyncio.run(spend(worker))
        except (LedgerError, threading.BrokenBarrierError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Lacking(f"the ledger could not be used: {failures[0]}")
    return granted


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
    Check(
        name="sessions.overshoot", on="parts", attacker="a program with many connections", run=overshoot,
        claim="No session spends more than its budget, whoever asks at the same time.",
    ),
)  # fmt: skip
