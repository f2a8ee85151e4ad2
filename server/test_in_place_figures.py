"""A programme on a PostgreSQL server: every figure of ``extract: false`` is that of ``extract: true``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import psycopg
import pytest
import yaml
from simulations.population import population

import parity
from intake import postgres_server
from intake.postgres_server import ADMIN, Server
from kpibook import book, intake, model, params
from kpibook.engine import postgres_sql
from kpibook.engine.compute import compute
from kpibook.engine.on_postgres import Postgres
from kpibook.errors import LostError
from kpibook.plugins import discover
from kpibook.samples.__main__ import write
from tiny_client import only

if TYPE_CHECKING:
    import pyarrow as pa

    from kpibook.intake import Intake

PARAMS = Path(__file__).parents[1] / "params"
EVERY = 64


@dataclass(frozen=True)
class Programme:
    """Marea, one customer of so many, in the tables of a server; ``params`` reads them in place or from a copy."""

    server: Server
    folder: Path
    rows: dict[str, pa.Table]

    def params(self, *, extract: bool) -> params.Params:
        written = yaml.safe_load((PARAMS / "marea.yaml").read_text(encoding="utf-8"))
        tables = {
            name: {"from": name, "columns": {c: c for c in rows.column_names if rows[c].null_count < rows.num_rows}}
            for name, rows in self.rows.items()
        }
        kept = ("client", "title", "language", "currency", "timezone", "period", "compare", "settings")
        source = f"postgres://admin:${{DB_PASSWORD}}@127.0.0.1:{self.server.port}/postgres"
        own = {key: written[key] for key in kept if key in written}
        whole = own | {"source": source, "extract": extract, "tables": tables}
        path = self.folder / f"{extract}.yaml"
        path.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
        return params.load(path)


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programme]:
    folder = tmp_path_factory.mktemp("programme")
    write("marea", folder / "marea")
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8")
    (folder / "marea.yaml").write_text(text.replace("../data/marea", str(folder / "marea")), encoding="utf-8")
    rows = parity.tables(population(folder / "marea.yaml", folder / "population.duckdb").part(EVERY))
    with postgres_server.running() as server:
        for name, table in rows.items():
            with server.admin() as con, con.cursor() as cursor:
                cursor.execute(f'CREATE TABLE "{name}" ({postgres_sql.columns(model.schema(name))})')
                with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                        copy.write_row(row)
        yield Programme(server, folder, {name: table for name, table in rows.items() if table.num_rows})


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each answer of the server had."""
    heard: list[int] = []
    plain = psycopg.Cursor.fetchall

    def counted(self: psycopg.Cursor) -> list[Any]:
        answer = plain(self)
        heard.append(len(answer))
        return answer

    monkeypatch.setattr(psycopg.Cursor, "fetchall", counted)
    monkeypatch.setenv("DB_PASSWORD", ADMIN)
    return heard


@contextmanager
def opened(client: params.Params) -> Iterator[Intake]:
    loaded = intake.load(client)
    assert loaded.con.name == "postgres"
    try:
        yield loaded
    finally:
        loaded.con.disconnect()


def test_every_figure_and_every_finding(programme: Programme, lengths: list[int]) -> None:
    """133 KPIs; each rule of data quality with its rows and examples; the accounts, span by span."""
    copied, here = programme.params(extract=True), programme.params(extract=False)
    files = intake.load(copied)
    one = compute(discover().catalog, copied, book.loaded(files))
    with opened(here) as tables:
        other = compute(discover().catalog, here, book.loaded(tables))

    assert tables.findings == files.findings
    assert len({finding.rule for finding in tables.findings}) > 15
    assert tables.reconciled == files.reconciled
    assert one.scorecard["kpi"].nunique() == 133
    assert "failed" not in set(one.scorecard["status"])
    assert parity.differences(one, other) == []


def test_no_table_of_customers_travels(programme: Programme, lengths: list[int]) -> None:
    """Intake's longest answer are the 36 months of the accounts; six KPIs of two periods, a row each.

    KPIs that are written in pandas fetch rows of their views; these six are sums.
    """
    kpis = ("net_sales", "avg_receipt", "active_customers", "purchase_frequency", "member_revenue_share", "reward_rate")
    client = programme.params(extract=False)
    with opened(client) as tables:
        assert max(lengths) == 36
        assert tables.facts["transactions"].rows > 1500
        lengths.clear()
        card = compute(only(*kpis), client, book.loaded(tables)).scorecard

    assert not set(card["status"]) & {"failed", "missing_data"}
    assert max(lengths) <= 12


def test_a_connection_that_drops_while_figures_are_computed(
    programme: Programme, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = programme.params(extract=False)
    plain = Postgres.rows

    def cut(self: Postgres, sql: str, table: ibis.Table) -> pa.Table:
        programme.server.sql(f"SELECT pg_terminate_backend({self.ibis.con.info.backend_pid})")
        return plain(self, sql, table)

    monkeypatch.setattr(Postgres, "rows", cut)
    with opened(client) as tables, pytest.raises(LostError) as caught:
        compute(only("net_sales", "avg_receipt"), client, book.loaded(tables))
    assert str(caught.value) == (
        "database: the connection was lost while the figures were computed · "
        "try again; if it happens again, ask who runs the server"
    )
