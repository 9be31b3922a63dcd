"""Types of personal data: Bedrock's, national identifiers beyond them, and which of them `up` can detect (DAT-03).

The names are those of `GuardrailPiiEntityType` in the Bedrock API, so that one file serves both families of adapters.

>>> "EMAIL" in DETECTABLE, "NAME" in DETECTABLE
(True, False)
"""

from __future__ import annotations

from typing import Literal, get_args

PiiType = Literal[
    "ADDRESS",
    "AGE",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "CA_HEALTH_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV",
    "CREDIT_DEBIT_CARD_EXPIRY",
    "CREDIT_DEBIT_CARD_NUMBER",
    "DRIVER_ID",
    "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "IP_ADDRESS",
    "LICENSE_PLATE",
    "MAC_ADDRESS",
    "NAME",
    "PASSWORD",
    "PHONE",
    "PIN",
    "SWIFT_CODE",
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "URL",
    "USERNAME",
    "US_BANK_ACCOUNT_NUMBER",
    "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "US_PASSPORT_NUMBER",
    "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
]
"""Every type of Bedrock Guardrails (Bedrock API reference, GuardrailPiiEntityConfig)."""

PII_TYPES: frozenset[str] = frozenset(get_args(PiiType))

NationalType = Literal[
    "AT_SOCIAL_SECURITY",
    "AU_ABN",
    "AU_ACN",
    "AU_MEDICARE",
    "AU_TFN",
    "BE_NATIONAL_NUMBER",
    "BG_EGN",
    "BR_CPF",
    "CH_AHV",
    "CZ_BIRTH_NUMBER",
    "DE_TAX_ID",
    "DK_CPR",
    "EE_PERSONAL_CODE",
    "ES_NIE",
    "ES_NIF",
    "FI_PERSONAL_IDENTITY_CODE",
    "FR_SOCIAL_SECURITY",
    "FR_TAX_NUMBER",
    "GR_AMKA",
    "GR_TAX_NUMBER",
    "HR_OIB",
    "IE_PPS",
    "IN_AADHAAR",
    "IN_GSTIN",
    "IN_PERMANENT_ACCOUNT_NUMBER",
    "IT_FISCAL_CODE",
    "IT_VAT_CODE",
    "KR_RRN",
    "LT_PERSONAL_CODE",
    "LV_PERSONAL_CODE",
    "MX_CURP",
    "MY_NRIC",
    "NL_BSN",
    "NO_FODSELSNUMMER",
    "NZ_IRD",
    "PK_CNIC",
    "PL_NIP",
    "PL_PESEL",
    "PT_CITIZEN_CARD",
    "PT_NIF",
    "RO_CNP",
    "SE_ORGANISATIONSNUMMER",
    "SE_PERSONNUMMER",
    "SG_NRIC_FIN",
    "SI_EMSO",
    "TH_TNIN",
    "TR_NATIONAL_ID",
    "US_MBI",
    "ZA_ID_NUMBER",
]
"""National identifiers that Bedrock has no type for; only the embedded detector knows them."""

EntityType = Literal[PiiType, NationalType]
"""What a guardrail's `pii` may name."""

NATIONAL_TYPES: frozenset[str] = frozenset(get_args(NationalType))

STATISTICAL: frozenset[str] = frozenset({"ADDRESS", "NAME"})
"""Types without a form, which `caisson.detect.people` recognises by what stands around them."""

DETECTABLE: frozenset[str] = (PII_TYPES | NATIONAL_TYPES) - STATISTICAL
"""Types that the rules of the embedded detector find; `up` refuses the others by name."""
