"""Currency signs beside amounts: one of them, and the one that params speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.errors import Problem
from kpibook.intake.casting import shown
from kpibook.intake.notes import Note, plain

if TYPE_CHECKING:
    from kpibook.intake.typed_text import Asked

CURRENCY = r"[€$£¥₹₽₺₩₪฿]|[A-Za-z]{0,2}\$|[A-Z]{3}|[A-Za-zÀ-ž]{2,4}\.?"
_DOLLARS = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "UYU", "TWD")
_SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "eur": ("EUR",), "euro": ("EUR",), "$": _DOLLARS, "us$": ("USD",), "usd": ("USD",),
    "c$": ("CAD",), "ca$": ("CAD",), "a$": ("AUD",), "au$": ("AUD",), "nz$": ("NZD",), "s$": ("SGD",), "hk$": ("HKD",),
    "mx$": ("MXN",), "r$": ("BRL",), "£": ("GBP", "EGP", "GIP"), "¥": ("JPY", "CNY"), "₹": ("INR",), "₽": ("RUB",),
    "₺": ("TRY",), "₩": ("KRW",), "₪": ("ILS",), "฿": ("THB",), "fr": ("CHF",), "fr.": ("CHF",), "sfr": ("CHF",),
    "sfr.": ("CHF",), "kr": ("SEK", "NOK", "DKK", "ISK"), "kr.": ("SEK", "NOK", "DKK", "ISK"), "zł": ("PLN",),
    "kč": ("CZK",), "ft": ("HUF",), "lei": ("RON",), "tl": ("TRY",),
}  # fmt: skip


def currency(asked: Asked, counts: list[tuple[str, int, int, str]], of_rows: int) -> tuple[Note | None, Problem | None]:
    """A note, or a problem: signs that are no currency, several currencies, or another than ours."""
    unknown = [(sign, count, row, value) for sign, count, row, value in counts if not codes(sign)]
    if unknown:
        _, count, row, value = min(unknown, key=lambda u: u[2])
        return None, asked.not_one(row, value, count)
    common = set.intersection(*({*codes(sign)} for sign, *_ in counts))
    if not common:
        listed = ", ".join(f"{count} x {plain(sign)}" for sign, count, *_ in counts)
        what = f"more than one currency in one column: {listed}"
        remedy = "deliver one currency, or turn the others into it by an expression"
        return None, asked.problem(None, what, remedy)
    sign, _, row, value = counts[0]
    if asked.column.kind == "money" and asked.currency not in common:
        what = f"{shown(value)} is not in the currency of params, {asked.currency}"
        return None, asked.problem(row, what, "correct currency: in params, or convert by an expression")
    marked = sum(count for _, count, *_ in counts)
    severity = "amber" if marked < of_rows else "info"
    details: dict[str, str | int | float] = {"sign": plain(sign)}
    return Note("currency", severity, asked.column.name, marked, of_rows, details), None  # type: ignore[arg-type]


def codes(sign: str) -> tuple[str, ...]:
    """ISO codes that a sign may stand for; none when it is no currency."""
    from babel.core import get_global

    known = _SIGNS.get(sign.lower())
    if known:
        return known
    return (sign,) if sign in get_global("all_currencies") else ()
