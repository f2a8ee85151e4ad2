"""Many programmes of known truth, read by the estimators of the ROI: ``python -m simulations.known_truth``.

Writes docs/known_truth.md. The issue's line: at least 20 programmes with three strengths of
selection, with and without an effect, with and without an unobserved intent shock.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kpibook.stats.intervals import wilson
from simulations import invitations, rollouts, withheld
from simulations.readings import Reading
from simulations.truth_cases import COSTS, MANY, PERSONS, Case, Graded, by_kind, cases, graded, simulate

PAGE = Path(__file__).parents[1] / "docs" / "known_truth.md"
TOLERANCE = 6.0
OUTSIDE = 0.07
ENOUGH = 60


def claims(found: Sequence[tuple[Case, Reading]]) -> list[tuple[str, str, bool]]:
    """(what is claimed, what was found, whether it holds): the issue's programmes, and for grade B all of them."""
    line = [(case, reading) for case, reading in found if case.line]
    valid = [r for case, r in line if case.valid]
    biases = [r.bias for r in valid]
    held = sum(r.holds(r.evidence.bracket) for _, r in line)
    naive = [r.percent(r.naive - r.truth) for _, r in line]
    b, own = graded(found), graded(line)
    calm = graded([(case, r) for case, r in found if case.valid])
    reached = f"{b.wrong} of {b.programmes}; without a shock {calm.wrong} of {calm.programmes}{_at_most(calm)}"
    return [
        ("At least 20 programmes", f"{len(line)}", len(line) >= 20),
        (
            f"Without an intent shock the risk-set estimator stays within ±{TOLERANCE:g} % of the true margin",
            f"{min(biases):+.1f} … {max(biases):+.1f} % over {len(valid)} programmes",
            max(map(abs, biases)) <= TOLERANCE,
        ),
        ("The bracket [later, never] holds the truth", f"in {held} of {len(line)}", held == len(line)),
        (
            "The naive gap is wrong",
            f"{min(naive):+.0f} … {max(naive):+.0f} % from the truth",
            min(map(abs, naive)) > 5 * TOLERANCE,
        ),
        (
            f"At least {ENOUGH} programmes reach grade B, so that the next line is about something",
            f"{b.programmes} of {len(found)} (the issue's own: {own.programmes} of {len(line)})",
            b.programmes >= ENOUGH,
        ),
        (
            f"Where grade B is given, the truth lies outside its interval in at most {OUTSIDE:.0%} of the programmes",
            f"{reached}; counted at every cost {b.outside} of {b.given}",
            b.share <= OUTSIDE,
        ),
    ]


def _at_most(found: Graded) -> str:
    """Upper end of the Wilson interval of the share outside."""
    high = wilson(found.wrong, found.programmes).high if found.programmes else 1.0
    return f", at most {100 * high:.1f} % with 95 % confidence"


def page(
    found: Sequence[tuple[Case, Reading]],
    stores: list[rollouts.Rollouts],
    invited: list[invitations.Invitations],
) -> str:
    """The whole page."""
    parts = [_HEAD, "| claim | found | |", "|---|---|---|"]
    parts += [f"| {what} | {got} | {'holds' if holds else '**fails**'} |" for what, got, holds in claims(found)]
    parts += ["", "## The issue's programmes", "", *_table([f for f in found if f[0].line])]
    parts += ["", "## Harder programmes", "", _HARDER, "", *_table([f for f in found if not f[0].line])]
    parts += ["", "## Grade B, and the interval", "", _GRADES, "", *_calibration(found), "", _read(found)]
    parts += [
        "",
        "## What withholds grade B",
        "",
        _WITHHELD,
        "",
        *withheld.table([(kind, [r for _, r in own]) for kind, own in by_kind(found)], COSTS),
        "",
        _why(found),
    ]
    parts += ["", "## Stores one after another", "", _STORES, "", *rollouts.table(stores)]
    parts += ["", "## Random invitations", "", _INVITED, "", *invitations.table(invited)]
    return "\n".join(parts) + "\n"


def _table(found: Sequence[tuple[Case, Reading]]) -> list[str]:
    head = "| persons | intent shock | effect | selection | members | truth | naive gap | estimate | bias | adjusted"
    rows = [head + " | interval | bracket |", "|--:|---|---|---|--:|--:|--:|--:|--:|--:|---|---|"]
    for case, r in found:
        e = r.evidence
        ends = [
            f"{r.percent(i.low):+.1f} … {r.percent(i.high):+.1f}{'' if r.holds(i) else ' ✗'}"
            for i in (e.interval, e.bracket)
        ]
        cells = [f"{case.persons:,}", case.shock, case.effect, case.selection, f"{e.study.treated:,}"]
        cells += [
            f"{r.percent(r.truth):+.1f}",
            f"{r.percent(r.naive):+.0f}",
            f"{r.percent(e.study.total):+.1f}",
            f"{r.bias:+.1f}",
            f"{r.moved:+.1f}",
            *ends,
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _calibration(found: Sequence[tuple[Case, Reading]]) -> list[str]:
    head = "| persons | intent shock | effect | truth outside the interval | B given | of those outside |"
    rows = [head, "|--:|---|---|--:|--:|--:|"]
    for (persons, shock, effect), own in by_kind(found):
        missed = sum(not r.holds(r.evidence.interval) for _, r in own)
        b = graded(own)
        rows.append(
            f"| {persons:,} | {shock} | {effect} | {missed} of {len(own)} | {b.given} of {b.judged} | {b.outside} |"
        )
    return rows


def _why(found: Sequence[tuple[Case, Reading]]) -> str:
    """The issue's own effect without a shock, at both sizes, and what the other test would do to all programmes."""
    sizes = {}
    for persons in (PERSONS, MANY):
        own = [r for case, r in found if (case.persons, case.shock, case.effect) == (persons, "none", "effect")]
        pairs = [withheld.drift(r) for r in own] or [(float("nan"),) * 2]
        given = sum(any(r.grade(cost) == "B" for cost in COSTS) for r in own)
        sizes[persons] = (*(sum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1)), f"{given} of {len(own)}")
    other = [r for _, r in found if withheld.directed(r, COSTS)]
    outside = sum(not r.holds(r.evidence.interval) for r in other)
    (shown, half, given), (shown_many, half_many, given_many) = sizes[PERSONS], sizes[MANY]
    return _WHY.format(
        persons=f"{PERSONS:,}", shown=shown, half=half, given=given,
        many=f"{MANY:,}", shown_many=shown_many, half_many=half_many, given_many=given_many,
        other=len(other), outside=outside, now=graded(found).programmes, wrong=graded(found).wrong,
    )  # fmt: skip


