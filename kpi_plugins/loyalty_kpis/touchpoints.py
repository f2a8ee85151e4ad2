"""Touchpoints: which help and which hinder, and how they are experienced."""

from math import sqrt

import ibis
import numpy as np
import pandas as pd
from scipy.special import ndtr

from kpibook import because, kpi, modelled, view
from kpibook.rules import MINIMUM, PRIVACY_MINIMUM, reason
from kpibook.stats.discrete_hazard import met_so_far, standardised_differences
from kpibook.stats.intervals import normal, student
from kpibook.stats.multiplicity import holm
from kpibook.stats.touchpoint_removal import bootstrap_errors, removal, transitions
from loyalty_kpis.reach import inside
from loyalty_kpis.visits import human_events, is_order

#: Visitors with and without a touchpoint: to publish its figure, and to have it in the model at all.
PUBLISHED, MODELLED = 200, 20
STEPS = 5


@view(key=("period_id", "visitor_id", "step"))
def device_contacts(funnel_events, periods, *, pause_minutes: int = 30):
    """Device contacts: one row per device and contact of the whole periods, up to the first purchase on it.

    A device is not joined to others by a login: buyers log in more than others, so that their paths alone would grow.
    Events at the same touchpoint with no more than pause_minutes between them are one contact; ``converted`` is the
    contact with the purchase; ``earlier`` the number of the device's events before the period and ``known`` whether it
    was logged in by then: a login in the period may belong to the purchase.
    """
    human = human_events(funnel_events)
    events = human.filter(human.visitor_id.notnull())
    onwards = ibis.window(group_by=events.visitor_id, order_by=[events.ts, events.event_id])
    events = events.mutate(
        position=ibis.row_number().over(onwards),
        touchpoint=events.touchpoint_type.fill_null("unknown"),
        ordered=is_order(events),
        first_login=ibis.ifelse(events.customer_id.notnull(), events.ts, None).min().over(group_by=events.visitor_id),
    )
    whole = periods.filter(periods.segment_by == "total").select("period_id", "start", "end")
    rows = events.join(whole, inside(events.ts.date(), whole.start, whole.end))
    order = {"group_by": ["period_id", "visitor_id"], "order_by": "position"}
    last = ibis.window(**order)
    recent = rows.ts <= rows.ts.lag().over(last) + ibis.interval(minutes=pause_minutes)
    same = (rows.touchpoint == rows.touchpoint.lag().over(last)) & recent
    marked = rows.mutate(begun=(~same.fill_null(False)).cast("int64"))
    steps = marked.mutate(step=marked.begun.sum().over(ibis.window(**order, preceding=None, following=0)))
    contacts = steps.group_by("period_id", "visitor_id", "step").agg(
        touchpoint=steps.touchpoint.min(),
        converted=steps.ordered.any(),
        known=(steps.first_login.min().date() < steps.start.min()).fill_null(False),
        earlier=steps.position.min(),
    )
    own = ibis.window(group_by=["period_id", "visitor_id"])
    bought_at = ibis.ifelse(contacts.converted, contacts.step, None).min().over(own)
    ended = contacts.mutate(bought_at=bought_at, earlier=contacts.earlier.min().over(own))
    return ended.filter(ended.bought_at.isnull() | (ended.step <= ended.bought_at)).drop("bought_at")


@view(key=("period_id", "visitor_id", "step"))
def touchpoint_contacts(device_contacts):
    """Touchpoint contacts: the device contacts, each with ``most_met``, the same in every row: the touchpoint that most
    visitors of all periods met, of those that have enough visitors with and without it in each.
    """
    return device_contacts.cross_join(_most_met(device_contacts))


