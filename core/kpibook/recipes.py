"""Recipes for other schedulers. Each calls ``kpibook schedule run-due``, which knows what is owed and makes it once."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cronsim import CronSim

from kpibook.cron import WEEKDAYS

if TYPE_CHECKING:
    from kpibook.params import Params

#: The whole range of each field of a cron expression; Sunday is 0 and 7.
_WHOLE = {"minutes": range(60), "hours": range(24), "days": range(1, 32), "months": range(1, 13)}


def cron(clients: Sequence[Params], out: Path, program: str) -> str:
    """One line for all: few crons know time zones, so it looks every ten minutes, and kpibook knows what is due."""
    command = shlex.join(_command(clients, out, program)).replace("%", r"\%")
    about = [f"# {params.client}: {_expression(params)} in {params.timezone}" for params in clients]
    return "\n".join([*about, f"*/10 * * * * {command}", ""])


def systemd(clients: Sequence[Params], out: Path, program: str) -> dict[str, str]:
    """A service and a timer for each client, by file name; the timer has the client's time zone."""
    units = {}
    for params in clients:
        name = f"kpibook-{params.client}"
        about = f"kpibook: the report of {params.client}"
        command = " ".join(_quoted(word) for word in _command([params], out, program))
        units[f"{name}.service"] = (
            f"[Unit]\nDescription={about}\n\n[Service]\nType=oneshot\nExecStart={command}\n"
            f"EnvironmentFile=-%h/.config/kpibook.env\n"
        )
        lines = "".join(f"OnCalendar={each}\n" for each in calendar(_expression(params), params.timezone))
        units[f"{name}.timer"] = (
            f"[Unit]\nDescription={about}, on schedule\n\n[Timer]\n{lines}Persistent=true\n\n"
            f"[Install]\nWantedBy=timers.target\n"
        )
    return units


def calendar(expression: str, zone: str) -> list[str]:
    """A cron expression as systemd's OnCalendar: one line, or two where either the day or the weekday is enough."""
    read = CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC))
    fields = {name: _listed(getattr(read, name), whole) for name, whole in _WHOLE.items()}
    days = _weekdays(read)
    names = [WEEKDAYS[n].title() for n in (1, 2, 3, 4, 5, 6, 0) if n in days]
    some = "" if len(names) == len(WEEKDAYS) else ",".join(names) + " "
    clock = f"{fields['hours']}:{fields['minutes']}:00 {zone}"
    if read.day_and or not some or fields["days"] == "*":
        return [f"{some}*-{fields['months']}-{fields['days']} {clock}"]
    return [f"*-{fields['months']}-{fields['days']} {clock}", f"{some}*-{fields['months']}-* {clock}"]


def kubernetes(clients: Sequence[Params], out: Path, image: str) -> str:
    """A CronJob for each client; params, data and reports lie on one volume claim, secrets in one secret."""
    documents = []
    for params in clients:
        words = [
            "kpibook",
            "schedule",
            "run-due",
            f"/kpibook/params/{params.path.name}",
            "--out",
            f"/kpibook/{out.name}",
        ]
        container = {
            "name": "kpibook", "image": image, "command": words, "workingDir": "/kpibook",
            "envFrom": [{"secretRef": {"name": f"kpibook-{params.client}"[:63], "optional": True}}],
            "volumeMounts": [{"name": "work", "mountPath": "/kpibook"}],
        }  # fmt: skip
        volume = {"name": "work", "persistentVolumeClaim": {"claimName": "kpibook"}}
        pod = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
        spec = {
            "schedule": _numbered(_expression(params)), "timeZone": params.timezone, "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600, "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        }  # fmt: skip
        # A CronJob's name has at most 52 characters.
        name = f"kpibook-{params.client}"[:52].rstrip("-")
        documents.append({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec})
    # JSON is YAML.
    return "".join(f"---\n{json.dumps(document, indent=2)}\n" for document in documents)


def airflow(clients: Sequence[Params], out: Path, program: str) -> str:
    """A module with a DAG for each client."""
    dags = []
    for params in clients:
        command = shlex.join(_command([params], out, program)) + " "  # the space: Airflow reads *.sh as a template
        command = command.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}")
        times = f"CronTriggerTimetable({_expression(params)!r}, timezone={params.timezone!r})"
        dags.append(
            f"with DAG({f'kpibook-{params.client}'!r}, schedule={times}, start_date=datetime(2024, 1, 1, tzinfo=UTC),\n"
            f"         catchup=False, max_active_runs=1):\n"
            f"    BashOperator(task_id='run_due', bash_command={command!r})\n"
        )
    head = (
        "from datetime import UTC, datetime\n\n"
        "from airflow import DAG\n"
        "from airflow.providers.standard.operators.bash import BashOperator\n"
        "from airflow.timetables.trigger import CronTriggerTimetable\n\n"
    )
    return head + "\n".join(dags)


def _command(clients: Sequence[Params], out: Path, program: str) -> list[str]:
    files = [str(params.path) for params in clients]
    return [program, "schedule", "run-due", *files, "--out", str(out.absolute())]


def _expression(params: Params) -> str:
    assert params.schedule is not None  # noqa: S101 (only clients with a schedule come here)
    return params.schedule.cron


def _listed(values: set[int], whole: range) -> str:
    return "*" if set(whole) <= values else ",".join(f"{value:02d}" for value in sorted(values))


def _weekdays(read: CronSim) -> set[int]:
    return {day % 7 for day in read.weekdays if isinstance(day, int)}


def _numbered(expression: str) -> str:
    """Weekday 7, which some crons do not know, as 0."""
    *others, weekday = expression.split()
    found = sorted(_weekdays(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC))))
    return " ".join([*others, weekday if "7" not in weekday else ",".join(map(str, found))])


def _quoted(word: str) -> str:
    """A word of systemd's ExecStart: its own escapes, and no specifier or variable."""
    plain = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./-]+", plain):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
