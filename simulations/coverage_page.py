"""The page of ``simulations.coverage``: how often each interval held its KPI's value on the population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kpibook.stats.intervals import Interval, wilson
from simulations.coverage_reasons import by_design, why

LEAST, MOST = 0.93, 0.97
_FEWEST = 30
_HEAD = (
    "| KPI | reading | road | customers | n | replicates | coverage | Monte Carlo | change: coverage | Monte Carlo "
    "| mean width | width / spread | |\n"
    "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
)
ROADS = ("sums", "rows", "engine")


@dataclass(frozen=True)
class Count:
    """How often intervals ``held`` in ``replicates`` samples."""

    held: int
    replicates: int

    @property
    def coverage(self) -> float:
        return self.held / self.replicates

    @property
    def monte_carlo(self) -> Interval:
        """What the coverage may be, as far as these samples tell (Wilson, 95 %)."""
        return wilson(self.held, self.replicates)

    @property
    def place(self) -> str:
        """within, below or above 93 to 97 % as observed."""
        return "below" if self.coverage < LEAST else "above" if self.coverage > MOST else "within"

    @property
    def verdict(self) -> str:
        """Where it lies as far as the samples can tell: outside only if its Monte-Carlo interval is."""
        if self.replicates < _FEWEST:
            return "too few"
        low, high = self.monte_carlo
        return "below" if high < LEAST else "above" if low > MOST else "within" if self.place == "within" else "open"

    def cells(self) -> list[str]:
        low, high = self.monte_carlo
        return [f"{100 * self.coverage:.1f} %", f"{100 * low:.1f} to {100 * high:.1f}"]


@dataclass(frozen=True)
class Line:
    """A reading of a KPI at a size; ``width`` is the intervals' mean width, ``spread`` 3.92 standard deviations of the
    values. ``level`` is None where only the change has an interval.
    """

    kpi: str
    reading: str
    size: int
    road: str
    n: float
    samples: int
    level: Count | None
    change: Count | None
    width: float
    spread: float

    @property
    def counts(self) -> list[tuple[bool, Count]]:
        """(whether of the change, count) of the figure and of its change."""
        return [(change, c) for change, c in ((False, self.level), (True, self.change)) if c is not None]

    def name(self, change: bool) -> str:
        said = f"`{self.kpi}`" + (f" {self.reading}" if self.reading else "") + (", change" if change else "")
        return f"{said}, {self.size:,} customers"

    def designed(self, change: bool) -> bool:
        """Not about who happens to be a customer, or wide on purpose; or a figure that is always 0, or always 1."""
        return self.spread == 0 or by_design(self.kpi, self.reading, change)

    def reason(self, change: bool) -> str:
        return why(self.kpi, self.reading, change) or "Not explained."

    def mark(self) -> str:
        said = [("change " if change else "") + count.verdict for change, count in self.counts]
        return ", ".join(word for word in said if not word.endswith(("within", "open")))

    def row(self) -> str:
        level, change = ([] if c is None else c.cells() for c in (self.level, self.change))
        numbers = [format(x, form) if np.isfinite(x) else "" for x, form in ((self.n, ",.0f"), (self.width, ".3g"))]
        ratio = f"{self.width / self.spread:.2f}" if self.spread > 0 else ""
        most = max(count.replicates for _, count in self.counts)
        cells = [
            f"`{self.kpi}`", self.reading, self.road, f"{self.size:,}", numbers[0], str(most), *(level or ["", ""]),
            *(change or ["", ""]), numbers[1], ratio, self.mark(),
        ]  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def lines(counts: pd.DataFrame, kpis: Sequence[tuple[str, str, str]]) -> list[Line]:
    """One a reading and size, in the order of ``kpis``; ``counts`` as simulations.coverage keeps them."""
    place = {kpi: i for i, (kpi, _, _) in enumerate(kpis)}
    found = []
    for row in counts[counts["kpi"].isin(place) & counts["road"].isin(ROADS)].to_dict("records"):
        level, change = _count(row["held"], row["replicates"]), _count(row["change_held"], row["change_replicates"])
        if level is not None or change is not None:
            spread = 0.0 if row["spread"] == 0 else float(row["spread"])
            whose = (row["kpi"], row["reading"], int(row["size"]), row["road"], float(row["n"]), int(row["samples"]))
            found.append(Line(*whose, level, change, float(row["width"]), spread))
    return sorted(found, key=lambda line: (place[line.kpi], line.reading != "", line.reading, line.size))


def _count(held: float, replicates: float) -> Count | None:
    return Count(int(held), int(replicates)) if replicates > 0 else None


def page(counts: pd.DataFrame, kpis: Sequence[tuple[str, str, str]]) -> str:
    every = lines(counts, kpis)
    judged = [(line, change, count) for line in every for change, count in line.counts]
    kinds = [("headlines", False, False), ("their changes to the year before", False, True)]
    kinds += [("variants", True, False), ("their changes", True, True)]
    rows = []
    for name, variant, of_change in kinds:
        own = [(n, ch, c) for n, ch, c in judged if (n.reading != "", ch) == (variant, of_change)]
        rows.append(_summed(name, own))
    rows += [_summed(f"by {road}", [(n, ch, c) for n, ch, c in judged if n.road == road]) for road in ROADS]
    honest = _summary(judged)
    head = "| | figures | observed within 93 to 97 % | below | above | clearly below | clearly above | by design |"
    parts = [_INTRODUCTION, honest, "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|---:|", *rows])]
    parts += ["## Clearly outside", _OUTSIDE, _outside(judged, False), _DESIGNED, _outside(judged, True)]
    parts += ["## Observed outside, but not clearly", _OPEN, *(_open(judged, place) for place in ("below", "above"))]
    for family in dict.fromkeys(family for _, family, _ in kpis):
        own_kpis = {kpi for kpi, other, _ in kpis if other == family}
        table = [line.row() for line in every if line.kpi in own_kpis]
        if table:
            parts += [f"## {family.capitalize()}", "\n".join([_HEAD, *table])]
    absent = _absent(counts, kpis, {line.kpi for line in every})
    if absent:
        parts += ["## Without a line above", "\n".join(absent)]
    return "\n\n".join(parts) + "\n"


def _absent(counts: pd.DataFrame, kpis: Sequence[tuple[str, str, str]], shown: set[str]) -> list[str]:
    """Readings counted by no road, and KPIs without any line, with the reason."""
    roadless: dict[str, list[str]] = {}
    for row in counts[counts["road"] == ""].to_dict("records"):
        name = f"`{row['kpi']}`" + (f" {row['reading']}" if row["reading"] else "")
        roadless.setdefault(row["kpi"], []).append(f"- {name}: {row['why']}")
    every = [roadless.get(kpi, [] if kpi in shown else [f"- `{kpi}`: not ok often enough"]) for kpi, _, _ in kpis]
    return [line for lines_of_kpi in every for line in lines_of_kpi]


Judged = Sequence[tuple[Line, bool, Count]]


def _summed(name: str, judged: Judged) -> str:
    """A row of the summary; a figure that is by design what it is counts as such and nowhere else."""
    told = [(line, change, count) for line, change, count in judged if count.replicates >= _FEWEST]
    free = [count for line, change, count in told if not line.designed(change)]
    places = [sum(count.place == place for count in free) for place in ("within", "below", "above")]
    clear = [sum(count.verdict == verdict for count in free) for verdict in ("below", "above")]
    numbers = [len(told), *places, *clear, len(told) - len(free)]
    return f"| {name} | " + " | ".join(str(number) for number in numbers) + " |"


def _summary(judged: Judged) -> str:
    """How many figures lie where, as far as their samples tell."""
    told = [(line, change, count) for line, change, count in judged if count.replicates >= _FEWEST]
    free = [count.verdict for line, change, count in told if not line.designed(change)]
    below, above = free.count("below"), free.count("above")
    within = len(free) - below - above
    return (
        f"Of {len(told)} figures and changes that are `ok`, {within} lie within 93 to 97 % as far as their samples can"
        f" tell, {below} clearly below, {above} clearly above; {len(told) - len(free)} are what they are by design."
    )


def _outside(judged: Judged, designed: bool) -> str:
    """A list of what is clearly outside, by design or not; of what never varies a line for each KPI."""
    found: list[str] = []
    constant: dict[str, dict[str, None]] = {}
    for line, change, count in judged:
        if count.verdict not in ("below", "above") or line.designed(change) != designed:
            continue
        if line.spread == 0:
            constant.setdefault(line.kpi, {})[line.reading or "headline"] = None
            continue
        share, interval = count.cells()
        found.append(f"- {line.name(change)}: {share} ({interval}) of {count.replicates}. {line.reason(change)}")
    found += [f"- `{kpi}` {', '.join(readings)}: the same in every sample." for kpi, readings in constant.items()]
    return "\n".join(found) or "None."


def _open(judged: Judged, place: str) -> str:
    """Names with their coverage, of figures observed outside of which the samples cannot tell."""
    found = [
        f"{line.name(change)}: {100 * count.coverage:.1f}"
        for line, change, count in judged
        if (count.verdict, count.place) == ("open", place) and not line.designed(change)
    ]
    return f"{place.capitalize()} (%): " + ("; ".join(found) or "none") + "."


_INTRODUCTION = """# Coverage of the intervals

