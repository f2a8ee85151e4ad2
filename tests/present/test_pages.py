"""Page one, chapters, and what a notebook is given."""

# ruff: noqa: RUF001  the dashes and minus signs are what is tested
from __future__ import annotations

import re
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from kpibook import because, results
from kpibook.present import chapters, display
from kpibook.present.verdict import five, headline, lacking, verdict
from kpibook.present.words import Words
from present.cards import HOSTILE, figure, moving

COMPARED = "January – June 2017"


def facts(**rows: int) -> dict[str, SimpleNamespace]:
    margin = frozenset({"cogs", "gross_amount"} if rows.pop("margin", 0) else {"gross_amount"})
    names = ("memberships", "programme_costs", "order_lines", "campaign_targets")
    return {name: SimpleNamespace(rows=rows.get(name, 0), supplied=margin) for name in names}


def test_page_one_in_words(card: pd.DataFrame, english: Words):
    page = verdict(
        card, english, facts=facts(memberships=9, campaign_targets=9), findings=["no_controls"], compared=COMPARED
    )
    lines = f"""\
The verdict
Whether the programme pays cannot be said from these data: the costs of the programme were not supplied; \
the margin of what was sold was not supplied; there is no control group to show what would have been bought anyway.
What can be said stands in 5 figures. Against {COMPARED}: 1 clearly higher, 1 clearly lower, \
1 without clear change. 2 of them are not judged: nothing to compare, windows of different lengths, or a change \
without an interval. \
Targets of the whole report: 1 met, 1 missed, 1 cannot be told yet.
Member revenue share: 60.0% · 95% interval: 58.0% to 62.0%; n = 2,469 · Higher than in {COMPARED}: +2.2 pp, \
interval +0.4 pp to +4.1 pp · Target 61.0%: cannot be told yet, the interval covers the target
Avg receipt: $28.31 · 95% interval: $27.90 to $28.71; n = 2,469 · No comparison with {COMPARED} is possible \
· Target $30.00: missed
Retention rate: 60.0% · 95% interval: 58.0% to 62.0%; n = 2,469 · No clear change against {COMPARED}: +0.7 pp, \
interval −0.4 pp to +1.8 pp · Target 55.0%: met
Net sales: $2,350,413 · Full count, no sampling; n = 78,000 · Change against {COMPARED}: +$119,222; \
not comparable, as it depends on the length of its window: 184 days, before 181
Churn rate: 60.0% · 95% interval: 58.0% to 62.0%; n = 2,469 · Lower than in {COMPARED}: −1.7 pp, \
interval −2.8 pp to −0.6 pp"""
    assert page.text.replace("\u00a0", " ").splitlines()[:8] == lines.splitlines()


def test_a_figure_that_cannot_be_shown_yields_its_place_unless_it_has_a_target():
    few = {"status": "low_n", "reason": '{"id": "reason.too_few_cases", "n": 3, "minimum": 30}'}
    rows = [
        figure("retention_rate", 0.5, **few),
        figure("churn_rate", 0.5, 0.4, 0.6, target=0.3, target_state="none", **few),
    ]
    assert [r["kpi"] for r, _ in five(results.scorecard(rows))] == ["churn_rate"]


def test_a_target_without_a_figure_is_not_judged(english: Words):
    few = {"status": "low_n", "reason": '{"id": "reason.too_few_cases", "n": 3, "minimum": 30}'}
    card = results.scorecard([figure("churn_rate", 0.5, target=0.3, target_state="none", **few)])
    assert verdict(card, english).text.splitlines()[-2] == (
        "Churn rate: withheld · Too few cases: 3; at least 30 are needed. · No comparison period"
        " · Target 30.0%: cannot be judged without the figure"
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.9, "pays: its incremental return is 50.0%, and the whole interval, 10.0% to 90.0%, lies above zero."),
        (-0.1, 1.1, "estimated at 50.0%, but the interval, −10.0% to 110.0%, covers zero."),
        (None, None, "cannot be told yet: its incremental return is estimated at 50.0%, without an interval."),
    ],
)
def test_the_verdict_follows_the_interval_of_the_roi(low: float, high: float, said: str, english: Words):
    assert headline(results.scorecard([figure("programme_roi", 0.5, low, high)]), english).endswith(said)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (
            -0.4,
            1.2,
            "Whether the programme pays cannot be told: its incremental return lies anywhere from -0.40 to 1.20",
        ),
        (0.1, 1.2, "The programme pays: its incremental return lies anywhere from 0.10 to 1.20, all above zero"),
        (-0.9, -0.2, "The programme does not pay: its incremental return lies anywhere from -0.90 to -0.20, all below"),
    ],
)
def test_a_return_within_bounds_is_told_as_bounds(low: float, high: float, said: str, english: Words):
    row = figure("programme_roi", None, low, high, status="bounded", unit="ratio")
    shown = headline(results.scorecard([row]), english).replace("\u2212", "-")
    assert shown.startswith(said)
    assert "grade C" in shown


