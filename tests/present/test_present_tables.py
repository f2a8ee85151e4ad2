"""What stands in the cells, and that hostile names stay text."""

# ruff: noqa: RUF001  the dashes and minus signs are what is tested
from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from kpibook import results
from kpibook.intake.facts import Finding, Severity
from kpibook.present import audit_tables, reference_tables, tables
from kpibook.present.matrices import matrix_table
from kpibook.present.palette import contrast, shade
from kpibook.present.tables import family_table, segment_table
from kpibook.present.words import LANGUAGES, Words
from present.cards import HOSTILE, figure
from present.markup import rows


def test_a_family_with_values_changes_and_targets(card: pd.DataFrame, english: Words):
    found = rows(family_table(card, "customers", english).html)
    assert found["Retention rate"] == ["60.0%", "[58.0; 62.0]", "2,469", "59.3%", "+0.7 pp|[−0.4; +1.8]", "55.0%|met"]
    assert found["Churn rate"] == ["60.0%", "[58.0; 62.0]", "2,469", "61.7%", "▼|fall| −1.7 pp|[−2.8; −0.6]", "–"]
    assert found["Member revenue share"][-1] == "61.0%|cannot be told yet"


def test_statuses_are_said_in_words_with_their_reason(card: pd.DataFrame, english: Words):
    found = rows(family_table(card, "customers", english).html)
    reasons = {name.partition("|")[0]: name.partition("|")[2].strip("|") for name in found}
    shown = {name.partition("|")[0]: cells[:3] for name, cells in found.items()}
    assert shown["Clv"] == ["not computable", "–", "–"]
    assert reasons["Clv"] == "Not supplied, to be asked of the company: order_lines.cogs."
    assert shown["Quick ratio"] == ["undefined", "–", "0"]
    assert reasons["Quick ratio"] == "The denominator is zero: there is nothing to divide by."
    assert shown["Bounded"] == ["20.0% to 40.0%", "–", "2,469"]
    assert shown["Uplift"] == ["not identifiable", "–", "2,469"]
    assert reasons["Uplift"] == "There is no control group: what would have happened anyway is unknown."
    assert shown["Broken"] == ["not computed", "–", "–"]
    assert reasons["Broken"] == "The computation stopped: ValueError: x"


def test_too_few_cases_show_n_and_withhold_the_value(card: pd.DataFrame, english: Words):
    table = family_table(card, "customers", english)
    line = next(cells for name, cells in rows(table.html).items() if name.startswith("&lt;script"))
    assert line[:3] == ["withheld", "–", "17"]
    assert "50.0%" not in table.html
    assert "50.0%" not in table.text


def test_below_ten_persons_not_even_n_is_shown(card: pd.DataFrame, english: Words):
    line = next(
        cells
        for name, cells in rows(segment_table(card, "avg_receipt", "channel", english).html).items()
        if "Phone" in name
    )
    assert line == ["withheld", "–", "–"]


def test_colour_only_where_the_interval_leaves_zero_out(card: pd.DataFrame, english: Words):
    html = family_table(card, "customers", english).html
    assert html.count('<span class="kb-good">') == 2
    assert 'kb-good"><span aria-hidden="true">▼' in html
    assert 'class="kb-bad"' not in html
    assert (
        "▲ ▼ mark changes whose 95% interval leaves zero out; other changes with an interval may be chance, "
        "those without one are not judged."
    ) in html


def test_no_colour_without_a_better_direction(english: Words):
    neutral = [
        figure("x", 0.6, 0.5, 0.7, change=0.1, change_low=0.05, change_high=0.15),
        figure("x", 0.5, 0.4, 0.6, period="previous"),
    ]
    html = family_table(results.scorecard(neutral), "customers", english).html
    assert "▲" in html
    assert "kb-good" not in html


def test_no_change_against_a_withheld_figure(english: Words):
    few = '{"id": "reason.too_few_cases", "n": 3, "minimum": 30}'
    pair = [
        figure("x", 0.6, 0.5, 0.7, change=0.1, change_low=0.05, change_high=0.15),
        figure("x", 0.5, 0.4, 0.6, period="previous", status="low_n", reason=few),
    ]
    assert rows(family_table(results.scorecard(pair), "customers", english).html)["X"][3:] == ["withheld", "–"]


def test_a_benchmark_with_another_definition_is_context(english: Words):
    card = results.scorecard([figure("x", 0.6, 0.5, 0.7, benchmark=0.7, benchmark_comparable=False)])
    assert rows(family_table(card, "customers", english).html)["X"][-1] == "70.0%|context, not comparable"


def test_the_gap_is_an_association(card: pd.DataFrame, words: Words):
    assert words("note.association") in family_table(card, "sales", words).html
    assert words("note.association") not in family_table(card, "customers", words).html


