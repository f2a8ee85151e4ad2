"""One client in two engines: the same tables in both, and where their results are not the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from kpibook import model
from kpibook.engine.backend import opened

if TYPE_CHECKING:
    from kpibook.engine.compute import Loaded, Results

KEYS = ["kpi", "segment_by", "segment", "period"]
RELATIVE = 1e-9
#: Below this a number is nothing but what is left of a difference of equal ones: shares and money begin far above.
NOTHING = 1e-12


def tables(loaded: Loaded) -> dict[str, pa.Table]:
    """The canonical tables of a client in DuckDB, with the types of the model."""
    read = loaded.backend.con.execute
    found = {name: read(f'SELECT * FROM "{name}"').to_arrow_table() for name in model.TABLES}
    return {
        name: rows.select(model.schema(name).names).cast(model.schema(name).to_pyarrow())
        for name, rows in found.items()
    }


def moved(loaded: Loaded, backend: Any, rows: Mapping[str, pa.Table]) -> Loaded:
    """The client with its tables in another engine."""
    database = opened(backend)
    for name, own in rows.items():
        database.load(name, own)
    return replace(loaded, backend=backend, rows={name: own.num_rows for name, own in rows.items()})


def part(loaded: Loaded, every: int) -> dict[str, pa.Table]:
    """The tables with what belongs to one of so many customers."""
    chosen = f"hash(customer_id) % {every} = 0"
    receipts = f"SELECT transaction_id FROM transactions WHERE {chosen}"
    members = f"SELECT member_id FROM memberships WHERE {chosen}"
    by = {
        "customer_id": chosen,
        "transaction_id": f"transaction_id IN ({receipts})",
        "member_id": f"member_id IN ({members})",
    }
    read = loaded.backend.con.execute
    found = {}
    for name, table in model.TABLES.items():
        condition = next((text for column, text in by.items() if column in table.columns), "true")
        found[name] = read(f'SELECT * FROM "{name}" WHERE {condition}').to_arrow_table()
    return {name: rows.cast(model.schema(name).to_pyarrow()) for name, rows in found.items()}


def within(loaded: Loaded, rows: Mapping[str, pa.Table]) -> Loaded:
    """The client in a DuckDB that holds these tables."""
    return moved(loaded, ibis.duckdb.connect(threads=1), rows)


def differences(one: Results, other: Results) -> list[str]:
    """``kpi by segment, period: column: this, that`` for each figure that differs; side tables too."""
    found = _rows(one.scorecard.set_index(KEYS), other.scorecard.set_index(KEYS))
    for name in sorted({*one.tables, *other.tables}):
        if name not in one.tables or name not in other.tables:
            found.append(f"table {name}: only {'here' if name in one.tables else 'there'}")
            continue
        found += _table(name, *(t[name].reset_index(drop=True) for t in (one.tables, other.tables)))
    return found


def _rows(here: pd.DataFrame, there: pd.DataFrame) -> list[str]:
    found = [f"{_named(key)}: only here" for key in here.index.difference(there.index)]
    found += [f"{_named(key)}: only there" for key in there.index.difference(here.index)]
    if found:
        return found
    if list(here.index) != list(there.index):
        return ["rows: in another order"]
    return [f"{_named(here.index[i])}: {column}: {a}, {b}" for column, i, a, b in _cells(here, there)]


def _table(name: str, here: pd.DataFrame, there: pd.DataFrame) -> list[str]:
    if list(here.columns) != list(there.columns) or len(here) != len(there):
        return [f"table {name}: {here.shape} with {list(here)}, {there.shape} with {list(there)}"]
    return [f"table {name}, row {i}: {column}: {a}, {b}" for column, i, a, b in _cells(here, there)]


def _cells(here: pd.DataFrame, there: pd.DataFrame) -> list[tuple[str, int, Any, Any]]:
    found = []
    for column in here.columns:
        a, b = here[column], there[column]
        if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
            numbers = [side.to_numpy(dtype="float64", na_value=np.nan) for side in (a, b)]
            same = np.isclose(*numbers, rtol=RELATIVE, atol=NOTHING, equal_nan=True)
        else:
            same = [_same(x, y) for x, y in zip(a, b, strict=True)]
        found += [(str(column), int(i), a.iloc[i], b.iloc[i]) for i in np.flatnonzero(~np.asarray(same, dtype=bool))]
    return found


def _same(x: Any, y: Any) -> bool:
    """Texts may hold numbers, as the reasons do: those are compared as numbers are."""
    if isinstance(x, str) and isinstance(y, str) and x != y:
        return _close(_pieces(x), _pieces(y))
    return bool(pd.isna(x) and pd.isna(y)) or bool(x == y)


def _pieces(text: str) -> Sequence[str]:
    return re.split(r"(-?\d+\.\d+(?:e[+-]?\d+)?)", text)


def _close(here: Sequence[str], there: Sequence[str]) -> bool:
    if len(here) != len(there) or here[::2] != there[::2]:
        return False
    return bool(np.allclose([*map(float, here[1::2])], [*map(float, there[1::2])], rtol=RELATIVE, atol=NOTHING))


def _named(key: Any) -> str:
    kpi, by, segment, period = key
    return f"{kpi} by {by} {segment}, {period}"