How often does a nominal 95 % interval hold the value that it is about? The population is Marea, the generated client:
7,000 customers with everything that is theirs, anonymous receipts, visitors, tickets and respondents. In a sample each
of them comes a Poisson number of times, independently: how many come varies too. Counted is whether the interval holds
the KPI's value on the whole population (of a total, the sample's part of it), wherever the sample's status is `ok`.

*Customers* is the size: samples of about 500, 2,000 or 7,000 customers, with as many of the others as go with them. A
figure is judged at the sizes at which its status is `ok` in at least 95 of the first 100 samples, at the smallest two;
a KPI written in pandas at the smaller of 2,000 and 7,000. *Road* is how a sample's figures were computed:

- `sums`: the engine's query of the population, grouped by customer, once; a sample's totals are weighted sums of it,
  and the engine's own functions make figure, interval, change and status of them.
- `rows`: the KPI's own function in pandas, or the engine's Kaplan-Meier, on the drawn rows of the tables that it reads.
- `engine`: everything from the tables on, 60 samples of the size of the population: ten CPU seconds each. A customer
  comes here with household, the friends brought and whoever invited the same friend.

`sums` and `rows` are used only for figures that they give exactly as the engine does, which is tried on two samples
that the engine computes from the tables; where what a customer counts depends on who else is in the sample (cut points,
ranks, prices of a mix), they differ, and the road is `engine`.

Of a query or function as many samples are drawn as four or five CPU seconds allow, from 200 to 1,000.
`python -m simulations.coverage` counts all anew, `--kpi name` or `--family name` a part; the counts are in
docs/coverage.csv, from which this page is made (`--page`). *Monte Carlo* is Wilson's 95 % interval of the coverage:
with 1,000 samples about 1.4 % either way, with 200 about 3 %, with 60 about 6 %. *Clearly* below or above is a figure
whose whole Monte-Carlo interval lies outside 93 to 97 %; the last column marks these. *Width / spread* is the mean
width of the intervals over 3.92 standard deviations of the values: below 1 an interval is narrower than the figure
varies, above 1 wider.

What this does not show: whether the figure measures the right thing. A causal figure can hold its value on the
population and miss the truth; that is docs/known_truth.md. Costs, targets, benchmarks and staff are the same in every
sample."""

_OUTSIDE = "Figures whose coverage is clearly outside 93 to 97 %, with the reason as far as it is known:"
_OPEN = "Observed outside 93 to 97 %, with a Monte-Carlo interval that reaches into it: more samples would tell."
_DESIGNED = "Intervals about something else than who happens to be a customer, or wide on purpose:"
