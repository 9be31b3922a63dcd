"""What is counted in the log and when it alarms (LOG-05, LOG-06, LOG-07, rows S32, S33, S34, S75).

Signals read fields that Caisson's messages have (`channels/messages.py`); a test holds every pattern against a message.
A pattern on text is weak evidence of injection. This one reads the gateway's own verdicts instead.

>>> SIGNALS[0].pattern
'{ $.kind = "model.response.v1" }'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SIGMA = 2
"""Width of the band of normal values in standard deviations (row S33)."""
PERIOD_S = 300
"""Period of a metric in seconds."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A metric filter over one class of the log, and its alarm."""

    metric: str
    class_: str
    """Class of the messages that it reads."""
    pattern: str
    """Filter pattern (CloudWatch Logs user guide, FilterAndPatternSyntax)."""
    value: str = "1"
    """What is added for each match: a number, or a field."""
    statistic: Literal["Sum", "Average"] = "Sum"
    alarm: Literal["band", "any"]
    """`band`: outside of what is normal for the time; `any`: above zero."""
    meaning: str
    """What it means when it alarms, and what to do first."""


_RESPONSE = '$.kind = "model.response.v1"'

SIGNALS = (
    Signal(
        metric="Requests",
        class_="text",
        pattern=f"{{ {_RESPONSE} }}",
        alarm="band",
        meaning="Unusual number of requests: look for one user or session that asks for most of them",
    ),
    Signal(
        metric="Latency",
        class_="text",
        pattern=f"{{ {_RESPONSE} && $.latency_ms > 0 }}",
        value="$.latency_ms",
        statistic="Average",
        alarm="band",
        meaning="Unusual latency in milliseconds: compare with InvocationLatency of Bedrock",
    ),
    Signal(
        metric="OutputTokens",
        class_="text",
        pattern=f"{{ {_RESPONSE} && $.output_tokens > 0 }}",
        value="$.output_tokens",
        alarm="band",
        meaning="Unusual number of answered tokens: look for extraction by one session",
    ),
    Signal(
        metric="Cost",
        class_="text",
        pattern=f"{{ {_RESPONSE} && $.cost_usd > 0 }}",
        value="$.cost_usd",
        alarm="band",
        meaning="Unusual cost in USD: look for the session and agent that spend it",
    ),
    Signal(
        metric="Blocked",
        class_="text",
        pattern=f'{{ {_RESPONSE} && $.outcome = "blocked" }}',
        alarm="band",
        meaning="Unusual number of blocked requests: an attack under way, or a rule that errs",
    ),
    Signal(
        metric="Injections",
        class_="text",
        pattern=f'{{ {_RESPONSE} && $.rule = "injection*" }}',
        alarm="band",
        meaning="Unusual number of requests stopped as injection: look at their sources and documents",
    ),
    Signal(
        metric="Lost",
        class_="text",
        pattern=f'{{ {_RESPONSE} && $.outcome = "lost" }}',
        alarm="any",
        meaning="A request was left open by a worker that died: look at process events",
    ),
    Signal(
        metric="Unauthenticated",
        class_="metadata",
        pattern='{ $.kind = "refusals.v1" }',
        value="$.count",
        alarm="band",
        meaning="Unusual number of callers without identity: look at their addresses",
    ),
    Signal(
        metric="ChannelFaults",
        class_="metadata",
        pattern='{ $.kind = "fault.v1" }',
        alarm="any",
        meaning="Something on a channel that no honest writer wrote: treat as an incident, run `caisson logs verify`",
    ),
    Signal(
        metric="ConfigurationRefused",
        class_="access",
        pattern='{ $.kind = "configuration.v1" && $.change = "refused" }',
        alarm="any",
        meaning="A zone refused configuration or orders: forged, stale or damaged; treat as an incident",
    ),
)
