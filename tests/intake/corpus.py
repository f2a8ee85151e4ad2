"""Files of our own: what clients send, class by class, each with the verdict and words it must lead to.

Each case is the eight orders written otherwise. ``make`` writes the file; ``tables`` is what a user maps; ``says``
are the words that must be read, and ``truth`` the numbers, where they are not those of the eight orders.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import openpyxl

from intake.orders import TRUTH, orders

HEADER = ("order_id", "customer_id", "order_date", "product", "quantity", "amount")
ROWS = (
    ("1001", "C001", "2025-01-05", "Coffee beans 1kg", "1", "1234.50"),
    ("1002", "C002", "2025-01-12", "Mug", "2", "19.90"),
    ("1003", "C001", "2025-02-03", "Grinder manual", "1", "49.00"),
    ("1004", "C003", "2025-02-14", "Filter paper", "3", "7.35"),
    ("1005", "C004", "2025-02-28", "Espresso machine", "1", "899.99"),
    ("1006", "C002", "2025-03-01", "Coffee beans 1kg", "1", "24.95"),
    ("1007", "C005", "2025-03-13", "Café crème", "2", "12.40"),
    ("1008", "C003", "2025-03-31", "Mug", "1", "9.95"),
)
READ, TOLD, REFUSED = "accept", "accept_with_warning", "refuse"


@dataclass(frozen=True)
class Case:
    group: str
    issue: str
    file: str
    make: Callable[[], bytes]
    verdict: str
    says: tuple[str, ...] = ()
    options: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=lambda: TRUTH)
    remedy: str = ""

    @property
    def tables(self) -> str:
        return orders(self.file, self.options, **self.columns)


def text(
    delimiter: str = ",",
    encoding: str = "utf-8",
    newline: str = "\n",
    before: str = "",
    after: str = "",
    header: tuple[str, ...] | None = HEADER,
    **change: Callable[[str], str],
) -> Callable[[], bytes]:
    """The orders as text; ``change`` rewrites the cells of a column."""

    def make() -> bytes:
        rows = [[change.get(name, str)(cell) for name, cell in zip(HEADER, row, strict=True)] for row in ROWS]
        lines = [delimiter.join(cells) for cells in ([header] if header else []) + rows]
        return (before + newline.join(lines) + newline + after).encode(encoding)

    return make


def nth(number: int, other: str) -> Callable[[str], str]:
    """Replace the cell of one row, counted from 1."""
    count = iter(range(1, 100))
    return lambda cell: other if next(count) == number else cell


def comma(cell: str) -> str:
    return cell.replace(".", ",")


def grouped(thousands: str, decimal: str) -> Callable[[str], str]:
    def write(cell: str) -> str:
        return f"{float(cell):,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)

    return write


def day(written: str) -> Callable[[str], str]:
    return lambda cell: date.fromisoformat(cell).strftime(written)


MONTHS = ("enero", "febrero", "marzo")
GERMAN = ("Januar", "Februar", "März")


def named(template: str, months: tuple[str, ...]) -> Callable[[str], str]:
    def write(cell: str) -> str:
        at = date.fromisoformat(cell)
        return template.format(d=at.day, m=months[at.month - 1], y=at.year)

    return write


def late(cell: str) -> str:
    """Days after the twelfth become the day of the month's number: every date can then be read in two ways."""
    return f"0{int(cell[5:7])}/0{int(cell[5:7]) % 3 + 4}/2025"


def packed(*members: tuple[str, bytes]) -> Callable[[], bytes]:
    def make() -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                archive.writestr(name, data)
        return content.getvalue()

    return make


def encrypted() -> bytes:
    content = bytearray(packed(("a.csv", text()()))())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def workbook(change: Callable[[Any], None] = lambda book: None, *, typed: bool = True) -> Callable[[], bytes]:
    """The orders in a sheet called Orders, numbers and dates as such."""

    def make() -> bytes:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Orders"
        sheet.append(HEADER)
        for row in ROWS:
            order, customer, at, product, quantity, amount = row
            cells = (int(order), customer, datetime.fromisoformat(at), product, int(quantity), float(amount))
            sheet.append(cells if typed else row)
        change(book)
        content = io.BytesIO()
        book.save(content)
        return content.getvalue()

    return make


def another(name: str, *rows: tuple) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)

    return change


def cell(place: str, value: Any) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book["Orders"][place] = value

    return change


def named_months(cell: str) -> str:
    return date.fromisoformat(cell).strftime("%d-%b-%y")


