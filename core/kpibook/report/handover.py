"""Other forms of a finished report, in its folder: searched for secrets, and under its seal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import NotValidError
from kpibook.exports import making
from kpibook.exports.finished import finished_folder
from kpibook.report import leakscan, results
from kpibook.report.validate import checksum_problems

if TYPE_CHECKING:
    from collections.abc import Collection


def export(report: Path, forms: Collection[str]) -> list[Path]:
    """Make the forms of a report that is as its run left it, and put them into its record; NotValidError else."""
    folder = finished_folder(report)
    record = runs.read(folder)
    problems = checksum_problems(folder, record)
    if problems:
        raise NotValidError(problems)
    made = write(folder, forms, secrets_of(record))
    record.files = results.checksums(folder)
    record.write(folder)
    return made


def write(folder: Path, forms: Collection[str], secrets: leakscan.Secrets) -> list[Path]:
    """The files in their places; RunError when one of them holds a secret."""

    def search(aside: Path, made: list[Path]) -> None:
        leakscan.refuse(leakscan.scan(leakscan.texts(aside, made), secrets))

    return making.make(folder, forms, search)


def secrets_of(record: runs.RunRecord) -> leakscan.Secrets:
    """What the params file of a run refers to, when it is still there."""
    params = Path(record.params)
    return leakscan.referenced(params.read_text(encoding="utf-8", errors="replace") if params.is_file() else "")
