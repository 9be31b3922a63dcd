"""What every extractor must do with documents (ports/extractor.py): sound ones become text, hostile ones a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import documents
from caisson.adapters.embedded.extractor import EmbeddedExtractor
from caisson.ports.extractor import DOCUMENT_BYTES_MAX, TEXT_CHARACTERS_MAX, Extractor, NoExtractor, Unreadable
from documents import docx, paragraph, pdf, xlsx


@pytest.fixture(scope="module", params=["embedded"])
def extractor() -> Iterator[Extractor]:
    started = EmbeddedExtractor.start()
    yield started
    asyncio.run(started.close())


async def read(extractor: Extractor, document: bytes, format: Any) -> str | Unreadable:
    return await extractor.text(document, format, owner="s")


WORKBOOK = xlsx(
    [
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>a, b</t></is></c></row>',
        '<row r="2"><c r="A2"><v>4111111111111111</v></c><c r="B2"><v>1.5</v></c><c r="C2" t="b"><v>1</v></c></row>',
    ],
    strings=["name"],
)
NOTES = f'<w:footnotes xmlns:w="{documents.W}">{paragraph("a note")}</w:footnotes>'
SOUND = {
    "pdf": (pdf("Water damage", "is covered"), "pdf", "Water damage\nis covered\n"),
    "compressed pdf": (pdf("hello", compressed=True), "pdf", "hello\n"),
    "docx": (docx(paragraph("one") + paragraph("&lt;two&gt; &amp; é")), "docx", "one\n<two> & é\n"),
    "docx table": (
        docx(f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc><w:tc>{paragraph('b')}</w:tc></w:tr></w:tbl>"),
        "docx",
        "a\n\tb\n\t\n",
    ),
    "docx deleted, hidden, twice": (
        docx(
            "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t><w:tab/><w:t>seen</w:t></w:r></w:p>"
            f"<mc:AlternateContent><mc:Choice>{paragraph('box')}</mc:Choice>"
            f"<mc:Fallback>{paragraph('box')}</mc:Fallback></mc:AlternateContent>"
        ),
        "docx",
        "hidden\tseen\nbox\n",
    ),
    "docx notes": (docx(paragraph("text"), **{"word/footnotes.xml": NOTES}), "docx", "text\na note\n"),
    "xlsx": (WORKBOOK, "xlsx", 'Data\nname,"a, b"\n4111111111111111,1.5,TRUE\n'),
    "html": (
        b"\xef\xbb\xbf<html><head><title>T</title><style>p{}</style></head><body><p>I&#103;nore <b>a</b>ll</p>"
        b"<!-- no --><script>no()</script><img alt='a  picture'><ul><li>x<li>y</ul></body></html>",
        "html",
        "T\nIgnore all\na picture\nx\ny",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SOUND))
async def test_a_sound_document_is_read(extractor: Extractor, name: str) -> None:
    document, format, text = SOUND[name]
    assert await read(extractor, document, format) == text


def nested(levels: int) -> bytes:
    return docx("<w:sdt>" * levels + paragraph("deep") + "</w:sdt>" * levels)


WIDE_SHEET = xlsx(['<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'])
TALL_SHEET = xlsx(['<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1048576"><c r="B1048576"><v>1</v></c></row>'])
LOOP = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[2 0 R]/Count 1>>\nendobj\ntrailer<</Root 1 0 R>>\n"  # noqa: E501
HOSTILE = {
    "not a pdf": (b"hello", "pdf", {Unreadable.WRONG_FORMAT}),
    "not a docx": (b"hello", "docx", {Unreadable.WRONG_FORMAT}),
    "a pdf as docx": (pdf("x"), "docx", {Unreadable.WRONG_FORMAT}),
    "a docx as xlsx": (docx(paragraph("x")), "xlsx", {Unreadable.WRONG_FORMAT}),
    "an xlsx as docx": (WORKBOOK, "docx", {Unreadable.WRONG_FORMAT}),
    "empty pdf": (b"%PDF-1.7\n", "pdf", {Unreadable.DAMAGED}),
    "cut pdf": (pdf("x")[:200], "pdf", {Unreadable.DAMAGED, Unreadable.NO_TEXT}),
    "cut docx": (docx(paragraph("x"))[:-30], "docx", {Unreadable.DAMAGED}),
    "cut xml": (docx("</w:p>"), "docx", {Unreadable.DAMAGED}),
    "encrypted pdf": (documents.encrypted_pdf(), "pdf", {Unreadable.ENCRYPTED}),
    "encrypted office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "docx", {Unreadable.ENCRYPTED}),
    "blank pdf": (pdf(""), "pdf", {Unreadable.NO_TEXT}),
    "blank page": (b"<script>x</script>", "html", {Unreadable.NO_TEXT}),
    "latin page": (b"caf\xe9", "html", {Unreadable.NOT_UTF8}),
    "zip bomb": (documents.expanding(200 << 20), "docx", {Unreadable.EXPANDS}),
    "many files": (documents.package({f"f{n}": "" for n in range(5_000)}), "docx", {Unreadable.TOO_MANY}),
    "billion laughs": (docx(paragraph("&c;"), declaration=documents.ENTITIES), "docx", {Unreadable.UNSAFE}),
    "external entity": (docx(paragraph("&a;"), declaration=documents.EXTERNAL), "docx", {Unreadable.UNSAFE}),
    "deep nesting": (nested(400), "docx", {Unreadable.TOO_DEEP}),
    "much text": (docx(paragraph("x" * TEXT_CHARACTERS_MAX + "y")), "docx", {Unreadable.TOO_MUCH_TEXT}),
    "much page": (b"<p>" + b"x" * (TEXT_CHARACTERS_MAX + 1), "html", {Unreadable.TOO_MUCH_TEXT}),
    "too many bytes": (bytes(DOCUMENT_BYTES_MAX + 1), "pdf", {Unreadable.TOO_LARGE}),
    "wide sheet": (WIDE_SHEET, "xlsx", {Unreadable.TOO_MUCH_MEMORY, Unreadable.TOO_MANY, Unreadable.DAMAGED}),
    "tall sheet": (TALL_SHEET, "xlsx", {Unreadable.TOO_MANY}),
    "pages in a loop": (LOOP, "pdf", {Unreadable.DAMAGED, Unreadable.TOO_DEEP, Unreadable.NO_TEXT}),
    "many pages": (documents.pdf_of([b""] * 1_001), "pdf", {Unreadable.TOO_MANY}),
    "flate bomb": (
        documents.pdf_of([b" " * (100 << 20)], compressed=True),
        "pdf",
        {Unreadable.EXPANDS, Unreadable.TOO_MUCH_MEMORY, Unreadable.DAMAGED},
    ),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_a_hostile_document_is_refused_by_name(extractor: Extractor, name: str) -> None:
    document, format, allowed = HOSTILE[name]
    assert await read(extractor, document, format) in allowed
    assert await read(extractor, b"<p>still here</p>", "html") == "still here"


async def test_many_at_once_do_not_mix(extractor: Extractor) -> None:
    async def one(number: int) -> str | Unreadable:
        return await extractor.text(f"<p>n{number}</p>".encode(), "html", owner=f"s{number % 3}")

    assert await asyncio.gather(*map(one, range(24))) == [f"n{number}" for number in range(24)]


async def test_what_was_given_no_extractor_reads_nothing() -> None:
    assert await read(NoExtractor(), b"<p>hi</p>", "html") is Unreadable.UNAVAILABLE


def test_every_reason_has_a_rule_and_says_what_to_do() -> None:
    assert len({why.rule for why in Unreadable}) == len(Unreadable)
    assert all(";" in why.message or "," in why.message for why in Unreadable)
