"""One YAML file -> frozen ``Params``. Every problem is told with file, line and key, all at once."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from kpibook import params_checks, params_exports, params_secrets, yaml_lines
from kpibook.errors import ParamsError
from kpibook.model import TABLES
from kpibook.params_bounds import Limits, Privacy
from kpibook.params_exports import Exports, Handed
from kpibook.params_fields import Compare, CostType, Currency, PeriodField, Source, Text, Timezone
from kpibook.params_problems import from_pydantic
from kpibook.params_schedule import Schedule, ScheduleField
from kpibook.params_tables import Frozen, SourceColumn, TableMapping, valid_tables
from kpibook.periods import Period, compared_with, moving

__all__ = [
    "Cost",
    "Limits",
    "Params",
    "Period",
    "Privacy",
    "SourceColumn",
    "TableMapping",
    "Target",
    "json_schema",
    "load",
]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Target(Frozen):
    """What a KPI was to reach in the period; the report says met, missed or open."""

    kpi: Text = Field(description="the KPI's id", examples=["avg_receipt"])
    value: Number = Field(description="what it is to reach, a share as a fraction", examples=[31.5])
    comparator: Literal[">=", "<="] = Field(description="which side of the value is wanted", examples=[">="])
    set_at: date = Field(
        description="the day on which it was set; a finding tells one set later", examples=["2023-12-15"]
    )
    segment: Text = Field(default="total", description="of the whole, or breakdown=segment", examples=["channel=web"])
    baseline: Number | None = Field(
        default=None,
        description="the value when it was set: how much of the way has been gone is counted from it",
        examples=[28.4],
    )


class Cost(Frozen):
    """A row of ``programme_costs``; ``is_in_transactions`` says that order lines already carry it."""

    cost_type: CostType = Field(description="what was paid for", examples=["operations"])
    amount: Number = Field(description="in the report's currency, net of VAT", examples=[12000])
    is_in_transactions: Annotated[bool, Field(strict=True)] = Field(
        description="whether order lines carry it already, so that it is not counted twice",
        examples=[False],
    )
    is_estimate: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="an estimate, not booked", examples=[True]
    )
    programme_id: Text = Field(default="programme", description="whose cost it is", examples=["club"])
    period_start: date | None = Field(
        default=None, description="first day; the period's when absent", examples=["2024-01-01"]
    )
    period_end: date | None = Field(
        default=None, description="last day; the period's when absent", examples=["2024-03-31"]
    )


class ParamsFile(Frozen):
    """A client's params file, as written."""

    client: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)] = Field(
        description="names the output folder: small letters, digits and hyphens", examples=["corner-shop"]
    )
    title: Text = Field(description="the client's name on the report", examples=["Corner Shop"])
    language: Literal["en", "es", "de", "it"] = Field(description="of the report", examples=["es"])
    currency: Currency = Field(description="of all amounts, by its ISO 4217 code", examples=["EUR"])
    timezone: Timezone = Field(description="the shop's, by its IANA name", examples=["Europe/Madrid"])
    period: PeriodField = Field(
        description="first and last day reported on, both inside; or a moving period: previous or last N days, weeks "
        "(from Monday), months, quarters or years that are over on the due date, or on the day of a run by hand",
        examples=["2024-01-01/2024-12-31", "previous month", "last 12 months"],
    )
    compare: Compare = Field(
        default="previous",
        description="what the period is compared with: days, or one of the words",
        examples=["year_before"],
    )
    source: Source = Field(
        description="where the data lie: a folder, package:NAME/folder, or the URL of a database",
        examples=["../data", "postgres://${DB_USER}:${DB_PASSWORD}@host/shop"],
    )
    extract: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="to be written when source is a database: true copies its tables into DuckDB, false has PostgreSQL "
        "compute",
        examples=[True],
    )
    tables: dict[str, TableMapping] = Field(
        min_length=1,
        description="canonical tables and the client's files behind them",
        examples=[{"order_lines": {"from": "lines.csv", "columns": {"transaction_id": "ticket"}}}],
        json_schema_extra={"propertyNames": {"enum": [*sorted(TABLES)]}},
    )
    card_use: Literal["recorded", "every_purchase"] = Field(
        default="recorded",
        description="receipts carry the card that was shown, or (every_purchase) each purchase of a person who is a "
        "member on that day counts as one with card; a finding tells it",
        examples=["every_purchase"],
    )
    breakdowns: tuple[Text, ...] = Field(
        default=(),
        description="week, month, quarter, year, and text columns by which every KPI is shown that has them",
        examples=[["month", "channel"]],
    )
    settings: dict[str, dict[str, Any]] = Field(
        default={},
        description="other values for the settings of a KPI or of a view, by its id; all KPIs on a view share its "
        "settings. `kpibook kpis ID` and docs/views.md name them",
        examples=[{"churn_rate": {"churn_days": 90}, "programme_cost": {"capex_life_months": 36}}],
    )
    targets: tuple[Target, ...] = Field(
        default=(),
        description="what KPIs were to reach; also as a table of the client's",
        examples=[[{"kpi": "avg_receipt", "value": 31.5, "comparator": ">=", "set_at": "2023-12-15"}]],
    )
    costs: tuple[Cost, ...] = Field(
        default=(),
        description="what the programme cost; also as the table programme_costs of the client's",
        examples=[[{"cost_type": "operations", "amount": 12000, "is_in_transactions": False}]],
    )
    plugins: Path | None = Field(
        default=None, description="a folder of KPIs of your own, from the params file", examples=["../plugins"]
    )
    notebook: Path | None = Field(
        default=None,
        description="a report template in place of notebooks/audit.ipynb, from the params file",
        examples=["../notebooks/corner-shop.ipynb"],
    )
    exports: Handed = Exports()
    schedule: ScheduleField | None = Field(
        default=None,
        description="when kpibook schedule makes the report: five cron fields, or a mapping (docs/schedule.md)",
        examples=["0 6 2 * *", {"cron": "0 6 2 * *", "retries": 1}],
    )
    notes: tuple[Text, ...] = Field(
        default=(),
        description="the consultant's remarks, printed below the verdict, in the report's language",
        examples=[["Sales are net of VAT."]],
    )
    limits: Limits = Field(default=Limits(), description="what a run may use", examples=[{"memory": "8GB"}])
    privacy: Privacy = Field(
        default=Privacy(), description="below how many persons figures are withheld", examples=[{"min_persons": 20}]
    )


