"""Page one, in words: what these data can say, and five figures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from kpibook.present import cells
from kpibook.present.display import Display, heading, paragraph, stack
from kpibook.present.formats import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from kpibook.present.words import Words

ROI = "programme_roi"
HOW_MANY = 5
#: Neither a figure nor bounds: the design does not tell, or too few persons stand behind it.
UNKNOWN = ("not_identified", "low_n")
#: A return that says something: a figure, bounds, or that it cannot be identified.
ANSWERS = ("ok", "bounded", *UNKNOWN)
#: Grades of evidence that allow a single figure.
GRADES = ("A", "B")
STATES = ("met", "missed", "open")
#: After the figures that have a target, in this order.
PREFERRED = (
    ROI,
    "net_sales",
    "member_revenue_share",
    "avg_receipt",
    "retention_rate",
    "active_customers",
    "spend_per_customer",
    "churn_rate",
    "purchase_frequency",
    "repeat_purchase_rate",
    "campaign_response_rate",
    "identified_sales_share",
)


class Facts(Protocol):
    """What intake knows of a canonical table."""

    @property
    def rows(self) -> int: ...
    @property
    def supplied(self) -> frozenset[str]: ...


def verdict(
    scorecard: pd.DataFrame,
    words: Words,
    *,
    facts: Mapping[str, Facts] | None = None,
    findings: Iterable[str] = (),
    compared: str = "",
) -> Display:
    """``facts`` and the rule ids of ``findings`` say what is missing; ``compared`` names the comparison period."""
    chosen = five(scorecard)
    blocks = [
        heading(2, words("verdict.title"), "verdict"),
        paragraph(headline(scorecard, words, facts, findings), "lead"),
        paragraph(summary(scorecard, chosen, words, compared)),
        cards(chosen, words, compared),
    ]
    if chosen:
        blocks.append(paragraph(words("note.interval"), "note"))
    return stack(blocks)


def headline(
    scorecard: pd.DataFrame, words: Words, facts: Mapping[str, Facts] | None = None, findings: Iterable[str] = ()
) -> str:
    """Whether the programme pays: from the interval of its ROI, with grade and design, or why that cannot be said."""
    roi = [r for r in cells.rows_of(scorecard, kpi=ROI, period="current") if r["status"] in ANSWERS]
    if roi and roi[0]["status"] in UNKNOWN:
        return " ".join([words("verdict.not_identified"), words.reason(roi[0]["reason"] or "")]).strip()
    if not roi or (roi[0]["status"] == "bounded" and (is_missing(roi[0]["low"]) or is_missing(roi[0]["high"]))):
        lacks = "; ".join(words(f"verdict.lacks.{what}") for what in lacking(facts, findings))
        return words("verdict.unknown", reasons=lacks)
    row = roi[0]
    if is_missing(row["low"]) or is_missing(row["high"]):
        return words("verdict.open_without_interval", roi=words.value(row["value"], row["unit"]))
    state = "pays" if row["low"] > 0 else "loses" if row["high"] < 0 else "open"
    around = words.between(row["low"], row["high"], row["unit"])
    if row["status"] == "bounded":
        said = [words(f"verdict.bounded.{state}", interval=around)]
    else:
        said = [words(f"verdict.{state}", roi=words.value(row["value"], row["unit"]), interval=around)]
        said += [words(f"verdict.grade.{row['grade']}")] if row["grade"] in GRADES else []
    return " ".join([*said, words.reason(row["reason"] or "", row["unit"])]).strip()


def lacking(facts: Mapping[str, Facts] | None, findings: Iterable[str] = ()) -> list[str]:
    """What the client would have to supply for an answer: costs, margin, controls, members."""
    if facts is None:
        return ["kpi"]
    missing = []
    if not facts["memberships"].rows:
        missing.append("members")
    if not facts["programme_costs"].rows:
        missing.append("costs")
    if not {"cogs", "gross_amount"} <= facts["order_lines"].supplied:
        missing.append("margin")
    if not facts["campaign_targets"].rows or "no_controls" in set(findings):
        missing.append("controls")
    return missing or ["kpi"]


def five(scorecard: pd.DataFrame) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """The return first if anything is known of it, then figures with a target, then preferred ones that can show."""
    pairs = cells.with_previous(cells.rows_of(scorecard))
    rank = {kpi: i for i, kpi in enumerate(PREFERRED)}
    aimed = [p for p in pairs if not is_missing(p[0]["target"])]
    others = [p for p in pairs if is_missing(p[0]["target"]) and p[0]["kpi"] in rank and cells.is_shown(p[0])]
    ordered = sorted(aimed, key=lambda p: rank.get(p[0]["kpi"], len(rank)))
    ordered += sorted(others, key=lambda p: rank[p[0]["kpi"]])
    answer = [p for p in pairs if p[0]["kpi"] == ROI and p[0]["status"] in ANSWERS]
    return [*answer, *(p for p in ordered if p[0]["kpi"] != ROI or not answer)][:HOW_MANY]


def summary(
    scorecard: pd.DataFrame, chosen: list[tuple[dict[str, Any], dict[str, Any] | None]], words: Words, compared: str
) -> str:
    """How many of the figures moved, and how many of all targets were met, those of further chapters included."""
    if not chosen:
        return words("verdict.no_figures")
    parts = [words("verdict.figures", n=len(chosen))]
    known = [p for p in chosen if p[1] is not None and not is_missing(p[0]["change"]) and p[0]["status"] == "ok"]
    signs = [sign for sign in (cells.moved(*pair) for pair in known) if sign is not None]
    if signs and compared:
        counts = {"up": signs.count(1), "down": signs.count(-1), "still": signs.count(0)}
        parts.append(words("verdict.moves", period=compared, **counts))
        parts += [words("verdict.not_judged", n=len(chosen) - len(signs))] if len(signs) < len(chosen) else []
    judged = [r for r in cells.rows_of(scorecard, period="current") if r["status"] == "ok"]
    states = [r["target_state"] for r in judged if not is_missing(r["target"]) and r["target_state"] in STATES]
    if states:
        counts = {s: states.count(s) for s in STATES}
        parts.append(words("verdict.targets", **counts))
    return " ".join(parts)


def comparison(row: cells.Row, before: cells.Row | None, words: Words, compared: str) -> str:
    """The change against the comparison period as a sentence."""
    if not compared:
        return words("verdict.no_comparison")
    if before is None or row["status"] != "ok" or before["status"] != "ok" or is_missing(row["change"]):
        return words("verdict.not_compared", period=compared)
    change = cells.change_text(row, words)
    windows = cells.unequal(row, before)
    if windows:
        days = {"current": windows[0], "previous": windows[1]}
        return words("verdict.change_not_comparable", change=change, period=compared, **days)
    sign = cells.moved(row)
    if sign is None:
        return words("verdict.change_only", change=change, period=compared)
    digits = words.digits(row["unit"], row["change"], row["change_low"], row["change_high"])
    around = words.between(row["change_low"], row["change_high"], row["unit"], digits, change=True)
    said = {1: "verdict.higher", -1: "verdict.lower", 0: "verdict.no_clear_change"}[sign]
    return words(said, change=change, interval=around, period=compared)


def target(row: cells.Row, words: Words) -> str:
    """Met, missed, or not to be told yet."""
    if is_missing(row["target"]):
        return ""
    state = row["target_state"] if row["status"] == "ok" else "none"
    return words(f"verdict.target.{state}", target=words.value(row["target"], row["unit"]))


def cards(chosen: list[tuple[dict[str, Any], dict[str, Any] | None]], words: Words, compared: str) -> Display:
    """Each figure with how certain it is, its change and its target."""
    items, lines = [], []
    for row, before in chosen:
        ok = row["status"] == "ok"
        said = [_certainty(row, words), comparison(row, before, words, compared), target(row, words)]
        value = cells.value_text(row, words)
        body = "".join(f"<p>{escape(text)}</p>" for text in said if text)
        big = f'<p class="kb-big{"" if ok else " kb-off"}">{escape(value)}</p>'
        items.append(f"<li><h3>{escape(row['title'])}</h3>{big}{body}</li>")
        lines.append(f"{row['title']}: {value} \u00b7 " + " \u00b7 ".join(text for text in said if text))
    return Display(f'<ul class="kb-cards">{"".join(items)}</ul>' if items else "", "\n".join(lines))


def _certainty(row: cells.Row, words: Words) -> str:
    if row["status"] != "ok":
        return cells.why_text(row, words)
    n = words.number(row["n"])
    if is_missing(row["low"]) and is_missing(row["high"]):
        return words("verdict.cases", n=row["n"])
    if cells.is_exact(row):
        return words("verdict.exact", n=row["n"])
    around = words.between(row["low"], row["high"], row["unit"], cells.digits_of(row, words))
    return words("verdict.interval", interval=around, cases=n)
