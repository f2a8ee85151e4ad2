"""The eight orders of the bad inputs: mapped as a user would, loaded, and counted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

from kpibook import intake, params
from kpibook.cli.check import findings
from kpibook.errors import KpibookError

HEAD = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2025-01-01/2025-03-31
compare: none
source: data
tables:
"""
ORDERS = """\
order_lines:
  from: {file}
  columns:
    transaction_id: order_id
    customer_id: customer_id
    business_date: order_date
    product_id: product
    quantity: quantity
    net_amount: amount
"""
TRUTH = {
    "rows": 8,
    "orders": 8,
    "customers": 5,
    "revenue": 2258.04,
    "by_month": {"2025-01": 1254.4, "2025-02": 956.34, "2025-03": 47.3},
}


def refusal(file: str) -> str:
    """The whole message that refuses a file of the corpora."""
    lines = (Path(__file__).parent / "refusal_messages.txt").read_text(encoding="utf-8").splitlines()
    (found,) = [line for line in lines if line.startswith(f"{file}:") or f": {file} has no column " in line]
    return found


@dataclass(frozen=True)
class Read:
    """How a file ended: ``verdict`` as the manifest has it, ``said`` all that a user reads, ``found`` the numbers."""

    verdict: str
    said: str
    code: int = 0
    found: dict[str, Any] = field(default_factory=dict)
    loaded: Any = None

    @property
    def told(self) -> list[Any]:
        """What reading assumed."""
        return [f for f in self.loaded.findings if f.rule.startswith("read_")]


def orders(file: str, options: str = "", **columns: str) -> str:
    """The mapping of the eight orders; ``options`` are keys of the table, ``columns`` other names for columns."""
    text = ORDERS.format(file=file)
    for column, name in columns.items():
        text = "".join(
            f"    {column}: {name}\n" if line.strip().startswith(f"{column}:") else f"{line}\n"
            for line in text.splitlines()
        )
    return text + indent(options.strip("\n"), "  ") + "\n" if options else text


def read(folder: Path, tables: str, head: str = "") -> Read:
    """Load the files in ``folder/data`` by ``tables`` (YAML) and say what came of it."""
    own = {line.partition(":")[0] for line in head.splitlines()}
    lines = [line for line in HEAD.splitlines() if line.partition(":")[0] not in own]
    text = "\n".join([*([head.strip()] if head else []), *lines, indent(tables, "  ")])
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        client = params.load(path)
        loaded = intake.load(client)
    except KpibookError as error:
        return Read("refuse", str(error).replace(f"{folder}/", ""), error.exit_code)
    told = [f for f in loaded.findings if f.rule.startswith("read_")]
    verdict = "accept_with_warning" if told else "accept"
    document = json.dumps(intake.quality_document(loaded), ensure_ascii=False)
    assert all(f'"{f.rule}"' in document for f in told)
    return Read(verdict, "\n".join(findings(loaded, client)), 0, counted(loaded), loaded)


def counted(loaded: Any) -> dict[str, Any]:
    """Rows, orders, customers, revenue and revenue by month, as the manifest's truth has them."""
    rows, customers, revenue = loaded.con.raw_sql(
        "SELECT (SELECT count(*) FROM order_lines), (SELECT count(DISTINCT customer_id) FROM transactions), "
        "(SELECT sum(net_amount) FROM order_lines)"
    ).fetchone()
    months = loaded.con.raw_sql(
        "SELECT strftime(business_date, '%Y-%m') AS month, sum(net_amount) FROM order_lines "
        "JOIN transactions USING (transaction_id) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        "rows": rows,
        "orders": loaded.facts["transactions"].rows,
        "customers": customers,
        "revenue": float(revenue) if revenue is not None else None,
        "by_month": {month: float(amount) for month, amount in months},
    }
