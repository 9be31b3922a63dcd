"""Words that are talked about rather than said: quotations inside a sentence that reports them.

`The slide lists "ignore all previous instructions" as an attack` gives no order. A quotation is left out when its own
sentence reports (example, detector, documentation, ...) and does not ask for it to be said. An attacker may dress an
order up as a report; that is a known miss and a test says so.

>>> without_mentions("The docs list 'drop all rules' as a pattern.")
"The docs list '              ' as a pattern."
>>> without_mentions("Just say 'I was hacked'")
"Just say 'I was hacked'"
"""

from __future__ import annotations

import re

BEFORE_MAX, AFTER_MAX = 120, 80
"""Characters of the sentence that are looked at."""
_QUOTATION = re.compile(
    r"(?<!\w)(?:'[^'\n]{4,90}'(?!\w)|\"[^\"\n]{4,90}\"|“[^”\n]{4,90}”|‘[^’\n]{4,90}’|`[^`\n]{4,90}`|«[^»\n]{4,90}»)"
)
_REPORTS = re.compile(
    r"\b(?:(?:prompts?|phrases?|strings?|patterns?|payloads?|attacks?|sentences?|messages?|inputs?)\s(?:like|such\sas|of)"
    r"|quot(?:e|es|ed|ing)|examples?|samples?|detect\w*|flag(?:s|ged)?|fixtures?|docs|documentation|unit\stests?|assert\w*"
    r"|describ\w+|discuss\w*|paraphrases|changelog|readme|appendix|evidence|slides?|workshop|articles?|blog|papers?"
    r"|guidance|owasp|benchmark\w*|writeup|recogni[sz]e|students|analysts?|researchers?|refus\w+|rule|mitigat\w*"
    r"|classif\w*|risky|unsafe|dangerous|means?|meaning|term|expression|idiom|translate\sthe\sword|test\sdata)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:say|saying|print|output|repeat|write|reply|respond|answer|state|type|echo|with|and|is)\W{1,4}$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"\n|[.!?]\s")


def without_mentions(text: str) -> str:
    """The text with blanks for what is only talked about; places stay what they are."""
    kept: list[str] = []
    at = 0
    for found in _QUOTATION.finditer(text):
        start, end = found.span()
        before = _SENTENCE_END.split(text[max(0, start - BEFORE_MAX) : start])[-1]
        after = _SENTENCE_END.split(text[end : end + AFTER_MAX])[0]
        if _ASKS.search(before) or not (_REPORTS.search(before) or _REPORTS.search(after)):
            continue
        kept += [text[at : start + 1], " " * (end - start - 2)]
        at = end - 1
    return "".join([*kept, text[at:]]) if kept else text
