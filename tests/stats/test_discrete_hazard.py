"""Discrete-time hazard, against counts and a second route."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from kpibook.stats.discrete_hazard import met_so_far, standardised_differences


def test_met_so_far() -> None:
    """The first person meets it at the second step, the second person at the first."""
    found = met_so_far([0, 0, 0, 1, 1], np.array([[0], [1], [0], [1], [0]]))
    assert found[:, 0].tolist() == [False, True, True, True, True]


def test_one_step_each_is_the_difference_of_two_shares() -> None:
    """200 persons with one step: 60 of 100 exposed have the event, 30 of 100 others. Difference 0.3, log odds the log
    of 1.5 / (3/7) = 3.5; error of the difference sqrt(0.6 * 0.4 / 100 + 0.3 * 0.7 / 100).
    """
    exposed = np.repeat([1.0, 0.0], 100)[:, None]
    event = np.concatenate([np.arange(100) < 60, np.arange(100) < 30])
    found = standardised_differences(np.arange(200), event, exposed, np.zeros((200, 0)))
    assert found.difference[0] == pytest.approx(0.3, abs=1e-6)
    assert found.log_odds[0] == pytest.approx(np.log(3.5), abs=1e-5)
    assert found.difference_error[0] == pytest.approx(np.sqrt(0.24 / 100 + 0.21 / 100), rel=1e-4)
    assert found.log_odds_error[0] == pytest.approx(np.sqrt(1 / 60 + 1 / 40 + 1 / 30 + 1 / 70), rel=1e-4)


def _simulated(size: int, effect: float, seed: int) -> tuple[np.ndarray, ...]:
    """Up to four steps; a confounder raises both the exposure and the event."""
    rng = np.random.default_rng(seed)
    confounder = rng.random(size) < 0.5
    met = rng.random((size, 4)) < np.where(confounder, 0.5, 0.2)[:, None]
    exposed = np.maximum.accumulate(met, axis=1)
    hazard = special.expit(-2 + 1.0 * confounder[:, None] + effect * exposed)
    event = rng.random((size, 4)) < hazard
    alive = np.column_stack([np.ones(size, dtype=bool), np.cumsum(event, axis=1)[:, :-1] == 0])
    person = np.repeat(np.arange(size), 4).reshape(size, 4)
    return person[alive], event[alive], exposed[alive][:, None], np.repeat(confounder[:, None], 4, 1)[alive][:, None]


def test_a_harmless_exposure_is_not_blamed_for_its_company() -> None:
    """Exposed persons have the event more often, but only because of the confounder: given it, no effect; a harmful one
    of -0.8 is found within two standard errors.
    """
    person, event, exposed, confounder = _simulated(20_000, 0.0, 1)
    alone = standardised_differences(person, event, exposed, np.zeros((len(person), 0)))
    given = standardised_differences(person, event, exposed, confounder)
    assert alone.difference[0] > 5 * alone.difference_error[0]
    assert abs(given.difference[0]) < 2.5 * given.difference_error[0]
    harmful = standardised_differences(*_simulated(20_000, -0.8, 2))
    assert abs(harmful.log_odds[0] + 0.8) < 2.5 * harmful.log_odds_error[0]
    assert harmful.difference[0] < 0


def test_the_coefficients_are_the_likelihoods_maximum() -> None:
    """Against a general optimiser; the standardised difference against a plain loop over persons."""
    person, event, exposed, confounder = _simulated(400, -0.5, 3)
    x = np.column_stack([exposed, np.ones(len(person)), confounder]).astype(float)

    def loss(beta: np.ndarray) -> float:
        return float(np.sum(np.logaddexp(0, x @ beta) - event * (x @ beta)))

    best = optimize.minimize(loss, np.zeros(3), method="BFGS").x
    found = standardised_differences(person, event, exposed, confounder)
    assert found.log_odds[0] == pytest.approx(best[0], abs=1e-3)
    differences = []
    for one in np.unique(person):
        rows = x[person == one]
        chances = [
            1 - np.prod(1 - special.expit(np.column_stack([np.full(len(rows), e), rows[:, 1:]]) @ best)) for e in (1, 0)
        ]
        differences.append(chances[0] - chances[1])
    assert found.difference[0] == pytest.approx(np.mean(differences), abs=1e-4)


def test_the_error_is_that_of_many_samples() -> None:
    """Standard deviation of the difference over 60 samples of 600 persons against the mean of their stated errors."""
    found = [standardised_differences(*_simulated(600, 0.5, 100 + seed)) for seed in range(60)]
    spread = np.std([f.difference[0] for f in found], ddof=1)
    assert np.mean([f.difference_error[0] for f in found]) == pytest.approx(spread, rel=0.25)


def test_separated_groups_stay_finite() -> None:
    """Everybody exposed has the event, nobody else."""
    exposed = np.repeat([1.0, 0.0], 20)[:, None]
    found = standardised_differences(np.arange(40), exposed[:, 0], exposed, np.zeros((40, 0)))
    assert np.isfinite(found.difference).all()
    assert found.difference[0] == pytest.approx(1, abs=1e-3)


def test_refusals() -> None:
    none = np.zeros((0, 0))
    with pytest.raises(ValueError, match=r"^persons, events, exposures and covariates differ in length$"):
        standardised_differences([0], [1, 0], np.zeros((1, 1)), np.zeros((1, 0)))
    with pytest.raises(ValueError, match=r"^a hazard needs at least one row$"):
        standardised_differences([], [], none, none)
    with pytest.raises(ValueError, match=r"^the rows are not sorted by person$"):
        standardised_differences([1, 0], [1, 0], np.zeros((2, 1)), np.zeros((2, 0)))
