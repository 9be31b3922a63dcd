"""Recall against false positives as an SVG picture, the same bytes for the same points.

>>> drawn([Curve(name="a", points=((0.3, 0.7), (2.0, 0.8)))]).startswith("<svg")
True
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 820, 420
LEFT, TOP, RIGHT, BOTTOM = 64, 24, 310, 52
COLOURS = ("#1f5fa8", "#c2571a", "#1f5fa8", "#c2571a")
LOW, HIGH = 0.1, 5.0
"""Per cent of innocent rows that are flagged, on a logarithmic axis."""
RECALL_MIN = 0.3


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: per cent flagged, share found."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


def drawn(curves: list[Curve]) -> str:
    """The picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for tenth in range(int(RECALL_MIN * 10), 11):
        y = _y(tenth / 10)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#47505a">{tenth / 10:.1f}</text>')
    for per_cent in (0.1, 0.3, 0.5, 1.0, 2.0, 5.0):
        x = _x(per_cent)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e6ea"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#47505a">{per_cent:g} %</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle" fill="#1d2329">'
        "innocent rows flagged</text>"
    )
    parts.append(
        f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2:.1f}) rotate(-90)" text-anchor="middle" '
        'fill="#1d2329">overt attacks found</text>'
    )
    parts.append(
        f'<path d="M{LEFT} {_y(0.8):.1f}H{WIDTH - RIGHT}" stroke="#8a939c" stroke-dasharray="2 4"/>'
        f'<text x="{WIDTH - RIGHT + 6}" y="{_y(0.8) + 4:.1f}" fill="#8a939c">target</text>'
    )
    for number, curve in enumerate(curves):
        colour, dash = COLOURS[number % len(COLOURS)], ' stroke-dasharray="6 4"' if curve.dashed else ""
        line = " ".join(f"{_x(flagged):.1f},{_y(found):.1f}" for flagged, found in curve.points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [
            f'<circle cx="{_x(flagged):.1f}" cy="{_y(found):.1f}" r="3" fill="{colour}"/>'
            for flagged, found in curve.points
        ]
        y = HEIGHT - BOTTOM - 12 - 22 * (len(curves) - 1 - number)
        x = WIDTH - RIGHT + 14
        parts.append(f'<path d="M{x} {y - 4}h28" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{x + 34}" y="{y}" fill="#1d2329">{escape(curve.name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(per_cent: float) -> float:
    share = (log10(per_cent) - log10(LOW)) / (log10(HIGH) - log10(LOW))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(recall: float) -> float:
    return TOP + (1 - recall) / (1 - RECALL_MIN) * (HEIGHT - TOP - BOTTOM)
