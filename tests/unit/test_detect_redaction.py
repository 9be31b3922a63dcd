"""Redaction for the log, and the forms of text that detection sees."""

from __future__ import annotations

import unicodedata

import pytest

from caisson.detect.redaction import SLICE_CHARACTERS, Redactor
from caisson.detect.rule import TAIL_CHARACTERS_MAX, Rule
from caisson.detect.view import views
from caisson.detect.visible import EVEN_ASTRAL, IGNORABLE, origins, visible
from caisson.detect.width import WIDTH_CHARACTERS_MAX, width_max
from caisson.errors import DeveloperError

KEY = bytes(32)


def test_credentials_and_personal_data_go() -> None:
    text = "alice@example.com, AKIAIOSFODNN7EXAMPLE, 123-45-6789, password = hunter2!"
    redacted, count = Redactor().redact(text, KEY)
    assert count == 4
    for gone in ("alice", "AKIA", "6789", "hunter2"):
        assert gone not in redacted
    assert redacted.count("[CREDENTIAL_") == 2 and "[US_SOCIAL_SECURITY_NUMBER_" in redacted


def test_same_value_same_pseudonym() -> None:
    redactor = Redactor()
    assert redactor.redact("alice@example.com", KEY) == redactor.redact("ALICE@example.com", KEY)
    assert redactor.redact("alice@example.com", KEY) != redactor.redact("alice@example.com", b"\1" * 32)


def test_clean_text_stays() -> None:
    for text in ("", "nothing here", "\ud800", "[EMAIL_7f3a9c]"):
        assert Redactor().redact(text, KEY) == (text, 0)


@pytest.mark.parametrize("length", [TAIL_CHARACTERS_MAX - 100, TAIL_CHARACTERS_MAX + 100, 3 * SLICE_CHARACTERS])
def test_nothing_is_too_long_to_redact(length: int) -> None:
    key = "-----BEGIN PRIVATE KEY-----" + "A1b2" * (length // 4) + "-----END PRIVATE KEY-----"
    redacted, count = Redactor().redact(f"a {key} b", KEY)
    assert count == 1 and redacted.startswith("a [CREDENTIAL_") and redacted.endswith("] b")


def test_slices_hide_nothing() -> None:
    for shift in range(0, 24, 3):
        text = "x " * (SLICE_CHARACTERS // 2 - 12) + " " * shift + "AKIAIOSFODNN7EXAMPLE"
        assert Redactor().redact(text, KEY)[1] == 1


def test_visible_form_maps_back() -> None:
    text = "a\u200bb\ufb01\uff21\u00e9\U0001f600\U000e0041z"
    seen = visible(text)
    assert seen == "abfiA\u00e9\U0001f600z"
    found = origins(text)
    assert found is not None and list(found) == [0, 2, 3, 3, 4, 5, 6, 8]
    _, view = views(text)
    assert view.original(0, 2) == (0, 3)
    assert view.original(2, 3) == (3, 4)
    assert view.from_original(1) == 1 and view.to_original(len(seen)) == 9


def test_even_ranges_are_even() -> None:
    for first, last in EVEN_ASTRAL:
        assert all(len(unicodedata.normalize("NFKC", chr(code))) == 1 for code in range(first, last + 1))
        assert not any(first <= end and start <= last for start, end in IGNORABLE)


@pytest.mark.parametrize("text", ["é1€😀x", "ascii", "", "\ud800é"])
def test_bytes_and_characters(text: str) -> None:
    (view,) = views(text) if visible(text) == text else (views(text)[0],)
    for character in (*range(len(text) + 1), 0, len(text), 1 if text else 0):
        assert view.character(view.byte(character)) == character


def test_width_is_bounded() -> None:
    assert width_max("ab{2,5}") == 7
    assert width_max("ab{,2}") == 6, "RE2 reads six characters of text"
    for pattern in ("a+", "a*", f"a{{{WIDTH_CHARACTERS_MAX + 1}}}", "("):
        with pytest.raises(DeveloperError):
            width_max(pattern)
    assert Rule(id="a.b", type="B", pattern="x{3}").span == 4
