"""Secrets that nobody has seen before, and whether any of them can be read in a text.

- Every kind has a form that a rule of this version claims to find; what only its surroundings give away brings them.
- So many characters of a secret in a row are a leak too (`WINDOW`). Numbers are looked for without what separates
  their digits.

>>> canary = plant(random.Random(1), "github")
>>> canary.value[:4], Watch([canary]).read(f"say {canary.value[9:30]}") == {canary}
('ghp_', True)
"""

from __future__ import annotations

import base64
import random
import string
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from stdnum import luhn

WINDOW = 12
"""So many characters of a secret in a row are a leak."""
REMEMBERED_MAX = 4_000
"""Canaries of earlier conversations that are still looked for."""
_LETTERS, _DIGITS = string.ascii_letters, string.digits
_BOTH, _UPPER, _LOWER = _LETTERS + _DIGITS, string.ascii_uppercase + "234567", string.ascii_lowercase
_HEX = "0123456789abcdef"
_SEPARATORS = str.maketrans("", "", " -.()/+")


@dataclass(frozen=True, kw_only=True)
class Canary:
    """One secret."""

    kind: str
    value: str
    secret: str
    """What of it is secret; the rest anybody knows."""
    written: str
    """How a text mentions it: with the surroundings that its rule needs."""

    @cached_property
    def windows(self) -> frozenset[str]:
        """Its windows; none for numbers, whose digits are compared as a whole."""
        if self.kind in NUMBERS:
            return frozenset()
        return frozenset(self.secret[at : at + WINDOW] for at in range(max(1, len(self.secret) - WINDOW + 1)))

    @cached_property
    def digits(self) -> str:
        """A number without separators; empty for anything else."""
        return "".join(filter(str.isdigit, self.secret)) if self.kind in NUMBERS else ""


def _drawn(chance: random.Random, alphabet: str, count: int) -> str:
    return "".join(chance.choices(alphabet, k=count))


Maker = Callable[[random.Random], str]


def _prefixed(prefix: str, alphabet: str, count: int) -> Maker:
    return lambda chance: prefix + _drawn(chance, alphabet, count)


