"""Seeded order lines of three years: few customers and products make most of them, a quarter is anonymous."""

from __future__ import annotations

from pathlib import Path

import duckdb

#: Lines an order, on average.
LINES = 2.5
MADE = """
CREATE MACRO u(i, k) AS (hash(i::BIGINT, k::BIGINT) >> 11)::DOUBLE / 9007199254740992.0;
CREATE MACRO skewed(x, n) AS least(n - 1, floor(n * pow(x, 3)))::BIGINT;
COPY (
  WITH orders AS (
    SELECT i, i / {orders} AS x, skewed(u(i, 1), {customers}) AS person,
      1 + (4 * u(i, 5))::BIGINT % 4 AS lines,
      CASE WHEN u(i, 7) < 0.6 THEN 'store' WHEN u(i, 7) < 0.9 THEN 'web' ELSE 'app' END AS channel
    FROM range({orders}) t(i))
  SELECT i AS order_id, i * 8 + line AS line_id,
    CASE WHEN u(i, 4) < 0.25 OR x < 1.2 * u(person, 9) - 0.4 THEN NULL ELSE person END AS customer_id,
    TIMESTAMP '2022-01-01' + to_seconds((x * 1096 * 86400)::BIGINT) AS ordered_at, channel,
    skewed(u(i * 8 + line, 10), 5000) AS product_id,
    round(2 + 180 * pow(u(i * 8 + line, 11), 3), 2) AS amount,
    round((2 + 180 * pow(u(i * 8 + line, 11), 3)) * (0.4 + 0.3 * u(i * 8 + line, 12)), 2) AS cost
  FROM (SELECT *, unnest(range(lines)) AS line FROM orders)
) TO '{file}' (FORMAT parquet, COMPRESSION zstd)
"""


def write(file: Path, rows: int) -> None:
    """About ``rows`` lines as Parquet, in the order of time; the same for the same number."""
    orders, customers = int(rows / LINES), max(1000, rows // 30)
    duckdb.connect().execute(MADE.format(orders=orders, customers=customers, file=file))
