"""What is said about a person in so many words: age, user name, PIN, licence, passport, health number, vehicle."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks import identifiers as check
from caisson.detect.checks import person
from caisson.detect.rule import NUMBER, TOKEN, Rule

_OF_A_PERSON = r"[ \t:#=\"'-]{1,4}(?:(?:number|no\.?|num|id|is|code|plate)[ \t:#=\"'-]{1,4}){0,2}"
_PLATE_TR = r"\b(?:0[1-9]|[1-7]\d|8[01]) ?[A-Z]{1,3} ?\d{2,4}\b"
_PLATE_IN = r"\b(?:A[NPRS]|BR|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[NRSG]|U[KPA]|WB)[ -]?\d{1,2}[ -]?[A-Z]{1,3}[ -]?\d{4}\b"

PERSON = (
    Rule(
        id="pii.AGE",
        type="AGE",
        pattern=r"(?i)\b(\d{1,3})[ -](?:years?|yrs?|y)[ /-]?(?:olds?|o|of age)\b|\b(?:1[0-2]|[1-9])[ -]months?[ -]old\b",
        opener=r"\b\d",
        check=person.age,
    ),
    Rule(
        id="pii.AGE",
        type="AGE",
        pattern=r"(?i)\b(?:age[ds]?(?: of| is|:|=)?|(?:just |recently )?turn(?:ed|s|ing)|i'?m|i am|(?:s?he|they) (?:is|are|was|were)|s?he's)[ :]{1,2}(\d{1,3})\b",
        opener=r"(?i)\b(?:age|turn|just|recently|i'?m|i|s?he|they)",
        sign=r"[ :]\d",
        check=person.age_in_words,
    ),
    Rule(
        id="pii.USERNAME",
        type="USERNAME",
        pattern=r"(?i)\b(?:user[ _-]?(?:name|id)|login(?: name)?|log ?in (?:name|id)|screen ?name|account name|handle|nickname|userid)[\"']?(?: (?:is|was|to|as))?[ :=\"'@]{1,5}([A-Za-z0-9][A-Za-z0-9._@-]{2,40}[A-Za-z0-9])\b",
        opener=r"(?i)\b(?:user|log|screen|account|handle|nickname)",
        check=person.username,
    ),
    Rule(
        id="pii.PIN",
        type="PIN",
        pattern=r"(?i)\bpin(?:[ -]?(?:code|number|no))?(?: (?:is|was|to|as|of))?[ :=#\"']{1,4}(\d{4,8})\b",
        opener=r"(?i)\bpin",
        check=person.number_alone,
    ),
    Rule(
        id="pii.US_PASSPORT_NUMBER",
        type="US_PASSPORT_NUMBER",
        pattern=rf"(?i)\b(?:passport|travel document){_OF_A_PERSON}([A-Z]?\d{{8,9}})\b",
        opener=r"(?i)\b(?:passport|travel)",
        normalise=check.compact,
    ),
    Rule(
        id="pii.DRIVER_ID",
        type="DRIVER_ID",
        pattern=r"(?i)\b[A-Z]{2,5}9{0,3}\d[0156]\d[0-3]\d{2}[A-Z][A-Z9]\d?[A-Z]{2}\b|\b[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d{2}[A-Z][A-Z9][A-Z0-9][A-Z]{2}\b|\b(?:1[1-9]|2[0-8])-\d{2}-\d{6}-\d{2}\b|\bU1[A-Z0-9]{7}[A-Z]\b",
        alphabet=TOKEN,
        sign=r"(?i)\d[0156]\d[0-3]\d{2}[A-Z]|-\d{6}-|\bU1[A-Z0-9]{7}",
        check=person.driver_id,
        normalise=check.compact,
    ),
    Rule(
        id="pii.DRIVER_ID",
        type="DRIVER_ID",
        pattern=rf"(?i)\b(?:driver'?s?'?|driving)[ -]?(?:licen[cs]e|permit|id){_OF_A_PERSON}([A-Z]{{0,3}}[0-9][A-Z0-9 -]{{4,18}}[0-9A-Z])\b",
        opener=r"(?i)\b(?:driver|driving)",
        check=person.some_digits,
        normalise=check.compact,
    ),
    Rule(
        id="pii.LICENSE_PLATE",
        type="LICENSE_PLATE",
        pattern=rf"(?i)\b[A-HJ-PR-Y]{{2}}(?:0[1-9]|[1-7]\d) ?[A-HJ-PR-Z]{{3}}\b|{_PLATE_IN}|{_PLATE_TR}|\b[A-Z]{{3}}[ -]?\d{{3}}[A-Z]{{2}}\b|\b[A-HJ-NP-TV-Z]{{2}}-\d{{3}}-[A-HJ-NP-TV-Z]{{2}}\b",
        alphabet=TOKEN + " ",
        sign=r"(?i)\d{2} ?[A-Z]{3}|\d[ -]?[A-Z]{1,3}[ -]?\d{2}|\d{3}[A-Z]{2}|-\d{3}-",
        check=person.plate,
        normalise=check.compact,
    ),
    Rule(
        id="pii.LICENSE_PLATE",
        type="LICENSE_PLATE",
        pattern=rf"(?i)\b(?:licen[cs]e plate|number plate|plate|car reg(?:istration)?|vehicle registration|kennzeichen|matr[ií]cula|targa|plaka){_OF_A_PERSON}([A-ZÄÖÜ0-9]{{1,4}}[ -]?[A-Z0-9]{{1,4}}(?:[ -]?[A-Z0-9]{{1,4}})?)\b",
        opener=r"(?i)\b(?:licen|number|plate|car|vehicle|kenn|matr|targa|plaka)",
        check=person.plate_in_words,
        normalise=check.compact,
    ),
    Rule(
        id="pii.CA_HEALTH_NUMBER",
        type="CA_HEALTH_NUMBER",
        pattern=r"(?i)\b(?:health (?:card|insurance|services?|number|care)|ohip|phn|hcn|msp|ramq|nam)\b[^0-9\n]{0,20}?((?:[A-Z]{4} ?)?\d{4}[ -]?\d{3,4}(?:[ -]?\d{3,4})?(?:[ -]?[A-Z]{2})?)\b",
        opener=r"(?i)\b(?:health|ohip|phn|hcn|msp|ramq|nam)",
        check=person.some_digits,
        normalise=check.compact,
    ),
    Rule(
        id="pii.VEHICLE_IDENTIFICATION_NUMBER",
        type="VEHICLE_IDENTIFICATION_NUMBER",
        pattern=r"\b[A-HJ-NPR-Z0-9]{17}\b",
        alphabet=TOKEN,
        check=check.vin,
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
        id="pii.UK_NATIONAL_INSURANCE_NUMBER",
        type="UK_NATIONAL_INSURANCE_NUMBER",
        pattern=r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]\b",
        alphabet=TOKEN + " ",
        check=check.uk_nino,
        normalise=check.compact,
    ),
    Rule(
        id="pii.UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
        type="UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
        pattern=r"(?i)\b(?:utr|(?:unique )?tax(?:payer)?'?s? reference)\b[^0-9\n]{0,20}(\d{5} ?\d{5})K?\b",
        opener=r"(?i)\b(?:utr|unique|tax)",
        check=check.uk_utr,
        normalise=check.digits,
    ),
)
