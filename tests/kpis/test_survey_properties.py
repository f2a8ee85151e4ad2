"""What holds for every survey KPI: empty tables, missing columns, order of rows, currency."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpis.survey_cases import DATA, YEAR, answer, numbered, servqual
from tiny_client import only, pack, receipt, run, shop

KPIS = (
    "csat",
    "satisfaction_index",
    "programme_satisfaction_gap",
    "ces",
    "channel_consistency",
    "nps",
    "nps_class_share",
    "nps_csat_noise_ratio",
    "servqual_gap",
    "servqual_dimension_gap",
    "expectation_met_rate",
    "satisfaction_trend",
    "satisfaction_cadence",
    "survey_response_rate",
    "dissatisfied_retention_gap",
    "satisfaction_profit_link",
    "employee_satisfaction",
)
MONEY = ("net_amount", "gross_amount", "cogs")
NEEDED = {
    "survey_responses.weight": ("csat", "nps", "ces", "satisfaction_index", "employee_satisfaction"),
    "survey_responses.scale_min": ("csat", "nps", "servqual_gap"),
    "survey_responses.dimension": ("servqual_gap", "servqual_dimension_gap", "expectation_met_rate"),
    "survey_responses.customer_id": ("programme_satisfaction_gap", "servqual_gap", "nps_csat_noise_ratio"),
    "survey_responses.wave_id": ("satisfaction_trend", "satisfaction_index"),
    "survey_responses.ticket_id": ("ces",),
    "survey_responses.channel": ("channel_consistency",),
    "survey_responses.respondent_type": ("employee_satisfaction",),
    "survey_responses.ts": ("dissatisfied_retention_gap",),
    "survey_invitations.responded_at": ("survey_response_rate",),
    "survey_invitations.sent_at": ("satisfaction_cadence", "survey_response_rate"),
    "survey_invitations.respondent_type": ("employee_satisfaction",),
    "memberships.enrolled_at": ("dissatisfied_retention_gap",),
    "order_lines.cogs": ("satisfaction_profit_link",),
    "order_lines.gross_amount": ("channel_consistency",),
}


@cache
def client() -> dict[str, list[dict[str, Any]]]:
    """Twelve customers who buy, answer everything in two years and are asked again; twelve employees."""
    rng = np.random.default_rng(5)
    people = [f"p{i:02d}" for i in range(12)]
    receipts, answers, sent = [], [], []
    for i, who in enumerate(people):
        for j, day in enumerate(["2022-02-01", "2022-11-01", "2023-08-01", "2024-02-01"]):
            if rng.random() < 0.8 or j == 0:
                net = int(rng.integers(5, 51))
                facts = {"product_id": "pen", "quantity": 1, "gross_amount": net, "cogs": net // 2}
                receipts.append(receipt(10 * i + j, day, net, who, channel=str(rng.choice(["web", "store"])), **facts))
        for year in ("2023", "2024"):
            more = {"wave_id": year, "day": f"{year}-05-01", "weight": float(rng.choice([0.5, 1.0, 1.5]))}
            place = str(rng.choice(["web", "store"]))
            one = int(rng.integers(1, 6))
            answers += [answer(who, q, one, channel=place, **more) for q in ("CSAT", "CSAT_PROGRAMME")]
            indexed = ("SAT_OVERALL", "SAT_EXPECT", "SAT_IDEAL")
            answers += [answer(who, q, min(10, 2 * one), scale=(1, 10), **more) for q in indexed]
            answers.append(answer(who, "NPS", int(rng.integers(0, 13)), scale=(0, 10), **more))
            answers.append(answer(who, "CES", int(rng.integers(1, 8)), scale=(1, 7), ticket_id="t1", **more))
            moments = {"sent_at": f"{year}-04-25 09:00:00", "responded_at": f"{year}-05-01 10:00:00"}
            facts = {"invitation_id": f"{who}-{year}", "survey_id": "s", "wave_id": year, "customer_id": who}
            sent.append(facts | {"respondent_type": "customer"} | moments)
        gaps = {code: float(rng.choice([-1.0, 0.0, 1.0])) for code in ("R", "A", "T", "E", "RS")}
        answers += servqual(who, gaps, wave_id="2024") if i < 3 else []
        answers.append(answer(None, "ENPS", int(rng.integers(0, 11)), scale=(0, 10), respondent_type="employee"))
        facts = {"invitation_id": f"e{i}", "respondent_type": "employee", "sent_at": "2024-04-25 09:00:00"}
        sent.append(facts | {"survey_id": "e", "wave_id": "2024", "customer_id": None, "responded_at": None})
    ticket = {"ticket_id": "t1", "created_at": "2023-04-30 10:00:00", "resolved_at": "2024-04-30 10:00:00"}
    enrolled = [{"member_id": w, "customer_id": w, "enrolled_at": "2022-01-01 00:00:00"} for w in people[::2]]
    tables = {"survey_responses": numbered(*answers), "survey_invitations": sent, "tickets": [ticket]}
    return shop(*receipts, memberships=[e | {"closed_at": None} for e in enrolled], **tables)


def scorecard(tables: dict[str, Any], **more: Any) -> pd.DataFrame:
    card = run(tables, YEAR, "2023-01-01/2023-12-31", catalog=only(*KPIS), data=DATA, **more).scorecard
    return card.drop(columns=[c for c in card.columns if c.endswith("hash")])


@cache
def plain() -> pd.DataFrame:
    return scorecard(client())


def test_the_client_has_a_figure_of_every_kpi_but_those_that_need_many() -> None:
    now = plain().query("segment_by == 'total' and period == 'current'").set_index("kpi")
    assert set(now.index) == set(KPIS)
    none = set(now.index[now["value"].isna()])
    assert none == {"channel_consistency", "satisfaction_trend"}  # three channels, three waves
    assert set(now["status"]) <= {"ok", "low_n", "undefined"}


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    shuffled = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in client().items()}
    other = scorecard(shuffled)
    pd.testing.assert_frame_equal(other, plain(), rtol=1e-12, atol=1e-12)


def test_money_in_tenths_changes_money_only() -> None:
    lines = [{k: 10 * v if k in MONEY else v for k, v in line.items()} for line in client()["order_lines"]]
    other = scorecard({**client(), "order_lines": lines})
    money = other["unit"] == "money"
    assert money.any()
    expected = plain().copy()
    for column in ("value", "low", "high", "numerator", "change", "change_low", "change_high"):
        expected[column] = expected[column].where(~money, 10 * expected[column])
    pd.testing.assert_frame_equal(other, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("answers", [[], [answer(None, "FIRST_CHOICE", 1, scale=(0, 1))]], ids=["none", "others"])
def test_nothing_asked_gives_no_figure(answers: list[dict[str, Any]]) -> None:
    """No table at all, or answers to another question only: undefined or missing_data, never an error."""
    tables = shop(receipt(1, "2024-02-01", 5, "ann"), survey_responses=numbered(*answers))
    card = scorecard(tables).query("segment_by == 'total'")
    assert set(card["kpi"]) == set(KPIS)
    assert set(card["status"]) <= {"undefined", "missing_data"}
    assert card["value"].isna().all()


def test_missing_columns_are_named() -> None:
    card = scorecard(client(), without=list(NEEDED)).query("segment_by == 'total' and period == 'current'")
    found = card.set_index("kpi")
    assert set(found["status"]) == {"missing_data"}
    unnamed = [(c, k) for c, kpis in NEEDED.items() for k in kpis if c not in found.loc[k, "reason"]]
    assert unnamed == []


def test_every_survey_kpi_answers_a_question() -> None:
    definitions = {name: pack().definitions[name].definition for name in KPIS}
    assert [name for name, d in definitions.items() if not d.question] == []
    families = {name: d.family for name, d in definitions.items() if d.family != "satisfaction"}
    assert families == {"employee_satisfaction": "governance"}
