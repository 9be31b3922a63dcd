"""`caisson up`: run the system on this machine until it is told to stop."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer

from caisson.adapters.embedded.under_way import WORKERS_MAX
from caisson.errors import StartError

if TYPE_CHECKING:
    from caisson.wiring.settings import Upstream
    from caisson.wiring.system import Started

PROFILES = Path("~/.config/caisson/credentials")
"""INI file of upstream credentials: a section a profile, with `api_key`."""
DEFAULT_PROFILE = "default"
"""AWS profile of `bedrock` when none is named."""
DETACHED_SECONDS_MAX = 120.0


def up(
    context: typer.Context,
    system: Annotated[Path, typer.Option(help="The system file.")] = Path("caisson.yaml"),
    data: Annotated[Path, typer.Option(help="Folder for keys, state and the archive.")] = Path(".caisson"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 8443,
    host: Annotated[
        str, typer.Option(help="IP address to listen on; one that is not loopback needs the three options below.")
    ] = "127.0.0.1",
    name: Annotated[list[str] | None, typer.Option(help="Host name that clients call; may be repeated.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Your certificate for these names: PEM, the leaf first, then who issued it.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key: PEM, closed to other users.")] = None,
    console_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the console.")] = None,
    upstream: Annotated[
        str, typer.Option(help="What answers: offline, script=FILE, openai=URL or bedrock.", metavar="UPSTREAM")
    ] = "offline",
    upstream_profile: Annotated[
        str | None,
        typer.Option(help=f"openai: profile in {PROFILES} with its api_key. bedrock: AWS profile (else: default)."),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(help="Where budgets are kept: dynamodb=TABLE. Else in the data folder.", metavar="LEDGER"),
    ] = None,
    ledger_profile: Annotated[str | None, typer.Option(help="AWS profile that reaches the table.")] = None,
    ledger_role: Annotated[
        str | None, typer.Option(help="ARN of the role to reach it with, assumed once a session.", metavar="ARN")
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            help="Through what the gateway's events reach the log: sqs=QUEUE_URL. Else the data folder.",
            metavar="EVENTS",
        ),
    ] = None,
    events_profile: Annotated[str | None, typer.Option(help="AWS profile that reaches the queue.")] = None,
    configuration: Annotated[
        str | None,
        typer.Option(
            help="Through what configuration and orders reach the gateway: s3=BUCKET. Else the data folder.",
            metavar="CONFIGURATION",
        ),
    ] = None,
    configuration_profile: Annotated[str | None, typer.Option(help="AWS profile that reaches the bucket.")] = None,
    archive: Annotated[
        str | None,
        typer.Option(
            help="Copy the signed log into buckets of S3: s3=BUCKET, with CLASS in its name for the class of data.",
            metavar="ARCHIVE",
        ),
    ] = None,
    archive_profile: Annotated[str | None, typer.Option(help="AWS profile that reaches the buckets.")] = None,
    log_groups: Annotated[
        str | None,
        typer.Option(
            help="Put archived events into log groups of CloudWatch, where metrics are counted: cloudwatch=PREFIX.",
            metavar="LOG_GROUPS",
        ),
    ] = None,
    log_groups_profile: Annotated[str | None, typer.Option(help="AWS profile that reaches the log groups.")] = None,
    ingress: Annotated[
        str | None,
        typer.Option(
            help="Public name that clients call, of an ingress on AWS through which alone the gateway is reached.",
            metavar="NAME[:PORT]",
        ),
    ] = None,
    otlp: Annotated[
        str | None, typer.Option(help="Send metrics to this OpenTelemetry collector (OTLP over HTTP).", metavar="URL")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=WORKERS_MAX, help="Gateway processes; one a core is enough.")] = 1,
    restart_workers: Annotated[
        bool,
        typer.Option("--restart-workers", help="Of a running system: restart them one by one; no request is lost."),
    ] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give the zones new keys to sign and seal with.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return to the shell once it is ready.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what started as JSON.")] = False,
) -> None:
    """Run the system on this machine until it is told to stop."""
    from caisson.system.loader import load

    if console_port is not None:
        _wrong("--console-port: the console is not built yet; leave the option out.")
    loaded = load(system, carrier="up")
    answers = _upstream(upstream, upstream_profile)

    from caisson.adapters.embedded.layout import claim
    from caisson.cli import aws_options
    from caisson.supervision import renew, running
    from caisson.wiring.interface import Interface
    from caisson.wiring.running import not_taken_up, publish, renew_certificate
    from caisson.wiring.system import Asked, run

    # resolved here: what is detached works in another folder
    asked = Asked(
        system=loaded,
        data=data.resolve(),
        port=port,
        upstream=answers,
        ledger=aws_options.ledger(ledger, ledger_profile, ledger_role),
        events=aws_options.events(events, events_profile, loaded),
        configuration=aws_options.configuration(configuration, configuration_profile),
        archive=aws_options.archive(archive, archive_profile),
        log_groups=aws_options.log_groups(log_groups, log_groups_profile),
        ingress=_ingress(ingress),
        otlp=_collector(otlp),
        workers=workers,
        rotate=rotate,
        interface=Interface(
            address=host,
            names=tuple(name or ()),
            certificate=certificate and certificate.resolve(),
            key=key and key.resolve(),
        ),
    )
    asked.interface.require(loaded)
    found = running(data.resolve() / "run")
    if found is not None:
        try:
            if rotate:
                _wrong("--rotate: the system runs; stop it with 'caisson down', then start it with --rotate.")
            if objection := not_taken_up(asked, _given(context)):
                _wrong(objection)
            if restart_workers and certificate is not None:
                renew_certificate(asked)
            done = publish(asked)
            failure = renew(data.resolve() / "run", found) if restart_workers else None
        finally:
            os.close(found)
        _say_published(done if failure is None else {**done, "restarted": not failure}, as_json=as_json)
        if failure:
            raise StartError(f"the workers were not all restarted: {failure}; the others run on as they were")
        return
    if restart_workers:
        _wrong("--restart-workers: nothing runs in this data folder; leave the option out to start it.")

    def show(started: Started) -> None:
        from caisson.cli.start_table import as_document, show_started

        if as_json:
            typer.echo(json.dumps(as_document(loaded, started)))
        else:
            show_started(started, data, asked)

    if not detach:
        raise typer.Exit(run(asked, show))
    from caisson.supervision import Announcement, detached
    from caisson.supervision.detach import Say

    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = claim(data, system=loaded.name) / "up.log"

    def main(say: Say) -> int:
        return run(asked, lambda started: say(Announcement(info={"version": started.version})))

    said = detached(
        main,
        log=log,
        seconds=DETACHED_SECONDS_MAX,
    )
    if said.failure:
        raise StartError(said.failure)
    if as_json:
        typer.echo(json.dumps({"endpoint": asked.endpoint, "configuration_version": said.info["version"]}))
    else:
        typer.echo(f"Running at {asked.endpoint}; `caisson down --data {data}` stops it.")


def _given(context: typer.Context) -> set[str]:
    """Options that the command line names."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {
        "--" + name.replace("_", "-") for name, source in sources.items() if source and source.name == "COMMANDLINE"
    }