def _most_met(contacts):
    """One row: the touchpoint that most visitors met, first of all of those that are shown in most periods."""
    people = contacts.group_by("period_id").agg(people=contacts.visitor_id.nunique())
    begun = contacts.visitor_id.nunique(where=contacts.step == 1)
    met = contacts.group_by("period_id", "touchpoint").agg(met=contacts.visitor_id.nunique(), begun=begun)
    told = met.join(people, "period_id")
    fewest = ibis.least(told.met, told.people - told.met)
    told = told.mutate(told=(fewest >= PUBLISHED) & (told.met - told.begun >= MODELLED))
    each = told.group_by("touchpoint").agg(met=told.met.sum(), periods=told.told.sum())
    turn = ibis.row_number().over(order_by=[each.periods.desc(), each.met.desc(), each.touchpoint])
    ranked = each.mutate(turn=turn)
    return ranked.filter(ranked.turn == 0).select(most_met="touchpoint")


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    by_columns=False,
    question="Which touchpoints help and which hinder?",
    columns={"touchpoint_contacts": ["visitor_id", "step", "touchpoint", "converted", "known", "earlier", "most_met"]},
    table_units={
        "conversion_met": "percent",
        "conversion_not_met": "percent",
        "difference": "pp",
        "bypass": "pp",
        "to_exit": "percent",
    },
)
def touchpoint_effect(touchpoint_contacts: pd.DataFrame, *, touchpoint: str = ""):
    """Touchpoint effect on conversion: the chance of a purchase in the period had all visitors met the touchpoint from
    their first contact on, less that had none met it; the headline is the touchpoint that most visitors met in all
    periods together.

    With the setting touchpoint the headline is that one, whatever was met most.
    From a discrete-time hazard of purchase at each contact, given all other touchpoints met so far, the contact's
    number by first touchpoint, and the events and login of the time before the period. It shows a touchpoint only
    from 200 visitors with and 200 without it. touchpoint_bypass is the change of the conversion rate by the touchpoint
    when visitors who would have met it go where the others go from there (first-order Markov chain). Both compare, they
    do not prove: only a randomised test does. The table adds p values for all touchpoints together (Holm), removal to
    the exit, and the purchases credited to the first, the last or all touchpoints alike. contacts_per_purchase is the
    mean number of contacts of the paths that end in a purchase.
    """
    rows = touchpoint_contacts.sort_values(["visitor_id", "step"], kind="stable", ignore_index=True)
    if rows.empty:
        return modelled(None, n=0, status="undefined", reason=reason("no_rows"))
    person = pd.factorize(rows["visitor_id"])[0]
    code, names = pd.factorize(rows["touchpoint"], sort=True)
    converted = rows["converted"].to_numpy(dtype=bool)
    facts = _effects(rows, person, code, list(names), converted)
    facts = facts.join(_removed(person, code, converted, len(names))).join(_credited(person, code, converted))
    enough = facts["met"].ge(PUBLISHED) & facts["not_met"].ge(PUBLISHED) & facts["difference"].notna()
    facts.loc[enough, "p_holm"] = holm(facts.loc[enough, "p"])
    parts = {
        "touchpoint_type": {f["touchpoint"]: _shown(f, "difference") for f in facts.to_dict("records")},
        "touchpoint_bypass": {f["touchpoint"]: _shown(f, "bypass") for f in facts.to_dict("records")},
    }
    table = facts[facts["met"] >= PRIVACY_MINIMUM].drop(columns=["p", "difference_error", "bypass_error"])
    beside = {"table": table, "table_persons": table[["met", "not_met"]].min(axis=1)}
    more = {"parts": {**parts, "variant": {"contacts_per_purchase": _length(person, converted)}}, **beside}
    n = int(person.max()) + 1
    if not enough.any():
        why = reason("too_few_in_group", n=int(facts[["met", "not_met"]].min(axis=1).max()), minimum=PUBLISHED)
        return modelled(None, n=n, persons=n, status="low_n", reason=why, **more)
    chosen = facts[facts["touchpoint"] == (touchpoint or rows["most_met"].iloc[0])].to_dict("records")
    if not chosen:
        return modelled(None, n=n, persons=n, status="undefined", reason=reason("no_rows"), **more)
    headline = because(HEADLINE, touchpoint=chosen[0]["touchpoint"])
    return _shown(chosen[0], "difference", why=headline, **more)


def _effects(rows, person, code, names, converted):
    """One row a touchpoint: visitors, conversion with and without, and the adjusted difference."""
    size, people = len(names), int(person.max()) + 1
    here = code[:, None] == np.arange(size)
    met = np.zeros((people, size), dtype=bool)
    met[person, code] = True
    bought = np.bincount(person, weights=converted, minlength=people) > 0
    with_it, without = met.sum(axis=0), (~met).sum(axis=0)
    facts = pd.DataFrame({"touchpoint": names, "met": with_it, "not_met": without})
    facts["conversion_met"] = _over(met.T.astype(float) @ bought, with_it)
    facts["conversion_not_met"] = _over((~met).T.astype(float) @ bought, without)
    started = code[np.searchsorted(person, np.arange(people))]
    facts["met_later"] = with_it - np.bincount(started, minlength=size)
    used = np.flatnonzero((facts["met_later"] >= MODELLED) & (without >= MODELLED))
    for name in ("difference", "difference_error", "log_odds", "p", "p_holm"):
        facts[name] = np.nan
    if len(used) and 0 < bought.sum() < people:
        exposed = met_so_far(person, here[:, used])
        others = _covariates(rows, person, started, facts["met_later"].to_numpy())
        found = standardised_differences(person, converted, exposed, others)
        z = _over(found.log_odds, found.log_odds_error)
        facts.loc[used, "difference"], facts.loc[used, "difference_error"] = found.difference, found.difference_error
        facts.loc[used, "log_odds"], facts.loc[used, "p"] = found.log_odds, _two_sided(z)
    return facts


