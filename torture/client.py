"""A generated client, seconds a run: its params, its lines, a template, and the command run for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import nbformat

PERIOD = "2024-07-01_2024-12-31"

PARAMS = """\
client: {name}
title: {name}
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-07-01/2024-12-31
compare: none
source: data
tables:
  order_lines:
    from: lines.csv
    columns:
      transaction_id: ticket
      customer_id: client
      ts: {{column: sold_at, timezone: UTC}}
      product_id: article
      quantity: pieces
      net_amount: "= cast(total as decimal(18, 4))"
notebook: template.ipynb
plugins: plugins
limits: {{minutes: {minutes}}}
"""

GOOD = '''\
"""Baskets: what one is worth."""

from kpibook import hookimpl, kpi, ratio, view


@view(key="transaction_id", date="business_date")
def baskets(transactions, order_lines):
    lines = order_lines.group_by("transaction_id").agg(net=order_lines.net_amount.sum())
    sold = transactions.select("transaction_id", "customer_id", "business_date")
    return sold.join(lines, "transaction_id").select("transaction_id", "customer_id", "business_date", "net")


@kpi(unit="money", better="higher")
def basket_value(baskets):
    """Basket value: net sales per basket."""
    return ratio(baskets.net.sum(), baskets.count(), cluster=baskets.customer_id)


@hookimpl
def kpibook_definitions():
    return [baskets, basket_value]
'''

#: The whole road with the client's own KPIs only: the first-party pack would cost half a minute a run.
OPEN = (
    "import kpibook\nfrom kpibook import plugins\nplugins._packs = lambda: ([], [])\n"
    "book = kpibook.open(params)\nbook.cover()"
)
BOOK = (OPEN, "book.other_sections()", "book.save()")

#: Papermill, page and validation with figures that are given, and without pandas in the kernel: for hundreds of runs.
SHOW = (
    "import json, os, pathlib\nimport pyarrow as pa\nfrom pyarrow import csv, parquet\n"
    "card = pa.table({'kpi': ['net_sales'], 'segment_by': ['total'], 'segment': ['total'], 'period': ['current'],\n"
    "                 'value': [1234.5], 'status': ['ok']})\ncard.to_pylist()"
)
SAVE = (
    "place = pathlib.Path(os.environ['KPIBOOK_RUN_DIR'])\n"
    "parquet.write_table(card, place / 'scorecard.parquet')\n"
    "csv.write_csv(card, place / 'scorecard.csv')\n"
    "(place / 'quality.json').write_text(json.dumps({'fingerprints': {}, 'definitions': {}}))"
)
GIVEN = (SHOW, SAVE)


@dataclass(frozen=True)
class Done:
    """What a command left: exit code and all that it said."""

    code: int
    said: str


@dataclass(frozen=True)
class Client:
    """A client's workspace; ``out`` is the reports folder."""

    folder: Path
    name: str
    out: Path

    @property
    def params(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @property
    def home(self) -> Path:
        return self.out / self.name

    @property
    def report(self) -> Path:
        return self.home / PERIOD

    def plugin(self, text: str = GOOD) -> None:
        """Let this be the client's one plugin."""
        place = self.folder / "plugins"
        place.mkdir(exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        (place / "lines.py").write_text(text, encoding="utf-8")

    def limit(self, minutes: int) -> None:
        self.params.write_text(PARAMS.format(name=self.name, minutes=minutes), encoding="utf-8")

    def run(self, *others: Client, timeout: float = 900, **env: str) -> Done:
        return finish(self.start(*others, **env), timeout)

    def start(self, *others: Client, **env: str) -> subprocess.Popen[str]:
        """``kpibook run`` in a session of its own, with ``others`` in the same batch."""
        paths = [str(each.params) for each in (self, *others)]
        command = [str(Path(sys.executable).with_name("kpibook")), "run", *paths, "--out", str(self.out), "--jobs", "2"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "200", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )


def finish(command: subprocess.Popen[str], timeout: float = 900) -> Done:
    """Wait for a command's end."""
    said, _ = command.communicate(timeout=timeout)
    return Done(command.returncode, said)


def make(base: Path, name: str, out: Path, cells: tuple[str, ...] = BOOK, minutes: int = 10) -> Client:
    """A workspace of its own in ``base/name``."""
    client = Client(base / name, name, out)
    (client.folder / "data").mkdir(parents=True)
    client.limit(minutes)
    client.plugin()
    rng = random.Random(name)  # noqa: S311 (figures to be repeated, no secret)
    rows = ["ticket,client,sold_at,article,pieces,total"]
    for n in range(120):
        day = date(2024, 6, 20) + timedelta(days=rng.randrange(194))
        customer, pieces, amount = rng.randrange(20), rng.randrange(1, 4), rng.randrange(1000, 9000) / 100
        rows.append(f"t{n},c{customer},{day} 10:00:00,a{n % 7},{pieces},{amount}")
    (client.folder / "data" / "lines.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    book = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell('params = "x.yaml"', metadata={"tags": ["parameters"]})
    book.cells = [first, *map(nbformat.v4.new_code_cell, cells)]
    nbformat.write(book, client.folder / "template.ipynb")
    return client
