"""Maximum likelihood and influence, by hand and against refits to redrawn persons."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats.likelihood import gradient, maximise, plug_in_interval


def _exponential(x: np.ndarray):
    """Log likelihood of rate exp(at) at each of ``x``."""
    return lambda at: at[0] - np.exp(at[0]) * x


def test_a_rate_by_hand() -> None:
    """Times 1, 2, 3: the rate is 3 / 6 = 0.5. On the log scale the score of x is 1 - x / 2, the information 1 each: the
    influences are (1/2, 0, -1/2) / 3.
    """
    best = maximise(_exponential(np.array([1.0, 2.0, 3.0])), [1.0])
    assert best.found
    assert best.parameters[0] == pytest.approx(0.5, rel=1e-7)
    assert best.influence[:, 0] == pytest.approx(np.array([1 / 6, 0, -1 / 6]), abs=1e-6)
    assert best.log_likelihood == pytest.approx(3 * np.log(0.5) - 0.5 * 6)


def test_the_interval_of_a_figure_is_that_of_refits() -> None:
    """Chance of living beyond 1, exp(-rate): 400 refits to redrawn persons, in closed form 1 / mean."""
    rng = np.random.default_rng(2)
    x = rng.exponential(2.0, 500)
    best = maximise(_exponential(x), [1.0])

    def beyond(at: np.ndarray) -> float:
        return float(np.exp(-np.exp(at[0])))

    interval = plug_in_interval(beyond(best.log_parameters), np.zeros(500), gradient(beyond, best.log_parameters), best)
    refits = [np.exp(-1 / rng.choice(x, 500).mean()) for _ in range(400)]
    assert interval.width / (2 * 1.96) == pytest.approx(np.std(refits), rel=0.12)


def test_own_part_and_model_vary_together() -> None:
    """The mean itself as a figure: own parts (x - mean) / n with no slope give the standard error of the mean."""
    x = np.array([1.0, 2.0, 6.0])
    best = maximise(_exponential(x), [1.0])
    interval = plug_in_interval(3.0, (x - 3) / 3, [0.0], best)
    assert interval.width == pytest.approx(2 * 1.959964 * ((4 + 1 + 9) / 9) ** 0.5, rel=1e-6)


def test_what_runs_off_is_told() -> None:
    """A likelihood that only rises has no maximum."""
    best = maximise(lambda at: np.full(3, at[0]), [1.0])
    assert not best.found


def test_a_flat_direction_moves_nobody() -> None:
    """Only the product of both parameters matters: the rate is found, influence stays finite."""
    x = np.array([1.0, 2.0, 3.0])
    best = maximise(lambda at: at.sum() - np.exp(at.sum()) * x, [1.0, 1.0])
    assert best.found
    assert best.parameters.prod() == pytest.approx(0.5, rel=1e-6)
    assert best.influence.sum(axis=1) == pytest.approx(np.array([1 / 6, 0, -1 / 6]), abs=1e-5)


def test_gradients_of_several_figures() -> None:
    found = gradient(lambda at: np.array([at[0] * at[1], at[1] ** 2]), np.array([2.0, 3.0]))
    np.testing.assert_allclose(found, [[3, 2], [0, 6]], atol=1e-6)
