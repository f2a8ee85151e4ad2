"""Field types of a params file that need more than a plain type."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from kpibook import sources
from kpibook.errors import did_you_mean
from kpibook.model import TABLES
from kpibook.periods import COMPARISONS, Period, is_moving

_PERIOD = r"^\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$"
_UNIT = "(day|week|month|quarter|year)"
_MOVING = rf"^(previous {_UNIT}|last 1 {_UNIT}|last \d+ {_UNIT}s)$"
_WRITE_PERIOD = "write first and last day, such as 2017-07-01/2017-12-31"
_WRITE_MOVING = "write one such as previous month or last 12 months, of days, weeks, months, quarters or years"


def refusal(what: str, remedy: str) -> PydanticCustomError:
    """A validation error that carries its own remedy."""
    return PydanticCustomError("kpibook", "{what}", {"what": what, "remedy": remedy})


@cache
def _currencies() -> frozenset[str]:
    from babel.core import get_global

    territories = get_global("territory_currencies").values()
    return frozenset(code for used in territories for code, _, until, tender in used if tender and until is None)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime"}


def _text(value: str) -> str:
    if not value.strip():
        raise refusal("this is empty", "write a text, or take the key away")
    return value


def _currency(value: str) -> str:
    if value not in _currencies():
        meant = value.upper() in _currencies()
        remedy = f"did you mean '{value.upper()}'?" if meant else "write an ISO 4217 code such as EUR"
        raise refusal(f"'{value}' is no currency code", remedy)
    return value


def _timezone(value: str) -> str:
    if value not in _timezones():
        near = did_you_mean(value, _timezones())
        raise refusal(f"'{value}' is no time zone", near if near.startswith("did") else "write one such as Europe/Rome")
    return value


def _period(value: Any) -> Any:
    if isinstance(value, Period):
        return value
    if not isinstance(value, str):
        raise refusal(f"{value!s} is not a period", _WRITE_PERIOD)
    try:
        return Period.parse(value)
    except ValueError as error:
        raise refusal(str(error), _WRITE_PERIOD) from error


def _any_period(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("previous", "last")):
        if not is_moving(value):
            raise refusal(f"'{value}' is not a moving period", _WRITE_MOVING)
        return value
    return _period(value)


def _compare(value: Any) -> Any:
    if isinstance(value, str) and value in COMPARISONS:
        return value
    if isinstance(value, str) and "/" not in value:
        raise refusal(f"'{value}' is no comparison", did_you_mean(value, COMPARISONS))
    return _period(value)


def _source(value: str) -> str:
    try:
        sources.check(value)
    except sources.SourceError as error:
        raise refusal(error.what, error.remedy) from error
    return value


def _cost_type(value: str) -> str:
    known = TABLES["programme_costs"].columns["cost_type"].values
    if value not in known:
        raise refusal(f"'{value}' is not known", did_you_mean(value, known))
    return value


Text = Annotated[str, AfterValidator(_text)]
Currency = Annotated[str, AfterValidator(_currency), Field(description="ISO 4217")]
Timezone = Annotated[str, AfterValidator(_timezone), Field(description="IANA time zone")]
PeriodField = Annotated[
    Period | str,
    BeforeValidator(_any_period),
    WithJsonSchema(
        {"type": "string", "pattern": f"{_PERIOD}|{_MOVING}", "description": "first and last day, or a moving period"}
    ),
]
Compare = Annotated[
    Period | str,
    BeforeValidator(_compare),
    WithJsonSchema({"anyOf": [{"enum": list(COMPARISONS)}, {"type": "string", "pattern": _PERIOD}]}),
]
CostType = Annotated[
    str,
    AfterValidator(_cost_type),
    Field(json_schema_extra={"enum": [*TABLES["programme_costs"].columns["cost_type"].values]}),
]
Source = Annotated[str, AfterValidator(_source)]
