"""Figures kept from an earlier run: the same to the last bit, and computed again when what decides them changed."""

import hashlib
from dataclasses import replace
from functools import partial

import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpibook import curve, kpi, matrix, mean, modelled, quantile, ratio, share, total, variants, view
from kpibook.cache import code
from kpibook.cache.store import Store
from kpibook.catalog import build
from kpibook.engine import compute as engine
from kpibook.engine import kept
from kpibook.periods import Period
from kpibook.tracing import Source
from tiny_client import TinyParams, load, receipt, shop

PERIODS = ("2024-07-01/2024-12-31", "2024-01-01/2024-06-30")


@view(key="transaction_id", date="business_date")
def sold(transactions, order_lines, *, factor: float = 1.0):
    """Sold: receipts with their amounts."""
    sums = order_lines.group_by("transaction_id").agg(net=order_lines.net_amount.sum().cast("float64") * factor)
    return transactions.filter(~transactions.is_test).join(sums, "transaction_id")


@view(key=("customer_id", "period_id"))
def bought(sold, periods):
    """Bought: persons and periods."""
    day = sold.business_date
    both = sold.join(periods, (day >= periods.start) & (day < periods.end))
    return both.group_by(["customer_id", "period_id"]).agg(net=both.net.sum(), receipts=both.count())


@view(describes="customer_id")
def kinds(customers):
    """Kinds: persons by the year in which they were born."""
    return customers.select("customer_id", age=ibis.ifelse(customers.birth_year < 1980, "old", "young"))


@kpi(unit="money", better="higher")
def sales(sold):
    """Sales: net sales in all."""
    return total(sold.net.sum(), cluster=sold.customer_id)


@kpi(unit="percent", better="neutral")
def web(sold, *, channel: str = "web"):
    """Web: receipts of a channel."""
    return variants(share(sold.channel == channel), large=share(sold.net > 30))


@kpi(unit="money", better="higher")
def spend(bought, *, least: int = 0):
    """Spend: a person's sales."""
    return mean(bought.net.sum(where=bought.receipts > least), per=bought.customer_id)


@kpi(unit="money", better="neutral")
def median(sold, *, q: float = 0.5):
    """Median: of receipts."""
    return quantile(sold.net, q, cluster=sold.customer_id)


@kpi(unit="days", better="neutral")
def patience(sold, *, scale: float = 1.0):
    """Patience: a curve over amounts."""
    return curve(sold.net * scale, sold.channel == "web")


@kpi(unit="percent", better="neutral")
def mix(sold):
    """Mix: channels by store."""
    return matrix(sold.store_id, sold.channel, headline=share(sold.channel == "web"))


@kpi(unit="ratio", better="neutral", columns={"sold": ["net", "customer_id"]})
def spread(sold: pd.DataFrame, *, power: int = 1):
    """Spread: largest over smallest receipt."""
    ends = pd.DataFrame({"end": ["low", "high"], "net": [sold["net"].min(), sold["net"].max()], "n": [len(sold)] * 2})
    parts = {"variant": {"doubled": modelled(2.0, n=len(sold), unit="money")}}
    value = (sold["net"].max() / sold["net"].min()) ** power
    return modelled(float(value), n=len(sold), table=ends, table_persons="n", parts=parts)


@kpi(unit="count", better="neutral", columns={"tickets": ["ticket_id"]})
def calls(tickets: pd.DataFrame):
    """Calls: tickets."""
    return modelled(float(len(tickets)), n=len(tickets), persons=0)


@kpi(unit="count", better="neutral", columns={"scorecard": ["value"]})
def known(scorecard: pd.DataFrame):
    """Known: figures that are known."""
    return modelled(float(scorecard["value"].notna().sum()), persons=0)


DEFINITIONS = (sold, bought, kinds, sales, web, spend, median, patience, mix, spread, calls, known)


def catalog(*definitions):
    return build(Source(d, "tests") for d in definitions or DEFINITIONS)


def tables(amounts=(10, 20, 30, 40, 60, 12, 28), born=1970, tickets=3):
    days = ("2024-07-01", "2024-08-01", "2024-09-01", "2024-09-02", "2024-12-31", "2024-01-01", "2024-06-30")
    whose = ("A", "A", "B", None, None, "A", "B")
    rows = [
        receipt(n, day, amount, person, channel="web" if n % 2 else "store", store_id=f"s{n % 3}")
        for n, (day, amount, person) in enumerate(zip(days, amounts, whose, strict=True))
    ]
    told = [{"ticket_id": f"k{n}", "customer_id": "A", "created_at": "2024-07-05 10:00:00"} for n in range(tickets)]
    persons = [{"customer_id": "A", "birth_year": born}, {"customer_id": "B", "birth_year": 1990}]
    return shop(*rows, tickets=told, customers=persons)


