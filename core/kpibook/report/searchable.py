"""A finished file as text that can be searched: packed, compressed and binary ones too."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES = 1_000_000_000
DEEPEST = 4
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_CLOSED = (b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")  # 7-Zip, RAR, Zstandard: nothing here opens them


class UnsearchableError(Exception):
    """A file that is broken, encrypted, packed in an unknown way, or unpacks to too much."""


def searchable(path: Path) -> str | None:
    """All texts of a file, one under the other; None when it cannot be searched."""
    try:
        return "\n".join(_Reader().texts(path.read_bytes(), path.suffix == ".parquet", 0))
    except UnsearchableError:
        return None


class _Reader:
    def __init__(self) -> None:
        self.left = MOST_BYTES

    def texts(self, content: bytes, parquet: bool, depth: int) -> Iterator[str]:
        self.left -= len(content)
        if self.left < 0 or depth > DEEPEST or content.startswith(_CLOSED):
            raise UnsearchableError
        if parquet or content.startswith(b"PAR1"):
            yield from _parquet(content)
        elif content.startswith(b"%PDF-"):
            yield from _pdf(content)
        elif content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from self._members(content, depth)
        elif opener := next((o for magic, o in _PACKERS.items() if content.startswith(magic)), None):
            yield from self.texts(self._unpacked(opener, content), False, depth + 1)
        else:
            yield from _decoded(content)

    def _members(self, content: bytes, depth: int) -> Iterator[str]:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield "\n".join([*archive.namelist(), archive.comment.decode("utf-8", "replace")])
                for member in archive.infolist():
                    if member.file_size > self.left:  # told by the archive itself, before anything is unpacked
                        raise UnsearchableError
                    yield from self.texts(archive.read(member), member.filename.endswith(".parquet"), depth + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError, EOFError) as error:
            raise UnsearchableError from error

    def _unpacked(self, opener: Callable, content: bytes) -> bytes:
        try:
            with opener(io.BytesIO(content)) as file:
                found: bytes = file.read(self.left + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise UnsearchableError from error
        return found


_PACKERS: dict[bytes, Callable] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


def _decoded(content: bytes) -> Iterator[str]:
    text = content.decode("utf-8", "replace")
    yield text
    if "<" in text:  # a word may be cut by markup: <t>pass</t><t>word</t>
        yield _TAG.sub("", text)
    if b"\x00" in content:
        yield content.decode("utf-16-le", "replace")
        yield content[1:].decode("utf-16-le", "replace")


def _parquet(content: bytes) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except pa.ArrowException as error:
        raise UnsearchableError from error
    yield str(table.schema.names)
    yield str(table.schema.metadata)
    for column in table.columns:
        if not pa.types.is_primitive(column.type):
            yield "\n".join(str(value) for value in column.to_pylist() if value is not None)


def _pdf(content: bytes) -> Iterator[str]:
    """Streams as they are and unpacked; the words of each page, whose letters may be numbers of a font."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    yield content.decode("latin-1")
    for stream in _STREAM.findall(content):
        unpacked = zlib.decompressobj()
        try:
            yield unpacked.decompress(stream, MOST_BYTES).decode("latin-1")
        except zlib.error:  # packed in another way, or not at all: then it was searched above
            continue
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise UnsearchableError
        yield str(reader.metadata)
        for page in reader.pages:
            words = page.extract_text()
            yield words
            yield _SPACE.sub("", words)
        for name, attached in reader.attachments.items():
            yield name
            for each in attached:
                yield from _Reader().texts(each, name.endswith(".parquet"), 1)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnsearchableError from error
