"""How `caisson logs` looks to people, and the decisions that `caisson chat` shows. All text goes through `terminal`.

One line an event, whatever the terminal's width: what does not fit is cut with an ellipsis, and `--json` has it whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from caisson.cli.terminal import cell, console, line, plain, short

if TYPE_CHECKING:
    from caisson.ports.archive import Entry
    from caisson.zones.z6_logging.verify import Report

TEXT_SHOWN = 2_000
"""Characters of a prompt or an answer in a trace."""
PROBLEMS_SHOWN = 50
USER_COLUMNS = 12
DAY_CHARACTERS = len("2026-01-31")
_OUTCOMES = {"answered": "green", "blocked": "red", "refused": "yellow", "failed": "red", "cancelled": "yellow"}
_DECISIONS = {"pass": "green", "masked": "cyan", "flagged": "yellow", "blocked": "red", "not_inspected": "yellow"}


def show_events(entries: Sequence[Entry], *, headed: bool = True) -> None:
    """One line an event."""
    screen = console()
    days = {_time(entry.event)[:DAY_CHARACTERS] for entry in entries}
    one_day = len(days) == 1
    table = Table(box=None, show_header=headed, header_style="bold", pad_edge=False, expand=screen.is_terminal)
    table.add_column(days.pop() if one_day else "time (UTC)", no_wrap=True)
    table.add_column("event", no_wrap=True)
    table.add_column("user", no_wrap=True, max_width=USER_COLUMNS)
    table.add_column("what", no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column("request", no_wrap=True)
    for entry in entries:
        event = entry.event
        table.add_row(
            cell(_time(event)[DAY_CHARACTERS + 1 if one_day else 0 :], "dim"),
            cell(event.get("kind", "").removesuffix(".v1")),
            cell(event.get("user_identity", "")),
            _summary(event, screen.width),
            cell(short(str(event.get("request_id", "")), screen.width)),
        )
    screen.print(table)


def show_trace(entries: Sequence[Entry]) -> None:
    """One request, step by step, and why it ended as it did."""
    screen = console()
    for entry in entries:
        event = entry.event
        if event.get("kind") == "model.request.v1":
            screen.print(_request_panel(event))
        elif event.get("kind") == "model.response.v1":
            screen.print(_response_panel(event))
        else:
            show_events([entry], headed=False)


def decisions(event: dict[str, Any], *, earlier: int) -> Panel | None:
    """What a response's event says was blocked, replaced or flagged, and why; None when nothing was.

    Decisions on the first `earlier` messages of the request are left out unless they blocked: they were shown before.
    """
    outcome = str(event.get("outcome", ""))
    acted = [
        action
        for action in event.get("guardrail_actions", [])
        if action.get("decision") == "blocked"
        or (action.get("decision") != "pass" and not _is_earlier(action.get("location", ""), earlier))
    ]
    acted.sort(key=lambda action: action.get("decision") != "blocked")
    if outcome == "answered" and not acted:
        return None
    parts: list[Any] = []
    if event.get("rationale") and not any(action.get("decision") == "blocked" for action in acted):
        parts.append(cell(event["rationale"]))
    if acted:
        parts.append(_actions(acted))
    title = " · ".join(line(part) for part in (outcome, event.get("step"), _counted(acted)) if part)
    return Panel(
        Group(*parts), title=Text(title), title_align="left", border_style=_OUTCOMES.get(outcome, "red"), padding=(0, 1)
    )


def show_report(report: Report, unread: str) -> None:
    """What verification saw."""
    screen = console()
    facts = _facts()
    facts.add_row("tree", f"{report.size:,} entries, {report.signed_size:,} of them under a signed checkpoint")
    facts.add_row("root", report.root)
    facts.add_row("checkpoints", f"{report.checkpoints:,} signed; {report.anchors:,} anchored by the control zone")
    facts.add_row("writers", f"{report.writers:,} runs, {report.heads:,} signed heads")
    facts.add_row("unsigned", f"{report.unsigned_records:,} newest records, until their writer signs again")
    facts.add_row("requests", f"{report.requests:,} with {report.responses:,} responses; {report.open_requests:,} open")
    screen.print(facts)
    if report.whole:
        screen.print(Text("whole", style="bold green"))
    else:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("problem", "where", "detail"):
            table.add_column(name, overflow="fold")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            table.add_row(Text(problem.kind, style="red"), cell(problem.place), cell(problem.detail))
        screen.print(table)
        further = len(report.problems) - PROBLEMS_SHOWN + report.problems_omitted
        if further > 0:
            screen.print(f"and {further:,} more")
        screen.print(Text("broken", style="bold red"))
    if unread:
        screen.print(Text(f"not compared with the anchors: {unread}", style="yellow"))
    elif not report.anchors:
        screen.print(Text("no anchors: a log cut off together with its checkpoints would not show", style="yellow"))


@contextmanager
def verification_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error, nothing elsewhere."""
    screen = console(errors=True)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("verify", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _request_panel(event: dict[str, Any]) -> Panel:
    head = _facts()
    head.add_row("request", cell(event.get("request_id", "")))
    head.add_row("user", cell(event.get("user_identity", "")))
    head.add_row("role", cell(event.get("service_identity", "")))
    head.add_row("session", cell(event.get("session_id", "")))
    head.add_row("call", cell(f"{event.get('operation', '')} {event.get('model_id', '')}"))
    version, tier = event.get("configuration_version", ""), event.get("risk_tier", "")
    head.add_row("configuration", cell(f"version {version}, tier {tier}"))
    _add_metadata(head, event)
    return _panel("asked", event, "blue", [head, *_said(event.get("input_text", ""))])


def _response_panel(event: dict[str, Any]) -> Panel:
    outcome = str(event.get("outcome", ""))
    style = _OUTCOMES.get(outcome, "red")
    rows = _facts()
    rows.add_row("outcome", cell(outcome, f"bold {style}"))
    for label, name in (("error", "error"), ("step", "step"), ("rule", "rule"), ("why", "rationale")):
        if event.get(name):
            rows.add_row(label, cell(event[name]))
    cost = event.get("cost_usd")
    tokens = [_number(event.get(name, 0), ",") for name in ("input_tokens", "output_tokens")]
    rows.add_row("tokens", cell(f"{tokens[0]} in, {tokens[1]} out"))
    rows.add_row("cost", cell("unknown" if cost is None else f"${_number(cost, '.6f')}"))
    rows.add_row("took", cell(f"{_number(event.get('latency_ms', 0.0), ',.1f')} ms"))
    _add_metadata(rows, event)
    actions = event.get("guardrail_actions", [])
    if actions:
        named = {f"{action.get('guardrail_id', '')} v{action.get('guardrail_version', '')}": None for action in actions}
        rows.add_row("guardrail", cell(", ".join(named)))
    parts = [rows, *([Text(), _actions(actions)] if actions else []), *_said(event.get("output_text", ""))]
    return _panel("ended", event, style, parts)


def _panel(title: str, event: dict[str, Any], style: str, parts: Sequence[Any]) -> Panel:
    return Panel(Group(*parts), title=f"{title} {_time(event)} UTC", title_align="left", border_style=style)


def _facts() -> Table:
    """Names and values."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _add_metadata(table: Table, event: dict[str, Any]) -> None:
    for name, value in event.get("metadata", {}).items():
        table.add_row(cell(name.replace("_", " ")), cell(value))


def _actions(actions: Sequence[dict[str, Any]]) -> Table:
    """Decisions: what, by which rule and where; beneath it, why."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for action in actions:
        decision = line(action.get("decision", ""))
        times = f" ×{action['count']}" if action.get("count", 1) != 1 else ""
        place = " ".join(part for part in (action.get("stage", ""), action.get("location", "")) if part)
        found = cell(action.get("rule", "") or "no finding").append(f"  {line(place)}", style="dim")
        if action.get("rationale"):
            found.append(f"\n{line(action['rationale'])}", style="dim")
        table.add_row(cell(decision + times, _DECISIONS.get(decision, "red")), found)
    return table


def _is_earlier(location: str, earlier: int) -> bool:
    found = re.match(r"messages\[(\d{1,6})\]", location)
    return found is not None and int(found[1]) < earlier


def _counted(actions: Sequence[dict[str, Any]]) -> str:
    """`2 masked, 1 flagged`."""
    counts: dict[str, int] = {}
    for action in actions:
        decision = str(action.get("decision", ""))
        counts[decision] = counts.get(decision, 0) + action.get("count", 1)
    names = ("masked", "flagged", "not_inspected")
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in names if name in counts)


