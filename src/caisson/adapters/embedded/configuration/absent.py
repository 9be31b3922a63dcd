"""The TUF libraries without boto3: importing it takes a third of the control zone's start, and nothing here uses it.

`securesystemslib.signer` imports boto3 for keys in AWS KMS when it can. On one machine keys are files, so it is kept
from finding it. A process that signs with KMS must load the library before this package.

>>> "boto3" in sys.modules
False
"""

from __future__ import annotations

import importlib
import sys

_LIBRARY, _UNUSED = "securesystemslib.signer", "boto3"

if _LIBRARY not in sys.modules and _UNUSED not in sys.modules:
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # what makes an import fail (sys.modules, Python reference)
    try:
        importlib.import_module(_LIBRARY)
    finally:
        del sys.modules[_UNUSED]
