"""A week of fifty clients on a moved clock, with restarts, outages, rivals and two kills: ``make week``.

Exit code 1 when a due time was lost, or a report made twice. What is real and what is not: simulations/week_life.py.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kpibook import past
from kpibook.keeper import mark
from kpibook.ledger import Ledger, Turn
from kpibook.timetable import period, scheduled
from simulations.week_life import FAILS, REFUSED, Life, fate

START = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday; on the Sunday clocks go forward in New York
ZONES = ("Europe/Madrid", "America/New_York", "Asia/Tokyo")
HOUR = timedelta(hours=1)
STATES = ("due", "started", "waiting", "done", "refused", "failed", "covered", "skipped")
TEXT = """\
client: {name}
title: {name}
language: en
currency: EUR
timezone: {zone}
period: {period}
source: .
schedule: "{cron}"
tables:
  order_lines: {{from: lines.csv, columns: {{transaction_id: receipt, ts: time, net_amount: net}}}}
"""


@dataclass(frozen=True)
class Client:
    """A client, and the hours and minutes at which its zone's clocks show that it is due."""

    name: str
    zone: str
    period: str
    cron: str
    hours: frozenset[int]
    minutes: frozenset[int]
    weekday: str = ""

    def due(self, moment: datetime) -> bool:
        """Whether it is due at this minute."""
        wall = moment.astimezone(ZoneInfo(self.zone))
        day = not self.weekday or wall.strftime("%a").lower() == self.weekday
        return day and wall.hour in self.hours and wall.minute in self.minutes


def clients(number: int = 50) -> list[Client]:
    """Of fifty 38 daily, 7 each six hours, 3 on Wednesdays, 2 each half hour from 8 to 10 with runs of 50 minutes."""
    made = []
    for n in range(38):
        hour = n % 24
        made.append(Client(f"d{n}", ZONES[n % 3], "previous day", f"{n} {hour} * * *", _set(hour), _set(n)))
    six = _set(1, 7, 13, 19)
    made += [Client(f"q{n}", "UTC", "last 12 months", f"{n} 1-23/6 * * *", six, _set(n)) for n in range(7)]
    made += [Client(f"w{n}", "UTC", "previous week", f"{n} 9 * * wed", _set(9), _set(n), "wed") for n in range(3)]
    half = "*/30 8-10 * * *", _set(8, 9, 10), _set(0, 30)
    made += [Client(f"slow{n}", ZONES[n], "previous day", *half) for n in (0, 1)]
    return made[-number:]


def _set(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


def wall_clocks(every: Sequence[Client], end: datetime) -> Iterator[tuple[str, datetime]]:
    """What falls due, read minute by minute from the clocks on the walls; and of the hour before the start."""
    moment = START - HOUR
    while moment < end:
        moment += timedelta(minutes=1)
        yield from ((client.name, moment) for client in every if client.due(moment))


def lives(home: Path, days: int, restart: int) -> list[Life]:
    """A restart each ``restart`` hours, two outages in a week, a kill on the second day and one on the fourth."""
    off = [(START + 27 * HOUR, START + 36 * HOUR), (START + 118 * HOUR, START + 146 * HOUR)]
    kills = {START + 36 * HOUR: "before", START + 88 * HOUR: "after"}
    end = START + days * 24 * HOUR + HOUR / 2
    stops = {START + hour * HOUR for hour in range(4, days * 24, restart)} | {at for both in off for at in both}
    made, begin = [], START
    for stop in sorted(at for at in stops | {*kills, end} if at <= end):
        if not any(a <= begin < b for a, b in off):
            made.append(Life(str(home), begin.isoformat(), stop.isoformat(), 2, kills.get(begin, "")))
        begin = stop
    return made


def lived(life: Life) -> int:
    """How often the process of a life was killed: 0 or 1; then it was started again."""
    rival = _start(Life(life.home, life.start, life.end, rival=True))
    server = _start(life)
    codes = [each.wait() for each in (rival, server)]
    if codes == [0, -signal.SIGKILL] and life.moment:
        return 1 + lived(Life(life.home, life.start, life.end))
    if codes != [0, 0]:
        raise SystemExit(f"week: run-due and serve ended with {codes}")
    return 0


def _start(life: Life) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "simulations.week_life", json.dumps(asdict(life))])


