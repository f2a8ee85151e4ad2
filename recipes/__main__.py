"""The exported recipes, held against the real tools that are on this machine: ``make recipes``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from kpibook import cron, recipes
from kpibook.params import load

EXPRESSIONS = (
    "0 6 2 * *", "*/15 6-8 1,15 * 1-5", "30 23 * jan-mar sun", "5 4 29 feb *", "0 0 31 */2 7", "0 */5 * * *",
    "7 3 1-7 * *"
)  # fmt: skip
ZONES = ("Europe/Madrid", "America/New_York", "Asia/Tokyo")
TEXT = """\
client: c{n}
title: C
language: en
currency: EUR
timezone: {zone}
period: previous month
source: .
schedule: "{cron}"
tables:
  order_lines: {{from: lines.csv, columns: {{transaction_id: receipt, ts: time, net_amount: net}}}}
"""


def main() -> int:
    """1 when a tool refuses a recipe or reads another time in it."""
    with tempfile.TemporaryDirectory(prefix="a name with 100% $pace ") as folder:
        return max([tried(name, check, Path(folder)) for name, check in CHECKS.items()])


def tried(tool: str, check: object, folder: Path) -> int:
    if shutil.which(tool) is None:
        print(f"{tool}: not on this machine, not tried")
        return 0
    wrong = list(check(folder))  # type: ignore[operator]
    print(f"{tool}: " + ("\n  ".join(["refused", *wrong]) if wrong else "accepted"))
    return int(bool(wrong))


def clients(folder: Path) -> list:
    (folder / "lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    found = []
    for n, expression in enumerate(EXPRESSIONS):
        path = folder / f"c {n}.yaml"
        path.write_text(TEXT.format(n=n, cron=expression, zone=ZONES[n % 3]), encoding="utf-8")
        found.append(load(path))
    return found


def systemd(folder: Path) -> Iterator[str]:
    """Units verified; the next 20 times of each timer are those of cron, on days when no clock is changed."""
    program = str(Path(sys.executable).with_name("kpibook"))
    every = clients(folder)
    for name, text in recipes.systemd(every, folder / "reports", program).items():
        (folder / name).write_text(text, encoding="utf-8")
    yield from said("systemd-analyze", "verify", *map(str, sorted(folder.glob("*.timer"))))
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for params in every:
        expression = params.schedule.cron
        lines = recipes.calendar(expression, params.timezone)
        theirs = sorted({each for line in lines for each in elapses(line, now)})[:20]
        ours = list(islice((each.astimezone(UTC) for each in cron.fires(expression, params.timezone, now)), 20))
        if theirs != ours:
            yield f"{expression} as {lines}: {theirs[:3]}, not {ours[:3]}"


def elapses(line: str, now: datetime) -> list[datetime]:
    command = ["systemd-analyze", "calendar", "--iterations=20", f"--base-time={now:%Y-%m-%d %H:%M:%S} UTC", line]
    env = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
    found = [
        each.partition(": ")[2]
        for each in text.splitlines()
        if "(in UTC)" in each or "Next elapse" in each or "Iter" in each
    ]
    return [
        datetime.strptime(each.strip(), "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        for each in found
        if each.endswith("UTC")
    ]


def crontab(folder: Path) -> Iterator[str]:
    """``-T`` (cronie, newer Debian) tests a file and installs nothing."""
    path = folder / "kpibook.crontab"
    path.write_text(recipes.cron(clients(folder), folder / "reports", "kpibook"), encoding="utf-8")
    yield from said("crontab", "-T", str(path))


def kubeconform(folder: Path) -> Iterator[str]:
    path = folder / "jobs.yaml"
    path.write_text(recipes.kubernetes(clients(folder), folder / "reports", "kpibook:latest"), encoding="utf-8")
    yield from said("kubeconform", "-strict", str(path))


def airflow(folder: Path) -> Iterator[str]:
    path = folder / "kpibook_dags.py"
    path.write_text(recipes.airflow(clients(folder), folder / "reports", "kpibook"), encoding="utf-8")
    yield from said("airflow", "dags", "list-import-errors", "--subdir", str(path))


def said(*command: str) -> Sequence[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"{command[0]}: {done.stdout}{done.stderr}".strip()]


CHECKS = {"systemd-analyze": systemd, "crontab": crontab, "kubeconform": kubeconform, "airflow": airflow}

if __name__ == "__main__":
    sys.exit(main())
