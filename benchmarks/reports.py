"""Twenty small clients, a notebook and a page each: one ``kpibook run`` against papermill and nbconvert in a loop.

The notebook is the same on every side: ten cells that import, query a small Parquet file with DuckDB and Ibis, draw
two charts and a table, and save a scorecard. In each round every side makes all reports, one side after the other;
the median of the rounds' ratios counts. ``python benchmarks/reports.py [ROUNDS] [CLIENTS]``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import nbformat

ROUNDS, CLIENTS = os.environ.get("ROUNDS", "5"), os.environ.get("CLIENTS", "20")
BIN = Path(sys.executable).parent
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
NOTEBOOK = """
params = "nothing"
# %%
import json, os, pathlib
import altair as alt, duckdb, great_tables as gt, ibis, IPython.display, pandas as pd
rollup = pathlib.Path("/proc/self/smaps_rollup")
private = lambda: sum(int(line.split()[1]) for line in rollup.read_text().splitlines() if line.startswith("Private_"))
imported = private()
# %%
file = str(pathlib.Path(params).parent / "lines.parquet")
lines = ibis.duckdb.connect().read_parquet(file)
int(lines.count().execute())
# %%
months = lines.group_by("month", "channel").agg(sales=lines.amount.sum(), orders=lines.order_id.nunique())
months = months.order_by("month", "channel").execute()
months.tail(8)
# %%
receipts = lines.group_by("channel").agg(receipt=lines.amount.sum() / lines.order_id.nunique())
receipts = receipts.order_by("channel").execute()
receipts
# %%
wide = months.pivot_table(index="month", columns="channel", values="sales").round(0)
wide
# %%
chart = alt.Chart(months).mark_line().encode(x="month:O", y="sales:Q", color="channel:N").properties(title="Sales")
alt.renderers.enable("svg")
chart
# %%
alt.Chart(receipts).mark_bar().encode(x="channel:N", y="receipt:Q")
# %%
table = gt.GT(wide.reset_index(), id="sales").fmt_number(columns=["store", "web"], decimals=0)
IPython.display.HTML(table.as_raw_html())
# %%
sums = f"SELECT customer_id AS c, sum(amount) AS s FROM '{file}' GROUP BY 1"
fifths = duckdb.sql(f"SELECT ntile(5) OVER (ORDER BY s, c) AS q, s FROM ({sums})").df()
fifths.groupby("q").s.agg(["count", "sum"]).round(2)
# %%
place = pathlib.Path(os.environ.get("KPIBOOK_RUN_DIR", "."))
card = pd.DataFrame({"kpi": ["sales"], "segment_by": "total", "segment": "total", "period": "current",
                     "value": [float(months.sales.sum())], "status": "ok"})
card.to_parquet(place / "scorecard.parquet")
card.to_csv(place / "scorecard.csv", index=False)
(place / "quality.json").write_text(json.dumps({"fingerprints": {}}))
pathlib.Path(params).with_suffix(".kb").write_text(f"{imported} {private()}")
print("saved")
"""
PARAMS = """client: client-{n:02}
title: Client {n}
language: en
currency: EUR
timezone: UTC
period: 2024-01-01/2024-12-31
compare: none
source: .
tables:
  order_lines: {{from: lines.parquet, columns: {{transaction_id: order_id, business_date: day, net_amount: amount}}}}
notebook: light.ipynb
limits: {{memory: 500MB}}
"""
LINES = """COPY (SELECT i // 3 AS order_id, (i * 7919) % 2003 AS customer_id, 1 + i % 12 AS month,
  CASE WHEN i % 5 < 2 THEN 'web' ELSE 'store' END AS channel, 1 + (i * 31) % 97 AS amount FROM range(100000) t(i))
  TO '{}' (FORMAT parquet)"""


def laid_out(folder: Path, clients: int) -> list[Path]:
    """Params files of so many clients beside their data and the notebook."""
    duckdb.sql(LINES.format(folder / "lines.parquet"))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in NOTEBOOK.split("# %%")]
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell{number:02}"
    nbformat.write(notebook, folder / "light.ipynb")
    paths = [folder / f"client-{n:02}.yaml" for n in range(clients)]
    for number, path in enumerate(paths):
        path.write_text(PARAMS.format(n=number), encoding="utf-8")
    return paths


def stock(folder: Path, clients: list[Path], at_once: int, proof: bool) -> None:
    """``papermill``, ``nbconvert`` and, as a proof, ``pytest --nbval``, each a command of its own."""
    steps = [
        f'{BIN}/papermill light.ipynb "$1.ipynb" -p params "$1" --no-progress-bar',
        f'{BIN}/jupyter-nbconvert --to html "$1.ipynb"',
        *([f'{BIN}/python -m pytest -q -p no:cacheprovider --nbval "$1.ipynb"'] if proof else []),
    ]
    command = ["xargs", "-P", str(at_once), "-n", "1", "sh", "-c", " && ".join(steps), "report"]
    subprocess.run(command, cwd=folder, input="\n".join(map(str, clients)).encode(), check=True, **QUIET)  # type: ignore[call-overload]
    assert all(path.with_name(f"{path.name}.html").is_file() for path in clients)


def ours(folder: Path, clients: list[Path], at_once: int, proof: bool) -> None:
    """One command."""
    options = ["--jobs", str(at_once), "--out", str(folder / "reports"), *([] if proof else ["--no-proof"])]
    command = [BIN / "kpibook", "run", *clients, *options]
    subprocess.run(command, cwd=folder, check=True, **QUIET)  # type: ignore[call-overload]


def main(rounds: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        clients = laid_out(folder, count)
        sides: dict[str, Callable[[], None]] = {
            "papermill, nbconvert in a loop": lambda: stock(folder, clients, 1, proof=False),
            "papermill, nbconvert, xargs -P2": lambda: stock(folder, clients, 2, proof=False),
            "kpibook run --jobs 2 --no-proof": lambda: ours(folder, clients, 2, proof=False),
            "papermill, nbconvert, nbval in a loop": lambda: stock(folder, clients, 1, proof=True),
            "kpibook run --jobs 2": lambda: ours(folder, clients, 2, proof=True),
        }
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, make in sides.items():
                began = time.perf_counter()
                make()
                seconds[name].append(time.perf_counter() - began)
        kept = [[int(kb) / 1024 for kb in path.with_suffix(".kb").read_text().split()] for path in clients]
    imported, ended = (statistics.median(each) for each in zip(*kept, strict=True))
    print(f"{count} clients, {rounds} rounds, {os.cpu_count()} processors")
    print(f"private memory of a kernel: {imported:.0f} MB after its imports, {ended:.0f} MB with data and drawn charts")
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        print(f"{name:40} {middle:7.1f} s  {60 * count / middle:6.1f} reports a minute")
    for fast, slow in (
        ("kpibook run --jobs 2 --no-proof", "papermill, nbconvert in a loop"),
        ("kpibook run --jobs 2 --no-proof", "papermill, nbconvert, xargs -P2"),
        ("kpibook run --jobs 2", "papermill, nbconvert, nbval in a loop"),
    ):
        ratios = sorted(a / b for a, b in zip(seconds[slow], seconds[fast], strict=True))
        print(f"{statistics.median(ratios):5.1f} times {slow} ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main(*(int(given) for given in (*sys.argv[1:], *(ROUNDS, CLIENTS)[len(sys.argv) - 1 :])))
