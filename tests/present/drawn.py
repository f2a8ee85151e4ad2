"""One chart of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kpibook.present import charts

if TYPE_CHECKING:
    from kpibook.present.display import Display
    from kpibook.present.words import Words

CURVE = pd.DataFrame(
    {
        "time": [float(t) for t in range(60)],
        "survival": [0.95**t for t in range(60)],
        "low": [0.94**t for t in range(60)],
        "high": [0.96**t for t in range(60)],
        "at_risk": [500.0 - 9 * t for t in range(60)],
    }
)
PAIRS = pd.DataFrame({"label": ["Receipt"], "left": [31.2], "right": [25.1], "left_low": [30.0], "left_high": [32.0]})
SHARES = pd.DataFrame({"label": ["A", "B & <b>"], "value": [0.7, 0.3], "low": [0.6, 0.2], "high": [0.8, 0.4]})
TILES = pd.DataFrame({"row": ["2017-01", "2017-01"], "column": [0, 10], "value": [1.0, 0.25], "status": ["ok", "ok"]})


def every(card: pd.DataFrame, words: Words) -> dict[str, Display]:
    return {
        "trend": charts.trend(card, "avg_receipt", words),
        "segments": charts.segments(card, "avg_receipt", "channel", words),
        "survival": charts.survival(CURVE, words, name="gaps", title="Time between purchases"),
        "dumbbell": charts.dumbbell(
            PAIRS, words, name="card", title="Receipt", unit="money", left="With", right="Without"
        ),
        "bars": charts.bars(SHARES, words, name="mix", title="Mix"),
        "heatmap": charts.heatmap(TILES, words, name="cohorts", title="Cohorts"),
    }
