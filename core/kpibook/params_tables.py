"""The part of a params file that maps a client's files onto one canonical table."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kpibook.params_fields import Text, Timezone


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ZonedColumn(Frozen):
    """A source column whose clock times stand in ``timezone``, not in the shop's."""

    column: Text
    timezone: Timezone


class TableMapping(Frozen):
    """Where a canonical table comes from. ``= ...`` is an SQL expression, anything else a column's name."""

    from_: Text = Field(alias="from")
    join: dict[str, Text | Annotated[list[Text], Field(min_length=1)]] = {}
    one_row_per: tuple[Text, ...] = ()
    where: Text | None = None
    columns: dict[str, Text | ZonedColumn] = Field(min_length=1)

    def keys_of(self, file: str) -> tuple[str, ...]:
        """The columns on which a joined file is looked up."""
        keys = self.join[file]
        return (keys,) if isinstance(keys, str) else tuple(keys)
