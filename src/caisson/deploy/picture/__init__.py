"""The architecture picture: what the templates of a deployment hold and connect, drawn.

>>> architecture(files, manifest).startswith("<svg")  # doctest: +SKIP
True
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from caisson.deploy.picture.contents import accounts
from caisson.deploy.picture.drawing import drawn
from caisson.deploy.picture.relations import relations


def architecture(files: Mapping[str, str], manifest: Mapping[str, Any]) -> str:
    """A deployment as SVG: the same input, the same bytes.

    Args:
        files: what `synth` writes, the templates among it.
        manifest: its manifest.
    """
    templates = {stack["name"]: json.loads(files[stack["template"]]) for stack in manifest["stacks"]}
    return drawn(
        f"Caisson system {manifest['system']}, tier {manifest['tier']}",
        accounts(templates, manifest),
        relations(templates, manifest),
    )
