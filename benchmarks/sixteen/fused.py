"""The same values by SQL that one hand fused for these very KPIs: the practical limit. No intervals, no changes."""

from __future__ import annotations

from typing import Any

import duckdb

Key = tuple[str, str, str, str]
ROLLED = """
CREATE TEMP TABLE r AS
  SELECT c, m, ch, count(*)::INT AS n, sum(a) AS a, sum(k) AS k, min(d) AS d1, max(d) AS d2, min(o) AS o1
  FROM (SELECT order_id AS o, any_value(customer_id) AS c, any_value(ordered_at)::DATE AS d, any_value(channel) AS ch,
          sum(amount) AS a, sum(cost) AS k, (year(d) * 12 + month(d) - 24265)::TINYINT AS m
        FROM '{file}' GROUP BY order_id) GROUP BY ALL;
CREATE TEMP TABLE cm AS SELECT c, m, sum(n)::INT AS n, sum(a) AS a, max(d2) AS d2
  FROM r WHERE c IS NOT NULL GROUP BY 1, 2;
CREATE TEMP TABLE cp AS SELECT c, m >= 24 AS q, sum(n)::INT AS n, round(sum(a), 2) AS a, max(d2) AS d
  FROM cm WHERE m >= 12 GROUP BY 1, 2;
"""
CELLS = """
WITH cells AS (
  SELECT m >= 24 AS q,
    CASE WHEN grouping(ch) = 0 THEN 'channel' WHEN grouping(m) = 0 THEN 'month' ELSE 'total' END AS d,
    coalesce(ch, strftime(DATE '2022-01-01' + to_months(m::INT), '%Y-%m'), 'total') AS key,
    sum(n) AS n, sum(a) AS a, sum(k) AS k, sum(n) FILTER (c IS NOT NULL) AS nm, sum(a) FILTER (c IS NOT NULL) AS am,
    sum(k) FILTER (c IS NOT NULL) AS km, count(DISTINCT c) AS x
  FROM r WHERE m >= 12 GROUP BY GROUPING SETS ((q), (q, m), (q, ch)))
SELECT unnest([('revenue', a), ('orders_placed', n), ('active', x), ('receipt_members', am / nm),
  ('receipt_others', (a - am) / (n - nm)), ('receipt_gap', am / nm - (a - am) / (n - nm)), ('known_share', am / a),
  ('margin_members', (am - km) / am), ('margin_others', (a - am - k + km) / (a - am)), ('frequency', nm / x)]) AS u,
  q, d, key FROM cells
"""
OTHERS = """
SELECT 'repeat_rate', q, 'total', 'total', avg((n >= 2)::INT) FROM cp GROUP BY q
UNION ALL SELECT 'repeat_rate', m >= 24, 'month', strftime(DATE '2022-01-01' + to_months(m::INT), '%Y-%m'),
  avg((n >= 2)::INT) FROM cm WHERE m >= 12 GROUP BY m
UNION ALL SELECT 'lapsed', q, 'total', 'total',
  count(*) FILTER (CASE WHEN q THEN DATE '2025-01-01' ELSE DATE '2024-01-01' END - d > 90) FROM cp GROUP BY q
UNION ALL SELECT 'retained', q, d, key, sum(x) FROM (
    SELECT m >= 24 AS q, strftime(DATE '2022-01-01' + to_months(m::INT), '%Y-%m') AS month, count(*) AS x
    FROM (SELECT m, lead(m) OVER (PARTITION BY c ORDER BY m) AS f FROM cm) WHERE f = m + 1 AND m >= 12 GROUP BY m),
  LATERAL (VALUES ('total', 'total'), ('month', month)) l(d, key) GROUP BY ALL
UNION ALL SELECT 'first_buyers', q, d, key, sum(x) FROM (
    SELECT f >= DATE '2024-01-01' AS q, strftime(f, '%Y-%m') AS month, ch, count(*) AS x
    FROM (SELECT min(d1) AS f, arg_min(ch, o1) AS ch FROM r WHERE c IS NOT NULL GROUP BY c)
    WHERE f >= DATE '2023-01-01' GROUP BY ALL),
  LATERAL (VALUES ('total', 'total'), ('month', month), ('channel', ch)) l(d, key) GROUP BY ALL
"""
RANKED = """
CREATE TEMP TABLE h AS SELECT q, r, f, m,
    CASE WHEN 5 * i <= x THEN 'heavy' WHEN 2 * i <= x THEN 'medium' ELSE 'low' END AS level
  FROM (SELECT q, row_number() OVER (PARTITION BY q ORDER BY a DESC, c::VARCHAR) AS i,
    count(*) OVER (PARTITION BY q) AS x, ntile(5) OVER (PARTITION BY q ORDER BY d, c::VARCHAR) AS r,
    ntile(5) OVER (PARTITION BY q ORDER BY n, c::VARCHAR) AS f,
    ntile(5) OVER (PARTITION BY q ORDER BY a, c::VARCHAR) AS m FROM cp)
"""
SHARES = """
SELECT 'heavy_share', q, 'total', 'total', avg((level = 'heavy')::INT) FROM h GROUP BY q
UNION ALL SELECT 'rfm', q, 'total', 'total', avg((r = 5 AND f = 5 AND m = 5)::INT) FROM h GROUP BY q
"""
TABLES = """
SELECT 'heavy_share', q, 'all', level, count(*) FROM h GROUP BY ALL
UNION ALL SELECT 'rfm', q, r::VARCHAR || f, m::VARCHAR, count(*) FROM h GROUP BY ALL
"""


def computed(file: str, threads: int = 2) -> tuple[dict[Key, float], dict[Key, float]]:
    """Values by KPI, period, breakdown and segment; cells of the tables by KPI, period, row and column."""
    con = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    con.execute(ROLLED.format(file=file))
    cells = [(*figure, *place) for figure, *place in con.execute(CELLS).fetchall()]
    rows = [(kpi, q, d, key, value) for kpi, value, q, d, key in cells] + con.execute(OTHERS).fetchall()
    con.execute(RANKED)
    return _named(rows + con.execute(SHARES).fetchall()), _named(con.execute(TABLES).fetchall())


def _named(rows: list[Any]) -> dict[Key, float]:
    return {(kpi, "current" if q else "previous", d, key): float(value) for kpi, q, d, key, value in rows}
