"""A programme that reaches stores one after another: by hand, against a library, and dealt out anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from diff_diff import CallawaySantAnna

from kpibook.stats import store_rollout
from kpibook.stats.risk_sets import NEVER
from kpibook.stats.store_rollout import rollout, shifted


def _margin(*rows: tuple[float, float, float]) -> np.ndarray:
    """Nine months a store: six at the first amount, the launch month of the first store, then two further."""
    return np.array([[before] * 6 + [before, then, later] for before, then, later in rows], dtype=float)


def test_effect_by_hand() -> None:
    """Store 1 starts in month 6, the others never. It goes from 100 to 130 and 150; of the others the first (100) grows
    by 10 %, the second (300) by 20 % and both stay there: by 17.5 % together. 130 - 117.5 + 150 - 117.5 = 45, 22.5 % of
    two months' 100. The launch could have been dealt to any of the three stores.
    """
    launch = np.array([6, NEVER, NEVER])
    found = rollout(_margin((100, 130, 150), (100, 110, 110), (300, 360, 360)), launch)
    assert found is not None
    assert (found.total, found.scale) == (pytest.approx(45), pytest.approx(200))
    assert found.share == pytest.approx(0.225)
    assert (found.treated, found.controls, found.assignments) == (1, 2, 3)
    assert np.argwhere(found.cells).tolist() == [[0, 7], [0, 8]]


def test_randomisation_by_hand() -> None:
    """As above. With store 2 as the one: 10 % against (30 + 60) / 400 and (50 + 60) / 400, 25 %: -15 %. With store 3:
    20 % against (30 + 10) / 200 and (50 + 10) / 200, 25 %: -5 %. So 22.5 % is the largest of three: p = 1/3. Three
    assignments refute nothing at 5 %.
    """
    found = rollout(_margin((100, 130, 150), (100, 110, 110), (300, 360, 360)), np.array([6, NEVER, NEVER]))
    assert found is not None
    assert found.p_value == pytest.approx(1 / 3)
    assert (found.interval.low, found.interval.high) == (-np.inf, np.inf)


def test_stores_not_yet_reached_are_controls_until_they_are() -> None:
    """Store 2 starts in month 8: control of store 1 in month 7, none in month 8."""
    found = rollout(_margin((100, 130, 150), (100, 110, 110)), np.array([6, 8]))
    assert found is not None
    assert found.total == pytest.approx(20)
    assert np.argwhere(found.cells).tolist() == [[0, 7]]


def test_only_counted_months() -> None:
    margin = _margin((100, 130, 150), (100, 110, 110))
    found = rollout(margin, np.array([6, NEVER]), counted=(8, 9))
    assert found is not None
    assert found.total == pytest.approx(40)
    assert rollout(margin, np.array([6, NEVER]), counted=(0, 7)) is None


@pytest.mark.parametrize("launch", [[6, 6], [NEVER, NEVER], [3, 3], [3, NEVER]])
def test_nothing_to_compare_with(launch: list[int]) -> None:
    """Everywhere at once, nowhere, or before six months were known."""
    assert rollout(_margin((100, 130, 150), (100, 110, 110)), np.array(launch)) is None


def test_no_stores() -> None:
    assert rollout(np.zeros((0, 9)), np.zeros(0, dtype=np.int64)) is None


def test_stores_that_opened_later_or_had_started_before_are_left_out() -> None:
    margin = _margin((100, 130, 150), (100, 110, 110), (50, 90, 90), (80, 70, 70))
    margin[2, :4] = 0
    found = rollout(margin, np.array([6, NEVER, NEVER, 2]))
    assert found is not None
    assert found.kept.tolist() == [True, True, False, False]
    assert found.total == pytest.approx(60)


def test_placebo_by_hand() -> None:
    """Launch in month 13; pretended in month 7: base months 1 to 6, looked at 8 to 12. There store 1 has grown by 20 %,
    the other by 10 %, in shares of the mean over months 1 to 12: 20 of (7 * 100 + 5 * 120) / 12 and 10 of
    (7 * 100 + 5 * 110) / 12.
    """
    margin = np.array([[100.0] * 8 + [120.0] * 5 + [500.0] * 3, [100.0] * 8 + [110.0] * 5 + [110.0] * 3])
    found = shifted(margin, np.array([13, NEVER]))
    assert found is not None
    assert found.share == pytest.approx(20 / ((7 * 100 + 5 * 120) / 12) - 10 / ((7 * 100 + 5 * 110) / 12))
    assert np.argwhere(found.cells)[:, 1].tolist() == [8, 9, 10, 11, 12]


def test_placebo_needs_a_year_before() -> None:
    assert shifted(_margin((100, 130, 150), (100, 110, 110)), np.array([6, NEVER])) is None


def test_two_sided_interval_holds_what_is_not_refuted() -> None:
    """Eight stores, five and three: 56 ways. At both ends of the interval at most two of them reach as far as the real
    one (p = 2/56 just beyond, 3/56 just inside), by dealing out what is left after taking the effect away.
    """
    rng = np.random.default_rng(8)
    launch = np.array([8] * 5 + [15] * 3)
    margin = 100 * np.exp(0.1 * rng.standard_normal((8, 15)))
    found = rollout(margin, launch)
    assert found is not None
    assert found.assignments == 56
    scale = margin[:, :8].mean(axis=1)
    have = np.arange(15) >= launch[:, None]
    for end, inside in ((found.interval.low, 1), (found.interval.high, -1)):
        for step, most in ((1e-6 * inside, 3 / 56), (-1e-6 * inside, 2 / 56)):
            again = rollout_p(margin - (end + step) * scale[:, None] * have, launch, scale)
            assert again == pytest.approx(most)


def rollout_p(margin: np.ndarray, launch: np.ndarray, scale: np.ndarray) -> float:
    """p of no effect, by plain loops over all ways; the scale stays that of the data as they were."""
    dealt = store_rollout._assignments(launch)
    shown = []
    for one in dealt:
        effect = size = 0.0
        for month in range(9, 15):
            moved = (margin[:, month] - margin[:, 2:8].mean(axis=1)) / scale
            early, late = one == 8, one == 15
            effect += scale[early].sum() * (
                np.average(moved[early], weights=scale[early]) - np.average(moved[late], weights=scale[late])
            )
            size += scale[early].sum()
        shown.append(effect / size)
    return float(np.mean(np.abs(shown) >= abs(shown[0]) - 1e-12))


def test_many_ways_are_drawn() -> None:
    """Of the 12!/(4!)^3 = 34,650 ways of twelve stores in three waves 1,999 are drawn, always the same."""
    rng = np.random.default_rng(9)
    launch = np.array([8] * 4 + [10] * 4 + [13] * 4)
    margin = 100 * np.exp(0.1 * rng.standard_normal((12, 15)))
    one, other = rollout(margin, launch), rollout(margin, launch)
    assert one is not None
    assert other is not None
    assert one.assignments == 2_000
    assert one.interval == other.interval


def test_group_time_effects_are_those_of_a_library() -> None:
    """Six stores of one size (so every weight is equal), one base month: wave by wave and month by month as
    diff-diff's Callaway & Sant'Anna with not-yet-treated controls.
    """
    rng = np.random.default_rng(10)
    launch = np.array([4, 4, 6, 6, NEVER, NEVER])
    margin = 100 + rng.normal(size=(6, 9)).round(2)
    margin[:, :4] = 100.0
    rows = [
        (store, month + 1, int(launch[store]) + 1 if launch[store] < NEVER else 0, margin[store, month])
        for store in range(6)
        for month in range(9)
    ]
    frame = pd.DataFrame(rows, columns=["store", "month", "first", "margin"])
    model = CallawaySantAnna(control_group="not_yet_treated", base_period="universal")
    fitted = model.fit(frame, outcome="margin", unit="store", time="month", first_treat="first")
    theirs = {(int(g) - 1, int(t) - 1): found["effect"] for (g, t), found in fitted.group_time_effects.items()}
    for month in range(5, 9):
        found = rollout(margin, launch, counted=(month, month + 1), base=1)
        assert found is not None
        waves = [wave for wave in (4, 6) if wave < month]
        mean = sum(2 * theirs[wave, month] for wave in waves) / (2 * len(waves))
        assert 100 * found.share == pytest.approx(mean, abs=1e-9)
