"""`caisson logs`: query, follow, verify and export the log; see how far it is behind.

Works on the data folder's files, read-only, also while the system runs and when it is down. Whoever may read the
logging zone's keys may read the log: the user who started `up`, or root when `up` was started by root.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from caisson.ports.archive import ArchiveReader, Entry
    from caisson.zones.z6_logging.verify import Anchor, Report

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
    help="Query, follow, verify and export the log.",
)  # fmt: skip

Data = Annotated[Path, typer.Option("--data", help="Data folder of the system.")]
SystemFile = Annotated[Path | None, typer.Option("--system", help="Refuse unless the log is this file's system's.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON Lines instead of a view.")]
Since = Annotated[
    str, typer.Option("--since", help="Not older than this: 30s, 15m, 1h, 7d, or a date 2026-01-31T12:00.")
]

FOLLOW_S = 0.25
"""Pause of `tail -f` between looks."""
BEGINNING_SOUGHT_MAX = 100_000
"""Newest events among which the beginning of an identifier is looked up."""
INTERNAL = ("head.v1", "key.v1")
"""Kinds shown only when asked for by name."""
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


@app.command()
def query(
    request: Annotated[
        str, typer.Option("--request", help="Request id (header x-caisson-request-id), or its beginning.")
    ] = "",
    session: Annotated[str, typer.Option("--session", help="Session id, or its beginning.")] = "",
    user: Annotated[str, typer.Option("--user", help="Verified user.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Event kind, for example model.response.")] = "",
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many.")] = 100,
    json_: AsJson = False,
    system: SystemFile = None,
    data: Data = Path(".caisson"),
) -> None:
    """Show events; with --request, one request from beginning to end."""
    from caisson.ports.archive import Query

    archive = open_log(data, system)[0]
    wanted = Query(
        request_id=_meant(archive, "request_id", request), session_id=_meant(archive, "session_id", session), user=user,
        kind=kind if re.search(r"\.v\d+$", kind) or not kind else f"{kind}.v1", since=_since(since), limit=limit,
        without_kinds=() if kind else INTERNAL,
    )  # fmt: skip
    entries = list(archive.query(wanted))
    _show(entries, json_, trace=bool(request))
    if not entries:
        typer.echo("no event matches", err=True)


@app.command()
def tail(
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes.")] = False,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=10_000, help="Begin with the newest so many.")] = 10,
    json_: AsJson = False,
    system: SystemFile = None,
    data: Data = Path(".caisson"),
) -> None:
    """Show the newest events."""
    from caisson.ports.archive import Query

    archive = open_log(data, system)[0]
    entries = list(archive.query(Query(limit=limit, without_kinds=INTERNAL)))
    _show(entries, json_)
    seen = entries[-1].index + 1 if entries else archive.size()
    try:
        while follow:
            time.sleep(FOLLOW_S)
            if archive.size() > seen:
                entries = list(archive.query(Query(start=seen, limit=archive.size() - seen, without_kinds=INTERNAL)))
                _show(entries, json_, headed=False)
                seen = max([seen, *(entry.index + 1 for entry in entries)])
    except KeyboardInterrupt:
        return


@app.command(short_help="Show how far the logging zone is behind.")
def lag(
    seconds_max: Annotated[
        float | None, typer.Option("--max", min=0.0, help="Exit with 1 when it is further behind, in seconds.")
    ] = None,
    json_: AsJson = False,
    data: Data = Path(".caisson"),
) -> None:
    """Show how far the logging zone is behind: what waits in its spool, and since when."""
    from caisson.adapters.embedded.channel.lag import lag as measured
    from caisson.errors import StartError

    state = data / "zones" / "logging" / "state"
    try:
        if not state.is_dir():
            raise StartError(f"{data} holds no log: expected the folder {state}; name the data folder with --data")
        found = measured(data / "spool" / "events", state, "events", now=time.time())
    except PermissionError:
        raise StartError(f"{state} belongs to another user; run this as root or as who started `caisson up`") from None
    if json_:
        typer.echo(json.dumps(vars(found)))
    else:
        since = "nothing was ever read" if found.behind_s is None else f"{found.behind_s:.1f} s behind at most"
        typer.echo(f"{found.unread_bytes} bytes wait in {found.unread_segments} segments; {since}")
    if seconds_max is not None and (found.behind_s is None or found.behind_s > seconds_max):
        raise typer.Exit(1)


@app.command(short_help="Check that the log is whole, and that each request ended.")
def verify(
    anchors: Annotated[
        Path | None, typer.Option("--anchors", help="The control zone's anchors; default: those in the data folder.")
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Check the copy in S3 instead, into which `up --archive` copied it.")
    ] = False,
    json_: AsJson = False,
    system: SystemFile = None,
    data: Data = Path(".caisson"),
) -> None:
    """Check that nothing was edited, removed, moved, cut off, repeated or forged, and that each request ended.

    Exit code 0: whole; 1: broken; 3: the anchors cannot be read.
    """
    from caisson.cli.logs_view import show_report, verification_progress
    from caisson.zones.z6_logging.verify import verify as check

    archive, log_keys = open_log(data, system)
    held, unread = _anchors(data, anchors, archive)
    with _copied(data) if copy else nullcontext(archive) as checked, verification_progress() as progress:
        if copy:  # what is not due yet is not missing: anchors beyond its end are the local log's to show
            signed = _signed(checked)
            held = [anchor for anchor in held if anchor.checkpoint.size <= signed]
        report = check(checked, log_keys=log_keys, anchors=held, now=time.time(), progress=progress)
    if json_:
        typer.echo(json.dumps(_report_json(report, unread)))
    else:
        show_report(report, unread)
    if not report.whole:
        raise typer.Exit(1)
    if unread:
        raise typer.Exit(3)


@app.command(short_help="Write events, and beside them what proves them.")
def export(
    out: Annotated[Path, typer.Option("--out", help="FILE.jsonl or FILE.parquet; the proof goes to FILE.bundle.")],
    since: Since = "",
    system: SystemFile = None,
    data: Data = Path(".caisson"),
) -> None:
    """Write events for other tools, and beside them the bundle that proves them offline (verifier/verify_logs.py)."""
    from caisson.zones.z6_logging import bundle

    if out.suffix not in (".jsonl", ".parquet"):
        raise typer.BadParameter(f"expected a name that ends with .jsonl or .parquet, found {out.name!r}")
    proof = out.with_suffix(".bundle")
    for path in (out, proof):
        if path.exists():
            raise typer.BadParameter(f"{path} exists; choose another name or remove it")
    archive, log_keys = open_log(data, system)
    held, _ = _anchors(data, None, archive)
    part = bundle.scope(archive, _since(since))
    with _whole_file(proof) as write:
        for line in bundle.lines(archive, part, log_keys=log_keys, anchors=held, exported=time.time()):
            write(line)
    with _whole_file(out) as write:
        entries = (entry for entry in bundle.entries_in(archive, part) if entry.event.get("kind") not in INTERNAL)
        if out.suffix == ".jsonl":
            for entry in entries:
                write(json.dumps(entry.event, ensure_ascii=False).encode() + b"\n")
        else:
            from caisson.adapters.embedded.archive.columnar import events_to_parquet

            write(events_to_parquet(entries))
    typer.echo(f"{out}: entries {part.first} to {part.size - 1}; proof: {proof} (python verify_logs.py {proof.name})")


@contextmanager
def _copied(data: Path) -> Iterator[ArchiveReader]:
    """The copy of the archive that the data folder's system was started with."""
    from caisson.adapters.aws.archive import CopiedArchiveReader
    from caisson.adapters.aws.bedrock.lease import Access
    from caisson.adapters.aws.bedrock.profile import ProfileCredentials
    from caisson.adapters.embedded.clock import SystemClock
    from caisson.cli.aws_options import archive as archive_buckets
    from caisson.errors import StartError
    from caisson.wiring.followers import objects_of
    from caisson.wiring.system import OPTIONS

    try:
        options = json.loads((data / "run" / OPTIONS).read_text(encoding="utf-8"))
        region = json.loads((data / "run" / "endpoint.json").read_text(encoding="utf-8"))["region"]
    except (OSError, ValueError, KeyError) as error:
        raise StartError(f"{data / 'run'}: cannot be read ({error}); start the system once") from None
    buckets = archive_buckets(options.get("--archive") or None, options.get("--archive-profile") or None)
    if buckets is None:
        raise StartError(f"{data}: its system was started without --archive, so there is no copy of its log")
    clock = SystemClock()
    access = Access(clock, whose="archive")
    access.put(ProfileCredentials(buckets.profile, region=region).lease())
    reader = CopiedArchiveReader(lambda: objects_of(buckets, region, access.keys, clock), clock)
    try:
        yield reader
    finally:
        reader.close()


