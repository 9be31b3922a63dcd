"""Who sent a request: step 2 of the request path (IAM-01).

- SigV4 with a session token of ours, or `Authorization: Bearer` with a bearer token of ours or of the configured
  issuer. Nothing else is an identity: no header, address or certificate.
- Bearer tokens come over HTTPS only (RFC 6750 section 5.3): who sees one has it.
- Valid orders come first: without them nobody is let in, whatever they hold.
- A token of the issuer says who, not what for: the header `x-caisson-role` does, or the only role there is. Its session
  follows from the token and the role, so that every worker finds the same one.

>>> identity = Identity(sessions=sessions, credentials=credentials, region="eu-west-1", clock=clock)  # doctest: +SKIP
>>> await identity.authenticate(request, service="bedrock")  # doctest: +SKIP
Principal(session_id='s-…', user='alice', …)
"""

from __future__ import annotations

from hashlib import sha256

from caisson.errors import CallerError, Refusal, WireError
from caisson.policy import sessions as policy
from caisson.ports.clock import Clock
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Credentials, Principal
from caisson.system.schema import System
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.oidc import OidcVerifier, WebIdentity
from caisson.zones.z1_ingress.sessions import Sessions
from caisson.zones.z1_ingress.sigv4 import SignatureVerifier

ROLE_HEADER = b"x-caisson-role"

_PLAIN_BEARER = Refusal(
    error=WireError.ACCESS_DENIED,
    rule="identity.plain-bearer",
    message="Bearer tokens are accepted over HTTPS only; use the https endpoint and get a new token.",
)
_NO_ISSUER = Refusal(
    error=WireError.UNRECOGNIZED_CLIENT,
    rule="identity.no-issuer",
    message="The system has no identity provider; sign in with 'caisson session new'.",
)
_EXPIRED_SESSION = Refusal(
    error=WireError.EXPIRED_TOKEN,
    rule="oidc.session-expired",
    message="The session of this identity token is over; get a new token from the identity provider.",
)


class Identity:
    """Authenticates requests under the configuration and orders in force."""

    def __init__(self, *, sessions: Sessions, credentials: Credentials, region: str, clock: Clock) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._clock = clock
        self._signatures = SignatureVerifier(credentials.verify_session_token, region=region)
        self._oidc: OidcVerifier | None = None
        self._issuer: tuple[str, str, str] | None = None

    def set_state(self, system: System, orders: Orders) -> None:
        """Configuration and orders for every decision from now on, also of the sessions given at construction."""
        self._sessions.set_state(system, orders)
        issuer = system.identity.issuer
        wanted = None if issuer is None else (issuer.url, issuer.audience, issuer.groups_claim)
        if wanted != self._issuer:  # an unchanged issuer keeps its fetched keys
            self._issuer = wanted
            self._oidc = (
                None
                if wanted is None
                else OidcVerifier(url=wanted[0], audience=wanted[1], groups_claim=wanted[2], clock=self._clock)
            )

    async def authenticate(self, request: HttpRequest, *, service: str) -> Principal | Refusal:
        """The living principal behind `request`, signed for `service` when it is signed.

        Raises:
            ChannelError: the first use of an issuer's token could not be recorded.
        """
        state = self._sessions.state()
        if isinstance(state, Refusal):
            return state
        try:
            scheme, _, value = (request.header(b"authorization") or b"").partition(b" ")
            if scheme.lower() == b"bearer":  # RFC 9110 section 11.1: the scheme's case does not matter
                return await self._bearer(request, value.strip(b" "))
            verified = self._signatures.verify(request, service=service, now=self._clock.now())
        except CallerError as error:
            return error.refusal
        return verified if isinstance(verified, Refusal) else await self._sessions.alive(verified.principal)

    async def web_identity(self, token: str) -> WebIdentity | Refusal:
        """Who a token of the configured issuer speaks of."""
        return _NO_ISSUER if self._oidc is None else await self._oidc.verify(token, now=self._clock.now())

    async def _bearer(self, request: HttpRequest, value: bytes) -> Principal | Refusal:
        if not request.secure:
            return _PLAIN_BEARER
        token = value.decode("latin-1")
        ours = self._credentials.verify_bearer(token, self._clock.now())
        if isinstance(ours, Principal):
            return await self._sessions.alive(ours)
        if self._oidc is None or ours.error is not WireError.UNRECOGNIZED_CLIENT:
            return ours
        web = await self.web_identity(token)
        return web if isinstance(web, Refusal) else await self._of_issuer(request, web)

    async def _of_issuer(self, request: HttpRequest, web: WebIdentity) -> Principal | Refusal:
        state = self._sessions.state()
        if isinstance(state, Refusal):
            return state
        system, _ = state
        named = request.header(ROLE_HEADER)
        role = policy.only_role(system) if named is None else policy.parse_role(named.decode("latin-1"), system.name)
        if isinstance(role, Refusal):
            return role
        longest = policy.duration_s(system, None)
        if isinstance(longest, Refusal):
            return longest
        arn = policy.role_arn(system.name, role)
        principal = Principal(
            session_id=f"s-{sha256(f'{web.unique} {arn}'.encode()).hexdigest()[:32]}",
            chain=(),
            user=web.user,
            groups=policy.known_groups(system, web.groups),
            agent=role.agent,
            task=role.task,
            issued=web.issued,
            expires=min(web.expires, web.issued + longest),
            method="oidc",
        )
        if self._clock.now() >= principal.expires:
            return _EXPIRED_SESSION
        if not await self._sessions.known(principal):
            opened = await self._sessions.admit(principal, note="identity token")
            if isinstance(opened, Refusal):
                return opened
        return await self._sessions.alive(principal)
