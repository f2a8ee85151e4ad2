"""Surveys, tickets, staff and the panel: counts exact, estimates within their error of the population's truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kpibook.samples import calendars, moments, polls, surveys, tickets, world

if TYPE_CHECKING:
    from collections.abc import Callable

WAVES = [f"{year}Q{quarter}" for year in (2022, 2023, 2024) for quarter in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def answers(read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    frame = read("survey_responses")
    frame["score"] = frame["score"].astype(float)
    return frame


def _asked(answers: pd.DataFrame, survey: str, question: str) -> pd.DataFrame:
    own = answers[(answers["survey_id"] == survey) & (answers["question_code"] == question)]
    return own[own["score"].between(own["scale_min"], own["scale_max"])]


def _near(values: np.ndarray, weight: np.ndarray, truth: float, errors: float = 3.5) -> bool:
    mean = np.average(values, weights=weight)
    spread = np.sqrt((weight**2 * (values - mean) ** 2).sum()) / weight.sum()
    return abs(mean - truth) < errors * spread


@pytest.mark.parametrize("wave", WAVES)
def test_a_relation_wave_answers_for_all_customers(
    wave: str, answers: pd.DataFrame, truth: dict, read: Callable[[str], pd.DataFrame]
) -> None:
    said = truth["surveys"]["relation"][wave]
    sent = read("survey_invitations")
    sent = sent[(sent["survey_id"] == "relation") & (sent["wave_id"] == wave)]
    assert (len(sent), sent["responded_at"].notna().sum()) == (said["invited"], said["responded"])
    assert sent["customer_id"].is_unique
    assert 0.25 < said["responded"] / said["invited"] < 0.45
    own = answers[answers["wave_id"] == wave]
    nps = _asked(own, "relation", "NPS")
    assert set(nps["customer_id"]) <= set(sent.loc[sent["responded_at"].notna(), "customer_id"])
    weight = nps["weight"].to_numpy()
    assert weight.mean() == pytest.approx(1, abs=0.02)
    assert _near(100 * ((nps["score"] >= 9) * 1.0 - (nps["score"] <= 6)).to_numpy(), weight, said["nps"])
    csat = _asked(own, "relation", "CSAT")
    assert csat["scale_max"].unique().tolist() == [10 if wave < "2023" else 5]
    top = (csat["score"] >= (8 if wave < "2023" else 4)).to_numpy(dtype=float)
    assert _near(top, csat["weight"].to_numpy(), said["csat_top_two"])


@pytest.mark.parametrize(
    ("question", "said", "factor"),
    [
        ("TOLD_POS", "told_positive_per_100", 100),
        ("TOLD_NEG", "told_negative_per_100", 100),
        ("FIRST_CHOICE", "first_choice", 1),
    ],
)
def test_a_year_of_waves_answers_for_all_customers(
    question: str, said: str, factor: int, answers: pd.DataFrame, truth: dict
) -> None:
    for year in ("2022", "2023", "2024"):
        own = _asked(answers[answers["wave_id"].str.startswith(year)], "relation", question)
        known = truth["surveys"]["relation"][year][said]
        assert _near(own["score"].to_numpy() * factor, own["weight"].to_numpy(), known), year


def test_weights_mend_what_non_response_distorts(answers: pd.DataFrame, truth: dict) -> None:
    """Heavy users answer more often and are more content: without weights the NPS of the year is too high."""
    own = _asked(answers[answers["wave_id"].str.startswith("2024")], "relation", "NPS")
    value = 100 * ((own["score"] >= 9) * 1.0 - (own["score"] <= 6))
    known = truth["surveys"]["relation"]["2024"]["nps"]
    weighted = np.average(value, weights=own["weight"])
    assert value.mean() > weighted + 1.5
    assert abs(weighted - known) < abs(value.mean() - known)


def test_members_judge_programme_reward_and_effort(answers: pd.DataFrame, truth: dict) -> None:
    own = answers[(answers["survey_id"] == "relation") & (answers["wave_id"] == "2024Q4")]
    said = truth["surveys"]["relation"]["2024Q4"]
    pair = own[own["question_code"].isin(["REWARD", "EFFORT"])].pivot(
        index="customer_id", columns="question_code", values="score"
    )
    pair = pair.dropna()
    weight = own.drop_duplicates("customer_id").set_index("customer_id")["weight"].loc[pair.index]
    balanced = (pair["REWARD"] >= pair["EFFORT"]).to_numpy(dtype=float)
    assert _near(balanced, weight.to_numpy(), said["reward_at_least_effort_of_members"])
    classes = said["reward_at_least_effort_by_class"]
    assert classes["light"] < classes["medium"] < classes["heavy"]
    programme = _asked(own, "relation", "CSAT_PROGRAMME")
    good = (programme["score"] >= 4).to_numpy(dtype=float)
    assert _near(good, programme["weight"].to_numpy(), said["programme_top_two_of_members"])


def test_faults_are_those_that_were_planted(answers: pd.DataFrame, truth: dict) -> None:
    outside = answers[~answers["score"].between(answers["scale_min"], answers["scale_max"])]
    assert len(outside) == truth["planted"]["survey_scores_out_of_range"] == polls.OUT_OF_RANGE
    assert set(outside["question_code"]) == {"NPS", "CSAT"}
    scales = answers.groupby(["survey_id", "question_code"])["scale_max"].nunique()
    assert scales[scales > 1].index.tolist() == [("contact", "CES"), ("relation", "CSAT")]
    for (question, wave), own in answers.groupby(["question_code", "wave_id"]):
        if question == "CES":
            old = str(wave) < "2023"
            assert own[["scale_max", "higher_is_better"]].drop_duplicates().to_numpy().tolist() == [
                [5 if old else 7, not old]
            ]
    assert truth["planted"]["customers_with_odd_birth_year"] == 20


def test_odd_birth_years_are_counted(read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    born = read("customers")["birth_year"]
    assert (~born.dropna().between(1940, 2004)).sum() == truth["planted"]["customers_with_odd_birth_year"]


def test_contacts_and_purchases_are_judged_by_channel(answers: pd.DataFrame, truth: dict) -> None:
    for survey in ("contact", "purchase"):
        own = _asked(answers, survey, "CSAT")
        for channel, known in truth["surveys"][survey]["csat_mean_by_channel_of_all_asked"].items():
            score = own.loc[own["channel"] == channel, "score"].to_numpy()
            assert len(score) >= 50
            assert _near(score, np.ones(len(score)), known), channel
    ces = _asked(answers[answers["wave_id"] >= "2023"], "contact", "CES")
    easy = (ces["score"] >= 5).to_numpy(dtype=float)
    assert _near(easy, np.ones(len(easy)), truth["surveys"]["contact"]["ces_5_to_7_of_all_asked_since_2023"])


def test_answers_about_a_contact_follow_it(
    answers: pd.DataFrame, truth: dict, read: Callable[[str], pd.DataFrame]
) -> None:
    own = answers[(answers["survey_id"] == "contact") & (answers["question_code"] == "CES")]
    ticket = read("tickets").set_index("ticket_id").loc[own["ticket_id"]]
    assert (ticket["customer_id"].to_numpy() == own["customer_id"].to_numpy()).all()
    assert (ticket["channel"].to_numpy() == own["channel"].to_numpy()).all()
    after = (own["ts"].to_numpy() - ticket["resolved_at"].to_numpy()) / np.timedelta64(1, "D")
    assert after.min() >= 1
    assert (after > 7).sum() == truth["surveys"]["contact"]["answers_later_than_7_days"]


@pytest.mark.parametrize("wave", polls.SERVQUAL_WAVES)
def test_service_quality_has_22_pairs_in_five_dimensions(wave: str, answers: pd.DataFrame, truth: dict) -> None:
    own = answers[(answers["survey_id"] == "servqual") & (answers["wave_id"] == wave)]
    said = truth["surveys"]["servqual"][wave]
    assert own["customer_id"].nunique() == said["respondents"]
    expected, seen = (
        own[own["question_code"] == q].pivot(index="customer_id", columns="item_no", values="score")
        for q in ("SQ_E", "SQ_P")
    )
    assert expected.shape[1] == seen.shape[1] == 22
    assert len(seen) - len(expected) == said["respondents_with_one_half"]
    both = (expected - seen.loc[expected.index]).isna().any(axis=1).sum()
    assert both == said["respondents_with_items_missing"]
    dimension = own.dropna(subset="item_no").drop_duplicates("item_no").set_index("item_no")["dimension"]
    assert dimension.value_counts().to_dict() == moments.DIMENSIONS
    gap = (seen.loc[expected.index] - expected).T.groupby(dimension).mean().T.dropna()
    for name, known in said["gap_by_dimension_of_all_asked"].items():
        assert _near(gap[name].to_numpy(), np.ones(len(gap)), known), name
    points = own[own["question_code"] == "SQ_WEIGHT"].groupby("customer_id")["score"].agg(["sum", "size"])
    assert points.drop_duplicates().to_numpy().tolist() == [[100, 5]]


def test_staff_answer_without_a_name(answers: pd.DataFrame, truth: dict, read: Callable[[str], pd.DataFrame]) -> None:
    own = answers[answers["respondent_type"] == "employee"]
    assert own["customer_id"].isna().all()
    sent = read("survey_invitations")
    for wave, said in truth["surveys"]["staff"].items():
        assert (own["wave_id"] == wave).sum() == 2 * said["answered"]
        asked = sent[(sent["respondent_type"] == "employee") & (sent["wave_id"] == wave)]
        assert (len(asked), asked["responded_at"].notna().sum()) == (said["asked"], said["answered"])
        score = _asked(own[own["wave_id"] == wave], "staff", "ENPS")["score"].to_numpy()
        net = 100.0 * ((score >= 9) * 1.0 - (score <= 6))
        assert _near(net, np.ones(len(net)), said["enps_of_all"])


def test_headcounts_follow_each_other(read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    staff = read("staff_periods").sort_values(["unit_id", "period_start"])
    same = staff["unit_id"].eq(staff["unit_id"].shift(-1))
    assert (staff["headcount_end"][same] == staff["headcount_start"].shift(-1)[same]).all()
    assert (staff["leavers_voluntary"] <= staff["leavers_total"]).all()
    assert (staff["leavers_total"] <= staff["headcount_start"]).all()
    year = pd.to_datetime(staff["period_start"]).dt.year
    for one, said in truth["staff"].items():
        assert staff.loc[year == int(one), "leavers_total"].sum() == said["leavers"]
        assert staff.loc[year == int(one), "leavers_voluntary"].sum() == said["voluntary"]


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_tickets_are_what_the_generator_says(year: int, read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    said = truth["tickets"][str(year)]
    every = read("tickets")
    own = every[every["created_at"].dt.year == year]
    asked = own[(own["direction"] == "inbound") & ~own["is_spam"]]
    assert len(asked) == said["inbound"]
    assert (own["direction"] == "proactive").sum() == said["proactive"]
    assert own["is_spam"].sum() == said["spam"]
    assert asked["abandoned"].sum() == said["abandoned"]
    assert asked["first_human_reply_at"].isna().sum() == said["without_answer_at_the_end"]
    assert asked["is_complaint"].sum() == said["complaints"]
    settled = asked[asked["resolved_at"].notna()]
    assert len(settled) == said["resolved"]
    once = (settled["contacts_count"] == 1) & (settled["reopened_count"] == 0)
    assert once.sum() == said["resolved_at_first_contact"]
    assert own.loc[own["abandoned"] | own["is_spam"], "first_human_reply_at"].isna().all()
    assert (settled["resolved_at"] >= settled["first_human_reply_at"]).all()
    replied = asked.dropna(subset="auto_reply_at")
    assert len(replied) > 300


def test_business_minutes_are_those_between_question_and_answer(
    read: Callable[[str], pd.DataFrame], truth: dict
) -> None:
    frame = read("tickets")
    asked = frame[(frame["direction"] == "inbound") & frame["first_human_reply_at"].notna()]

    def seconds(name: str) -> np.ndarray:
        return (asked[name].to_numpy().astype("datetime64[s]") - world.ORIGIN).astype(np.int64)

    waited = calendars.business(seconds("first_human_reply_at")) - calendars.business(seconds("created_at"))
    last = (asked["created_at"].dt.year == 2023).to_numpy()
    median = float(np.median(waited[last])) / 60
    assert median == pytest.approx(truth["tickets"]["2023"]["median_business_minutes_of_answers"], rel=0.02)
    within = waited <= asked["sla_reply_minutes"].to_numpy() * 60
    assert within[last].mean() == pytest.approx(truth["tickets"]["2023"]["within_sla_of_answers"], abs=0.01)
    assert set(asked["channel"]) == set(tickets.CHANNELS)


def test_the_business_clock_by_hand() -> None:
    """Saturday 2024-03-30 18:30 and 45 open minutes: closed on Easter Sunday and Monday, so Tuesday 9:15."""
    friday = world.day_of("2024-03-30") * world.DAY + 18 * 3600 + 1800
    tuesday = world.day_of("2024-04-02") * world.DAY + 9 * 3600 + 900
    opened = calendars.business(np.array([friday]))
    assert calendars.moment(opened + 45 * 60).tolist() == [tuesday]
    assert (calendars.business(np.array([tuesday])) - opened).tolist() == [45 * 60]


def test_the_panel_knows_what_is_spent_elsewhere(read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    panel = read("competitor_panel")
    for wave, said in truth["wallet"].items():
        own = panel[panel["wave_id"] == wave]
        told = own["spend"].dropna().astype(float)
        mine = own["is_own"].loc[told.index]
        assert own["respondent_id"].nunique() == said["respondents"]
        assert told.sum() == pytest.approx(float(said["spend_told"]))
        assert told[mine].sum() == pytest.approx(float(said["own_spend_told"]))
        share = float(said["own_spend_told"]) / float(said["spend_told"])
        assert share == pytest.approx(float(said["own_spend"]) / float(said["spend"]), abs=0.01)
        assert (own["is_own"] & (own["preference_rank"] == 1)).sum() == said["own_ranked_first_in_a_category"]
        ranks = own.sort_values("preference_rank").groupby(["respondent_id", "category_id"])["preference_rank"]
        assert ranks.apply(lambda r: r.tolist() == list(range(1, len(r) + 1))).all()


def test_scales_of_the_relation_survey_are_declared(answers: pd.DataFrame) -> None:
    own = answers[(answers["survey_id"] == "relation") & (answers["wave_id"] >= "2023")]
    found = own.groupby("question_code")[["scale_min", "scale_max", "higher_is_better"]].first()
    assert {name: tuple(row) for name, row in found.iterrows()} == surveys.SCALES
