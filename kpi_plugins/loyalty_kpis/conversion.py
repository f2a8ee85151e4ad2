"""Conversion: whether low users become heavier, beyond what chance alone brings."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import MINIMUM, reason, share_rule
from kpibook.stats import repeat_buying, spend_per_purchase
from kpibook.stats.intervals import wilson
from kpibook.stats.likelihood import Maximum, gradient, plug_in_interval
from kpibook.stats.repeat_buying import RepeatBuying, chance_to_exceed
from kpibook.stats.spend_per_purchase import SpendPerPurchase
from loyalty_kpis.reach import two_years
from loyalty_kpis.usage_classes import HEAVY, LOW, MEDIUM

LOWS_AT_LEAST = 200
#: The derivative of a mean needs no more persons than this.
ENOUGH = 2_000
YEARS = ["bought_now", "bought_before", "spend_now", "spend_before", "class_now", "class_before", "low_to"]


@kpi(
    unit="percent",
    better="higher",
    question="Do low users become heavier because of the programme, beyond regression to the mean?",
    family="customers",
    looks_back=two_years,
    columns={"spending_years": ["customer_id", *YEARS]},
)
def low_to_heavy_conversion(spending_years: pd.DataFrame):
    """Low→medium/heavy conversion (net of chance): medium or heavy users of the 365 days before the period's end, out
    of the low users of the 365 days before these, minus the share expected to rise if nobody had changed.

    The variant gross is the share that rose, by_chance the expectation: purchase days after a negative binomial model
    (NBD) and spend per purchase day after a Gamma-Gamma model of all buyers of the earlier year, each person given what
    they bought then. upgrade_value is the net sales to these low users above that expectation. Classes as in
    usage_class_share; the table has all moves, those down and away as well.
    """
    then = spending_years[spending_years["bought_before"] > 0].reset_index(drop=True)
    low = (then["class_before"] == LOW).to_numpy()
    rose = (then["class_now"].isin([MEDIUM, HEAVY]) & low).to_numpy().astype(float)
    lows = int(low.sum())
    facts = {"n": lows, "persons": lows, "table": _moves(then), "table_persons": "numerator"}
    if lows == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    gross = _gross(int(rose.sum()), lows)
    try:
        null = _Chance(then)
    except ValueError:
        why = because("Nobody bought on two days of the earlier year.")
        return modelled(None, status="undefined", reason=why, parts={"variant": {"gross": gross}}, **facts)
    risen, worth = null.to_rise(low), null.spend(low)
    change = (then["spend_now"].to_numpy()[low] - worth) / lows
    expected, net = float(risen.mean()), float((rose[low] - risen).mean())
    slopes = gradient(
        lambda at: np.array([null.to_rise(low, at).mean(), null.spend(low, at).mean()]), null.best.log_parameters
    )

    def interval(value, each, slope):
        own = np.zeros(len(then))
        own[low] = each
        return dict(zip(("low", "high"), plug_in_interval(value, own, slope, null.best), strict=True))

    short = (
        {}
        if lows >= LOWS_AT_LEAST
        else {"status": "low_n", "reason": reason("too_few_customers", n=lows, minimum=LOWS_AT_LEAST)}
    )
    chance = modelled(
        expected, n=lows, persons=lows, **interval(expected, (risen - expected) / lows, slopes[0]), **short
    )
    total = float(change.sum() * lows)
    moved = interval(total, change * lows - total / lows, -slopes[1] * lows)
    value = modelled(total, n=lows, persons=lows, unit="money", **moved, **short)
    if null.models()[1].q <= 1:
        value = modelled(
            None, status="undefined", reason=because("Spend per purchase has no mean in the model."), unit="money"
        )
    parts = {"gross": gross, "by_chance": chance, "upgrade_value": value}
    band = interval(net, (rose[low] - risen - net) / lows, -slopes[0])
    return modelled(net, denominator=lows, parts={"variant": parts}, **band, **facts, **short)


class _Chance:
    """What the buyers of one year do in the next if nobody changes."""

    def __init__(self, then):
        self.bought = then["bought_before"].to_numpy(dtype=float)
        self.spent = then["spend_before"].to_numpy(dtype=float)
        self.limit = float(then["low_to"].iloc[0])
        _, one = repeat_buying.fit(self.bought)
        _, other = spend_per_purchase.fit(self.bought, self.spent / self.bought)
        log_parameters = np.concatenate([one.log_parameters, other.log_parameters])
        influence = np.hstack([one.influence, other.influence])
        self.best = Maximum(
            log_parameters, influence, one.log_likelihood + other.log_likelihood, one.found and other.found
        )

    def models(self, at=None):
        at = self.best.log_parameters if at is None else at
        return RepeatBuying.at(at[:2]), SpendPerPurchase.at(at[2:])

    def to_rise(self, low, at=None):
        """Chance of each low user to spend more than a low user may."""
        return chance_to_exceed(self.limit, self.bought[low], self.spent[low], *self.models(at))

    def spend(self, low, at=None):
        """Spend expected of each low user."""
        buying, spending = self.models(at)
        x = self.bought[low]
        return buying.expected(x) * spending.expected(x, self.spent[low] / x)


def _gross(rose, lows):
    low, high = wilson(rose, lows)
    status, why = share_rule(rose / lows, low, high, lows)
    facts = {"n": lows, "persons": lows, "numerator": rose, "denominator": lows}
    return modelled(rose / lows, low=low, high=high, status=status, reason=why, **facts)


def _moves(then):
    """From class to class and away: share of each row, with Wilson's interval."""
    cells = then.groupby(["class_before", "class_now"]).size().rename("numerator").reset_index()
    cells = cells.rename(columns={"class_before": "row", "class_now": "column"})
    cells["denominator"] = cells.groupby("row")["numerator"].transform("sum")
    bands = [wilson(top, of) for top, of in zip(cells["numerator"], cells["denominator"], strict=True)]
    return cells.assign(
        value=cells["numerator"] / cells["denominator"],
        low=[band.low for band in bands],
        high=[band.high for band in bands],
        status=np.where(cells["denominator"] >= MINIMUM["P"], "ok", "low_n"),
    )


DEFINITIONS = (low_to_heavy_conversion,)
