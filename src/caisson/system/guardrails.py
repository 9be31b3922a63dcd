"""What a guardrail inspects and does, in Bedrock's terms, for both families of adapters (NET-02, SEC-04)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from caisson.system.carriers import BOTH, DEPLOYED, SYNTH_FIRST, UP, Carried
from caisson.system.entities import DETECTABLE, PII_TYPES, EntityType
from caisson.system.section import Section
from caisson.system.values import Day, GuardrailId, Items, Name, Text

Action = Literal["block", "pseudonymise", "flag"]
Permission = Literal["refuse", "allow"]
"""What happens to content that nothing here can inspect."""
Strength = Literal["none", "low", "medium", "high"]
"""How little evidence a filter needs, from never to the least."""
Word = Annotated[str, Field(min_length=1, max_length=100)]
REGEX_CHARACTERS_MAX = 500
"""Length of a pattern (Bedrock API reference, GuardrailRegexConfig)."""
PATTERNS_MAX = 30
"""Patterns of a guardrail (Bedrock service quotas)."""
WORDS_MAX = 10_000
"""Words of a guardrail (Bedrock service quotas)."""
TOPICS_MAX = 30
"""Topics of a guardrail (Bedrock service quotas)."""
EXAMPLES_MAX = 5
"""Examples of a topic (Bedrock service quotas)."""
MESSAGE_CHARACTERS_MAX = 500
"""Length of what a client reads instead (Bedrock API reference, CreateGuardrail)."""
VERSION_MAX = 99_999_999
"""Versions have at most eight digits (Bedrock API reference, GuardrailVersion)."""
BLOCKED_MESSAGE = "Sorry, the model cannot answer this question."
"""What the AWS console writes for a new guardrail."""

Message = Annotated[Text, Field(max_length=MESSAGE_CHARACTERS_MAX)]


class Topic(Section):
    """A subject that the system must not speak about."""

    name: Annotated[Name, SYNTH_FIRST]
    """Name in decisions and logs."""
    definition: Annotated[Text, SYNTH_FIRST]
    """What the subject is, in a sentence or two."""
    examples: Annotated[
        Items[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=EXAMPLES_MAX), SYNTH_FIRST
    ] = ()
    """Sentences that belong to it."""


class Pattern(Section):
    """A form of text of one's own."""

    name: Annotated[Name, DEPLOYED]
    """Name in decisions, logs and pseudonyms: `claim-id` gives `[CLAIM_ID_7f3a9c]`."""
    regex: Annotated[str, Field(min_length=1, max_length=REGEX_CHARACTERS_MAX), DEPLOYED]
    """RE2 expression of bounded width that never matches nothing."""
    action: Annotated[Action, DEPLOYED]
    """What happens to a match."""


class Content(Section):
    """Strengths of the content filters. Each needs an evaluator that really answers."""

    hate: Annotated[Strength, SYNTH_FIRST] = "none"
    """Discrimination and dehumanisation."""
    insults: Annotated[Strength, SYNTH_FIRST] = "none"
    """Demeaning and bullying."""
    sexual: Annotated[Strength, SYNTH_FIRST] = "none"
    """Sexual interest and activity."""
    violence: Annotated[Strength, SYNTH_FIRST] = "none"
    """Glorification of harm and threats of it."""
    misconduct: Annotated[Strength, SYNTH_FIRST] = "none"
    """Help with crime and fraud."""


class AwsGuardrail(Section):
    """A guardrail that exists on AWS, in one version. Versions do not change; a draft would."""

    id: Annotated[GuardrailId, UP]
    """Id or ARN of the guardrail, in the system's Region."""
    version: Annotated[int, Field(ge=1, le=VERSION_MAX), UP]
    """Number of the version."""


class Guardrail(Section):
    """What is inspected in every request and every answer of the agents that name this guardrail."""

    prompt_attack: Annotated[Strength, DEPLOYED]
    """How readily text that tries to take over the model is refused."""
    content: Annotated[Content | None, SYNTH_FIRST] = None
    """Content filters."""
    topics: Annotated[Items[Topic], Field(max_length=TOPICS_MAX), SYNTH_FIRST] = ()
    """Subjects that are refused."""
    words: Annotated[Items[Word], Field(max_length=WORDS_MAX), DEPLOYED] = ()
    """Words and phrases that are refused, in any case and spelling of their characters."""
    pii: Annotated[
        dict[EntityType, Action],
        Carried(by=("up", "synth"), built=("up", "synth"), entries={"up": DETECTABLE, "synth": PII_TYPES}, waits=True),
    ] = Field(default_factory=dict)
    """Types of personal data as Bedrock names them, and what happens to them. `up` detects all of them."""
    patterns: Annotated[Items[Pattern], Field(max_length=PATTERNS_MAX), DEPLOYED] = ()
    """Forms of text of one's own."""
    grounding: Annotated[float | None, Field(ge=0, le=0.99), SYNTH_FIRST] = None
    """Least support that an answer needs in the retrieved text, 0 to 0.99."""
    credentials: Annotated[Literal["redact", "block"], DEPLOYED]
    """What happens to passwords, keys and tokens, everywhere; they are never restored and never let through."""
    prompt_leak: Annotated[Literal["flag", "block"], BOTH] = "block"
    """What happens to an answer that repeats the system prompt, in every mode."""
    images: Annotated[Permission, UP] = "refuse"
    """Whether images pass. Nothing inspects them; each that passes is recorded as not inspected."""
    video: Annotated[Permission, UP] = "refuse"
    """Whether video passes, as for images."""
    audio: Annotated[Permission, UP] = "refuse"
    """Whether audio passes, as for images."""
    aws: Annotated[AwsGuardrail | None, UP] = None
    """Guardrail on AWS that `up --upstream bedrock` has evaluated as well. Other upstreams have none to evaluate it."""
    mode: Annotated[Literal["enforce", "detect"], DEPLOYED] = "enforce"
    """`detect` only flags, for a while (`because`, `until`); credentials are acted on all the same."""
    because: Annotated[Text | None, DEPLOYED] = None
    """Why the guardrail only detects."""
    until: Annotated[Day | None, DEPLOYED] = None
    """Day on which the guardrail should enforce again."""
    blocked_input_message: Annotated[Message, DEPLOYED] = BLOCKED_MESSAGE
    """What a client reads instead of a blocked request."""
    blocked_output_message: Annotated[Message, DEPLOYED] = BLOCKED_MESSAGE
    """What a client reads instead of a blocked answer."""

    @property
    def pseudonymised(self) -> frozenset[str]:
        """The `pii` types and names of patterns for which pseudonyms stand."""
        personal = {kind for kind, action in self.pii.items() if action == "pseudonymise"}
        return frozenset(personal | {row.name for row in self.patterns if row.action == "pseudonymise"})
