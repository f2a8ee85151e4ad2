"""A finished report, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from kpibook import glossary, results, runs
from kpibook.errors import NotValidError, Problem, RunError
from kpibook.exports.page import Block, blocks
from kpibook.present.words import Words

if TYPE_CHECKING:
    import pandas as pd

AGAIN = "make the report again"
PAGE = "report.html"


@dataclass(frozen=True)
class Finished:
    """``card`` has titles and segments in the report's language; ``blocks`` are what the page shows, in order.

    ``template`` is the presentation in which slides are set, where the client has one.
    """

    folder: Path
    record: runs.RunRecord
    card: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    quality: dict[str, Any]
    definitions: dict[str, Any]
    page: str
    template: Path | None = None

    @property
    def frame(self) -> dict[str, Any]:
        """Title, language, currency and periods."""
        found: dict[str, Any] = self.definitions["report"]
        return found

    @property
    def kpis(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.definitions["kpis"]
        return found

    @cached_property
    def words(self) -> Words:
        spoken = {**{kpi: each["title"] for kpi, each in self.kpis.items()}, **self.definitions["sentences"]}
        return Words(self.frame["language"], self.frame["currency"], spoken)

    @cached_property
    def blocks(self) -> list[Block]:
        return blocks(self.page)

    @property
    def made(self) -> datetime:
        """When the run began: the only clock in an export."""
        return datetime.fromisoformat(self.record.started)

    def period(self, which: str = "period") -> str:
        """The period, or ``compare``, in words; empty where there is none."""
        span = self.frame[which]
        return self.words.period(*map(datetime.fromisoformat, span)) if span else ""


def read(folder: Path, template: Path | None = None) -> Finished:
    """All of a report that exports show; RunError, with the file, when something is missing or cannot be read."""
    record = runs.read(folder)
    definitions = _json(folder, glossary.NAME)
    if not isinstance(definitions, dict) or not definitions.keys() >= {"report", "kpis", "sentences"}:
        raise RunError(Problem(glossary.NAME, "is not what a run leaves", AGAIN))
    quality = _json(folder, "quality.json")
    try:
        card = results.load(folder)
        tables = {name: pq.read_table(folder / "tables" / name).to_pandas() for name in _names(folder)}
        page = (folder / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise RunError(Problem(str(folder), f"cannot be read ({_first(error)})", AGAIN)) from None
    return Finished(folder, record, _shown(card, definitions["kpis"]), tables, quality, definitions, page, template)


def finished_folder(path: Path) -> Path:
    """The folder of a report from it or a file in it; NotValidError when its run did not come to its end."""
    folder = path.parent if path.is_file() else path
    state = runs.read(folder).state
    if state not in runs.FINISHED and state != "running":
        remedy = "name a folder of the reports, or run the client again"
        raise NotValidError(Problem(str(folder), f"this is no finished report: its run is {state}", remedy))
    return folder


def _shown(card: pd.DataFrame, kpis: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Titles as the report has them, and what of a KPI's window a change must know."""
    titles = {kpi: each["title"] for kpi, each in kpis.items()}
    titled = card["kpi"].map(titles).fillna(card["title"]).astype(card["title"].dtype)
    segment = card["segment"].where(card["segment_by"] != "kpi", card["segment"].map(titles).fillna(card["segment"]))
    windows = card["kpi"].map({kpi: each["looks_back"] for kpi, each in kpis.items()}).fillna("")
    return card.assign(title=titled, segment=segment.astype(card["segment"].dtype), looks_back=windows)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "tables").glob("*.parquet"))


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(Problem(str(folder / name), "there is no such file", AGAIN)) from None
    except (OSError, ValueError) as error:
        raise RunError(Problem(str(folder / name), f"cannot be read ({_first(error)})", AGAIN)) from None


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
