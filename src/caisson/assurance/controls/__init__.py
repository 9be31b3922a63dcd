"""The catalogue: 80 controls in 11 families, one file a family.

>>> CATALOGUE["IAM-01"].title
'Authenticate every caller'
>>> len(CATALOGUE)
80
"""

from __future__ import annotations

from caisson.assurance.controls import dat, delegation, iam, ir, log, net, sand, sec, sess, sup, tool
from caisson.assurance.controls.control import Control, Kind, Part

FAMILIES: dict[str, tuple[str, tuple[Control, ...]]] = {
    "IAM": ("Identity and access", iam.CONTROLS),
    "LOG": ("Logging", log.CONTROLS),
    "NET": ("Network and zones", net.CONTROLS),
    "DAT": ("Data", dat.CONTROLS),
    "SEC": ("Credentials", sec.CONTROLS),
    "SUP": ("Supply chain", sup.CONTROLS),
    "IR": ("Incidents", ir.CONTROLS),
    "TOOL": ("Tools", tool.CONTROLS),
    "SESS": ("Sessions", sess.CONTROLS),
    "DEL": ("Delegation", delegation.CONTROLS),
    "SAND": ("Generated code", sand.CONTROLS),
}
"""Prefix of the ids: title and controls, in the order in which they are told."""
CATALOGUE: dict[str, Control] = {control.id: control for _, found in FAMILIES.values() for control in found}

__all__ = ["CATALOGUE", "FAMILIES", "Control", "Kind", "Part"]
