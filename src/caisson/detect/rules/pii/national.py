"""National identifiers that Bedrock has no name for: the European Union, the Commonwealth, and neighbours.

Formats and check digits are python-stdnum's. A form that nothing else has stands alone; bare digits need words of the
country before them, in its language.
"""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

import re
from collections.abc import Iterable

from caisson.detect.checks.identifiers import compact
from caisson.detect.checks.national import australian_medicare, registered, singapore_nric, us_mbi
from caisson.detect.rule import TOKEN, Check, Rule
from caisson.system.entities import NationalType

_SPACED = TOKEN + " "

_FORMS: tuple[tuple[NationalType, str, Check] | tuple[NationalType, str, Check, str], ...] = (
    ("ES_NIF", r"(?i)\b\d{7,8}-?[A-HJ-NP-TV-Z]\b", registered("es.dni")),
    ("ES_NIE", r"(?i)\b[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]\b", registered("es.nie")),
    ("IT_FISCAL_CODE", r"(?i)\b[A-Z]{6}\d{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]\b", registered("it.codicefiscale"), r"(?i)[A-Z]\d{2}[A-EHLMPRST]"),
    ("FI_PERSONAL_IDENTITY_CODE", r"(?i)\b\d{6}[-+ABCDEFYXWVU]\d{3}[0-9A-FHJ-NPR-Y]\b", registered("fi.hetu")),
    ("SE_PERSONNUMMER", r"\b(?:18|19|20)?\d{6}[-+]\d{4}\b", registered("se.personnummer")),
    ("DK_CPR", r"\b\d{6}-\d{4}\b", registered("dk.cpr")),
    ("CZ_BIRTH_NUMBER", r"\b\d{6}/\d{3,4}\b", registered("cz.rc")),
    ("FR_SOCIAL_SECURITY", r"\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", registered("fr.nir")),
    ("BE_NATIONAL_NUMBER", r"\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b", registered("be.nn")),
    ("CH_AHV", r"\b756\.?\d{4}\.?\d{4}\.?\d{2}\b", registered("ch.ssn")),
    ("PT_CITIZEN_CARD", r"\b\d{8} ?\d ?[A-Z]{2}\d\b", registered("pt.cc")),
    ("LV_PERSONAL_CODE", r"\b\d{6}-\d{5}\b", registered("lv.pvn")),
    ("IE_PPS", r"(?i)\b\d{7}[A-W][A-IW]?\b", registered("ie.pps")),
    ("IN_PERMANENT_ACCOUNT_NUMBER", r"(?i)\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b", registered("in_.pan"), r"(?i)[A-Z]\d{4}[A-Z]"),
    ("IN_GSTIN", r"(?i)\b[0-3]\d[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]\b", registered("in_.gstin")),
    ("SG_NRIC_FIN", r"(?i)\b[STFGM]\d{7}[A-Z]\b", singapore_nric),
    ("MY_NRIC", r"\b\d{6}-\d{2}-\d{4}\b", registered("my.nric")),
    ("PK_CNIC", r"\b\d{5}-\d{7}-\d\b", registered("pk.cnic")),
    ("BR_CPF", r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", registered("br.cpf")),
    ("KR_RRN", r"\b\d{6}-[1-8]\d{6}\b", registered("kr.rrn")),
    ("MX_CURP", r"(?i)\b[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d\b", registered("mx.curp"), r"(?i)\d{6}[HM][A-Z]{5}"),
    ("US_MBI", r"(?i)\b[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}\b", us_mbi),
)  # fmt: skip
"""Type, form, check: they stand alone."""

_NAMED: tuple[tuple[NationalType, tuple[str, ...], str, Check], ...] = (
    ("DE_TAX_ID", ("steuer-id", "steuerid", "steuer-identifikationsnummer", "steueridentifikationsnummer", "idnr", "tax id"), r"\d{2} ?\d{3} ?\d{3} ?\d{3}", registered("de.idnr")),
    ("FR_TAX_NUMBER", ("numero fiscal", "spi", "tax number"), r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", registered("fr.nif")),
    ("IT_VAT_CODE", ("partita iva", "p.iva", "piva", "vat"), r"(?:IT)?\d{11}", registered("it.iva")),
    ("NL_BSN", ("bsn", "burgerservicenummer", "sofinummer"), r"\d{4}\.?\d{2}\.?\d{3}|\d{9}", registered("nl.bsn")),
    ("BE_NATIONAL_NUMBER", ("rijksregisternummer", "registre national", "national number"), r"\d{11}", registered("be.nn")),
    ("PL_PESEL", ("pesel",), r"\d{11}", registered("pl.pesel")),
    ("PL_NIP", ("nip",), r"\d{3}-?\d{3}-?\d{2}-?\d{2}", registered("pl.nip")),
    ("PT_NIF", ("nif", "contribuinte"), r"\d{3} ?\d{3} ?\d{3}", registered("pt.nif")),
    ("SE_PERSONNUMMER", ("personnummer", "person-nummer", "personal identity", "pnr", "swedish id"), r"(?:18|19|20)?\d{6}[-+]?\d{4}", registered("se.personnummer")),
    ("SE_ORGANISATIONSNUMMER", ("organisationsnummer", "orgnummer", "org.nr", "orgnr", "org nr"), r"\d{6}-?\d{4}", registered("se.orgnr")),
    ("DK_CPR", ("cpr", "personnummer"), r"\d{10}", registered("dk.cpr")),
    ("NO_FODSELSNUMMER", ("dselsnummer", "personnummer", "fnr"), r"\d{6} ?\d{5}", registered("no.fodselsnummer")),
    ("AT_SOCIAL_SECURITY", ("svnr", "sv-nummer", "versicherungsnummer"), r"\d{4} ?\d{6}", registered("at.vnr")),
    ("GR_AMKA", ("amka",), r"\d{11}", registered("gr.amka")),
    ("GR_TAX_NUMBER", ("afm",), r"\d{9}", registered("gr.vat")),
    ("CZ_BIRTH_NUMBER", ("rodne cislo", "rodn"), r"\d{9,10}", registered("cz.rc")),
    ("RO_CNP", ("cnp", "cod numeric personal"), r"\d{13}", registered("ro.cnp")),
    ("BG_EGN", ("egn",), r"\d{10}", registered("bg.egn")),
    ("HR_OIB", ("oib",), r"\d{11}", registered("hr.oib")),
    ("SI_EMSO", ("emso", "jmbg"), r"\d{13}", registered("si.emso")),
    ("LT_PERSONAL_CODE", ("asmens kod", "personal code"), r"\d{11}", registered("lt.asmens")),
    ("EE_PERSONAL_CODE", ("isikukood", "personal code"), r"\d{11}", registered("ee.ik")),
    ("AU_TFN", ("tfn", "tax file"), r"\d{3} ?\d{3} ?\d{3}", registered("au.tfn")),
    ("AU_ABN", ("abn", "business number"), r"\d{2} ?\d{3} ?\d{3} ?\d{3}", registered("au.abn")),
    ("AU_ACN", ("acn", "company number"), r"\d{3} ?\d{3} ?\d{3}", registered("au.acn")),
    ("AU_MEDICARE", ("medicare",), r"[2-6]\d{3} ?\d{5} ?\d", australian_medicare),
    ("NZ_IRD", ("ird",), r"\d{2,3}-?\d{3}-?\d{3}", registered("nz.ird")),
    ("IN_AADHAAR", ("aadhaar", "aadhar", "uidai", "uid"), r"[2-9]\d{3}[ :-]?\d{4}[ :-]?\d{4}", registered("in_.aadhaar")),
    ("ZA_ID_NUMBER", ("south african id", "sa id", "rsa id", "id number", "identity number", "resident number"), r"\d{13}", registered("za.idnr")),
    ("MY_NRIC", ("nric", "mykad", "ic number"), r"\d{12}", registered("my.nric")),
    ("PK_CNIC", ("cnic",), r"\d{13}", registered("pk.cnic")),
    ("BR_CPF", ("cpf",), r"\d{11}", registered("br.cpf")),
    ("TR_NATIONAL_ID", ("t.c. kimlik", "tc kimlik", "kimlik", "turkish id", "tckn"), r"\d{11}", registered("tr.tckimlik")),
    ("KR_RRN", ("rrn", "resident registration"), r"\d{13}", registered("kr.rrn")),
    ("TH_TNIN", ("thai id", "thai national id"), r"\d ?-?\d{4} ?-?\d{5} ?-?\d{2} ?-?\d", registered("th.pin")),
)  # fmt: skip
"""Type, words before, form, check."""


def alternatives(words: Iterable[str]) -> str:
    """An expression for any of the words, which are ASCII.

    >>> alternatives(["t.c. kimlik", "tckn"])
    't\\\\.c\\\\.\\\\ kimlik|tckn'
    """
    return "|".join(dict.fromkeys(map(re.escape, words)))


NATIONAL: tuple[Rule, ...] = (
    *(
        Rule(
            id=f"pii.{kind}",
            type=kind,
            pattern=pattern,
            alphabet=_SPACED,
            sign="".join(sign),
            check=check,
            normalise=compact,
        )
        for kind, pattern, check, *sign in _FORMS
    ),
    *(
        Rule(
            id=f"pii.{kind}",
            type=kind,
            pattern=rf"(?i)(?:{alternatives(words)})[^0-9\n]{{0,24}}?(\b(?:{form}))\b",
            check=check,
            normalise=compact,
            opener=rf"(?i)(?:{alternatives(word.partition(' ')[0] for word in words)})",
        )
        for kind, words, form, check in _NAMED
    ),
)
