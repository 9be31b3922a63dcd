"""Is this made of words, as names in programs are, or did a machine draw it?

Letters of words follow each other in known ways; those of random tokens do not. The table comes from
`training/letter_pairs.py`: for the beginning of a word and for each letter, a digit for every letter that may follow, 0
for never to 9 for a quarter of the time and more.

>>> wordlike("my-client-password"), wordlike("a8Fj3kLm9Qz7Xw2Vb5Nc")
(True, False)
"""

from __future__ import annotations

import re

_PAIRS = (
    "76877766734676674787656433",
    "26772361615878061878554451",
    "85658332762955860775813163",
    "82548328607744932658633040",
    "74469442932635741675732340",
    "73785652403768364887354641",
    "72457831900744842766703150",
    "73539367800757640775743014",
    "92349213803554820757600050",
    "66766660202769761678060506",
    "80539202605301950562901040",
    "64569462802736553584527030",
    "84469422802834840366632071",
    "96359210804563880265611040",
    "73788683705535742378652031",
    "55773550515779670876756422",
    "82458435704833871867624060",
    "31443212310517344672912000",
    "84669452805565840677544160",
    "63649447805644673479734150",
    "83549417902543750776634263",
    "67657550601778570878200200",
    "93509423800244640342023000",
    "94468407902547833873325300",
    "75758604800663580559432654",
    "45657554700677690588456233",
    "71339504800555740335302053",
)  # fmt: skip
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ALPHABET = re.compile("|".join("abcdefghijklmnopqrstuvwxyz"[at : at + 5] for at in range(22)))
"""Part of the alphabet, as in example keys; no word has it."""
_LETTERS = re.compile(r"[A-Za-z]+")
WORD_LETTERS_MIN = 3
"""Shorter runs of letters tell nothing."""
USUAL = 6.0
"""Mean digit of a run from which on it is a word: 98 of 100 words of five letters and more, 3 to 14 of 100 others."""
SHARE = 0.6
"""Part of the characters that must be in words."""


def usual(run: str) -> float:
    """Mean digit of the pairs of a run of letters.

    >>> usual("authorization") > USUAL > usual("qzxkvwpj")
    True
    """
    codes = [ord(letter) - 96 for letter in run.lower()]
    return sum(int(_PAIRS[first][second - 1]) for first, second in zip([0, *codes], codes, strict=False)) / len(codes)


def wordlike(value: str) -> bool:
    """True when most of the value is words, with nothing but a number or two besides."""
    letters = sum(map(len, _LETTERS.findall(value)))
    others = sum(character.isdigit() for character in value)
    in_words = sum(
        len(run)
        for run in _RUN.findall(value)
        if len(run) >= WORD_LETTERS_MIN and usual(run) >= USUAL and not _ALPHABET.search(run.lower())
    )
    return letters > 0 and in_words >= SHARE * (letters + others)
