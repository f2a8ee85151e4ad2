"""Charts: the same bytes every time, nothing from outside, readable without the drawing."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from kpibook import results
from kpibook.present import charts, lines, svg
from kpibook.present.axes import number_format
from kpibook.present.words import Words
from present.cards import figure, months, whole
from present.drawn import CURVE, PAIRS, SHARES, TILES, every


def test_charts_stand_alone_and_speak(card: pd.DataFrame, words: Words):
    page = ""
    for name, chart in every(card, words).items():
        assert "http" not in chart.html, name
        assert "<script" not in chart.html, name
        assert not re.search(r"@import|url\((?!#)|href=", chart.html), name
        drawing = ET.fromstring(re.search(r"<svg.*</svg>", chart.html, re.DOTALL)[0])  # noqa: S314  our own
        assert drawing.get("role") == "img"
        assert len(drawing.get("aria-label")) > 20, name
        assert drawing[0].tag == "title"
        assert drawing[0].text
        assert drawing.get("viewBox").startswith("0 0 ")
        page += chart.html
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_language_is_on_the_axes(card: pd.DataFrame, words: Words):
    labels = charts.trend(card, "avg_receipt", words).html
    december = {"en": "Dec", "es": "dic", "de": "Dez", "it": "dic"}[words.language]
    assert f">{december}<" in labels
    assert {"en": ">€28.00<", "es": ">28,00\u00a0€<", "de": ">28,00\u00a0€<", "it": ">28,00\u00a0€<"}[
        words.language
    ] in labels


def test_the_same_bytes_in_another_process(card: pd.DataFrame, tmp_path: Path):
    card.to_pickle(tmp_path / "card.pickle")
    program = """
import hashlib, sys
import pandas as pd
from present.drawn import every
from kpibook.present.words import Words
card = pd.read_pickle(sys.argv[1])
if sys.argv[2] == "later":
    every(card, Words("en", "USD"))
print(hashlib.sha256("".join(c.html for c in every(card, Words("de")).values()).encode()).hexdigest())
"""
    command = [sys.executable, "-c", program, str(tmp_path / "card.pickle")]
    here = Path(__file__).parents[1]
    when = ("first", "later")
    found = [subprocess.run([*command, w], capture_output=True, text=True, check=True, cwd=here) for w in when]
    assert len(found[0].stdout.strip()) == 64
    assert found[0].stdout == found[1].stdout


def test_every_specification_is_valid_vega_lite(card: pd.DataFrame, english: Words, monkeypatch: pytest.MonkeyPatch):
    specs: list[dict[str, Any]] = []
    real = svg.vlc.vegalite_to_svg

    class Spy:
        @staticmethod
        def vegalite_to_svg(spec: dict[str, Any], **options: Any) -> str:
            specs.append(spec)
            return real(spec, **options)

    monkeypatch.setattr(svg, "vlc", Spy)
    every(card, english)
    assert len(specs) == 6
    for spec in specs:
        alt.Chart.from_dict(spec)


def test_a_month_with_too_few_cases_is_left_out_and_said(card: pd.DataFrame, english: Words):
    chart = charts.trend(card, "avg_receipt", english)
    assert (
        chart.text
        == "Avg receipt by month; the band is the 95% interval. One point has too few cases and is not drawn."
    )
    assert ">Mar<" in chart.html
    assert "from July 2017 ($28.75) to December 2017 ($30.00); lowest $28.75 in July 2017" in chart.html


def test_a_year_before_lies_under_its_months(english: Words):
    rows = [r for r in months("x", "2017") if r["period"] == "current"]
    before = [r | whole("2016" + r["segment"][4:], "previous") for r in rows]
    html = charts.trend(results.scorecard(rows + before), "x", english).html
    assert html.count(">Jul<") == 1
    assert ">2016<" not in html


def test_full_counts_have_no_band(english: Words):
    rows = [{**r, "low": r["value"], "high": r["value"], "numerator": r["value"]} for r in months("x")]
    assert charts.trend(results.scorecard(rows), "x", english).text.startswith("X by month; full counts.")


@pytest.mark.parametrize("cells", [{}, {"numerator": 3.0, "denominator": 1.0}])
def test_a_figure_without_an_interval_is_no_full_count(cells: dict[str, float], english: Words):
    rows = [{**r, "low": r["value"], "high": r["value"], **cells} for r in months("x")]
    assert charts.trend(results.scorecard(rows), "x", english).text == (
        "X by month. One point has too few cases and is not drawn."
    )


CUT = "One part is cut off by the period or by the end of the data and is not drawn."


def drawn(rows: list[dict[str, Any]], segment_by: str, words: Words, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that are points of the line."""
    specs: list[dict[str, Any]] = []
    monkeypatch.setattr(lines, "draw", lambda spec, *_, **__: specs.append(spec) or "<svg/>")
    said = charts.trend(results.scorecard(rows), "x", words, segment_by).text
    assert said.endswith(CUT)
    return [p["x"] for p in specs[0]["data"]["values"]]


