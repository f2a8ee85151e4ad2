"""Enrolment pretended six months earlier, and the adjustment for what was known before the base."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats import risk_sets as risk
from kpibook.stats.enrolment_checks import adjusted, known_before, shifted
from kpibook.stats.enrolment_effects import effects

MONTHS = 27
#: The month of enrolment.
EVENT = 20


def _purchases(outcome: np.ndarray, enrolled: list[int]) -> risk.Purchases:
    """Everybody a customer since long before the data; a purchase in every month with any outcome; one stratum."""
    person, month = np.nonzero(outcome)
    long = np.full(len(person), 1)
    first = np.full(len(outcome), -20)
    return risk.Purchases(person, month, np.ones(len(person)), long, first, np.array(enrolled))


def _spent(**at: float) -> np.ndarray:
    """10 a month; ``m15=12`` makes it 12 from month 15 on."""
    row = np.full(MONTHS, 10.0)
    for name, amount in at.items():
        row[int(name[1:]) :] = amount
    return row


def test_pretended_six_months_earlier() -> None:
    """Two members enrol in month 20, as if in 14: base 8 to 13, looked at 15 to 19. They go from 10 to 12 in month 15,
    two controls stay: 2 a month. Enrolment itself brings 50 from month 21 on: it does not show.
    """
    outcome = np.stack([_spent(m15=12, m21=50)] * 2 + [_spent()] * 2)
    bought = _purchases(outcome, [EVENT] * 2 + [risk.NEVER] * 2)
    found = shifted(bought, risk.at_risk(bought), outcome)
    assert found is not None
    assert (found.value, found.members) == (pytest.approx(2), 2)
    assert found.interval == pytest.approx((2, 2))
    assert not found.holds_zero


def test_controls_bought_in_the_real_month_too() -> None:
    """A third control leaves in month 16. Members lived until 20: counting him would show something."""
    outcome = np.stack([_spent()] * 4 + [_spent(m16=0)])
    bought = _purchases(outcome, [EVENT] * 2 + [risk.NEVER] * 3)
    found = shifted(bought, risk.at_risk(bought), outcome)
    assert found is not None
    assert found.value == pytest.approx(0)
    assert found.holds_zero


def test_only_enrolments_of_the_study() -> None:
    """Effects count from month 24 to 26: the enrolment of month 20 belongs to them, to months 33 on it does not."""
    outcome = np.stack([_spent(m15=12)] * 2 + [_spent()] * 2)
    bought = _purchases(outcome, [EVENT] * 2 + [risk.NEVER] * 2)
    own = risk.at_risk(bought)
    assert shifted(bought, own, outcome, (24, 27)) is not None
    assert shifted(bought, own, outcome, (33, 36)) is None


def test_known_before_the_base() -> None:
    """Months 8 to 13 before month 20: 10, 10, 10, 0, 0, 0: a mean of 5, with something in half of them."""
    outcome = np.stack([_spent(m11=0, m14=10)] * 2)
    bought = _purchases(outcome, [EVENT, risk.NEVER])
    sets = risk.risk_sets(bought, risk.at_risk(bought))
    found = known_before(sets.part(sets.cell_month == EVENT), outcome)
    assert found == pytest.approx(np.array([[5, 0.5]] * 2))


def test_adjusted_by_hand() -> None:
    """Before the base the member spent 2 a month, controls 1, 4 and 4: they count 2/3 and 1/6 each. From the base (10)
    to the months after the member gains 6, the controls 0, 3 and 3: 6 - 1 = 5 instead of 6 - 2 = 4.
    """
    outcome = np.stack([_spent(m8=2, m14=10, m20=16), *(_spent(m8=x, m14=10, m20=y) for x, y in ((1, 10), (4, 13)))])
    outcome = np.vstack([outcome, outcome[2:]])
    bought = _purchases(outcome, [EVENT] + [risk.NEVER] * 3)
    sets = risk.risk_sets(bought, risk.at_risk(bought))
    plain = effects(sets, outcome, bought.enrolled)
    found = adjusted(sets, outcome, bought.enrolled)
    assert found is not None
    assert plain.average == pytest.approx(4)
    assert found.average == pytest.approx(5, rel=1e-6)


def test_nothing_to_adjust() -> None:
    outcome = np.stack([_spent()] * 3)
    bought = _purchases(outcome, [EVENT] + [risk.NEVER] * 2)
    sets = risk.risk_sets(bought, risk.at_risk(bought))
    assert adjusted(sets, outcome, bought.enrolled) is None
    assert adjusted(sets.part(sets.cell_month < 0), outcome, bought.enrolled) is None
