"""Personal data with a form that can be checked (DAT-03).

    contact.py    mail, telephone, addresses of the network
    money.py      cards and accounts
    person.py     what is said about a person; identifiers of the United States, Canada, the United Kingdom
    national.py   identifiers of other countries

Types carry Bedrock's names where Bedrock has one. Names and addresses of people have no form: `caisson.detect.people`.

>>> sorted(PII)[:2]
['AGE', 'AT_SOCIAL_SECURITY']
"""

from __future__ import annotations

from caisson.detect.rule import Rule
from caisson.detect.rules.pii.contact import CONTACT
from caisson.detect.rules.pii.money import MONEY
from caisson.detect.rules.pii.national import NATIONAL
from caisson.detect.rules.pii.person import PERSON

_RULES: tuple[Rule, ...] = (*CONTACT, *MONEY, *PERSON, *NATIONAL)

PII: dict[str, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in _RULES if rule.type == kind) for kind in sorted({rule.type for rule in _RULES})
}
"""Rules by type. Credentials that Bedrock counts among personal data are in `credentials`."""
