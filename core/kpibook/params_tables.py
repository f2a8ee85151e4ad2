"""The part of a params file that maps a client's files onto one canonical table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kpibook.params_fields import Text, Timezone
from kpibook.params_reading import DateFormat, DecimalSign, Delimiter, Encoding, ThousandsSign


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceColumn(Frozen):
    """A source column with its own way of being read; what is absent holds as the table says it."""

    column: Text
    timezone: Timezone | None = Field(default=None, description="where its clock times stand, if not in the shop's")
    date_format: DateFormat | None = None
    decimal: DecimalSign | None = None
    thousands: ThousandsSign | None = None
    missing: tuple[str, ...] | None = None


class TableMapping(Frozen):
    """Where a canonical table comes from. ``= ...`` is an SQL expression, anything else a column's name.

    The keys from ``encoding`` on say how its text and spreadsheet files are to be read, where the files leave it open.
    """

    from_: Text = Field(alias="from")
    join: dict[str, Text | Annotated[list[Text], Field(min_length=1)]] = {}
    one_row_per: tuple[Text, ...] = ()
    where: Text | None = None
    unpivot: tuple[Text, ...] = Field(
        default=(), description="columns to turn into rows of 'item' and 'answer'; E1..E22 stands for all between"
    )
    duplicates: Literal["first", "last"] | None = Field(
        default=None, description="of rows with one key, the one to keep; refused when absent"
    )
    columns: dict[str, Text | SourceColumn] = Field(min_length=1)
    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    sheet: Text | None = Field(default=None, description="the sheet of a workbook")
    header_row: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = Field(
        default=None, description="line with the columns' names, from 1; 0: there is none, columns are column1, column2"
    )
    decimal: DecimalSign | None = None
    thousands: ThousandsSign | None = None
    date_format: DateFormat | None = None
    timezone: Timezone | None = Field(default=None, description="where clock times stand, if not in the shop's zone")
    missing: tuple[str, ...] | None = Field(
        default=None, description="what stands for an empty value, instead of NULL, N/A and the like"
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
