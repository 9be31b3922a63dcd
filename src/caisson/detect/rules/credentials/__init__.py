"""Credentials of providers and of people, by the forms that their issuers document (SEC-04).

    keys.py         what standards define: PEM, JWT, JWK, hashed passwords, addresses with a password
    cloud.py        clouds and hosting          code.py       code, packages, builds
    models.py       model providers             messaging.py  mail, chat, webhooks
    payments.py     payments, shops, coins      operations.py databases, monitoring, identity
    business.py     work and customers          named.py      what a name, a command or a header gives away

The session tokens of Caisson itself are JWTs and the secrets beside them are found by their names. A hash, a UUID or an
ARN is no credential; a documented example key is one, because nobody can tell it from a real one for sure.

>>> len(CREDENTIALS) > 250
True
"""

from __future__ import annotations

from caisson.detect.rule import Rule
from caisson.detect.rules.credentials.business import BUSINESS
from caisson.detect.rules.credentials.cloud import CLOUD
from caisson.detect.rules.credentials.code import CODE
from caisson.detect.rules.credentials.form import TYPE
from caisson.detect.rules.credentials.keys import KEYS
from caisson.detect.rules.credentials.messaging import MESSAGING
from caisson.detect.rules.credentials.models import MODELS
from caisson.detect.rules.credentials.named import NAMED
from caisson.detect.rules.credentials.operations import OPERATIONS
from caisson.detect.rules.credentials.payments import PAYMENTS
from caisson.system.entities import PiiType

__all__ = ["BEDROCK_TYPES", "BY_FORM", "BY_SURROUNDINGS", "CREDENTIALS", "TYPE"]

BY_FORM: tuple[Rule, ...] = (*KEYS, *CLOUD, *CODE, *MODELS, *MESSAGING, *PAYMENTS, *OPERATIONS, *BUSINESS)
"""Credentials that are recognised wherever they stand; earlier rules win at the same place and length."""

BY_SURROUNDINGS: tuple[Rule, ...] = NAMED
"""Secrets that only what stands before them gives away. They are looked for once the others are gone."""

CREDENTIALS = (*BY_FORM, *BY_SURROUNDINGS)

BEDROCK_TYPES: dict[PiiType, str] = {
    "AWS_ACCESS_KEY": "credentials.aws-access-key-id",
    "AWS_SECRET_KEY": "credentials.aws-secret-access-key",
    "PASSWORD": "credentials.password",
}
"""Types of personal data in Bedrock's list that are credentials here."""
