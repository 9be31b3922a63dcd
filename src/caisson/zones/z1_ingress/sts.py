"""The three STS calls, as stock SDKs make them (IAM-06; AWS STS API reference, version 2011-06-15).

- `AssumeRoleWithWebIdentity` is not signed: the issuer's token is the identity. The other two are signed.
- `AssumeRole` hands on an intersection, never more (policy/sessions.py).
- A parameter that would change what the credentials may do, and that is not carried out here, is refused by its name.

>>> status, xml = await TokenService(...).handle(request, "request-1")  # doctest: +SKIP
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qsl

from caisson.errors import CallerError, ChannelError, LedgerError, Refusal, WireError
from caisson.policy import sessions as policy
from caisson.ports.credentials import Credentials, Principal, SessionCredentials
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.identity import Identity
from caisson.zones.z1_ingress.sessions import Sessions

VERSION = "2011-06-15"
NAMESPACE = f"https://sts.amazonaws.com/doc/{VERSION}/"
FIELDS_MAX = 32
BODY_BYTES_MAX = 65_536
DURATION_S_MAX = 43_200
"""Largest DurationSeconds that AWS takes; ours is capped at what the system allows."""

_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_FORM = b"application/x-www-form-urlencoded"
_PARAMETERS: dict[str, frozenset[str]] = {
    "AssumeRoleWithWebIdentity": frozenset({"RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"}),
    "AssumeRole": frozenset({"RoleArn", "RoleSessionName", "DurationSeconds"}),
    "GetCallerIdentity": frozenset(),
}
_CODES: dict[WireError, tuple[str, int]] = {
    WireError.VALIDATION: ("ValidationError", 400),
    WireError.UNKNOWN_OPERATION: ("InvalidAction", 400),
    WireError.ACCESS_DENIED: ("AccessDenied", 403),
    WireError.EXPIRED_TOKEN: ("ExpiredToken", 403),
    WireError.UNRECOGNIZED_CLIENT: ("InvalidClientTokenId", 403),
    WireError.INVALID_SIGNATURE: ("SignatureDoesNotMatch", 403),
    WireError.INCOMPLETE_SIGNATURE: ("IncompleteSignature", 400),
    WireError.MISSING_AUTHENTICATION: ("MissingAuthenticationToken", 403),
    WireError.THROTTLING: ("Throttling", 400),
    WireError.UNAVAILABLE: ("ServiceUnavailable", 503),
}
"""Names of the query protocol's common errors (AWS STS API reference, Common Errors)."""
_WEB_CODES: dict[WireError, tuple[str, int]] = {
    WireError.UNRECOGNIZED_CLIENT: ("InvalidIdentityToken", 400),
    WireError.EXPIRED_TOKEN: ("ExpiredTokenException", 400),
}
"""What AssumeRoleWithWebIdentity calls its own (botocore sts/2011-06-15)."""

OnRefusal = Callable[[Refusal, HttpRequest, str], None]
"""Told of each refusal, with the request and its id."""


