"""Accounts and relations as SVG: boxes in two columns, numbered arrows between them, and what the numbers mean below.

Labels stand in lists, never on lines, so that nothing overlaps whatever a deployment holds. Colours follow the
reader's scheme.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from caisson.deploy.picture.contents import MANAGEMENT, Account
from caisson.deploy.picture.relations import Relation

WIDTH, MARGIN, BOX, LINE, PAD = 1_120, 24, 440, 18, 14
TOP = 64
"""Pixels: of the picture, around it, of a box, of a line of text, inside a box, and above the boxes."""
CHARACTERS_MAX, LEGEND_CHARACTERS_MAX = 58, 150
"""Of a line in a box, and below."""
PORT = 24
"""Pixels between two arrows at one box."""
LEFT = ("runtime", "evaluation", "ingestion", "ingress")
"""Zones of the left column, whose arrows lead to the right one."""
_STYLE = """
svg{--back:#fff;--box:#f6f8fa;--edge:#8c959f;--ink:#1f2328;--dim:#59636e;--line:#0550ae;--dot:#0550ae;--in:#fff}
@media (prefers-color-scheme:dark){svg{--back:#0d1117;--box:#161b22;--edge:#6e7681;--ink:#e6edf3;--dim:#9198a1;
--line:#79c0ff;--dot:#79c0ff;--in:#0d1117}}
text{font:13px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:var(--ink)}
.title{font-size:19px;font-weight:600}.zone{font-size:15px;font-weight:600}.dim{fill:var(--dim)}.part{font-weight:600}
.box{fill:var(--box);stroke:var(--edge)}.way{fill:none;stroke:var(--line);stroke-width:1.5}
.dot{fill:var(--dot)}.number{fill:var(--in);font-size:11px;font-weight:600;text-anchor:middle}
"""


@dataclass(frozen=True, kw_only=True)
class _Box:
    account: Account
    x: int
    y: int
    lines: tuple[tuple[str, str], ...]
    """Class of style and text."""
    ports: int

    @property
    def height(self) -> int:
        return max(2 * PAD + LINE * len(self.lines), 2 * PAD + PORT * self.ports)

    @property
    def left(self) -> bool:
        return self.x < WIDTH // 2


def drawn(title: str, accounts: Sequence[Account], relations: Sequence[Relation]) -> str:
    """The picture as the text of an SVG document."""
    boxes = _placed(accounts, relations)
    relations = sorted(relations, key=lambda one: (boxes[one.source].x, boxes[one.source].y, boxes[one.target].y))
    bottom = max(box.y + box.height for box in boxes.values())
    names = {number: _label(box.account) for number, box in boxes.items()}
    legend = [
        line
        for number, one in enumerate(relations, start=1)
        for line in _wrapped(f"{number}. {names[one.source]} → {names[one.target]}: {one.says}", LEGEND_CHARACTERS_MAX)
    ]
    height = bottom + 2 * MARGIN + LINE * len(legend)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(title)}>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:var(--line)"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" style="fill:var(--back)"/>',
        _text(MARGIN, 38, "title", title),
    ]
    for box in boxes.values():
        parts.append(f'<rect class="box" x="{box.x}" y="{box.y}" width="{BOX}" height="{box.height}" rx="8"/>')
        parts += [
            _text(box.x + PAD, box.y + PAD + LINE * row + 13, style, text)
            for row, (style, text) in enumerate(box.lines)
        ]
    parts += _arrows(boxes, relations)
    parts += [_text(MARGIN, bottom + MARGIN + LINE * (row + 1), "", line) for row, line in enumerate(legend)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _placed(accounts: Sequence[Account], relations: Sequence[Relation]) -> dict[str, _Box]:
    heights = {True: TOP, False: TOP}
    boxes = {}
    for account in accounts:
        left = bool(set(account.zones) & set(LEFT)) and MANAGEMENT not in account.zones
        ports = sum(account.number in (one.source, one.target) for one in relations)
        box = _Box(
            account=account,
            x=MARGIN if left else WIDTH - MARGIN - BOX,
            y=heights[left],
            lines=tuple(_lines(account)),
            ports=ports,
        )
        heights[left] += box.height + MARGIN
        boxes[account.number] = box
    return boxes


def _label(account: Account) -> str:
    return ", ".join(account.zones) or "account"


def _lines(account: Account) -> list[tuple[str, str]]:
    lines = [("zone", line) for line in _wrapped(_label(account), CHARACTERS_MAX - 8)]
    lines.append(("dim", f"account {account.number}"))
    for part, held in account.stacks:
        lines.append(("part", part))
        lines += [("dim", line) for line in _wrapped(held, CHARACTERS_MAX)]
    return lines


def _wrapped(text: str, characters: int) -> list[str]:
    return textwrap.wrap(text, characters)


def _text(x: float, y: float, style: str, text: str) -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{kind}>{escape(text)}</text>'


def _arrows(boxes: dict[str, _Box], relations: Sequence[Relation]) -> list[str]:
    """A curve for each relation, from a place of its own at one box to one at the other; its number at the start."""
    ends: dict[str, list[tuple[int, int, bool]]] = {number: [] for number in boxes}
    for index, one in enumerate(relations):
        ends[one.source].append((boxes[one.target].y, index, True))
        ends[one.target].append((boxes[one.source].y, index, False))
    ports: dict[tuple[int, bool], int] = {}
    for number, found in ends.items():
        box = boxes[number]
        first = box.y + PAD + PORT // 2
        for row, (_, index, starts) in enumerate(sorted(found)):
            ports[index, starts] = first + PORT * row
    parts = []
    for index, one in enumerate(relations):
        source, target = boxes[one.source], boxes[one.target]
        y, to = ports[index, True], ports[index, False]
        if source.left is target.left:
            x = end = source.x + (BOX if source.left else 0)
            bend = x + (70 if source.left else -70)
            way = f"M{x} {y}C{bend} {y} {bend} {to} {end} {to}"
        else:
            x, end = (source.x + BOX, target.x) if source.left else (source.x, target.x + BOX)
            middle = (x + end) / 2
            way = f"M{x} {y}C{middle:.0f} {y} {middle:.0f} {to} {end} {to}"
        parts.append(f'<path class="way" d="{way}" marker-end="url(#tip)"/>')
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="9"/>')
        parts.append(_text(x, y + 4, "number", str(index + 1)))
    return parts
