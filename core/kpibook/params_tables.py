"""The part of a params file that maps a client's files onto one canonical table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kpibook.params_fields import Text, Timezone
from kpibook.params_reading import NUMBERED, DateFormat, DecimalSign, Delimiter, Encoding, ThousandsSign

DATE = f"such as %d/%m/%Y %H:%M, or one of {', '.join(NUMBERED)}"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceColumn(Frozen):
    """A source column with its own way of being read; what is absent holds as the table says it."""

    column: Text = Field(description="its name in the file", examples=["sold_at"])
    timezone: Timezone | None = Field(
        default=None, description="where its clock times stand, if not in the shop's", examples=["UTC"]
    )
    date_format: DateFormat | None = Field(default=None, description=f"of its dates: {DATE}", examples=["%d.%m.%Y"])
    decimal: DecimalSign | None = Field(default=None, description="before its decimals", examples=[","])
    thousands: ThousandsSign | None = Field(
        default=None, description="between its groups of three digits", examples=["."]
    )
    missing: tuple[str, ...] | None = Field(
        default=None, description="what stands for an empty value in it", examples=[["-", "s/d"]]
    )


class TableMapping(Frozen):
    """Where a canonical table comes from. ``= ...`` is an SQL expression, anything else a column's name.

    The keys from ``encoding`` on say how its text and spreadsheet files are to be read, where the files leave it open.
    """

    from_: Text = Field(
        alias="from", description="the file in the source folder, or a database's table", examples=["lines.csv"]
    )
    join: dict[str, Text | Annotated[list[Text], Field(min_length=1)]] = Field(
        default={},
        description="further files, each with the column or columns on which a row of `from` finds its row there; "
        "rows that find none are kept, and a key on several rows is refused without one_row_per",
        examples=[{"articles.csv": "article", "prices.csv": ["article", "store"]}],
    )
    one_row_per: tuple[Text, ...] = Field(
        default=(),
        description="the client's columns that make one row of the table; other columns are then aggregates such as "
        "= min(start_date), = sum(points)",
        examples=[["household_id"]],
    )
    where: Text | None = Field(
        default=None,
        description="an SQL condition on the client's columns, without `=`: rows that do not meet it are not read",
        examples=["country = 'ES' and total > 0"],
    )
    unpivot: tuple[Text, ...] = Field(
        default=(),
        description="columns to turn into rows of 'item' and 'answer'; E1..E22 stands for all between",
        examples=[["E1..E22", "P1..P22"]],
    )
    duplicates: Literal["first", "last"] | None = Field(
        default=None, description="of rows with one key, the one to keep; refused when absent", examples=["first"]
    )
    columns: dict[str, Text | SourceColumn] = Field(
        min_length=1,
        description="canonical columns, each by the client's column, `= ` an SQL expression over them, or a column "
        "with options of its own",
        examples=[{"transaction_id": "ticket", "net_amount": "= total / 1.21", "ts": {"column": "sold_at"}}],
    )
    encoding: Encoding | None = Field(
        default=None,
        description="of text files, named where it is not recognised or wrongly taken: UTF-8, UTF-16, marked UTF-32 "
        "and Windows-1252 are told by themselves",
        examples=["cp850"],
    )
    delimiter: Delimiter | None = Field(default=None, description="between columns", examples=[";"])
    sheet: Text | None = Field(default=None, description="the sheet of a workbook", examples=["Orders"])
    header_row: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = Field(
        default=None,
        description="line with the columns' names, from 1; 0: there is none, columns are column1, column2",
        examples=[4],
    )
    decimal: DecimalSign | None = Field(default=None, description="before the decimals", examples=[","])
    thousands: ThousandsSign | None = Field(default=None, description="between groups of three digits", examples=["."])
    date_format: DateFormat | None = Field(default=None, description=f"of all dates: {DATE}", examples=["%d/%m/%Y"])
    timezone: Timezone | None = Field(
        default=None, description="where clock times stand, if not in the shop's zone", examples=["UTC"]
    )
    missing: tuple[str, ...] | None = Field(
        default=None,
        description="what stands for an empty value, instead of NULL, N/A and the like",
        examples=[["-", "s/d"]],
    )

    def keys_of(self, file: str) -> tuple[str, ...]:
        """The columns on which a joined file is looked up."""
        keys = self.join[file]
        return (keys,) if isinstance(keys, str) else tuple(keys)

    def at(self, column: str) -> SourceColumn:
        """How a canonical column is read: its own words, then the table's."""
        value = self.columns[column]
        own = SourceColumn(column=value) if isinstance(value, str) else value
        names = ("timezone", "date_format", "decimal", "thousands", "missing")
        table = {name: getattr(self, name) for name in names if getattr(own, name) is None}
        return own.model_copy(update=table)


def valid_tables(data: dict[str, Any]) -> dict[str, TableMapping]:
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
