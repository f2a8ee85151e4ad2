"""What reading refuses beside the corpora: whole messages."""

from __future__ import annotations

import gzip
import resource
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intake.corpus import another, cell, packed, text, workbook
from intake.orders import orders, read
from kpibook.errors import DataError
from kpibook.intake import staging, values

SAVE = "open it in a spreadsheet program and save it as .xlsx"


def told(folder: Path, content: bytes, file: str = "a.csv", options: str = "") -> str:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / file).write_bytes(content)
    return read(folder, orders(file, options)).said


def test_a_mark_against_params(tmp_path: Path) -> None:
    assert told(tmp_path, text(encoding="utf-8-sig")(), options="encoding: cp1252") == (
        "a.csv: begins with the mark of UTF-8, and params say cp1252 · take encoding: away"
    )


def test_bytes_that_the_named_encoding_lacks(tmp_path: Path) -> None:
    assert told(tmp_path, text()(), options="encoding: ascii") == (
        "a.csv: line 8: not ascii text · name the file's encoding: encoding: cp1252, or another"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (packed(), "a.zip: the zip archive is empty · deliver every file by itself, or in a zip archive of its own"),
        (
            packed(("a.docx", b"")),
            (
                "a.zip: 'a.docx' inside it is no file kpibook reads"
                " · deliver one of .parquet, .csv, .tsv, .txt, .tab, .xlsx, .xlsm, .xlsb, .xls, .ods"
            ),
        ),
    ],
)
def test_zip_archives(tmp_path: Path, content, message: str) -> None:
    assert told(tmp_path, content(), "a.zip") == message


def test_a_member_packed_in_an_unknown_way(tmp_path: Path) -> None:
    content = bytearray(packed(("a.csv", text()()))())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(mark) + place] = 97
    assert told(tmp_path, bytes(content), "a.zip") == (
        "a.zip: the zip archive is packed in a way that is not read · deliver it unpacked"
    )


def empty_book() -> bytes:
    return workbook(lambda book: book["Orders"].delete_rows(1, 20))()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (empty_book, "", "a.xlsx: the workbook is empty · deliver the file again"),
        (empty_book, "sheet: Orders", "a.xlsx: sheet 'Orders': no rows · deliver the file again"),
        (lambda: b"", "", "a.xlsx: the file is empty · deliver the file again"),
        (workbook(), "header_row: 40", "a.xlsx: no row begins on line 40 · correct header_row: in params"),
        (
            workbook(cell("F4", "=1/0")),
            "",
            (
                "a.xlsx: amount: row 3: holds formulas without a stored value (sheet 'Orders', row 4)"
                " · open the file in a spreadsheet program and save it"
            ),
        ),
        (
            workbook(cell("F4", "#REF!")),
            "",
            "a.xlsx: amount: row 3: holds an error instead of a value (sheet 'Orders', row 4) · correct it in the file",
        ),
        (
            workbook(another("a\x7f", ("order_id",))),
            "sheet: b",
            "a.xlsx: there is no sheet 'b' · use one of: Orders, a\ufffd",
        ),
    ],
)
def test_workbooks(tmp_path: Path, content, options: str, message: str) -> None:
    assert told(tmp_path, content(), "a.xlsx", options) == message


def test_a_workbook_that_unpacks_to_far_more(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 150_000_000)
    assert read(tmp_path, orders("a.xlsx")).said == (f"a.xlsx: unpacks to far more than any workbook does · {SAVE}")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {"amount": lambda c: c},
            "decimal: comma",
            (
                "a.csv: order_lines.net_amount (amount): row 1: '1234.50' is no number with the decimal sign ','"
                " · correct decimal: and thousands: in params, or the file"
            ),
        ),
        (
            {"amount": lambda c: c.replace(".", "")[:1] + ".234"},
            "decimal: comma\nthousands: none",
            (
                "a.csv: order_lines.net_amount (amount): row 1: '1.234' is no number with the decimal sign ','"
                " · correct decimal: and thousands: in params, or the file"
            ),
        ),
        (
            {"quantity": lambda c: "5%" if c == "2" else c},
            "",
            "a.csv: order_lines.quantity: row 1: percent signs on 2 of 8 numbers · write all of them alike",
        ),
        (
            {"amount": lambda c: "(1" if c == "9.95" else c},
            "",
            (
                "a.csv: order_lines.net_amount (amount): row 8: '(1' is not a number"
                " · correct the file, or map it with an expression"
            ),
        ),
        (
            {"order_date": lambda c: "5.1.2025" if c == "2025-01-05" else "6.1.2025"},
            "date_format: '%d/%m/%Y'",
            (
                "a.csv: order_lines.business_date (order_date): row 1: '5.1.2025' is not a date as '%d/%m/%Y'"
                ", 8 rows in all · correct date_format: in params, or the file"
            ),
        ),
        (
            {"order_date": lambda c: "x"},
            "date_format: excel",
            (
                "a.csv: order_lines.business_date (order_date): row 1: 'x' is not a date as 'excel', 8 rows in all"
                " · correct date_format: in params, or the file"
            ),
        ),
    ],
)
def test_values_against_params(tmp_path: Path, change: dict, options: str, message: str) -> None:
    assert told(tmp_path, text(**change)(), options=options) == message


