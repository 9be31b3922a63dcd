"""Plays conversations against a running Caisson and judges them: what a client, and the model, can read of the secrets,
and whether the record says what the wire shows.

- A *leak* is a secret that the rules claim to see and that got out all the same, or got out by a way on which nobody
  said it.
- A *known miss* is one that the model said in a disguise that no rule claims to see through.

>>> campaign = Campaign(running, model)  # doctest: +SKIP
>>> campaign.play(talk_of(1, 1)).leaks  # doctest: +SKIP
[]
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canaries import PERSONAL, SURROUNDED, TEXT, Canary, Earlier, Watch
from conformance import INTERVENED, NOVA
from disguises import deep_readings, readings
from hostile_conversations import CALLING, ROUTES, USERS_OWN, Talk, conversation, request_body, smaller
from hostile_model import HostileModel
from quick_signing import Signer
from running_system import ENOUGH, Running, bearer_token, sign_in, system_file
from wire import Answer, Connection, plain

SIGN_IN_EVERY_S = 300.0
DEEP_CHARACTERS_MAX = 40_000
RECORD_SECONDS_MAX = 120.0
_SAYING = ("text", "link", "image", "attribute", "code", "reasoning", "tool value", "tool key", "tool nested",
           "tool list", "tool id", "tool number")  # fmt: skip
"""Ways on which a secret that is claimed must be on record."""
WIRES = ("answered", "blocked", "failed", "refused", "inspected")
_OUTCOMES = {"answered": {"answered"}, "blocked": {"blocked"}, "failed": {"failed"}, "refused": {"refused", "failed"}}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of a conversation."""

    talk: Talk
    request_id: str
    wire: str
    """answered, blocked, failed (by the model), refused, or a sentence when it is none of them."""
    leaks: list[str] = field(default_factory=list)
    known: list[tuple[str, str]] = field(default_factory=list)
    """Way and disguise of known misses."""


class Campaign:
    """One running system, one hostile model."""

    def __init__(self, running: Running, model: HostileModel) -> None:
        self._running = running
        self._model = model
        self._earlier = Earlier()
        self._signed_in_at = -SIGN_IN_EVERY_S
        self._signers: dict[tuple[str, str], Signer] = {}
        self._tokens: dict[str, str] = {}
        self._signing_in = threading.Lock()
        self._kept = threading.local()
        """A connection a thread."""

    def play(self, talk: Talk) -> Played:
        """Ask, and judge what comes back."""
        self._model.expect(talk)
        answer = self._ask(talk)
        played = self._judged(talk, answer)
        self._earlier.add(talk.canaries)
        return played

    def minimal(self, talk: Talk) -> Talk:
        """The smallest conversation that still leaks."""
        shrunk = True
        while shrunk:
            shrunk = False
            for candidate in smaller(talk):
                if self.play(candidate).leaks:
                    talk, shrunk = candidate, True
                    break
        return talk

    def unrecorded(self, played: Sequence[Played]) -> list[tuple[Played, str]]:
        """Conversations whose record does not say what the wire showed, and what it says."""
        wanted = {one.request_id: one for one in played if one.request_id}
        by_request: dict[str, list[dict[str, Any]]] = {}

        def whole(events: list[dict[str, Any]]) -> bool:
            by_request.clear()
            for event in events:
                if event.get("request_id") in wanted:
                    by_request.setdefault(str(event["request_id"]), []).append(event)
            return sum(map(len, by_request.values())) >= 2 * sum(one.wire != "unknown" for one in wanted.values())

        self._running.events("--limit", str(3 * len(wanted) + 200), seconds=RECORD_SECONDS_MAX, until=whole)
        found = ((one, _record_complaint(one, by_request.get(request_id, []))) for request_id, one in wanted.items())
        return [(one, complaint) for one, complaint in found if complaint]

    # Asking

    def _ask(self, talk: Talk) -> Answer:
        data = self._request(talk)
        for attempt in range(3):
            connection = getattr(self._kept, "connection", None) or Connection.to(self._running, seconds=30)
            self._kept.connection = None
            try:
                answer = connection.ask(data)
            except EOFError:  # a kept connection that the server closed meanwhile
                connection.close()
                if attempt == 2:
                    raise
                continue
            if answer.closed:
                connection.close()
            else:
                self._kept.connection = connection
            return answer
        raise AssertionError("unreachable")

    def _request(self, talk: Talk) -> bytes:
        self._sign_in()
        target, model = ROUTES[talk.route]
        body = json.dumps(request_body(talk), ensure_ascii=talk.number % 2 == 0).encode("utf-8", "surrogatepass")
        agent = "small" if model == NOVA else "claims"
        if "chat" in talk.route:
            lines = {
                "host": f"localhost:{self._running.port}", "content-type": "application/json",
                "content-length": str(len(body)), "authorization": f"Bearer {self._tokens[talk.user]}",
            }  # fmt: skip
            return plain("POST", target, body, lines)
        if talk.route == "malformed" and talk.number % 3 == 0 and talk.planted:
            target = f"/model/{talk.canaries[0].value.replace('/', '-')}/converse"
        return self._signers[talk.user, agent].request("POST", target, body)

    def _sign_in(self) -> None:
        with self._signing_in:
            if time.monotonic() - self._signed_in_at < SIGN_IN_EVERY_S:
                return
            for user in ("alice", "bob"):
                self._tokens[user] = bearer_token(self._running.data, "claims", user)
                for agent in ("claims", "small"):
                    self._signers[user, agent] = Signer(sign_in(self._running.data, agent, user))
            self._signed_in_at = time.monotonic()

    # Judging

    def _judged(self, talk: Talk, answer: Answer) -> Played:
        watch = Watch(talk.canaries, self._earlier)
        seen: set[Canary] = set()
        for text in texts(answer):
            for reading in readings(text):
                seen |= watch.read(reading)
        unclaimed = {talk.canaries[said.canary]: said for said in talk.said
                     if said.canary is not None and not talk.claimed(said)}  # fmt: skip
        deep = set(unclaimed)
        if deep:
            for text in texts(answer):
                for reading in deep_readings(text[-DEEP_CHARACTERS_MAX:]):
                    seen |= Watch(deep).read(reading)
        own = _may_return(talk)
        leaks, known = [], []
        for canary in seen:
            said = unclaimed.get(canary)
            if said is not None:
                known.append((said.way, said.trick))
            elif canary not in own:
                leaks.append(_where(talk, canary))
        leaks += [f"reached the model: {_where(talk, canary)}" for canary in self._heard(talk)]
        return Played(
            talk=talk, request_id=answer.headers.get("x-caisson-request-id", ""), wire=_wire(talk, answer),
            leaks=sorted(leaks), known=known,
        )  # fmt: skip

    def _heard(self, talk: Talk) -> set[Canary]:
        """Secrets of the request that the model was told."""
        body = self._model.heard.get(talk.marker)
        planted = [talk.canaries[number] for place, number in talk.planted.items() if place != "user text"]
        if body is None or not planted:
            return set()
        watch, found = Watch(planted), set()
        for reading in readings(json.dumps(json.loads(body), ensure_ascii=False)):
            found |= watch.read(reading)
        return found


