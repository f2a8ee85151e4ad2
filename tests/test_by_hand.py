"""``kpibook sql``: what an auditor is given runs in DuckDB alone, whatever the client's files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest

from kpibook import by_hand, params
from kpibook.errors import DataError, ParamsError

if TYPE_CHECKING:
    from collections.abc import Sequence

PARAMS = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-02-29
compare: none
source: data
tables:
  order_lines:
    from: {file}
    columns: {{transaction_id: ticket, ts: día, customer_id: quién, net_amount: total}}
"""
ROWS = [
    ("t1", "02/01/2024", "añe", "1.234,50"),
    ("t2", "13/01/2024", "ñu", "10,00"),
    ("t3", "14/02/2024", "añe", "5,25"),
]
NAMES = ("ticket", "día", "quién", "total")
CSV = "\n".join(";".join(row) for row in (NAMES, *ROWS)) + "\n"
WARNED = (
    "-- DuckDB alone does not make {}: so this script does not run.\n"
    "-- kpibook sql net_sales PARAMS --data FOLDER writes what it reads to FOLDER, and prints one that runs.\n"
    "\n-- net_sales: "
)


def shop(folder: Path, file: str, content: bytes | pd.DataFrame, more: str = "") -> params.Params:
    (folder / "data").mkdir()
    if isinstance(content, bytes):
        (folder / "data" / file).write_bytes(content)
    else:
        content.to_excel(folder / "data" / file, index=False)
    (folder / "shop.yaml").write_text(PARAMS.format(file=file) + more, encoding="utf-8")
    return params.load(folder / "shop.yaml")


def run(script: str, folder: Path) -> list[Sequence[Any]]:
    """The answers of a script in a DuckDB that fetches nothing, started in ``folder``."""
    own = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    with duckdb.connect(config=own) as con:
        con.execute(f"SET file_search_path = '{folder}'")
        answers = []
        for statement in con.extract_statements(script):
            done = con.execute(statement)
            if statement.type == duckdb.StatementType.SELECT:
                answers += done.fetchall()
        return answers


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("ventas.csv", CSV.encode("cp1252")),
        ("ventas.csv", (CSV + "Total;;\n").encode()),
        ("ventas.xlsx", pd.DataFrame(ROWS, columns=NAMES)),
    ],
    ids=["cp1252", "a total below", "workbook"],
)
def test_what_duckdb_cannot_read_is_said_and_runs_on_the_tables_written(
    tmp_path: Path, file: str, content: bytes | pd.DataFrame
) -> None:
    """1,234.50 + 10.00 + 5.25 of two persons; each of the files is refused by DuckDB as it stands."""
    client = shop(tmp_path, file, content)
    told = by_hand.queries("net_sales", client)
    assert told.startswith(WARNED.format(f"order_lines, transactions ({file})"))
    with pytest.raises(duckdb.Error):
        run(told, tmp_path / "data")
    script = by_hand.queries("net_sales", client, tmp_path / "audit" / "net_sales")
    assert script.startswith("-- net_sales: ")
    *_, total, rows, persons, _squares = run(script, tmp_path)[0]
    assert (float(total), rows, persons) == (1249.75, 2, 2)
    assert sorted(path.name for path in (tmp_path / "audit" / "net_sales").iterdir()) == [
        "order_lines.parquet", "transactions.parquet",
    ]  # fmt: skip
    assert (tmp_path / "audit" / "net_sales").stat().st_mode & 0o777 == 0o700


def test_what_duckdb_reads_is_read_from_the_clients_file(tmp_path: Path) -> None:
    script = by_hand.queries("net_sales", shop(tmp_path, "ventas.csv", CSV.encode()))
    assert script.startswith("-- net_sales: ")
    *_, total, rows, persons, _squares = run(script, tmp_path / "data")[0]
    assert (float(total), rows, persons) == (1249.75, 2, 2)


def test_what_params_alone_say_is_written_too(tmp_path: Path) -> None:
    """Costs of the params file are in no file of the client's."""
    costs = "costs:\n- {cost_type: operations, amount: 120, is_in_transactions: false}\n"
    client = shop(tmp_path, "ventas.csv", CSV.encode(), costs)
    assert by_hand.queries("total_programme_cost", client).startswith("-- total_programme_cost: ")
    by_hand.queries("total_programme_cost", client, tmp_path / "out")
    (cost,) = duckdb.connect().execute(f"SELECT amount FROM '{tmp_path}/out/programme_costs.parquet'").fetchall()
    assert cost == (120,)


def test_a_folder_that_has_something_is_left_alone(tmp_path: Path) -> None:
    client = shop(tmp_path, "ventas.csv", CSV.encode())
    with pytest.raises(ParamsError) as caught:
        by_hand.queries("net_sales", client, tmp_path / "data")
    assert str(caught.value) == (f"command line: --data: '{tmp_path}/data' is there, and not empty · name a new folder")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ventas.csv"]


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = shop(tmp_path, "ventas.csv", CSV.encode())
    inside = tmp_path / "shop.yaml" / "out"
    with pytest.raises(ParamsError) as caught:
        by_hand.queries("net_sales", client, inside)
    assert str(caught.value) == (
        f"command line: --data: '{inside}' cannot be written (Not a directory)"
        " · name a folder that can be made, with room"
    )
    monkeypatch.setattr(by_hand, "own_folder", lambda con: Path("/nowhere"))
    with pytest.raises(DataError) as refused:
        by_hand.queries("net_sales", client, tmp_path / "out")
    assert str(refused.value) == str(by_hand.room.full(str(tmp_path / "out")))
