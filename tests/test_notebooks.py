"""The notebooks as they lie there: cells that call and define nothing, all executed, in order, without an error."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from kpibook.samples import corner

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def cells(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def defined(source: str) -> list[str]:
    """What a cell defines; a file that it writes is text."""
    tree = ast.parse(TransformerManager().transform_cell(source))
    return [type(node).__name__ for node in ast.walk(tree) if isinstance(node, DEFINING)]


def test_what_a_cell_defines_is_seen() -> None:
    assert defined("x = 1\n\n\ndef f():\n    return lambda: 1") == ["FunctionDef", "Lambda"]
    assert defined("%%writefile a.py\ndef f(): pass") == []


def test_the_three_notebooks_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["audit", "explore", "write_a_kpi"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_define_nothing(path: Path) -> None:
    assert [(cell.source, found) for cell in cells(path) if (found := defined(cell.source))] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_was_executed_in_order_and_none_failed(path: Path) -> None:
    found = cells(path)
    assert [cell.execution_count for cell in found] == list(range(1, len(found) + 1))
    assert [o for cell in found for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"] == []


def shown(path: Path) -> dict[str, list[Any]]:
    """The outputs of cells, by their last lines."""
    return {cell.source.splitlines()[-1]: cell.outputs for cell in cells(path)}


def test_what_explore_shows_are_corner_s_figures_and_a_chart() -> None:
    """All 240 persons bought in 2024, those too who stay away from April on; in the 60 days from November 2 fewer."""
    found = shown(NOTEBOOKS[1])
    late = {visit.person for visit in corner.visits() if visit.at.date() >= date(2024, 11, 2)}
    assert "<svg" in found['book["avg_receipt"]'][0].data["text/html"]
    assert "\nFigure: 240, " in found['book.explain("active_customers")'][0].data["text/plain"]
    assert f"Active customers: {len(late)} exact" in found['recent["active_customers"]'][0].data["text/plain"]


def test_the_lesson_ends_with_an_admitted_kpi_in_spanish() -> None:
    """The share of Corner's visits from July 2024 on that are at 18:00 or later."""
    found = shown(NOTEBOOKS[2])
    admitted = found["%kpibook admit ../data/lesson/kpis/evening_share.py"]
    assert "".join(output.text for output in admitted).endswith("\nevening_share: admitted\n")
    hours = [visit.at.hour for visit in corner.visits() if visit.at.date() >= date(2024, 7, 1)]
    share = f"{sum(hour >= 18 for hour in hours) / len(hours):.1%}".replace(".", ",").replace("%", "\u00a0%")
    (chapter,) = found['book["evening_share"]']
    assert f"\nCompras de tarde: {share} [" in chapter.data["text/plain"]
    assert "Compras de tarde por canal" in chapter.data["text/plain"]
    assert "<svg" in chapter.data["text/html"]
    (explained,) = found['book.explain("evening_share")']
    assert "Origen: kpis/evening_share.py, evening_share.py:6\n" in explained.data["text/plain"]
