"""A small client for the tests of the run: params without intake, a notebook that saves a scorecard."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import nbformat

from kpibook.params import Privacy
from kpibook.params_exports import Exports

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.report.run import Outcome, Progress

SAVE = """
import json, os, pathlib
import pandas as pd
place = os.environ.get("KPIBOOK_RUN_DIR")
scorecard = pd.DataFrame({
    "kpi": ["net_sales", "avg_receipt"], "segment_by": "total", "segment": "total", "period": "current",
    "value": [1234.5, 12.25], "low": [float("nan"), 11.5], "status": ["ok", "ok"]})
if place:
    place = pathlib.Path(place)
    scorecard.to_parquet(place / "scorecard.parquet")
    scorecard.to_csv(place / "scorecard.csv", index=False)
    curve = pd.DataFrame({"day": [0, 30], "alive": [1.0, 0.75]})
    curve.to_parquet(place / "tables" / "churn_rate.parquet")
    definitions = {"net_sales": {"hash": "9d", "origin": "kpibook 0.1.0"}}
    quality = {"fingerprints": {"lines.csv": "aa11"}, "definitions": definitions}
    (place / "quality.json").write_text(json.dumps(quality))
print("saved 2 rows")
"""


@dataclass(frozen=True)
class Period:
    start: date = date(2017, 7, 1)
    end: date = date(2018, 1, 1)
    label: str = "2017-07-01_2017-12-31"


@dataclass(frozen=True)
class Limits:
    memory: str = "1GB"
    threads: int = 1
    minutes: float = 1


@dataclass(frozen=True)
class Params:
    path: Path
    notebook: Path
    client: str = "corner-shop"
    title: str = "Corner Shop & Sons"
    language: str = "en"
    period: Period = field(default_factory=Period)
    limits: Limits = field(default_factory=Limits)
    sha256: str = "00"
    exports: Exports = field(default_factory=Exports)
    as_of: date | None = None
    privacy: Privacy = field(default_factory=Privacy)


def write_notebook(path: Path, *cells: str, parameters: str = 'params = "demo.yaml"', tag: str = "parameters") -> Path:
    """A template: a parameters cell, a heading, ``cells``, and the cell that saves."""
    book = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell(parameters, metadata={"tags": [tag]})
    book.cells = [first, nbformat.v4.new_markdown_cell("## Sales"), *map(nbformat.v4.new_code_cell, cells)]
    book.cells.append(nbformat.v4.new_code_cell(SAVE))
    book.metadata["kernelspec"] = {"name": "somewhere-else", "display_name": "Nobody has this", "language": "python"}
    nbformat.write(book, path)
    return path


def make(folder: Path, *cells: str, client: str = "corner-shop", minutes: float = 1, **notebook: str) -> Params:
    """A params file and its template in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{client}.yaml"
    path.write_text(f"client: {client}\n", encoding="utf-8")
    template = write_notebook(folder / f"{client}.ipynb", *cells, **notebook)
    return Params(path=path, notebook=template, client=client, limits=Limits(minutes=minutes))


@dataclass(frozen=True)
class Made:
    """A finished report, and what was heard and left while it was made."""

    params: Params
    out: Path
    outcome: Outcome
    progress: list[Progress]
    home: Path

    @property
    def folder(self) -> Path:
        return self.out / "corner-shop" / "2017-07-01_2017-12-31"


def record_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))
