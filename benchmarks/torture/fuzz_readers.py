"""Bytes that nobody would send, by atheris: every reader reads them or refuses them, and nothing else.

``python benchmarks/torture/fuzz_readers.py [-runs=N] [CORPUS…]``; ``make fuzz`` installs atheris and states the number.
The first byte of an input chooses the reader, the rest is the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kpibook.intake"]):
    from kpibook.intake import compressed, staging, workbook

import ibis

from kpibook.errors import DataError
from kpibook.params_tables import TableMapping

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".csv.zip", ".xlsx", ".xls")
WANTED = ("order_id", "amount")
FOLDER = Path(tempfile.mkdtemp(prefix="kpibook-fuzz-"))
CON = ibis.duckdb.connect()


def silent(done: int, of: int) -> None:
    """Nobody listens."""


def read(content: bytes) -> None:
    """One file through its reader. Anything but a DataError is a fault, and ends the run with its input."""
    suffix = SUFFIXES[content[0] % len(SUFFIXES)] if content else ".csv"
    path = FOLDER / f"a{suffix}"
    path.write_bytes(content[1:])
    mapping = TableMapping.model_validate({"from": path.name, "columns": {"net_amount": "amount"}})
    target = FOLDER / "a.parquet"
    try:
        inner, name, _ = compressed.unpacked(path, path.name, FOLDER / "unpacked", silent)
        if name.endswith((".xlsx", ".xls")):
            workbook.stage(inner, name, WANTED, mapping, target)
        else:
            staging.stage(CON, inner, name, WANTED, mapping, target, silent)
    except DataError as error:
        if not all(problem.remedy for problem in error.problems):
            raise


def seeds() -> Path:
    """Small files of every kind to start from."""
    folder = FOLDER / "seeds"
    folder.mkdir()
    text = 'order_id;amount\n1;1.234,50\n2;"a\nb"\nTOTAL;\n'
    for i, encoding in enumerate(("utf-8-sig", "utf-16", "cp1252", "cp850")):
        (folder / f"t{i}").write_bytes(b"\x00" + text.encode(encoding))
    files = Path(__file__).parents[2] / "tests" / "intake" / "bad_inputs"
    marks = {"76_zipped.csv.zip": 3, "70_excel_merged_header.xlsx": 4, "06_embedded_newlines_quotes.csv": 0}
    for name, mark in marks.items():
        (folder / name).write_bytes(bytes([mark]) + (files / name).read_bytes())
    return folder


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-max_len=8192", f"-artifact_prefix={FOLDER}/", str(seeds())], read)
    atheris.Fuzz()
