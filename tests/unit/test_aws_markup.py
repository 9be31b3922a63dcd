"""XML of AWS: what an error says is read, and nothing that declares anything is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.aws.api.calls import _failed
from caisson.adapters.aws.api.identity import _credentials
from caisson.adapters.aws.api.markup import DOCUMENT_BYTES_MAX, error_in, parsed
from caisson.errors import LedgerError

STS = (
    b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    b"<Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>"
    b"<RequestId>r</RequestId></ErrorResponse>"
)
S3 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>PreconditionFailed</Code><Message>one &amp; other</Message>'
    b"<Condition>If-None-Match</Condition></Error>"
)
PARTS = {
    "AccessKeyId": "ASIA0000000000000000",
    "SecretAccessKey": "hush",
    "SessionToken": "token",
    "Expiration": "2027-01-01T00:00:00Z",
}
LAUGHS = b'<!DOCTYPE a [<!ENTITY e "AccessDenied">]><ErrorResponse><Error><Code>&e;</Code></Error></ErrorResponse>'


@pytest.mark.parametrize(
    ("raw", "code", "sentence"),
    [
        (STS, "AccessDenied", "not authorized to perform: sts:AssumeRole"),
        (S3, "PreconditionFailed", "one & other"),
    ],
    ids=["query", "s3"],
)
def test_a_services_reason_is_read(raw: bytes, code: str, sentence: str) -> None:
    assert error_in(parsed(raw)) == (code, sentence)
    failed = _failed(403, raw)
    assert (failed.code, failed.perhaps_done) == (code, False)
    assert sentence in str(failed)


@pytest.mark.parametrize(
    "raw",
    [
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        LAUGHS.decode().encode("utf-16-le"),
        LAUGHS.decode().encode("utf-16-be"),
        b'<?xml version="1.0" encoding="UTF-16BE"?>' + LAUGHS,
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE a+AD4-<Error><Code>x</Code></Error>',
        b"<Error><Code>x</Code></Error>" + b" " * DOCUMENT_BYTES_MAX,
        b"<Error><Code>x</Code>",
        b"<html>Service Unavailable</html>",
        b"<Error>&e;</Error>",
        b"",
    ],
)
def test_what_is_no_error_document_has_the_status_as_its_code(raw: bytes) -> None:
    failed = _failed(503, raw)
    assert (failed.code, failed.perhaps_done) == ("Status503", True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_credentials_that_declare_something_are_none(encoding: str) -> None:
    """Whatever encoding hides the declaration."""
    told = "".join(f"<{part}>{value}</{part}>" for part, value in PARTS.items())
    answer = f'<r xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Credentials>{told}</Credentials></r>'
    assert _credentials(answer.encode())[0].secret_access_key == "hush"
    declared = '<!DOCTYPE r [<!ENTITY e "other">]>' + answer.replace("hush", "&e;")
    with pytest.raises(LedgerError, match="expected credentials"):
        _credentials(declared.encode(encoding))


@given(st.binary(max_size=300) | st.text(alphabet="<>/!&;Error Code\"'=-[]CDAT", max_size=200).map(str.encode))
def test_no_body_raises_anything_else(raw: bytes) -> None:
    assert _failed(400, raw).code