def _may_return(talk: Talk) -> set[Canary]:
    """What may come back: the user's own text that no rule knows, as nobody says it; and his own data in plain text."""
    confined = {said.canary for said in talk.said}
    own = {talk.canaries[number] for place, number in talk.planted.items()
           if place in USERS_OWN and talk.canaries[number].kind in PERSONAL and number not in confined}  # fmt: skip
    echoed = any(said.canary is None for said in talk.said)
    return set() if echoed else own


def _where(talk: Talk, canary: Canary) -> str:
    number = talk.canaries.index(canary) if canary in talk.canaries else -1
    if number < 0:
        return f"{canary.kind} of an earlier conversation"
    places = [place for place, at in talk.planted.items() if at == number] or ["the model"]
    said = [f"{one.way}, {one.trick}" for one in talk.said if one.canary == number]
    said = said or [f"{one.way}, pseudonym" for one in talk.said if one.canary is None]
    return f"{talk.route}: {canary.kind} of {places[0]} by {'; '.join(said) or 'nothing that was said'}"


def texts(answer: Answer) -> Iterator[str]:
    """Everything that a client can read: the bytes, the headers, and strings by place, a stream's pieces joined."""
    yield answer.raw[: answer.raw.find(b"\r\n\r\n")].decode("latin-1")
    yield answer.body.decode("utf-8", "replace")
    joined: dict[str, list[str]] = {}
    for value in _values(answer):
        for place, text in _strings(value, ""):
            joined.setdefault(place, []).append(text)
    for pieces in joined.values():
        text = "".join(pieces)
        yield text
        if text[:1] == "{":  # tool input, whose strings a client decodes
            try:
                for _, inner in _strings(json.loads(text), ""):
                    yield inner
                    if inner[:1] == "{":
                        yield from (deep for _, deep in _strings(json.loads(inner), ""))
            except ValueError:
                continue