def _say_published(done: dict[str, Any], *, as_json: bool) -> None:
    from caisson.cli.running import warn_unfinished

    if as_json:
        typer.echo(json.dumps(done))
        return
    if done.get("restarted"):
        typer.echo("The gateway's workers were restarted.")
    if "unchanged" in done:
        typer.echo(f"It runs already, with this file in force as configuration version {done['unchanged']}.")
    elif done.get("staged"):
        version, missing = done["staged"]["version"], done["staged"]["missing"]
        typer.echo(f"Version {version} waits for {missing} more signature: caisson rollback --approve")
    else:
        typer.echo(f"It runs already; the file is in force now as configuration version {done['version']['version']}.")
        warn_unfinished(done)


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _upstream(text: str, profile: str | None) -> Upstream:
    from caisson.wiring.settings import Upstream

    kind, _, location = text.partition("=")
    if kind == "bedrock":
        from caisson.adapters.aws.bedrock.endpoint import endpoint_of
        from caisson.wiring.system import DEFAULT_REGION

        try:
            endpoint_of(DEFAULT_REGION, location)
        except StartError as error:
            _wrong(str(error))
        return Upstream(kind="bedrock", location=location, profile=profile or DEFAULT_PROFILE)
    if kind == "offline" and not location and profile is None:
        return Upstream(kind="offline")
    if kind == "script" and location and profile is None:
        if not Path(location).is_file():
            _wrong(f"--upstream script: expected a file, found none at {location!r}.")
        return Upstream(kind="script", location=str(Path(location).resolve()))
    if kind == "openai" and location:
        parts = urlsplit(location)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            _wrong(f"--upstream openai: expected an http(s) URL, found {location!r}.")
        return Upstream(kind="openai", location=location, api_key=_api_key(profile) if profile else "")
    _wrong(f"--upstream: expected offline, script=FILE, openai=URL or bedrock, found {text!r}.")


def _ingress(name: str | None) -> str:
    from caisson.zones.z1_ingress.forwarded import NAME

    if name is not None and not NAME.fullmatch(name):
        _wrong(f"--ingress: expected a host name in lower case such as ai.example.com, found {name!r}.")
    return name or ""


def _collector(url: str | None) -> str:
    if url is None:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        _wrong(f"--otlp: expected an http(s) URL, found {url!r}.")
    if importlib.util.find_spec("opentelemetry") is None:
        _wrong("--otlp needs the extra 'otel': pip install 'caisson[otel]'.")
    return url


def _api_key(profile: str) -> str:
    path = PROFILES.expanduser()
    try:
        status = path.stat()
    except OSError:
        _wrong(f"--upstream-profile: expected {path}, found none; write a section [{profile}] with api_key into it.")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.geteuid():
        _wrong(f"--upstream-profile: {path} is open to other users; run chmod 600 on it.")
    found = configparser.ConfigParser(interpolation=None)
    found.read(path)
    key = found.get(profile, "api_key", fallback="")
    if not key:
        _wrong(f"--upstream-profile: {path} has no api_key in a section [{profile}].")
    return key
