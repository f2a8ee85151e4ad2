"""Helpers of the tests about customers' lives: single KPIs, rows of a view, and a client with every table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kpibook.engine.compute import Loaded, compute
from kpibook.periods import Period
from tiny_client import TinyParams, load, only, receipt, row, run, shop

if TYPE_CHECKING:
    import pandas as pd

KPIS = (
    "retention_time",
    "reactivation_rate",
    "net_revenue_retention",
    "low_to_heavy_conversion",
    "clv",
    "buyers_who_are_customers",
    "profile_completeness",
    "heavy_medium_target_coverage",
    "lifecycle_alignment",
    "share_of_wallet",
    "first_choice_rate",
    "behaviour_model_coverage",
    "behaviour_model_skill",
    "frequency_sufficiency",
)
YEAR_2024 = "2024-01-01/2024-12-31"
THREE_YEARS = "2022-01-01/2024-12-31"


def figure(kpi: str, tables: dict[str, Any], segment: str = "total", **more: Any) -> dict[str, Any]:
    """One row of the scorecard of 2024, the data covering 2022 to 2024 unless said otherwise."""
    return row(results(kpi, tables, **more), kpi, segment)


def results(kpi: str, tables: dict[str, Any], period: str = YEAR_2024, data: str = THREE_YEARS, **more: Any) -> Any:
    return run(tables, period, catalog=only(kpi), data=data, **more)


def view_rows(
    view: str, kpi: str, tables: dict[str, Any], period: str = YEAR_2024, data: str = THREE_YEARS, **params: Any
) -> pd.DataFrame:
    """The rows of a ``view`` that ``kpi`` rests on."""
    loaded, span = load(tables), Period.parse(data)
    loaded = Loaded(loaded.backend, loaded.supplied, loaded.rows, span.start, span.last)
    compute(only(kpi), TinyParams(Period.parse(period), **params), loaded)
    return loaded.backend.table(view).to_pyarrow().to_pandas()


def bought(customer: str | None, *days: str, first: int = 1, amount: float = 10, **more: Any) -> list[Any]:
    """One receipt a day; ``first`` keeps the numbers of receipts apart."""
    return [receipt(first * 1000 + i, day, amount, customer, **more) for i, day in enumerate(days)]


def people(**days: list[str]) -> dict[str, Any]:
    """A shop of persons and their purchase days, 10 a day."""
    return shop(*(r for i, (name, own) in enumerate(days.items(), 1) for r in bought(name, *own, first=i)))


def whole_client(money: int = 1, persons: int = 40, seed: int = 5) -> dict[str, list[dict[str, Any]]]:
    """Forty persons over three years with every table that these KPIs read; all money times ``money``."""
    rng = np.random.default_rng(seed)
    names, receipts = [f"p{i:02d}" for i in range(persons)], []
    for i, name in enumerate(names):
        for day in np.sort(rng.choice(1096, rng.integers(3, 14), replace=False)):
            amount = int(rng.integers(5, 60))
            part = {"cogs": amount // 2 * money, "product_id": f"a{rng.integers(9)}", "quantity": 1}
            part |= {"loyalty_discount": money * int(rng.integers(3)), "store_id": "s1", "channel": "web"}
            when = str(np.datetime64("2022-01-01") + int(day))
            receipts.append(receipt(len(receipts), when, amount * money, name if i else None, **part))
    return shop(
        *receipts,
        customers=[_customer(i, name) for i, name in enumerate(names)],
        memberships=[_member(name) for name in names[::2]],
        redemptions=[{"redemption_id": "r", "member_id": "m-p02", "ts": "2024-03-01 10:00:00", "cost": 3 * money}],
        campaigns=[
            {"campaign_id": stage, "start_at": "2024-02-01", "channel": "email", "lifecycle_stage": stage}
            for stage in ("new", "stable", "lost")
        ],
        campaign_targets=[_target(i, name, stage) for i, name in enumerate(names) for stage in ("stable", "lost")],
        customer_scores=[_score(rng, name, day, money) for name in names for day in ("2023-06-30", "2024-06-30")],
        competitor_panel=[_brand(rng, name, brand, money) for name in names for brand in ("own", "other", "market")],
        survey_responses=[_answer(rng, i, name) for i, name in enumerate(names)],
    )


def _customer(i: int, name: str) -> dict[str, Any]:
    facts = {"customer_id": name, "created_at": f"202{1 + i % 3}-05-01", "consent_profiling": i % 3 > 0}
    known = {"birth_year": 1950 + i, "postal_area": "28", "socio_economic_band": "B", "interests": ["a"]}
    return facts | known | {"household_id": f"h{i}"}


def _member(name: str) -> dict[str, Any]:
    return {"member_id": f"m-{name}", "customer_id": name, "enrolled_at": "2023-03-01 10:00:00"}


def _target(i: int, name: str, stage: str) -> dict[str, Any]:
    arm = "treatment" if i % 2 else "control"
    return {"campaign_id": stage, "customer_id": name, "assigned_at": "2024-02-01", "arm": arm, "is_random": True}


def _score(rng: np.random.Generator, name: str, day: str, money: int) -> dict[str, Any]:
    expected = float(rng.uniform(0, 4))
    facts = {"customer_id": name, "model_id": "a", "scored_at": f"{day} 08:00:00", "horizon_days": 150}
    known = {"expected_purchases": expected, "expected_margin": round(expected, 2) * 10 * money, "p_active": 0.5}
    return facts | known


def _brand(rng: np.random.Generator, name: str, brand: str, money: int) -> dict[str, Any]:
    place = {"wave_id": "w", "respondent_id": name, "customer_id": name, "category_id": "c", "brand": brand}
    facts = {"is_own": brand == "own", "is_marketplace": brand == "market"}
    return place | facts | {"spend": money * int(rng.integers(0, 90)), "preference_rank": int(rng.integers(1, 4))}


def _answer(rng: np.random.Generator, i: int, name: str) -> dict[str, Any]:
    question = ("FIRST_CHOICE", "CSAT")[i % 2]
    scale = {"scale_min": 0, "scale_max": 1, "higher_is_better": True, "score": int(rng.integers(2))}
    when = "2024-05-01" if question == "FIRST_CHOICE" else "2023-05-01"
    facts = {"response_id": f"a{i}", "survey_id": "s", "wave_id": "w" if i % 2 == 0 else "v", "customer_id": name}
    return facts | scale | {"ts": f"{when} 09:00:00", "question_code": question, "weight": 1 + i % 3 / 2}
