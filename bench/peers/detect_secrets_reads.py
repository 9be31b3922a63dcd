"""What detect-secrets finds in each text of standard input: JSON Lines of texts in, lists of [start, end, type] out.

Every plug-in with its default settings, each text as a file, which is how it is used.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, default_settings():
        path = Path(folder) / "text.txt"
        for line in sys.stdin:
            text = json.loads(line)
            path.write_text(text, encoding="utf-8", errors="replace")
            found = SecretsCollection()
            found.scan_file(str(path))
            spans = []
            for _, secret in found:
                at = text.find(secret.secret_value or "")
                if secret.secret_value and at >= 0:
                    spans.append([at, at + len(secret.secret_value), secret.type])
                else:
                    spans.append([0, len(text), secret.type])  # it says that there is one, not where
            print(json.dumps(spans), flush=True)


if __name__ == "__main__":
    main()