def test_hostile_names_stay_text(card: pd.DataFrame, words: Words):
    for table in (family_table(card, "customers", words), segment_table(card, "avg_receipt", "channel", words)):
        assert "<script" not in table.html
        assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne" in table.html


def test_tables_have_fixed_ids_scopes_and_captions(card: pd.DataFrame, english: Words):
    html = family_table(card, "customers", english).html
    assert html == family_table(card, "customers", english).html
    assert '<div id="kb-customers-figures" class="kb-scroll">' in html
    assert '<th scope="row"' in html
    assert 'scope="col"' in html
    assert (
        "<caption>July – December 2017, compared with January – June 2017</caption>".replace(" – ", "\u2009–\u2009")
        in html
    )
    assert "<style" not in html
    assert "http" not in html


def test_long_breakdowns_keep_the_largest_segments(english: Words):
    many = [figure("x", 0.5, 0.4, 0.6, segment_by="store_id", segment=f"S{i:03d}", n=1000 + i) for i in range(60)]
    table = segment_table(results.scorecard(many), "x", "store_id", english)
    found = rows(table.html)
    assert list(found) == [f"S{i:03d}" for i in range(60 - tables.MOST_SEGMENTS, 60)]
    assert "36 further segments, with fewer cases, are in the scorecard." in table.html


def test_nothing_to_show_is_nothing(card: pd.DataFrame, english: Words):
    assert family_table(card, "return", english).html == ""
    assert segment_table(card, "avg_receipt", "store_id", english).html == ""


def test_the_same_numbers_in_every_language(card: pd.DataFrame):
    def numbers(language: str) -> list[str]:
        words = Words(language, "EUR")
        text = "\n".join(family_table(card, f, words).text for f in ("sales", "customers", "Zeta Pack"))
        group, point = (words.vega()[k] for k in ("thousands", "decimal"))
        return [n.replace(group, "").replace(point, ".") for n in re.findall(r"\d[\d.,]*\d|\d", text)]

    english = numbers("en")
    assert len(english) == 30
    assert all(numbers(language) == english for language in LANGUAGES)


def matrix() -> pd.DataFrame:
    """Two cohorts: 100/50/10 % and 100 % and a cell too small to show."""
    cells = [("2017-01", 0, 1.0, "ok"), ("2017-01", 1, 0.5, "ok"), ("2017-01", 10, 0.1, "ok")]
    cells += [("2017-02", 0, 1.0, "ok"), ("2017-02", 1, 0.4, "low_n")]
    return pd.DataFrame(cells, columns=["row", "column", "value", "status"])


def test_a_cohort_triangle(english: Words):
    table = matrix_table(matrix(), english, name="cohort", title="Cohorts")
    assert rows(table.html)["January 2017"] == ["100.0%", "50.0%", "10.0%"]
    assert rows(table.html)["February 2017"] == ["100.0%", "·", ""]
    assert "· one cell has too few cases, or would give such a cell away." in table.html
    assert "40.0%" not in table.html
    assert re.findall(r'scope="col"[^>]*>([^<]+)<', table.html) == ["Cohort", "0", "1", "10"]


def test_dates_as_labels_are_months(english: Words):
    dated = matrix().assign(row=lambda f: pd.to_datetime(f["row"] + "-01"))
    assert list(rows(matrix_table(dated, english, name="c", title="C").html)) == ["January 2017", "February 2017"]


def test_months_by_movement_are_months_and_no_cohorts(english: Words):
    moved = matrix().assign(column=["new", "lost", "retained", "new", "lost"])
    table = matrix_table(moved, english, name="m", title="M")
    assert re.findall(r'scope="col"[^>]*>([^<]+)<', table.html)[0] == "Month"


def test_the_stages_of_a_funnel_stand_in_their_order(english: Words):
    """By the alphabet, advocacy would come before conversion."""
    stages = ["activation", "advocacy", "conversion", "opportunity"]
    cells = pd.DataFrame({"row": "web", "column": stages, "value": 0.5, "status": "ok"})
    table = matrix_table(cells, english, name="f", title="F")
    heads = re.findall(r'scope="col"[^>]*>([^<]+)<', table.html)
    assert [head.lower() for head in heads[1:]] == ["activation", "opportunity", "conversion", "advocacy"]


def test_an_empty_matrix_is_nothing(english: Words):
    assert matrix_table(matrix().iloc[:0], english, name="c", title="C").html == ""


