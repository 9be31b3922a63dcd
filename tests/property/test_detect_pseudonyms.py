"""Tags of pseudonyms are HMAC-SHA256 over type and value."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.pseudonyms import Pseudonyms


@given(key=st.binary(min_size=32, max_size=32), value=st.text())
def test_a_pseudonym_is_a_tag_over_type_and_value(key: bytes, value: str) -> None:
    tag = hmac.digest(key, b"EMAIL\0" + value.encode(errors="replace"), "sha256").hex()[:6]
    assert Pseudonyms(key).of("EMAIL", value) == f"[EMAIL_{tag}]"
