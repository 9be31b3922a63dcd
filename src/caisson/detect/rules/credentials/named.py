"""Secrets that only what stands before them gives away: a name, a service, a command, a header.

A row is a name, how a match begins (so that streams need not wait while none is in sight), the pattern with the value as
its group, and the check of the value.
"""

# ruff: noqa: E501, S105  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks.secrets import (
    aws_secret,
    base32_secret,
    keyed,
    keyed_pair,
    mixed,
    password,
    quoted_password,
    random,
    short_key,
    user_password,
)
from caisson.detect.checks.services import service_key
from caisson.detect.rule import TOKEN, Check, Rule, Tail
from caisson.detect.rules.credentials.form import BASE64, TYPE

_SECRET = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secrets?|tokens?|api[_ .-]?keys?|access[_ .-]?keys?|auth(?:entication|orization)?(?:[_ .-]?key)?|secret[_ .-]?keys?"
    r"|private[_ .-]?key|encryption[_ .-]?key|signing[_ .-]?key|shared[_ .-]?key|account[_ .-]?key|license[_ .-]?key|credentials?)"
)
_SECRET_OPENER = (
    r"(?i)(?:pass|pwd|secret|token|api|access|auth|private|encryption|signing|shared|account|license|credential)"
)
_PASSWORD = r"(?:pass(?:word|wd|wrd|phrase|code)?|pa?s{1,2}wd|ps{1,2}w?r?d|pwd|secret|secrete)"
_PASSWORD_OPENER = r"(?i)(?:pas|pwd|ps|secret)"
_KEYWORD = r"(?:key|secret|token|private|access|pass|pwd|auth|login|credential|bearer|sid|crumb|code)"
_OPERATOR = r"(?:=>|\|\||(?::{1,3}|[!=?]{1,2})?=|:)"
_ASSIGN = rf"[\"'\]`]{{0,2}}\s{{0,4}}{_OPERATOR}\s{{0,4}}(?:[bruf@]{{0,2}}[\"'`]{{1,3}})?"
_BEFORE_VALUE = (
    rf"[\"'\]`]{{0,2}}(?:\s{{0,3}}(?:{_OPERATOR}|,|\()\s{{0,3}}|\s{{1,2}}|[-.])(?:[bruf@]{{0,2}}[\"'`]{{1,3}})?"
)
_PLAIN = r"[^ \t\r\n\f\x0b\"'`,;<>(){}\[\]&]"

