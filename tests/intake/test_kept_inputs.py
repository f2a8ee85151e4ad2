"""Tables kept from an earlier run: those that reading the files again would give, and anew when a byte changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from kpibook import intake
from kpibook.cache import code
from kpibook.cache.store import Store
from kpibook.errors import DataError
from kpibook.intake import kept
from kpibook.model import TABLES
from kpibook.params import Params

if TYPE_CHECKING:
    from pathlib import Path

    from intake.shop_client import Client
    from kpibook.intake import Intake

LINES = """\
ticket,person,sold,total,channel
t1,c1,2017-07-03 10:00:00,10.50,web
t1,c1,2017-07-03 10:00:00,4.25,web
t2,c2,2017-09-30 23:30:00,7.00,store
t3,,2017-12-31 12:00:00,0.10,store
"""
PERSONS = "person,born\nc1,1970\nc2,1985\n"
MAPPING = """
order_lines:
  from: lines.csv
  columns: {transaction_id: ticket, customer_id: person, ts: sold, net_amount: total, channel: channel}
customers:
  from: persons.csv
  columns: {customer_id: person, birth_year: born}
company_financials:
  from: accounts.csv
  columns: {period_start: first, period_end: last, net_revenue: revenue}
"""


@pytest.fixture
def shop(client: Client) -> Client:
    client.csv("lines.csv", LINES)
    client.csv("persons.csv", PERSONS)
    client.csv("accounts.csv", "first,last,revenue\n2017-07-03,2017-12-31,22.00\n")
    return client


def load(client: Client, head: str = "", tables: str = MAPPING, name: str = "shop") -> tuple[Intake, Store]:
    store = Store(client.folder / "cache", name, 10**9)
    return intake.load(client.params(tables, head), store=store), store


def content(loaded: Intake) -> dict[str, Any]:
    """Everything that anybody can see of an intake: tables with types and order, facts, findings."""
    rows = {n: loaded.con.raw_sql(f"SELECT * FROM {n}").fetchall() for n in TABLES}
    types = {n: loaded.con.raw_sql(f"DESCRIBE {n}").fetchall() for n in TABLES}
    return {"rows": rows, "types": types, **vars(replace(loaded, con=None, taken=False))}


def test_what_is_taken_is_what_would_be_read(shop: Client) -> None:
    (first, _), (again, store) = load(shop), load(shop)
    alone = intake.load(shop.params(MAPPING))

    assert (first.taken, again.taken, alone.taken) == (False, True, False)
    assert content(again) == content(first)
    assert content(again) == {**content(alone), "digests": first.digests}
    assert again.reconciled[0].ours == 21.85
    assert first.digests["tickets"] == "empty"
    assert set(first.digests) == set(TABLES)
    assert store.notes == []
    assert again.con.raw_sql("SELECT current_setting('lock_configuration')").fetchall() == [(True,)]


def test_what_is_taken_reads_no_more_files_than_what_is_read(shop: Client, tmp_path: Path) -> None:
    load(shop)
    again, _ = load(shop)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException):
        again.con.raw_sql(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")


def test_one_byte_of_one_file_is_another_client(shop: Client) -> None:
    first, _ = load(shop)
    shop.csv("persons.csv", PERSONS.replace("1985", "1986"))
    other, _ = load(shop)

    assert not other.taken
    changed = {name for name in TABLES if other.digests[name] != first.digests[name]}
    assert changed == {"customers"}


def test_a_byte_that_no_table_shows_is_read_again_and_changes_no_digest(shop: Client) -> None:
    first, _ = load(shop)
    shop.csv("persons.csv", PERSONS.replace("born", "born "))
    other, _ = load(shop, tables=MAPPING.replace("birth_year: born", "birth_year: 'born '"))
    assert not other.taken
    assert other.digests == first.digests


@pytest.mark.parametrize(
    ("head", "tables"),
    [
        ("currency: USD", MAPPING),
        ("timezone: Europe/Lisbon", MAPPING),
        ("period: 2017-07-02/2017-12-31", MAPPING),
        ("compare: previous", MAPPING),
        ("card_use: recorded\ntargets: [{kpi: avg_receipt, value: 3, comparator: '>=', set_at: 2017-06-01}]", MAPPING),
        ("costs: [{cost_type: operations, amount: 5, is_in_transactions: false}]", MAPPING),
        ("", MAPPING.replace("net_amount: total", "net_amount: '= cast(total as decimal(12, 2)) * 2'")),
        ("", MAPPING.replace("  from: lines.csv", "  from: lines.csv\n  where: cast(total as double) > 1")),
    ],
)
def test_what_the_params_say_of_the_data_is_read_again(shop: Client, head: str, tables: str) -> None:
    load(shop)
    other, _ = load(shop, head, tables)
    assert not other.taken
    assert content(other) == {**content(intake.load(shop.params(tables, head))), "digests": other.digests}
    assert load(shop, head, tables)[0].taken


@pytest.mark.parametrize(
    "head",
    ["title: Other", "language: de", "breakdowns: [month]", "limits: {threads: 1}", "privacy: {min_persons: 12}"],
)
def test_what_they_say_of_the_report_is_not(shop: Client, head: str) -> None:
    load(shop)
    assert load(shop, head)[0].taken


def test_nothing_else_of_the_params_is_read(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever intake asks of the params, beside where they stand and what the machine may do, decides the key."""
    params, asked = shop.params(MAPPING), set()
    plain = Params.__getattribute__

    def heard(self: Params, name: str) -> Any:
        if name in Params.model_fields:
            asked.add(name)
        return plain(self, name)

    monkeypatch.setattr(Params, "__getattribute__", heard)
    intake.load(params)
    monkeypatch.undo()
    assert asked >= {"tables", "currency", "period"}
    assert asked - {"limits", "path", "source", "extract"} <= set(kept.READ)


