"""The engine on clients small enough to work out by hand, and against brute force."""

import json
from math import isclose, sqrt

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kpibook import because, change, kpi, matrix, mean, modelled, quantile, ratio, share, total, variants, view
from kpibook.catalog import build
from kpibook.stats.intervals import Z
from kpibook.stats.resampling import bca_mean
from kpibook.tracing import Source
from tiny_client import receipt, row, run, shop


@view(key="transaction_id", date="business_date")
def kept(transactions, order_lines):
    """Kept: receipts with their amounts."""
    sums = order_lines.group_by("transaction_id").agg(net=order_lines.net_amount.sum())
    return transactions.filter(~transactions.is_test).join(sums, "transaction_id")


@kpi(unit="money", better="higher")
def receipt_value(kept):
    """Receipt value: net sales per receipt."""
    return ratio(kept.net.sum(), kept.count(), cluster=kept.customer_id)


@kpi(unit="money", better="higher")
def sales(kept):
    """Sales: net sales in all."""
    return total(kept.net.sum(), cluster=kept.customer_id)


@kpi(unit="money", better="higher")
def spend(kept):
    """Spend: net sales per identified person."""
    return mean(kept.net.sum(), per=kept.customer_id)


@kpi(unit="percent", better="neutral")
def card_use(kept):
    """Card use: receipts with card, out of all receipts."""
    return variants(
        share(kept.member_id.notnull()), in_store=share(kept.member_id.notnull(), where=kept.channel == "store")
    )


@kpi(unit="percent", better="higher")
def growth(kept):
    """Growth: change of the receipt value."""
    return change(ratio(kept.net.sum(), kept.count(), cluster=kept.customer_id))


@kpi(unit="money", better="neutral")
def median_receipt(kept):
    """Median receipt: value that half of the receipts exceed."""
    return quantile(kept.net, 0.5)


@kpi(unit="percent", better="neutral")
def mix(kept):
    """Mix: receipts of the web, by store."""
    return matrix(kept.store_id, kept.channel, headline=share(kept.channel == "web"))


@kpi(unit="ratio", better="neutral", columns={"kept": ["net"]})
def spread(kept: pd.DataFrame):
    """Spread: largest over smallest receipt."""
    return modelled(float(kept["net"].max() / kept["net"].min()), n=len(kept))


def catalog(*definitions):
    return build(Source(d, "tests") for d in (kept, *definitions))


def small(**more):
    """Current: A 10 and 20 (with card), B 30, anonymous 40 and 60. Previous: A 12, B 28."""
    return shop(
        receipt(1, "2024-07-01", 10, "A", member_id="A", channel="web", store_id="s1", **more),
        receipt(2, "2024-08-01", 20, "A", member_id="A", channel="store", store_id="s1"),
        receipt(3, "2024-09-01", 30, "B", channel="store", store_id="s1"),
        receipt(4, "2024-09-02", 40, channel="web", store_id="s2"),
        receipt(5, "2024-12-31", 60, channel="web", store_id="s2"),
        receipt(6, "2024-01-01", 12, "A", channel="web", store_id="s1"),
        receipt(7, "2024-06-30", 28, "B", channel="store", store_id="s1"),
    )


PERIODS = ("2024-07-01/2024-12-31", "2024-01-01/2024-06-30")


def test_a_ratio_with_clusters_by_hand():
    """160/5 = 32. Clusters: A (30, 2), B (30, 1), and the two anonymous (40, 1), (60, 1).
    Residuals y - 32 d: -34, -2, 8, 28: squares 1156 + 4 + 64 + 784 = 2008. Variance 2008/25 · 4/3,
    standard error sqrt(107.0933) = 10.348591."""
    found = row(run(small(), *PERIODS, catalog=catalog(receipt_value)), "receipt_value")

    assert (found["value"], found["n"], found["numerator"], found["denominator"]) == (32, 4, 160, 5)
    assert isclose(found["low"], 32 - Z * 10.348591, abs_tol=1e-5)
    assert isclose(found["high"], 32 + Z * 10.348591, abs_tol=1e-5)
    assert found["status"] == "low_n"
    assert json.loads(found["reason"]) == {"id": "reason.too_few_customers", "n": 4, "minimum": 100}


