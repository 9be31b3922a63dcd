"""Numbers of cards and accounts."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks import identifiers as check
from caisson.detect.checks.person import number_alone
from caisson.detect.rule import NUMBER, TOKEN, Rule

MONEY = (
    Rule(
        id="pii.CREDIT_DEBIT_CARD_NUMBER",
        type="CREDIT_DEBIT_CARD_NUMBER",
        pattern=r"\b[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}\b|\b3\d{3}[ -]?\d{6}[ -]?\d{4,5}\b|\b[2-6]\d{11,18}\b|\b1800\d{11}\b|\b0604\d{8,15}\b",
        alphabet=NUMBER,
        check=check.card,
        normalise=check.digits,
    ),
    Rule(
        id="pii.CREDIT_DEBIT_CARD_CVV",
        type="CREDIT_DEBIT_CARD_CVV",
        pattern=r"(?i)\b(?:cvv2?|cvc2?|csc|cid|card verification|security code)\b[^0-9\n]{0,20}(\d{3,4})\b",
        opener=r"(?i)\b(?:cvv|cvc|csc|cid|card|security)",
        check=number_alone,
    ),
    Rule(
        id="pii.CREDIT_DEBIT_CARD_EXPIRY",
        type="CREDIT_DEBIT_CARD_EXPIRY",
        pattern=r"(?i)\b(?:exp(?:iry|ires?|iration|\.)?|valid|good)(?: (?:date|thru|through|until|till|on|month))?[^0-9A-Za-z\n]{0,6}(?:is )?((?:0?[1-9]|1[0-2]) ?[/-] ?(?:20\d\d|\d\d))\b",
        opener=r"(?i)\b(?:exp|valid|good)",
        check=number_alone,
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
        id="pii.US_BANK_ROUTING_NUMBER",
        type="US_BANK_ROUTING_NUMBER",
        pattern=r"\b\d{9}\b|\b\d{4}-\d{4}-\d\b",
        alphabet=NUMBER,
        check=check.us_routing,
        normalise=check.digits,
    ),
    Rule(
        id="pii.US_BANK_ACCOUNT_NUMBER",
        type="US_BANK_ACCOUNT_NUMBER",
        pattern=r"(?i)\b(?:(?:bank|checking|savings|deposit) (?:account|acct)|account (?:number|no|#)|acct\.?(?: (?:number|no|#))?|bank (?:number|no))[^0-9\n]{0,16}(\d{6,17}|\d{3,6}(?:[ -]\d{3,6}){1,3})\b",
        opener=r"(?i)\b(?:bank|checking|savings|deposit|account|acct)",
        check=check.bank_account,
        normalise=check.digits,
    ),
    Rule(
        id="pii.SWIFT_CODE",
        type="SWIFT_CODE",
        pattern=r"\b[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b",
        alphabet=TOKEN,
        check=check.context(r"\bswift|\bbic\b|bank", check.swift),
    ),
)
