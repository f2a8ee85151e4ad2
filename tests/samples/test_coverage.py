"""The coverage simulation: samples are whole, and the counting is right."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kpibook import params
from kpibook.engine.compute import compute
from kpibook.model import TABLES, references
from tiny_client import only

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulation() -> Iterator[tuple[ModuleType, ...]]:
    """(population, coverage_page, coverage_store)"""
    sys.path.insert(0, str(ROOT))
    names = ("population", "coverage_page", "coverage_store")
    try:
        yield tuple(importlib.import_module(f"simulations.{name}") for name in names)
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def people(simulation: tuple[ModuleType, ...], samples: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
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
    """Figures with a change of half as much, each in a sample of its own."""
    frame = pd.DataFrame(rows, columns=["kpi", "segment", "value", "low", "high", "status"])
    by = frame["segment"].map({"total": "total"}).fillna("variant")
    half = {f"change{end}": frame[name] / 2 for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
    return frame.assign(segment_by=by, n=50.0, sample=range(len(frame)), **half)


def test_intervals_that_hold_the_truth_are_counted(simulation: tuple[ModuleType, ...]) -> None:
    """Truth 10. Of 40 samples 36 give [9, 11], 2 give [10.5, 12] and miss, 2 are low_n and do not count: 36 of 38.

    Of the changes, all halved, the same 36 of 38 hold 5. The mean width is (36 x 2 + 2 x 1.5) / 38 = 1.97.
    """
    truth = _card(("a", "total", 10.0, 9.0, 11.0, "ok"), ("b", "total", 5.0, None, None, "ok"))
    samples = [("a", "total", 10.0, 9.0, 11.0, "ok")] * 36 + [("a", "total", 11.0, 10.5, 12.0, "ok")] * 2
    drawn = _card(*samples, *[("a", "total", 3.0, 2.0, 4.0, "low_n")] * 2)
    kpis = [("a", "sales", "ratio"), ("b", "sales", "total")]
    (line,) = simulation[1].lines(truth, drawn, kpis)
    assert (line.kpi, line.reading, line.n) == ("a", "", 50.0)
    assert (line.level.held, line.level.replicates) == (36, 38)
    assert line.change == line.level
    text = simulation[1].page(truth, drawn, kpis)
    row = "| `a` |  | ratio | 50 | 38 | 94.7 % | 82.7 to 98.5 | 94.7 % | 82.7 to 98.5 | 1.97 |"
    assert row in text
    assert "- `b`: no interval (a count of everything, or exact)" in text
    assert "| headlines | 1 | 1 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| variants | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in text


def test_what_samples_cannot_tell_is_named(simulation: tuple[ModuleType, ...]) -> None:
    """35 of 40 is 87.5 %, below, but may be 93 %."""
    truth = _card(("a", "total", 10.0, 9.0, 11.0, "ok"))
    values = np.linspace(9.5, 10.5, 35)
    drawn = _card(*[("a", "total", x, 9.0, 11.0, "ok") for x in values], *[("a", "total", 11.9, 11.0, 13.0, "ok")] * 5)
    text = simulation[1].page(truth, drawn, [("a", "sales", "ratio")])
    assert "Below (%): `a` 87.5; `a`, change 87.5." in text
    assert "Above (%): none." in text


@pytest.mark.parametrize(
    ("held", "replicates", "place", "verdict"),
    [
        (35, 40, "below", "open"),  # 87.5 %, Wilson 73.9 to 94.5: reaches 93 %
        (160, 200, "below", "below"),  # 80 %, Wilson 73.9 to 84.9
        (38, 40, "within", "within"),
        (40, 40, "above", "open"),  # 100 %, Wilson 91.2 to 100
        (200, 200, "above", "above"),  # 100 %, Wilson 98.1 to 100
        (29, 29, "above", "too few"),
    ],
)
def test_clearly_outside_is_what_samples_can_tell(
    held: int, replicates: int, place: str, verdict: str, simulation: tuple[ModuleType, ...]
) -> None:
    count = simulation[1].Count(held, replicates)
    assert (count.place, count.verdict) == (place, verdict)


def test_what_is_clearly_outside_is_listed_with_its_reason(
    simulation: tuple[ModuleType, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of 40 samples [11, 12] holds 10: 0 % (Wilson 0 to 8.8). B's change is so by design and counts apart; so does
    c, of which every sample says 0.
    """
    reasons = importlib.import_module("simulations.coverage_reasons")
    monkeypatch.setitem(reasons.REASONS, ("a", ""), "Always too high.")
    monkeypatch.setitem(reasons.BY_DESIGN, ("b", reasons.CHANGE), "As it should be.")
    truth = _card(*((kpi, "total", 10.0, 9.0, 11.0, "ok") for kpi in "ab"), ("c", "total", 0.0, 0.0, 1.0, "ok"))
    value = dict(zip(range(40), np.linspace(11.2, 11.8, 40), strict=True))
    samples = [(kpi, "total", value[i], 11.0, 12.0, "ok") for kpi in "ab" for i in value]
    drawn = _card(*samples, *[("c", "total", 0.0, 0.0, 1.0, "ok")] * 200)
    text = simulation[1].page(truth, drawn, [(kpi, "sales", "ratio") for kpi in "abc"])
    missed = "0.0 % (0.0 to 8.8) of 40."
    assert f"- `a`: {missed} Always too high.\n- `a`, change: {missed} Always too high.\n" in text
    assert f"- `b`: {missed} Not explained.\n" in text
    assert text.index(f"- `b`, change: {missed} As it should be.") > text.index(simulation[1]._DESIGNED)
    assert "- `c`: 100.0 % (98.1 to 100.0) of 200. The same in every sample." in text
    assert "| headlines | 3 | 0 | 2 | 0 | 2 | 0 | 1 |" in text
    assert "| their changes to the year before | 3 | 0 | 1 | 0 | 1 | 0 | 2 |" in text