def test_a_mean_over_persons_by_hand():
    """A 30, B 30: mean 30, no spread. In the previous period 12 and 28: mean 20, s = 11.3137,
    standard error 8, t(1) = 12.7062."""
    results = run(small(), *PERIODS, catalog=catalog(spend))
    now, before = row(results, "spend"), row(results, "spend", period="previous")

    assert (now["value"], now["low"], now["high"], now["n"]) == (30, 30, 30, 2)
    assert before["value"] == 20
    assert isclose(before["high"], 20 + 12.706205 * 8, abs_tol=1e-4)


def test_a_total_is_exact_and_its_change_has_an_interval():
    """Fifteen of each: 15 x 160 - 15 x 40 = 1800. Per person: A 30 - 12 = 18, B 30 - 28 = 2, two anonymous 40 and 60:
    sum of squares 15 x (324 + 4 + 1600 + 3600) = 82920, times 60/59 for the 60 that there are."""
    now = [("2024-07-01", 10, "A"), ("2024-08-01", 20, "A"), ("2024-09-01", 30, "B"), ("2024-09-02", 40, None)]
    each = [*now, ("2024-12-31", 60, None), ("2024-01-01", 12, "A"), ("2024-06-30", 28, "B")]
    bought = [(day, amount, whose and f"{whose}{k}") for k in range(15) for day, amount, whose in each]
    rows = [receipt(number, *one) for number, one in enumerate(bought)]
    found = row(run(shop(*rows), *PERIODS, catalog=catalog(sales)), "sales")

    assert (found["value"], found["low"], found["high"]) == (2400, 2400, 2400)
    assert found["change"] == 1800
    assert isclose(found["change_high"], 1800 + Z * sqrt(82920 * 60 / 59), rel_tol=1e-12)


def test_a_change_of_a_total_of_few_has_no_interval():
    found = row(run(small(), *PERIODS, catalog=catalog(sales)), "sales")

    assert (found["value"], found["change"]) == (160, 120)
    assert (found["change_low"], found["change_high"]) == (None, None)


def test_a_relative_change_has_no_previous_and_no_parts():
    """(160/5)/(40/2) - 1 = 0.6."""
    results = run(small(), *PERIODS, catalog=catalog(growth), breakdowns=("month",))
    card = results.scorecard

    assert isclose(row(results, "growth")["value"], 0.6)
    assert card[["segment_by", "period"]].drop_duplicates().to_numpy().tolist() == [["total", "current"]]


def test_months_and_channels_add_up():
    results = run(small(), *PERIODS, catalog=catalog(sales), breakdowns=("month", "channel"))
    card = results.scorecard[results.scorecard.period == "current"].set_index("segment")["numerator"]

    assert {m: card[m] for m in card.index if m.startswith("2024")} == {
        "2024-07": 10,
        "2024-08": 20,
        "2024-09": 70,
        "2024-12": 60,
    }


def test_cells_below_ten_persons_are_not_shown():
    results = run(small(), *PERIODS, catalog=catalog(sales), breakdowns=("channel",), min_persons=10)
    found = row(results, "sales", "web")

    assert (found["value"], found["numerator"], found["status"]) == (None, None, "low_n")
    assert found["reason"] == '{"id": "reason.privacy", "minimum": 10}'


def test_variants_stand_beside_the_headline():
    """Card on 2 of 5 receipts; in the store on 1 of 2."""
    results = run(small(), *PERIODS, catalog=catalog(card_use))

    assert (row(results, "card_use")["value"], row(results, "card_use")["n"]) == (0.4, 5)
    assert (row(results, "card_use", "in_store")["value"], row(results, "card_use", "in_store")["segment_by"]) == (
        0.5,
        "variant",
    )


def test_a_median_between_its_order_statistics():
    """1..100: median 50.5; ranks 40 and 61 of 100 rows enclose it."""
    receipts = shop(*(receipt(n, "2024-07-01", n, f"c{n}") for n in range(1, 101)))
    found = row(run(receipts, PERIODS[0], catalog=catalog(median_receipt)), "median_receipt")

    assert (found["value"], found["low"], found["high"], found["n"]) == (50.5, 40, 61, 100)


