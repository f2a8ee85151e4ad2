"""The report as a workbook: real numbers with their looks, one sheet a family, and no formula anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.exports import record_sheets as records
from kpibook.exports.extras import needed
from kpibook.exports.figure_sheets import figure_sheets
from kpibook.exports.sheets import Book

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.exports.finished import Finished


def write(report: Finished, target: Path) -> list[str]:
    """The same bytes for the same report: the only time in the file is the run's. Nothing must be told."""
    book = Book(needed("xlsxwriter", "xlsx"), str(target), report.made, report.frame["title"])
    records.cover_sheet(book, report)
    figure_sheets(book, report)
    records.definition_sheet(book, report)
    records.query_sheet(book, report)
    records.quality_sheet(book, report)
    records.origin_sheet(book, report)
    book.book.close()
    return []
