"""Files of the kinds that a report may hold, each with one text in it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq


def zipped(**members: bytes) -> bytes:
    """Deflated: nothing of the members can be read in the bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def parquet(text: str) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"n": [1, 2], "note": ["fine", f"by {text}"]}), out, compression="zstd")
    return out.getvalue()


def notebook(text: str) -> bytes:
    output = {"output_type": "display_data", "data": {"text/html": f"<p>{text}</p>"}, "metadata": {}}
    return json.dumps({"cells": [{"cell_type": "code", "source": "", "outputs": [output]}]}).encode()


def cut_by_markup(text: str) -> bytes:
    half = len(text) // 2
    return f"<p:txBody><a:t>by {text[:half]}</a:t><a:t>{text[half:]}</a:t></p:txBody>".encode()


def pdf(text: str) -> bytes:
    """One page whose letters are written as they are, in a compressed stream."""
    return _pdf(f"BT /F 12 Tf (by {text}) Tj ET".encode(), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")


def pdf_of_glyphs(text: str) -> bytes:
    """One page whose letters are numbers of a font, as office programs and browsers write them."""
    letters = "".join(dict.fromkeys(text))
    numbers = {letter: f"{number:04X}" for number, letter in enumerate(letters, 1)}
    mapped = "\n".join(f"<{numbers[letter]}> <{ord(letter):04X}>" for letter in letters)
    head = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    names = zlib.compress(head + f"{len(letters)} beginbfchar\n{mapped}\nendbfchar endcmap".encode())
    font = b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>"
    inner = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/CIDSystemInfo<</Registry(A)/Ordering(I)/Supplement 0>>>>"
    shown = "".join(numbers[letter] for letter in text)
    return _pdf(f"BT /F 12 Tf <{shown}> Tj ET".encode(), font, inner, _stream(names))


def _stream(packed: bytes) -> bytes:
    return b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)


def _pdf(content: bytes, font: bytes, *more: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", pages, page, _stream(zlib.compress(content)), font, *more]
    out, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + tail


def every_kind(text: str) -> dict[str, bytes]:
    """By file name."""
    plain = f"by {text}".encode()
    shared = b"<sst><si><t>by " + text.encode() + b"</t></si></sst>"
    return {
        "a.html": plain,
        "a.csv": b"kpi,note\nx," + plain,
        "a.ipynb": notebook(text),
        "a.parquet": parquet(text),
        "a.xlsx": zipped(**{"xl/sharedStrings.xml": shared}),
        "a.pptx": zipped(**{"ppt/slides/slide1.xml": cut_by_markup(text)}),
        "b.pptx": zipped(**{"ppt/embeddings/book.xlsx": zipped(**{"xl/sharedStrings.xml": shared})}),
        "a.zip": zipped(**{"tables/a.parquet": parquet(text)}),
        "b.zip": zipped(**{f"{text}.txt": b"named"}),
        "a.pdf": pdf(text),
        "b.pdf": pdf_of_glyphs(f"by {text}"),
        "a.csv.gz": gzip.compress(plain),
        "a.tar.bz2": bz2.compress(plain),
        "a.xz": lzma.compress(plain),
        "a.gz.gz": gzip.compress(gzip.compress(plain)),
        "a.xls": b"\xd0\xcf\x11\xe0" + plain.decode().encode("utf-16-le"),
        "b.xls": b"\xd0\xcf\x11\xe0\x00" + plain.decode().encode("utf-16-le"),
    }
