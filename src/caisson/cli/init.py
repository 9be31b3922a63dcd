"""`caisson init`: a system file to start from and the JSON Schema for its editor. Never overwrites a system file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_TEMPLATE = """\
# yaml-language-server: $schema={schema}
# What this AI system is. `caisson check` shows what it resolves to; every key: docs/system-file.md
caisson: 1
name: {name}
tier: {tier} # risk: 1 low, 2 medium, 3 high, 4 critical; sets every default that is not stated here

identity:
  local: # users of this machine; `owner` is whoever starts `caisson up`
    users:
      me: {{uid: owner, groups: [users]}}
  groups:
    users: {{}}

models: # Bedrock model ids, as your program names them
  assistant: {{id: anthropic.claude-sonnet-4-5-20250929-v1:0}}

guardrails:
  main:
    pii: # block, pseudonymise or flag
      EMAIL: pseudonymise
      PHONE: pseudonymise
      CREDIT_DEBIT_CARD_NUMBER: block
    words: [] # words that are refused
    patterns: [] # your own: {{name: claim-id, regex: 'CLM-\\d{{8}}', action: pseudonymise}}

agents: # a session is opened for one agent's task
  {agent}:
    model: assistant
    guardrail: main
    tasks:
      answer: {{}}
"""
AGENT = "helper"
FILE_NAME = "caisson.yaml"


def init(
    directory: Annotated[
        Path, typer.Argument(help="Folder to write into; made when missing.", metavar="[DIR]")
    ] = Path(),
    name: Annotated[str, typer.Option(help="Name of the system.")] = "my-system",
    tier: Annotated[int, typer.Option(help="Risk tier: 1 low, 2 medium, 3 high, 4 critical.", min=1, max=4)] = 1,
) -> None:
    """Write a system file to start from."""
    from caisson.system.json_schema import SCHEMA_NAME, published
    from caisson.system.values import SYSTEM_NAME_RULE, is_system_name

    if not is_system_name(name):
        typer.echo(f"--name: expected {SYSTEM_NAME_RULE}, found {name[:60]!r}.", err=True)
        raise typer.Exit(2)
    text = _TEMPLATE.format(schema=SCHEMA_NAME, name=name, tier=tier, agent=AGENT)
    target = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
        (directory / SCHEMA_NAME).write_text(published(), encoding="utf-8")
    except FileExistsError:
        typer.echo(f"{target}: expected no file yet, found one; it is left as it is. Choose another folder.", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"{target}: expected a folder to write into, found: {error.strerror}.", err=True)
        raise typer.Exit(2) from None
    option = "" if target == Path(FILE_NAME) else f" --system {target}"
    typer.echo(f"Wrote {target} and {SCHEMA_NAME}. Next:\n  caisson check{option}\n  caisson up{option}")
