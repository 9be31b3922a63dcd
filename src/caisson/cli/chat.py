"""`caisson chat`: talk to the system, and see after each answer what was blocked or replaced, and why.

It signs in like any user, speaks ConverseStream through stock botocore, and reads the decisions of each request from
the log, as `caisson logs query --request` does. Exit 0; 1 when a message of `--message` or of a pipe was not answered.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caisson.cli.running import ask, endpoint_of, exchange, fail

if TYPE_CHECKING:
    from rich.console import Console

    from caisson.cli.aws_profile import Endpoint
    from caisson.cli.conversation import Conversation, Turn
    from caisson.ports.archive import ArchiveReader

LOG_WAIT_S = 3.0
"""How long the response's event may take to the archive; usually under 0.1 s."""
LOG_PAUSE_S = 0.05
HELP = "/new begins again (documents are sent again), /exit or Ctrl-D leaves, Ctrl-C stops an answer."


def chat(
    user: Annotated[str | None, typer.Option(help="Who signs in. Default: the first local user you may be.")] = None,
    agent: Annotated[str | None, typer.Option(help="Agent. Default: the first of the system file.")] = None,
    task: Annotated[str | None, typer.Option(help="Task of the agent. Default: its first.")] = None,
    document: Annotated[
        list[Path] | None, typer.Option(help="Text file to talk about; may be given several times.", metavar="FILE")
    ] = None,
    message: Annotated[str | None, typer.Option(help="Send this and leave.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON Lines, one an answer.")] = False,
    system: Annotated[
        Path | None, typer.Option(help="Refuse unless the data folder runs the system of this file.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Data folder of the running system.")] = Path(".caisson"),
) -> None:
    """Talk to the system; see what was blocked or replaced, and why."""
    endpoint = endpoint_of(data, system)
    documents = _documents(document or [])
    who, role = _chosen(ask(data, {"op": "roles"}), user, agent, task)
    signed_in = ask(data, {"op": "new", "user": who, "agent": role["agent"], "task": role["task"]})
    from caisson.cli.conversation import Conversation, client

    conversation = Conversation(client(endpoint, signed_in), role["model_id"], documents)
    view = _View(data, endpoint, signed_in["session_id"], as_json=json_)
    typed = message is None and sys.stdin.isatty()
    if typed and not json_:
        view.welcome(who, role)
    messages: Iterable[str] = _typed(who) if typed else _piped() if message is None else [message]
    unanswered = False
    try:
        for text in messages:
            unanswered |= not _turn(conversation, view, text)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if unanswered and not typed:
        raise typer.Exit(1)


def _turn(conversation: Conversation, view: _View, text: str) -> bool:
    """One line of the user; whether it did what it was meant to do."""
    command = text.strip()
    if command.startswith("/") and command.partition(" ")[0] in ("/help", "/new"):
        if command == "/new":
            conversation.begin()
        view.note("A new conversation." if command == "/new" else HELP)
        return True
    if not command:
        return True
    if conversation.full:
        view.note("This conversation is as long as one may be; /new begins another.", "yellow")
        return False
    view.begin()
    stopped, earlier = False, conversation.earlier
    try:
        with closing(conversation.say(text)) as pieces:
            for piece in pieces:
                view.piece(piece.kind, piece.text)
    except KeyboardInterrupt:
        stopped = True
    view.end(conversation.turn, earlier=earlier, stopped=stopped)
    return conversation.turn.accepted


def _documents(paths: list[Path]) -> list[dict[str, Any]]:
    from caisson.cli.conversation import DOCUMENTS_MAX, document_block

    if len(paths) > DOCUMENTS_MAX:
        fail(f"--document: expected at most {DOCUMENTS_MAX}, found {len(paths)}.", 2)
    try:
        return [document_block(path) for path in paths]
    except OSError as error:
        fail(f"--document: {error.filename} cannot be read: {error.strerror}.", 2)
    except ValueError as error:
        fail(f"--document: {error}.", 2)


def _chosen(offered: dict[str, Any], user: str | None, agent: str | None, task: str | None) -> tuple[str, Any]:
    """Who signs in for what. What the caller named goes to the gateway as it is: that refuses with the reason."""
    users = offered["users"]
    if user is None and not users:
        fail("You may be none of the system's local users; identity.local.users in the system file says who may.")
    roles = [role for role in offered["roles"] if agent in (None, role["agent"]) and task in (None, role["task"])] or [
        {"agent": agent or "", "task": task or "", "model_id": ""}
    ]
    return user or users[0], roles[0]


def _typed(user: str) -> Iterator[str]:
    """Lines from the terminal, with history and editing, until /exit, Ctrl-D or Ctrl-C."""
    import readline  # noqa: F401  # importing it gives input() a history

    from caisson.cli.terminal import line

    while True:
        try:
            text = input(f"{line(user)}> ")
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if text.strip() == "/exit":
            return
        yield text


def _piped() -> Iterator[str]:
    """A message a line."""
    for text in sys.stdin:
        yield text.rstrip("\n")


