"""Stacked difference-in-differences: worked by hand, and against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf
from pandas import DataFrame

from kpibook.stats import risk_sets as risk
from kpibook.stats.enrolment_effects import POST, TIMES, clustered_error, effects

NEVER = risk.NEVER


def _study(levels: list[tuple[float, float]], enrolled: list[int], months: int = 10, event: int = 7):
    """Persons who spend ``before`` every month up to the event and ``after`` from then on; all in one stratum."""
    persons = len(levels)
    outcome = np.array([[before] * (event + 1) + [after] * (months - event - 1) for before, after in levels])
    person, month = np.divmod(np.arange(persons * months), months)
    bought = risk.Purchases(
        person,
        month,
        np.ones(len(person)),
        np.zeros(len(person), dtype=np.int64),
        np.zeros(persons, dtype=np.int64),
        np.array(enrolled),
    )
    return risk.risk_sets(bought, risk.at_risk(bought)), outcome, bought.enrolled


def test_effect_worked_by_hand() -> None:
    """One enrols in month 7, two never. The one goes from 10 to 16 (+6), the others from 10 to 9 (-1) and from 20 to 23
    (+3): their mean change is +1, the effect 5 a month, in the two months that follow 10. Bought there: 32.
    """
    sets, outcome, enrolled = _study([(10, 16), (10, 9), (20, 23)], [7, NEVER, NEVER])
    found = effects(sets, outcome, enrolled)
    assert (found.total, found.person_months, found.average) == (10, 2, 5)
    assert (found.treated, found.controls, found.events.tolist()) == (1, 2, [7])
    assert float(found.observed[:, POST].sum()) == 32
    assert [who.tolist() for who in found.members] == [[0]]
    after = found.by_time[POST]
    assert (after[:2].tolist(), np.isnan(after[2:]).all()) == ([5, 5], True)


def test_months_without_a_purchase_are_zero() -> None:
    """The control leaves: -10 a month. The treated stays as he was; the effect is the 10 that were kept."""
    sets, outcome, enrolled = _study([(10, 10), (10, 0)], [7, NEVER])
    assert effects(sets, outcome, enrolled).average == 10


def test_only_counted_months_count() -> None:
    sets, outcome, enrolled = _study([(10, 16), (10, 9), (20, 23)], [7, NEVER, NEVER])
    assert effects(sets, outcome, enrolled, counted=(9, 10)).total == 5
    assert effects(sets, outcome, enrolled, counted=(0, 8)).treated == 0


def test_bracket() -> None:
    """Of three controls one enrols later, in month 9. Changes: +3 for him, -1 and +1 for the others; the treated +6."""
    sets, outcome, enrolled = _study([(10, 16), (10, 13), (10, 9), (10, 11)], [7, 9, NEVER, NEVER])
    only = {name: effects(sets, outcome, enrolled, controls=name).sums[0] for name in ("later", "never", "risk_set")}
    assert {name: sums[POST][0] for name, sums in only.items()} == {"later": 3, "never": 6, "risk_set": 5}


def test_controls_censored_when_they_enrol() -> None:
    """Event month 7: the treated +6 a month, controls A (+3) and B (-1). A enrols in month 9, so in month 9 (k = 2)
    only B is left, with the weight 1 / (1 - 1/2) of the risk set of month 9 (A and B); month 8 knows both.
    """
    sets, outcome, enrolled = _study([(10, 16), (10, 13), (10, 9)], [7, 9, NEVER])
    found = effects(sets, outcome, enrolled, controls="censored")
    assert found.sums[0][POST][:2].tolist() == [5, 7]


def test_nobody_to_compare_with() -> None:
    sets, outcome, enrolled = _study([(10, 16), (10, 9)], [7, 7])
    found = effects(sets, outcome, enrolled)
    assert (found.treated, found.controls, found.total, found.balance) == (0, 0, 0, {})
    assert np.isnan(found.average)


def test_influence_by_calendar_month_adds_up() -> None:
    made = _simulated(60, seed=3)
    found = effects(*made, calendar=True)
    assert found.by_month.sum(axis=1) == pytest.approx(found.total_influence)


def _simulated(persons: int, seed: int, strata: int = 4):
    """Random spending over 20 months, some enrolments."""
    rng = np.random.default_rng(seed)
    months = 20
    outcome = rng.gamma(2.0, 5.0, (persons, months)) * (rng.random((persons, months)) < 0.8)
    enrolled = np.where(rng.random(persons) < 0.4, rng.integers(8, 18, persons), NEVER)
    person, month = np.nonzero(outcome)
    stratum = rng.integers(0, strata, len(person))
    first = np.array([np.flatnonzero(row)[0] for row in outcome])
    bought = risk.Purchases(person, month, outcome[person, month], stratum, first, enrolled)
    return risk.risk_sets(bought, risk.at_risk(bought)), outcome, enrolled


def _stacked(sets, outcome, k: int) -> DataFrame:
    """The stacked rows of event month k, with the weights of the treated in each cell."""
    rows = []
    for cell, g in enumerate(sets.cell_month):
        here = sets.cell == cell
        treated, controls = int((here & sets.treated).sum()), int((here & ~sets.treated).sum())
        if treated and controls and g + k < outcome.shape[1]:
            rows += [
                (who, cell, float(joins), outcome[who, g + k] - outcome[who, g - 6 : g].mean(),
                 1.0 if joins else treated / controls)
                for who, joins in zip(sets.person[here], sets.treated[here], strict=True)
            ]  # fmt: skip
    return DataFrame(rows, columns=["person", "cell", "treated", "moved", "weight"])


@pytest.mark.parametrize("k", [1, 4])
def test_against_weighted_least_squares(k: int) -> None:
    """Changes on enrolment with a dummy for every cell, controls weighted to the treated: statsmodels' coefficient is
    the mean effect exactly. Its error clustered by person agrees when cells are large: it forgets what the cells' own
    means cost, which test_the_standard_error_is_that_of_repeated_samples shows to matter in small ones.
    """
    sets, outcome, enrolled = _simulated(1500, seed=1, strata=1)
    rows = _stacked(sets, outcome, k)
    model = smf.wls("moved ~ treated + C(cell)", rows, weights=rows["weight"])
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": rows["person"]})
    found = effects(sets, outcome, enrolled)
    column = TIMES.tolist().index(k)
    assert found.by_time[column] == pytest.approx(fitted.params["treated"], abs=1e-9)
    assert found.covariance[column, column] ** 0.5 == pytest.approx(fitted.bse["treated"], rel=0.03)


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    """200 samples of 150 persons without any effect: the mean squared total is about the mean estimated variance."""
    totals, variances = [], []
    for seed in range(200):
        found = effects(*_simulated(150, seed))
        totals.append(found.total)
        variances.append(found.standard_error**2)
    assert np.mean(np.square(totals)) == pytest.approx(np.mean(variances), rel=0.25)


def test_clustered_error_of_one_person_is_his_own() -> None:
    """Influences 3 and -1 of two persons: sqrt((9 + 1) * 2 / 1)."""
    assert clustered_error(np.array([3.0, 0.0, -1.0])) == pytest.approx(20**0.5)
    assert clustered_error(np.array([3.0])) == 3
