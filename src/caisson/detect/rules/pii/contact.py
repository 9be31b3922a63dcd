"""How a person or a machine is reached: mail, telephone, addresses of the network."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks import network
from caisson.detect.checks.identifiers import compact, digits
from caisson.detect.checks.phones import labelled_phone, phone
from caisson.detect.rule import NUMBER, TOKEN, Rule, Tail

_URL_BODY = "".join(sorted(set(TOKEN) - set("<>\"'`{}|\\^")))
_SENTENCE_END = ".,;:!?)]*"
_HEX_COLON = r"[0-9A-Fa-f:]"
_LABEL = r"(?:office|fax|mobile|cell(?:phone)?|home|work|desk|phone|tel(?:ephone)?|landline|direct)"
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|#) {0,2}\d{1,6})"
_NUMBER_WITH_EXTENSION = NUMBER + "xXeEtT#,"

CONTACT = (
    Rule(
        id="pii.EMAIL",
        type="EMAIL",
        pattern=r"\b[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,5}(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})\b",
        alphabet=TOKEN,
        sign=r"[A-Za-z0-9._%+'-]@[A-Za-z0-9]",
        check=network.email,
        normalise=str.lower,
    ),
    Rule(
        id="pii.PHONE",
        type="PHONE",
        pattern=r"(?:\+|\b00)\d{1,3}(?:[ ./()-]{0,2}\d{1,5}){2,6}\b|(?:\(\d{2,5}\)|\b\d{2,5})(?:[ .-]{1,2}\d{2,5}){1,4}\b|\b\d{10,11}\b",
        alphabet=NUMBER,
        check=phone,
        normalise=digits,
    ),
    Rule(
        id="pii.PHONE",
        type="PHONE",
        pattern=rf"(?:\+|\b00|\(|\b)\d{{1,4}}(?:[ ./()-]{{0,2}}\d{{2,5}}){{1,4}}{_EXTENSION}\b",
        alphabet=_NUMBER_WITH_EXTENSION,
        check=labelled_phone,
        normalise=digits,
    ),
    Rule(
        id="pii.PHONE",
        type="PHONE",
        pattern=rf"(?i)((?:\+|\b00|\(|\b)\d{{1,5}}(?:[ ./()-]{{0,2}}\d{{2,5}}){{1,5}}{_EXTENSION}?)[ ,]{{0,2}}[-(]?{_LABEL}\b",
        opener=r"(?:\+|\b00|\(|\b)\d",
        check=labelled_phone,
        normalise=digits,
    ),
    Rule(
        id="pii.PHONE",
        type="PHONE",
        pattern=rf"(?i)\b{_LABEL}(?: (?:number|no))?[:. ]{{1,3}}((?:\+|\b00|\(|\b)\d{{1,5}}(?:[ ./()-]{{0,2}}\d{{2,5}}){{1,5}}{_EXTENSION}?)\b",
        opener=rf"(?i)\b{_LABEL}",
        check=labelled_phone,
        normalise=digits,
    ),
    Rule(
        id="pii.IP_ADDRESS",
        type="IP_ADDRESS",
        pattern=r"\b(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?\b",
        alphabet=NUMBER,
        check=network.ipv4,
    ),
    Rule(
        id="pii.IP_ADDRESS",
        type="IP_ADDRESS",
        pattern=rf"{_HEX_COLON}{{0,4}}:{_HEX_COLON}{{1,35}}(?:(?:\.\d{{1,3}}){{3}})?(?:%[A-Za-z0-9]{{1,16}})?(?:/\d{{1,3}})?",
        alphabet=TOKEN,
        check=network.ipv6,
        normalise=str.lower,
    ),
    Rule(
        id="pii.MAC_ADDRESS",
        type="MAC_ADDRESS",
        pattern=r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}\b",
        alphabet=TOKEN,
        check=network.mac,
        normalise=compact,
    ),
    Rule(
        id="pii.URL",
        type="URL",
        pattern=r"(?i)\b(?:https?|ftp)://[A-Z0-9.@:_\[\]-]{1,253}|\bwww\.[A-Z0-9-]{1,63}\.[A-Z]{2,24}",
        alphabet=TOKEN,
        check=network.url,
        tail=Tail(characters=_URL_BODY, trim=_SENTENCE_END),
    ),
    Rule(
        id="pii.URL",
        type="URL",
        pattern=r"\b[A-Za-z0-9][A-Za-z0-9-]{1,62}\.(?:[A-Za-z0-9-]{2,62}\.){0,2}(?:com|org|edu|gov|co\.[a-z]{2}|com\.[a-z]{2})\b",
        alphabet=TOKEN,
        check=network.domain,
        tail=Tail(characters=_URL_BODY, trim=_SENTENCE_END),
    ),
)