def open_log(data: Path, system: Path | None) -> tuple[ArchiveReader, list[bytes]]:
    """The archive and the keys under which it is signed."""
    from caisson.adapters.embedded.archive import EmbeddedArchiveReader
    from caisson.adapters.embedded.keys import FileKeys
    from caisson.errors import StartError
    from caisson.zones.z6_logging.service import CHECKPOINT_KEY, STORE_SECRET

    zone = data / "zones" / "logging"
    try:
        if not zone.is_dir():
            raise StartError(
                f"{data} holds no log: expected the folder zones/logging; name the data folder with --data"
            )
        keys = FileKeys(zone / "keys")
    except PermissionError:
        raise StartError(f"{zone} belongs to another user; run this as root or as who started `caisson up`") from None
    archive = EmbeddedArchiveReader(zone / "archive", zone / "tree", keys.secret(STORE_SECRET))
    if system is not None and (origin := _origin(archive)):
        from caisson.system.loader import load

        if origin != f"caisson/{load(system).name}":
            raise StartError(
                f"{data} holds the log {origin!r}, which is not {system}'s; name the data folder with --data"
            )
    return archive, [keys.signing(CHECKPOINT_KEY).public_bytes]


def _meant(archive: ArchiveReader, field: Literal["request_id", "session_id"], beginning: str) -> str:
    """The whole identifier, of which a view may have shown the beginning."""
    from caisson.cli.terminal import begun_by
    from caisson.ports.archive import Query

    whole = Query(request_id=beginning, limit=1) if field == "request_id" else Query(session_id=beginning, limit=1)
    if not beginning or any(archive.query(whole)):
        return beginning
    newest = archive.query(Query(limit=BEGINNING_SOUGHT_MAX, without_kinds=INTERNAL))
    found = begun_by(beginning, (str(entry.event.get(field, "")) for entry in newest))
    if len(found) > 1:
        raise typer.BadParameter(f"{beginning!r} begins {len(found)} identifiers; give more of it")
    return found[0] if found else beginning


