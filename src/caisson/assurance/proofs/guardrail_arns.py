"""What `bedrock:GuardrailIdentifier` can hold: the ARN of a guardrail, with a version, with `DRAFT`, or bare, which is
the draft, too (service authorization reference, Amazon Bedrock; Bedrock user guide, guardrails-permissions-id).

All parts but the id are finite or numbers, so that one value for each way to fit some patterns is found by trying,
whether they compare part by part (`ArnLike`) or as text (`StringLike`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product

from caisson.assurance.iam.pattern import fits, parse, solid
from caisson.assurance.proofs.languages import LETTERS, words

KEY = "bedrock:guardrailidentifier"
OTHER_ID = "withoutfilters"
"""Of a guardrail that no policy names: whoever made it, it may let everything through."""
VERSIONS = ("2", "", "DRAFT")
_REGION, _ACCOUNT = re.compile("[a-z0-9-]+"), re.compile("[0-9]{12}")
_ID = re.compile("guardrail/([^:]*)(?::(.*))?$")


@lru_cache(maxsize=64)
def guardrail_arns(
    texts: tuple[str, ...], *, partition: str, regions: tuple[str, ...], accounts: tuple[str, ...]
) -> tuple[str, ...]:
    """One ARN for each way to fit the texts as patterns, those of named guardrails first.

    Args:
        texts: as policies write them.
        partition: of AWS.
        regions: all there are, the system's first.
        accounts: of the organization, then the one that stands for all others.
    """
    patterns = [solid(parse(text, variables=False).pieces) for text in dict.fromkeys(texts)]
    written = [text.split(":") for text in texts if text.count(":") >= 5]
    regions += tuple(one[3] for one in written if _REGION.fullmatch(one[3]))
    accounts = (*(one[4] for one in written if _ACCOUNT.fullmatch(one[4])), *accounts)
    if all(_splits(text) for text in texts):
        regions = _told_apart(regions, [one[3] for one in written])
        accounts = _told_apart(accounts, [one[4] for one in written])
    named = [match for text in texts if (match := _ID.search(text))]
    written_ids = [match[1] for match in named]
    ids = [*(id_ for id_ in written_ids if id_.isalnum()), OTHER_ID, *_kinds(written_ids)]
    versions = [*VERSIONS, *_kinds((match[2] for match in named if match[2]), letters="23456789")]
    found: dict[tuple[bool, ...], str] = {}
    for id_, version, account, region in product(*map(dict.fromkeys, (ids, versions, accounts, regions))):
        arn = f"arn:{partition}:bedrock:{region}:{account}:guardrail/{id_}" + (f":{version}" if version else "")
        folded = arn.lower()
        found.setdefault(
            tuple(fits(one, arn) for one in patterns) + tuple(text.lower() == folded for text in texts), arn
        )
    return tuple(found.values())


def _kinds(written: Iterable[str], letters: str = LETTERS) -> Iterator[str]:
    """Ids or versions as they are written, and in every way to fit those with wildcards."""
    texts = list(dict.fromkeys(written))
    yield from (text for text in texts if text.isalnum())
    found = words([parse(text, variables=False).pieces for text in texts], letters=letters) if texts else []
    yield from (word for word in found if word.isalnum())


def _splits(text: str) -> bool:
    """Whether the text fits part by part what it fits as a whole: `guardrail/` stands in ARNs once."""
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[5].startswith("guardrail/")


def _told_apart(values: tuple[str, ...], written: Iterable[str]) -> tuple[str, ...]:
    """The first of the values for each way to fit."""
    patterns = [solid(parse(text, variables=False).pieces) for text in dict.fromkeys(written)]
    found: dict[tuple[bool, ...], str] = {}
    for value in values:
        found.setdefault(tuple(fits(one, value) for one in patterns), value)
    return tuple(found.values())
