"""Tags of pseudonyms are HMAC-SHA256 as the standard library computes it."""

from __future__ import annotations

import hmac

from hypothesis import example, given
from hypothesis import strategies as st

from caisson.detect.pseudonyms import Pseudonyms, hmac_sha256


@given(key=st.binary(max_size=130), message=st.binary(max_size=200))
@example(key=bytes(64), message=b"")
@example(key=bytes(65), message=b"a")
def test_tags_are_hmac(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256").hex()


@given(key=st.binary(min_size=32, max_size=32), value=st.text())
def test_a_pseudonym_is_a_tag_over_type_and_value(key: bytes, value: str) -> None:
    tag = hmac.digest(key, b"EMAIL\0" + value.encode(errors="replace"), "sha256").hex()[:6]
    assert Pseudonyms(key).of("EMAIL", value) == f"[EMAIL_{tag}]"
