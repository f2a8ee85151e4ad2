"""A client of a few rows, written by the test and loaded whole."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from kpibook import intake, params
from kpibook.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.intake import Finding, Intake

HEAD = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
compare: none
source: data
"""


@dataclass(frozen=True)
class Client:
    """``head`` lines replace those of HEAD with the same key; tables are YAML below ``tables:``."""

    folder: Path

    def csv(self, name: str, text: str) -> None:
        path = self.folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(dedent(text).encode())

    def parquet(self, name: str, query: str) -> None:
        path = self.folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")

    def params(self, tables: str, head: str = "") -> params.Params:
        own = {line.partition(":")[0] for line in head.splitlines() if line[:1].isalpha()}
        lines = [line for line in HEAD.splitlines() if line.partition(":")[0] not in own]
        text = "\n".join([*lines, dedent(head).strip(), "tables:", indent(dedent(tables).strip(), "  "), ""])
        (self.folder / "shop.yaml").write_text(text, encoding="utf-8")
        return params.load(self.folder / "shop.yaml")

    def load(self, tables: str, head: str = "") -> Intake:
        return intake.load(self.params(tables, head))

    def refused(self, tables: str, head: str = "") -> str:
        """The whole message, the params file's folder left out."""
        with pytest.raises(DataError) as caught:
            self.load(tables, head)
        return str(caught.value).replace(f"{self.folder}/", "")


def fetch(loaded: Intake, query: str) -> list[tuple[Any, ...]]:
    return loaded.con.raw_sql(query).fetchall()


def found(loaded: Intake, rule: str, table: str | None = None, column: str | None = None) -> list[Finding]:
    return [
        f
        for f in loaded.findings
        if f.rule == rule and (table is None or f.table == table) and (column is None or f.column == column)
    ]
