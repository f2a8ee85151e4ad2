"""The coverage simulation: samples are whole, cheap roads say what the engine says, and the counting is right."""

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
from kpibook.figures import Figure
from kpibook.model import TABLES, references
from kpibook.stats.intervals import Interval
from tiny_client import only

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulation() -> Iterator[tuple[ModuleType, ...]]:
    """(population, coverage_page, coverage_draws, coverage_engine, coverage)"""
    sys.path.insert(0, str(ROOT))
    names = ("population", "coverage_page", "coverage_draws", "coverage_engine", "coverage")
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


def test_draws_are_poisson_and_a_smaller_rate_draws_fewer(people) -> None:
    """Of n Poisson variables of mean 1 the sum is n, give or take 4 times its root, and e^-1 = 36.8 % are 0."""
    times = people.draws(7, 1)
    n = len(times)
    assert n > 50_000
    assert abs(times.sum() - n) < 4 * n**0.5
    assert (times == 0).mean() == pytest.approx(0.368, abs=0.01)
    assert people.draws(7, 1, rate=0.1).sum() == pytest.approx(0.1 * n, rel=0.1)


def test_an_id_names_the_unit_and_the_customer_that_its_rows_are_of(people) -> None:
    ids = people.ids()
    con = people.whole().backend.con
    con.execute(f"ATTACH '{people.file}' AS pop (READ_ONLY)")
    rows = con.execute("SELECT transaction_id, customer_id, unit FROM pop.transactions LIMIT 2000").df()
    assert (rows["transaction_id"].map(ids["unit"]) == rows["unit"]).all()
    known = rows.dropna(subset="customer_id")
    assert len(known) > 100
    for name in ("unit", "own"):
        assert (known["customer_id"].map(ids[name]) == known["transaction_id"].map(ids[name])).all()
    customers = con.execute("SELECT customer_id FROM pop.customers").df()["customer_id"]
    assert customers.map(ids["own"]).nunique() == len(customers) == 7_000
    assert customers.map(ids["unit"]).nunique() < len(customers)  # households and friends
    assert not set(customers.map(ids["own"])) & set(rows[rows["customer_id"].isna()]["transaction_id"].map(ids["own"]))


def test_the_same_number_draws_the_same_sample_and_another_another(people) -> None:
    names = "SELECT list(customer_id ORDER BY customer_id) FROM customers"
    first, again, other = (people.sample(7, i).backend.con.execute(names).fetchone()[0] for i in (1, 1, 2))
    assert first == again
    assert first != other


def _counts(*rows: tuple[str, str, int, int, float]) -> pd.DataFrame:
    """Rows (kpi, reading, replicates, held, width), with a change counted alike and a spread of 2."""
    frame = pd.DataFrame(rows, columns=["kpi", "reading", "replicates", "held", "width"])
    same = {"change_replicates": frame["replicates"], "change_held": frame["held"]}
    return frame.assign(road="sums", size=2_000, samples=frame["replicates"], n=50.0, spread=2.0, why="", **same)


def _drawn(*figures: tuple[float, float, float, str]) -> list[object]:
    """Figures (value, low, high, status), each with half of it as its change."""
    coverage_draws = importlib.import_module("simulations.coverage_draws")
    return [
        coverage_draws.Found(Figure(v, low, high, 7, status=status), v / 2, Interval(low / 2, high / 2))
        for v, low, high, status in figures
    ]


def test_a_cluster_adds_its_sums_products_and_itself(simulation: tuple[ModuleType, ...]) -> None:
    """Two clusters with sums (2, 3) and (0, 5) of which only the first has a row that counts; ranks do not add up."""
    sums = importlib.import_module("simulations.coverage_sums")
    rows = pd.DataFrame({"_cluster": ["x", "y"], "a0": [2, None], "a1": [3, 5], "n0_current": [4, 0]})
    names, values = sums._of_clusters(["t0", "u0_current", "r0_current", "d0", "d1", "p0_1", "h0_0"], rows)
    assert names == ("t0", "u0_current", "r0_current", "d0", "d1", "p0_1")
    assert values.tolist() == [[2, 1, 4, 1, 1, 6], [0, 0, 0, 0, 1, 0]]


