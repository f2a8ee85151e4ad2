"""Other forms of a finished report, in its folder: searched for secrets, and under its seal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import KpibookError, NotValidError
from kpibook.exports import making
from kpibook.exports.finished import finished_folder
from kpibook.report import leakscan, results

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kpibook.exports.making import Made


def export(report: Path, forms: Collection[str], template: Path | None = None) -> Made:
    """Make the forms of a report that is as its run left it, and put them into its record; NotValidError else.

    ``template`` is a presentation for the slides, in place of the one that the params of the run name.
    """
    folder = finished_folder(report)
    record = runs.read(folder)
    problems = results.checksum_problems(folder, record)
    if problems:
        raise NotValidError(problems)
    if template is not None:
        record.slides_template = str(template.resolve())
    return again(folder, forms, record)


def again(folder: Path, forms: Collection[str], record: runs.RunRecord) -> Made:
    """Make the forms of a report and put them into its record, which is written."""
    made = write(folder, forms, secrets_of(record), record.slides_template)
    record.files = results.checksums(folder)
    record.write(folder)
    return made


def write(folder: Path, forms: Collection[str], secrets: leakscan.Secrets, template: str = "") -> Made:
    """The files in their places; RunError when one of them holds a secret."""

    def search(aside: Path, made: list[Path]) -> None:
        leakscan.refuse(leakscan.scan(leakscan.texts(aside, made), secrets))

    return making.make(folder, forms, search, Path(template) if template else None)


@dataclass
class Told:
    """Of the forms that a run makes: what must be known to read them, and which could not be made, with the cause."""

    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def at_the_end(folder: Path, forms: Iterable[str], secrets: leakscan.Secrets, template: str = "") -> Told:
    """Each form by itself: one that cannot be made costs the run nothing but that form."""
    told = Told()
    for form in forms:
        try:
            told.notes += write(folder, [form], secrets, template).notes
        except (KpibookError, OSError) as error:
            told.lost += [f"not exported: {line}" for line in str(error).splitlines()]
        except Exception as error:  # noqa: BLE001  whatever it is, the report is there: it is told, not swallowed
            told.lost.append(f"not exported: {form}: a fault of kpibook: {error!r}")
    return told


def secrets_of(record: runs.RunRecord) -> leakscan.Secrets:
    """What the params file of a run refers to, when it is still there."""
    params = Path(record.params)
    return leakscan.referenced(params.read_text(encoding="utf-8", errors="replace") if params.is_file() else "")
