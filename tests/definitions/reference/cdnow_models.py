"""CDNOW's models: repeat purchases by BG/NBD, spend by Gamma-Gamma, fitted by the package lifetimes."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

from .cdnow import file, sample

CALIBRATED = pd.Timestamp("1997-09-30")
HOLDOUT_WEEKS = 39


def summary_from_log() -> dict[str, float]:
    found = _calibration()
    return {
        "customers": len(found),
        "repeaters": (found["x"] > 0).sum(),
        "sum_x": found["x"].sum(),
        "sum_tx_days": found["t_x"].sum(),
        "sum_T_days": found["T"].sum(),
        "sum_x_hold": found["x_hold"].sum(),
    }


def fit_from_log() -> dict[str, float]:
    found = _calibration()
    return _fitted(found["x"], found["t_x"] / 7, found["T"] / 7)


def fit_published_summary() -> dict[str, float]:
    found = pd.read_csv(file("cdnow_customers_summary.csv"))
    return _fitted(found["frequency"], found["recency"], found["T"])


def holdout() -> dict[str, float]:
    actual, predicted = summary_from_log()["sum_x_hold"], fit_from_log()["expected_purchases_39w_total"]
    return {"actual": actual, "predicted": predicted, "ratio": predicted / actual}


def gammagamma_fit() -> dict[str, float]:
    found = pd.read_csv(file("cdnow_customers_summary_with_transactions.csv"))
    found = found[found["x"] > 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the package
        from lifetimes import GammaGammaFitter

        model = GammaGammaFitter(penalizer_coef=0.0).fit(found["x"], found["zbar"])
    p, q, v = (float(model.params_[name]) for name in ("p", "q", "v"))
    return {
        "customers": len(found),
        "p": p,
        "q": q,
        "gamma": v,
        "population_mean_spend": p * v / (q - 1),
        "corr_frequency_monetary": found["x"].corr(found["zbar"]),
    }


@cache
def _calibration() -> pd.DataFrame:
    dates = sample()[["customer", "date"]].drop_duplicates()
    early = dates[dates["date"] <= CALIBRATED].groupby("customer")["date"]
    later = dates[dates["date"] > CALIBRATED].groupby("customer").size()
    first, last = early.min(), early.max()
    return pd.DataFrame(
        {
            "x": early.size() - 1,
            "t_x": (last - first).dt.days,
            "T": (CALIBRATED - first).dt.days,
            "x_hold": later.reindex(first.index, fill_value=0),
        }
    )


def _fitted(x: pd.Series, t_x: pd.Series, t: pd.Series) -> dict[str, float]:
    """BG/NBD in weeks; ``loglik_in_days`` is the same log-likelihood with time counted in days."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the package
        from lifetimes import BetaGeoFitter

        model = BetaGeoFitter(penalizer_coef=0.0).fit(x, t_x, t)
        ahead = model.conditional_expected_number_of_purchases_up_to_time(HOLDOUT_WEEKS, x, t_x, t)
        alive = model.conditional_probability_alive(x, t_x, t)
    loglik = _log_likelihood(x, t_x, t, **{name: float(model.params_[name]) for name in ("r", "alpha", "a", "b")})
    return {
        **{name: float(model.params_[name]) for name in ("r", "alpha", "a", "b")},
        "loglik": loglik,
        "loglik_in_days": loglik - float(x.sum()) * np.log(7),
        "mean_p_alive": float(np.mean(alive)),
        "expected_purchases_39w_total": float(np.sum(ahead)),
    }


def _log_likelihood(x: pd.Series, t_x: pd.Series, t: pd.Series, r: float, alpha: float, a: float, b: float) -> float:
    """Equation 6 of Fader, Hardie & Lee 2005 (the package keeps only a rescaled one)."""
    from scipy.special import betaln, gammaln

    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    active = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t)
    left = betaln(a + 1, b + x.clip(lower=1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return float((rate + np.where(x > 0, np.logaddexp(active, left), active)).sum())
