"""No plaintext of what people wrote stands anywhere under the data folder, running or stopped (LOG-09).

- Credentials and personal data, and a random word that no rule knows: it must be encrypted, not found.
- As it is, as hex, as base64 by each offset, and inside whatever zlib or zstd can open.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from running_system import ENOUGH, MODEL, Running, start, system_file

WORD = "xq" + secrets.token_hex(12)
CREDENTIAL = "ghp_" + secrets.token_hex(18)
PERSON = f"{secrets.token_hex(8)}@example.com"
CANARIES = (WORD, CREDENTIAL, PERSON)
PARQUET, ZLIB_STARTS = b"PAR1", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
ZSTD = b"\x28\xb5\x2f\xfd"


def forms(canary: str) -> set[bytes]:
    """How a file may hold it."""
    data = canary.encode()
    shifted = {base64.b64encode(b"\0" * shift + data)[4 if shift else 0 : -4] for shift in range(3)}
    return {data, data.hex().encode(), data.hex().upper().encode(), data.decode().encode("utf-16-le"), *shifted}


def opened(content: bytes) -> Iterator[bytes]:
    """The content, and what compressed streams in it hold."""
    yield content
    for start_bytes in ZLIB_STARTS:
        at = content.find(start_bytes)
        while at != -1:
            with suppress(zlib.error):
                yield zlib.decompressobj(wbits=47).decompress(content[at:], 1 << 22)
            at = content.find(start_bytes, at + 1)


def findings(data: Path) -> list[str]:
    """Files with plaintext, and files of a kind that must not be there."""
    wanted = {form for canary in CANARIES for form in forms(canary)}
    found = []
    for path in data.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if any(form in piece for piece in opened(content) for form in wanted):
            found.append(f"{path.relative_to(data)} holds plaintext")
        if content.startswith(PARQUET) or ZSTD in content:
            found.append(f"{path.relative_to(data)} is not encrypted")
    return found


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A system that has carried the canaries in every way."""
    folder = tmp_path_factory.mktemp("disk")
    running = start(folder, system=system_file(folder, **ENOUGH))
    client = running.client()
    text = f"My note {WORD} is for {PERSON}; the key is {CREDENTIAL}."
    messages = [{"role": "user", "content": [{"text": text}]}]
    for _ in range(20):
        client.converse(modelId=MODEL, messages=messages, system=[{"text": text}])
        for _ in client.converse_stream(modelId=MODEL, messages=messages)["stream"]:
            pass
    client.apply_guardrail(
        guardrailIdentifier="main", guardrailVersion="DRAFT", source="OUTPUT", content=[{"text": {"text": text}}]
    )
    yield running
    running.stop()


def test_nothing_while_running(used: Running) -> None:
    assert findings(used.data) == []


def test_the_archive_holds_it_all_the_same(used: Running) -> None:
    """The word is really there: only its key tells it."""
    events = used.events("--kind", "model.request.v1", until=lambda found: len(found) >= 40)
    assert any(WORD in event["input_text"] for event in events)
    assert not any(CREDENTIAL in event["input_text"] or PERSON in event["input_text"] for event in events)
    assert findings(used.data) == []


def test_nothing_after_down(used: Running) -> None:
    assert used.stop() == 0
    assert findings(used.data) == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    contents = [WORD.encode(), WORD.encode().hex().encode(), zlib.compress(b"x" * 50 + WORD.encode()), PARQUET]
    contents += [base64.b64encode(b"a" * shift + WORD.encode() + b"tail") for shift in range(3)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    assert len(findings(tmp_path)) == len(contents)
