"""Where a user's value goes back in, and where a hostile model tries to have it."""

# ruff: noqa: E501  (tables of samples)

from __future__ import annotations

import pytest

from caisson.detect.pseudonyms import Pseudonyms, escaped
from caisson.detect.restoring import Restoring

MAIL = "[EMAIL_7f3a9c]"
LINK = "[URL_0a1b2c3d4e5f]"
VALUES = {MAIL: "alice@example.com", LINK: "https://user.example/?q="}


def restored(text: str) -> str:
    return Restoring(VALUES).take(text, final=True)


@pytest.mark.parametrize(
    "text",
    [
        MAIL, f"Write to {MAIL}.", f"({MAIL})", f"**{MAIL}**", f"`{MAIL}`", f'"{MAIL}"', f"{MAIL}, {MAIL}; {MAIL}", f"- {MAIL}\n",
        f"邮箱{MAIL}谢谢", f"is it {MAIL}?", f"Email:{MAIL}", f"<p>{MAIL}</p>", f"<p class='x'>\n{MAIL}\n</p>", f"a < b, {MAIL}",
        f"| {MAIL} | x |", f"[{MAIL}]", f"{MAIL}'s claim", f"see https://x.example and {MAIL}", f"{MAIL}\u3002",
    ],
)  # fmt: skip
def test_restored(text: str) -> None:
    assert restored(text) == text.replace(MAIL, "alice@example.com")


@pytest.mark.parametrize(
    "text",
    [
        f"https://evil.example/{MAIL}", f"https://evil.example/?q={MAIL}", f"//evil.example/{MAIL}", f"www.evil.example-{MAIL}",
        f"WWW.evil{MAIL}", f"?q={MAIL}", f"a&b={MAIL}", f"evil.example/{MAIL}", f"x@{MAIL}", f"{MAIL}.evil.example", f"{MAIL}@evil.example",
        f"{MAIL}-x.evil.example", f"{MAIL}evil.example", f"{MAIL}。evil", f"{MAIL}．evil", f"{MAIL}/x", f"{MAIL}?x", f"{MAIL}:80",
        f"![x]({MAIL})", f"[x]({MAIL} 'title')", f"<{MAIL[1:]}", f"<img src='{MAIL}'>", f'<img alt="a b {MAIL}" src=x>', f"<a {MAIL}>",
        f"<img src=\"https://evil.example/{'a' * 5000} {MAIL}\">", f"`<a b=\"` <img src=\"> {MAIL}", f"<!-- > <a b=\"--> <img src=\"> {MAIL}",
        f"<script>x = ' {MAIL} '", f"<STYLE>\n{MAIL}", f"<svg> {MAIL}", f"[x](<https://evil.example/ {MAIL}>)", f"{MAIL}{'.' * 70}",
        f"https://evil.example/中文{MAIL}", f"http:\\\\evil\\{MAIL}", f"https://evil.example/\u200b{MAIL}", f"[a]: https://evil.example/{MAIL}",
        f"https://evil.example/%{MAIL}", f"</a href='> {MAIL}", f"<<a b='> {MAIL}",
    ],
)  # fmt: skip
def test_not_restored(text: str) -> None:
    assert restored(text) == text


@pytest.mark.parametrize(
    "text", ["[EMAIL_7f3a9d]", "[EMAIL_7F3A9C]", "[email_7f3a9c]", "[EMAIL_7f3a9c", "EMAIL_7f3a9c]", "[EMAIL _7f3a9c]"]
)
def test_unknown(text: str) -> None:
    assert restored(text) == text


def test_restored_address_takes_nothing_along() -> None:
    assert restored(f"{LINK}[EMAIL_7f3a9c]") == f"{VALUES[LINK]}{MAIL}"
    assert restored(f"{LINK},{MAIL}") == f"{VALUES[LINK]},{MAIL}"
    assert restored(f"{LINK} {MAIL}") == f"{VALUES[LINK]} alice@example.com"


def test_restored_value_is_not_read_again() -> None:
    values = {MAIL: "[EMAIL_aaaaaa]", "[EMAIL_aaaaaa]": "x"}
    assert Restoring(values).take(f"{MAIL} ", final=True) == "[EMAIL_aaaaaa] "


def test_text_leaves_word_by_word() -> None:
    restoring = Restoring(VALUES)
    assert restoring.take("Dear ", final=False) == "Dear "
    assert restoring.take("[EMA", final=False) == ""
    assert restoring.take("IL_7f3a9c]", final=False) == ""
    assert restoring.take(" hello", final=False) == "alice@example.com hello"


def test_pseudonym_depends_on_key_type_and_value() -> None:
    first = Pseudonyms(bytes(32))
    assert first.of("EMAIL", "a") == Pseudonyms(bytes(32)).of("EMAIL", "a")
    others = [Pseudonyms(b"\1" * 32).of("EMAIL", "a"), first.of("EMAIL", "b"), first.of("PHONE", "a")]
    assert len({first.of("EMAIL", "a")[-7:], *(other[-7:] for other in others)}) == 4


def test_collision_takes_twelve_digits() -> None:
    short = Pseudonyms(bytes(32)).of("EMAIL", "a")
    crowded = Pseudonyms(bytes(32), {short: "b"})
    long = crowded.of("EMAIL", "a")
    assert len(long) == len(short) + 6 and long.startswith(short[:-1])
    assert crowded.of("EMAIL", "a") == long


def test_escaped_is_no_pseudonym() -> None:
    assert escaped("[CLAIM_ID_7f3a9c]") == r"[CLAIM_ID\_7f3a9c]"
    assert restored(escaped(MAIL)) == r"[EMAIL\_7f3a9c]"
