"""`caisson.aws.lock`: what is written is what is read, anything else is named, and the file is always whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.deploy.lock import Applied, Applying, Entry, Lock, LockFile, differences, digest, parse, render
from caisson.errors import DeploymentError

ID = "arn:aws:cloudformation:eu-west-1:111111111111:stack/one/1"
SHA = "0" * 64
LOCK = Lock(
    system="tiny",
    organization="o-exampleorg",
    given={"Endpoint": "vpce-12345678"},
    stacks={
        "one": Entry(
            account="111111111111", region="eu-west-1", id=ID,
            applied=Applied(template=SHA, parameters={"A": "a"}, outputs={"B": "b"}),
            applying=Applying(template="1" * 64, parameters={"A": "c"}),
        ),
        "two": Entry(account="222222222222", region="eu-west-1", id=ID),
    },
)  # fmt: skip
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=8)
maps = st.dictionaries(texts, texts, max_size=3)
digests = st.sampled_from([SHA, "a" * 64])
entries = st.builds(
    Entry,
    account=st.from_regex("[0-9]{12}", fullmatch=True),
    region=texts,
    id=texts,
    applied=st.none() | st.builds(Applied, template=digests, parameters=maps, outputs=maps),
    applying=st.none() | st.builds(Applying, template=digests, parameters=maps),
)
locks = st.builds(
    Lock, system=texts, organization=texts, given=maps, stacks=st.dictionaries(texts, entries, max_size=3)
)


@given(locks)
def test_what_is_written_is_what_is_read(lock: Lock) -> None:
    text = render(lock)
    assert parse(text, name="x") == lock
    assert render(parse(text, name="x")) == text


@given(locks, locks)
def test_differences_are_none_only_between_equals(one: Lock, other: Lock) -> None:
    assert list(differences(one, one)) == []
    if list(differences(one, other)) == []:
        assert (one.system, one.organization, one.given) == (other.system, other.organization, other.given)


def test_differences_read_well() -> None:
    after = LOCK.with_stack("two", Entry(account="222222222222", region="eu-west-1", id="arn:new"))
    assert list(differences(LOCK, after)) == [f"stacks.two.id: {ID} -> arn:new"]
    assert "system: none -> tiny" in list(differences(None, LOCK))


def broken(*path: str, **change: Any) -> str:
    value = json.loads(render(LOCK))
    inside = value
    for part in path:
        inside = inside[part]
    for key, one in change.items():
        if one is ...:
            del inside[key]
        else:
            inside[key] = one
    return json.dumps(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON as caisson deploy writes it, found an error at line 1, column 1"),
        (render(LOCK)[:-40], "found an error at line"),
        ("[]", "the file: expected an object, found list"),
        ('{"system": "a", "system": "b"}', "expected each key once, found 'system' twice"),
        ("[" * 100_000, "expected JSON"),
        ("NaN", "expected JSON, found NaN"),
        (broken(system=...), "expected the key 'system', found none"),
        (broken(extra=1), "found 'extra'"),
        (broken(caisson_lock=2), "expected caisson_lock 1, found 2"),
        (broken(caisson_lock=True), "expected caisson_lock 1, found True"),
        (broken(system=""), "system: expected a text, found ''"),
        (broken(given=[]), "given: expected an object, found list"),
        (broken("given", Endpoint=3), "given.Endpoint: expected a text, found 3"),
        (broken("given", Endpoint="a\x1b[2J"), "given.Endpoint: expected a text"),
        (broken(stacks=None), "stacks: expected an object, found NoneType"),
        (broken("stacks", one=1), "stacks.one: expected an object, found int"),
        (broken("stacks", "one", account="1"), "stacks.one.account: expected 12 digits, found '1'"),
        (broken("stacks", "one", region=...), "stacks.one: expected the key 'region', found none"),
        (broken("stacks", "one", other=1), "stacks.one: expected only account, region, id, applied, applying"),
        (broken("stacks", "one", "applied", template="0"), "stacks.one.applied.template: expected a SHA-256"),
        (broken("stacks", "one", "applied", outputs={"A": None}), "stacks.one.applied.outputs.A: expected a text"),
        (broken("stacks", "one", "applied", outputs=...), "stacks.one.applied: expected the key 'outputs'"),
        (broken("stacks", "one", applying={"template": SHA}), "stacks.one.applying: expected the key 'parameters'"),
    ],
)
def test_anything_else_is_named(text: str, message: str) -> None:
    with pytest.raises(DeploymentError) as refused:
        parse(text, name="caisson.aws.lock")
    assert str(refused.value).startswith("caisson.aws.lock: ")
    assert message in str(refused.value)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
       lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(json.dumps))  # fmt: skip
def test_no_text_is_a_traceback(text: str) -> None:
    with pytest.raises(DeploymentError):
        parse(text, name="x")


@given(st.data())
def test_no_damage_is_a_traceback(data: st.DataObject) -> None:
    text = render(LOCK)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 20)) :]
    try:
        parse(damaged, name="x")
    except DeploymentError:
        return


@pytest.mark.parametrize("what", ["system", "organization"])
def test_the_lock_of_another_system_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "caisson.aws.lock"
    path.write_text(render(LOCK))
    asked = {"system": "tiny", "organization": "o-exampleorg", what: "other"}
    with pytest.raises(DeploymentError, match=f"expected the lock of {what} 'other', found that of"):
        LockFile(path).read(**asked)
    assert path.read_text() == render(LOCK)


def test_no_file_is_an_empty_lock_and_no_folder_is_an_error(tmp_path: Path) -> None:
    assert LockFile(tmp_path / "x").read(system="a", organization="o") == Lock(system="a", organization="o")
    with pytest.raises(DeploymentError, match="expected a folder"):
        LockFile(tmp_path / "missing/x").read(system="a", organization="o")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DeploymentError, match="found another thing"):
        LockFile(tmp_path / "folder").read(system="a", organization="o")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeploymentError, match="found another thing"):
        LockFile(tmp_path / "link").read(system="a", organization="o")


def test_what_somebody_else_wrote_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "caisson.aws.lock"
    one, other = LockFile(path), LockFile(path)
    for file in (one, other):
        file.read(system="tiny", organization="o-exampleorg")
    one.write(LOCK)
    with pytest.raises(DeploymentError, match="changed meanwhile"):
        other.write(Lock(system="tiny", organization="o-exampleorg"))
    assert path.read_text() == render(LOCK)
    one.write(Lock(system="tiny", organization="o-exampleorg"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["caisson.aws.lock"]


def test_a_folder_that_takes_nothing_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "caisson.aws.lock"
    file = LockFile(path)
    file.read(system="tiny", organization="o-exampleorg")
    file.write(LOCK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DeploymentError, match="No space left"):
            file.write(Lock(system="tiny", organization="o-exampleorg"))
    assert path.read_text() == render(LOCK)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["caisson.aws.lock"]


WRITER = """
import sys
from pathlib import Path
from caisson.deploy.lock import Entry, Lock, LockFile
file = LockFile(Path(sys.argv[1]))
lock = file.read(system="tiny", organization="o-exampleorg")
print("ready", flush=True)
number = 0
while True:
    number += 1
    lock = Lock(system="tiny", organization="o-exampleorg",
                stacks={f"s{n}": Entry(account="1" * 12, region="r", id=f"{number}" * 50) for n in range(50)})
    file.write(lock)
    if number == 5:
        print("writing", flush=True)
"""


def test_a_kill_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "caisson.aws.lock"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert [process.stdout.readline(), process.stdout.readline()] == ["ready\n", "writing\n"]
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
        lock = LockFile(path).read(system="tiny", organization="o-exampleorg")
        assert len({entry.id for entry in lock.stacks.values()}) == 1
        assert len(lock.stacks) == 50


@given(st.dictionaries(texts, maps, max_size=4))
def test_a_digest_is_of_content_not_of_order(template: dict[str, Any]) -> None:
    assert digest(template) == digest(dict(reversed(template.items())))
    assert digest(template) != digest({**template, "Another": {}})
