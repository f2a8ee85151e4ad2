"""A CSV of 2 GB in a foreign dialect (cp1252, ';', decimal comma, dd.mm.yyyy) is checked in bounded memory.

``python benchmarks/torture/large_csv.py [GIGABYTES]`` writes the file into a folder of its own, runs ``kpibook check``
on it, and prints time, peak memory (resident set) and what was said of it; exit code 1 above 2 GB of memory.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

MOST_MEMORY = 2_000_000_000
LINE = 62  # bytes, about
PARAMS = """\
client: large
title: Large
language: en
currency: EUR
timezone: Europe/Berlin
period: 2024-01-01/2024-12-31
compare: none
source: data
limits: {memory: 1GB}
tables:
  order_lines:
    from: lines.csv
    columns:
      transaction_id: Beleg
      customer_id: Kunde
      ts: Zeit
      product_id: Artikel
      quantity: Menge
      net_amount: Betrag
"""


def generated(path: Path, size: int) -> tuple[int, float]:
    """Write about ``size`` bytes; rows and the sum of their amounts, by DuckDB."""
    rows = size // LINE
    amounts = f"SELECT i, i * 48271 % 1500 AS a FROM range({rows}) r(i)"
    moment = f"TIMESTAMP '2024-01-01 08:00:00' + to_seconds(i // 3 * 31000000 // {rows} * 3)"
    columns = {
        "Beleg": "'B' || lpad((i // 3)::VARCHAR, 10, '0')",
        "Kunde": "'K' || lpad((i // 3 * 7919 % 400000)::VARCHAR, 7, '0')",
        "Zeit": f"strftime({moment}, '%d.%m.%Y %H:%M:%S')",
        "Artikel": "'Käse & Öl ' || (i % 5000)",
        "Menge": "(i % 4 + 1)::VARCHAR",
        "Betrag": "replace(format('{:,}', a), ',', '.') || ',' || lpad((i % 100)::VARCHAR, 2, '0')",
    }
    select = f"SELECT {', '.join(f'{value} AS {name}' for name, value in columns.items())} FROM ({amounts})"
    utf8 = path.with_suffix(".utf8")
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as con:
        con.execute(f"COPY ({select}) TO '{utf8}' (FORMAT csv, DELIMITER ';', HEADER, QUOTE '\"')")
        total = con.execute(f"SELECT sum(a + (i % 100) / 100) FROM ({amounts})").fetchone()
    with utf8.open(encoding="utf-8", newline="") as source, path.open("w", encoding="cp1252", newline="") as target:
        while piece := source.read(8_000_000):
            target.write(piece)
    utf8.unlink()
    return rows, float(total[0]) if total else 0.0


def main(gigabytes: float) -> int:
    with tempfile.TemporaryDirectory(prefix="kpibook-large-") as folder:
        path = Path(folder, "data", "lines.csv")
        path.parent.mkdir()
        rows, total = generated(path, int(gigabytes * 1e9))
        Path(folder, "large.yaml").write_text(PARAMS, encoding="utf-8")
        print(f"{path.stat().st_size / 1e9:.2f} GB, {rows} rows, amounts {total:.2f}", flush=True)
        began = time.monotonic()
        command = [str(Path(sys.executable).with_name("kpibook")), "check", "large.yaml"]
        environment = {**os.environ, "TMPDIR": folder}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    said = [line for line in done.stderr.splitlines() if line.startswith("lines.csv: ")]
    print("\n".join(done.stdout.splitlines()[:12]))
    print(f"progress: {len(said)} lines, such as {said[:3]}" if done.returncode == 0 else done.stderr)
    print(f"exit code {done.returncode}, {seconds:.0f} s, peak memory {peak / 1e9:.2f} GB")
    return 0 if done.returncode == 0 and peak < MOST_MEMORY else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
