"""What inspection of a whole text must say, worked out the slow way: every rule looks for itself, stage after stage.

No prefilter, no views kept, no state: each stage lists all candidates of all its rules and then takes findings one by
one, as `caisson.detect.scanner` promises; each stage reads what the one before it let through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from caisson.detect.finding import Finding
from caisson.detect.rule import CONTEXT_CHARACTERS, Found, Rule, Tail
from caisson.detect.scanner import BLOCK, MASK, RuleSet
from caisson.detect.visible import INVISIBLE_RUN, visible

Mask = Callable[[Finding, str], str]


@dataclass
class Seen:
    """A finding and what became of it."""

    layer: int
    finding: Finding
    at: int
    width: int
    ends: bool


@dataclass
class Stage:
    """What a stage said of the text that came to it."""

    out: str
    seen: list[Seen]
    origin: list[int]
    """For every character that came out, and for the end, where it came from."""

    @property
    def blocked(self) -> bool:
        return any(seen.ends for seen in self.seen)


def invisible_runs(text: str) -> Stage:
    """Ends the text at a run that is too long."""
    run = INVISIBLE_RUN.search(text)
    if run is None:
        return Stage(text, [], list(range(len(text) + 1)))
    at = run.start()
    finding = Finding(
        start=at, end=at, rule="injection.invisible-run", type="PROMPT_ATTACK", score=1.0, version="1"
    )  # fmt: skip
    return Stage(text[:at], [Seen(BLOCK, finding, at, 0, True)], list(range(at + 1)))


def run_set(rules: RuleSet, text: str, mask: Mask) -> Stage:
    """One rule set over the whole text."""
    out, origin, passed, seen = "", [], 0, []

    def let_pass(end: int) -> None:
        nonlocal out, passed
        if end > passed:
            out += text[passed:end]
            origin.extend(range(passed, end))
            passed = end

    for layer, finding in taken(rules, text):
        ends = layer == BLOCK or (layer == MASK and finding.overlong)
        at = len(out) + max(0, finding.start - passed)
        width = finding.end - finding.start
        if layer in (BLOCK, MASK):
            let_pass(finding.start)
        if layer == MASK and not ends:
            replaced = mask(finding, text[finding.start : finding.end])
            width = len(replaced)
            out += replaced
            origin.extend([finding.start] * width)
            passed = finding.end
        seen.append(Seen(layer, finding, at, width, ends))
        if ends:
            return Stage(out, seen, [*origin, finding.start])
    let_pass(len(text))
    return Stage(out, seen, [*origin, len(text)])


def taken(rules: RuleSet, text: str) -> list[tuple[int, Finding]]:
    """Within a layer: leftmost, then longest, then first rule, and nothing that overlaps what was taken."""
    found: list[tuple[int, Finding]] = []
    floors = [0, 0, 0]
    for (start, layer, _, _, _), finding in sorted(candidates(rules, text), key=lambda candidate: candidate[0]):
        if start >= floors[layer]:
            found.append((layer, finding))
            floors[layer] = finding.end
    return found


def candidates(rules: RuleSet, text: str) -> list[tuple[tuple[int, int, int, int, int], Finding]]:
    """Every valid match of every rule, as written and as a reader sees it: order and finding."""
    forms = [(text, list(range(len(text))))]
    if visible(text) != text:
        forms.append((visible(text), [index for index, one in enumerate(text) for _ in visible(one)]))
    found = []
    for entry in rules.entries:
        for form, (seen, origin) in enumerate(forms):
            at_origin = set()
            for start, first, last in spans(entry.rule.pattern, seen):
                finding = judged(entry.rule, entry.tail_max, seen, origin, start, first, last)
                if finding is not None and origin[start] not in at_origin:
                    at_origin.add(origin[start])
                    order = (origin[start], entry.layer, -finding.end, entry.number, form)
                    found.append((order, finding))
    return found


@cache
def program(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def spans(pattern: str, text: str) -> list[tuple[int, int, int]]:
    """Start of every match that is not empty, and the span of its value."""
    searchable = text.encode(errors="replace").decode()
    compiled, at, found = program(pattern), 0, []
    while at <= len(text) and (match := compiled.search(searchable, at)) is not None:
        first, last = match.span(1 if compiled.groups else 0)
        if first < last:
            found.append((match.start(), first, last))
        at = match.start() + 1
    return found


def judged(
    rule: Rule, tail_max: int, text: str, origin: list[int], start: int, first: int, last: int
) -> Finding | None:
    """What the rule's check and tail make of a match."""
    score = rule.score
    if rule.check is not None:
        near = [index for index in range(first) if origin[index] >= origin[start] - CONTEXT_CHARACTERS]
        before = text[near[0] : first] if near else ""
        checked = rule.check(Found(text[first:last], before, text[last : last + 1]))
        if checked is None:
            return None
        score = checked
    end, overlong = last, False
    if rule.tail is not None:
        end = tail_end(text, last, rule.tail)
        if end - last > tail_max:
            end, overlong = last + tail_max, True
        while rule.tail.trim and end > last and text[end - 1] in rule.tail.trim:
            end -= 1
    return Finding(
        start=origin[first], end=origin[end - 1] + 1, rule=rule.id, type=rule.type, score=score, version=rule.version,
        normal=rule.normalise(text[first:end]), overlong=overlong,
    )  # fmt: skip


def tail_end(text: str, begin: int, tail: Tail) -> int:
    """One past the last character of the tail."""
    end = begin
    while end < len(text) and text[end] in tail.characters:
        end += 1
        if tail.closer and text[begin:end].endswith(tail.closer):
            break
    return end


def inspected(text: str, sets: Sequence[RuleSet], masks: Sequence[Mask]) -> tuple[str, list[Seen], bool]:
    """What comes out, what counts as found, and whether the text was ended."""
    stages = [invisible_runs(text)]
    for rules, mask in zip(sets, masks, strict=True):
        stages.append(run_set(rules, stages[-1].out, mask))
    counted: list[Seen] = []
    end: int | None = None
    for stage in reversed(stages):
        kept = [seen for seen in stage.seen if end is None or seen.at <= end]
        counted[:0] = kept
        ending = [seen.finding.start for seen in kept if seen.ends]
        end = ending[0] if ending else None if end is None else stage.origin[end]
    return stages[-1].out, counted, any(stage.blocked for stage in stages)


def rows(stage: str, places: Sequence[tuple[str, list[Seen]]]) -> list[tuple[str, str, str, float, str, int]]:
    """Stage, decision, rule, confidence, place and count of every decision record, in order."""
    found: list[tuple[str, str, str, float, str, int]] = []
    for place, seen in places:
        keys = [
            (one.finding.rule, "blocked" if one.ends else ("blocked", "masked", "flagged")[one.layer]) for one in seen
        ]
        for rule, decision in dict.fromkeys(keys):
            of_it = [one.finding.score for one, key in zip(seen, keys, strict=True) if key == (rule, decision)]
            found.append((stage, decision, rule, max(of_it), place, len(of_it)))
    return found or [(stage, "pass", "", 1.0, "", 1)]