def test_a_matrix_beside_its_headline():
    """Store s1: 1 web, 2 store; s2: 2 web. Web in all 3 of 5."""
    results = run(small(), *PERIODS, catalog=catalog(mix))
    cells = results.tables["mix"].query("period == 'current'").set_index(["row", "column"])

    assert row(results, "mix")["value"] == 0.6
    assert cells.numerator.to_dict() == {("s1", "store"): 2, ("s1", "web"): 1, ("s2", "web"): 2}
    assert isclose(cells.loc[("s1", "store"), "value"], 2 / 3)
    assert set(cells.status) == {"low_n"}


def test_a_kpi_in_pandas_gets_its_columns_by_period_and_month():
    """60/10 = 6 now, 28/12 before; September 40/30."""
    results = run(small(), *PERIODS, catalog=catalog(spread), breakdowns=("month",))

    assert row(results, "spread")["value"] == 6
    assert isclose(row(results, "spread", period="previous")["value"], 28 / 12)
    assert isclose(row(results, "spread", "2024-09")["value"], 4 / 3)


def test_without_a_comparison_nothing_is_compared():
    results = run(small(), PERIODS[0], catalog=catalog(receipt_value, sales))

    assert set(results.scorecard.period) == {"current"}
    assert results.scorecard.change.isna().all()


def test_missing_columns_are_named_and_the_others_stand():
    results = run(small(), *PERIODS, catalog=catalog(card_use, sales), without=["transactions.channel"])
    states = {c.kpi: (c.state, c.missing) for c in results.computability}

    assert states == {"card_use": ("partly", ("transactions.channel",)), "sales": ("computable", ())}
    assert set(results.scorecard.query("kpi == 'card_use'").segment) == {"total"}


def test_a_missing_headline_column_is_missing_data():
    results = run(small(), *PERIODS, catalog=catalog(card_use, sales), without=["transactions.member_id"])
    found = row(results, "card_use")

    assert (found["status"], found["value"]) == ("missing_data", None)
    assert json.loads(found["reason"]) == {"id": "reason.missing_columns", "columns": "transactions.member_id"}


def test_a_client_without_anything():
    results = run({}, *PERIODS, catalog=catalog(sales, card_use, spread))

    assert set(results.scorecard.status) == {"missing_data"}
    assert {json.loads(r)["tables"] for r in results.scorecard.reason} >= {"order_lines, transactions"}


