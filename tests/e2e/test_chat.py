"""`caisson chat` against a running system: in a terminal, in a pipe, with one message, and when things go wrong."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select

import pytest

from running_system import CAISSON, ROOT, Running, clean_environment, start

RULES = ROOT / "examples/claims/documents/water-damage.md"
SECONDS_MAX = 20.0
SCRIPT = r"""
caisson_script: 1
rules:
  - when: {contains: "escape"}
    answer: {text: "a\e[2J\e]0;owned\ab [bold red]not markup[/] ‮end"}
  - when: {contains: "slow"}
    answer: {text: "one two three four five six seven eight nine ten", cut: {every: 4}, delay_ms: 200}
  - when: {contains: "mail"}
    answer: {text: "I wrote to {{tags}} with ghp_532hBoYaqVqja18UvJQS6TmrXYb76ldrx7uD as the key.", cut: {every: 3}}
  - when: {contains: "break"}
    error: {kind: unavailable}
  - when: {turn: 2}
    answer: {text: "This is the second turn."}
default:
  answer: {text: "This is the first turn."}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("chat")
    (folder / "script.yaml").write_text(SCRIPT)
    system = start(folder, "--upstream", f"script={folder / 'script.yaml'}")
    yield system
    assert system.stop() == 0, system.log.read_text()


@dataclass
class Terminal:
    """A `caisson chat` in a terminal of its own."""

    process: subprocess.Popen[bytes]
    handle: int
    seen: str = ""

    def until(self, text: str) -> str:
        """What came, up to and with `text`."""
        ends = time.monotonic() + SECONDS_MAX
        while text not in self.seen:
            if time.monotonic() > ends:
                raise AssertionError(f"expected {text!r}, found {self.seen!r}")
            if select([self.handle], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.handle, 65_536).decode(errors="replace")
                except OSError:
                    break  # the other side has closed
        head, found, self.seen = self.seen.partition(text)
        assert found or not text, f"expected {text!r}, found {head!r}"
        return head + found

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    def left(self) -> int:
        return self.process.wait(SECONDS_MAX)


