"""What the notebook's last cell must have left in the report folder."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from kpibook.errors import KpibookError, Problem, RunError
from kpibook.exports.making import NAMES as EXPORTS
from kpibook.glossary import NAME as DEFINITIONS
from kpibook.report.worker import NOTEBOOK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from kpibook.runs import RunRecord

SCORECARD = "scorecard.parquet"
CSV = "scorecard.csv"
TABLES = "tables"
QUALITY = "quality.json"
HTML = "report.html"
EXPECTED = frozenset({NOTEBOOK, HTML, SCORECARD, CSV, TABLES, QUALITY, DEFINITIONS})
SAVED = (SCORECARD, CSV, QUALITY)
REMEDY = "let the notebook's last cell be book.save()"


def check(folder: Path, error: type[KpibookError] = RunError) -> None:
    """``error`` unless every result is there and readable and every code cell was executed."""
    problems = [Problem(NOTEBOOK, f"cell {n} was not executed", "make the report again") for n in unexecuted(folder)]
    problems += [Problem(name, "is missing", REMEDY) for name in SAVED if not (folder / name).is_file()]
    if not problems:
        for name in tables(folder):
            frame(folder, name)
        quality(folder)
    if problems:
        raise error(problems)


def unexecuted(folder: Path) -> list[int]:
    """Cells with code and without an execution count, counted from 1 over all cells."""
    cells = notebook(folder).cells
    return [
        number
        for number, cell in enumerate(cells, 1)
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None
    ]


def notebook(folder: Path) -> Any:
    """The report's notebook; RunError when it is missing or cannot be read."""
    import nbformat

    try:
        return nbformat.read(folder / NOTEBOOK, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise unreadable(NOTEBOOK, error) from None


def tables(folder: Path) -> list[str]:
    """The names of the Parquet files of a report, the scorecard first."""
    return [SCORECARD, *(f"{TABLES}/{path.name}" for path in sorted((folder / TABLES).glob("*.parquet")))]


def frame(folder: Path, name: str) -> pd.DataFrame:
    """One Parquet file; RunError when it cannot be read."""
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(folder / name)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(name, error) from None


def quality(folder: Path) -> dict[str, Any]:
    """``quality.json``; RunError when it cannot be read."""
    try:
        found = json.loads((folder / QUALITY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(QUALITY, error) from None
    return found if isinstance(found, dict) else {}


def unreadable(name: str, error: Exception) -> RunError:
    """The error of a result that is there and is not what its name says."""
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return RunError(Problem(name, f"cannot be read ({first})", "make the report again"))


def files(folder: Path) -> Iterator[Path]:
    """Every file of a report but its record, in order."""
    for name in sorted({*EXPECTED, *EXPORTS}):
        path = folder / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in found if each.is_file())


def checksums(folder: Path) -> dict[str, dict[str, Any]]:
    """sha256 and bytes of every file of a report but its record."""
    sums = {}
    for path in files(folder):
        content = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        sums[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return sums


def checksum_problems(folder: Path, record: RunRecord) -> list[Problem]:
    """Files that are not, byte for byte, those the run recorded."""
    now, remedy = checksums(folder), "take the file as it was made, or make the report again"
    found = [Problem(name, "is not part of the report", "remove it") for name in now.keys() - record.files.keys()]
    for name, then in record.files.items():
        if name not in now:
            found.append(Problem(name, "is missing", remedy))
        elif now[name]["sha256"] != then["sha256"]:
            found.append(Problem(name, "was changed after the run", remedy))
    return sorted(found, key=str)
