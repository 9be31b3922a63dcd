"""Personal data with a form that can be checked, under Bedrock's names (DAT-03).

>>> sorted(PII)[:2]
['CA_SOCIAL_INSURANCE_NUMBER', 'CREDIT_DEBIT_CARD_NUMBER']
"""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks import identifiers as check
from caisson.detect.checks.phones import phone
from caisson.detect.rule import NUMBER, TOKEN, Rule, Tail

_URL_BODY = "".join(sorted(set(TOKEN) - set("<>\"'`{}|\\^")))
_SENTENCE_END = ".,;:!?)]*"
_HEX_COLON = r"[0-9A-Fa-f:]"

_RULES = (
    Rule(
        id="pii.EMAIL",
        type="EMAIL",
        pattern=r"\b[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,5}[A-Za-z]{2,24}\b",
        alphabet=TOKEN,
        sign=r"[A-Za-z0-9._%+'-]@[A-Za-z0-9]",
        check=check.email,
        normalise=str.lower,
    ),
    Rule(
        id="pii.CREDIT_DEBIT_CARD_NUMBER",
        type="CREDIT_DEBIT_CARD_NUMBER",
        pattern=r"\b[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}\b|\b3\d{3}[ -]?\d{6}[ -]?\d{4,5}\b|\b[2-6]\d{11,18}\b|\b1800\d{11}\b",
        alphabet=NUMBER,
        check=check.card,
        normalise=check.digits,
    ),
    Rule(
        id="pii.INTERNATIONAL_BANK_ACCOUNT_NUMBER",
        type="INTERNATIONAL_BANK_ACCOUNT_NUMBER",
        pattern=r"(?i)\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b",
        opener=r"(?i)\b[A-Z]{2}\d",
        check=check.account,
        normalise=check.compact,
    ),
    Rule(
        id="pii.US_SOCIAL_SECURITY_NUMBER",
        type="US_SOCIAL_SECURITY_NUMBER",
        pattern=r"\b\d{3}[ .-]\d{2}[ .-]\d{4}\b|\b\d{9}\b",
        alphabet=NUMBER,
        check=check.us_ssn,
        normalise=check.digits,
    ),
    Rule(
        id="pii.US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
        type="US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
        pattern=r"\b9\d{2}[ -]?\d{2}[ -]?\d{4}\b",
        alphabet=NUMBER,
        check=check.us_itin,
        normalise=check.digits,
    ),
    Rule(
        id="pii.CA_SOCIAL_INSURANCE_NUMBER",
        type="CA_SOCIAL_INSURANCE_NUMBER",
        pattern=r"\b\d{3}[ -]?\d{3}[ -]?\d{3}\b",
        alphabet=NUMBER,
        check=check.ca_sin,
        normalise=check.digits,
    ),
    Rule(
        id="pii.UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        type="UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        pattern=r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b",
        alphabet=NUMBER,
        check=check.uk_nhs,
        normalise=check.digits,
    ),
    Rule(
        id="pii.US_BANK_ROUTING_NUMBER",
        type="US_BANK_ROUTING_NUMBER",
        pattern=r"\b\d{9}\b",
        alphabet=NUMBER,
        check=check.context(r"routing|\baba\b|\brtn\b|transit", check.us_routing),
        normalise=check.digits,
    ),
    Rule(
        id="pii.PHONE",
        type="PHONE",
        pattern=r"(?:\+|\b00)\d{1,3}(?:[ ./()-]{0,2}\d{1,5}){2,6}\b|(?:\(\d{2,5}\)|\b\d{2,5})(?:[ .-]{1,2}\d{2,5}){1,4}\b|\b\d{10,11}\b",
        alphabet=NUMBER,
        check=phone,
        normalise=check.digits,
    ),
    Rule(
        id="pii.IP_ADDRESS",
        type="IP_ADDRESS",
        pattern=r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
        alphabet=NUMBER,
        check=check.ipv4,
    ),
    Rule(
        id="pii.IP_ADDRESS",
        type="IP_ADDRESS",
        pattern=rf"{_HEX_COLON}{{0,4}}:{_HEX_COLON}{{1,35}}(?:(?:\.\d{{1,3}}){{3}})?",
        alphabet=TOKEN,
        check=check.ipv6,
        normalise=str.lower,
    ),
    Rule(
        id="pii.MAC_ADDRESS",
        type="MAC_ADDRESS",
        pattern=r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}\b",
        alphabet=TOKEN,
        check=check.mac,
        normalise=check.compact,
    ),
    Rule(
        id="pii.URL",
        type="URL",
        pattern=r"(?i)\b(?:https?|ftp)://[A-Z0-9.@:_\[\]-]{1,253}|\bwww\.[A-Z0-9-]{1,63}\.[A-Z]{2,24}",
        alphabet=TOKEN,
        tail=Tail(characters=_URL_BODY, trim=_SENTENCE_END),
    ),
    Rule(
        id="pii.SWIFT_CODE",
        type="SWIFT_CODE",
        pattern=r"\b[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b",
        alphabet=TOKEN,
        check=check.context(r"\bswift|\bbic\b|bank", check.swift),
    ),
    Rule(
        id="pii.VEHICLE_IDENTIFICATION_NUMBER",
        type="VEHICLE_IDENTIFICATION_NUMBER",
        pattern=r"\b[A-HJ-NPR-Z0-9]{17}\b",
        alphabet=TOKEN,
        check=check.vin,
    ),
)

PII: dict[str, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in _RULES if rule.type == kind) for kind in sorted({rule.type for rule in _RULES})
}
"""Rules by type. Credentials of AWS, which Bedrock counts among personal data, are in `credentials`."""