def test_a_return_that_cannot_be_identified_says_why(english: Words):
    row = figure("programme_roi", None, status="not_identified", reason=because("Nobody joined later."))
    card = results.scorecard([figure("net_sales", 1.0, 0.9, 1.1), row])
    assert headline(card, english) == "The increment cannot be identified with these data. Nobody joined later."
    assert [pair[0]["kpi"] for pair in five(card)] == ["programme_roi", "net_sales"]


@pytest.mark.parametrize(
    ("grade", "said"),
    [
        ("A", "Evidence grade A: an experiment in which chance decided. Design: two groups of 40."),
        ("B", "Evidence grade B: a credible comparison, not decided by chance. Design: two groups of 40."),
    ],
)
def test_grade_and_design_stand_behind_the_figure(grade: str, said: str, english: Words):
    reason = because("Design: two groups of {n}. {limits}", n=40, limits="")
    row = figure("programme_roi", 0.5, 0.1, 0.9, grade=grade, reason=reason)
    assert headline(results.scorecard([row]), english).endswith(f"lies above zero. {said}")


def test_bounds_say_design_and_limits(english: Words):
    limits = '{"id": "reason.too_few_persons", "n": 3, "minimum": 200}'
    reason = because("Design: two groups. {limits}", limits=limits)
    row = figure("programme_roi", None, 0.1, 1.2, status="bounded", grade="C", reason=reason)
    assert headline(results.scorecard([row]), english).endswith(
        "allows no single figure. Design: two groups. " + english.reason(limits)
    )


def test_a_programme_that_loses(english: Words):
    said = headline(results.scorecard([figure("programme_roi", -0.5, -0.9, -0.1)]), english)
    assert said.startswith("The programme does not pay: its incremental return is −50.0%")


def test_what_is_lacking_for_an_answer():
    assert lacking(None) == ["kpi"]
    assert lacking(facts()) == ["members", "costs", "margin", "controls"]
    complete = facts(memberships=1, programme_costs=1, campaign_targets=1, margin=1)
    assert lacking(complete) == ["kpi"]
    assert lacking(complete, ["no_controls"]) == ["controls"]


def test_a_change_without_an_interval_is_not_counted(english: Words):
    """Three figures rose, stayed and changed by nobody knows how surely: one up, one still, one not told."""
    rows = [
        *moving("retention_rate", (0.05, 0.01, 0.09)),
        *moving("churn_rate", (0.01, -0.02, 0.04)),
        *moving("net_sales", (0.02, None, None)),
    ]
    page = verdict(results.scorecard(rows), english, compared=COMPARED).text.replace("\u00a0", " ")
    assert f"Against {COMPARED}: 1 clearly higher, 0 clearly lower, 1 without clear change." in page
    assert f"Change against {COMPARED}: +2.0 pp" in page
    alone = verdict(results.scorecard(rows[4:]), english, compared=COMPARED).text
    assert alone.splitlines()[2] == "What can be said stands in one figure."


def test_only_a_total_is_a_full_count(english: Words):
    rows = [
        figure("net_sales", 7.0, 7.0, 7.0, numerator=7.0, unit="money"),
        figure("purchase_frequency", 7.0, 7.0, 7.0, unit="days"),
    ]
    said = verdict(results.scorecard(rows), english).text.replace("\u00a0", " ").splitlines()
    assert said[3].startswith("Net sales: $7.00 · Full count, no sampling; n = 2,469")
    assert said[4].startswith("Purchase frequency: 7.0 days · 95% interval: 7.0 days to 7.0 days; n = 2,469")


def test_nothing_to_show_is_said(english: Words):
    page = verdict(results.scorecard([]), english)
    assert "No figure of page one can be shown from these data." in page.text
    assert "kb-cards" not in page.html