_TABLE: tuple[tuple[str, str, str, Check], ...] = (
    ("aws-secret-access-key", r"(?i)(?:aws|secret|access)",
     r"(?i)(?:aws|secret|access)[A-Za-z0-9_ .-]{0,20}?(?:key|token)?[\"'\]]{0,2}\s{0,4}(?:=>|[:=]|\bis\b|,)?\s{0,4}[\"'`]{0,2}"
     r"([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|$)", aws_secret),
    ("secret-by-name", _SECRET_OPENER,
     rf"(?i){_SECRET}[A-Za-z0-9_-]{{0,16}}{_ASSIGN}([A-Za-z0-9_+/=.~!@#%^*|-]{{16,200}})", keyed),
    ("secret-after-name", r"(?i)(?:key|secret|token|private|access)",
     rf"(?i)(?:key|secret|token|private|access)[A-Za-z_]{{0,12}}{_BEFORE_VALUE}([A-Za-z0-9_+/=.-]{{20,200}})", keyed),
    ("short-secret-by-name", r"(?i)(?:key|secret|token)",
     rf"(?i)(?:key|secrets?|tokens?)\)?{_ASSIGN}([A-Za-z0-9_-]{{10,19}})(?:[^A-Za-z0-9_-]|$)", short_key),
    ("password", _PASSWORD_OPENER,
     rf"(?i){_PASSWORD}[A-Za-z0-9_]{{0,12}}(?:[\[,:][a-z0-9]{{0,8}}\]?)?{_ASSIGN}({_PLAIN}{{6,64}})", password),
    ("password", r"(?i)(?:\bpw|[_/-]pw)", rf"(?i)(?:\b|[_/-])pw{_ASSIGN}({_PLAIN}{{6,64}})", password),
    ("password", _PASSWORD_OPENER,
     rf"(?i){_PASSWORD}[A-Za-z0-9_]{{0,12}}(?:[\[][a-z0-9]{{0,8}}\])?[\"'\]]{{0,2}}\s{{0,4}}(?:{_OPERATOR}|,|\s|\bto\s|\bis\s)\s{{0,4}}[bruf@]{{0,2}}\"([^\"\r\n]{{6,100}})\"", quoted_password),
    ("password", _PASSWORD_OPENER,
     rf"(?i){_PASSWORD}[A-Za-z0-9_]{{0,12}}(?:[\[][a-z0-9]{{0,8}}\])?[\"'\]]{{0,2}}\s{{0,4}}(?:{_OPERATOR}|,|\s|\bto\s|\bis\s)\s{{0,4}}[bruf@]{{0,2}}'([^'\r\n]{{6,100}})'", quoted_password),
    ("password", r"(?i)\b(?:pass|pwd|api|secret|access)",
     r"(?i)\b(?:pass(?:word|phrase|code)|pwd|api\skey|secret\skey|access\stoken|secret)\s(?:(?:is|was|to|of|as)\s|is:\s?)[\"'`]?"
     rf"({_PLAIN}{{6,128}})", password),
    ("bearer-token", r"(?i)\bbearer", r"(?i)\bbearer[\s:\"',]{1,4}([A-Za-z0-9._~+/-]{16,200}={0,2})", random),
    ("authorization-header", r"(?i)(?:authorization|x-|api)",
     r"(?i)(?:authorization|x-[a-z-]{0,24}(?:key|token|auth|secret)|api-?key)[\"']?\s{0,2}[:=,]\s{0,2}[\"']?(?:(?:token|apikey|key|bearer|basic|api_key|oauth|sso-key|genie\w{3})[\s=:]{1,2})?[\"']?([A-Za-z0-9._~+/|:-]{16,200}={0,2})", keyed),
    ("okta-token", r"\bSSWS", r"\bSSWS\s{1,3}(00[A-Za-z0-9_-]{40})", random),
    ("basic-authorization", r"(?i)\bbasic", r"(?i)\bbasic\s{1,3}([A-Za-z0-9+/]{12,200}={0,2})", random),
    ("command-line-user", r"\B-{1,2}u", r"\B-{1,2}u(?:ser)?[\s=]{0,2}\"([A-Za-z0-9._@-]{0,64}:[^\"\r\n]{0,64})\"", user_password),
    ("command-line-user", r"\B-{1,2}u", r"\B-{1,2}u(?:ser)?[\s=]{0,2}'([A-Za-z0-9._@-]{0,64}:[^'\r\n]{0,64})'", user_password),
    ("command-line-user", r"\B-{1,2}u", r"\B-{1,2}u(?:ser)?[\s=]{0,2}([A-Za-z0-9._@-]{1,64}:[^ \t\r\n\f\x0b\"']{6,64})", user_password),
    ("password", r"(?i)\B--?[a-z]",
     rf"(?i)\B--?[a-z-]{{0,24}}?(?:password|passphrase|passwd|pass|pwd|token|secret|api-?key|auth|bearer)[_a-z-]{{0,12}}[\s=]{{1,2}}[\"']?({_PLAIN}{{6,128}})", password),
    ("password", r"(?i)\bidentified",
     rf"(?i)\bidentified\s(?:with\s[\"'a-z0-9_]{{1,40}}\s)?by(?:\spassword)?\s{{1,2}}(?:\\?['\"])?({_PLAIN}{{6,64}})", password),
    ("sumologic-access-id", r"(?i)sumo", rf"(?i)sumo(?:logic)?[_ .-]?access_?id{_ASSIGN}(su[A-Za-z0-9]{{12}})", random),
    ("bundler-credential", "BUNDLE_", rf"BUNDLE_[A-Z0-9_]{{3,60}}{_ASSIGN}([a-z0-9]{{4,40}}:[a-z0-9]{{4,40}})", keyed_pair),
    ("curl-option", r"CURLOPT_", r"CURLOPT_[A-Z0-9_]{0,24}(?:PASSWORD|USERPWD|PASSWD|BEARER|TOKEN)\s{0,2},\s{0,2}[\"']([^\"'\r\n]{6,128})[\"']", password),
    ("password", r"(?i)\blogin", rf"(?i)\blogin\s{{1,4}}[^ \t\r\n\f\x0b]{{1,64}}\s{{1,4}}password\s{{1,4}}({_PLAIN}{{6,128}})", password),
    ("one-time-password-secret", r"(?i)\b(?:otp|totp|2fa|mfa|hotp)", r"(?i)\b(?:otp|totp|2fa|mfa|hotp)[A-Za-z_ -]{0,16}[\s:=\"']{1,5}([A-Z2-7]{16,64})(?:[^A-Za-z0-9]|$)", base32_secret),
    ("prefixed-token", r"\b[a-z]{2,12}[_-]",
     r"\b[a-z]{2,12}[_-](?:[a-z0-9]{1,12}[_-]){0,2}([A-Za-z0-9]{32,160})\b", mixed),
)  # fmt: skip

_OPEN_ENDED = frozenset(
    {"secret-by-name", "secret-after-name", "bearer-token", "authorization-header", "basic-authorization"}
)
"""Whose values may go on beyond what the pattern spans; all of it goes."""
_SIGNS = {"prefixed-token": r"[a-z0-9][_-][A-Za-z0-9]{32}"}
"""Of patterns that would make the screen slow."""
_REST = Tail(characters=BASE64 + ".~|")

NAMED: tuple[Rule, ...] = (
    *(
        Rule(
            id=f"credentials.{name}",
            type=TYPE,
            pattern=pattern,
            opener=opener,
            sign=_SIGNS.get(name, ""),
            check=check,
            tail=_REST if name in _OPEN_ENDED else None,
        )
        for name, opener, pattern, check in _TABLE
    ),
    Rule(
        id="credentials.service-key",
        type=TYPE,
        pattern=r"\b[A-Za-z_+/=.~|-]{0,20}\d[A-Za-z0-9_+/=.~|-]{7,199}|\b[A-Za-z]{24,199}",
        alphabet=TOKEN,
        sign=r"\d[A-Za-z0-9_+/=.~|-]{7}|[A-Za-z]{24}",
        check=service_key,
        tail=_REST,
    ),
)
"""They are looked for once the tokens with a form are gone."""
