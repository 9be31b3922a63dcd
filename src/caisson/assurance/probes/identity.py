"""Callers without a right to call (IAM-01, SEC-02): every route, and every way to be nobody or somebody else.

The witness is the same request, honestly signed. What refuses for another reason than identity decides nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.routes import Route, apply_guardrail
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Answer
from caisson.protocol.sigv4 import Keys

LATE_S = 600.0
"""Twice the window of AWS's signatures."""
NOBODY = Session(
    session_id="", user="", agent="", task="", expires=0.0,
    keys=Keys(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key=""),
)  # fmt: skip
"""Long-lived keys, without a session token; the id is AWS's documented example."""
IDENTITY_STATUSES = (400, 401, 403)


def refused(answer: Answer) -> bool | None:
    """Whether identity refused it: yes, no (it was served), or it failed for another reason."""
    if 200 <= answer.status < 300:
        return False
    return True if answer.status in IDENTITY_STATUSES else None


def _all_routes(target: Target, session: Session) -> tuple[Route, ...]:
    agent = target.system.agents.get(session.agent) or next(iter(target.system.agents.values()))
    model = target.system.models[agent.model].id
    from caisson.assurance.probes.routes import routes

    return (*routes(model), apply_guardrail(agent.guardrail))


def unsigned(target: Target, seen: Transcript) -> None:
    """Every route, without any identity and with ones that were never given out."""
    wire = target.endpoint()
    plain = {"content-type": "application/json"}
    for route in _all_routes(target, NOBODY):
        body = route.request("Hello") or b"{}"
        answer = wire.ask("POST", route.target, body, plain)
        seen.attack(f"{route.name} without Authorization", "refused", answer.said, refused(answer))
        answer = wire.ask("POST", route.target, body, target.headers(NOBODY, route.target, body))
        seen.attack(f"{route.name} with static keys", "refused", answer.said, refused(answer))
        for token in ("none", unsecured_jwt(), "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl"):
            answer = wire.ask("POST", route.target, body, {**plain, "authorization": f"Bearer {token}"})
            kind = {"none": "a word", "ABSK": "a Bedrock API key"}.get(token[:4], "an unsecured JWT")
            seen.attack(f"{route.name} with {kind} as bearer token", "refused", answer.said, refused(answer))
    for name, claimed in (("x-user", "alice"), ("x-amzn-oidc-identity", "alice"), ("x-forwarded-user", "alice")):
        route = _all_routes(target, NOBODY)[0]
        answer = wire.ask("POST", route.target, route.request("Hello") or b"", {**plain, name: claimed})
        seen.attack(f"{route.name} with an identity in the header {name}", "refused", answer.said, refused(answer))
    answer = wire.ask("GET", "/v1/models", b"", {})
    seen.attack("the list of models without Authorization", "refused", answer.said, refused(answer))
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = wire.ask("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", form)
    seen.attack("GetCallerIdentity without Authorization", "refused", answer.said, refused(answer))
    _honest(target, seen)


def tampered(target: Target, seen: Transcript) -> None:
    """A signed request, changed after it was signed."""
    session = _honest(target, seen)
    wire = target.endpoint()
    for route in _all_routes(target, session):
        if route.bearer:
            continue
        body = route.request("Hello") or b"{}"
        for change in _changes(target.headers(session, route.target, body), body):
            answer = wire.ask("POST", route.target, change.body, change.headers)
            seen.attack(f"{route.name}, {change.what}", "refused", answer.said, refused(answer))
        signed = target.headers(session, route.target, body)
        answer = wire.ask("POST", f"{route.target}?x=1", body, signed)
        seen.attack(f"{route.name}, a query added", "refused", answer.said, refused(answer))
    bearer = target.bearer(session)
    for route in _all_routes(target, session):
        if not route.bearer:
            continue
        for what, token in _forged(bearer.bearer):
            body = route.request("Hello") or b"{}"
            sent = {"content-type": "application/json", "authorization": f"Bearer {token}"}
            answer = wire.ask("POST", route.target, body, sent)
            seen.attack(f"{route.name}, {what}", "refused", answer.said, refused(answer))


def window(target: Target, seen: Transcript) -> None:
    """Signatures that are too old or too early."""
    session = _honest(target, seen)
    for route in _all_routes(target, session):
        if route.bearer:
            continue
        body = route.request("Hello") or b"{}"
        for what, shift in (("ten minutes old", -LATE_S), ("ten minutes early", LATE_S), ("a day old", -86_400.0)):
            sent = target.headers(session, route.target, body, now=target.clock() + shift)
            answer = target.endpoint().ask("POST", route.target, body, sent)
            seen.attack(f"{route.name}, a signature {what}", "refused", answer.said, refused(answer))


