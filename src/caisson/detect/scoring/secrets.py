"""Scoring of credentials: recall by tier, false positives on rows that hold none.

A row is found when its labelled span is, or, without one, when anything is. A clean row whose `neg_scope` is `rule:X`
is flagged only by a rule of that name: another rule may be right about it. Such rows are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caisson.detect.finding import Finding
from caisson.detect.scoring.spans import Span, covered
from caisson.detect.scoring.tally import Tallies

_SAME = {"generic-api-key": ("secret-by-name", "secret-after-name"), "curl-auth-user": ("command-line-user",)}
"""Names of the corpus and of our rules for one thing, where no part of the name tells."""


def score(row: Mapping[str, Any], findings: Sequence[Finding], tallies: Tallies) -> None:
    """Count one row.

    Raises:
        KeyError, TypeError, ValueError: the row has not the form of the corpus.
    """
    if row["label"] == "secret":
        spans = [Span(int(span["start"]), int(span["end"]), "") for span in row["spans"] or ()]
        found = [Span(finding.start, finding.end, "") for finding in findings]
        hit = all(covered(span, found) for span in spans) if spans else bool(found)
        for tally in (tallies.overall, tallies[str(row["tier"])], tallies[f"source:{row['source'].split('/')[0]}"]):
            tally.want(hit)
        return
    if row["label"] != "not_secret":
        raise ValueError(f"expected the label secret or not_secret, found {row['label']!r}")
    scope, _, name = str(row["neg_scope"]).partition(":")
    if scope == "global":
        for tally in (tallies.overall, tallies["negatives"], tallies[f"negatives:{str(row['kind']).split(':')[0]}"]):
            tally.clean(bool(findings))
    else:
        tallies["negatives of a rule"].clean(any(_same(finding.rule, name) for finding in findings))


def _same(rule: str, name: str) -> bool:
    """True when a rule of ours is what the corpus calls `name`."""
    own = rule.partition(".")[2]
    if own in _SAME.get(name, ()):
        return True
    words = [word for word in name.replace("_", "-").split("-") if word not in ("api", "token", "key", "access")]
    return bool(words) and own.split("-")[0] == words[0]
