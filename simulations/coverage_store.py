"""What ``simulations.coverage`` has computed: figures of samples, by KPI and by the state of what it rests on.

A KPI's state is that of the data and of every module that it is computed by: its own, those of its views, the engine's,
and whatever these import. A change elsewhere leaves its samples valid.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from kpibook.catalog import Catalog

#: The sample that is no sample: the population itself.
WHOLE = -1
_ENGINE = "kpibook.engine.compute"
_OURS = ("kpibook", "loyalty_kpis", "simulations")


class Store:
    """Rows of figures in ``folder``, a file for each sample and computation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, rows: pd.DataFrame, number: int, states: Mapping[str, str]) -> None:
        """Keep the rows (column ``kpi``, all of them in ``states``) of sample ``number``."""
        name = hashlib.sha256(json.dumps(sorted(states.items())).encode()).hexdigest()[:12]
        draft = self.folder / f"{number}-{name}.tmp"
        rows.assign(sample=number, state=rows["kpi"].map(states)).to_parquet(draft)
        draft.rename(draft.with_suffix(".parquet"))

    def rows(self, states: Mapping[str, str]) -> pd.DataFrame:
        """All rows of KPIs that are still in these states; without ``state``, each sample of a KPI once."""
        found = [pd.read_parquet(path) for path in sorted(self.folder.glob("*.parquet"))]
        if not found:
            return pd.DataFrame({"kpi": [], "sample": []})
        every = pd.concat(found, ignore_index=True)
        valid = every[every["state"] == every["kpi"].map(states)].drop(columns="state")
        return valid.drop_duplicates(["kpi", "segment_by", "segment", "sample"]).reset_index(drop=True)

    def missing(self, states: Mapping[str, str], numbers: Iterable[int]) -> list[tuple[int, tuple[str, ...]]]:
        """Samples with the KPIs that they still lack."""
        rows = self.rows(states)
        known = set(zip(rows["sample"], rows["kpi"], strict=True))
        lacking = [(i, tuple(kpi for kpi in sorted(states) if (i, kpi) not in known)) for i in numbers]
        return [(i, kpis) for i, kpis in lacking if kpis]

    def clear(self) -> None:
        for path in self.folder.glob("*.parquet"):
            path.unlink()


def states(catalog: Catalog, kpis: Iterable[str], data: Sequence[Path], more: Sequence[str] = ()) -> dict[str, str]:
    """Each KPI's state: of the files ``data``, its modules, the engine and the modules named in ``more``."""
    shared = [_digest(path) for path in data]
    engine = _reach([_ENGINE, *more])
    found = {}
    for kpi in kpis:
        own = {inspect.unwrap(catalog.definitions[n].definition.function).__module__ for n in needed(catalog, [kpi])}
        files = sorted(engine | _reach(own))
        parts = [*shared, *(f"{path.name} {_digest(path)}" for path in files)]
        found[kpi] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return found


def needed(catalog: Catalog, kpis: Iterable[str]) -> set[str]:
    """These KPIs with the views they rest on, and with every KPI where one reads the scorecard."""
    wanted: set[str] = set()
    waiting = list(kpis)
    while waiting:
        name = waiting.pop()
        if name in catalog.definitions and name not in wanted:
            wanted.add(name)
            inputs = catalog.definitions[name].definition.inputs
            waiting += [*inputs, *(catalog.kpis if "scorecard" in inputs else ())]
    return wanted


def _reach(modules: Iterable[str]) -> set[Path]:
    """The files of modules of ours and of everything of ours that they import, packages' own files left out."""
    reached: dict[str, Path | None] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _file(name)
            if reached[name] is not None:
                waiting += _imports(reached[name])
    return {path for path in reached.values() if path is not None}


@cache
def _imports(path: Path) -> tuple[str, ...]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in found if name.split(".")[0] in _OURS)


@cache
def _file(module: str) -> Path | None:
    """A module's file; None for a package or no module at all."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None or spec.submodule_search_locations is not None:
        return None
    return Path(spec.origin)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