def _covariates(rows, person, started, met_later):
    """Number of the contact by first touchpoint, login and events before the period.

    Each first touchpoint has a course of its own. Where few others meet it later, its level stands apart from what it
    does: the same visitors would tell both.
    """
    step, source = np.minimum(rows["step"].to_numpy(), STEPS), started[person]
    starts = np.bincount(started, minlength=len(met_later))
    others = [c for c in np.argsort(-starts, kind="stable")[1:] if starts[c] >= PUBLISHED]
    level = [c for c in others if met_later[c] >= PUBLISHED or met_later[c] < MODELLED]
    steps = [step == s for s in range(2, STEPS + 1)]
    columns = [*steps, *(source == c for c in level), *((source == c) & s for c in others for s in steps)]
    columns.append(rows["known"].to_numpy(dtype=bool))
    return np.column_stack([*columns, np.log1p(rows["earlier"].to_numpy(dtype=float))]).astype(float)


def _removed(person, code, converted, size):
    steps = transitions(person, code, converted, size)
    states = size + 3
    whole = removal(np.bincount(steps[0], minlength=states * states).reshape(states, states))
    errors = bootstrap_errors(steps, size)
    return pd.DataFrame({"bypass": whole.bypass, "bypass_error": errors.bypass, "to_exit": whole.to_exit})


def _credited(person, code, converted):
    """Purchases credited to the first, the last, or all contacts of the path alike."""
    buyers = np.isin(person, person[converted])
    path = pd.DataFrame({"person": person[buyers], "code": code[buyers]})
    path["share"] = 1 / path.groupby("person")["code"].transform("size")
    ends = path.groupby("person")["code"].agg(["first", "last"])
    sums = {f"{end}_touch": ends[end].value_counts() for end in ("first", "last")}
    found = pd.DataFrame({**sums, "linear": path.groupby("code")["share"].sum()})
    return found.reindex(range(int(code.max()) + 1)).fillna(0.0)


def _length(person, converted):
    """Mean number of contacts of a path that ends in a purchase."""
    contacts = np.bincount(person)[person[converted]]
    if not len(contacts):
        return modelled(None, n=0, unit="count", status="undefined", reason=reason("no_rows"))
    mean, n = float(contacts.mean()), len(contacts)
    if n < MINIMUM["M"]:
        few = reason("too_few_persons", n=n, minimum=MINIMUM["M"])
        return modelled(mean, n=n, unit="count", status="low_n", reason=few)
    interval = student(mean, float(contacts.std(ddof=1)) / sqrt(n), n - 1)
    return modelled(mean, low=interval.low, high=interval.high, n=n, unit="count")


def _shown(fact, name, why="", **more):
    value, error = fact[name], fact[f"{name}_error"]
    fewest = int(min(fact["met"], fact["not_met"]))
    figures = {"n": int(fact["met"] + fact["not_met"]), "persons": int(fact["met"]), "unit": "pp", "grade": "C", **more}
    if fewest >= PUBLISHED and name == "difference" and fact["met_later"] < MODELLED:
        return modelled(None, status="not_identified", reason=because(ALONE), **figures)
    if pd.isna(value) or fewest < PUBLISHED:
        low = reason("too_few_in_group", n=fewest, minimum=PUBLISHED)
        return modelled(None, status="low_n", reason=low, **figures)
    interval = normal(float(value), float(error))
    return modelled(float(value), low=interval.low, high=interval.high, reason=why, **figures)


def _over(numerator, denominator):
    top, bottom = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def _two_sided(z):
    return 2 * ndtr(-np.abs(np.nan_to_num(z)))


ALONE = "Hardly anybody meets this touchpoint after another one: nothing tells it from the visitors who begin with it."
HEADLINE = "This is the touchpoint {touchpoint:own}; the others stand beside it. A comparison, not an experiment."

DEFINITIONS = (device_contacts, touchpoint_contacts, touchpoint_effect)
