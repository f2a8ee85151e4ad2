"""Customer value: what the future purchases of today's customers are worth."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from kpibook.stats import buying_processes, spend_per_purchase
from kpibook.stats.buying_processes import BuyingProcess, Histories
from kpibook.stats.likelihood import Maximum, gradient, plug_in_interval
from kpibook.stats.spend_per_purchase import SpendPerPurchase
from loyalty_kpis.reach import a_year

MONTHS, DAYS_A_MONTH = 36, 365 / 12
MINIMUM = 500
TOLERANCE = 0.10
CORRELATED = 0.30
#: The derivative of a mean needs no more persons than this.
ENOUGH = 2_000
COLUMNS = [
    "customer_id", "x", "t_x", "t", "margin", "x_early", "t_x_early", "t_early", "margin_early",
    "bought_held", "margin_held", "holdout_days", "silent_days",
]  # fmt: skip


@kpi(
    unit="money",
    better="higher",
    question="What future margin is a customer worth?",
    family="customers",
    looks_back=a_year,
    columns={"repeat_histories": COLUMNS},
    table_units={"active": "percent", "margin_per_purchase": "money"},
)
def clv(repeat_histories: pd.DataFrame, *, active_days: int = 365, yearly_discount: float = 0.10):
    """Customer lifetime value: net sales minus cost of goods expected in the next 36 months, discounted by
    yearly_discount, per person who bought in the active_days before the period's end (BG/NBD purchases times
    Gamma-Gamma margin per purchase); what was bought before is left out.

    Stated only where the model holds: fitted without the holdout (see repeat_histories), purchases and margin expected
    for it must come within 10 % of what came (variants holdout_purchases and holdout_margin, expected over actual),
    and the correlation of frequency and margin must stay below 0.3 either way.

    The table has both fits: of all the history, and without the holdout. There r, alpha_days, a and b are the
    purchases' parameters, p, q and v the margin's, and active is the mean chance of still being a customer.
    """
    people = repeat_histories.reset_index(drop=True)
    facts = {"n": len(people), "persons": len(people)}
    early = people[people["t_x_early"].notna()]
    try:
        model = _Model.fitted(people, ("x", "t_x", "t", "margin"))
        checked = _Model.fitted(early, ("x_early", "t_x_early", "t_early", "margin_early"))
    except ValueError:
        why = because("Too few persons bought again to fit a model to.")
        return modelled(None, status="undefined", reason=why, **facts)
    purchases, margin = _held_out(checked, early)
    tested = {"holdout_purchases": _tested(*purchases), "holdout_margin": _tested(*margin)}
    parts = {"variant": {**tested, "correlation": _correlation(model)}}
    fitted = pd.DataFrame([_fitted("all", model), _fitted("without_holdout", checked)])
    found = {"parts": parts, "table": fitted, "table_persons": "persons"}
    why = _refusal(model, tested)
    if why:
        return modelled(None, status="undefined", reason=why, **found, **facts)
    return _worth(model, people["silent_days"].to_numpy() <= active_days, yearly_discount, found)


class _Model:
    """A buying process and a margin per purchase, with the persons whom they were fitted to."""

    def __init__(self, seen: Histories, mean: np.ndarray) -> None:
        self.seen, self.mean = seen, mean
        self.paying = (seen.x > 0) & (mean > 0)
        self.buying, self._one = buying_processes.fit(seen)
        self.margin, self._other = spend_per_purchase.fit(seen.x[self.paying], mean[self.paying])

    @classmethod
    def fitted(cls, people, names):
        x, t_x, t, margin = (people[name].to_numpy(dtype=np.float64) for name in names)
        return cls(Histories.of(x, t_x, t), np.divide(margin, x, out=np.zeros_like(x), where=x > 0))

    @property
    def found(self) -> bool:
        return self._one.found and self._other.found and self.margin.q > 1

    @property
    def maximum(self) -> Maximum:
        """Both fits as one; persons without a repeat purchase say nothing about the margin."""
        influence = np.zeros((len(self.seen), 7))
        influence[:, :4] = self._one.influence
        influence[self.paying, 4:] = self._other.influence
        log_parameters = np.concatenate([self._one.log_parameters, self._other.log_parameters])
        return Maximum(log_parameters, influence, self._one.log_likelihood + self._other.log_likelihood, self.found)

    def worth(self, chosen, discount, at=None):
        """Discounted margin of the persons ``chosen``, under other log parameters if given."""
        buying = self.buying if at is None else BuyingProcess.at(at[:4])
        margin = self.margin if at is None else SpendPerPurchase.at(at[4:])
        seen, total, before = self.seen.part(chosen), 0.0, 0.0
        for month in range(1, MONTHS + 1):
            until = buying.expected(seen, month * DAYS_A_MONTH)
            total = total + (until - before) / (1 + discount) ** (month / 12)
            before = until
        return total * margin.expected(seen.x, self.mean[chosen])


def _fitted(history, model):
    """A row of the table."""
    process, margin = model.buying, model.margin
    return {
        "history": history,
        "persons": len(model.seen),
        "bought_again": int((model.seen.x > 0).sum()),
        "r": process.r,
        "alpha_days": process.alpha,
        "a": process.a,
        "b": process.b,
        "log_likelihood": float(process.log_likelihood(model.seen).sum()),
        "active": float(process.alive(model.seen).mean()),
        **{name: getattr(margin, name) for name in ("p", "q", "v")},
        "margin_per_purchase": margin.p * margin.v / (margin.q - 1) if margin.q > 1 else None,
        "correlation": _correlation(model).value,
    }


def _held_out(model, early):
    """(expected, actual) purchases and margin of the holdout."""
    bought = model.buying.expected(model.seen, float(early["holdout_days"].iloc[0]))
    value = bought * model.margin.expected(model.seen.x, model.mean)
    return (bought.sum(), early["bought_held"].sum()), (value.sum(), early["margin_held"].sum())


def _tested(expected, actual):
    if not actual > 0 or not np.isfinite(expected):
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit="ratio")
    return modelled(float(expected / actual), numerator=float(expected), denominator=float(actual), unit="ratio")


def _correlation(model):
    """Pearson's correlation of repeat purchases and mean margin, among those who bought again."""
    x, mean = model.seen.x[model.seen.x > 0], model.mean[model.seen.x > 0]
    if np.ptp(x) == 0 or np.ptp(mean) == 0:
        return modelled(0.0, n=len(x), unit="ratio")
    return modelled(float(np.corrcoef(x, mean)[0, 1]), n=len(x), unit="ratio")


