"""What can go wrong, as one tree.

KpibookError                 printed as its text, never as a traceback
├── ParamsError      (2)     the params file, or the command line
├── PluginError      (2)     a plugin or a KPI definition
├── DataError        (3)     the client's data were refused
├── RunError         (4)     a run failed
│   └── LostError    (4)     its database is gone
└── NotValidError    (5)     a report was made but does not hold

The number is the exit code. Every error is a list of problems, each saying what,
where and what to do, so that all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """``where`` is a file with line, or a table with column and row; ``remedy`` starts with a verb."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} · {self.remedy}"


class KpibookError(Exception):
    """Something the user can mend."""

    exit_code = 2

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: its text, which says what to do."""
        return [str(self)]


class ParamsError(KpibookError):
    """The params file or the command line says something kpibook cannot follow."""


class PluginError(KpibookError):
    """A plugin or a definition is refused."""


class DataError(KpibookError):
    """The client's data are refused."""

    exit_code = 3


class RunError(KpibookError):
    """A run did not reach its end."""

    exit_code = 4


class LostError(RunError):
    """The database is gone: no KPI can be computed any more, so none is told as failed."""


class NotValidError(KpibookError):
    """A report was made, and does not hold."""

    exit_code = 5


#: A longer list of what is known would hide the message.
MOST_NAMES = 60


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` when something near is known, else the list of what is."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return "remove it"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return "use one of: " + ", ".join(names[:MOST_NAMES]) + more