def test_a_line_of_more_than_two_megabytes(tmp_path: Path) -> None:
    assert told(tmp_path, text(after="x" * 3_000_000 + ",,,,,\n")()).startswith("a.csv: line 10: ")


def test_a_value_too_long_for_the_header(tmp_path: Path) -> None:
    assert told(tmp_path, text(before="x" * 200_000 + "\n")()) == (
        "a.csv: line 1: a value has more than 131072 characters, or a quote is not closed"
        " · put quotes around values that hold them, and double them inside"
    )


@pytest.mark.parametrize(
    ("written", "start"), [("excel", "1899-12-30"), ("excel-1904", "1904-01-01"), ("unix", ""), ("unix-ms", "")]
)
def test_numbers_that_stand_for_dates(tmp_path: Path, written: str, start: str) -> None:
    from datetime import date

    from intake.orders import TRUTH

    def number(at: str) -> str:
        days = (date.fromisoformat(at) - date.fromisoformat(start or "1970-01-01")).days
        return str(days if start else days * 86400 * (1000 if written == "unix-ms" else 1))

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(text(order_date=number)())
    assert read(tmp_path, orders("a.csv", f"date_format: {written}")).found == TRUTH


def test_booleans_in_four_languages(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(text()())
    words = ["ja", "nein", "Sí", "vero", "falso", "J", "wahr", "", "N/A", "no"]
    lines = "".join(f"{i},{word}\n" for i, word in enumerate(words))
    (tmp_path / "data" / "c.csv").write_text("id,mail\n" + lines, encoding="utf-8")
    tables = orders("a.csv") + "customers: {from: c.csv, columns: {customer_id: id, consent_email: mail}}\n"
    con = read(tmp_path, tables).loaded.con
    assert [row[0] for row in con.raw_sql("SELECT consent_email FROM customers ORDER BY customer_id").fetchall()] == [
        True, False, True, True, False, True, True, None, None, False,
    ]  # fmt: skip


def nameless() -> bytes:
    """A zip archive with a member that has no name."""
    content = bytearray(packed(("~", b"1"))())
    return bytes(content).replace(b"~", b"\x00")


def astray() -> bytes:
    """A zip archive whose directory points before the file's beginning."""
    content = bytearray(packed(("a.csv", text()()))())
    at = content.index(b"PK\x05\x06") + 16
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "file", "message"),
    [
        (astray, "a.zip", "a.zip: cannot be unpacked · deliver the file again"),
        (astray, "a.xlsx", f"a.xlsx: cannot be read as a workbook · {SAVE}"),
        (lambda: b"\x1f\x8bxxxx", "a.csv.gz", "a.csv.gz: cannot be unpacked · deliver the file again"),
        (
            lambda: workbook()()[:-400] + b"PK\x05\x06" + b"\xff" * 18,
            "a.xlsx",
            f"a.xlsx: cannot be read as a workbook · {SAVE}",
        ),
    ],
)
def test_what_fuzzing_found(tmp_path: Path, content, file: str, message: str) -> None:
    assert told(tmp_path, content(), file) == message


def test_a_member_without_a_name(tmp_path: Path) -> None:
    assert told(tmp_path, nameless(), "a.zip").startswith(
        "a.zip: '' inside it is no file kpibook reads · deliver one of "
    )