class _View:
    """What the user sees: the answer as it comes, then what was done about it."""

    def __init__(self, data: Path, endpoint: Endpoint, session_id: str, *, as_json: bool) -> None:
        from caisson.cli.terminal import console

        self._data, self._endpoint, self._session_id, self._as_json = data, endpoint, session_id, as_json
        self._out: Console = console()
        self._archive = self._open_archive()
        self.begin()

    def welcome(self, user: str, role: dict[str, Any]) -> None:
        from caisson.cli.terminal import cell, line

        self._out.print(cell(f"{line(self._endpoint.system)}  {role['agent']}/{role['task']}", "bold"))
        self._out.print(cell(f"{role['model_id']} at {self._endpoint.url}, signed in as {user}", "dim"))
        self._out.print(cell(HELP, "dim"))

    def note(self, text: str, style: str = "dim") -> None:
        from caisson.cli.terminal import cell

        if not self._as_json:
            self._out.print(cell(text, style))

    def begin(self) -> None:
        """A turn starts."""
        from caisson.cli.terminal import WordWrap

        self._wrap = WordWrap(self._out.width if self._out.is_terminal else 0)
        self._kind = ""
        self._since = time.time()

    def piece(self, kind: str, text: str) -> None:
        """Show it at once, whole words at a time."""
        if self._as_json:
            return
        if kind == "tool":
            text = f"wants the tool {text}"
        if kind != self._kind and self._kind:
            self._write("\n\n", self._kind)
        self._kind = kind
        self._write(text, kind)

    def end(self, turn: Turn, *, earlier: int, stopped: bool) -> None:
        """The rest of the answer, and what was decided; `earlier` messages of the request were shown before."""
        from caisson.cli.terminal import cell

        event = self._response(turn.request_id)
        if self._as_json:
            print(json.dumps(self._described(turn, event, stopped)), flush=True)
            return
        self._write("", self._kind, last=True)
        if self._kind:
            self._out.print()
        errors = self._errors()
        if stopped:
            errors.print(cell("stopped", "yellow"))
        elif turn.error:
            errors.print(cell(turn.error, "red"))
        if self._out.is_terminal:
            self._explain(turn, event, earlier)
            self._out.print()

    def _errors(self) -> Console:
        from caisson.cli.terminal import console

        return self._out if self._out.is_terminal else console(errors=True)

    def _write(self, text: str, kind: str, *, last: bool = False) -> None:
        from rich.text import Text

        ready = self._wrap.feed(text) + (self._wrap.flush() if last else "")
        if ready:
            self._out.print(Text(ready, style="" if kind == "text" else "dim italic"), end="", soft_wrap=True)
            self._out.file.flush()

    def _explain(self, turn: Turn, event: dict[str, Any] | None, earlier: int) -> None:
        from caisson.cli.logs_view import decisions
        from caisson.cli.terminal import cell, line, short

        request = short(turn.request_id, self._out.width)
        if event is not None:
            panel = decisions(event, earlier=earlier)
            if panel is not None:
                self._out.print(panel)
        elif turn.request_id:
            why = "not in the log yet" if self._archive else "the log is another user's"
            self._out.print(cell(f"{why}: caisson logs query --request {turn.request_id}", "yellow"))
        balance = exchange(self._data, {"op": "balance", "session_id": self._session_id}).get("session", {})
        facts = [f"request {line(request)}"] if request else []
        if balance:
            facts.append(f"{balance['tokens_used']:,} of {balance['tokens_max']:,} tokens used")
        if not turn.accepted:
            facts.append("not kept in the conversation")
        self._out.print(cell(" · ".join(facts), "dim"))

    def _described(self, turn: Turn, event: dict[str, Any] | None, stopped: bool) -> dict[str, Any]:
        found = event or {}
        return {
            "request_id": turn.request_id, "session_id": self._session_id, "text": turn.text,
            "stop_reason": turn.stop_reason, "error": "stopped" if stopped else turn.error, "usage": turn.usage,
            "outcome": found.get("outcome"), "rule": found.get("rule"), "rationale": found.get("rationale"),
            "guardrail_actions": found.get("guardrail_actions"),
        }  # fmt: skip

    def _open_archive(self) -> ArchiveReader | None:
        """The log, when it is this user's to read."""
        from caisson.cli.logs import open_log
        from caisson.errors import CaissonError

        try:
            return open_log(self._data, None)[0]
        except (CaissonError, OSError):
            return None

    def _response(self, request_id: str) -> dict[str, Any] | None:
        from caisson.ports.archive import Query

        if self._archive is None or not request_id:
            return None
        wanted = Query(request_id=request_id, kind="model.response.v1", since=self._since - 60.0, limit=1)
        ends = time.monotonic() + LOG_WAIT_S
        while True:
            for entry in self._archive.query(wanted):
                return entry.event
            if time.monotonic() > ends:
                return None
            time.sleep(LOG_PAUSE_S)
