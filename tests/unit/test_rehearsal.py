"""A rehearsal is the user's file with four additions, its model is ours, and it ends with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from ruamel.yaml import YAML

from caisson.assurance.probes.check import Lacking
from caisson.assurance.rehearsal.model import PIECE_CHARACTERS, HostileModel
from caisson.assurance.rehearsal.system import AGENT, MODEL_ID, USERS, rehearsal, rehearsed
from caisson.errors import SystemFileError
from running_system import CLAIMS
from system_files import minimal, reading


def test_what_is_added() -> None:
    document = YAML(typ="safe").load(CLAIMS.read_text())
    made = rehearsed(document)
    found = reading(made).system
    before = reading(document).system
    assert found is not None and before is not None
    assert set(found.identity.local.users) - set(before.identity.local.users) == set(USERS)
    assert set(found.agents) - set(before.agents) == {AGENT}
    assert found.models[AGENT].id == MODEL_ID
    assert found.guardrails == before.guardrails
    assert found.agents["claims"] == before.agents["claims"]
    assert found.tier == before.tier
    assert {row.key.partition(".")[0] for row in found.loosened} == {"limits", "sessions"}
    assert found.limits.body_bytes_max == before.limits.body_bytes_max
    assert document == YAML(typ="safe").load(CLAIMS.read_text())  # the user's is left as it was


def test_users_of_an_issuer_alone() -> None:
    """A file without local users gets the probes' own."""
    document = minimal(identity={"issuer": {"url": "https://idp.example.com", "audience": "a"}, "groups": {"g": {}}})
    found = reading(rehearsed(document)).system
    assert found is not None
    assert set(found.identity.local.users) == set(USERS)


def test_a_file_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    path.write_text("caisson: 1\nname: x\n")
    with pytest.raises((Lacking, SystemFileError)), rehearsal(path):
        pass


@pytest.fixture
def model() -> Iterator[HostileModel]:
    with HostileModel() as made:
        yield made


def ask(model: HostileModel, **more: object) -> bytes:
    body = {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello é"}], **more}
    with urlopen(Request(model.url, data=json.dumps(body).encode()), timeout=10) as answer:
        return bytes(answer.read())


def test_the_model_says_what_it_is_told(model: HostileModel) -> None:
    model.say("A secret.")
    assert json.loads(ask(model))["choices"][0]["message"]["content"] == "A secret."
    assert "Be kind." in model.received[-1]
    model.repeat()
    assert json.loads(ask(model))["choices"][0]["message"]["content"] == "Be kind.\nHello é"
    model.forget()
    assert model.received == []


def test_a_stream_is_cut_fine(model: HostileModel) -> None:
    model.say("A secret that is long.")
    events = [json.loads(part[6:]) for part in ask(model, stream=True).split(b"\n\n") if part.startswith(b"data: {")]
    pieces = [event["choices"][0]["delta"].get("content", "") for event in events if event["choices"]]
    assert "".join(pieces) == "A secret that is long."
    assert max(map(len, pieces)) == PIECE_CHARACTERS


def test_it_ends_with_who_started_it(tmp_path: Path) -> None:
    """Killed, so that nothing can be cleaned up."""
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'caisson.assurance.rehearsal.leash', str(os.getpid()),\n"
        "    sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    ends = time.monotonic() + 10
    while _runs(child):
        assert time.monotonic() < ends
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