def test_a_month_that_the_period_cuts_is_not_drawn(english: Words, monkeypatch: pytest.MonkeyPatch):
    rows = months("x")[6:]
    rows[-1]["period_end"] = date(2017, 12, 10)
    assert drawn(rows, "month", english, monkeypatch) == ["2017-07", "2017-08", "2017-09", "2017-10", "2017-11"]


def test_the_caption_and_the_alternative_text_end_with_the_last_whole_month(english: Words):
    rows = months("x")[6:]
    rows[-1]["period_end"] = date(2017, 12, 10)
    chart = charts.trend(results.scorecard(rows), "x", english)
    assert "to November 2017" in chart.html
    assert chart.text == f"X by month; the band is the 95% interval. {CUT}"


def test_a_month_cut_at_its_start_is_not_drawn(english: Words, monkeypatch: pytest.MonkeyPatch):
    rows = months("x")[6:]
    rows[0]["period_start"] = date(2017, 7, 2)
    assert drawn(rows, "month", english, monkeypatch)[0] == "2017-08"


def test_a_part_that_the_data_cut_is_not_said_to_have_few_cases(english: Words, monkeypatch: pytest.MonkeyPatch):
    rows = months("x")[6:]
    rows[-1] |= {"status": "low_n", "reason": '{"id": "reason.part_not_over"}'}
    assert drawn(rows, "month", english, monkeypatch)[-1] == "2017-11"
    said = charts.trend(results.scorecard(rows), "x", english).text
    assert said == f"X by month; the band is the 95% interval. {CUT}"


def test_two_whole_months_and_a_cut_one_are_no_trend(english: Words):
    rows = months("x")[6:9]
    rows[-1]["period_end"] = date(2017, 9, 29)
    assert charts.trend(results.scorecard(rows), "x", english).html == ""


#: The first part lacks its first day; the others are whole.
SPANS = {
    "week": {
        "2017-W26": ("2017-06-27", "2017-07-02"),
        "2017-W27": ("2017-07-03", "2017-07-09"),
        "2017-W28": ("2017-07-10", "2017-07-16"),
        "2017-W29": ("2017-07-17", "2017-07-23"),
    },
    "quarter": {
        "2016-Q3": ("2016-07-02", "2016-09-30"),
        "2016-Q4": ("2016-10-01", "2016-12-31"),
        "2017-Q1": ("2017-01-01", "2017-03-31"),
        "2017-Q2": ("2017-04-01", "2017-06-30"),
    },
    "year": {
        "2014": ("2014-01-02", "2014-12-31"),
        "2015": ("2015-01-01", "2015-12-31"),
        "2016": ("2016-01-01", "2016-12-31"),
        "2017": ("2017-01-01", "2017-12-31"),
    },
}


@pytest.mark.parametrize("grain", SPANS)
def test_whole_weeks_quarters_and_years_are_drawn(grain: str, english: Words, monkeypatch: pytest.MonkeyPatch):
    rows = []
    for segment, (first, last) in SPANS[grain].items():
        days = {"period_start": date.fromisoformat(first), "period_end": date.fromisoformat(last)}
        rows.append(figure("x", 0.5, 0.4, 0.6, segment_by=grain, segment=segment, **days))
    assert drawn(rows, grain, english, monkeypatch) == list(SPANS[grain])[1:]


def test_two_points_are_no_trend(english: Words):
    rows = months("x")[6:8]
    assert charts.trend(results.scorecard(rows), "x", english).html == ""


def test_small_segments_are_left_out_and_said(card: pd.DataFrame, english: Words):
    chart = charts.segments(card, "avg_receipt", "channel", english)
    assert chart.text == (
        "Avg receipt by channel, with 95% intervals. The dashed line is the total, $28.31. "
        "One segment has too few cases and is not drawn."
    )
    assert "&lt;script&gt;" in chart.html


def test_a_total_of_sums_does_not_squeeze_its_parts(english: Words):
    rows = [figure("net_sales", v, v, v, segment_by="channel", segment=s) for s, v in (("web", 100.0), ("app", 90.0))]
    rows.append(figure("net_sales", 190.0, 190.0, 190.0))
    assert "dashed" not in charts.segments(results.scorecard(rows), "net_sales", "channel", english).text


def test_a_comparison_by_membership_is_an_association(english: Words):
    rows = [
        figure("x", v, v - 0.1, v + 0.1, segment_by="member", segment=s)
        for s, v in (("member", 0.7), ("non_member", 0.4))
    ]
    said = "Association, not effect: the groups differ in more than the programme."
    assert charts.segments(results.scorecard(rows), "x", "member", english).text.endswith(said)
    assert every(results.scorecard(rows), english)["dumbbell"].text.endswith(said)