class Run:
    """Runs of one client with a store: the results, and which pieces were computed."""

    def __init__(self, folder):
        self.folder, self.seen = folder, []

    def __call__(self, monkeypatch, data=None, periods=PERIODS, of=None, cached=True, min_persons=0, **params):
        data = tables() if data is None else data
        loaded = load(data)
        digests = {name: hashlib.sha256(repr(data.get(name)).encode()).hexdigest() for name in loaded.rows}
        spans = TinyParams(Period.parse(periods[0]), Period.parse(periods[1]) if periods[1] else None, **params)
        store = Store(self.folder, "tiny", 10**9) if cached else None
        seen = self.seen

        class Watched(kept.Kept):
            def keep(self, broken):
                super().keep(broken)
                seen.append(self)

        monkeypatch.setattr(engine, "Kept", Watched)
        self.backend, self.notes = loaded.backend, store.notes if store else []
        return engine.compute(of or catalog(), spans, replace(loaded, digests=digests), min_persons, store)

    def pieces(self):
        """What was computed in the last run."""
        last = self.seen[-1]
        return [t.piece for t in last.planned if t.piece is not None and t not in last.taken]

    def computed(self):
        """KPIs of which anything was."""
        return {job.kpi.id for piece in self.pieces() for job in piece.jobs}


@pytest.fixture
def run(tmp_path, monkeypatch):
    one = Run(tmp_path / "cache")
    run = partial(one, monkeypatch)
    run.last = one
    return run


def same(one, other):
    pd.testing.assert_frame_equal(one.scorecard, other.scorecard, check_exact=True)
    assert sorted(one.tables) == sorted(other.tables)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)


MORE = {"breakdowns": ("month", "channel", "age")}
#: What is fused with what: all clustered totals over one view are asked in one query, shares without cluster with them.
FUSED = {"sales", "web", "mix"}
EVERY = {"sales", "web", "spend", "median", "patience", "mix", "spread", "calls"}


def test_a_second_run_computes_nothing_and_gives_the_same_to_the_last_bit(run):
    first = run(**MORE)
    again = run(**MORE)
    anew = run(cached=False, **MORE)

    assert (first.taken, again.taken, again.computed) == (0, first.computed - 1, 1)  # what reads the scorecard
    assert first.queries > 10
    assert again.queries == 0
    same(first, again)
    same(first, anew)
    assert sorted(first.tables) == ["mix", "patience", "spread"]
    assert {row.segment for row in again.scorecard.itertuples() if row.segment_by == "age"} == {
        "old",
        "young",
        "unknown",
    }


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        ({"settings": {"web": {"channel": "store"}}}, FUSED),
        ({"settings": {"spend": {"least": 1}}}, {"spend"}),
        ({"settings": {"median": {"q": 0.25}}}, {"median"}),
        ({"settings": {"patience": {"scale": 2.0}}}, {"patience"}),
        ({"settings": {"spread": {"power": 2}}}, {"spread"}),
        ({"settings": {"sold": {"factor": 2.0}}}, EVERY - {"calls"}),
        ({"data": tables(amounts=(10, 20, 30, 40, 61, 12, 28))}, EVERY - {"calls"}),
        ({"data": tables(tickets=4)}, {"calls"}),
        ({"periods": (PERIODS[0], "2024-01-02/2024-06-30")}, EVERY),
        ({"periods": ("2024-07-02/2024-12-31", PERIODS[1])}, EVERY),
        ({"periods": (PERIODS[0], None)}, EVERY),
        ({"min_persons": 2}, set()),
    ],
)
def test_a_change_computes_again_what_depends_on_it(run, change, computed):
    run(**MORE)
    found = run(**{**MORE, **change})
    assert run.last.computed() == computed
    same(found, run(cached=False, **{**MORE, **change}))


def test_what_describes_persons_decides_the_breakdown_by_it_alone(run):
    """A person's sales are asked by all breakdowns at once."""
    run(**MORE)
    change = {**MORE, "data": tables(born=1990)}
    found = run(**change)
    assert run.last.computed() == EVERY
    assert {p.breakdowns for p in run.last.pieces()} == {("age",), ("total", "month", "channel", "age")}
    same(found, run(cached=False, **change))


def test_a_further_breakdown_leaves_the_others(run):
    """What reads the table of all periods may see the parts too: spend is computed again, and asked for all at once."""
    run(breakdowns=("channel",))
    found = run(breakdowns=("channel", "month"))
    assert {p.breakdowns for p in run.last.pieces()} == {("month",), ("total", "channel", "month")}
    same(found, run(cached=False, breakdowns=("channel", "month")))


