"""Survey answers small enough to work out by hand, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from tiny_client import only, receipt, row, run, shop

YEAR = "2024-01-01/2024-12-31"
DATA = "2022-01-01/2024-12-31"
ITEMS = [("T", range(1, 5)), ("R", range(5, 10)), ("RS", range(10, 14)), ("A", range(14, 18)), ("E", range(18, 23))]
DIMENSION_OF = {number: code for code, numbers in ITEMS for number in numbers}


def answer(customer: str | None, question: str, score: float | None, **more: Any) -> dict[str, Any]:
    """One answer on a scale from 1 to 5, in wave w of survey s, on 1 May 2024."""
    low, high = more.pop("scale", (1, 5))
    day = more.pop("day", "2024-05-01")
    facts = {
        "survey_id": "s",
        "wave_id": "w",
        "respondent_type": "customer",
        "customer_id": customer,
        "ts": f"{day} 10:00:00",
        "touchpoint_type": None,
        "channel": None,
        "ticket_id": None,
        "question_code": question,
        "dimension": None,
        "item_no": None,
        "scale_min": low,
        "scale_max": high,
        "higher_is_better": True,
        "score": score,
        "weight": 1.0,
    }
    assert not set(more) - set(facts), set(more) - set(facts)
    return facts | more


def numbered(*answers: dict[str, Any]) -> list[dict[str, Any]]:
    """Answers with their identifiers."""
    return [{"response_id": f"r{i}", **a} for i, a in enumerate(answers)]


def servqual(customer: str, gaps: dict[str, float], points: dict[str, float] | None = None, **more: Any) -> list[dict]:
    """22 expectations of 4, perceptions of 4 plus the gap of the dimension, and perhaps 100 points."""
    scale = more.pop("scale", (1, 7))
    answers = []
    for number, code in DIMENSION_OF.items():
        facts = {"dimension": code, "item_no": number, "scale": scale, **more}
        answers += [answer(customer, "SQ_E", 4, **facts), answer(customer, "SQ_P", 4 + gaps[code], **facts)]
    for code, value in (points or {}).items():
        answers.append(answer(customer, "SQ_WEIGHT", value, dimension=code, scale=(0, 100), **more))
    return answers


def compute(kpi: str, *answers: dict[str, Any], period: str = YEAR, also: tuple[str, ...] = (), **more: Any) -> Any:
    """Results of one KPI, or ``also`` of others; other tables by name, ``settings`` by KPI or view."""
    tables = {k: more.pop(k) for k in list(more) if isinstance(more[k], list)}
    bought = more.pop("bought", shop(receipt(0, "2022-01-01", 1)))
    tables = {**bought, "survey_responses": numbered(*answers), **tables}
    return run(tables, period, more.pop("compare", None), catalog=only(kpi, *also), data=more.pop("data", DATA), **more)


def figure(results: Any, kpi: str, segment: str = "total", period: str = "current") -> tuple[Any, ...]:
    """(value, n, status)."""
    found = row(results, kpi, segment, period)
    return found["value"], found["n"], found["status"]


def reason(results: Any, kpi: str, segment: str = "total", period: str = "current") -> dict[str, Any]:
    return json.loads(row(results, kpi, segment, period)["reason"])


def frame(scores: list[float | None], question: str = "CSAT", scale: str = "1-5", **columns: Any) -> pd.DataFrame:
    """Answers as a KPI's function gets them, each of another respondent."""
    base = pd.DataFrame({"score": pd.Series(scores, dtype=float)})
    base = base.assign(
        respondent_id=[f"p{i}" for i in range(len(base))],
        question_code=question,
        scale=scale,
        weight=1.0,
        left_out=pd.Series([None] * len(base), dtype=object),
        satisfied=(base["score"] >= 4).astype(float),
        answered_on=pd.Timestamp("2024-05-01"),
        survey_id="s",
        wave_id="w",
        channel="store",
        touchpoint_type=None,
    )
    return base.assign(**columns)