def test_intervals_that_hold_the_truth_are_counted(simulation: tuple[ModuleType, ...]) -> None:
    """Truth 10. Of 40 samples 36 give [9, 11], 2 give [10.5, 12] and miss, 2 are low_n and do not count: 36 of 38.

    Of the changes, all halved, the same 36 of 38 hold 5. The mean width is (36 x 2 + 2 x 1.5) / 38 = 1.974. Values: 36
    of 10 and 2 of 11; variance 36 x 2 / 38 / 37 = 0.0512, spread 3.92 x 0.2263 = 0.887.
    """
    draws = simulation[2]
    (truth,) = _drawn((10.0, 9.0, 11.0, "ok"))
    drawn = _drawn(*[(10.0, 9.0, 11.0, "ok")] * 36, *[(11.0, 10.5, 12.0, "ok")] * 2, *[(3.0, 2.0, 4.0, "low_n")] * 2)
    row = draws.counted(("a", ""), drawn, truth)
    assert (row["replicates"], row["held"], row["samples"], row["n"]) == (38, 36, 40, 7)
    assert (row["change_replicates"], row["change_held"]) == (38, 36)
    assert (row["width"], row["spread"]) == (pytest.approx(75 / 38), pytest.approx(0.887, abs=1e-3))
    point = draws.counted(("a", ""), drawn, _drawn((10.0, 10.0, 10.0, "ok"))[0])
    assert (point["replicates"], point["held"]) == (0, 0)


def test_what_differs_in_the_last_digits_does_not_spread(simulation: tuple[ModuleType, ...]) -> None:
    """Three values 1, 2, 3 have a standard deviation of 1: 3.92."""
    draws = simulation[2]
    assert draws._spread([0.3, 0.1 + 0.2]) == 0
    assert draws._spread([1.0, 2.0, 3.0]) == pytest.approx(3.92)


