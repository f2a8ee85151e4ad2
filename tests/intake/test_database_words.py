"""What is said of databases that cannot be opened, or have no table, beside those of test_database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from ibis.common.exceptions import TableNotFound

from kpibook.intake import database, database_errors
from kpibook.sources import SUPPORTED, SourceError, resolve_url

if TYPE_CHECKING:
    from intake.shop_client import Client


def test_a_database_without_tables(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def table(name: str) -> None:
        raise TableNotFound(name)

    empty = SimpleNamespace(table=table, list_tables=list, disconnect=lambda: None)
    monkeypatch.setattr(database, "connect", lambda *_, **__: empty)
    monkeypatch.setattr(database, "close", lambda _: None)
    tables = "order_lines: {from: lines, columns: {transaction_id: t, customer_id: c, ts: at}}"
    message = "there is no table 'lines' in the database · check the name, and the rights of the user"
    head = "source: postgres://host/shop\nextract: true"
    assert client.refused(tables, head).partition(": tables.order_lines.from: ")[2] == message


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("duckdb:///a.duckdb", "check the URL"),
        ("postgres://${DB_USER}:${DB_PASSWORD}@host/shop", "check DB_USER and DB_PASSWORD"),
    ],
)
def test_an_error_that_no_driver_should_raise_is_told_by_its_kind_only(source: str, remedy: str) -> None:
    problem = database_errors.refused(RuntimeError("password=secret"), source, "p.yaml:9: source")
    assert str(problem) == f"p.yaml:9: source: the database cannot be opened (RuntimeError) · {remedy}"


def test_a_reference_that_stands_for_a_folder_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATA", "/srv/data")
    with pytest.raises(SourceError) as caught:
        resolve_url("${SHOP_DATA}")
    assert str(caught.value) == f"'${{SHOP_DATA}}' is not the URL of a database · {SUPPORTED}"
