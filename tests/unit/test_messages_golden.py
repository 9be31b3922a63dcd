"""Stored messages stay readable: one golden file for each kind, read and written back byte for byte.

A new kind needs a file; a changed file means that stored messages can no longer be read as they were written.
"""

from __future__ import annotations

import json
import typing
from pathlib import Path

import msgspec
import pytest

from caisson.channels import messages
from caisson.channels.messages import AnyMessage, HeadEvent, KeyEvent, Message, decode, encode, to_dict

GOLDEN = Path(__file__).parent.parent / "golden" / "messages"
CARRIED = set(typing.get_args(AnyMessage))
STATED: set[type[Message]] = {HeadEvent, KeyEvent}
"""Made and archived by the logging zone. A channel that delivered one would let a writer speak for others."""
KINDS: dict[str, type[Message]] = {str(each.__struct_config__.tag): each for each in CARRIED | STATED}
RETENTION = {"text", "metadata", "guardrail", "judge", "chain", "injection", "access", "aggregate"}


def files() -> list[Path]:
    return sorted(GOLDEN.glob("*.json"))


def test_every_kind_has_a_golden_file_and_no_file_lost_its_kind() -> None:
    assert {path.stem for path in files()} == set(KINDS)


def test_every_message_class_is_carried_or_stated() -> None:
    """A class that is neither would be written and never read."""
    concrete = {
        value
        for value in vars(messages).values()
        if isinstance(value, type) and issubclass(value, Message) and ".v" in str(value.__struct_config__.tag)
    }
    assert concrete == set(KINDS.values())


def read(kind: str, content: bytes) -> Message:
    return decode(content) if KINDS[kind] in CARRIED else msgspec.json.decode(content, type=KINDS[kind])


@pytest.mark.parametrize("message", sorted(STATED, key=str))
def test_a_channel_delivers_no_statement_of_the_logging_zone(message: type[Message]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode((GOLDEN / f"{message.__struct_config__.tag}.json").read_bytes())


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_golden_file_is_read_and_written_back_byte_for_byte(path: Path) -> None:
    content = path.read_bytes().removesuffix(b"\n")
    message = read(path.stem, content)
    assert type(message) is KINDS[path.stem]
    assert encode(message) == content
    assert json.loads(json.dumps(to_dict(message))) == json.loads(content)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_golden_file_sets_every_field_to_something_of_its_own(path: Path) -> None:
    """So that a field which is dropped, renamed or moved changes the bytes."""
    message = read(path.stem, path.read_bytes())
    assert list(json.loads(path.read_bytes())) == ["kind", *message.__struct_fields__]
    defaults = [
        field.name
        for field in msgspec.structs.fields(type(message))
        if field.default is not msgspec.NODEFAULT and getattr(message, field.name) == field.default
    ]
    assert defaults == []


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_fields_with_a_default_may_be_missing_in_older_messages(path: Path) -> None:
    document = json.loads(path.read_bytes())
    required = {field.name for field in msgspec.structs.fields(KINDS[path.stem]) if field.required}
    oldest = {name: value for name, value in document.items() if name in required or name == "kind"}
    assert type(read(path.stem, json.dumps(oldest).encode())) is KINDS[path.stem]
    for name in required:
        with pytest.raises(msgspec.ValidationError):
            read(path.stem, json.dumps({key: each for key, each in oldest.items() if key != name}).encode())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_version_and_a_retention_class(kind: str) -> None:
    assert kind.rpartition(".v")[2].isdigit()
    assert KINDS[kind].retention in RETENTION


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b'{"kind":"nonsense.v1","timestamp":1}',
        b'{"kind":"process.v2","timestamp":1}',
        b"\xff",
        b"null",
    ],
)
def test_what_is_no_message_is_refused(document: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(document)
