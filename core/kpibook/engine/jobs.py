"""What is computed: estimates of KPIs, the figures found, and the pieces that one task works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kpibook.estimates import Estimate
from kpibook.figures import Figure
from kpibook.stats.intervals import Interval
from kpibook.tracing import Resolved

if TYPE_CHECKING:
    from kpibook.engine.frames import Frames

VARIANT = "variant"
Name: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Job:
    """One estimate of one KPI: its headline (``variant`` is empty) or a further reading.

    ``unmoved`` is the estimate over what its materialised base was made of.
    """

    kpi: Resolved
    variant: str
    estimate: Estimate
    unmoved: Estimate | None = None

    @property
    def name(self) -> Name:
        return self.kpi.id, self.variant


@dataclass(frozen=True)
class Cell:
    """One figure found: where it belongs, and its change when both periods are known."""

    job: Job
    segment_by: str
    segment: str
    period: str
    figure: Figure
    change: Interval | None = None


@dataclass(frozen=True)
class Piece:
    """What one task finds: its ``jobs``, each by the breakdowns in ``shown``, asked in one way (``kind``).

    ``frames`` are those that a KPI in pandas is given.
    """

    kind: str
    jobs: tuple[Job, ...]
    shown: tuple[tuple[str, ...], ...]
    frames: Frames | None = None

    @property
    def breakdowns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each for own in self.shown for each in own))


def table_name(job: Job) -> str:
    return f"{job.kpi.id}.{job.variant}" if job.variant else job.kpi.id