def test_what_only_the_engine_can_count_waits_with_a_reason(
    simulation: tuple[ModuleType, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of two readings one has counts; the other's row is not among what is counted, and the page says so."""
    coverage = simulation[4]
    monkeypatch.setattr(coverage, "COUNTS", tmp_path / "counts.csv")
    coverage.keep(_counts(("a", "", 40, 38, 2.0)).to_dict("records"))
    coverage.keep(coverage._waiting({("b", "low")}))
    assert coverage.counted() == {("a", "")}
    text = simulation[1].page(coverage.stored(), [("a", "sales", "ratio"), ("b", "sales", "ratio")])
    why = "not counted yet: only the engine can (`python -m simulations.coverage --missing`)"
    assert text.endswith(f"## Without a line above\n\n- `b` low: {why}\n")
    coverage.forget(["a", "b"], {("a", "")})
    assert list(coverage.stored()["kpi"]) == ["a"]


def test_a_figure_has_a_line_with_its_road_and_size(simulation: tuple[ModuleType, ...]) -> None:
    kpis = [("a", "sales", "ratio"), ("b", "sales", "total"), ("c", "sales", "total")]
    counts = _counts(("a", "", 38, 36, 1.97))
    counts = pd.concat([counts, pd.DataFrame({"kpi": ["b"], "reading": "", "road": [""], "why": "exact"})])
    (line,) = simulation[1].lines(counts, kpis)
    assert (line.kpi, line.reading, line.n, line.level, line.change) == ("a", "", 50.0, line.change, line.level)
    text = simulation[1].page(counts, kpis)
    row = "| `a` |  | sums | 2,000 | 50 | 38 | 94.7 % | 82.7 to 98.5 | 94.7 % | 82.7 to 98.5 | 1.97 | 0.98 |  |"
    assert row in text
    assert text.endswith("## Without a line above\n\n- `b`: exact\n- `c`: not ok often enough\n")
    assert "| headlines | 1 | 1 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| variants | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| by sums | 2 | 2 | 0 | 0 | 0 | 0 | 0 |" in text


def test_what_samples_cannot_tell_is_named(simulation: tuple[ModuleType, ...]) -> None:
    """35 of 40 is 87.5 %, below, but may be 93 %."""
    text = simulation[1].page(_counts(("a", "", 40, 35, 2.0)), [("a", "sales", "ratio")])
    assert "Below (%): `a`, 2,000 customers: 87.5; `a`, change, 2,000 customers: 87.5." in text
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
    """None of 40 intervals holds: 0 % (Wilson 0 to 8.8). B's change is so by design and counts apart; so does c, of
    which every sample says 0.
    """
    reasons = importlib.import_module("simulations.coverage_reasons")
    monkeypatch.setitem(reasons.REASONS, ("a", ""), "Always too high.")
    monkeypatch.setitem(reasons.BY_DESIGN, ("b", reasons.CHANGE), "As it should be.")
    counts = _counts(("a", "", 40, 0, 1.0), ("b", "", 40, 0, 1.0), ("c", "", 200, 200, 1.0))
    counts.loc[counts["kpi"] == "c", "spread"] = 0.0
    text = simulation[1].page(counts, [(kpi, "sales", "ratio") for kpi in "abc"])
    missed = "2,000 customers: 0.0 % (0.0 to 8.8) of 40."
    assert f"- `a`, {missed} Always too high.\n- `a`, change, {missed} Always too high.\n" in text
    assert f"- `b`, {missed} Not explained.\n" in text
    assert text.index(f"- `b`, change, {missed} As it should be.") > text.index(simulation[1]._DESIGNED)
    assert "- `c` headline: the same in every sample.\n" in text
    assert (
        "Of 6 figures and changes that are `ok`, 0 lie within 93 to 97 % as far as their samples can tell,"
        " 3 clearly below, 0 clearly above; 3 are what they are by design.\n"
    ) in text
    assert "| headlines | 3 | 0 | 2 | 0 | 2 | 0 | 1 |" in text
    assert "| their changes to the year before | 3 | 0 | 1 | 0 | 1 | 0 | 2 |" in text


def test_who_reads_the_scorecard_needs_every_kpi_that_it_takes_from_it(simulation: tuple[ModuleType, ...]) -> None:
    catalog = only("points_liability", "net_sales", "total_programme_cost", "benchmark_gap")
    needed = simulation[3].needed
    assert set(catalog.kpis) <= needed(catalog, ["benchmark_gap"])
    assert set(catalog.kpis) & needed(catalog, ["total_programme_cost"]) == {"points_liability", "total_programme_cost"}
    assert set(catalog.kpis) & needed(catalog, ["points_liability"]) == {"points_liability"}


#: A ratio, a total with a change, a share by sums; a curve and a KPI in pandas by rows; one that needs the engine.
TRIED = ("avg_receipt", "csat", "net_sales", "retention_rate", "second_purchase_rate", "usage_class_share")


def test_cheap_roads_say_what_the_engine_says_of_the_same_sample(simulation: tuple[ModuleType, ...], people) -> None:
    """But for what rests on cut points, which move with the sample: that is found out."""
    draws, engine, coverage = simulation[2:]
    _, asked = engine.asked(loaded := people.whole(), TRIED)
    sources = engine.sources(loaded, asked, people.ids())
    card = coverage.sampled(people, 3, TRIED)
    times = np.concatenate([[1], people.draws(coverage.SEED, 3)])
    agreed = {key: said for source in sources for key, said in draws.agreeing(source, times, card).items()}
    for key in [("avg_receipt", ""), ("net_sales", ""), ("retention_rate", ""), ("second_purchase_rate", ""),
                ("csat", ""), ("csat", "mean_score")]:  # fmt: skip
        assert agreed[key], key
    assert not agreed["usage_class_share", "low"]


def test_a_sample_is_computed_as_a_client_is(simulation: tuple[ModuleType, ...], people) -> None:
    """Statements that are remembered give the figures of the engine without memory, means and totals alike."""
    engine = simulation[3]
    kpis = ("avg_receipt", "net_sales")
    client = params.load(engine.CLIENT).model_copy(update={"breakdowns": ()})
    card = compute(engine.catalog(kpis), client, people.whole()).scorecard
    plain = card[(card["period"] == "current") & (card["segment_by"] == "total")].set_index("kpi")

    for _ in range(2):
        found = engine.computed(people.whole(), kpis)
        own = found[found["segment_by"] == "total"].set_index("kpi")
        assert list(own["status"]) == ["ok", "ok"]
        for column in ("value", "low", "high"):
            assert list(own.loc[list(kpis), column]) == pytest.approx(list(plain.loc[list(kpis), column]))


def test_a_kpi_that_failed_is_not_counted(simulation: tuple[ModuleType, ...], people) -> None:
    broken = people.whole()
    broken.backend.con.execute("ALTER TABLE order_lines RENAME COLUMN net_amount TO net")

    with pytest.raises(RuntimeError) as caught:
        simulation[3].computed(broken, ("avg_receipt",))
    assert str(caught.value) == "failed, so that nothing can be said of their intervals: avg_receipt"


def test_the_page_is_that_of_the_counts(simulation: tuple[ModuleType, ...]) -> None:
    """docs/coverage.md is made of docs/coverage.csv, in which every KPI of the pack has a row."""
    page, engine, coverage = simulation[1], simulation[3], simulation[4]
    counts = coverage.stored()
    assert coverage.PAGE.read_text(encoding="utf-8") == page.page(counts, engine.definitions())
    assert set(counts["kpi"]) == {kpi for kpi, _, _ in engine.definitions()}
    told = counts[counts["road"] != ""]
    assert (told["held"] <= told["replicates"]).all()
    assert (counts.loc[counts["road"] == "", "why"] != "").all()
