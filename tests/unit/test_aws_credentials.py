"""Credentials of a named profile: the profile alone, refreshed, withdrawn, and never shown (SEC-07)."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.aws.bedrock.endpoint import endpoint_of
from caisson.adapters.aws.bedrock.lease import Access, Lease, decode, encode
from caisson.adapters.aws.bedrock.profile import ProfileCredentials
from caisson.errors import ConfigurationError, StartError, UpstreamError, WireError
from caisson.ports.clock import Clock

AMBIENT = {
    "AWS_ACCESS_KEY_ID": "AKIAAMBIENT000000000",
    "AWS_SECRET_ACCESS_KEY": "ambient",
    "AWS_SESSION_TOKEN": "ambient",
}


class HeldClock(Clock):
    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An owner's home, with credentials in the environment that nobody asked for."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return tmp_path


def config(home: Path, text: str) -> None:
    (home / ".aws/config").write_text(text)


def keys(home: Path, profile: str, key_id: str) -> None:
    (home / ".aws/credentials").write_text(f"[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = hush\n")


def program(home: Path, minutes: float, counter: Path, **fields: Any) -> str:
    """A credential_process whose credentials end in `minutes` from now; it counts its runs."""
    ends = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    answer = {"Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "hush", "SessionToken": "tok",
              "Expiration": ends, **fields}  # fmt: skip
    script = home / "process.py"
    script.write_text(f"open({str(counter)!r}, 'a').write('x')\nprint({json.dumps(answer)!r})\n")
    return f"{sys.executable} {script}"


def lease(profile: str = "team") -> Lease:
    return ProfileCredentials(profile, region="eu-west-1").lease()


def test_keys_of_the_named_profile_and_not_the_environments(home: Path) -> None:
    keys(home, "team", "AKIATEAM")
    found = lease()
    assert (found.access_key_id, found.secret_access_key, found.expires, found.problem) == (
        "AKIATEAM",
        "hush",
        None,
        "",
    )
    assert found.session_token == ""


@pytest.mark.parametrize("profile", ["team", "default"])
def test_a_profile_that_does_not_exist_fails_closed_whatever_the_environment_has(home: Path, profile: str) -> None:
    config(home, "[profile other]\nregion = eu-west-1\n")
    found = lease(profile)
    assert found.access_key_id == ""
    assert repr(profile) in found.problem


def test_a_profile_without_credentials_does_not_fall_back(home: Path) -> None:
    config(home, "[profile team]\nregion = eu-west-1\n")
    assert lease() == Lease(problem="the profile 'team' names no credentials of its own")


def test_half_a_key_is_said_to_be_half(home: Path) -> None:
    (home / ".aws/credentials").write_text("[team]\naws_access_key_id = AKIATEAM\n")
    assert "half" in lease().problem


def test_a_rotated_key_takes_effect(home: Path) -> None:
    keys(home, "team", "AKIAOLD")
    source = ProfileCredentials("team", region="eu-west-1")
    assert source.lease().access_key_id == "AKIAOLD"
    keys(home, "team", "AKIANEW")
    assert source.lease().access_key_id == "AKIANEW"
    (home / ".aws/credentials").unlink()
    assert source.lease().problem


def test_a_program_is_asked_once_and_again_before_its_credentials_end(home: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    config(home, f"[profile team]\ncredential_process = {program(home, 60, runs)}\n")
    source = ProfileCredentials("team", region="eu-west-1")
    first = source.lease()
    assert (first.access_key_id, first.session_token) == ("ASIAPROCESS", "tok")
    assert first.expires == pytest.approx(datetime.now(UTC).timestamp() + 3_600, abs=60)
    source.lease()
    assert runs.read_text() == "x"
    config(home, f"[profile team]\ncredential_process = {program(home, 14, runs)}\n")  # inside botocore's 15 minutes
    source = ProfileCredentials("team", region="eu-west-1")
    source.lease()
    before = len(runs.read_text())
    source.lease()
    assert len(runs.read_text()) > before


def test_what_a_program_says_when_it_fails_is_not_repeated(home: Path) -> None:
    config(home, f"[profile team]\ncredential_process = {sys.executable} -c \"import sys; sys.exit('hush')\"\n")
    found = lease()
    assert found.problem == "what the profile 'team' names gave no credentials"


def test_a_program_that_is_not_there(home: Path) -> None:
    config(home, "[profile team]\ncredential_process = /nowhere/at-all\n")
    assert "FileNotFoundError" in lease().problem


ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>tok</SessionToken>
<Expiration>{ends}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.fixture
def sts() -> Iterator[tuple[str, list[str]]]:
    """An STS on loopback that assumes any role for an hour, or refuses when its list says so."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["content-length"])).decode())
            denied = "denied" in asked[-1]
            ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>SECRET</Message></Error></ErrorResponse>"
            said = (error if denied else ASSUMED.format(ends=ends)).encode()
            self.send_response(403 if denied else 200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            asked.append(self.path)
            role = {"AccessKeyId": "ASIACONTAINER", "SecretAccessKey": "s", "Token": "t"}
            said = json.dumps({**role, "Expiration": "2999-01-01T00:00:00Z"}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def assuming(home: Path, url: str, role: str) -> None:
    keys(home, "base", "AKIABASE")
    config(
        home,
        f"[profile team]\nrole_arn = arn:aws:iam::000000000000:role/{role}\nsource_profile = base\n"
        f"region = eu-west-1\nservices = local\n[services local]\nsts =\n  endpoint_url = {url}\n",
    )


def test_a_role_is_assumed_with_the_source_profiles_keys_and_held(
    home: Path, sts: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = sts
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assuming(home, url, "x")
    source = ProfileCredentials("team", region="eu-west-1")
    found = source.lease()
    assert (found.access_key_id, found.session_token, found.problem) == ("ASIAASSUMED", "tok", "")
    assert found.expires == pytest.approx(datetime.now(UTC).timestamp() + 3_600, abs=60)
    source.lease()
    assert len(asked) == 1


def test_a_containers_role_is_not_taken_for_the_profiles(
    home: Path, sts: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = sts
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/role")
    config(home, "[profile team]\nregion = eu-west-1\n")
    assert lease() == Lease(problem="the profile 'team' names no credentials of its own")
    assert asked == []


def test_a_role_that_may_not_be_assumed_says_so_without_awss_sentence(home: Path, sts: tuple[str, list[str]]) -> None:
    assuming(home, sts[0], "denied")
    assert lease().problem == "AWS refused the profile 'team' with 'AccessDenied'"


def test_a_role_through_a_source_profile_without_credentials_fails_closed(home: Path) -> None:
    config(
        home,
        "[profile team]\nrole_arn = arn:aws:iam::000000000000:role/x\nsource_profile = base\n"
        "[profile base]\nregion = eu-west-1\n",
    )
    assert "contradicts itself" in lease().problem


def test_single_sign_on_that_has_ended_says_how_to_begin_again(home: Path) -> None:
    config(
        home,
        "[profile team]\nsso_session = s\nsso_account_id = 000000000000\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
    )
    assert lease().problem == "sign in again: aws sso login --profile team"


def test_a_lease_travels_as_a_line_and_hides_its_secrets() -> None:
    given = Lease(access_key_id="AKIA", secret_access_key="hush", session_token="quiet", expires=5.0)
    line = encode(given)
    assert line.count(b"\n") == 1
    assert decode(line) == given
    assert "hush" not in repr(given)
    assert "quiet" not in repr(given)


@pytest.mark.parametrize("line", [b"", b"{}x", b'{"access_key_id": 1}', b'{"other": ""}', b"\xff"])
def test_a_line_that_is_no_lease(line: bytes) -> None:
    with pytest.raises(ConfigurationError):
        decode(line)


def refused(access: Access) -> str:
    with pytest.raises(UpstreamError) as raised:
        access.keys()
    assert raised.value.refusal.error is WireError.UNAVAILABLE
    return raised.value.refusal.rationale


def test_without_a_lease_nothing_is_signed() -> None:
    clock = HeldClock()
    access = Access(clock)
    assert "no credentials have arrived" in refused(access)
    access.put(Lease(access_key_id="AKIA", secret_access_key="hush", expires=1_001.0))
    assert access.keys().access_key_id == "AKIA"
    clock.at = 1_001.0
    assert "expired" in refused(access)
    access.put(Lease(access_key_id="AKIA", secret_access_key="hush"))
    assert access.keys().secret_access_key == "hush"
    access.put(Lease(problem="gone"))
    assert refused(access) == "no credentials of the upstream: gone"
    access.put(Lease(access_key_id="AKIA"))
    assert "the profile has none" in refused(access)


def test_the_endpoint_of_a_region() -> None:
    assert endpoint_of("eu-west-1").url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert endpoint_of("us-gov-west-1").host == b"bedrock-runtime.us-gov-west-1.amazonaws.com"
    assert endpoint_of("cn-north-1").url == "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"
    assert endpoint_of("eu-west-1", "http://127.0.0.1:4566/").url == "http://127.0.0.1:4566"
    assert endpoint_of("eu-west-1", "https://[::1]:1").host == b"[::1]:1"


@pytest.mark.parametrize(
    "override",
    ["http://10.0.0.1", "https://bedrock.example.com", "http://localhost.example.com", "http://127.0.0.1@evil", "ftp://127.0.0.1",
     "http://127.0.0.1/path", "http://127.0.0.1?x", "http://127.0.0.1:x", "127.0.0.1:80", "http://169.254.169.254",
     "http://u:p@127.0.0.1"],
)  # fmt: skip
def test_any_other_endpoint_is_refused(override: str) -> None:
    with pytest.raises(StartError):
        endpoint_of("eu-west-1", override)