def _anchors(data: Path, path: Path | None, archive: ArchiveReader) -> tuple[list[Anchor], str]:
    """The control zone's anchors, and why they could not be read when they could not."""
    from caisson.zones.z6_logging.anchors import read_anchors

    origin = _origin(archive)
    source = path or data / "zones" / "control" / "state" / "anchors.jsonl"
    try:
        return read_anchors(source, origin), ""
    except FileNotFoundError:
        if path is not None:
            raise typer.BadParameter(f"there is no file {path}") from None
        return [], ""
    except PermissionError:
        return [], f"{source} may not be read by this user"


def _origin(archive: ArchiveReader) -> str:
    """The log's name, as its newest checkpoint has it; empty when there is none."""
    from caisson.zones.z6_logging.checkpoints import parse_note

    try:
        return parse_note(archive.last_checkpoint())[0].origin
    except ValueError:
        return ""


def _signed(archive: ArchiveReader) -> int:
    """Entries under the newest checkpoint."""
    from caisson.zones.z6_logging.checkpoints import parse_note

    try:
        return parse_note(archive.last_checkpoint())[0].size
    except ValueError:
        return 0


def _since(text: str) -> float:
    """Unix time of `1h` ago or of a date."""
    from datetime import UTC, datetime

    if not text:
        return 0.0
    if match := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return time.time() - int(match[1]) * _UNITS_S[match[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"expected 30s, 15m, 1h, 7d or a date like 2026-01-31T12:00, found {text!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _show(entries: list[Entry], json_: bool, *, trace: bool = False, headed: bool = True) -> None:
    if json_:
        for entry in entries:
            sys.stdout.write(json.dumps(entry.event, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    elif entries:
        from caisson.cli.logs_view import show_events, show_trace

        if trace:
            show_trace(entries)
        else:
            show_events(entries, headed=headed)


def _report_json(report: Report, unread: str) -> dict[str, Any]:
    fields = {name: value for name, value in vars(report).items() if name != "problems"}
    problems = [{"kind": problem.kind, "place": problem.place, "detail": problem.detail} for problem in report.problems]
    return {"whole": report.whole, **fields, "anchors_unread": unread, "problems": problems}


@contextmanager
def _whole_file(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A file that appears when it is complete, for this user's eyes only."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file.write
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