def test_the_store_knows_what_is_missing(simulation: tuple[ModuleType, ...], tmp_path: Path) -> None:
    """Two samples of a; of b the second is missing, and the first was in another state."""
    store = simulation[2].Store(tmp_path / "made")
    card = _card(("a", "total", 1.0, 0.0, 2.0, "ok"), ("b", "total", 1.0, 0.0, 2.0, "ok")).drop(columns="sample")
    old, new = {"a": "1", "b": "1"}, {"a": "1", "b": "2"}
    assert store.missing(old, [0, 1]) == [(0, ("a", "b")), (1, ("a", "b"))]
    store.put(card, 0, old)
    store.put(card[card["kpi"] == "a"], 1, old)
    assert store.missing(old, [0, 1]) == [(1, ("b",))]
    assert store.missing(new, [0, 1]) == [(0, ("b",)), (1, ("b",))]
    store.put(card, 1, new)  # a once more: counted once
    assert store.rows(new)[["kpi", "sample"]].to_numpy().tolist() == [["a", 0], ["a", 1], ["b", 1]]
    store.clear()
    assert store.rows(new).empty


def test_a_kpis_state_is_that_of_its_modules_and_the_engine(simulation: tuple[ModuleType, ...]) -> None:
    """share_of_wallet and first_choice_rate are one module's; net_sales is of another."""
    catalog = only("share_of_wallet", "first_choice_rate", "net_sales")
    path = ROOT / "params" / "marea.yaml"
    states = simulation[2].states(catalog, catalog.kpis, [path])
    assert states["share_of_wallet"] == states["first_choice_rate"] != states["net_sales"]
    other = simulation[2].states(catalog, catalog.kpis, [ROOT / "pyproject.toml"])
    assert not set(other.values()) & set(states.values())
    files = {path.name for path in simulation[2]._reach(["loyalty_kpis.wallet"])}
    assert {"wallet.py", "reweighting.py", "intervals.py"} <= files  # imported, and imported by what is imported
    assert "__init__.py" not in files


def test_who_reads_the_scorecard_needs_every_kpi(simulation: tuple[ModuleType, ...]) -> None:
    catalog = only("points_liability", "net_sales", "total_programme_cost")
    needed = simulation[2].needed
    assert set(catalog.kpis) <= needed(catalog, ["total_programme_cost"])
    assert set(catalog.kpis) & needed(catalog, ["points_liability"]) == {"points_liability"}


def test_a_sample_is_computed_as_a_client_is(simulation: tuple[ModuleType, ...], people) -> None:
    """Statements that are remembered give the figures of the engine without memory, means and totals alike."""
    coverage = importlib.import_module("simulations.coverage")
    kpis = ("avg_receipt", "net_sales")
    client = params.load(coverage.CLIENT).model_copy(update={"breakdowns": ()})
    card = compute(coverage.catalog(kpis), client, people.whole()).scorecard
    plain = card[(card["period"] == "current") & (card["segment_by"] == "total")].set_index("kpi")

    for _ in range(2):
        found = coverage.computed(people.whole(), kpis)
        own = found[found["segment_by"] == "total"].set_index("kpi")
        assert list(own["status"]) == ["ok", "ok"]
        for column in ("value", "low", "high"):
            assert list(own.loc[list(kpis), column]) == pytest.approx(list(plain.loc[list(kpis), column]))


def test_a_kpi_that_failed_is_not_counted(simulation: tuple[ModuleType, ...], people) -> None:
    coverage = importlib.import_module("simulations.coverage")
    broken = people.whole()
    broken.backend.con.execute("ALTER TABLE order_lines RENAME COLUMN net_amount TO net")

    with pytest.raises(RuntimeError) as caught:
        coverage.computed(broken, ("avg_receipt",))
    assert str(caught.value) == "failed, so that nothing can be said of their intervals: avg_receipt"