def judged(
    owed: set[tuple[str, datetime]],
    made: Counter[tuple[str, str]],
    turns: Iterable[Turn],
    periods: Mapping[tuple[str, str], str],
) -> list[str]:
    """What is wrong: every due time is a report, refused, or covered by a later report for the same period.

    ``made`` counts the reports on the disk by client and due time, ``periods`` has what each due time asks for.
    """
    ends = {(turn.client, turn.due): turn.state for turn in turns}
    wrong = [f"{name} {mark(due)}: lost" for name, due in sorted(owed - ends.keys())]
    wrong += [f"{name} {mark(due)}: was never due" for name, due in sorted(ends.keys() - owed)]
    wrong += [f"{name} {due}: made {times} times" for (name, due), times in sorted(made.items()) if times > 1]
    reported = {(name, due, periods[name, mark(due)]) for (name, due), state in ends.items() if state == "done"}
    for (name, due), state in sorted(ends.items()):
        stands, refused, asked = made[name, mark(due)], fate(name, due) == "refused", periods[name, mark(due)]
        later = any(n == name and other > due and what == asked for n, other, what in reported)
        fine = {"done": stands == 1 and not refused, "refused": not stands and refused, "covered": not stands and later}
        if not fine.get(state, False):
            wrong.append(f"{name} {mark(due)}: {state}, with {stands} reports")
    return wrong


def simulated(home: Path, number: int = 50, days: int = 7, restart: int = 12) -> tuple[list[str], dict[str, int]]:
    """What is wrong after ``days`` of ``number`` clients with a restart each ``restart`` hours, and the figures."""
    every, end = clients(number), START + days * 24 * HOUR
    (home / "params").mkdir(parents=True)
    (home / "params" / "lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    for client in every:
        text = TEXT.format(name=client.name, zone=client.zone, period=client.period, cron=client.cron)
        (home / "params" / f"{client.name}.yaml").write_text(text, encoding="utf-8")
    plan = lives(home, days, restart)
    planned, kills = sum(bool(life.moment) for life in plan), sum(map(lived, plan))
    out, ledger = home / "reports", Ledger(home / "reports")
    turns = [turn for client in every for turn in ledger.turns(client.name, STATES) if turn.due <= end]
    ledger.close()
    records = [run.record for name in past.clients(out) for run in past.finished(out, name)]
    made = Counter((record.client, record.due) for record in records if record.due <= mark(end))
    owed = set(wall_clocks(every, end))
    figures = {
        "clients": number,
        "due times": len(owed),
        **dict(sorted(Counter(turn.state for turn in turns).items())),
        "reports made": sum(made.values()),
        "due times tried again after a fault": sum(t.starts > 1 and fate(t.client, t.due) == "fails" for t in turns),
        "runs begun": len((home / "journal").read_text("ascii").splitlines()),
        "starts of serve, each with a run-due beside it": len(plan) + kills,
        "kills of serve at work": kills,
    }
    missing = [f"{planned - kills} of {planned} kills did not come about"] if kills != planned else []
    return [*missing, *judged(owed, made, turns, _periods(home, turns))], figures


def _periods(home: Path, turns: Iterable[Turn]) -> dict[tuple[str, str], str]:
    params = {each.client: each for each in scheduled([home / "params"])[0]}
    return {(turn.client, mark(turn.due)): period(params[turn.client], turn.due) for turn in turns}


def main() -> int:
    """Print the figures; 1 when something is wrong."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="week-") as folder:
        wrong, figures = simulated(Path(folder))
    for each in wrong:
        print(f"  {each}")
    for name, number in figures.items():
        print(f"{number:>6} {name}")
    print(f"week: {len(wrong) or 'nothing'} found wanting, {time.monotonic() - began:.0f} s")
    told = f"1 in {FAILS} fails at first, 1 in {REFUSED} is refused"
    print(f"simulated: the clock, and reports, which are records only; {told}")
    print("real: serve and run-due as processes, APScheduler, ledger, locks, folders of runs, kill -9")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