class Params(ParamsFile):
    """A checked params file: paths are absolute; period and comparison are resolved.

    ``moves`` is the period as written, ``as_of`` the day on which one that moves was read.
    """

    path: Path
    sha256: str
    as_of: date | None
    moves: str
    period: Period
    compare: Period | None  # type: ignore[assignment]
    exports: Exports
    _document: yaml_lines.Document = PrivateAttr()

    def where(self, *keys: str | int) -> str:
        """``file:line`` of a key, as the user named the file; the nearest key above when it is not there."""
        return self._document.where(*keys)


def load(path: Path | str, as_of: date | None = None) -> Params:
    """Read and check a params file. Raises ParamsError with every problem.

    A moving period is that of the day ``as_of``, else of today in the client's time zone.
    """
    shown = str(path)
    absolute = Path(path).expanduser().absolute()
    document = yaml_lines.read(absolute, shown)
    secrets = params_secrets.written_out(document)
    problems = [*document.problems]
    file = None
    try:
        file = ParamsFile.model_validate(document.data)
    except ValidationError as error:
        told = {problem.where for problem in problems}
        problems += [p for p in from_pydantic(error, document, _model_at) if p.where not in told]
    problems += params_checks.tables(document, valid_tables(document.data))
    problems += [*params_checks.paths(document, absolute.parent), *params_exports.template(document, absolute.parent)]
    problems += params_checks.database(document)
    if file is not None:
        day, period = _dated(file, as_of)
        problems += params_checks.together(document, period, file.compare, file.breakdowns)
    # Whatever else is said of a place where a secret stands may repeat it.
    problems = [*secrets, *(p for p in problems if p.where not in {secret.where for secret in secrets})]
    if problems or file is None:
        raise ParamsError(sorted(dict.fromkeys(problems), key=lambda p: params_checks.order(p, shown)))
    fields: dict[str, Any] = {name: getattr(file, name) for name in ParamsFile.model_fields}
    fields |= {"as_of": day, "moves": str(file.period), "period": period}
    if isinstance(file.compare, str):
        fields["compare"] = compared_with(period, file.compare)
    for name in ("plugins", "notebook"):
        if fields[name] is not None:
            fields[name] = (absolute.parent / fields[name]).resolve()
    fields["exports"] = params_exports.resolved(fields["exports"], absolute.parent)
    digest = hashlib.sha256(document.content).hexdigest()
    params = Params.model_construct(path=absolute, sha256=digest, **fields)
    params._document = document  # noqa: SLF001 - pydantic builds no private attribute
    return params


def json_schema() -> dict[str, Any]:
    """JSON Schema of a params file, for editors."""
    schema = ParamsFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "kpibook params"}


def _dated(file: ParamsFile, as_of: date | None) -> tuple[date | None, Period]:
    if isinstance(file.period, Period):
        return None, file.period
    day = as_of or datetime.now(ZoneInfo(file.timezone)).date()
    return day, moving(file.period, day)


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model whose keys stand below ``path``."""
    single: dict[str, type[BaseModel]] = {"exports": Exports, "schedule": Schedule}
    single |= {"limits": Limits, "privacy": Privacy}
    match path:
        case ():
            return ParamsFile
        case ("tables", _):
            return TableMapping
        case ("tables", _, "columns", _):
            return SourceColumn
        case ("targets", _):
            return Target
        case ("costs", _):
            return Cost
        case (str(name),):
            return single.get(name)
    return None
