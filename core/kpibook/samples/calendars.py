"""Opening days and hours, and the business clock of the customer service."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import columns, world

SERVICE_OPENS, SERVICE_CLOSES = 9 * 3600, 19 * 3600
SERVICE_SECONDS = SERVICE_CLOSES - SERVICE_OPENS
NAMES = (*world.STORES, "online", "service")
_QUIET = ("01-06", "04-25", "06-02", "11-01", "12-08")
_EASTER_MONDAYS = ("2021-04-05", "2022-04-18", "2023-04-10", "2024-04-01")


def _days() -> npt.NDArray[np.datetime64]:
    return world.ORIGIN.astype("datetime64[D]") + np.arange(world.END)


def service_open() -> npt.NDArray[np.bool_]:
    """By day since ``ORIGIN``: Monday to Saturday, public holidays off."""
    days = _days()
    text = np.datetime_as_string(days)
    holiday = (
        np.isin([t[5:] for t in text], _QUIET) | np.isin(text, _EASTER_MONDAYS) | world.closed(np.arange(world.END))
    )
    sunday = (days.astype(int) + 3) % 7 == 6
    return np.asarray(~holiday & ~sunday)


def business(second: world.Ints) -> world.Ints:
    """Opening seconds of the service between ``ORIGIN`` and a moment."""
    is_open = service_open()
    before = np.concatenate([[0], np.cumsum(is_open)]) * SERVICE_SECONDS
    day = second // world.DAY
    inside = np.clip(second % world.DAY - SERVICE_OPENS, 0, SERVICE_SECONDS)
    return np.asarray(before[day] + np.where(is_open[np.minimum(day, world.END - 1)], inside, 0))


def moment(opened: world.Ints) -> world.Ints:
    """The first moment at which the service has been open for so many seconds; the inverse of ``business``."""
    order = np.flatnonzero(service_open())
    number = np.minimum(opened // SERVICE_SECONDS, len(order) - 1)
    return np.asarray(order[number] * world.DAY + SERVICE_OPENS + opened - number * SERVICE_SECONDS)


def calendar() -> pa.Table:
    """``calendar`` of the three years: eight shops, the site and the customer service; ISO weeks."""
    day = np.arange(world.START, world.END)
    size = len(day)
    shop_open, served = ~world.closed(day), service_open()[day]
    is_open = np.concatenate([np.tile(shop_open, len(world.STORES)), np.ones(size, dtype=bool), served])
    kind = np.repeat(np.array([0] * len(world.STORES) + [1, 2]), size)
    opens = np.array([dt.time(8), dt.time(0), dt.time(9)], dtype=object)[kind]
    closes = np.array([dt.time(21), dt.time(23, 59, 59), dt.time(19)], dtype=object)[kind]
    week = [(dt.date(2020, 7, 1) + dt.timedelta(days=int(d))).isocalendar().week for d in day]
    return pa.table(
        {
            "calendar_id": columns.choice(NAMES, np.repeat(np.arange(len(NAMES)), size)),
            "date": columns.date(np.tile(day, len(NAMES)) * world.DAY),
            "is_open": is_open,
            "open_from": pa.array(opens, pa.time64("us"), mask=~is_open),
            "open_to": pa.array(closes, pa.time64("us"), mask=~is_open),
            "fiscal_week": pa.array(np.tile(np.array(week), len(NAMES))),
        }
    )