def protected() -> bytes:
    """What is needed of a workbook with a password: a compound file that holds an encrypted package."""
    free, last, own = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, last, 0, last, 0, 0) + struct.pack("<I", free) * 108
    table = struct.pack("<II", own, last) + struct.pack("<I", free) * 126

    def entry(name: str, kind: int, child: int) -> bytes:
        written = (name + "\0").encode("utf-16-le")
        start = written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written), kind, 1, free, free, child)
        return start + bytes(36) + struct.pack("<IQ", last, 0)

    nothing = bytes(66) + bytes(2) + struct.pack("<III", free, free, free) + bytes(48)
    return head + table + entry("Root Entry", 5, 1) + entry("EncryptedPackage", 2, free) + nothing * 2


def blank(book: Any) -> None:
    book["Orders"].insert_rows(1)
    for column in "ABCDEF":
        book["Orders"][f"{column}1"] = "\u00a0"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (protected, "", "a.xlsx: the workbook is protected by a password · deliver it without"),
        (workbook(blank), "header_row: 1", "a.xlsx: line 1: the header is empty · name every column"),
    ],
)
def test_more_workbooks(tmp_path: Path, content, options: str, message: str) -> None:
    assert told(tmp_path, content(), "a.xlsx", options) == message


MANY = "".join(f"{i},C{i},2025-03-{i % 28 + 1:02},Mug {i * 7919 % 10007},1,{i * 31 % 9973}.50\n" for i in range(9000))


def book_of_many() -> bytes:
    return workbook(lambda book: [book["Orders"].append(line.split(",")) for line in MANY.splitlines()])()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.csv", text(after=MANY)),
        ("a.txt", text(encoding="cp1252", after=MANY)),
        ("a.csv.gz", lambda: gzip.compress(text(after=MANY)())),
        ("a.xlsx", book_of_many),
    ],
)
def test_a_full_disk(tmp_path: Path, file: str, content) -> None:
    """No file may grow beyond 20 kB while it is read."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / file).write_bytes(content())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        said = read(tmp_path, orders(file)).said
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == f"{file}: there is no room to unpack it · free disk space, or set TMPDIR"


def failing(error: BaseException) -> Any:
    def raw_sql(query: str) -> None:
        raise error

    return SimpleNamespace(raw_sql=raw_sql, con=SimpleNamespace(query_progress=lambda: -1.0))


QUOTES = "put values that hold the delimiter or quotes into quotes, and double the quotes inside"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("OutOfMemoryException", "a.csv: the file does not fit into the memory allowed · raise limits: memory"),
        ("InvalidInputException", f"a.csv: line 7: DuckDB cannot read it as text in columns (InvalidInput) · {QUOTES}"),
        ("InternalException", f"a.csv: line 7: DuckDB cannot read it as text in columns (Internal) · {QUOTES}"),
    ],
)
def test_what_duckdb_cannot_read(error: str, message: str) -> None:
    """The kind of error and the line: what else DuckDB says may be a customer's data."""
    import duckdb

    raised = getattr(duckdb, error)("CSV Error on Line: 7\nOriginal Line: Mrs Brown, 49.00")
    with pytest.raises(DataError) as caught:
        staging.watched(failing(raised), "COPY", "a.csv", lambda *_: None)
    assert str(caught.value) == message


def test_another_fault_while_a_file_is_read_is_our_own() -> None:
    with pytest.raises(ZeroDivisionError, match=r"^ours$"):
        staging.watched(failing(ZeroDivisionError("ours")), "COPY", "a.csv", lambda *_: None)


def test_data_that_do_not_fit_into_memory() -> None:
    import duckdb

    with pytest.raises(DataError) as caught:
        values.run(failing(duckdb.OutOfMemoryException("128 MB")), "SELECT 1", "order_lines")
    assert str(caught.value) == ("order_lines: the data do not fit into the memory allowed · raise limits: memory")


def test_rules_of_quality_that_need_more_memory_than_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a rule asks may fail as reading does; there are no limits in these params: their first line is named."""
    import duckdb

    from kpibook import intake

    def examined(*_: object) -> None:
        raise duckdb.OutOfMemoryException("950 MB used: Mrs Brown")

    monkeypatch.setattr(intake, "examined", examined)
    said = told(tmp_path, text()())
    assert said == "shop.yaml:1: the data do not fit into the memory allowed \u00b7 raise limits: memory"
