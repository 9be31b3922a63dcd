"""Data in transit, at rest and on its way through (DAT-03, DAT-05, LOG-09)."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.guardrails import BENIGN, intervened, personal_actions
from caisson.assurance.probes.routes import PLACES, Place, Route
from caisson.assurance.probes.target import Session, Target
from caisson.ports.archive import Query

DISK_BYTES_MAX = 4 << 30
"""Of the data folder that are searched; a larger one is said to be too large."""
CHUNK_BYTES = 1 << 20
OLD = ((ssl.TLSVersion.TLSv1, "TLS 1.0"), (ssl.TLSVersion.TLSv1_1, "TLS 1.1"))
TLS_SECONDS_MAX = 10.0


def tls(target: Target, seen: Transcript) -> None:
    """Handshakes with old versions, and no TLS at all."""
    wire = target.endpoint()
    with (
        _connected(wire.host, wire.port) as plain,
        wire.context().wrap_socket(plain, server_hostname=wire.host) as connection,
    ):
        version = str(connection.version())
        name = (connection.cipher() or ("",))[0]
    seen.witness(
        "a handshake as clients make it", "TLS 1.2 or later", f"{version}, {name}", version in ("TLSv1.2", "TLSv1.3")
    )
    for version_tried, told in OLD:
        seen.attack(f"a handshake with {told} alone", "refused", *_handshake(wire.host, wire.port, version_tried))
    seen.attack("TLS 1.2 with ciphers that do not encrypt", "refused", *_without_encryption(wire.host, wire.port))
    with _connected(wire.host, wire.port) as plain:
        plain.sendall(f"GET /healthz HTTP/1.1\r\nhost: {wire.netloc}\r\n\r\n".encode())
        try:
            said = plain.recv(4_096)
        except OSError as error:
            said = b""
            seen.note(f"without TLS the connection ends with {type(error).__name__}")
    served = said.startswith(b"HTTP/1.1 2")
    seen.attack("plain HTTP on the port", "not served", said[:20].decode("latin-1") or "closed", not served)


def _connected(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), TLS_SECONDS_MAX)


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _handshake(host: str, port: int, version: ssl.TLSVersion) -> tuple[str, bool | None]:
    """What the server says to one version alone."""
    context = _context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return _tried(context, host, port)


def _without_encryption(host: str, port: int) -> tuple[str, bool | None]:
    """The ciphers of RFC 2246 that authenticate and do not encrypt."""
    context = _context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("eNULL:@SECLEVEL=0")
    return _tried(context, host, port)


def _tried(context: ssl.SSLContext, host: str, port: int) -> tuple[str, bool | None]:
    try:
        with _connected(host, port) as plain, context.wrap_socket(plain, server_hostname=host) as connection:
            return f"accepted with {connection.version()}", False
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        # an alert is the server's word; anything else is this client's own library
        return reason, True if "ALERT" in reason else None
    except OSError as error:
        return type(error).__name__, True


def at_rest(target: Target, seen: Transcript) -> None:
    """Values are sent through the system; then every file of its data folder is searched for them."""
    data = target.folder()
    session = target.session()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    word, address = canaries.word(), canaries.email()
    token = canaries.CREDENTIALS["GitHub token"]()
    began = time.monotonic()
    answer = target.send(route, session, route.request(f"{word} {BENIGN}") or b"")
    events = target.events(answer.request_id, 2)
    there = answer.status == 200 and any(word in json.dumps(event) for event in events)
    seen.witness("the word in the log, read with its key", "there", "there" if there else "not there", there)
    for text in (f"Write to {address}.", f"My token is {token}."):
        second = target.send(route, session, route.request(text) or b"")
        target.events(second.request_id, 2)
    size = 0
    found: dict[str, list[str]] = {}
    planted = {
        "the word": word, "an address": address, "a token": token, "a session's token": session.keys.session_token,
        "a session's secret": session.keys.secret_access_key,
    }  # fmt: skip
    needles = {name: list(_forms(value)) for name, value in planted.items()}
    for path in _files(data):
        size += _search(path, needles, found, data)
        if size > DISK_BYTES_MAX:
            raise Lacking(f"the data folder has more than {DISK_BYTES_MAX} bytes")
    seen.note(f"{size} bytes searched in {time.monotonic() - began:.1f} s")
    for name in planted:
        places = found.get(name, [])
        told = ", ".join(places[:3]) if places else "nowhere"
        seen.attack(
            f"{name} in the files of the data folder, as text, base64, hex or UTF-16", "nowhere", told, not places
        )


def _forms(value: str) -> Iterator[bytes]:
    """A value as a careless writer might store it."""
    raw = value.encode()
    yield raw
    yield raw.hex().encode()
    yield value.encode("utf-16-le")
    for shift in range(3):  # wherever in a longer text it stands
        yield base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]


def _files(data: Path) -> Iterator[Path]:
    for path in sorted(data.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _search(path: Path, needles: dict[str, list[bytes]], found: dict[str, list[str]], data: Path) -> int:
    """Look into one file; its bytes. A file that is gone meanwhile is nothing."""
    size, kept = 0, b""
    longest = max(len(form) for forms in needles.values() for form in forms)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                text = kept + chunk
                for name, forms in needles.items():
                    place = str(path.relative_to(data))
                    if place not in found.get(name, ()) and any(form in text for form in forms):
                        found.setdefault(name, []).append(place)
                kept = text[-longest:]
    except FileNotFoundError:
        return 0
    except PermissionError:
        raise Lacking(f"{path} belongs to another user, so it cannot be searched") from None
    return size


def personal(target: Target, seen: Transcript) -> None:
    """Every kind that the file declares, in every place, on every route, and in what the model says, cut fine."""
    model = target.hostile()
    session = target.session()
    declared = {kind: action for kind, action in personal_actions(target, session).items() if action != "flag"}
    if not declared:
        raise Lacking("the system file names no kind of personal data that a probe can make")
    for route in target.routes(session):
        if not route.answers:
            continue
        for kind, action in declared.items():
            for place in PLACES:
                _planted(target, seen, session, route, kind, action, place)
            value = canaries.PERSONAL[kind]()
            model.say(f"You should know: {canaries.AROUND[kind].format(value)} That is all.")
            answer = target.send(route, session, route.request(BENIGN) or b"")
            came = canaries.leaked(value, answer.heard())
            told = "the client reads it" if came else "stopped or replaced"
            held = None if answer.status != 200 else not came
            seen.attack(f"{route.name}: the model says {kind}", "stopped or replaced", told, held)
    _escaped(target, seen, session, declared)
    model.say("Good day.")


def _planted(
    target: Target, seen: Transcript, session: Session, route: Route, kind: str, action: str, place: Place
) -> None:
    model = target.hostile()
    value = canaries.PERSONAL[kind]()
    body = route.request(canaries.AROUND[kind].format(value), place)
    if body is None:
        return
    model.forget()
    model.repeat()
    answer = target.send(route, session, body)
    reached = any(canaries.leaked(value, text) for text in model.received)
    told = f"{answer.said}, {'the model got it' if reached else 'the model did not get it'}"
    held: bool | None = None if answer.status not in (200, 400, 403) else not reached
    if action == "block" and held and answer.status == 200:
        held = intervened(answer)
    seen.attack(f"{route.name}, {place}: {kind}", f"{action}", told, held)
    if action == "pseudonymise" and place == "user":
        back = answer.status == 200 and value in answer.heard()
        saw = "restored" if back else f"{answer.said}, not restored"
        seen.witness(f"{route.name}: {kind} comes back to the user who said it", "restored", saw, back)
    elif action == "pseudonymise" and answer.status == 200:
        back = canaries.leaked(value, answer.heard())
        saw = "restored" if back else "not restored"
        seen.attack(f"{route.name}, {place}: {kind} that the user did not say", "not restored", saw, not back)


def _escaped(target: Target, seen: Transcript, session: Session, declared: dict[str, str]) -> None:
    """The same value as JSON may write it."""
    model = target.hostile()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    for kind in declared:
        value = canaries.PERSONAL[kind]()
        plain = route.request(canaries.AROUND[kind].format(value)) or b""
        escaped = re.sub(re.escape(value), "".join(f"\\\\u{ord(character):04x}" for character in value), plain.decode())
        model.forget()
        answer = target.send(route, session, escaped.encode())
        reached = any(canaries.leaked(value, text) for text in model.received)
        told = f"{answer.said}, {'the model got it' if reached else 'the model did not get it'}"
        held = None if answer.status != 200 else not reached
        seen.attack(f"{route.name}: {kind} in \\u escapes", "as without", told, held)


def redacted(target: Target, seen: Transcript) -> None:
    """What the archive holds of personal data and credentials, read with the log's own key."""
    session = target.session()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    word = canaries.word()
    values = {kind: make() for kind, make in canaries.PERSONAL.items()}
    sentences = " ".join(canaries.AROUND[kind].format(value) for kind, value in values.items())
    values |= {name: make() for name, make in canaries.CREDENTIALS.items()}
    sentences += " Keys: " + ", ".join(values[name] for name in canaries.CREDENTIALS) + "."
    seen_tags: list[set[str]] = []
    for _ in range(2):
        answer = target.send(route, session, route.request(f"{word} {sentences}") or b"")
        events = target.events(answer.request_id, 2)
        text = json.dumps(events)
        there = word in text
        seen.witness("a word around them in the archive", "there", "there" if there else "not there", there)
        for name, value in values.items():
            came = canaries.leaked(value, text)
            seen.attack(f"{name} in the archive", "replaced", "there" if came else "replaced", not came)
        seen_tags.append(set(re.findall(r"\[[A-Z_]+_[0-9a-f]{4,}\]", text)))
    same = bool(seen_tags[0]) and seen_tags[0] == seen_tags[1]
    told = f"{len(seen_tags[0])} and {len(seen_tags[1])} pseudonyms, {'the same' if same else 'others'}"
    seen.attack("what stands for them in a second request of the session", "the same", told, same)
    other = target.session(fresh=True)
    answer = target.send(route, other, route.request(f"{word} {sentences}") or b"")
    third = set(re.findall(r"\[[A-Z_]+_[0-9a-f]{4,}\]", json.dumps(target.events(answer.request_id, 2))))
    apart = not third & seen_tags[0]
    seen.attack("and in another session", "others", "others" if apart else "the same", apart and bool(third))
    refused = sum(1 for _ in target.archive().query(Query(session_id=other.session_id, limit=10)))
    seen.note(f"{refused} events of that session are in the archive")


CHECKS = (
    Check(
        name="data.tls", on="system", attacker="somebody on the way", run=tls,
        claim="Nothing older than TLS 1.2 is spoken, and nothing without TLS.",
    ),
    Check(
        name="data.at_rest", on="system", attacker="whoever gets the disk", run=at_rest,
        claim="What went through the system is nowhere on disk in plaintext.",
    ),
    Check(
        name="data.personal", on="rehearsal", attacker="the model, and whoever reads what it is told", run=personal,
        claim="Declared kinds of personal data do not reach the model, and come back to nobody but who said them.",
    ),
    Check(
        name="data.redacted", on="system", attacker="whoever reads the log", run=redacted,
        claim="The archive holds pseudonyms that are the same within a session and others elsewhere.",
    ),
)  # fmt: skip