def audience(target: Target, seen: Transcript) -> None:
    """Credentials that are genuine and meant for something else."""
    session = _honest(target, seen)
    bearer = target.bearer(session)
    wire = target.endpoint()
    swapped = replace(session, keys=replace(session.keys, session_token=bearer.bearer))
    for route in _all_routes(target, session):
        body = route.request("Hello") or b"{}"
        sent = {"content-type": "application/json", "authorization": f"Bearer {session.keys.session_token}"}
        tried = [("the SigV4 session token as bearer token", sent)]
        tried.append(("a bearer token as SigV4 session token", target.headers(swapped, route.target, body)))
        tried.append(("signed for sts", target.headers(session, route.target, body, service="sts")))
        elsewhere = "us-gov-west-1" if target.region != "us-gov-west-1" else "eu-west-1"
        tried.append(("signed for another Region", target.headers(session, route.target, body, region=elsewhere)))
        for what, headers in tried:
            answer = wire.ask("POST", route.target, body, headers)
            seen.attack(f"{route.name}, {what}", "refused", answer.said, refused(answer))


@dataclass(frozen=True, kw_only=True)
class _Change:
    what: str
    headers: dict[str, str]
    body: bytes


def _changes(signed: Mapping[str, str], body: bytes) -> Iterator[_Change]:
    """One thing changed at a time."""
    changed = body.replace(b"Hello", b"Hallo")
    yield _Change(what="another body", headers=dict(signed), body=changed if changed != body else body + b" ")
    authorization = signed["authorization"]
    last = "0" if authorization[-1] != "0" else "1"
    yield _Change(what="another signature", headers={**signed, "authorization": authorization[:-1] + last}, body=body)
    for what, token in _forged(signed["x-amz-security-token"]):
        yield _Change(what=what, headers={**signed, "x-amz-security-token": token}, body=body)
    without = {name: value for name, value in signed.items() if name != "x-amz-security-token"}
    yield _Change(what="the token left out", headers=without, body=body)
    yield _Change(what="a role added unsigned", headers={**signed, "x-caisson-role": "x"}, body=body)
    unsigned_body = {**signed, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    yield _Change(what="the body declared unsigned", headers=unsigned_body, body=changed)


def _forged(token: str) -> Iterator[tuple[str, str]]:
    """A token of ours that says something else."""
    parts = token.split(".")
    if len(parts) != 3:
        return
    header, claims, signature = parts
    try:
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except ValueError:
        return
    for what, change in (("another user in the token", {"sub": "mallory"}), ("a later end in the token", {"exp": 9e9})):
        yield what, f"{header}.{_base64(said | change)}.{signature}"
    yield "the token's algorithm set to none", f"{_base64({'alg': 'none', 'typ': 'JWT'})}.{claims}."
    yield "the token's signature cut off", f"{header}.{claims}."


def unsecured_jwt() -> str:
    """RFC 7519 section 6: a token that nobody signed."""
    claims = {"sub": "alice", "aud": "caisson", "exp": 4_102_444_800}
    return f"{_base64({'alg': 'none', 'typ': 'JWT'})}.{_base64(claims)}."


def _base64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _honest(target: Target, seen: Transcript) -> Session:
    """The request that must pass: the cheapest that asks for an identity."""
    session = target.session()
    route = next(route for route in target.routes(session) if not route.answers)
    answer = target.ask(session, route.target, route.request("Hello") or b"{}")
    seen.witness(f"{route.name}, signed by a session of {session.user}", "200", answer.said, answer.status == 200)
    if answer.status != 200:
        raise Lacking(f"an honest request does not pass either: {answer.said}")
    return session


CHECKS = (
    Check(
        name="identity.unsigned", on="system", attacker="outsider", run=unsigned,
        claim="No route answers a caller without an identity, or with one that was never given out.",
    ),
    Check(
        name="identity.tampered", on="system", attacker="somebody on the way", run=tampered,
        claim="A request or token that was changed after it was signed is refused.",
    ),
    Check(
        name="identity.window", on="system", attacker="somebody who recorded a request", run=window,
        claim="A signature older or earlier than five minutes is refused.",
    ),
    Check(
        name="identity.audience", on="system", attacker="a signed-in program", run=audience,
        claim="Credentials for another use, service or Region are refused.",
    ),
)  # fmt: skip
