"""The coverage simulation: samples are whole, and the counting is right."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kpibook.model import TABLES, references

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulation() -> Iterator[tuple[ModuleType, ModuleType]]:
    """(population, coverage_page)"""
    sys.path.insert(0, str(ROOT))
    try:
        yield importlib.import_module("simulations.population"), importlib.import_module("simulations.coverage_page")
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def people(
    simulation: tuple[ModuleType, ModuleType], samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> object:
    folder = tmp_path_factory.mktemp("coverage")
    client = folder / "marea.yaml"
    text = (ROOT / "params" / "marea.yaml").read_text(encoding="utf-8")
    client.write_text(text.replace("source: ../data/marea", f"source: {samples / 'marea'}"), encoding="utf-8")
    return simulation[0].population(client, folder / "population.duckdb")


def test_the_whole_population_is_every_row_once(people, samples: Path) -> None:
    whole = people.whole()
    for name in TABLES:
        assert whole.rows[name] == len(pd.read_parquet(samples / "marea" / f"{name}.parquet")), name


def test_a_sample_is_whole_customers_with_all_that_is_theirs(people) -> None:
    drawn = people.sample(7, 1)
    con = drawn.backend.con
    whole = people.whole()
    for name, table in TABLES.items():
        assert drawn.rows[name] == pytest.approx(whole.rows[name], rel=0.2)
        if table.key:
            key = ", ".join(table.key)
            distinct = con.execute(f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {name})").fetchone()[0]
            assert distinct == drawn.rows[name], name
        for column, other in references(name).items():
            lost = con.execute(
                f"SELECT count(*) FROM {name} WHERE {column} IS NOT NULL "
                f"AND {column} NOT IN (SELECT {TABLES[other].key[0]} FROM {other})"
            ).fetchone()[0]
            assert lost == 0, (name, column)


def test_a_customer_drawn_twice_buys_twice_under_two_names(people) -> None:
    drawn, whole = people.sample(7, 1).backend.con, people.whole().backend.con
    count = "SELECT customer_id, count(*) FROM transactions WHERE customer_id IS NOT NULL GROUP BY 1"
    twice, once = dict(drawn.execute(count).fetchall()), dict(whole.execute(count).fetchall())
    copies = {name: number for name, number in twice.items() if "~" in name}
    assert len(copies) > 1_000
    assert all(number == once[name.split("~")[0]] for name, number in copies.items())
    assert all(number == once[name] for name, number in twice.items() if "~" not in name)
    anonymous = drawn.execute("SELECT count(*) FROM transactions WHERE transaction_id LIKE '%~2'").fetchone()[0]
    assert anonymous > 1_000


def test_the_same_number_draws_the_same_sample_and_another_another(people) -> None:
    names = "SELECT list(customer_id ORDER BY customer_id) FROM customers"
    first, again, other = (people.sample(7, i).backend.con.execute(names).fetchone()[0] for i in (1, 1, 2))
    assert first == again
    assert first != other


def _card(*rows: tuple[str, str, float | None, float | None, float | None, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["kpi", "segment", "value", "low", "high", "status"])
    by = frame["segment"].map({"total": "total"}).fillna("variant")
    empty = dict.fromkeys(("change", "change_low", "change_high"), float("nan"))
    return frame.assign(segment_by=by, n=50.0, **empty)


def test_intervals_that_hold_the_truth_are_counted(simulation: tuple[ModuleType, ModuleType]) -> None:
    """Truth 10. Of 40 samples 36 give [9, 11], 2 give [10.5, 12] and miss, 2 are low_n and do not count: 36 of 38."""
    truth = _card(("a", "total", 10.0, 9.0, 11.0, "ok"), ("b", "total", 5.0, None, None, "ok"))
    samples = [("a", "total", 10.0, 9.0, 11.0, "ok")] * 36 + [("a", "total", 11.0, 10.5, 12.0, "ok")] * 2
    drawn = _card(*samples, *[("a", "total", 3.0, 2.0, 4.0, "low_n")] * 2)
    kpis = [("a", "sales", "ratio"), ("b", "sales", "total")]
    (line,) = simulation[1].lines(truth, drawn, kpis)
    assert (line.kpi, line.reading, line.held, line.replicates, line.n) == ("a", "", 36, 38, 50.0)
    assert line.verdict == ""
    text = simulation[1].page(truth, drawn, 40, kpis)
    assert "| `a` |  | ratio | 50 | 38 | 94.7 % | 82.7 to 98.5 |" in text
    assert "- `b`: no interval (a count of everything, or exact)" in text
    assert "Of 1 headline figures with an interval 1 lie within 93 to 97 %, 0 below, 0 above." in text


@pytest.mark.parametrize(("held", "said"), [(35, "below 93 %"), (38, ""), (40, "above 97 %")])  # of 40: 87.5, 95, 100 %
def test_figures_outside_are_printed_as_such(held: int, said: str, simulation: tuple[ModuleType, ModuleType]) -> None:
    line = simulation[1].Line("a", "", "ratio", 50, 40, held, 1.0)
    assert line.verdict == said
    assert simulation[1].Line("a", "", "ratio", 50, 29, 10, 1.0).verdict == "too few replicates"
