"""Functions of the deployment: each file is the whole code of one, deployed inline, with Lambda's own boto3 alone.

>>> "def handler(" in source("settings")
True
"""

from __future__ import annotations

from importlib.resources import files

RUNTIME = "python3.14"
"""Lambda runtime that the files are written for."""


def source(name: str) -> str:
    """The code of a function, as `Code.ZipFile` takes it."""
    return files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