def in_a_terminal() -> None:
    """As a shell starts it: in control of the terminal, and Ctrl-C heard, which background jobs ignore."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def terminal(running: Running) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    process = subprocess.Popen(
        [CAISSON, "chat", "--user", "alice", "--data", str(running.data)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=in_a_terminal, env=clean_environment(TERM="xterm"),
    )  # fmt: skip
    os.close(theirs)
    opened = Terminal(process, ours)
    opened.until("alice> ")
    yield opened
    if process.poll() is None:
        process.kill()
        process.wait()
    os.close(ours)


def chat(running: Running, *arguments: str, stdin: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAISSON, "chat", "--data", str(running.data), *arguments],
        input=stdin, capture_output=True, text=True, timeout=60, env=clean_environment(**extra),
    )  # fmt: skip


def test_a_terminal_shows_the_answer_and_what_was_done_about_it(terminal: Terminal) -> None:
    terminal.type("mail bob@example.com\r")
    shown = terminal.until("alice> ")
    assert re.search(r"I wrote to bob@example\.com with \[CREDENTIAL_\w+\]", shown)
    assert "answered · 2 masked" in shown
    assert "pii.EMAIL" in shown
    assert "credentials.github-token" in shown
    assert "tokens used" in shown
    assert "ghp_" not in shown
    terminal.type("what about project-falcon?\r")
    shown = terminal.until("alice> ")
    assert "blocked · 6 inspect input" in shown
    assert "words.project-falcon" in shown
    assert "not kept in the conversation" in shown
    assert "pii.EMAIL" not in shown  # the earlier turn's, shown before


def test_history_new_help_and_exit(terminal: Terminal) -> None:
    terminal.type("hello\r")
    assert "first turn" in terminal.until("alice> ")
    terminal.type("project-falcon\r")  # blocked: leaves no trace in the history
    terminal.until("alice> ")
    terminal.type("hello\r")
    assert "second turn" in terminal.until("alice> ")
    terminal.type("/new\r")
    assert "A new conversation" in terminal.until("alice> ")
    terminal.type("hello\r")
    assert "first turn" in terminal.until("alice> ")
    terminal.type("/help\r")
    assert "/exit" in terminal.until("alice> ")
    terminal.type("/exit\r")
    assert terminal.left() == 0


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "ctrl-d"])
def test_leaving_is_clean(terminal: Terminal, key: str) -> None:
    for _ in range(int(SECONDS_MAX)):  # readline misses what is pressed between its prompt and its wait: press again
        with suppress(OSError):
            terminal.type(key)
        with suppress(subprocess.TimeoutExpired):
            assert terminal.process.wait(1) == 0
            break
    assert terminal.process.poll() == 0
    assert "Traceback" not in terminal.seen


def test_ctrl_c_stops_the_answer_and_the_chat_goes_on(terminal: Terminal) -> None:
    terminal.type("slow\r")
    terminal.until("one")
    terminal.type("\x03")
    shown = terminal.until("alice> ")
    assert "stopped" in shown
    assert "ten" not in shown
    assert "Traceback" not in shown
    terminal.type("hello\r")
    assert "first turn" in terminal.until("alice> ")


def test_model_text_does_not_reach_the_terminal_as_commands(terminal: Terminal) -> None:
    terminal.type("escape\r")
    shown = terminal.until("alice> ")
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown
    assert "\u202e" not in shown
    assert "[bold red]not markup[/]" in shown
    assert "a\ufffd[2J\ufffd]0;owned\ufffdb" in shown


def test_an_error_of_the_service_is_one_line(terminal: Terminal) -> None:
    terminal.type("break\r")
    shown = terminal.until("alice> ")
    assert re.search(r"(ServiceUnavailable|ModelError)\w*:", shown)
    assert "Traceback" not in shown


def test_one_message(running: Running) -> None:
    done = chat(running, "--message", "hello", "--document", str(RULES))
    assert (done.returncode, done.stdout, done.stderr) == (0, "This is the first turn.\n", "")
    blocked = chat(running, "--message", "project-falcon")
    assert (blocked.returncode, blocked.stdout) == (1, "Sorry, the model cannot answer this question.\n")
    failed = chat(running, "--message", "break")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.count("\n") == 1


def test_a_pipe_is_a_conversation_a_line_a_message(running: Running) -> None:
    done = chat(running, "--json", stdin="hello\n\nmail bob@example.com\n/new\nhello")
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stderr
    assert first["session_id"] == second["session_id"] == third["session_id"]
    assert (first["text"], third["text"]) == ("This is the first turn.", "This is the first turn.")
    assert {action["rule"] for action in second["guardrail_actions"]} >= {"pii.EMAIL", "credentials.github-token"}
    assert second["outcome"] == "answered"
    (event,) = running.events("--request", second["request_id"], "--kind", "model.response")
    assert event["guardrail_actions"] == second["guardrail_actions"]


def test_nothing_of_the_users_aws_settings_is_used(running: Running, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nca_bundle = /nonexistent\nendpoint_url = https://example.net\n")
    done = chat(
        running, "--message", "hello",
        AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_PROFILE="work", AWS_CA_BUNDLE="/nonexistent",
        AWS_BEARER_TOKEN_BEDROCK="other", AWS_REGION="mars-north-1", AWS_ENDPOINT_URL="https://example.net",
        HTTPS_PROXY="http://127.0.0.1:9", REQUESTS_CA_BUNDLE="/nonexistent",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "This is the first turn.\n"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--user", "mallory"], 1, "identity.local.users"),
        (["--agent", "other"], 1, "claims/answer"),
        (["--task", "other"], 1, "claims/answer"),
        (["--document", "/nonexistent.txt"], 2, "/nonexistent.txt"),
        (["--document", "x"] * 6, 2, "at most 5"),
        (["--system", str(ROOT / "examples/full/caisson.yaml")], 2, "Expected"),
        (["--data", "/nonexistent"], 1, "caisson up"),
    ],
    ids=["user", "agent", "task", "document", "documents", "system", "data"],
)
def test_refusals_are_one_clear_message(running: Running, arguments: list[str], code: int, says: str) -> None:
    done = chat(running, *arguments, "--message", "hello")
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.returncode == code


def test_an_interrupted_message_ends_as_interrupted(running: Running) -> None:
    with subprocess.Popen(
        [CAISSON, "chat", "--data", str(running.data)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"This is the first turn.\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 130
    assert b"Traceback" not in errors
