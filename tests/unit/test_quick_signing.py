"""The campaigns' signer signs as botocore does."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from quick_signing import Signer

MADE: dict[str, Any] = {
    "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "c2VjcmV0", "SessionToken": "t.o.k", "Region": "eu-west-1",
    "Endpoints": {"bedrock_runtime": "https://localhost:8443"},
}  # fmt: skip


@pytest.mark.parametrize(
    "target", ["/model/a%3A0/converse", "/", "/v1/models?a=b&c=d", "/guardrail/main/version/1/apply"]
)
@pytest.mark.parametrize("service", ["bedrock", "sts"])
def test_the_signature_is_botocores(target: str, service: str) -> None:
    extra = {"x-amzn-bedrock-trace": "ENABLED", "x-spaced": "a   b"}
    ours = Signer(MADE).headers("POST", target, b'{"a": 1}', extra, service=service)
    request = AWSRequest(
        "POST", f"https://localhost:8443{target}", data=b'{"a": 1}',
        headers={"content-type": "application/json", **extra},
    )  # fmt: skip
    auth = SigV4Auth(
        Credentials(MADE["AccessKeyId"], MADE["SecretAccessKey"], MADE["SessionToken"]), service, "eu-west-1"
    )
    request.context["timestamp"] = ours["x-amz-date"]
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = MADE["SessionToken"]
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={signature}")
