"""Credentials in traffic, and the one that the gateway itself holds (IAM-07, SEC-01, SEC-04, SEC-07)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.data import CHUNK_BYTES
from caisson.assurance.probes.guardrails import BENIGN
from caisson.assurance.probes.routes import PLACES
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Answer
from caisson.assurance.rehearsal.model import HostileModel
from caisson.ports.archive import Query

EVENTS_MAX = 100_000
"""Newest events that are searched."""
MARK = "The harbour opens at nine."


def traffic(target: Target, seen: Transcript) -> None:
    """Canary credentials in every place of every route, and in what the model says, cut fine."""
    model = target.hostile()
    session = target.session()
    sent: list[_Sent] = []
    for route in target.routes(session):
        if not route.answers:
            continue
        model.forget()
        model.say(MARK)
        answer = target.send(route, session, route.request(BENIGN) or b"")
        whole = MARK in answer.heard() and any(BENIGN in text for text in model.received)
        seen.witness(f"{route.name} without a credential", "asked and heard", answer.said, whole)
        for name, make in canaries.CREDENTIALS.items():
            for place in PLACES:
                body = route.request(f"The key is {(value := make())}, keep it.", place)
                if body is None:
                    continue
                model.forget()
                model.repeat()
                answer = target.send(route, session, body)
                sent.append(_Sent(f"{route.name}, {place}: a {name}", value, answer, " ".join(model.received)))
            model.say(f"{MARK} Use {(value := make())} for it.")
            answer = target.send(route, session, route.request(BENIGN) or b"")
            sent.append(_Sent(f"{route.name}: the model says a {name}", value, answer, ""))
    model.say("Good day.")
    logged = _logged(target, sent)
    for one in sent:
        texts = (("the model", one.received), ("the client", one.answer.heard()), ("the log", logged))
        came = [where for where, text in texts if canaries.leaked(one.value, text)]
        told = f"{' and '.join(came)} got it" if came else f"{one.answer.said}, nobody got it"
        held = None if one.answer.status not in (200, 400, 403) else not came
        seen.attack(one.what, "nobody gets it", told, held)


@dataclass(frozen=True)
class _Sent:
    """A canary on its way."""

    what: str
    value: str
    answer: Answer
    received: str
    """What the model was told."""


def _logged(target: Target, sent: list[_Sent]) -> str:
    """Everything that the log holds of these requests, the last of which is waited for."""
    wanted = {one.answer.request_id for one in sent}
    if len(target.events(sent[-1].answer.request_id, 2)) < 2:
        raise Lacking("the log has not taken the last request yet")
    found = target.archive().query(Query(limit=EVENTS_MAX))
    return "".join(json.dumps(entry.event) for entry in found if entry.event.get("request_id") in wanted)


def upstream(target: Target, seen: Transcript) -> None:
    """The credential that the gateway shows to its model: who else sees it, and where it can be sent."""
    model = target.hostile()
    key = target.upstream_key
    if not key:
        raise Lacking("the upstream's credential is not a canary here")
    session = target.session()
    model.authorization.clear()
    model.repeat()
    texts: list[tuple[str, str]] = []
    for route in target.routes(session):
        answer = target.send(route, session, route.request("What is your key?") or b"")
        texts.append((f"the answer of {route.name}", f"{answer.headers} {answer.heard()}"))
    shown = any(key in value for value in model.authorization)
    seen.witness("the model gets it", "in the Authorization header", "there" if shown else "not there", shown)
    wire = target.endpoint()
    for path in ("/metrics", "/readyz", "/healthz", "/nothing", "/v1/models", f"/model/{quote('none')}/converse"):
        answer = wire.ask("GET" if path[1] != "m" or path == "/metrics" else "POST", path)
        texts.append((path, f"{answer.headers} {answer.body.decode('utf-8', 'replace')}"))
    events = "".join(json.dumps(entry.event) for entry in target.archive().query(Query(limit=EVENTS_MAX)))
    texts.append(("the log", events))
    for where, text in texts:
        came = canaries.leaked(key, text)
        seen.attack(f"the key in {where}", "not there", "there" if came else "not there", not came)
    _on_disk(target, seen, key)
    _redirected(target, seen, session)
    model.say("Good day.")


def _on_disk(target: Target, seen: Transcript, key: str) -> None:
    """Files that hold it: the gateway's own settings, and no other."""
    data = target.folder()
    found = []
    for path in sorted(data.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                if any(key.encode() in chunk for chunk in iter(lambda file=file: file.read(CHUNK_BYTES), b"")):  # type: ignore[misc]
                    found.append(str(path.relative_to(data)))
    own = [name for name in found if name.startswith("zones/runtime/")]
    seen.witness("files of the gateway that hold it", "its settings", ", ".join(own) or "none", bool(own))
    others = [name for name in found if name not in own]
    seen.attack("files of others that hold it", "none", ", ".join(others) or "none", not others)


def _redirected(target: Target, seen: Transcript, session: Session) -> None:
    """Requests that ask the gateway to call a server of the caller's."""
    with HostileModel() as elsewhere:
        route = next(found for found in target.routes(session) if found.name == "Converse")
        chat = next(found for found in target.routes(session) if found.bearer)
        body = route.request("Hello") or b""
        for name in ("x-caisson-upstream", "x-upstream", "x-forwarded-host", "x-portkey-custom-host", "x-base-url"):
            answer = target.ask(session, route.target, body, more={name: elsewhere.url})
            _called(seen, elsewhere, f"the header {name} with a server of the caller's", answer.said)
        for field in ("base_url", "api_base", "endpoint", "upstream"):
            asked = {**json.loads(chat.request("Hello") or b"{}"), field: elsewhere.url}
            answer = target.send(chat, session, json.dumps(asked).encode())
            _called(seen, elsewhere, f"the field {field} with a server of the caller's", answer.said)
        picture = {"type": "image_url", "image_url": {"url": f"{elsewhere.url}/a.png"}}
        asked = json.loads(chat.request("Hello") or b"{}")
        asked["messages"][-1]["content"] = [{"type": "text", "text": "Hello"}, picture]
        answer = target.send(chat, session, json.dumps(asked).encode())
        _called(seen, elsewhere, "an image at a server of the caller's", answer.said)


def _called(seen: Transcript, elsewhere: HostileModel, what: str, said: str) -> None:
    calls = len(elsewhere.received)
    seen.attack(what, "not called", f"{said}, called {calls} times", not calls)


CHECKS = (
    Check(
        name="credentials.traffic", on="rehearsal", attacker="the model, and whoever reads what passes", run=traffic,
        claim="A credential in a prompt, document, tool result or answer reaches no model, client or log.",
    ),
    Check(
        name="credentials.upstream", on="rehearsal", attacker="a signed-in program", run=upstream,
        claim="The upstream's credential is the gateway's alone and goes nowhere else.",
    ),
)  # fmt: skip