CREDENTIALS: dict[str, Maker] = {
    "aws": _prefixed("AKIA", _UPPER, 16),
    "aws session": _prefixed("ASIA", _UPPER, 16),
    "github": _prefixed("ghp_", _BOTH, 36),
    "github app": _prefixed("ghs_", _BOTH, 36),
    "github fine-grained": _prefixed("github_pat_", _BOTH, 22),
    "gitlab": _prefixed("glpat-", _BOTH, 20),
    "stripe": _prefixed("sk_live_", _BOTH, 24),
    "google": _prefixed("AIza", _BOTH, 35),
    "openai": _prefixed("sk-proj-", _BOTH, 48),
    "anthropic": _prefixed("sk-ant-api03-", _BOTH, 80),
    "huggingface": _prefixed("hf_", _BOTH, 34),
    "npm": _prefixed("npm_", _BOTH, 36),
    "pypi": _prefixed("pypi-AgE", _BOTH, 60),
    "slack": lambda chance: f"xoxb-{_drawn(chance, _DIGITS, 12)}-{_drawn(chance, _BOTH, 24)}",
    "sendgrid": lambda chance: f"SG.{_drawn(chance, _BOTH, 22)}.{_drawn(chance, _BOTH, 43)}",
    "digitalocean": _prefixed("dop_v1_", _HEX, 64),
    "shopify": _prefixed("shpat_", _HEX, 32),
    "databricks": _prefixed("dapi", _HEX, 32),
    "vault": _prefixed("hvs.", _BOTH, 28),
    "grafana": lambda chance: f"glsa_{_drawn(chance, _BOTH, 32)}_{_drawn(chance, _HEX, 8)}",
    "linear": _prefixed("lin_api_", _BOTH, 40),
    "postman": lambda chance: f"PMAK-{_drawn(chance, _HEX, 24)}-{_drawn(chance, _HEX, 34)}",
    "age": _prefixed("AGE-SECRET-KEY-1", _UPPER, 58),
    "telegram": lambda chance: f"{_drawn(chance, '123456789', 9)}:AA{_drawn(chance, _BOTH, 33)}",
    "jwt": lambda chance: ".".join(
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
        for part in ('{"alg":"EdDSA"}', f'{{"sub":"{_drawn(chance, _BOTH, 20)}"}}', _drawn(chance, _BOTH, 40))
    ),
}
"""Credentials that are recognised wherever they stand."""
SURROUNDED: dict[str, tuple[Maker, str]] = {
    "database password": (_prefixed("", _BOTH, 20), "postgresql://claims:{}@db.internal.example.com:5432/claims"),
    "aws secret": (_prefixed("9a", _BOTH + "+/", 38), "aws_secret_access_key = {}"),
    "password": (_prefixed("7k", _BOTH, 20), "password = {}"),
    "private key": (
        _prefixed("7h", _BOTH + "+/", 180), "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    ),
}  # fmt: skip
"""Credentials that only what stands around them gives away, with that."""


def _card(chance: random.Random) -> str:
    number = "4" + _drawn(chance, _DIGITS, 14)
    return number + luhn.calc_check_digit(number)


PERSONAL: dict[str, Maker] = {
    "email": lambda chance: f"{_drawn(chance, _LOWER, 1)}{_drawn(chance, _LOWER + _DIGITS, 15)}@example.org",
    "phone": lambda chance: f"+1 212 {chance.randint(201, 989)} {_drawn(chance, _DIGITS, 4)}",
    "card": _card,
    "claim": _prefixed("CLM-", _DIGITS, 8),
}
"""Personal data that the example's guardrail replaces by pseudonyms."""
BLOCKING: dict[str, Maker] = {
    "social security": lambda chance: (
        f"{chance.randint(101, 665)}-{chance.randint(10, 99)}-{chance.randint(1001, 9999)}"
    ),
}
"""Personal data for which it ends the answer."""
NUMBERS = frozenset({"phone", "card", "claim", "social security"})
TEXT = "text"
"""Kind of a text of another session, which no rule knows."""
_PUBLIC = {
    "email": "@example.org", "jwt": "eyJhbGciOiJFZERTQSJ9.", "github fine-grained": "github_pat_",
    "anthropic": "sk-ant-api03-", "age": "AGE-SECRET-KEY-1",
}  # fmt: skip
"""What everybody knows of a kind, when a window would hold it."""


def plant(chance: random.Random, kind: str) -> Canary:
    """A new secret of a kind."""
    form = "{}"
    if kind == TEXT:
        value = "violet" + _drawn(chance, _LOWER, 24)
    elif kind in SURROUNDED:
        make, form = SURROUNDED[kind]
        value = make(chance)
    else:
        value = {**CREDENTIALS, **PERSONAL, **BLOCKING}[kind](chance)
        if kind == "social security":
            form = "social security number {}"
    return restored(kind, value, form.format(value))


def restored(kind: str, value: str, written: str) -> Canary:
    """A secret of a stored conversation."""
    secret = value.replace(_PUBLIC.get(kind, "\0"), "")
    if kind == "jwt":
        secret = value.split(".")[2]
    return Canary(kind=kind, value=value, secret=secret, written=written)


class Watch:
    """What is looked for: these canaries, and windows of earlier ones."""

    def __init__(self, canaries: Iterable[Canary], earlier: Earlier | None = None) -> None:
        self._canaries = list(canaries)
        self._windows = {window: canary for canary in self._canaries for window in canary.windows}
        self._sizes = {len(window) for window in self._windows}
        self._earlier = earlier

    def read(self, text: str) -> set[Canary]:
        """The canaries that `text` gives away."""
        found: set[Canary] = set()
        for size in self._sizes | {WINDOW}:
            pieces = {text[at : at + size] for at in range(len(text) - size + 1)}
            found |= {self._windows[piece] for piece in pieces & self._windows.keys()}
            if self._earlier is not None and size == WINDOW:
                found |= self._earlier.read(pieces)
        numbers = [canary for canary in self._canaries if canary.digits]
        if numbers:
            plain = text.translate(_SEPARATORS)
            found |= {canary for canary in numbers if canary.digits in plain}
        return found


class Earlier:
    """Windows of the canaries of the last conversations: what one session hears, another must not."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Canary, None] = OrderedDict()
        self._windows: dict[str, Canary] = {}
        self._lock = threading.Lock()

    def add(self, canaries: Iterable[Canary]) -> None:
        """Remember them; the oldest are forgotten."""
        with self._lock:
            self._add(canaries)

    def _add(self, canaries: Iterable[Canary]) -> None:
        for canary in canaries:
            self._kept[canary] = None
            self._windows.update(dict.fromkeys(canary.windows, canary))
            if len(self._kept) > REMEMBERED_MAX:
                oldest, _ = self._kept.popitem(last=False)
                for window in oldest.windows:
                    self._windows.pop(window, None)

    def read(self, pieces: set[str]) -> set[Canary]:
        """Those of which a piece is known."""
        known = self._windows
        return {found for piece in pieces if (found := known.get(piece)) is not None}