def test_other_code_reads_again(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    load(shop)
    monkeypatch.setattr(code, "engine", lambda: "another release")
    assert not load(shop)[0].taken


def test_a_damaged_table_is_read_again_and_told(shop: Client) -> None:
    first, _ = load(shop)
    (path,) = shop.folder.glob("cache/inputs/*/order_lines.parquet")
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)
    other, store = load(shop)

    assert not other.taken
    told = f"the entry {path.parent.name[:12]} is thrown away: order_lines.parquet was damaged"
    assert store.notes == [f"cache, inputs: {told}"]
    assert content(other) == content(first)
    assert load(shop)[0].taken


def test_another_clients_tables_are_not_taken(shop: Client) -> None:
    """Two clients with the same files share no entry, not even when one's folder is copied into the other's."""
    load(shop, name="rival")
    other, store = load(shop)
    assert not other.taken
    (entry,) = (shop.folder / "cache" / "inputs").iterdir()
    assert store.notes == [f"cache, inputs: the entry {entry.name[:12]} is thrown away: it is another client's"]


def test_refused_data_are_not_kept(shop: Client) -> None:
    shop.csv("lines.csv", LINES.replace("4.25", "four"))
    said = []
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            load(shop)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert not (shop.folder / "cache").exists()


def test_a_missing_file_is_told_as_ever(shop: Client) -> None:
    (shop.folder / "data" / "persons.csv").unlink()
    with pytest.raises(DataError) as caught:
        load(shop)
    assert str(caught.value).replace(f"{shop.folder}/", "") == shop.refused(MAPPING)


def test_a_file_that_changes_while_it_is_read_is_not_kept(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = intake.refuse

    def later(*arguments: Any) -> None:
        plain(*arguments)
        shop.csv("persons.csv", PERSONS.replace("1985", "1986"))

    monkeypatch.setattr(intake, "refuse", later)
    first, _ = load(shop)
    monkeypatch.undo()
    shop.csv("persons.csv", PERSONS)
    assert first.digests["customers"] != "empty"
    assert not load(shop)[0].taken


def test_a_full_disk_costs_the_tables_and_not_the_run(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "checksum", full)
    first, store = load(shop)
    assert (first.digests, store.notes) == ({}, ["cache, inputs: not kept ([Errno 28] No space left on device)"])
    assert first.facts["order_lines"].rows == 4
    assert not (shop.folder / "cache").exists()


def test_a_database_is_read_every_time_and_its_tables_are_told_apart(client: Client) -> None:
    (client.folder / "data").mkdir()
    with duckdb.connect(client.folder / "data" / "shop.duckdb") as con:
        con.execute("CREATE TABLE lines (ticket VARCHAR, sold TIMESTAMP, total DECIMAL(12, 2))")
        con.execute("INSERT INTO lines VALUES ('t1', '2017-07-03 10:00:00', 10.5), ('t2', '2017-12-30 10:00:00', 3)")
    tables = """
    order_lines: {from: lines, columns: {transaction_id: ticket, ts: sold, net_amount: total}}
    """
    head = f"source: duckdb://{client.folder}/data/shop.duckdb\nextract: true"
    (first, _), (again, _) = load(client, head, tables), load(client, head, tables)
    assert (first.taken, again.taken) == (False, False)
    assert first.digests == again.digests
    assert not (client.folder / "cache").exists()
