"""A small scorecard with every status, in the types of the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpibook import results
from kpibook.present.words import LANGUAGES, Words
from present.cards import HOSTILE, figure, months, moving

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture
def card() -> pd.DataFrame:
    money = {"unit": "money", "better": "higher", "family": "sales"}
    grown = {"change": 119222.3, "change_low": 61000.0, "change_high": 177000.0}
    rows = [
        figure("net_sales", 2350412.5, 2350412.5, 2350412.5, n=78000, numerator=2350412.5, **grown, **money),
        figure("net_sales", 2231190.2, 2231190.2, 2231190.2, numerator=2231190.2, period="previous", **money),
        figure("avg_receipt", 28.307, 27.902, 28.712, target=30.0, target_state="missed", **money),
        figure("avg_receipt_gap", 6.31, 5.02, 7.6, unit="money", family="sales"),
        *months("avg_receipt", **money),
        figure("avg_receipt", 28.1, 27.4, 28.8, segment_by="channel", segment="store", **money),
        figure("avg_receipt", 41.2, 38.2, 44.2, segment_by="channel", segment=HOSTILE, **money),
        figure("avg_receipt", 35.0, 28.7, 41.3, segment_by="channel", segment="app", **money),
        figure(
            "avg_receipt", None, n=7, segment_by="channel", segment="phone", status="low_n",
            reason='{"id": "reason.privacy", "minimum": 10}', **money,
        ),
        *moving("retention_rate", (0.007, -0.004, 0.018), better="higher", target=0.55, target_state="met"),
        *moving("churn_rate", (-0.017, -0.028, -0.006), better="lower"),
        *moving("member_revenue_share", (0.022, 0.004, 0.041), better="higher", target=0.61, target_state="open"),
        figure("cross_sell_rate", 0.5, 0.3, 0.7, n=17, status="low_n", title=HOSTILE,
               reason='{"id": "reason.too_few_cases", "n": 17, "minimum": 30}'),
        figure("clv", None, n=None, status="missing_data", unit="money",
               reason='{"id": "reason.missing_columns", "columns": "order_lines.cogs"}'),
        figure("quick_ratio", None, n=0, status="undefined", unit="ratio", reason='{"id": "reason.zero_denominator"}'),
        figure("bounded", None, 0.2, 0.4, status="bounded"),
        figure("uplift", None, status="not_identified", reason='{"id": "reason.no_controls"}'),
        figure("broken", None, n=None, status="failed", reason='{"id": "reason.kpi_failed", "error": "ValueError: x"}'),
        figure("harvest", 3.14159, 2.9, 3.3, unit="bananas", family="Zeta Pack"),
    ]  # fmt: skip
    return results.scorecard(rows)


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Words:
    return Words(request.param, "EUR")


@pytest.fixture
def english() -> Words:
    return Words("en", "USD")
