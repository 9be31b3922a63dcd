"""Guardrails of Amazon Bedrock.

apply.py      one ApplyGuardrail call
texts.py      any texts in calls of bounded size, masks put back where they belong
evaluator.py  the port, for whole texts
beside.py     our own rules first, then what the inline guardrail of Converse leaves out
"""

from caisson.adapters.aws.guardrail.apply import ApplyGuardrail
from caisson.adapters.aws.guardrail.beside import BesideInline
from caisson.adapters.aws.guardrail.evaluator import BedrockGuardrail

__all__ = ["ApplyGuardrail", "BedrockGuardrail", "BesideInline"]
