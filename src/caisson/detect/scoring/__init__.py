"""How well a detector does on a labelled corpus (docs/detection.md).

    tally.py      counts, the figures made of them, and their intervals
    spans.py      which findings and which labelled spans belong together
    secrets.py    rows of credentials
    personal.py   rows of personal data
    attacks.py    rows of attacks and of ordinary prompts

Pure: rows and findings in, tallies out. Reading files and the clock are `caisson.cli.bench`'s.
"""
