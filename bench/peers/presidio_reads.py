"""What Presidio's pattern recognisers find in each text of standard input: JSON Lines of texts in, lists of
[start, end, type] out, with Bedrock's names of types.

Without a language model: spaCy's blank English, so that nothing is downloaded. Names and places are not looked for.
"""

from __future__ import annotations

import json
import sys

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

TYPES = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CREDIT_DEBIT_CARD_NUMBER",
    "IBAN_CODE": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "US_SSN": "US_SOCIAL_SECURITY_NUMBER",
    "US_ITIN": "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "US_PASSPORT": "US_PASSPORT_NUMBER",
    "US_DRIVER_LICENSE": "DRIVER_ID",
    "US_BANK_NUMBER": "US_BANK_ACCOUNT_NUMBER",
    "ABA_ROUTING_NUMBER": "US_BANK_ROUTING_NUMBER",
    "UK_NHS": "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NINO": "UK_NATIONAL_INSURANCE_NUMBER",
    "IN_PAN": "IN_PERMANENT_ACCOUNT_NUMBER",
    "IN_VOTER": "IN_VOTER_NUMBER",
}
"""Its names that are not Bedrock's or the corpus's."""


class Blank(SpacyNlpEngine):
    """spaCy's tokeniser and nothing else."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """It is there."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        doc = self.nlp[language](text)
        return NlpArtifacts(
            entities=[], tokens=doc, tokens_indices=[token.idx for token in doc],
            lemmas=[token.text.lower() for token in doc], nlp_engine=self, language=language, scores=[],
        )  # fmt: skip


def main() -> None:
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())  # the list that it carries
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=None)
    for name in ("SpacyRecognizer",):
        registry.remove_recognizer(name)
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    for line in sys.stdin:
        found = engine.analyze(json.loads(line), language="en")
        print(
            json.dumps([[one.start, one.end, TYPES.get(one.entity_type, one.entity_type)] for one in found]), flush=True
        )


if __name__ == "__main__":
    main()