class TokenService:
    """Answers POST / with form-encoded parameters."""

    def __init__(
        self, *, identity: Identity, sessions: Sessions, credentials: Credentials, on_refusal: OnRefusal
    ) -> None:
        self._identity = identity
        self._sessions = sessions
        self._credentials = credentials
        self._on_refusal = on_refusal

    async def handle(self, request: HttpRequest, request_id: str) -> tuple[int, bytes]:
        """HTTP status and XML body."""
        action = ""
        try:
            parameters = _form(request)
            action = parameters.get("Action", "")
            result = await self._act(action, parameters, request)
        except CallerError as error:
            result = error.refusal
        except (ChannelError, LedgerError):
            result = Refusal(
                error=WireError.UNAVAILABLE,
                rule="session.record",
                message="The session could not be recorded, so it was not opened; retry later.",
            )
        if isinstance(result, Refusal):
            self._on_refusal(result, request, request_id)
            return _error(result, action, request_id)
        return 200, _answer(action, result, request_id)

    async def _act(self, action: str, parameters: Mapping[str, str], request: HttpRequest) -> str | Refusal:
        refusal = _known(action, parameters)
        if refusal is not None:
            return refusal
        if action == "AssumeRoleWithWebIdentity":
            return await self._with_web_identity(parameters)
        caller = await self._identity.authenticate(request, service="sts")
        if isinstance(caller, Refusal):
            return caller
        return self._caller(caller) if action == "GetCallerIdentity" else await self._assume(caller, parameters)

    async def _with_web_identity(self, parameters: Mapping[str, str]) -> str | Refusal:
        asked = self._asked(parameters)
        if isinstance(asked, Refusal):
            return asked
        role, name, lifetime_s = asked
        web = await self._identity.web_identity(parameters.get("WebIdentityToken", ""))
        if isinstance(web, Refusal):
            return web
        opened = await self._sessions.open(
            user=web.user,
            groups=web.groups,
            role=role,
            lifetime_s=lifetime_s,
            method="oidc",
            note=f"RoleSessionName {name}",
        )
        if isinstance(opened, Refusal):
            return opened
        subject = f"<SubjectFromWebIdentityToken>{escape(web.user)}</SubjectFromWebIdentityToken>"
        return self._credentials_xml(self._credentials.mint(opened), name) + subject

    async def _assume(self, caller: Principal, parameters: Mapping[str, str]) -> str | Refusal:
        asked = self._asked(parameters)
        if isinstance(asked, Refusal):
            return asked
        role, name, lifetime_s = asked
        child = await self._sessions.narrow(caller, role=role, lifetime_s=lifetime_s, note=f"RoleSessionName {name}")
        return child if isinstance(child, Refusal) else self._credentials_xml(self._credentials.mint(child), name)

    def _asked(self, parameters: Mapping[str, str]) -> tuple[policy.Role, str, float | None] | Refusal:
        """Role, session name and duration of either AssumeRole call."""
        state = self._sessions.state()
        if isinstance(state, Refusal):
            return state
        role = policy.parse_role(parameters.get("RoleArn", ""), state[0].name)
        if isinstance(role, Refusal):
            return role
        name, duration = parameters.get("RoleSessionName", ""), parameters.get("DurationSeconds")
        if not _SESSION_NAME.fullmatch(name):
            return _invalid("RoleSessionName", "2 to 64 letters, digits or any of _+=,.@-")
        if duration is None:
            return role, name, None
        if not (duration.isascii() and duration.isdigit() and len(duration) <= 5):
            return _invalid("DurationSeconds", f"{policy.DURATION_MIN_S} to {DURATION_S_MAX} seconds")
        if not policy.DURATION_MIN_S <= int(duration) <= DURATION_S_MAX:
            return _invalid("DurationSeconds", f"{policy.DURATION_MIN_S} to {DURATION_S_MAX} seconds")
        return role, name, float(duration)

    def _arn(self, principal: Principal, name: str) -> str:
        state = self._sessions.state()
        if isinstance(state, Refusal):
            raise CallerError(state)
        return (
            f"arn:aws:sts::{policy.ACCOUNT_ID}:assumed-role/{state[0].name}/{principal.agent}/{principal.task}/{name}"
        )

    def _caller(self, caller: Principal) -> str:
        return (
            f"<Arn>{escape(self._arn(caller, caller.user))}</Arn>"
            f"<UserId>{escape(f'{caller.session_id}:{caller.user}')}</UserId>"
            f"<Account>{policy.ACCOUNT_ID}</Account>"
        )

    def _credentials_xml(self, minted: SessionCredentials, name: str) -> str:
        expiration = datetime.fromtimestamp(int(minted.expiration), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"<AssumedRoleUser><AssumedRoleId>{minted.principal.session_id}:{escape(name)}</AssumedRoleId>"
            f"<Arn>{escape(self._arn(minted.principal, name))}</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{minted.access_key_id}</AccessKeyId>"
            f"<SecretAccessKey>{minted.secret_access_key}</SecretAccessKey>"
            f"<SessionToken>{minted.session_token}</SessionToken>"
            f"<Expiration>{expiration}</Expiration></Credentials>"
        )


def _form(request: HttpRequest) -> dict[str, str]:
    content_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if content_type != _FORM or request.query or len(request.body) > BODY_BYTES_MAX:
        raise CallerError(
            _malformed(f"a body of type {_FORM.decode()!r} of at most {BODY_BYTES_MAX} bytes, and no query string")
        )
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:  # UnicodeDecodeError too
        raise CallerError(_malformed(f"at most {FIELDS_MAX} well-formed parameters in the body")) from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise CallerError(_malformed("each parameter once"))
    return parameters


def _known(action: str, parameters: Mapping[str, str]) -> Refusal | None:
    allowed = _PARAMETERS.get(action)
    if allowed is None:
        return Refusal(
            error=WireError.UNKNOWN_OPERATION,
            rule="sts.action",
            message=f"Expected the action {', '.join(map(repr, _PARAMETERS))}; found {action[:64]!r}.",
        )
    if parameters.get("Version") != VERSION:
        return _invalid("Version", repr(VERSION))
    unknown = sorted(parameters.keys() - allowed - {"Action", "Version"})
    if unknown:
        return Refusal(
            error=WireError.VALIDATION,
            rule="sts.parameter",
            message=f"The parameter {unknown[0][:64]!r} is not carried out here, so it is refused; leave it out.",
        )
    return None


def _invalid(parameter: str, expected: str) -> Refusal:
    return Refusal(
        error=WireError.VALIDATION,
        rule="sts.parameter",
        message=f"1 validation error detected: expected {expected} as {parameter!r}.",
    )


def _malformed(expected: str) -> Refusal:
    return Refusal(error=WireError.VALIDATION, rule="sts.form", message=f"Expected {expected}.")


def _answer(action: str, result: str, request_id: str) -> bytes:
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def _error(refusal: Refusal, action: str, request_id: str) -> tuple[int, bytes]:
    code, status = _CODES.get(refusal.error, (refusal.error.code, refusal.error.status))
    if action == "AssumeRoleWithWebIdentity":
        code, status = _WEB_CODES.get(refusal.error, (code, status))
        if refusal.rule == "oidc.unreachable":
            code, status = "IDPCommunicationError", 400
    kind = "Sender" if status < 500 else "Receiver"
    message = escape("".join(character if character.isprintable() else "?" for character in refusal.message))
    return status, (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    ).encode()
