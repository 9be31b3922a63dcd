"""Keys and signatures that standards define: PEM, JWT, JWK, hashed passwords, user and password in an address."""

from __future__ import annotations

from caisson.detect.checks.secrets import connection_password, distinct, jwt, key_line
from caisson.detect.rule import TOKEN, Rule, Tail
from caisson.detect.rules.credentials.form import BASE64, TYPE, URLSAFE

_KEY_BODY = BASE64 + " \t\r\n\\:,.\"'"
_BEGIN = r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_CRYPT = r"[./A-Za-z0-9]"

KEYS: tuple[Rule, ...] = (
    Rule(
        id="credentials.private-key",
        type=TYPE,
        pattern=_BEGIN,
        opener="-----BEGIN",
        tail=Tail(characters=_KEY_BODY, closer="KEY-----"),
    ),
    Rule(
        id="credentials.private-key",
        type=TYPE,
        pattern=r"-----END[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        opener="-----END",
    ),
    Rule(
        id="credentials.putty-key",
        type=TYPE,
        pattern=r"PuTTY-User-Key-File-[23]: [a-z0-9-]{4,40}|Private-Lines: \d{1,3}\r?\n[A-Za-z0-9+/=]{16,64}",
        opener="PuTTY-User-Key-File|Private-Lines",
        tail=Tail(characters=BASE64 + "\r\n"),
    ),
    Rule(
        id="credentials.key-line",
        type=TYPE,
        pattern=r"([A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{6}){0,2})(?:[^A-Za-z0-9+/=_-]|$)",
        opener="[A-Za-z0-9+/]{24}",
        sign="[A-Za-z0-9+/]{64}",
        check=key_line,
        score=0.5,
    ),
    Rule(
        id="credentials.key-beginning",
        type=TYPE,
        pattern=r"\b(?:MII[A-Za-z0-9+/]{4}IBAA(?:KB|KC|AK)|b3BlbnNzaC1rZXktdjEA|MC4CAQAwBQYDK2V)[A-Za-z0-9+/]{4}",
        alphabet=TOKEN,
        tail=Tail(characters=BASE64 + "\r\n"),
    ),
    Rule(
        id="credentials.jwt",
        type=TYPE,
        pattern=r"\bey[IJ][A-Za-z0-9_-]{10,512}\.ey[A-Za-z0-9_-]{8}",
        alphabet=TOKEN,
        check=jwt,
        tail=Tail(characters=URLSAFE + ".="),
    ),
    Rule(
        id="credentials.encrypted-jwt",
        type=TYPE,
        pattern=r"\bey[IJ][A-Za-z0-9_-]{10,512}\.[A-Za-z0-9_-]{0,700}\.[A-Za-z0-9_-]{12,24}\.[A-Za-z0-9_-]{8}",
        alphabet=TOKEN,
        check=jwt,
        tail=Tail(characters=URLSAFE + "."),
    ),
    Rule(
        id="credentials.jwk-private-part",
        type=TYPE,
        pattern=r"[\"'](?:d|p|q|dp|dq|qi|k)[\"']\s{0,4}:\s{0,4}[\"']([A-Za-z0-9_-]{16,700})[\"']",
        opener=r"[\"'](?:d|p|q|k)",
        check=distinct,
    ),
    Rule(
        id="credentials.connection-string",
        type=TYPE,
        pattern=r"\b[A-Za-z][A-Za-z0-9+.-]{1,24}://([!#-&(-.0-9;=?A-~]{0,64}:[!#-&(-.0-;=?A-~]{3,128})@",
        alphabet=TOKEN,
        check=connection_password,
    ),
    Rule(
        id="credentials.password-hash",
        type=TYPE,
        pattern=rf"\$2[abxy]\$\d\d\${_CRYPT}{{53}}|\$(?:[15689]|y|gy|apr1)\$(?:rounds=\d{{1,9}}\$|j[./A-Za-z0-9]{{1,6}}\$)?{_CRYPT}{{1,24}}\${_CRYPT}{{22,86}}",
        alphabet=TOKEN,
        check=distinct,
    ),
    Rule(
        id="credentials.password-hash",
        type=TYPE,
        pattern=r"\$argon2(?:id|i|d)\$v=\d{1,3}\$m=\d{1,9},t=\d{1,4},p=\d{1,4}\$[A-Za-z0-9+/]{8,64}\$[A-Za-z0-9+/]{16,128}|\bpbkdf2[_:]sha\d{1,3}\$\d{2,8}\$[A-Za-z0-9]{4,32}\$[A-Za-z0-9+/]{40,100}={0,2}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{24,120}={0,2}",
        alphabet=TOKEN,
        check=distinct,
    ),
)
"""By the form that a standard gives them. A key's lines without its frame are told from other base64 by guessing."""
