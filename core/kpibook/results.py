"""The results table: long, tidy, one row per KPI, period and segment.

Everything that shows, exports, compares or checks a number reads this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kpibook.errors import Problem, RunError

SCHEMA = pa.schema(
    [
        ("kpi", pa.string()),
        ("family", pa.string()),
        ("title", pa.string()),
        ("segment_by", pa.string()),
        ("segment", pa.string()),
        ("period", pa.string()),
        ("period_start", pa.date32()),
        ("period_end", pa.date32()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("numerator", pa.float64()),
        ("denominator", pa.float64()),
        ("unit", pa.string()),
        ("better", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("change", pa.float64()),
        ("change_low", pa.float64()),
        ("change_high", pa.float64()),
        ("target", pa.float64()),
        ("target_state", pa.string()),
        ("benchmark", pa.float64()),
        ("benchmark_comparable", pa.bool_()),
        ("grade", pa.string()),
        ("definition_hash", pa.string()),
        ("origin", pa.string()),
    ]
)
#: Begins the address of a benchmark from kpibook's own pool; what follows is the definition hash it holds for.
POOLED = "kpibook:definition/"
_FORMULA = re.compile(r"((?:^|[;|\t\r\n])\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])")
_NO_NAME = re.compile(r"[^\w.-]|^\.+")
COLUMNS = tuple(SCHEMA.names)
TEXTS = tuple(f.name for f in SCHEMA if pa.types.is_string(f.type))
NUMBERS = tuple(f.name for f in SCHEMA if pa.types.is_floating(f.type) or pa.types.is_integer(f.type))


def scorecard(rows: list[dict]) -> pd.DataFrame:
    """The results table of rows that hold a subset of its columns; ``period_end`` is inclusive."""
    full = [{name: row.get(name) for name in COLUMNS} for row in rows]
    return frame(pa.Table.from_pylist(full, schema=SCHEMA))


def frame(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with nullable types, so that a missing number is never 0 or a float NaN beside integers."""
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def save(folder: Path, card: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """scorecard.parquet, scorecard.csv and tables/<kpi>.parquet into an existing folder."""
    pq.write_table(pa.Table.from_pandas(card, schema=SCHEMA, preserve_index=False), folder / "scorecard.parquet")
    texts = {name: card[name].map(inert, na_action="ignore") for name in TEXTS}
    # Lines end as RFC 4180 says: with "\n" alone, a carriage return in a text would not be quoted, and end one.
    card.assign(**texts).to_csv(folder / "scorecard.csv", index=False, lineterminator="\r\n")
    (folder / "tables").mkdir(exist_ok=True)
    for kpi, table in sorted(tables.items()):
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "tables" / file_name(kpi))


def inert(text: str) -> str:
    """A text that no spreadsheet computes: an apostrophe stands before what would start a formula.

    A cell that begins with ``= + - @``, tab or line break is one to Excel; a semicolon or tab inside of a text
    starts a cell of its own where the list separator is another one than the comma. Numbers are no texts.
    """
    held = _FORMULA.sub(r"\1'\2", text)
    return f"'{held}" if held.startswith(("\t", "\r", "\n")) else held


def file_name(kpi: str) -> str:
    """Of the table of a KPI or one of its readings, whatever these are called."""
    return f"{_NO_NAME.sub('_', kpi)[:200]}.parquet"


def load(folder: Path) -> pd.DataFrame:
    """The scorecard of a report folder."""
    return frame(pq.read_table(folder / "scorecard.parquet", schema=SCHEMA))


def kept(folder: Path) -> pd.DataFrame:
    """The scorecard of a report that somebody may have spoilt since; RunError when it cannot be read."""
    try:
        return load(folder)
    except (OSError, ValueError, pa.ArrowException) as error:
        place = str(folder / "scorecard.parquet")
        raise RunError(Problem(place, f"cannot be read ({type(error).__name__})", "make the report again")) from None
