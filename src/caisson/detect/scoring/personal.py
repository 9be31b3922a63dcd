"""Scoring of personal data: spans found, findings right, and findings where there should be none.

- Spans with `required` must be found; the others are neither needed nor wrong.
- `neg_for` names types that the row looks like and is not: a finding of one of them is wrong, others do not matter. `*`
  is every type; such rows make the false-positive rate.
- `type-free` counts the same with any type for any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caisson.detect.finding import Finding
from caisson.detect.scoring.spans import Span, covered
from caisson.detect.scoring.tally import Tallies

ALL = "*"
TYPE_FREE = "type-free"


def score(row: Mapping[str, Any], findings: Sequence[Finding], tallies: Tallies) -> None:
    """Count one row.

    Raises:
        KeyError, TypeError, ValueError: the row has not the form of the corpus.
    """
    found = [Span(finding.start, finding.end, finding.type) for finding in findings]
    negative = row["neg_for"]
    if negative == ALL:
        for tally in (tallies.overall, tallies["free of personal data"]):
            tally.clean(bool(found))
        for name in {span.type for span in found}:
            tallies[name].wrong += 1
        return
    labelled = [(Span(int(s["start"]), int(s["end"]), str(s["type"])), bool(s["required"])) for s in row["spans"]]
    groups = [tallies.overall, tallies[f"kind:{row['kind']}"]]
    for span, required in labelled:
        if required:
            hit = covered(span, [other for other in found if other.type == span.type])
            for tally in (*groups, tallies[span.type]):
                tally.want(hit, findings=0)
            tallies[TYPE_FREE].want(covered(span, found), findings=0)
    for span in found:
        if negative and span.type not in negative:
            continue
        optional = covered(span, [other for other, required in labelled if not required])
        exact = covered(span, [other for other, required in labelled if required and other.type == span.type])
        if exact:
            for tally in (*groups, tallies[span.type], tallies[TYPE_FREE]):
                tally.right += 1
        elif not optional:
            for tally in (*groups, tallies[span.type]):
                tally.wrong += 1
            if covered(span, [other for other, _ in labelled]):
                tallies[TYPE_FREE].right += 1
            else:
                tallies[TYPE_FREE].wrong += 1