def _read(found: Sequence[tuple[Case, Reading]]) -> str:
    spread = {name: [] for name in ("sudden", "large effect")}
    for case, r in found:
        if (case.shock, case.effect) == ("sudden", "none"):
            spread["sudden"].append(r.bias)
        if (case.shock, case.effect) == ("none", "large effect"):
            spread["large effect"].append(r.bias)
    ends = {name: f"{min(biases):+.1f} … {max(biases):+.1f} %" for name, biases in spread.items() if biases}
    return _READ.format(sudden=ends.get("sudden", "not simulated"), large=ends.get("large effect", "not simulated"))


_HEAD = """# Known truth: what the ROI's estimators are worth

Made by `python -m simulations.known_truth`; not edited by hand. Each programme has 60,000 or 250,000 persons over 40
months and a truth that is known month by month (`simulations/programmes.py`). All amounts are in percent of the
members' true margin without the programme, over the twelve months after enrolment. Estimator, bracket, interval and
grade are those of `incremental_margin` (`core/kpibook/stats`). Adjusted: by how much the estimate of those known for a
year moves when controls are weighted to their spending 12 to 7 months before (doubly robust). Stores and invitations
come at the end.
"""

_HARDER = """Not part of the line above: an effect more than twice as large (20 % more purchases, 30 % fewer
departures), and a shock that raises the readiness to join in its first month only, so that nothing before enrolment
can show it, with 250,000 persons as well; then an effect so large (40 % more purchases, 50 % fewer departures) that
grade B is reached. ✗ marks what does not hold the truth."""

_GRADES = """Each programme is judged at three costs: 2, 10 and 40 % of the margin. Grade B needs the whole bracket on
one side of the cost, so a programme of middling effect gets C whatever its size. The interval is that of grade B:
sampling, a drift after enrolment as large as the one before, and both readings of controls who enrol later."""

_READ = """How to read it.

- Controls who enrol later stay in and dilute: the larger the effect, the lower the estimate lies. With the large effect
  and no shock the bias is {large}: beyond the line's ±6 % in part, on the careful side; the interval holds the truth.
- A lingering shock shows in the placebos, and grade B is refused.
- A sudden shock does not show: the placebo is clean, and where there is no effect at all the estimate is off by
  {sudden}, outside its interval in most runs. What withholds grade B is then the bracket, or the placebo's lack of
  power: the larger the programme and the further its cost lies from the bracket, the less they protect. No
  observational design excludes this; a random holdout does.
- This is one family of data-generating processes: evidence, not a theorem."""

_WITHHELD = """In how many programmes a check of grade B fails at all three costs (others: size, balance, share of the
members whose effect is seen), and where the drift that the months -12 to -7 would have shown with a chance of 80 %
(joint Wald test, over 12 months) stands against half of the effect, in percent of the margin, as medians. A directed
test asks for a straight drift alone (one degree of freedom instead of six): what it would change."""

_WHY = """- Of the issue's own programmes with an effect and no shock, {given} get grade B at {persons} persons.
  What is wanting is power: a drift of {shown:.1f} % of the margin over a year might not have shown in the placebo
  months, and half of the effect is {half:.1f} %, so the data cannot rule out that a drift makes half of what is seen.
  The rule asks exactly that, and grade C with its bounds is the truthful verdict. With {many} persons
  {shown_many:.1f} % would have shown against {half_many:.1f} %, and {given_many} of the same kind get grade B.
- Where the cost lies inside the bracket, [later, never] leaves the sign open, and no size helps.
- A directed test would see a drift a quarter smaller, and give grade B to {other} programmes instead of {now}; the
  truth lies outside the interval of {outside} instead of {wrong} of them. The method asks for the joint test."""

_STORES = """Stores of log-normal size with common season and growth, shocks of their own that last, in 36 months; the
programme adds its effect to all that a store sells. In percent of the stores' margin without the programme; 200 runs of
each kind. Interval: launches dealt out anew. Launches in order of size are no random order: what must then hold is that
small and large stores would have grown alike."""

_INVITED = """Half of the persons are invited by lot. 10 % join in any case and spend most, some only if invited; the
effect, in money, is that on the latter. 1,000 runs of each kind. Joiners less others is what a dashboard would show. No
effect per enrolment is given where the first stage's F is 10 or less; among the few that pass it by luck when hardly
anybody follows (the last two rows) the estimates are off on average: the effect's interval allows for that, the
return's does so less often (a cost that may be none has no interval, and counts as missed)."""


if __name__ == "__main__":
    results = simulate(cases(), os.cpu_count() or 1)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(results, rollouts.rollouts(), invitations.invitations()), encoding="utf-8")
    sys.stderr.write(f"\n{PAGE.relative_to(PAGE.parents[1])}\n")