def test_a_period_before_the_data_is_missing_not_zero():
    """Data from July on: the comparison period from January cannot be judged."""
    only_now = {k: [r for r in v if r.get("ts", "2024-07") > "2024-06-31"] for k, v in small().items()}
    results = run(only_now, *PERIODS, catalog=catalog(sales))
    before = row(results, "sales", period="previous")

    assert (before["value"], before["status"]) == (None, "missing_data")
    assert json.loads(before["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2024-01-01",
        "first": "2024-07-01",
    }


def test_a_kpi_that_raises_in_the_database_fails_alone():
    @ibis.udf.scalar.builtin
    def no_such_function(x: float) -> float: ...

    def function(kept):
        """Broken: a KPI."""
        return total(no_such_function(kept.net.cast("float64")).sum(), cluster=kept.customer_id)

    function.__name__ = "broken"
    broken = kpi(unit="money", better="higher")(function)
    results = run(small(), *PERIODS, catalog=catalog(broken, sales))
    found = row(results, "broken")

    assert row(results, "sales")["value"] == 160
    assert found["status"] == "failed"
    assert json.loads(found["reason"])["error"] == (
        "broken: CatalogException: Catalog Error: Scalar Function with name no_such_function does not exist!"
        f" · mend the function ({broken.where})"
    )


def test_a_view_that_raises_in_the_database_is_what_its_kpis_tell():
    @ibis.udf.scalar.builtin
    def no_such_function(x: float) -> float: ...

    @view(key="transaction_id", date="business_date")
    def sick(kept):
        """Sick: a view."""
        return kept.mutate(net=no_such_function(kept.net.cast("float64")))

    def function(sick):
        """Broken: a KPI."""
        return total(sick.net.sum(), cluster=sick.customer_id)

    function.__name__ = "broken"
    broken = kpi(unit="money", better="higher")(function)
    results = run(small(), *PERIODS, catalog=catalog(sick, broken, sales))

    assert row(results, "sales")["value"] == 160
    assert json.loads(row(results, "broken")["reason"])["error"] == (
        "view sick: CatalogException: Catalog Error: Scalar Function with name no_such_function does not exist!"
        " · mend the view"
    )


def test_a_pandas_kpi_that_raises_fails_alone():
    def function(kept: pd.DataFrame):
        """Broken: a KPI."""
        raise ValueError("no luck")

    function.__name__ = "broken"
    broken = kpi(unit="money", better="higher", columns={"kept": ["net"]})(function)
    results = run(small(), *PERIODS, catalog=catalog(broken, sales))

    assert json.loads(row(results, "broken")["reason"])["error"] == (
        f"broken: ValueError: no luck · mend the function ({broken.where})"
    )
    assert row(results, "sales")["value"] == 160


def test_a_table_says_how_many_persons_are_behind_its_rows_and_shows_no_single_one():
    def function(kept: pd.DataFrame):
        """Told: a KPI."""
        return modelled(1.0, table=pd.DataFrame({"net": [1.0]}))

    def other(kept: pd.DataFrame):
        """Each: a KPI."""
        return modelled(1.0, table=kept[["customer_id", "net"]], table_persons=100)

    made = []
    for name, one in (("told", function), ("each", other)):
        one.__name__ = name
        made.append(kpi(unit="money", better="higher", columns={"kept": ["customer_id", "net"]})(one))
    results = run(small(), *PERIODS, catalog=catalog(*made))

    assert results.tables == {}
    assert [json.loads(row(results, k)["reason"])["error"] for k in ("told", "each")] == [
        (
            "told: TypeError: it gives a table and does not say how many persons are behind its rows"
            " · name the column that counts them: table_persons="
        ),
        (
            "each: TypeError: its table has a row for each customer_id: single persons are not shown"
            " · count them by what they have in common"
        ),
    ]


def test_a_modelled_figure_rests_on_the_persons_it_was_given():
    """A and B: of two persons nothing is told, though the author does not say on whom the figure rests."""

    def function(kept: pd.DataFrame):
        """Given: a KPI."""
        return modelled(float(len(kept)), parts={"variant": {"half": modelled(len(kept) / 2)}})

    function.__name__ = "given"
    made = kpi(unit="count", better="higher", columns={"kept": ["customer_id"]})(function)
    results = run(small(), *PERIODS, catalog=catalog(made), min_persons=3)
    assert [row(results, "given", s)["value"] for s in ("total", "half")] == [None, None]
    told = run(small(), *PERIODS, catalog=catalog(made), min_persons=2)
    assert [row(told, "given", s)["value"] for s in ("total", "half")] == [5, 2.5]


def test_a_reading_rests_on_no_more_persons_than_it_has_cases():
    """The headline rests on 12. A reading of 4 cases rests on 4 persons at most; one of 4 waves says it does not."""

    def function(kept: pd.DataFrame):
        """Read: a KPI."""
        readings = {
            "few": modelled(3.0, n=4),
            "many": modelled(4.0, n=400),
            "uncounted": modelled(5.0),
            "waves": modelled(6.0, n=4, persons=12),
            "nobody": modelled(7.0, n=4, persons=0),
            "empty": modelled(None, n=0, status="undefined", reason=because("None.")),
        }
        return modelled(1.0, persons=12, parts={"variant": readings})

    function.__name__ = "read"
    made = kpi(unit="count", better="higher", columns={"kept": ["net"]})(function)
    results = run(small(), *PERIODS, catalog=catalog(made), min_persons=10)
    names = ("total", "few", "many", "uncounted", "waves", "nobody", "empty")
    assert [row(results, "read", name)["value"] for name in names] == [1, None, 4, 5, 6, 7, None]
    assert [row(results, "read", name)["status"] for name in ("few", "empty")] == ["low_n", "undefined"]


def test_a_pandas_kpi_may_have_readings_segments_a_table_and_a_grade():
    def function(kept: pd.DataFrame):
        """Rich: a KPI."""
        readings = {"rows": modelled(float(len(kept)), unit="count"), "none": modelled(None, reason=because("None."))}
        cells = {name: modelled(2.0, persons=n) for name, n in (("many", 30), ("some", 10), ("few", 9))}
        table = pd.DataFrame({"net": sorted(kept["net"])})
        parts = {"variant": readings, "size": cells}
        return modelled(1.0, persons=10, grade="B", table=table, table_persons=None, parts=parts)

    function.__name__ = "rich"
    rich = kpi(unit="money", better="higher", by_columns=False, columns={"kept": ["net"]})(function)
    results = run(small(), *PERIODS, catalog=catalog(rich), breakdowns=("channel",), min_persons=10)
    rows = len(results.tables["rich"])

    assert row(results, "rich")["grade"] == "B"
    assert (row(results, "rich", "rows")["segment_by"], row(results, "rich", "rows")["unit"]) == ("variant", "count")
    assert row(results, "rich", "rows")["value"] == rows > 1
    assert (row(results, "rich", "none")["status"], row(results, "rich", "none")["reason"]) == (
        "undefined",
        '{"text": "None."}',
    )
    assert (row(results, "rich", "many")["segment_by"], row(results, "rich", "many")["value"]) == ("size", 2)
    for hidden in ("few", "some"):  # the ten hide the nine
        assert (row(results, "rich", hidden)["value"], row(results, "rich", hidden)["status"]) == (None, "low_n")
    assert set(results.scorecard["segment_by"]) == {"total", "variant", "size"}


def test_a_pandas_kpi_that_returns_a_number_is_told_what_to_return():
    def function(kept: pd.DataFrame):
        """Broken: a KPI."""
        return 3

    function.__name__ = "broken"
    broken = kpi(unit="money", better="higher", columns={"kept": ["net"]})(function)
    error = json.loads(row(run(small(), *PERIODS, catalog=catalog(broken)), "broken")["reason"])["error"]

    assert error == "broken: TypeError: it returned int, not modelled(...) · return modelled(value, n=...)"


def test_a_figure_too_uncertain_to_show_keeps_its_t_interval():
    """200 persons with 1 to 2 and two with 500: a relative standard error above 30 %."""
    amounts = [1 + n / 200 for n in range(200)] + [500, 500]
    receipts = shop(*(receipt(n, "2024-07-01", a, f"c{n}") for n, a in enumerate(amounts)))
    found = row(run(receipts, PERIODS[0], catalog=catalog(spend)), "spend")
    t = stats.t.ppf(0.975, 201) * np.std(amounts, ddof=1) / sqrt(202)

    assert (found["status"], found["reason"]) == ("low_n", '{"id": "reason.relative_error_too_large", "maximum": 0.3}')
    assert isclose(found["high"], found["value"] + t, rel_tol=1e-9)


def test_the_bootstrap_interval_replaces_t_where_the_figure_may_be_shown():
    """990 persons with 1 and ten with 60: the top 1 % makes 600 of 1,590 = 37.7 %; without it the mean is 1."""
    amounts = [1.0] * 990 + [60.0] * 10
    receipts = shop(*(receipt(n, "2024-07-01", a, f"c{n}") for n, a in enumerate(amounts)))
    found = row(run(receipts, PERIODS[0], catalog=catalog(spend)), "spend")
    expected = bca_mean(amounts)

    assert found["status"] == "ok"
    assert (found["low"], found["high"]) == (expected.low, expected.high)
    assert json.loads(found["reason"]) == {"id": "reason.heavy_tail", "share": 0.377, "trimmed": 1.0}


def test_one_plan_gives_what_each_kpi_gives_alone():
    every = (receipt_value, sales, spend, card_use, growth, median_receipt, mix, spread)
    together = run(small(), *PERIODS, catalog=catalog(*every), breakdowns=("month", "channel")).scorecard
    assert set(together.kpi) == {definition.id for definition in every}
    for definition in every:
        alone = run(small(), *PERIODS, catalog=catalog(definition), breakdowns=("month", "channel")).scorecard
        pd.testing.assert_frame_equal(together[together.kpi == definition.id].reset_index(drop=True), alone)


amount = st.integers(-500, 5000).map(lambda cents: cents / 100)
buyer = st.sampled_from(["A", "B", "C", None])
day = st.dates(pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-12-31").date()).map(str)


@settings(max_examples=8)
@given(st.lists(st.tuples(day, amount, buyer), min_size=1, max_size=25), st.randoms())
def test_order_of_rows_does_not_matter_and_moments_agree_with_numpy(purchases, random):
    receipts = [receipt(n, d, a, who) for n, (d, a, who) in enumerate(purchases)]
    span = {"data": "2024-01-01/2024-12-31"}
    one = run(shop(*receipts), *PERIODS, catalog=catalog(receipt_value, sales), breakdowns=("month",), **span)
    random.shuffle(receipts)
    other = run(shop(*receipts), *PERIODS, catalog=catalog(receipt_value, sales), breakdowns=("month",), **span)
    pd.testing.assert_frame_equal(one.scorecard, other.scorecard)

    frame = pd.DataFrame(purchases, columns=["day", "net", "who"])
    frame["who"] = [who or f"alone {n}" for n, (_, _, who) in enumerate(purchases)]
    now = frame[frame.day >= "2024-07-01"]
    if now.empty:
        assert set(one.scorecard.query("period == 'current' and segment == 'total'").status) == {"undefined"}
        return
    sums = now.groupby("who").net.agg(["sum", "count"])
    value = sums["sum"].sum() / sums["count"].sum()
    found = row(one, "receipt_value")
    assert isclose(found["value"], value, rel_tol=1e-9, abs_tol=1e-9)
    if len(sums) > 1:
        residual = sums["sum"] - value * sums["count"]
        error = sqrt((residual**2).sum() * len(sums) / (len(sums) - 1)) / sums["count"].sum()
        assert isclose(found["high"] - found["value"], Z * error, rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize("breakdown", ["region", "month_of_birth"])
def test_an_unknown_breakdown_is_refused(breakdown):
    from kpibook.errors import ParamsError

    with pytest.raises(ParamsError) as caught:
        run(small(), *PERIODS, catalog=catalog(sales), breakdowns=(breakdown,))

    assert str(caught.value).startswith(f"tiny.yaml:1: breakdowns: no KPI can be broken down by '{breakdown}' · ")


def test_a_breakdown_reads_through_the_views_that_it_rests_on():
    @view(key="customer_id")
    def born(customers):
        """Born: persons with the decade of their birth."""
        return customers.select("customer_id", decade=(customers.birth_year > 1989).ifelse("1990s", "1980s"))

    @view(key="customer_id", describes="customer_id")
    def generations(born):
        """Generations: what a person is broken down by."""
        return born.select("customer_id", generation=born.decade)

    people = [{"customer_id": "a", "birth_year": 1984}, {"customer_id": "b", "birth_year": 1995}]
    receipts = shop(receipt(1, "2024-07-01", 10, "a"), receipt(2, "2024-07-02", 30, "b"), customers=people)
    results = run(receipts, PERIODS[0], catalog=catalog(born, generations, sales), breakdowns=("generation",))
    found = results.scorecard[results.scorecard.segment_by == "generation"]
    assert sorted(found.segment) == ["1980s", "1990s"]


def test_a_view_keeps_its_own_date_and_may_have_columns_that_are_never_empty():
    @view(key="transaction_id", date="day_of_sale")
    def dated(transactions, order_lines):
        """Dated: receipts placed by a date of another name, beside a column that nobody reads."""
        sums = order_lines.group_by("transaction_id").agg(net=order_lines.net_amount.sum())
        found = transactions.join(sums, "transaction_id")
        return found.select("transaction_id", "net", "status", day_of_sale=found.business_date)

    @kpi(unit="money", better="higher")
    def dated_sales(dated):
        """Dated sales: everything sold."""
        return total(dated.net.sum())

    results = run(
        shop(receipt(1, "2024-07-01", 10), receipt(2, "2023-07-01", 30)),
        PERIODS[0],
        catalog=catalog(dated, dated_sales),
    )
    assert row(results, "dated_sales")["value"] == 10
