"""What is to be admitted: one loose file or the folder of a pack, its KPIs, and the cases of its tests."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.types as ir

from kpibook import plugins
from kpibook.catalog import Catalog
from kpibook.errors import ParamsError, PluginError, Problem
from kpibook.kit.case import Case

ASKING = ("execute", "to_pandas", "to_pyarrow", "to_pyarrow_batches", "to_polars", "to_parquet", "to_csv")


@dataclass(frozen=True)
class Target:
    """``kpis`` are the ids that the file or pack brings; ``tests`` the files in which its cases stand."""

    path: Path
    catalog: Catalog
    kpis: tuple[str, ...]
    cases: tuple[Case, ...]
    tests: tuple[Path, ...]


def read(path: Path) -> Target:
    """Load a plugin and its cases. Raises ParamsError for what is none, PluginError with every problem of one."""
    if path.is_file() and path.suffix == ".py":
        with no_queries():
            catalog = plugins.discover(path.resolve().parent).catalog
        files, tests = {path.resolve()}, [path.with_name(f"test_{path.name}")]
    elif (path / "pyproject.toml").is_file():
        with no_queries():
            catalog, files = plugins.of_pack(path.resolve())
        tests = sorted((path / "tests").glob("test_*.py"))
    else:
        remedy = "name a .py file, or a folder with a pyproject.toml"
        raise ParamsError(Problem(str(path), "is no KPI file and no folder of a pack", remedy))
    own = tuple(i for i, s in catalog.kpis.items() if _file(s.definition.function) in files)
    there = tuple(test for test in tests if test.is_file())
    return Target(path, catalog, own, tuple(c for test in there for c in cases(test)), there)


def cases(test: Path) -> list[Case]:
    """What a test file lists as CASES. Raises ParamsError where it cannot be imported."""
    spec = importlib.util.spec_from_file_location(f"kpibook_cases.{test.stem}", test)
    assert spec is not None and spec.loader is not None  # noqa: S101  a .py path always has a loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        what = f"it cannot be imported: {type(error).__name__}: {error}"
        raise ParamsError(Problem(test.name, what, "mend the test file")) from error
    return [c for c in getattr(module, "CASES", ()) if isinstance(c, Case)]


@contextmanager
def no_queries() -> Iterator[None]:
    """Definitions are read here: whoever executes a query meanwhile is told."""
    kept = [(owner, name, getattr(owner, name)) for owner, name in _doors()]
    for owner, name, _ in kept:
        setattr(owner, name, _refused(name))
    try:
        yield
    finally:
        for owner, name, door in kept:
            setattr(owner, name, door)


def _doors() -> Iterator[tuple[Any, str]]:
    yield from ((ir.Expr, name) for name in ASKING if hasattr(ir.Expr, name))
    yield from ((duckdb, name) for name in ("connect", "sql", "query", "execute"))


def _refused(name: str) -> Any:
    def asked(*_: Any, **__: Any) -> None:
        what = f"it executes a query while it is defined ({name})"
        raise PluginError(Problem("definition", what, "return the expression, and let the engine execute it"))

    return asked


def _file(function: Any) -> Path:
    return Path(inspect.unwrap(function).__code__.co_filename).resolve()