def test_every_shade_can_be_read():
    shades = [shade(i / 50) for i in range(51)]
    assert min(contrast(back, front) for back, front in shades) >= 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def finding(rule: str, severity: Severity, **cells: Any) -> Finding:
    usual = {"table": "order_lines", "column": "product_id", "rows": 4836, "of_rows": 1469307, "value_share": 0.0041}
    return Finding(rule, severity, **(usual | cells))


def test_findings_the_gravest_first_and_the_passed_below(english: Words):
    found = [
        finding("unique_key", "green", column="line_id", rows=0, value_share=None),
        finding("unknown_reference", "amber", details={"to": "products", "distinct": 17}, examples=(12, 1310)),
        finding("other_currency", "red", details={"currency": "USD"}, column="currency"),
    ]
    table = audit_tables.findings_table(found, english)
    assert table.text.splitlines() == [
        "What was found in the data",
        "serious: Receipts in a currency other than USD: their amounts are added as if they were in USD.",
        "to check: Refers to rows that products does not have (17 different values). The rows stay in all totals.",
        "One check passed, listed below.",
    ]
    assert "Example rows: 12, 1310" in table.html
    assert "4,836 of 1,469,307" in table.html.replace("\u00a0", " ")
    assert rows(table.html)["Every row has a key of its own."] == ["order_|lines.|line_|id"]


def test_no_findings_say_so(english: Words):
    table = audit_tables.findings_table([finding("empty", "green", rows=0)], english)
    assert table.text.splitlines()[0] == "Nothing to report: every check passed."


def test_a_finding_without_rows_is_said_to_be_in_order(english: Words):
    nobody = finding("anonymous_sales", "info", rows=0)
    assert audit_tables.finding_text(nobody, english) == "Every receipt can be traced to a person."


def test_computability_says_what_to_ask_for(english: Words):
    frame = pd.DataFrame(
        {
            "kpi": ["clv", "net_sales", "bad"],
            "family": ["customers", "sales", "Zeta"],
            "state": ["not", "computable", "not"],
            "missing": [["order_lines.cogs"], [], []],
            "reason": ["", "", '{"id": "reason.kpi_failed", "error": "KeyError"}'],
        }
    )
    table = reference_tables.computability_table(frame, english)
    assert table.text == "Of 3 KPIs, 1 can be computed from these data, 0 in part and 2 not."
    assert rows(table.html) == {
        "Sales and receipts": ["net_sales"],
        "|order_|lines: cogs|": ["not computable", "clv"],
        "The computation stopped: KeyError": ["not computable", "bad"],
    }


def test_what_is_missing_together_is_asked_for_once(english: Words):
    """Two KPIs lack the same two columns and one lacks another: the two stand first, in one row; a part before none."""
    lacking = {
        "a": ["tickets.ts", "tickets.channel"],
        "b": ["order_lines.cogs"],
        "c": ["tickets.ts", "tickets.channel"],
    }
    frame = pd.DataFrame(
        [
            {"kpi": k, "title": k.upper(), "family": "sales", "state": "not", "missing": m, "reason": ""}
            for k, m in {**lacking, "d": ["surveys"]}.items()
        ]
    )
    frame.loc[frame["kpi"] == "d", "state"] = "partly"
    assert rows(reference_tables.computability_table(frame, english).html) == {
        "|surveys|": ["in part", "D"],
        "|tickets: ts, channel|": ["not computable", "A; C"],
        "|order_|lines: cogs|": ["not computable", "B"],
    }


def test_definitions_with_hash_and_origin(english: Words):
    frame = pd.DataFrame(
        {
            "kpi": ["x"],
            "title": [HOSTILE],
            "text": ["Net sales per receipt."],
            "definition_hash": ["abcdef0123456789"],
            "origin": ["pack 1"],
        }
    )
    table = reference_tables.definitions_table(frame, english)
    assert table.text.splitlines()[1] == "x abcdef012345 pack 1"
    assert "<script" not in table.html


def test_definitions_of_shown_kpis_are_whole_and_others_are_listed(english: Words):
    one = {
        "kpi": "x",
        "title": "X",
        "text": "A per B.",
        "definition_hash": "abcdef0123456789",
        "origin": "pack 1, x.py:3",
    }
    one |= {"unit": "months", "needs": ["tickets.ts", "tickets.channel", "products.brand"], "shown": True}
    one |= {"question": "How long <b>does</b> it take?"}
    other = {**one, "kpi": "y", "title": "Y", "definition_hash": "0" * 16, "shown": False}
    table = reference_tables.definitions_table(pd.DataFrame([one, other]), english)
    assert rows(table.html) == {
        "X|How long &lt;b&gt;does&lt;/b&gt; it take?||x|": [
            "A per B.|Unit: months. Uses tickets (ts, channel); products (brand)",
            "abcdef012345|pack 1, x.py:3",
        ]
    }
    assert "One further KPI has no figure in this report; kpibook kpis and its id show its definition." in table.html
    assert '<li>Y <code>y 000000000000</code> <span class="kb-off">pack 1, x.py:3</span></li>' in table.html
    assert table.text.splitlines()[1:] == ["x abcdef012345 pack 1, x.py:3", "y 000000000000 pack 1, x.py:3"]