def test_a_survival_curve_ends_where_few_are_at_risk(english: Words):
    chart = charts.survival(CURVE, english, name="gaps", title="Gaps")
    assert "Gaps: the curve falls to 6.9% after 52\u00a0days." in chart.html
    few = CURVE.assign(at_risk=12.0)
    assert charts.survival(few, english, name="gaps", title="Gaps").html == ""


@pytest.mark.parametrize("name", ["bars", "dumbbell", "heatmap"])
def test_nothing_known_is_nothing_drawn(name: str, english: Words):
    empty = {"bars": SHARES, "dumbbell": PAIRS, "heatmap": TILES}[name].iloc[:0]
    sides = {"unit": "money", "left": "With", "right": "Without"} if name == "dumbbell" else {}
    assert getattr(charts, name)(empty, english, name="x", title="X", **sides).html == ""


def test_noise_in_the_last_bits_is_not_drawn():
    """0.1 + 0.2 and 0.3 differ by 5.6e-17; both are drawn as 0.3."""
    assert svg.settled({"data": [{"y": 0.1 + 0.2, "n": 3, "name": "x"}]}) == {"data": [{"y": 0.3, "n": 3, "name": "x"}]}


def by_channel(*figures: tuple[str, float | None], **cells: Any) -> pd.DataFrame:
    rows = []
    for name, value in figures:
        known = {"numerator": value} if value is not None else {"status": "undefined"}
        rows.append(figure("x", value, value, value, segment_by="channel", segment=name, **known, **cells))
    return results.scorecard(rows)


def test_what_has_no_intervals_is_not_said_to_have_them(english: Words):
    counted = by_channel(("web", 100.0), ("app", 90.0), unit="persons")
    assert charts.segments(counted, "x", "channel", english).text == "X by channel; full counts."
    alone = counted.assign(denominator=1.0)
    assert charts.segments(alone, "x", "channel", english).text == "X by channel."


def test_what_is_not_known_is_not_said_to_have_few_cases(english: Words):
    card = by_channel(("web", 100.0), ("app", 90.0), ("phone", None), unit="persons")
    said = charts.segments(card, "x", "channel", english).text
    assert said == "X by channel; full counts. One segment is not known from these data and is not drawn."
    rows = [{**r, "status": "missing_data"} if r["segment"] == "2017-03" else r for r in months("x")]
    assert charts.trend(results.scorecard(rows), "x", english).text == (
        "X by month; the band is the 95% interval. One point is not known from these data and is not drawn."
    )


def test_figures_of_different_units_share_no_axis(english: Words):
    both = pd.concat([by_channel(("web", 0.1), unit="percent"), by_channel(("app", -1.7), unit="points")])
    assert charts.segments(both, "x", "channel", english).html == ""


def test_a_total_that_ends_with_a_point_has_no_second_one():
    rows = [figure("x", v, v - 0.01, v + 0.01, segment_by="channel", segment=s, unit="pp") for s, v in PP.items()]
    card = results.scorecard([*rows, figure("x", 0.005, 0.0, 0.01, unit="pp")])
    said = charts.segments(card, "x", "channel", Words("it")).text.replace("\u00a0", " ")
    assert said == "X per canale, con intervalli al 95%. La linea tratteggiata è il totale, +0,5 p.p."


PP = {"web": 0.004, "app": 0.006}


@pytest.mark.parametrize(
    ("unit", "values", "wanted"),
    [
        ("percent", (0.4, 0.6), ".0%"),
        ("percent", (0.97, 0.98), ".1%"),
        ("percent", (0.998, 1.0), ".2%"),  # ticks at 99.85 and 99.90 would both be 99.9
        ("percent", (1.0, 1.0), ".1%"),
        ("purchases", (15.2, 17.4), ",.1f"),  # ticks at 15.5 and 16 would both be 16
        ("purchases", (15.0, 18.0), ",.0f"),
        ("ratio", (0.004, 0.012), ",.3f"),
        ("money", (28.0, 33.0), "$,.0f"),
    ],
)
def test_no_two_ticks_read_the_same(unit: str, values: tuple[float, float], wanted: str):
    assert number_format(unit, values) == wanted


def test_many_months_are_written_smaller(english: Words, monkeypatch: pytest.MonkeyPatch):
    specs: list[dict[str, Any]] = []
    monkeypatch.setattr(lines, "draw", lambda spec, *_, **__: specs.append(spec) or "<svg/>")
    year = [{**r, **whole("2016" + r["segment"][4:], "previous")} for r in months("x")]
    charts.trend(results.scorecard([*year[:5], *months("x")]), "x", english)
    charts.trend(results.scorecard(months("x")), "x", english)
    axes = [spec["layer"][0]["encoding"]["x"]["axis"] for spec in specs]
    assert [axis.get("labelFontSize") for axis in axes] == [9, None]
