"""``kpibook check``: findings and computability as lines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

from kpibook.cli.check import matrix

PARAMS: Any = SimpleNamespace(language="en", currency="EUR")


def test_only_what_cannot_be_computed_in_full_is_named() -> None:
    rows = [
        {"kpi": "net_sales", "state": "computable", "missing": [], "reason": ""},
        {"kpi": "margin", "state": "not", "missing": ["order_lines.cost", "products.cost"], "reason": "{}"},
    ]
    lines = matrix(pd.DataFrame(rows), PARAMS)
    assert len(lines) == 2
    assert lines[1].endswith("margin: order_lines.cost, products.cost")