PRIVACY = "Withheld for the privacy of persons: it rests on fewer than 10 of them, or would give such a figure away."


def test_a_reason_of_many_rows_stands_once_below_them(english: Words):
    few = {"status": "low_n", "reason": '{"id": "reason.privacy", "minimum": 10}'}
    other = {"status": "low_n", "reason": '{"id": "reason.too_few_cases", "n": 3, "minimum": 30}'}
    rows = [figure("x", None, segment_by="variant", segment=s, **few) for s in ("north", "east", "south")]
    table = segment_table(results.scorecard([*rows, figure("x", None, segment_by="variant", segment="west", **other)]),
                          "x", "variant", english)  # fmt: skip
    assert table.html.count(PRIVACY) == 1
    assert f"1 \u2013 {PRIVACY}" in table.html
    assert re.findall(r"(\w+)<sup>1</sup>", table.html) == ["North", "East", "South"]
    assert '<span class="kb-sub">Too few cases: 3; at least 30 are needed.</span>' in table.html


def _by_region(*names: str, reason: str) -> list[dict[str, object]]:
    return [figure("x", None, segment_by="region", segment=n, status="low_n", reason=reason) for n in names]


def test_segments_without_a_figure_are_named_below_the_others(english: Words):
    """Thirteen withheld for one reason, one for another, and one with a figure: one row, two notes."""
    few = _by_region(*(f"r{i}" for i in range(13)), reason='{"id": "reason.privacy", "minimum": 10}')
    other = _by_region("west", reason='{"id": "reason.too_few_cases", "n": 3, "minimum": 30}')
    shown = figure("x", 0.5, 0.4, 0.6, segment_by="region", segment="north")
    table = segment_table(results.scorecard([*few, *other, shown]), "x", "region", english)
    assert list(rows(table.html)) == ["north"]
    names = "r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11 and 1 more"
    assert f"Withheld: {names}. {PRIVACY}" in table.html
    assert "Withheld: west. Too few cases: 3; at least 30 are needed." in table.html


def test_without_any_figure_there_is_no_table_but_what_is_missing(english: Words):
    """Four reasons are too many to tell: the scorecard has them."""
    reasons = [f'{{"id": "reason.too_few_cases", "n": {n}, "minimum": 30}}' for n in range(1, 5)]
    few = [row for i, reason in enumerate(reasons) for row in _by_region(f"r{i}<", reason=reason)]
    table = segment_table(results.scorecard(few), "x", "region", english)
    assert table.html == (
        '<p class="kb-caption">X by region</p>\n<p class="kb-note">Withheld: r0&lt;, r1&lt;, r2&lt;, r3&lt;. '
        "Each segment&#x27;s reason is in the scorecard.</p>"
    )


def test_bands_stand_in_the_order_of_their_numbers(english: Words):
    names = ["100-124K", "15-24K", "250K+", "Under 15K", "unknown", "75-99K"]
    card = results.scorecard([figure("x", 0.5, 0.4, 0.6, segment_by="income", segment=s) for s in names])
    assert list(rows(segment_table(card, "x", "income", english).html)) == [
        "Under 15K", "15-24K", "75-99K", "100-124K", "250K+", "Unknown",
    ]  # fmt: skip


def test_names_with_a_number_within_keep_their_order(english: Words):
    names = ["wave 2024", "contact 2023", "purchase 2022"]
    card = results.scorecard([figure("x", 0.5, 0.4, 0.6, segment_by="wave", segment=s) for s in names])
    assert list(rows(segment_table(card, "x", "wave", english).html)) == names


def test_usage_classes_by_a_number_stand_by_their_days(english: Words):
    cells = pd.DataFrame({"row": ["heavy", "medium"], "column": [42, 103], "value": [0.21, 0.28], "status": "ok"})
    html = matrix_table(cells, english, name="churn", title="Churn").html
    assert re.findall(r'scope="col"[^>]*>([^<]+)<', html) == ["Group, by days without a purchase", "42", "103"]


def test_readings_begin_alike(english: Words):
    names = ["by_hand", "p_value", "at_30_days"]
    card = results.scorecard([figure("x", 0.5, 0.4, 0.6, segment_by="variant", segment=s) for s in names])
    assert list(rows(segment_table(card, "x", "variant", english).html)) == ["By hand", "p value", "Within 30 days"]
