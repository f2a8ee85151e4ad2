"""CDNOW: the master file of the installed ``lifetimes`` distribution, as Parquet.

23,570 persons who first bought in the first quarter of 1997, followed to the end of
June 1998 (Fader & Hardie). The package is found, not imported.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import DataError, Problem
from . import columns

FILE = "datasets/CDNOW_master.txt"


def master() -> Path:
    """The installed file; DataError when ``lifetimes`` or its file is missing."""
    spec = find_spec("lifetimes")
    path = Path(spec.origin).parent / FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise DataError(
            Problem("cdnow", f"lifetimes/{FILE} is not installed", "install it with pip install 'kpibook[demo]'")
        )
    return path


def read(path: Path) -> pa.Table:
    """customer_id (text, zeros kept), date, quantity, amount; one row an order, in the file's order."""
    _, *rows = path.read_text(encoding="ascii").splitlines()
    person, day, quantity, amount = zip(*(row.split() for row in rows), strict=True)
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
    """``orders.parquet``."""
    columns.write(folder, {"orders": read(master())})