def _values(answer: Answer) -> Iterator[Any]:
    kind = answer.headers.get("content-type", "")
    if "eventstream" in kind:
        for headers, payload in answer.events():
            yield headers
            value = json.loads(payload)
            yield json.loads(base64.b64decode(value["bytes"])) if set(value) == {"bytes"} else value
    elif "event-stream" in kind:
        for line in answer.body.split(b"\n\n"):
            if line and line != b"data: [DONE]":
                yield json.loads(line.removeprefix(b"data: "))
    elif answer.body:
        yield answer.json()


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        index = next((value[key] for key in ("contentBlockIndex", "index") if isinstance(value.get(key), int)), "")
        for key, item in value.items():
            yield f"{place} keys", key
            yield from _strings(item, f"{place}{index}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _strings(item, f"{place}[{at}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{place} numbers", f" {value} "


def _wire(talk: Talk, answer: Answer) -> str:
    if answer.status != 200:
        known = 400 <= answer.status < 500 or answer.status == 503
        return "refused" if known else f"status {answer.status}: {answer.body[:200]!r}"
    if talk.route in ("ApplyGuardrail", "CountTokens"):
        return "inspected"
    if b"exception" in answer.body or (b"event-stream" in answer.headers["content-type"].encode() and _ended(answer)):
        return "failed"
    said = "\n".join(text for value in _values(answer) for _, text in _strings(value, ""))
    marks = (*INTERVENED[:2], "INTERVENED")
    return "blocked" if any(mark in said for mark in marks) else "answered"


def _ended(answer: Answer) -> bool:
    """A chat stream ended in an error."""
    return b'data: {"error"' in answer.body


def _record_complaint(played: Played, events: list[dict[str, Any]]) -> str:
    """How the record differs from the wire; empty when it does not."""
    talk = played.talk
    text = json.dumps(events, ensure_ascii=False)
    claimed = [canary for canary in talk.canaries if canary.kind != TEXT and not _unclaimed(talk, canary)]
    # The log's redaction knows no declared pattern (docs/logs.md), reads blocks one by one and, of a stream that broke
    # off, the part of a value that arrived.
    logged = [canary for canary in claimed if canary.kind not in (*SURROUNDED, "claim")]
    logged = [canary for canary in logged if "two blocks" not in _ways(talk, canary)]
    leaked = Watch(logged).read(text) if talk.ends != "cut" else set()
    if leaked:
        return "the log holds " + ", ".join(_where(talk, canary) for canary in leaked)
    if played.wire == "refused" and talk.route == "malformed":
        return ""
    kinds = sorted(str(event["kind"]) for event in events)
    if kinds != ["model.request.v1", "model.response.v1"]:
        return f"events {kinds}"
    response = next(event for event in events if event["kind"] == "model.response.v1")
    outcomes = _OUTCOMES.get(played.wire, {"answered", "blocked"})
    if response["outcome"] not in outcomes:
        return f"outcome {response['outcome']!r}, on the wire {played.wire!r}"
    acted = {stage: {one["decision"] for one in response["guardrail_actions"] if one["stage"] == stage}
             for stage in ("input", "output")}  # fmt: skip
    acting = {"masked", "blocked"}
    if talk.route in CALLING and played.wire != "refused" and _planted_claimed(talk) and not acted["input"] & acting:
        return "secrets of the request are not on record"
    if played.wire == "answered" and _said_claimed(talk) and not acted["output"] & acting:
        return "secrets that the model said are not on record"
    return ""


def _ways(talk: Talk, canary: Canary) -> set[str]:
    return {said.way for said in talk.said if said.canary is not None and talk.canaries[said.canary] == canary}


def _unclaimed(talk: Talk, canary: Canary) -> bool:
    return any(said.canary is not None and talk.canaries[said.canary] == canary and not talk.claimed(said)
               for said in talk.said)  # fmt: skip


def _planted_claimed(talk: Talk) -> bool:
    return any(place not in ("user text", "request metadata") for place in talk.planted)


def _said_claimed(talk: Talk) -> bool:
    return talk.ends in ("stop", "length") and any(
        said.canary is not None and said.way in _SAYING and talk.claimed(said) for said in talk.said
    )


def talk_of(seed: int, number: int) -> Talk:
    """A conversation of a campaign; it depends on the seed and its number alone."""
    return conversation(random.Random(f"{seed}/{number}"), number)


def system(folder: Path) -> Path:
    """The example at tier 1, where clients may bring tools, with an agent on a model of another dialect."""
    agents = {"small": {"model": "small", "guardrail": "main", "tasks": {"answer": {}}}}
    return system_file(folder, tier=1, agents=agents, **ENOUGH)


@dataclass
class Tally:
    """What a campaign has seen."""

    conversations: int = 0
    canaries: int = 0
    by_route: Counter[str] = field(default_factory=Counter)
    by_wire: Counter[str] = field(default_factory=Counter)
    tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By way and disguise."""
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaks: list[Played] = field(default_factory=list)
    unrecorded: list[tuple[Played, str]] = field(default_factory=list)
    odd: list[Played] = field(default_factory=list)
    """Neither an answer nor a refusal."""

    def add(self, played: Sequence[Played]) -> None:
        """Count conversations."""
        for one in played:
            talk = one.talk
            self.conversations += 1
            self.canaries += len(talk.canaries)
            self.by_route[talk.route] += 1
            self.by_wire[one.wire] += 1
            self.tries.update((said.way, "pseudonym" if said.canary is None else said.trick) for said in talk.said)
            self.known.update(one.known)
            if one.leaks:
                self.leaks.append(one)
            if one.wire not in WIRES:
                self.odd.append(one)