def test_another_definition_or_a_further_one_computes_what_is_asked_with_it(run):
    @kpi(unit="percent", better="neutral")
    def web(sold, *, channel: str = "web"):
        """Web: receipts of another channel."""
        return variants(share(sold.channel != channel), large=share(sold.net > 30))

    @kpi(unit="money", better="higher")
    def receipt_value(sold):
        """Receipt value: net sales per receipt, each for itself."""
        return ratio(sold.net.sum(), sold.count(), cluster=sold.transaction_id)

    others = [d for d in DEFINITIONS if d.id != "web"]
    run(**MORE)
    found = run(of=catalog(*others, web), **MORE)
    assert run.last.computed() == FUSED
    same(found, run(of=catalog(*others, web), cached=False, **MORE))
    run(of=catalog(*others, web, receipt_value), **MORE)
    assert run.last.computed() == {"receipt_value"}


def test_other_code_or_another_library_computes_everything(run, monkeypatch):
    run(**MORE)
    monkeypatch.setattr(code, "engine", lambda: "another release")
    run(**MORE)
    assert run.last.computed() == EVERY


def test_other_code_beside_a_function_computes_what_is_in_pandas(run, monkeypatch):
    run(**MORE)
    monkeypatch.setattr(code, "behind", lambda function: "a helper was changed")
    run(**MORE)
    assert run.last.computed() == {"spread", "calls"}


def test_only_views_that_somebody_waits_for_are_made(run):
    run(**MORE)
    run(data=tables(tickets=4), **MORE)
    made = {name for (name,) in run.last.backend.con.execute("SHOW TABLES").fetchall()}
    assert {"sold", "bought", "kinds"} & made == {"kinds"}  # calls are shown by age


def test_what_fails_is_not_kept(run):
    @view(key="transaction_id", date="business_date")
    def broken(transactions):
        """Broken: a view that the database cannot make."""
        return transactions.mutate(number=transactions.transaction_id.cast("int64"))

    @kpi(unit="count", better="neutral")
    def on_it(broken):
        """On it: rests on the view."""
        return total(broken.number.sum())

    @kpi(unit="count", better="neutral", columns={"tickets": ["ticket_id"]})
    def raises(tickets: pd.DataFrame):
        """Raises: an error."""
        raise ValueError("no")

    of = catalog(sold, sales, broken, on_it, raises)
    for _ in range(2):
        found = run(of=of)
        assert {row.kpi: row.status for row in found.scorecard.itertuples()} == {
            "sales": "ok",
            "on_it": "failed",
            "raises": "failed",
        }
    assert run.last.computed() == {"on_it", "raises"}


def test_a_table_that_parquet_would_change_is_computed_every_time(run):
    @kpi(unit="count", better="neutral", columns={"tickets": ["ticket_id"]})
    def mixed(tickets: pd.DataFrame):
        """Mixed: numbers and nothing in a column of objects."""
        table = pd.DataFrame({"number": pd.Series([1, None], dtype=object)})
        return modelled(1.0, n=2, persons=0, table=table, table_persons=None)

    first = run(of=catalog(mixed))
    found = run(of=catalog(mixed))
    assert (found.taken, run.last.computed()) == (0, {"mixed"})
    same(first, found)


def test_figures_of_a_damaged_entry_are_computed_again(run):
    first = run(**MORE)
    path = max(run.last.folder.glob("figures/*/figures.parquet"), key=lambda p: p.stat().st_size)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    path.write_bytes(damaged)
    found = run(**MORE)

    assert found.computed == 2  # and what reads the scorecard
    assert run.last.notes == [
        f"cache, figures: the entry {path.parent.name[:12]} is thrown away: figures.parquet was damaged"
    ]
    same(first, found)


MONTHS = st.sampled_from([(), ("month",), ("channel", "age"), ("age", "quarter")])
CHOSEN = ({"web": {"channel": "store"}}, {"sold": {"factor": 3.0}}, {"spend": {"least": 1}}, {"median": {"q": 0.3}})
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "settings": st.sampled_from(
                [
                    {},
                    {"web": {"channel": "store"}},
                    {"sold": {"factor": 3.0}},
                    {"spend": {"least": 1}},
                    {"median": {"q": 0.3}},
                ]
            ),
            "data": st.sampled_from([tables(), tables(amounts=(1, 2, 3, 4, 5, 6, 7)), tables(born=1995)]),
            "breakdowns": MONTHS,
            "periods": st.sampled_from([PERIODS, (PERIODS[0], None), ("2024-08-01/2024-12-31", PERIODS[1])]),
            "min_persons": st.sampled_from([0, 2]),
        }
    ),
    min_size=2,
    max_size=4,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_was_run_before_a_run_says_what_it_would_say_alone(run, steps):
    for step in steps:
        same(run(**step), run(cached=False, **step))
