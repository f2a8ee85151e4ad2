"""One YAML file -> frozen ``Params``. Every problem is told with file, line and key, all at once."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, model_validator

from kpibook import params_checks, params_secrets, yaml_lines
from kpibook.errors import ParamsError
from kpibook.model import TABLES
from kpibook.params_fields import Compare, CostType, Currency, PeriodField, Schedule, Source, Text, Timezone, refusal
from kpibook.params_problems import from_pydantic
from kpibook.params_tables import Frozen, SourceColumn, TableMapping
from kpibook.periods import Period, compared_with
from kpibook.rules import PRIVACY_MINIMUM

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
    kpi: Text
    value: Number
    comparator: Literal[">=", "<="]
    set_at: date
    segment: Text = "total"
    baseline: Number | None = None


class Cost(Frozen):
    """A row of ``programme_costs``; ``is_in_transactions`` says that order lines already carry it."""

    cost_type: CostType
    amount: Number
    is_in_transactions: Annotated[bool, Field(strict=True)]
    is_estimate: Annotated[bool, Field(strict=True)] = False
    programme_id: Text = "programme"
    period_start: date | None = Field(default=None, description="first day; the period's when absent")
    period_end: date | None = Field(default=None, description="last day; the period's when absent")


class Privacy(Frozen):
    """No figure rests on fewer than ``min_persons``; fewer than ten need a ``note``, which the report prints."""

    min_persons: Annotated[int, Field(strict=True, ge=1, le=10_000)] = PRIVACY_MINIMUM
    note: Text | None = None

    @model_validator(mode="after")
    def _noted(self) -> Privacy:
        if self.min_persons < PRIVACY_MINIMUM and self.note is None:
            what = f"figures on fewer than {PRIVACY_MINIMUM} persons would be shown, and nothing says why they may be"
            raise refusal(what, f"write min_persons: {PRIVACY_MINIMUM} or more, or give the reason in note:")
        return self


class Limits(Frozen):
    memory: Annotated[str, Field(pattern=r"^[1-9]\d*\s?(MB|GB|TB)$")] = "4GB"
    threads: Annotated[int, Field(strict=True, ge=1, le=256)] = 2
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] = 30
    statement_seconds: Annotated[int, Field(strict=True, ge=1, le=86400)] = 300


class ParamsFile(Frozen):
    """A client's params file, as written."""

    client: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: Text
    language: Literal["en", "es", "de", "it"]
    currency: Currency
    timezone: Timezone
    period: PeriodField
    compare: Compare = "previous"
    source: Source
    extract: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="copy the tables of a database into DuckDB; needed when source is a database"
    )
    tables: dict[str, TableMapping] = Field(
        min_length=1, json_schema_extra={"propertyNames": {"enum": [*sorted(TABLES)]}}
    )
    card_use: Literal["recorded", "every_purchase"] = "recorded"
    breakdowns: tuple[Text, ...] = ()
    settings: dict[str, dict[str, Any]] = Field(default={})
    targets: tuple[Target, ...] = ()
    costs: tuple[Cost, ...] = ()
    plugins: Path | None = None
    notebook: Path | None = None
    schedule: Schedule | None = None
    notes: tuple[Text, ...] = ()
    limits: Limits = Limits()
    privacy: Privacy = Privacy()


class Params(ParamsFile):
    """A checked params file: paths are absolute, the comparison is resolved."""

    path: Path
    sha256: str
    compare: Period | None  # type: ignore[assignment]
    _document: yaml_lines.Document = PrivateAttr()

    def where(self, *keys: str | int) -> str:
        """``file:line`` of a key, as the user named the file; the nearest key above when it is not there."""
        return self._document.where(*keys)


def load(path: Path | str) -> Params:
    """Read and check a params file. Raises ParamsError with every problem."""
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
    problems += params_checks.tables(document, _valid_tables(document.data))
    problems += params_checks.paths(document, absolute.parent)
    problems += params_checks.database(document)
    if file is not None:
        problems += params_checks.together(document, file.period, file.compare, file.breakdowns)
    # Whatever else is said of a place where a secret stands may repeat it.
    problems = [*secrets, *(p for p in problems if p.where not in {secret.where for secret in secrets})]
    if problems or file is None:
        raise ParamsError(sorted(dict.fromkeys(problems), key=lambda p: params_checks.order(p, shown)))
    fields: dict[str, Any] = {name: getattr(file, name) for name in ParamsFile.model_fields}
    if isinstance(file.compare, str):
        fields["compare"] = compared_with(file.period, file.compare)
    for name in ("plugins", "notebook"):
        if fields[name] is not None:
            fields[name] = (absolute.parent / fields[name]).resolve()
    digest = hashlib.sha256(document.content).hexdigest()
    params = Params.model_construct(path=absolute, sha256=digest, **fields)
    params._document = document  # noqa: SLF001 - pydantic builds no private attribute
    return params


def json_schema() -> dict[str, Any]:
    """JSON Schema of a params file, for editors."""
    schema = ParamsFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "kpibook params"}


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model whose keys stand below ``path``."""
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
        case ("limits",):
            return Limits
        case ("privacy",):
            return Privacy
    return None


def _valid_tables(data: dict[str, Any]) -> dict[str, TableMapping]:
    """Tables as far as they can be read; what cannot is told by the whole file's validation."""
    written = data.get("tables")
    found = {}
    for name, value in written.items() if isinstance(written, dict) else ():
        mapping = _mapping(value)
        if mapping is not None:
            found[name] = mapping
    return found


def _mapping(value: Any) -> TableMapping | None:
    try:
        return TableMapping.model_validate(value)
    except ValidationError as error:
        broken = {
            detail["loc"][1] for detail in error.errors() if detail["loc"][:1] == ("columns",) and detail["loc"][1:]
        }
    if not broken:
        return None
    columns = {name: column for name, column in value["columns"].items() if name not in broken}
    return _mapping({**value, "columns": columns})
