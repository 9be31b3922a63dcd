"""The `caisson` command. A command's module is imported when it is called, so that `caisson --help` stays quick.

Exit codes: 0 holds, 1 broken, refused or found, 2 wrong call or system file, 3 undetermined.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from caisson import __version__

BUILT = {
    "init": "Write a system file to start from.",
    "check": "Check a system file and show what it resolves to.",
    "up": "Run the system on this machine.",
    "down": "Stop it; what is under way finishes first.",
    "session": "Sign in; list and revoke sessions.",
    "chat": "Talk to the system; see what was blocked or replaced, and why.",
    "logs": "Query, follow, verify and export the log.",
    "explain": "Decide requests as AWS would, and name the statements that decide.",
    "rollback": "Go back to an earlier configuration, as a new version.",
    "scan": "Find credentials in files and in the history of a repository.",
    "synth": "Write the system's deployment to AWS as CloudFormation.",
    "deploy": "Show what the system's deployment would change on AWS, and apply it.",
    "prove": "Prove the organization's policies over all requests, or print the one that gets round them.",
    "probe": "Attack a system, and show what came through.",
    "verify": "Give every control its verdict, with evidence.",
    "report": "Write what holds as a signed report, or check one.",
    "bench": "Measure this installation: how well its detectors do on a labelled corpus.",
}
NOT_BUILT = (
    "ingest", "approvals", "contain", "bom",
)  # fmt: skip
"""Commands of the public contract that this version does not have. They say so and exit 2."""


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(BUILT)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in NOT_BUILT and not ctx.resilient_parsing:  # a shell that completes wants no message
            typer.echo(f"caisson {cmd_name} is not built yet. Built: {', '.join(BUILT)}.", err=True)
            raise typer.Exit(2)
        if cmd_name not in BUILT:
            return None
        if (
            cmd_name not in sys.argv and not ctx.resilient_parsing
        ):  # the overview needs names and one line each, not the modules
            return TyperCommand(cmd_name, help=BUILT[cmd_name])
        module = importlib.import_module(f"caisson.cli.{cmd_name}")
        if hasattr(module, "app"):
            return get_command(module.app)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=BUILT[cmd_name])(getattr(module, cmd_name))
        return get_command(single)


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Run, deploy and prove Amazon Bedrock systems with controls that hold.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"caisson {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Entry point: expected errors become one clear message and an exit code, never a traceback."""
    try:
        app()
    except Exception as error:
        from caisson.errors import CaissonError, DeveloperError, SystemFileError

        if not isinstance(error, CaissonError) or isinstance(error, DeveloperError):
            raise
        typer.echo(str(error), err=True)
        raise SystemExit(2 if isinstance(error, SystemFileError) else 1) from None


if __name__ == "__main__":
    main()
