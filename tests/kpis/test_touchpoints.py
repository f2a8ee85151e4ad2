"""Touchpoints, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from kpibook.stats.intervals import wilson
from kpibook.stats.net_scores import adjusted_wald
from kpis.outreach_cases import answer, parts, result, seen
from tiny_client import row

JANUARY = {"period": "2024-01-01/2024-01-31", "data": "2024-01-01/2024-01-31"}


def _effects(events: list[dict[str, Any]]) -> Any:
    return result("touchpoint_effect", {"funnel_events": events}, **JANUARY)


def _of(results: Any, by: str) -> Any:
    card = results.scorecard
    return card[(card.kpi == "touchpoint_effect") & (card.segment_by == by)].set_index("segment")


def _visitors() -> list[dict[str, Any]]:
    """600 come to the website, 60 buy. Of the others 270 come a day later by mail, 81 buy; 270 directly, 27 buy."""
    events = []
    for i in range(600):
        first = {"transaction_id": f"t{i}"} if i < 60 else {}
        events.append(seen(2 * i, f"v{i}", "2024-01-10 10:00:00", **first))
        if i >= 60:
            mail = i < 330
            bought = {"transaction_id": f"t{i}"} if i < 60 + 81 or 330 <= i < 330 + 27 else {}
            touch = "email" if mail else "website"
            events.append(seen(2 * i + 1, f"v{i}", "2024-01-11 10:00:00", touchpoint_type=touch, **bought))
    return events


def test_a_helpful_mail() -> None:
    """Chance to buy at a contact 10 %, by mail 30 %. Had everybody met the mail from the start: 60 visitors with one
    contact 0.3 instead of 0.1, 540 with two 1 - 0.7^2 instead of 1 - 0.9^2: (60 * 0.2 + 540 * 0.32) / 600 = 0.308. The
    website, which all met, is compared with nobody.

    Markov chain: 870 steps from the website: 87 buy, 270 to the mail, 270 to itself, 243 leave. Conversion 168/600.
    Without the mail the others' ways count: 87 of 600 buy, 270 stay: 0.145/0.55. To the exit: 87/600.
    """
    results = _effects(_visitors())
    found = row(results, "touchpoint_effect")
    assert (found["value"], found["n"], found["unit"], found["status"], found["grade"]) == (
        pytest.approx(0.308, abs=1e-5), 600, "pp", "ok", "C",
    )  # fmt: skip
    assert json.loads(found["reason"])["touchpoint"] == "email"
    assert 0.1 < found["low"] < 0.308 < found["high"] < 0.5
    effects = _of(results, "touchpoint_type")
    assert effects.loc["email", "value"] == found["value"]
    assert (effects.loc["website", "status"], json.loads(effects.loc["website", "reason"])) == (
        "low_n",
        {"id": "reason.too_few_in_group", "n": 0, "minimum": 200},
    )
    assert _of(results, "touchpoint_bypass").loc["email", "value"] == pytest.approx(0.28 - 0.145 / 0.55)
    table = results.tables["touchpoint_effect"].set_index("touchpoint")
    mail, site = table.loc["email"], table.loc["website"]
    assert (mail["met"], mail["not_met"], site["met"], site["not_met"]) == (270, 330, 600, 0)
    assert (mail["conversion_met"], mail["conversion_not_met"]) == (pytest.approx(81 / 270), pytest.approx(87 / 330))
    assert mail["to_exit"] == pytest.approx(0.28 - 0.145)
    assert mail["p_holm"] < 1e-6


def _two_months() -> list[dict[str, Any]]:
    """Each month 600 others come to the website; 250 in January and 300 in December come back by a search, 290 and 210
    by mail. Of each kind of visitor every fifth buys.
    """
    events = []
    for month, (search, mail) in {"2023-12": (300, 210), "2024-01": (250, 290)}.items():
        for i in range(600):
            name, bought = f"{month} {i}", {"transaction_id": f"t {month} {i}"} if i % 5 == 0 else {}
            number = 2 * i + 10_000 * int(month[-2:])
            back = "seo" if i < search else "email" if i < search + mail else "website"
            events.append(seen(number, name, f"{month}-10 10:00:00"))
            events.append(seen(number + 1, name, f"{month}-11 10:00:00", touchpoint_type=back, **bought))
    return events


@pytest.mark.parametrize(("setting", "headline"), [("", "seo"), ("email", "email"), ("blog", None)])
def test_both_periods_are_about_the_same_touchpoint(setting: str, headline: str | None) -> None:
    """In January most came by mail, in December by a search; in both 550 by a search, 500 by mail, none by a blog."""
    both = {"compare": "2023-12-01/2023-12-31", "data": "2023-12-01/2024-01-31", "period": JANUARY["period"]}
    chosen = {"touchpoint": setting}
    results = result("touchpoint_effect", {"funnel_events": _two_months()}, **both, settings=chosen)
    for period in ("current", "previous"):
        found = row(results, "touchpoint_effect", period=period)
        assert (found["status"], json.loads(found["reason"]).get("touchpoint")) == (
            ("undefined", None) if headline is None else ("ok", headline)
        )


def test_a_touchpoint_that_stands_alone_is_not_identified() -> None:
    """The visitors of the app use nothing else: nothing tells whether it is the app or they; the mail stands."""
    app = [
        seen(
            5000 + i,
            f"a{i}",
            "2024-01-10 10:00:00",
            touchpoint_type="app",
            **({"transaction_id": "t"} if i % 2 else {}),
        )
        for i in range(300)
    ]
    effects = _of(_effects([*_visitors(), *app]), "touchpoint_type")
    assert (effects.loc["app", "status"], pd.isna(effects.loc["app", "value"])) == ("not_identified", True)
    assert effects.loc["email", "status"] == "ok"


def test_credit_of_the_purchases() -> None:
    """Of 168 purchases all began at the website; 81 ended at the mail. Shared alike: 60 + 27 + 81/2 and 81/2. 60 paths
    have one contact, 108 two: 276/168.
    """
    results = _effects(_visitors())
    table = results.tables["touchpoint_effect"].set_index("touchpoint")
    assert row(results, "touchpoint_effect", "contacts_per_purchase")["value"] == pytest.approx(276 / 168)
    assert table["first_touch"].to_dict() == {"email": 0, "website": 168}
    assert table["last_touch"].to_dict() == {"email": 81, "website": 87}
    assert table["linear"].to_dict() == {"email": pytest.approx(40.5), "website": pytest.approx(127.5)}


def test_what_a_contact_is() -> None:
    """Twelve devices: a search at 10:00 and 10:20 is one contact, an advertisement at 10:25, a search at 12:00 with the
    purchase the third; the visit after the purchase and that of December are none; a bot has none. Twelve purchases,
    two thirds to the search.
    """
    events = []
    for i in range(12):
        search = {"touchpoint_type": "seo"}
        steps = [("2024-01-10 10:00:00", search), ("2024-01-10 10:20:00", search),
                 ("2024-01-10 10:25:00", {"touchpoint_type": "ads"}),
                 ("2024-01-10 12:00:00", {**search, "transaction_id": "t"}),
                 ("2024-01-10 12:10:00", {"touchpoint_type": "blog"}),
                 ("2023-12-31 10:00:00", {"touchpoint_type": "video"})]  # fmt: skip
        events += [seen(10 * i + j, f"v{i}", ts, **more) for j, (ts, more) in enumerate(steps)]
        events.append(seen(10 * i + 9, f"b{i}", "2024-01-10 10:00:00", touchpoint_type="social", is_bot=True))
    table = _effects(events).tables["touchpoint_effect"].set_index("touchpoint")
    assert table["met"].to_dict() == {"seo": 12, "ads": 12}
    assert table["linear"].to_dict() == {"seo": pytest.approx(8), "ads": pytest.approx(4)}
    assert table["last_touch"].to_dict() == {"seo": 12, "ads": 0}


def test_too_few_visitors() -> None:
    """199 by mail and 201 not: nothing is shown."""
    events = [
        seen(i, f"v{i}", "2024-01-10 10:00:00", touchpoint_type="email" if i < 199 else "seo") for i in range(400)
    ]
    found = row(_effects(events), "touchpoint_effect")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "low_n",
        {"id": "reason.too_few_in_group", "n": 199, "minimum": 200},
    )


def _felt(*feelings: float | None) -> list[dict[str, Any]]:
    return [
        seen(i, f"v{i}", "2024-01-10 10:00:00", sentiment=feeling, touchpoint_type="blog")
        for i, feeling in enumerate(feelings)
    ]


def _experience(tables: dict[str, Any], by: str, **more: Any) -> Any:
    return result("touchpoint_sentiment", tables, **JANUARY, all_settings={"contact_ratings": {"rated_by": by}}, **more)


def test_sentiment() -> None:
    """Above 0.2 are 60 of 120 rated contacts (0.21 is, 0.2 is not), below -0.2 30: net 25. Rated 120 of 150."""
    events = _felt(*[0.21] * 60, *[0.2] * 15, *[-0.2] * 15, *[-0.9] * 30, *[None] * 30)
    results = _experience({"funnel_events": events}, "sentiment")
    found = row(results, "touchpoint_sentiment")
    assert (found["value"], found["n"], found["status"], found["unit"]) == (pytest.approx(25), 120, "ok", "index")
    low, high = adjusted_wald(0.5, 0.25, 120)
    assert (found["low"], found["high"]) == (pytest.approx(100 * low), pytest.approx(100 * high))
    assert parts(results, "touchpoint_sentiment", "coverage") == (0.8, 120, 150)
    assert row(results, "touchpoint_sentiment", "blog")["value"] == pytest.approx(25)


def test_contacts_of_one_person_are_taken_together() -> None:
    """Twice the contacts by the same visitors, each as before: neither interval narrows. In a second case the first
    half of the visitors' contacts are rated, the rest not: (1/4) / (1/4 / 60) = 60 contacts' worth, not 120.
    """
    feelings = [*[0.21] * 60, *[0.0] * 30, *[-0.9] * 30]
    again = [e | {"event_id": f"again-{e['event_id']}"} for e in _felt(*feelings)]
    found = row(_experience({"funnel_events": [*_felt(*feelings), *again]}, "sentiment"), "touchpoint_sentiment")
    low, high = adjusted_wald(0.5, 0.25, 120)
    assert (found["value"], found["n"]) == (pytest.approx(25), 240)
    assert (found["low"], found["high"]) == (pytest.approx(100 * low), pytest.approx(100 * high))
    half = _felt(*[0.5] * 30, *[None] * 30)
    twice = [*half, *(e | {"event_id": f"again-{e['event_id']}"} for e in half)]
    heard = row(_experience({"funnel_events": twice}, "sentiment"), "touchpoint_sentiment", "coverage")
    assert (heard["value"], heard["numerator"], heard["denominator"]) == (0.5, 60, 120)
    assert (heard["low"], heard["high"]) == pytest.approx(tuple(wilson(30, 60)))


def test_answers() -> None:
    """Weights 2 for 40 answers of 4 or 5, 1 for 40 of 1 or 2 and 20 of 3: (80 - 40) / 140. Kish: 140^2 / 220 = 89.09
    answers: shown as too few. The eleven-point answer of 9 lies in the upper quarter; another question is left out.
    """
    answers = [
        *(answer(i, "CSAT", 4 + i % 2, weight=2.0) for i in range(39)),
        answer(39, "CSAT", 9, scale_min=0, scale_max=10, weight=2.0),
        *(answer(100 + i, "CSAT", 1 + i % 2) for i in range(40)),
        *(answer(200 + i, "CSAT", 3) for i in range(20)),
        answer(300, "NPS", 5),
        answer(301, "CSAT", 5, touchpoint_type=None),
    ]
    results = _experience({"survey_responses": answers}, "survey")
    found = row(results, "touchpoint_sentiment")
    assert (found["value"], found["n"], found["status"]) == (pytest.approx(100 * 40 / 140), 89, "low_n")
    assert "coverage" not in set(results.scorecard["segment"])


def test_both_sources() -> None:
    """60 good answers and 60 bad sentiments: 0."""
    tables = {"funnel_events": _felt(*[-0.5] * 60), "survey_responses": [answer(i, "CSAT", 5) for i in range(60)]}
    results = _experience(tables, "both")
    assert row(results, "touchpoint_sentiment")["value"] == pytest.approx(0)
    assert row(results, "touchpoint_sentiment", "store")["value"] == pytest.approx(100)


def test_few_ratings_are_not_shown() -> None:
    found = row(_experience({"funnel_events": _felt(*[0.5] * 29)}, "sentiment"), "touchpoint_sentiment")
    assert (found["value"], found["status"]) == (None, "low_n")