def _refusal(model, tested):
    """Why no value can be stated; the empty string if one can."""
    if not model.found:
        return because("The model finds no best parameters in these data.")
    for name, part in tested.items():
        if part.value is None or abs(part.value - 1) > TOLERANCE:
            times = "?" if part.value is None else round(part.value, 3)
            return because("The model fails its test: {name} is {times}, outside 0.9 to 1.1.", name=name, times=times)
    found = _correlation(model).value
    if abs(found) >= CORRELATED:
        return because(
            "Frequency and margin are correlated ({value}), Gamma-Gamma needs less than 0.3.", value=round(found, 2)
        )
    return ""


def _worth(model, active, discount, found):
    persons = int(active.sum())
    facts = {"n": persons, "persons": persons, "denominator": persons, **found}
    if persons == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    each, best = model.worth(active, discount), model.maximum
    value = float(each.mean())
    some = np.flatnonzero(active)[:: max(1, persons // ENOUGH)]
    slope = gradient(lambda at: float(model.worth(some, discount, at).mean()), best.log_parameters)
    own = np.zeros(len(active))
    own[active] = (each - value) / persons
    low, high = plug_in_interval(value, own, slope, best)
    status, why = (
        ("ok", "") if persons >= MINIMUM else ("low_n", reason("too_few_customers", n=persons, minimum=MINIMUM))
    )
    return modelled(value, low=low, high=high, numerator=float(each.sum()), status=status, reason=why, **facts)


DEFINITIONS = (clv,)
