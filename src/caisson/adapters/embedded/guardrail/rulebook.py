"""One guardrail of the system file as courses of rule sets, compiled once a configuration version.

- Credentials come first and act in every mode: masked, or blocked when the file says so.
- Declared words block. Personal data and declared patterns do what the file says.
- Attacks on the model are a stage of their own, of input only: see `attacks`.
- Answers that repeat the system prompt are a rule of their own, without a span (detect/leakage.py).
- Where the system file states clearances, documents, tool results and answers are read for markings.
- In `detect` mode everything but credentials and a repeated prompt only flags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from caisson.detect.course import Course
from caisson.detect.people.reader import normal
from caisson.detect.pseudonyms import PSEUDONYM
from caisson.detect.rule import Rule
from caisson.detect.rules.classification import MARKINGS
from caisson.detect.rules.credentials import BEDROCK_TYPES, BY_FORM, BY_SURROUNDINGS
from caisson.detect.rules.declared import pattern, word
from caisson.detect.rules.injection import Strength
from caisson.detect.rules.pii import PII
from caisson.detect.scanner import BLOCK, FLAG, MASK, RuleSet
from caisson.system.entities import STATISTICAL
from caisson.system.guardrails import Guardrail

_LAYERS = {"block": BLOCK, "pseudonymise": MASK, "flag": FLAG}
LOOK_ALIKES = RuleSet((), (Rule(id="pseudonyms.look-alike", type="PSEUDONYM", pattern=PSEUDONYM),), ())
"""Finds what a client wrote to look like a pseudonym."""


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """A compiled guardrail."""

    name: str
    version: str
    input: Course
    """Of what is sent: look-alikes, credentials in two steps, everything else."""
    output: Course
    """Of answers: credentials in two steps, everything else."""
    people: Mapping[str, int]
    """Names and addresses that the file asks for, and what happens to them; empty when it asks for none."""
    prompt_attack: Strength
    """Of the filter against attacks on the model."""
    attack_layer: int
    """What its findings do: block, or flag in `detect` mode."""
    leak_layer: int
    """What happens to an answer that repeats the system prompt: BLOCK or FLAG."""
    normalise: Mapping[str, Callable[[str], str]] = field(repr=False)
    """Type of a pseudonym to what brings its values to their normal form."""
    blocked_input_message: str
    blocked_output_message: str

    @classmethod
    def of(cls, name: str, guardrail: Guardrail, version: str, *, markings: bool = False) -> Rulebook:
        """Compile a guardrail. `markings`: the system file states clearances."""
        enforced = guardrail.mode == "enforce"
        declared = [(word(text), BLOCK) for text in guardrail.words]
        declared += [(pattern(row.name, row.regex), _LAYERS[row.action]) for row in guardrail.patterns]
        personal = [(rule, _LAYERS[action]) for kind, action in guardrail.pii.items() for rule in PII.get(kind, ())]
        people_layers = {kind: _LAYERS[action] for kind, action in guardrail.pii.items() if kind in STATISTICAL}
        common = [(rule, layer if enforced else FLAG) for rule, layer in (*declared, *personal)]
        stages = [
            _rule_set((rule, _credential_layer(rule, guardrail)) for rule in rules)
            for rules in (BY_FORM, BY_SURROUNDINGS)
        ]
        marked = [(rule, MASK if enforced else FLAG) for rule in MARKINGS if markings]
        stages.append(_rule_set((*common, *marked)))
        return cls(
            name=name,
            version=version,
            input=Course(LOOK_ALIKES, *stages),
            output=Course(*stages),
            people={kind: layer if enforced else FLAG for kind, layer in people_layers.items()},
            prompt_attack=guardrail.prompt_attack,
            attack_layer=BLOCK if enforced else FLAG,
            leak_layer=BLOCK if guardrail.prompt_leak == "block" else FLAG,
            normalise={**dict.fromkeys(STATISTICAL, normal), **{rule.type: rule.normalise for rule, _ in common}},
            blocked_input_message=guardrail.blocked_input_message,
            blocked_output_message=guardrail.blocked_output_message,
        )


def _credential_layer(rule: Rule, guardrail: Guardrail) -> int:
    blocked = {rule_id for kind, rule_id in BEDROCK_TYPES.items() if guardrail.pii.get(kind) == "block"}
    return BLOCK if guardrail.credentials == "block" or rule.id in blocked else MASK


def _rule_set(rules: Iterable[tuple[Rule, int]]) -> RuleSet:
    layers: tuple[list[Rule], list[Rule], list[Rule]] = ([], [], [])
    for rule, layer in rules:
        layers[layer].append(rule)
    return RuleSet(*layers)
