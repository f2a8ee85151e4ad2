"""CDNOW: the two text files of the installed ``lifetimes`` distribution, as Parquet.

23,570 persons who first bought in the first quarter of 1997, followed to the end of
June 1998 (Fader & Hardie); the tenth of them, 2,357, on whom these authors fitted their
models. The package is found, not imported.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import DataError, Problem
from . import columns

FILE = "datasets/CDNOW_master.txt"
TENTH = "datasets/CDNOW_sample.txt"


def master() -> Path:
    """The installed file of everybody; DataError when ``lifetimes`` or its file is missing."""
    return _installed(FILE)


def tenth() -> Path:
    """The installed file of the authors' sample; DataError when ``lifetimes`` or its file is missing."""
    return _installed(TENTH)


def _installed(file: str) -> Path:
    spec = find_spec("lifetimes")
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise DataError(
            Problem("cdnow", f"lifetimes/{file} is not installed", "install it with pip install 'kpibook[demo]'")
        )
    return path


def read(path: Path) -> pa.Table:
    """customer_id (text, zeros kept), date, quantity, amount; one row an order, in the file's order.

    The sample's second number of each person is left out: the first is that of the other file.
    """
    rows = [row.split() for row in path.read_text(encoding="ascii").splitlines() if "customer_id" not in row]
    person, day, quantity, amount = zip(*((row[0], *row[-3:]) for row in rows), strict=True)
    iso = [f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in day]
    return pa.table(
        {
            "customer_id": pa.array(person),
            "date": pa.array(np.array(iso, dtype="datetime64[D]"), pa.date32()),
            "quantity": pa.array([int(q) for q in quantity]),
            "amount": columns.money([int(a.replace(".", "")) for a in amount]),
        }
    )


def write(folder: Path) -> None:
    """``orders.parquet`` of everybody, ``sample.parquet`` of the authors' sample."""
    columns.write(folder, {"orders": read(master()), "sample": read(tenth())})
