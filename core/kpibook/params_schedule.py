"""The part of a params file that says when a client's report is made, and whom to tell."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from kpibook import cron
from kpibook.params_fields import refusal
from kpibook.params_tables import Frozen

REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def _cron(value: str) -> str:
    found = cron.problem(value)
    if found is not None:
        raise refusal(*found)
    return value


def _notify(value: str) -> str:
    if not REFERENCE.fullmatch(value):
        raise refusal("whoever reads an address here could write to it", "write ${NAME}, and set NAME to the address")
    return value


class Schedule(Frozen):
    """When reports are made. A schedule written as text is its ``cron``."""

    cron: Annotated[str, AfterValidator(_cron)] = Field(
        description="minute, hour, day, month and weekday in the client's time zone, as cron reads them",
        examples=["0 6 2 * *"],
    )
    catch_up: Annotated[bool, Field(strict=True)] = Field(
        default=True,
        description="whether runs that were missed by more than an hour are made later; each once, and of several "
        "for the same period the last",
        examples=[False],
    )
    retries: Annotated[int, Field(strict=True, ge=0, le=10)] = Field(
        default=3,
        description="how often a run that failed (exit code 4) is tried again: after 1, 2, 4 … minutes; refused "
        "params and data are not",
        examples=[0],
    )
    notify: Annotated[str, AfterValidator(_notify)] | None = Field(
        default=None,
        description="who hears of failed runs and missed targets: a variable that holds the URL of a webhook "
        "(https://…), or of a mail server (smtp://user:password@host:587?to=…&from=…)",
        examples=["${AUDIT_HOOK}"],
    )


def _written(value: Any) -> Any:
    return {"cron": value} if isinstance(value, str) else value


ScheduleField = Annotated[Schedule, BeforeValidator(_written, json_schema_input_type=str | Schedule)]