def titled(book: Any) -> None:
    """Two rows of titles above the header, cells merged, and a total at the foot."""
    sheet = book["Orders"]
    sheet.insert_rows(1, 2)
    sheet["A1"], sheet["A2"], sheet["C2"] = "Sales of the first quarter", "Who", "What"
    for cells in ("A1:F1", "A2:B2", "C2:F2"):
        sheet.merge_cells(cells)
    sheet.append(("Total", None, None, None, 12, 2258.04))


def below(*cells: Any) -> Callable[[Any], None]:
    return lambda book: book["Orders"].append(cells)


def long(cell: str) -> Callable[[], bytes]:
    """The orders, and more than a megabyte of them below; one odd cell at the end."""
    more = "".join(f"{i},C001,2025-03-31,Mug,1,1.00\n" for i in range(2000, 40000))
    return text(after=f"{more}99999,{cell},2025-03-31,Mug,1,1.00\n")


def merged(book: Any) -> None:
    book["Orders"].merge_cells("B3:B4")


CASES = (
    Case("encoding", "UTF-8 with a byte order mark", "bom.csv", text(encoding="utf-8-sig"), READ),
    Case("encoding", "UTF-16 big-endian with a mark", "be.txt",
         lambda: b"\xfe\xff" + text("\t", "utf-16-be")(), TOLD, ("UTF-16", "tabs")),
    Case("encoding", "UTF-16 without a mark", "nomark.csv", text(encoding="utf-16-le"), TOLD, ("UTF-16-LE",)),
    Case("encoding", "cp850 that nobody names", "dos.csv", text(encoding="cp850", product=lambda c: c + " für"),
         REFUSED, ("line 2", "encoding: cp850"), remedy="encoding: cp850"),
    Case("encoding", "UTF-8 and cp1252 glued together", "glued.csv",
         lambda: text()() + "1009,C001,2025-03-31,Café,1,1.00\n".encode("cp1252"), REFUSED, ("line 10", "mixed")),
    Case("encoding", "zero bytes", "zero.csv", lambda: text()().replace(b"Mug", b"\x00ug"), REFUSED, ("zero bytes",)),
    Case("dialect", "semicolon, decimal comma", "semi.csv", text(";", amount=comma), TOLD, ("decimal comma", "“;”")),
    Case("dialect", "pipe", "pipe.txt", text("|"), TOLD, ("“|”",)),
    Case("dialect", "tab", "tab.tsv", text("\t"), TOLD, ("tabs",)),
    Case("dialect", "sep= line", "sep.csv", text(";", before="sep=;\n"), TOLD, ("“;”",)),
    Case("dialect", "CRLF", "crlf.csv", text(newline="\r\n"), READ),
    Case("dialect", "line ends mixed", "mixed.csv", lambda: text()().replace(b"1003", b"\r\n1003"[2:]).replace(
        b"49.00\n", b"49.00\r\n"), READ),
    Case("dialect", "only carriage returns", "cr.csv", text(newline="\r"), READ),
    Case("dialect", "quote not closed", "quote.csv", text(product=nth(3, '"Grinder')), REFUSED, ("line 4", "quote")),
    Case("dialect", "decimal comma in a file with commas", "commas.csv", text(amount=comma), REFUSED, ("line 2",)),
    Case("structure", "lines above the header", "above.csv", text(before="Sales report\nmade by ERP 4\n\n"), TOLD,
         ("header", "line 4")),
    Case("structure", "blank lines", "blank.csv", text(before="\n", after="\n\n   \n"), READ),
    Case("structure", "rows without any value", "commasonly.csv", text(after=",,,,,\n,,,,,\n"), TOLD,
         ("without any value", "2 of 10")),
    Case("structure", "a row with too few cells", "ragged.csv", text(amount=nth(4, "7.35\n1,2")), REFUSED, ("line 6",)),
    Case("structure", "a total with fewer cells", "short.csv", text(after="Gesamt;2258,04\n", delimiter=";"), TOLD,
         ("Gesamt", "10")),
    Case("structure", "total in Spanish", "suma.csv", text(after="Total general:,,,,,2258.04\n"), TOLD,
         ("Total general",)),
    Case("structure", "a total without a word", "sum.csv", text(after=",,,,,2258.04\n"), REFUSED, ("row 9", "total"),
         remedy="where: order_id is not null"),
    Case("structure", "two columns of one name", "twice.csv", text(header=(*HEADER[:4], "amount", "amount")),
         REFUSED, ("line 1", "'amount'")),
    Case("structure", "a column without a name", "index.csv", text(header=("", *HEADER), order_id=lambda c: f"0,{c}"),
         TOLD, ("column1",)),
    Case("structure", "empty file", "empty.csv", lambda: b"", REFUSED, ("the file is empty",)),
    Case("structure", "another name", "other.csv", text(header=(*HEADER[:5], "amont")), REFUSED,
         ("amount", "did you mean 'amont'")),
    Case("numbers", "apostrophe", "swiss.csv", text(amount=grouped("'", ".")), TOLD, ("decimal point",)),
    Case("numbers", "narrow space", "space.csv", text(";", amount=grouped("\u202f", ",")), TOLD, ("decimal comma",)),
    Case("numbers", "US thousands", "us.csv", text(amount=lambda c: f'"{grouped(",", ".")(c)}"'), TOLD,
         ("decimal point",)),
    Case("numbers", "mixed decimal signs", "both.csv", text(";", amount=nth(2, "19,90")), REFUSED,
         ("mixed decimal signs", "row 2")),
    Case("numbers", "euro behind", "euro.csv", text(";", amount=lambda c: comma(c) + " €"), TOLD, ("€",)),
    Case("numbers", "another currency", "pound.csv", text(amount=lambda c: "£" + c), REFUSED, ("currency", "EUR")),
    Case("numbers", "percent in an amount", "percent.csv", text(amount=lambda c: c + "%"), REFUSED, ("row 1",)),
    Case("numbers", "a word among numbers", "word.csv", text(amount=nth(5, "see note")), REFUSED, ("row 5", "number")),
    Case("numbers", "an amount beyond all bounds", "vast.csv", text(amount=nth(2, "9" * 25)), REFUSED, ("row 2",)),
    Case("dates", "day first, proved", "dmy.csv", text(order_date=day("%d/%m/%Y")), TOLD, ("%d/%m/%Y",)),
    Case("dates", "dots", "dots.csv", text(order_date=day("%d.%m.%Y")), TOLD, ("%d.%m.%Y",)),
    Case("dates", "every date in two ways", "ways.csv", text(order_date=late), REFUSED, ("ambiguous", "date_format"),
         remedy="date_format: '%m/%d/%Y'"),
    Case("dates", "day and month mixed", "swap.csv", text(order_date=lambda c: (
        day("%d/%m/%Y") if c < "2025-03" else day("%m/%d/%Y"))(c)), REFUSED, ("mixed", "03/13/2025")),
    Case("dates", "Spanish months", "meses.csv", text(order_date=named("{d} de {m} de {y}", MONTHS)), TOLD,
         ("months",)),
    Case("dates", "German months", "monate.csv", text(order_date=named("{d}. {m} {y}", GERMAN)), TOLD, ("months",)),
    Case("dates", "digits only", "digits.csv", text(order_date=day("%Y%m%d")), REFUSED, ("'20250105'",),
         remedy="date_format: '%Y%m%d'"),
    Case("dates", "30 February", "never.csv", text(order_date=lambda c: "30/02/2025" if c == "2025-02-28" else (
        day("%d/%m/%Y")(c))), REFUSED, ("row 5", "30/02/2025")),
    Case("keys", "ids that a spreadsheet cut", "power.csv", text(customer_id=nth(3, "9.87E+11")), REFUSED,
         ("row 3", "lost its digits")),
    Case("keys", "ids as formulas of text", "formula.csv", text(order_id=lambda c: f'"=""00{c}"""'), TOLD,
         ('="00123"',)),
    Case("keys", "leading zeros and 19 digits", "zeros.csv", text(customer_id=lambda c: "000" + c[1:] * 5), READ),
    Case("keys", "ids with blanks", "blanks.csv", text(customer_id=lambda c: f" {c} "), TOLD, ("spaces", "8 of 8")),
    Case("keys", "guest buyers", "guest.csv", text(customer_id=lambda c: "Gast" if c == "C003" else c), TOLD,
         ("'Gast' (2)",), truth=TRUTH | {"customers": 4}),
    Case("container", "gzip", "a.csv.gz", lambda: gzip.compress(text()()), TOLD, ("gzip",)),
    Case("container", "gzip cut short", "cut.csv.gz", lambda: gzip.compress(text()())[:-12], REFUSED, ("unpacked",)),
    Case("container", "zip with two files", "two.zip", packed(("a.csv", b"1"), ("b.csv", b"2")), REFUSED, ("2 files",)),
    Case("container", "zip with Mac litter", "mac.zip", packed(("o.csv", text()()), ("__MACOSX/._o.csv", b"x")), TOLD,
         ("zip", "o.csv")),
    Case("container", "zip with a password", "secret.zip", encrypted, REFUSED, ("encrypted",)),
    Case("container", "zip bomb", "bomb.zip", packed(("a.csv", b"0" * 150_000_000)), REFUSED, ("200 times",)),
    Case("container", "zip inside zip", "nest.zip", packed(("a.zip", b"PK")), REFUSED, ("inside a packed file",)),
    Case("container", "member that leaves the folder", "leave.zip", packed(("../../o.csv", text()())), TOLD, ("zip",)),
    Case("container", "no zip at all", "no.zip", lambda: b"hello", REFUSED, ("no whole zip",)),
    Case("workbook", "typed cells", "typed.xlsx", workbook(), READ),
    Case("workbook", "several sheets, one of orders", "notes.xlsx", workbook(another("Notes", ("remember",))), TOLD,
         ("Orders",)),
    Case("workbook", "two sheets of orders", "months.xlsx", workbook(another("More", HEADER, ROWS[0])), REFUSED,
         ("'Orders', 'More'", "sheet:"), remedy="sheet: Orders"),
    Case("workbook", "a sheet that is not there", "gone.xlsx", workbook(), REFUSED,
         ("'Order'", "did you mean 'Orders'"),
         options="sheet: Order", remedy="sheet: Orders"),
    Case("workbook", "texts among numbers", "texts.xlsx", workbook(cell("F3", "19,90")), REFUSED, ("1 cell",)),
    Case("workbook", "cells merged over rows", "merged.xlsx", workbook(merged), REFUSED, ("merged", "row 3")),
    Case("workbook", "days as numbers", "serial.xlsx", workbook(lambda b: [
        setattr(b["Orders"][f"C{i}"], "number_format", "0") for i in range(2, 10)]), REFUSED, ("45662", "date"),
         remedy="date_format: excel"),
    Case("workbook", "all cells text", "alltext.xlsx", workbook(typed=False), READ),
    Case("workbook", "a web page by that name", "page.xls", lambda: b"<html><table></table>", REFUSED, ("web page",)),
    Case("workbook", "damaged", "damaged.xlsx", lambda: workbook()()[:2000], REFUSED, ("workbook",)),
    Case("encoding", "Windows-1252, and the euro sign is all that is beyond ASCII", "euro1252.csv",
         text(";", encoding="cp1252", product=lambda c: "Mug", amount=lambda c: comma(c) + " €"), TOLD,
         ("cp1252", "€", "decimal comma")),
    Case("encoding", "UTF-16 with a mark, semicolons, decimal comma", "wide.csv",
         text(";", encoding="utf-16", amount=comma), TOLD, ("UTF-16", "“;”")),
    Case("encoding", "zero byte after a megabyte", "zero2.csv", long("C0\x0001"), REFUSED,
         ("line 38010", "zero bytes")),
    Case("encoding", "only carriage returns, Windows-1252", "mac1252.csv", text(encoding="cp1252", newline="\r"), TOLD,
         ("cp1252",)),
    Case("encoding", "a web page called CSV", "page.csv", lambda: b"<!DOCTYPE html><table><tr><td>1</td></tr></table>",
         REFUSED, ("web page",)),
    Case("dialect", "rows end in two carriage returns and a line feed", "crcrlf.csv", text(newline="\r\r\n"), READ),
    Case("dialect", "a carriage return inside a row", "cell.csv", text(product=nth(2, "Mug\rblue")), REFUSED,
         ("line 3", "carriage return")),
    Case("dialect", "line break in a name of the header", "brk.csv",
         text(header=(*HEADER[:5], '"amount\n(EUR)"')), TOLD, ("amount",)),
    Case("dialect", "a title of three lines in quotes above the header", "title.csv",
         text(before='"Sales\nby ERP\n4.1",x\n'), TOLD, ("header", "line 4")),
    Case("dialect", "a quote above the header is not closed", "open.csv", text(before='"Report\n'), REFUSED,
         ("line 1", "quote")),
    Case("structure", "four lines above the header, of fewer cells", "four.csv",
         text(";", before="Report;Q1\nfrom;2025-01-01\nto;2025-03-31\n;\n", amount=comma), TOLD, ("header", "line 5")),
    Case("structure", "a row with too many cells", "more.csv", text(product=nth(3, "Grinder, manual")), REFUSED,
         ("line 4",)),
    Case("structure", "two columns of one name, but for capitals", "case.csv",
         text(header=(*HEADER[:4], "Amount", "amount")), REFUSED, ("line 1", "'amount'")),
    Case("structure", "a total with a date", "dated.csv", text(after="Total,,2025-03-31,,12,2258.04\n"), REFUSED,
         ("row 9", "'Total'"), remedy="where: order_id <> 'Total'"),
    Case("structure", "a total with every cell filled", "full.csv", text(after="TOTAL,5,2025-03-31,all,12,2258.04\n"),
         REFUSED, ("row 9", "'TOTAL'"), remedy="where: order_id <> 'TOTAL'"),
    Case("structure", "subtotals by customer", "subtotal.csv",
         text(amount=nth(4, "7.35\nTotal C003,,,,3,7.35")), REFUSED, ("row 5", "'Total C003'"),
         remedy="where: order_id not like 'Total%'"),
    Case("structure", "a note below the data", "note.csv", text(after="(8 rows affected)\n"), REFUSED, ("line 10",)),
    Case("numbers", "thousands with dots only", "dots3.csv",
         text(";", amount=lambda c: "1.234" if c == "1234.50" else c.partition(".")[0]), REFUSED,
         ("'1.234'", "ambiguous"), remedy="decimal: ','"),
    Case("numbers", "brackets and a minus behind", "minus.csv",
         text(";", amount=lambda c: {"9.95": "(9,95)", "12.40": "12,40-"}.get(c, comma(c))), TOLD,
         ("brackets", "2 of 8"), truth={"rows": 8, "revenue": 2213.34}),
    Case("numbers", "no-break space for thousands, Windows-1252", "nbsp.csv",
         text(";", encoding="cp1252", amount=grouped("\u00a0", ",")), TOLD, ("decimal comma", "cp1252")),
    Case("numbers", "prices written 49.-", "price.csv", text(amount=lambda c: "49.-" if c == "49.00" else c), REFUSED,
         ("row 3", "'49.-'")),
    Case("numbers", "point in one row, comma in another, thousands too", "both2.csv",
         text(";", amount=lambda c: "1.234,50" if c == "1234.50" else c), REFUSED, ("mixed decimal signs", "row 2")),
    Case("dates", "every date in two ways, with dots", "dots2.csv",
         text(order_date=lambda c: f"02.{c[5:7]}.2025"), TOLD, ("to check", "%d.%m.%Y"),
         truth={"rows": 8, "revenue": 2258.04, "by_month": TRUTH["by_month"]}),
    Case("dates", "03/04/2025 throughout", "same.csv", text(order_date=lambda c: "03/04/2025"), REFUSED,
         ("ambiguous", "'%d/%m/%Y' or '%m/%d/%Y'")),
    Case("dates", "two digits for the year", "short3.csv", text(order_date=day("%d.%m.%y")), TOLD,
         ("to check", "%d.%m.%y")),
    Case("dates", "two digits for the year, with slashes", "short2.csv", text(order_date=day("%d/%m/%y")), REFUSED,
         ("day or year first", "%d/%m/%y"), remedy="date_format: '%d/%m/%y'"),
    Case("dates", "05-Jan-25, as Oracle has it", "oracle.csv", text(order_date=named_months), REFUSED,
         ("'05-Jan-25'", "%d-%b-%y"), remedy="date_format: '%d-%b-%y'"),
    Case("keys", "ids in scientific notation throughout", "cut.csv", text(order_id=lambda c: "1.23E+12"), REFUSED,
         ("row 1", "lost its digits", "8 rows")),
    Case("keys", "ids with invisible characters behind", "unseen.csv",
         text(customer_id=lambda c: c + "\u200b" if c == "C001" else c), TOLD, ("spaces", "2 of 8")),
    Case("workbook", "titles and merged cells above, a total below", "titled.xlsx", workbook(titled), TOLD,
         ("line 3", "“Total”")),
    Case("workbook", "subtotals", "subtotals.xlsx", workbook(below("Subtotal March", None, None, None, 4, 47.3)),
         REFUSED, ("row 9", "'Subtotal March'")),
    Case("workbook", "a note below the data", "source.xlsx", workbook(below("Source: ERP")), REFUSED,
         ("row 9", "a note?"), remedy="where: amount is not null"),
)  # fmt: skip
