"""Cells of an .xlsx sheet that hold no value of their own: formulas never calculated, and errors.

The reader of workbooks gives an empty text for both; only the sheet's XML tells them from empty cells.
"""

from __future__ import annotations

import re
import zipfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CHUNK = 4_000_000
_SIGNS = re.compile(rb"<(?:\w+:)?f[ />]|t=\"e\"")


def uncached(path: Path, index: int, first: int) -> dict[int, tuple[int, str]]:
    """``{column: (row, "formula" or "error")}``, the first below row ``first``; columns from 0, rows from 1."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        part = _part(archive, index)
        if part is None:
            return {}
        with archive.open(part) as xml:
            if not _mentions(xml):
                return {}
        with archive.open(part) as xml:
            return _cells(xml, first)


def _part(archive: zipfile.ZipFile, index: int) -> str | None:
    """The XML file of the sheet at ``index`` among the worksheets."""
    from defusedxml import ElementTree

    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    sheets = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_SPACE}sheet")
    parts = [targets.get(sheet.get(_RELATION), "") for sheet in sheets]
    parts = [f"xl/{p}" if not p.startswith("/") else p[1:] for p in parts if "worksheets/" in p]
    return parts[index] if index < len(parts) and parts[index] in names else None


def _mentions(xml: IO[bytes]) -> bool:
    held = b""
    while chunk := xml.read(_CHUNK):
        if _SIGNS.search(held + chunk):
            return True
        held = chunk[-16:]
    return False


def _cells(xml: IO[bytes], first: int) -> dict[int, tuple[int, str]]:
    from defusedxml import ElementTree

    found: dict[int, tuple[int, str]] = {}
    for _, element in ElementTree.iterparse(xml):
        if element.tag != f"{_SPACE}c":
            if element.tag == f"{_SPACE}row":
                element.clear()
            continue
        place = re.fullmatch(r"([A-Z]+)(\d+)", element.get("r", ""))
        value = element.find(f"{_SPACE}v")
        empty = value is None or not value.text
        kind = "error" if element.get("t") == "e" and (value is None or value.text != "#N/A") else ""
        if element.find(f"{_SPACE}f") is not None and empty and element.get("t") != "str":
            kind = "formula"
        if place and kind and int(place[2]) > first:
            found.setdefault(_number(place[1]), (int(place[2]), kind))
    return found


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
