"""What `caisson scan` is made of.

sources.py    texts: files, notebooks, what is left out and why
ignore.py     .gitignore, as git reads it
history.py    lines that commits added
findings.py   findings with file, line and fingerprint, never with the secret
baseline.py   findings that are known, with a reason each
sarif.py      SARIF 2.1.0 (OASIS)
"""