def _summary(event: dict[str, Any], width: int) -> Text:
    """The few words that tell most about an event."""
    kind = event.get("kind", "")
    if kind == "model.request.v1":
        return cell(f"{event.get('operation', '')} {event.get('model_id', '')}")
    if kind == "model.response.v1":
        outcome = str(event.get("outcome", ""))
        more = [str(event.get("rule") or event.get("error") or ""), _counted(event.get("guardrail_actions", []))]
        return cell(outcome, _OUTCOMES.get(outcome, "red")).append_text(
            cell("".join(f"  {part}" for part in more if part), "not bold default")
        )
    if kind == "refusals.v1":
        return cell(f"{event.get('count', 0)} refused: {event.get('error', '')} {event.get('rule', '')}")
    if kind == "process.v1":
        detail = event.get("detail", {})
        return cell(" ".join([event.get("zone", ""), event.get("change", ""), str(detail.get("detail", ""))]))
    named = ("zone", "change", "fault", "role", "version", "session_id", "writer", "where", "reason", "detail")
    shown = {**event, "session_id": short(str(event.get("session_id", "")), width)}
    return cell(" ".join(str(shown[name]) for name in named if shown.get(name)))


def _time(event: dict[str, Any]) -> str:
    try:
        moment = datetime.fromtimestamp(float(event.get("timestamp", 0.0)), UTC)
    except (ValueError, OverflowError, OSError):
        return "no such time"  # a writer's clock, or a writer's lie
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _number(value: object, form: str) -> str:
    """A number, or what a writer sent instead."""
    return format(value, form) if isinstance(value, int | float) else str(value)


def _said(text: str) -> list[Any]:
    """A prompt or an answer beneath the facts."""
    if not text:
        return []
    shown = Text(plain(text[:TEXT_SHOWN]))
    if len(text) > TEXT_SHOWN:
        shown.append(f" … {len(text) - TEXT_SHOWN:,} more characters", style="dim")
    return [Text(), shown]
