"""Policies with a tag in them: where values are said to be kept apart, no two of all small ones meet (SESS-03)."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.iam.pattern import fits, parse, solid
from caisson.assurance.identities.examination import Examination
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from foreign_templates import allow, role, template, write

VARIABLE = "${aws:PrincipalTag/team}"
BEFORE, AFTER = ["", "x", "*", "?", "x*"], ["", "#", "*", "?", "#*"]
PATTERNS = st.tuples(st.sampled_from(BEFORE), st.sampled_from([VARIABLE, ""]), st.sampled_from(AFTER)).map("".join)
VALUES = ["aba", "abab", "bab", "abb", "abba", "bba"]  # longer than what `?` alone fits
AROUND = ["", "x", "xx", "#", "##", "a"]
SAID = [before + value + after for before in AROUND for value in ["", *VALUES] for after in AROUND]


def opens(pattern: str, tag: str, text: str) -> bool:
    return fits(solid(parse(pattern.replace(VARIABLE, tag), variables=False).pieces), text)


@settings(max_examples=25, deadline=None)
@given(lists=st.lists(st.lists(PATTERNS.filter(bool), min_size=1, max_size=2), min_size=1, max_size=2))
def test_kept_apart_is_kept_apart(lists: list[list[str]]) -> None:
    """What a pattern opens to `b` by its name, and not to whoever comes, no session of `a` reaches."""
    if not any(VARIABLE in one for one in itertools.chain(*lists)):
        return
    with tempfile.TemporaryDirectory() as scratch:
        statements: list[Any] = [allow("s3:ListBucket", "*", StringLike={"s3:prefix": patterns}) for patterns in lists]
        write(Path(scratch), a=template(App=role(*statements)))
        found = {proof.claim.id: proof.verdict for proof in Examination(read(Path(scratch))).proofs()}
    patterns = [*itertools.chain(*lists)]
    met = any(
        opens(other, b, text) and not opens(other, "nobody", text) and opens(mine, a, text)
        for other in patterns
        if VARIABLE in other
        for mine in patterns
        for a, b in itertools.permutations(VALUES, 2)
        for text in SAID
    )
    verdict = found["isolation.tags: a.json/App by team"]
    assert verdict is (Verdict.BROKEN if met else Verdict.HOLDS)