def test_headings_go_down_by_one(card: pd.DataFrame, words: Words):
    page = display.stack(
        [
            chapters.cover(words, title=HOSTILE, facts={"cover.period": "2017", "cover.source": ""}),
            verdict(card, words, compared=COMPARED),
            chapters.section(card, {}, "sales", words),
            chapters.other_sections(card, {}, ["sales"], words),
        ]
    )
    levels = [int(n) for n in re.findall(r"<h([1-6])", page.html)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert "<script" not in page.html
    assert "http" not in page.html
    assert words("cover.source") not in page.text
    ids = re.findall(r' id="([^"]+)"', page.html)
    assert len(ids) == len(set(ids))


def test_foreign_families_follow_ours(card: pd.DataFrame, english: Words):
    titles = re.findall(r"<h2[^>]*>([^<]+)<", chapters.other_sections(card, {}, ["sales"], english).html)
    assert titles == ["Customers and retention", "Zeta Pack"]


def test_a_family_without_kpis_has_no_chapter(card: pd.DataFrame, english: Words):
    assert chapters.section(card, {}, "return", english) == display.Display("", "")


def traced(share: float | None, **cells: Any) -> dict[str, Any]:
    return figure("identified_sales_share", share, share, share, family="sales", **cells)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "Every sale can be traced to a person: figures on customers cover them all."),
        (0.8, "Figures on customers cover the 80.0% of sales that can be traced to a person."),
        (0.3, "Partial view: figures on customers cover only the 30.0% of sales that can be traced to a person."),
    ],
)
def test_figures_on_persons_say_what_they_cover(share: float, said: str, english: Words):
    rows = [traced(0.45), traced(share, segment_by="variant", segment="by_revenue"), figure("x", 0.5, 0.4, 0.6)]
    assert chapters.section(results.scorecard(rows), {}, "customers", english).text.splitlines()[1] == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "Every receipt can be traced to a person: figures on customers cover them all."),
        (0.8, "Figures on customers cover the 80.0% of receipts that can be traced to a person."),
        (0.3, "Partial view: figures on customers cover only the 30.0% of receipts that can be traced to a person."),
    ],
)
@pytest.mark.parametrize("status", ["missing_data", None])
def test_a_share_of_receipts_is_not_called_one_of_sales(share: float, said: str, status: str | None, english: Words):
    rows = [traced(share), figure("x", 0.5, 0.4, 0.6)]
    if status:
        rows.append(traced(None, status=status, segment_by="variant", segment="by_revenue"))
    assert chapters.section(results.scorecard(rows), {}, "customers", english).text.splitlines()[1] == said


def test_an_unknown_share_is_not_spoken_of(english: Words):
    rows = [traced(None, status="missing_data"), figure("x", 0.5, 0.4, 0.6)]
    assert "traced" not in chapters.section(results.scorecard(rows), {}, "customers", english).text


def test_curves_and_matrices_stand_under_their_kpi(card: pd.DataFrame, english: Words):
    matrix = pd.DataFrame(
        {"period": ["current"], "row": ["low"], "column": ["heavy"], "value": [0.2], "status": ["ok"]}
    )
    page = chapters.section(card, {"churn_rate": matrix, "churn_rate.other": matrix}, "customers", english)
    assert '<h3 id="kb-kpi-churn-rate">Churn rate</h3>' in page.html
    assert "Churn rate, in detail" in page.html
    assert "Churn rate: other, in detail" in page.html


def test_any_other_table_is_shown_as_it_is_given_up_to_a_page():
    """26 rows: 24 on the page, two in the file; names that the pack translates, numbers in the language."""
    table = pd.DataFrame(
        {"by_value": [0.12345, 1234.5, 3.0, None, *[1.0] * 22], "what": ["on_time", "A-1", "x", None, *["late"] * 22]}
    )
    words = Words("de", sentences={"by value": "nach Wert", "on time": "pünktlich"})
    shown = chapters.beside(table, "x", "X", words)
    assert shown.text.splitlines()[:5] == ["X", "0,1235 | pünktlich", "1.235 | A-1", "3 | x", "– | –"]
    assert len(shown.text.splitlines()) == 25
    assert ">Nach Wert<" in shown.html
    assert "2 weitere Zeilen stehen in der Datei dieser Tabelle." in shown.html
    assert chapters.beside(table.head(0), "x", "X", words).html == ""


def test_the_consultants_notes_come_before_the_findings(english: Words):
    page = chapters.data_quality([], english, ["Members are a proxy."])
    assert page.text.splitlines() == [
        "The data",
        "To be borne in mind when reading:",
        "- Members are a proxy.",
        "Nothing to report: every check passed.",
    ]


