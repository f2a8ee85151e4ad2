"""Marea's fixed world: calendar, shops, products, prices and promotions.

Time is counted in days (float) or seconds (int) since ``ORIGIN``, as wall-clock time
in Rome; money in whole cents before VAT, so that every sum is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ORIGIN = np.datetime64("2020-07-01", "s")
PROGRAMME = "marea-card"
STORES = tuple(f"S{number:02d}" for number in range(1, 9))
CHANNELS = ("store", "web", "app")
CATEGORIES = ("kitchen", "table", "bath", "bedding", "lighting", "garden", "pantry", "cleaning")
CATEGORY_PRICES = (2400, 1300, 1500, 3900, 4200, 2900, 520, 640)
CATEGORY_WEIGHTS = (0.12, 0.12, 0.11, 0.08, 0.06, 0.09, 0.24, 0.18)
PRODUCTS = 60
YEARS = (2022, 2023, 2024)
DAY = 86_400
OFFER_DAYS = 30

_MONTH_WEIGHTS = np.array([0.85, 0.85, 0.95, 1.0, 1.05, 1.0, 0.95, 0.7, 1.0, 1.05, 1.15, 1.45])
_WEEKDAY_WEIGHTS = np.array([0.85, 0.9, 0.9, 0.95, 1.1, 1.3, 1.0])
_PRICE_INDEX = np.array([9426, 9426, 9426, 9709, 10_000, 10_300])


def day_of(date: str) -> int:
    """Days from ``ORIGIN`` to an ISO date."""
    return int((np.datetime64(date, "D") - ORIGIN.astype("datetime64[D]")).astype(int))


START, END = day_of("2022-01-01"), day_of("2025-01-01")
LAUNCH, SECOND_WAVE = day_of("2022-07-04"), day_of("2023-02-06")
#: First day of the programme by outlet: eight shops, then site and app.
ROLLOUT = np.array([LAUNCH, LAUNCH, SECOND_WAVE, LAUNCH, SECOND_WAVE, LAUNCH, LAUNCH, SECOND_WAVE, SECOND_WAVE])
_CLOSED = ("01-01", "05-01", "08-15", "12-25", "12-26")
_EASTERS = ("2021-04-04", "2022-04-17", "2023-04-09", "2024-03-31")


def stamps(seconds: Ints) -> npt.NDArray[np.datetime64]:
    return ORIGIN + seconds.astype("timedelta64[s]")


def year_of(seconds: Ints) -> Ints:
    return np.asarray(stamps(seconds).astype("datetime64[Y]").astype(np.int64) + 1970)


def month_of(seconds: Ints) -> npt.NDArray[np.datetime64]:
    return stamps(seconds).astype("datetime64[M]")


def opening(time: Floats) -> Ints:
    """Seconds of a visit at a fractional day: shops and site are open from 8 to 21, order is kept."""
    day = np.floor(time)
    return (day * DAY + 8 * 3600 + (time - day) * 13 * 3600).astype(np.int64)


def closed(day: Ints) -> npt.NDArray[np.bool_]:
    """Days, since ``ORIGIN``, on which the shops are shut."""
    text = np.datetime_as_string(ORIGIN.astype("datetime64[D]") + np.arange(END + 1))
    shut = np.isin([t[5:] for t in text], _CLOSED) | np.isin(text, _EASTERS)
    return np.asarray(shut[day])


def outlet(habit: Ints, shop: Ints) -> Ints:
    """Where a person is at home: a shop's index, or the number of shops for site and app."""
    return np.where(habit == 0, shop, len(STORES))


def season(time: Floats) -> Floats:
    """Relative business of a day, at most 1."""
    days = ORIGIN.astype("datetime64[D]") + np.floor(time).astype("timedelta64[D]")
    month = days.astype("datetime64[M]").astype(int) % 12
    weekday = (days.astype(int) + 3) % 7
    busy = _MONTH_WEIGHTS[month] * _WEEKDAY_WEIGHTS[weekday]
    return np.asarray(busy / (_MONTH_WEIGHTS.max() * _WEEKDAY_WEIGHTS.max()))


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Indices drawn with the given weights."""
    cumulated = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(cumulated, rng.random(size), side="right"), len(weights) - 1)


@dataclass(frozen=True)
class Shelf:
    """Products by index: 2024 price and cost in cents, and who pays for member prices."""

    category: Ints
    price: Ints
    cost_permille: Ints
    funded: npt.NDArray[np.bool_]
    weight: Floats
    promotion: Ints  # percent, by product and fortnight since ORIGIN
    member_offer: Ints  # percent, by product and 30 days since ORIGIN

    def price_at(self, product: Ints, seconds: Ints) -> Ints:
        year = stamps(seconds).astype("datetime64[Y]").astype(int) + 1970 - 2020
        return np.asarray((self.price[product] * _PRICE_INDEX[year] + 5_000) // 10_000)


def shelf(rng: np.random.Generator) -> Shelf:
    category = np.arange(PRODUCTS) % len(CATEGORIES)
    spread = rng.uniform(0.5, 1.9, PRODUCTS)
    popularity = 1 / (1 + np.arange(PRODUCTS) // len(CATEGORIES)) ** 0.7
    fortnights, months = END // 14 + 1, END // OFFER_DAYS + 1
    return Shelf(
        category=category,
        price=np.round(np.array(CATEGORY_PRICES)[category] * spread / 10).astype(np.int64) * 10 - 1,
        cost_permille=rng.integers(520, 700, PRODUCTS),
        funded=rng.random(PRODUCTS) < 0.35,
        weight=np.array(CATEGORY_WEIGHTS)[category] * popularity,
        promotion=np.array([0, 10, 20, 30])[
            pick(rng, np.array([0.85, 0.07, 0.05, 0.03]), PRODUCTS * fortnights)
        ].reshape(PRODUCTS, fortnights),
        member_offer=np.array([0, 5, 10])[pick(rng, np.array([0.8, 0.12, 0.08]), PRODUCTS * months)].reshape(
            PRODUCTS, months
        ),
    )
