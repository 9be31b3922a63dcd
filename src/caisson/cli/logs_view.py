"""How `caisson logs` looks to people. Model text is shown as text: control characters never reach the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from caisson.ports.archive import Entry
    from caisson.zones.z6_logging.verify import Report

TEXT_SHOWN = 2_000
"""Characters of a prompt or an answer in a trace."""
PROBLEMS_SHOWN = 50
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_OUTCOMES = {"answered": "green", "blocked": "red", "refused": "yellow", "failed": "red", "cancelled": "yellow"}
_DECISIONS = {"pass": "green", "masked": "cyan", "flagged": "yellow", "blocked": "red"}


def show_events(entries: Sequence[Entry], *, headed: bool = True) -> None:
    """One line an event."""
    table = Table(box=None, show_header=headed, header_style="bold", pad_edge=False)
    for name in ("time (UTC)", "kind", "user", "what", "request"):
        table.add_column(name, no_wrap=name != "what", overflow="fold" if name == "what" else "ellipsis")
    for entry in entries:
        event = entry.event
        table.add_row(
            _time(event), _plain(event.get("kind", "")), _plain(event.get("user_identity", "")), _summary(event),
            _plain(event.get("request_id", "")),
        )  # fmt: skip
    Console().print(table)


def show_trace(entries: Sequence[Entry]) -> None:
    """One request, step by step, and why it ended as it did."""
    console = Console()
    for entry in entries:
        event = entry.event
        if event.get("kind") == "model.request.v1":
            console.print(_request_panel(event))
        elif event.get("kind") == "model.response.v1":
            console.print(_response_panel(event))
        else:
            show_events([entry], headed=False)


def show_report(report: Report, unread: str) -> None:
    """What verification saw."""
    console = Console()
    facts = Table.grid(padding=(0, 2))
    facts.add_row("tree", f"{report.size:,} entries, {report.signed_size:,} of them under a signed checkpoint")
    facts.add_row("root", report.root)
    facts.add_row("checkpoints", f"{report.checkpoints:,} signed; {report.anchors:,} anchored by the control zone")
    facts.add_row("writers", f"{report.writers:,} runs, {report.heads:,} signed heads")
    facts.add_row("unsigned", f"{report.unsigned_records:,} newest records, until their writer signs again")
    facts.add_row("requests", f"{report.requests:,}, responses {report.responses:,}, open {report.open_requests:,}")
    console.print(facts)
    if report.whole:
        console.print(Text("whole", style="bold green"))
    else:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("problem", "where", "detail"):
            table.add_column(name, overflow="fold")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            table.add_row(Text(problem.kind, style="red"), _plain(problem.place), _plain(problem.detail))
        console.print(table)
        further = len(report.problems) - PROBLEMS_SHOWN + report.problems_omitted
        if further > 0:
            console.print(f"and {further:,} more")
        console.print(Text("broken", style="bold red"))
    if unread:
        console.print(Text(f"not compared with the anchors: {unread}", style="yellow"))
    elif not report.anchors:
        console.print(Text("no anchors: a log cut off together with its checkpoints would not show", style="yellow"))


@contextmanager
def verification_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("verify", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _request_panel(event: dict[str, Any]) -> Panel:
    head = Table.grid(padding=(0, 2))
    head.add_row("request", _plain(event.get("request_id", "")))
    head.add_row("who", _plain(f"{event.get('user_identity', '')}  {event.get('service_identity', '')}"))
    head.add_row("session", _plain(event.get("session_id", "")))
    head.add_row("model", _plain(f"{event.get('model_id', '')}  {event.get('operation', '')}"))
    head.add_row(
        "configuration", _plain(f"version {event.get('configuration_version', '')}, tier {event.get('risk_tier', '')}")
    )
    for name, value in event.get("metadata", {}).items():
        head.add_row(_plain(name), _plain(value))
    body = Group(head, Text(), _text(event.get("input_text", "")))
    return Panel(body, title=f"asked {_time(event)}", title_align="left", border_style="blue")


def _response_panel(event: dict[str, Any]) -> Panel:
    outcome = str(event.get("outcome", ""))
    style = _OUTCOMES.get(outcome, "red")
    rows = Table.grid(padding=(0, 2))
    rows.add_row("outcome", Text(outcome, style=f"bold {style}"))
    for label, name in (("error", "error"), ("step", "step"), ("rule", "rule"), ("why", "rationale")):
        if event.get(name):
            rows.add_row(label, _plain(event[name]))
    cost = event.get("cost_usd")
    tokens = [_number(event.get(name, 0), ",") for name in ("input_tokens", "output_tokens")]
    rows.add_row("tokens", _plain(f"{tokens[0]} in, {tokens[1]} out"))
    rows.add_row("cost", "unknown" if cost is None else _plain(f"${_number(cost, '.6f')}"))
    rows.add_row("latency", _plain(f"{_number(event.get('latency_ms', 0.0), ',.1f')} ms"))
    for name, value in event.get("metadata", {}).items():
        rows.add_row(_plain(name), _plain(value))
    actions = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("stage", "guardrail", "decision", "rule", "where", "why", "ms"):
        actions.add_column(name, overflow="fold")
    for action in event.get("guardrail_actions", []):
        decision = str(action.get("decision", ""))
        times = f" ×{action['count']}" if action.get("count", 1) != 1 else ""
        actions.add_row(
            _plain(action.get("stage", "")),
            _plain(f"{action.get('guardrail_id', '')} v{action.get('guardrail_version', '')}"),
            Text(decision + times, style=_DECISIONS.get(decision, "red")),
            _plain(action.get("rule", "")), _plain(action.get("location", "")), _plain(action.get("rationale", "")),
            _plain(_number(action.get("latency_ms", 0.0), ".2f")),
        )  # fmt: skip
    parts: list[Any] = [rows]
    if actions.row_count:
        parts += [Text(), actions]
    if event.get("output_text"):
        parts += [Text(), _text(event["output_text"])]
    return Panel(Group(*parts), title=f"ended {_time(event)}", title_align="left", border_style=style)


def _summary(event: dict[str, Any]) -> Text:
    """The few words that tell most about an event."""
    kind = event.get("kind", "")
    if kind == "model.request.v1":
        return _plain(f"{event.get('operation', '')} {event.get('model_id', '')}")
    if kind == "model.response.v1":
        outcome = str(event.get("outcome", ""))
        text = Text(outcome, style=_OUTCOMES.get(outcome, "red"))
        why = " ".join(str(event[name]) for name in ("error", "rule") if event.get(name))
        return text.append(" ").append(_plain(why))
    if kind == "refusals.v1":
        return _plain(f"{event.get('count', 0)} refused: {event.get('error', '')} {event.get('rule', '')}")
    named = ("fault", "zone", "change", "role", "version", "session_id", "where", "reason", "detail")
    return _plain(" ".join(str(event[name]) for name in named if event.get(name)))


def _time(event: dict[str, Any]) -> str:
    try:
        moment = datetime.fromtimestamp(float(event.get("timestamp", 0.0)), UTC)
    except (ValueError, OverflowError, OSError):
        return "no such time"  # a writer's clock, or a writer's lie
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _number(value: object, form: str) -> str:
    """A number, or what a writer sent instead."""
    return format(value, form) if isinstance(value, int | float) else str(value)


def _plain(value: object) -> Text:
    return Text(_CONTROL.sub("\ufffd", str(value)))


def _text(value: str) -> Text:
    shown = _plain(value[:TEXT_SHOWN])
    if len(value) > TEXT_SHOWN:
        shown.append(f" … {len(value) - TEXT_SHOWN:,} more characters", style="dim")
    return shown
