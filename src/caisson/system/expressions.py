"""Regular expressions in a system file: RE2 (linear time, no ReDoS), of bounded width, never matching nothing (SEC-04).

The width bounds how much of a streamed answer is held back while a match could still be open. Python's parser tells it;
what Python and RE2 read differently is refused.

>>> refusal("CLM-[0-9]+")
'an expression of bounded width: {1,20} instead of +, {0,20} instead of *'
"""

from __future__ import annotations

import re
import warnings
from re import _parser  # type: ignore[attr-defined]  # nothing public tells a pattern's width

import re2

WIDTH_CHARACTERS_MAX = 512
"""Widest match of a pattern."""
REASON_CHARACTERS_MAX = 100
"""How much of a compiler's own words a message repeats."""


def refusal(expression: str) -> str:
    """What was expected of the expression; empty when it will do."""
    if "{," in expression:
        return "an expression with {0,5} instead of {,5}, which RE2 takes for text"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "possible nested set": [[:alpha:]] is two things in two dialects
            least, most = _parser.parse(expression).getwidth()
        options = re2.Options()
        options.log_errors = False
        re2.compile(expression, options)
    except (re.error, re2.error, Warning, OverflowError, RecursionError, ValueError) as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"an RE2 expression that compiles ({reason[:REASON_CHARACTERS_MAX]})"
    if least == 0:
        return "an expression that never matches nothing"
    if most > WIDTH_CHARACTERS_MAX:
        unbounded = most >= int(_parser.MAXREPEAT)
        return (
            "an expression of bounded width: {1,20} instead of +, {0,20} instead of *"
            if unbounded
            else f"an expression of at most {WIDTH_CHARACTERS_MAX} characters' width"
        )
    return ""
