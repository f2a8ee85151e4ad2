"""From cents, seconds and codes to Arrow columns and Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import world

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def money(cents: Any) -> pa.Array:
    """Whole cents as decimal(12,2), exactly."""
    values = np.asarray(cents, dtype="<i8")
    words = np.stack([values, values >> 63], axis=1)
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(values), [None, pa.py_buffer(np.ascontiguousarray(words))])


def moment(seconds: Any, known: Any = True) -> pa.Array:
    """Wall-clock time; null where ``known`` is false."""
    return pa.array(world.stamps(np.asarray(seconds, dtype=np.int64)), pa.timestamp("s"), mask=_unknown(seconds, known))


def date(seconds: Any) -> pa.Array:
    days = world.stamps(np.asarray(seconds, dtype=np.int64)).astype("datetime64[D]")
    return pa.array(days, pa.date32())


def code(prefix: str, numbers: Any, width: int, known: Any = True) -> pa.Array:
    """``prefix`` and the zero-filled number; null where ``known`` is false."""
    text = np.char.add(prefix, np.char.zfill(np.asarray(numbers, dtype=np.int64).astype(str), width))
    return pa.array(text, pa.string(), mask=_unknown(numbers, known))


def choice(names: tuple[str, ...], indices: Any, known: Any = True) -> pa.Array:
    text = np.array(names)[np.where(np.broadcast_to(known, np.shape(indices)), np.asarray(indices), 0)]
    return pa.array(text, pa.string(), mask=_unknown(indices, known))


def _unknown(values: Any, known: Any) -> Any:
    return ~np.broadcast_to(np.asarray(known, dtype=bool), np.shape(values))


def write(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """One Parquet file a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