def test_a_display_gives_html_and_a_text_that_is_always_the_same():
    shown = display.paragraph("a < b")
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == "a < b" == repr(shown)
    assert bundle["text/html"].endswith('<div class="kb mathjax_ignore tex2jax_ignore"><p>a &lt; b</p></div>')
    assert bundle["text/html"].startswith("<style>.kb{")
    assert "http" not in bundle["text/html"]
    assert "@import" not in bundle["text/html"]


def test_anchors_from_any_text():
    assert display.slug("Zeta <b>Pack") == "kb-zeta-b-pack"
    assert display.slug("日本") == "kb-e697a5e69cac"


def test_classes_stand_in_their_own_order(english: Words):
    cells = [(r, c, 0.5) for r in ("heavy", "low", "medium") for c in ("heavy", "lost", "low")]
    moves = pd.DataFrame(cells, columns=["row", "column", "value"])
    lines = chapters.beside(moves, "x", "X", english).text.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["Low users", "Medium users", "Heavy users"]
    rows = [figure("x", 0.5, 0.4, 0.6, segment_by="usage_class", segment=s) for s in ("heavy", "low", "medium")]
    page = chapters.kpi_details(results.scorecard(rows), {}, "x", "X", english).text
    assert page.index("Low users:") < page.index("Medium users:") < page.index("Heavy users:")


def test_figures_below_each_other_have_the_same_decimals():
    """By the largest of the column; what would read 0 keeps its own, and what four decimals do not show is a bound."""
    table = pd.DataFrame(
        {"effect": [2.32, 0.3969, -0.75], "p": [0.00001, 0.2296, 0.5], "n": [813.0, None, 3.0], "part": [0.1, 0, 1]}
    )
    assert chapters.beside(table, "x", "X", Words("en")).text.splitlines() == [
        "X",
        "2.32 | < 0.0001 | 813 | 0.10",
        "0.40 | 0.2296 | – | 0.00",
        "−0.75 | 0.5000 | 3 | 1.00",
    ]
    assert "– not known, or too few cases to show." in chapters.beside(table, "x", "X", Words("en")).html


def test_names_in_a_table_are_said_in_the_language():
    words = Words("it", sentences={"break: scale": "rottura: scala", "csat": "Soddisfazione"})
    table = pd.DataFrame({"line": ["break: scale", "2022-07", "2023-Q1", "s_01", "csat"]})
    assert chapters.beside(table, "x", "X", words).text.splitlines()[1:] == [
        "rottura: scala",
        "luglio 2022",
        "T1 2023",
        "s_01",
        "Soddisfazione",
    ]


@pytest.mark.parametrize(("columns", "kind"), [(7, ""), (8, '"kb-wide"'), (11, '"kb-wide kb-wider"')])
def test_wide_tables_are_set_smaller(columns: int, kind: str):
    table = pd.DataFrame({f"column {i}": [1] for i in range(columns)})
    found = re.findall(r'<div class=("kb-wide[^"]*")>', chapters.beside(table, "x", "X", Words("en")).html)
    assert found == ([kind] if kind else [])


def test_a_breakdown_into_one_segment_is_not_repeated(english: Words):
    total = figure("x", 0.5, 0.4, 0.6)
    rows = [total, figure("x", 0.5, 0.4, 0.6, segment_by="channel", segment="web")]
    assert chapters.section(results.scorecard(rows), {}, "customers", english).text.count("by channel") == 0
    rows[1] = figure("x", 0.4, 0.3, 0.5, segment_by="channel", segment="web")
    assert chapters.section(results.scorecard(rows), {}, "customers", english).text.count("by channel") == 1


def test_a_target_of_a_further_chapter_is_counted(english: Words):
    """Six targets: five on page one, the sixth beside them; four missed, two met."""
    rows = [figure(f"k{i}", 0.5, 0.4, 0.6, target=0.3, target_state="missed" if i < 4 else "met") for i in range(6)]
    page = verdict(results.scorecard(rows), english).text
    assert "Targets of the whole report: 2 met, 4 missed, 0 cannot be told yet." in page


def test_a_change_of_counts_has_no_decimals(english: Words):
    change = {"change": 20.0, "change_low": -2.52, "change_high": 42.52}
    rows = [
        figure("active_customers", 2413.0, 2413.0, 2413.0, unit="persons", **change),
        figure("active_customers", 2393.0, 2393.0, 2393.0, unit="persons", period="previous"),
    ]
    page = verdict(results.scorecard(rows), english, compared=COMPARED).text.replace("\u00a0", " ")
    assert f"No clear change against {COMPARED}: +20, interval −3 to +43" in page
