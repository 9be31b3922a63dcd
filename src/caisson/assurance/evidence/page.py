"""The report as one page: no script, nothing loaded from anywhere, made from the document alone.

Everything in the document is text, whoever wrote it; the page's policy forbids scripts all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from caisson.assurance.controls import CATALOGUE, FAMILIES
from caisson.assurance.evidence.style import STYLE

Line = Mapping[str, Any]
VERDICTS = ("broken", "undetermined", "holds", "manual", "not_applicable")
WORDS = {"not_applicable": "not applicable"}
ZONES = {1: "ingress", 2: "runtime", 3: "evaluation", 4: "ingestion", 5: "control", 6: "logging"}
ON = {"system": "the running system", "rehearsal": "a rehearsal of the system", "parts": "parts of the installation"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(document: Line) -> str:
    """The whole page."""
    return "\n".join((*_head(document), *_summary(document), *_families(document), *_foot(document), ""))


def _head(document: Line) -> Iterator[str]:
    system = document["system"]
    title = f"{system['name']}: what holds"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
    yield f"<header><p class=over>Caisson · report of {escape(document['began'][:10])}</p>"
    yield f"<h1>{escape(system['name'])}</h1>"
    yield f"<p class=lead>{_answer(document)}</p>"
    tier = f"Tier {system['tier']} ({escape(system['tier_name'])})"
    about = f"{tier} · about {escape(document['scope'])} · {escape(document['began'])} · {document['seconds']:.0f} s"
    yield f"<p class=dim>{about}</p></header>"


def _answer(document: Line) -> str:
    """The first sentence that somebody in a hurry reads."""
    counts = document["counts"]
    broken, unknown, holds = (counts.get(name, 0) for name in ("broken", "undetermined", "holds"))
    if broken:
        does = "does" if broken == 1 else "do"
        return (
            f"<b class=broken>{_many(broken, 'control')} {does} not hold.</b> {holds} hold; {unknown} nobody has shown."
        )
    if unknown:
        return f"<b>Nothing was found broken.</b> {holds} controls hold; {unknown} nobody has shown."
    return f"<b class=holds>Every control that applies holds:</b> {holds}."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _summary(document: Line) -> Iterator[str]:
    counts = document["counts"]
    yield "<section class=tiles>"
    for verdict in VERDICTS:
        yield f'<div class="tile {verdict}"><b>{counts.get(verdict, 0)}</b><span>{_word(verdict)}</span></div>'
    yield "</section>"
    broken = [line for line in document["controls"] if line["verdict"] == "broken"]
    if broken:
        yield "<section><h2>Broken</h2><ul class=first>"
        for line in broken:
            text = f"<b>{line['id']}</b> {escape(line['title'])}<br><span class=dim>{escape(line['reason'])}</span>"
            yield f'<li><a href="#{line["id"]}">{text}</a></li>'
        yield "</ul></section>"
    yield from _grid(document["controls"])
    if document["loosened"]:
        yield "<section><h2>Looser than the tier</h2><ul>"
        for row in document["loosened"]:
            said = f"{row['key']}: {row['value']} instead of {row['default']}, because {row['because']}"
            yield f"<li>{escape(said)}</li>"
        yield "</ul></section>"


def _grid(lines: list[Line]) -> Iterator[str]:
    """Families by zones: a mark a control, so that one sees where what is red stands."""
    yield "<section><h2>By zone and family</h2><div class=wide><table class=grid><thead><tr><th></th>"
    for number, name in ZONES.items():
        yield f"<th>{number} {name}</th>"
    yield "</tr></thead><tbody>"
    for prefix, (title, _) in FAMILIES.items():
        family = [line for line in lines if line["family"] == prefix]
        yield f'<tr><th scope=row><a href="#{prefix}">{escape(title)}</a></th>'
        for number in ZONES:
            marks = "".join(_mark(line) for line in family if number in line["zones"])
            yield f"<td>{marks}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"
    legend = " ".join(f'<span class=key><i class="mark {name}"></i>{_word(name)}</span>' for name in VERDICTS)
    yield f"<p class=dim>A mark is a control; one that several zones hold stands in each. {legend}</p></section>"


def _mark(line: Line) -> str:
    told = escape(f"{line['id']} {line['title']}: {_word(line['verdict'])}", quote=True)
    return f'<a class="mark {line["verdict"]}" href="#{line["id"]}" title="{told}"></a>'


def _families(document: Line) -> Iterator[str]:
    for prefix, (title, _) in FAMILIES.items():
        lines = [line for line in document["controls"] if line["family"] == prefix]
        counts = Counter(line["verdict"] for line in lines)
        told = " · ".join(f"{counts[name]} {_word(name)}" for name in VERDICTS if counts[name])
        yield f'<section><h2 id="{prefix}">{escape(title)} <span class=dim>{told}</span></h2>'
        for line in lines:
            yield from _control(line)
        yield "</section>"


def _control(line: Line) -> Iterator[str]:
    control = CATALOGUE[line["id"]]
    verdict = line["verdict"]
    opened = " open" if verdict == "broken" else ""
    yield f'<details class=control id="{line["id"]}"{opened}><summary>{_badge(verdict)}'
    yield f"<b>{line['id']}</b><span class=title>{escape(line['title'])}</span>"
    yield f"<span class=reason>{escape(line['reason'])}</span></summary><div class=body>"
    zones = ", ".join(f"{number} {ZONES[number]}" for number in line["zones"])
    rows = [("Asks for", line["need"]), ("On one machine", control.embedded), ("Zones", zones)]
    if line["code"]:
        rows.append(("Enforced by", ", ".join(line["code"])))
    if line["seed"]:
        rows.append(("Pattern", ", ".join(line["seed"])))
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows) + "</dl>"
    for part in line["evidence"]:
        yield from _part(part)
    yield "</div></details>"


def _part(part: Line) -> Iterator[str]:
    kind = f"<span class=dim>({escape(part['kind'])})</span>"
    yield f"<div class=part>{_badge(part['verdict'])}<div><p>{escape(part['claim'])} {kind}</p>"
    if not part["checks"] and not part["claims"]:
        yield f"<p class=dim>{escape(part['reason'])}</p>"
    for check in part["checks"]:
        yield from _check(check)
    for claim in part["claims"]:
        yield from _claim(claim)
    yield "</div></div>"


def _claim(claim: Line) -> Iterator[str]:
    """A claim over all requests, and the one that is against it."""
    opened = " open" if claim["verdict"] == "broken" else ""
    yield f"<details class=check{opened}><summary>{_badge(claim['verdict'])}<code>{escape(claim['id'])}</code> "
    yield f"<span class=reason>{escape(claim['says'])}</span></summary>"
    yield f"<p class=dim>{escape(claim['reason'])}. Classes of requests: {claim['classes']:,}.</p>"
    if claim["way"]:
        yield "<ol>" + "".join(f"<li>{escape(hop)}</li>" for hop in claim["way"]) + "</ol>"
    if claim["counterexample"] is not None:
        request = claim["counterexample"]
        rows = [(name, str(request[name])) for name in ("principal", "action", "resource")]
        rows += [(key, str(value)) for key, value in request["context"].items()]
        rows += [("let through by", ", ".join(claim["through"]))] if claim["through"] else []
        yield "<dl>" + "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in rows) + "</dl>"
    yield "</details>"


def _check(check: Line) -> Iterator[str]:
    opened = " open" if check["verdict"] == "broken" else ""
    yield f"<details class=check{opened}><summary>{_badge(check['verdict'])}<code>{escape(check['check'])}</code> "
    yield f"<span class=reason>{escape(check['reason'])}</span></summary>"
    told = f"{check['claim']} Tried by: {check['attacker']}, on {ON[check['on']]}, {check['seconds']:.1f} s."
    yield f"<p class=dim>{escape(told)}</p>"
    steps = sorted(check["transcript"], key=lambda step: step.get("verdict") not in ("broken", "undetermined"))
    yield "<table class=steps><thead><tr><th></th><th>did</th><th>expected</th><th>saw</th></tr></thead><tbody>"
    for step in steps:
        if step["kind"] == "note":
            yield f"<tr class=note><td></td><td colspan=3>{escape(step['did'])}</td></tr>"
            continue
        mark = f'<i class="mark {step["verdict"]}" title="{_word(step["verdict"])}"></i>'
        cells = "".join(f"<td>{escape(step[name])}</td>" for name in ("did", "expected", "saw"))
        yield f'<tr class="{step["kind"]}"><td>{mark}</td>{cells}</tr>'
    yield "</tbody></table>"
    if check["steps_omitted"]:
        yield f"<p class=dim>{check['steps_omitted']} more, which held.</p>"
    yield "</details>"


def _foot(document: Line) -> Iterator[str]:
    yield "<footer><h2>What was looked at</h2><dl>"
    for name, value in document["inputs"].items():
        yield f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>"
    yield "</dl><p class=dim>A control holds when attacks on it failed and the honest request beside each passed. What "
    yield "nobody has shown is undetermined, never holds. This page was made from report.json, which is signed: "
    yield "<code>caisson report --check DIR</code> verifies both.</p></footer></main></body></html>"


def _badge(verdict: str) -> str:
    return f'<span class="badge {verdict}">{_word(verdict)}</span>'


def _word(verdict: str) -> str:
    return WORDS.get(verdict, verdict)
