"""Recipes as text; ``make recipes`` holds them against the tools."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from kpibook import recipes
from kpibook.params import Params, load

TEXT = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: previous month
source: .
schedule: "{cron}"
tables:
  order_lines: {{from: lines.csv, columns: {{transaction_id: receipt, ts: time, net_amount: net}}}}
"""


def client(folder: Path, cron: str = "0 6 2 * 7") -> Params:
    folder.mkdir(exist_ok=True)
    (folder / "lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    (folder / "shop.yaml").write_text(TEXT.format(cron=cron), encoding="utf-8")
    return load(folder / "shop.yaml")


@pytest.mark.parametrize(
    ("expression", "lines"),
    [
        ("0 6 2 * *", ["*-*-02 06:00:00 Europe/Rome"]),
        ("*/30 0-2 * jan,feb *", ["*-01,02-* 00,01,02:00,30:00 Europe/Rome"]),
        ("5 * * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* *:05:00 Europe/Rome"]),
        ("0 6 2 * 7", ["*-*-02 06:00:00 Europe/Rome", "Sun *-*-* 06:00:00 Europe/Rome"]),
    ],
)
def test_a_calendar_of_systemd(expression: str, lines: list[str]) -> None:
    assert recipes.calendar(expression, "Europe/Rome") == lines


def test_a_path_with_spaces_and_signs_stays_one_word(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" 100% $x'
    shop = client(folder)
    units = recipes.systemd([shop], tmp_path, "/bin/kpibook")
    quoted = f'"{tmp_path}/a \\"b\\" 100%% $$x/shop.yaml"'
    assert f"ExecStart=/bin/kpibook schedule run-due {quoted} --out {tmp_path}\n" in units["kpibook-shop.service"]
    line = recipes.cron([shop], tmp_path, "/bin/kpibook").splitlines()[-1]
    assert line.startswith("*/10 * * * * ")
    words = shlex.split(line.removeprefix("*/10 * * * * ").replace(r"\%", "%"))
    assert words == ["/bin/kpibook", "schedule", "run-due", str(shop.path), "--out", str(tmp_path)]


def test_a_cron_job_of_kubernetes(tmp_path: Path) -> None:
    text = recipes.kubernetes([client(tmp_path)], tmp_path / "reports", "registry/kpibook:1")
    job = json.loads(text.removeprefix("---\n"))
    spec = job["spec"]
    assert (job["metadata"]["name"], spec["schedule"], spec["timeZone"]) == ("kpibook-shop", "0 6 2 * 0", "Europe/Rome")
    assert spec["concurrencyPolicy"] == "Forbid"
    container = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry/kpibook:1"
    assert container["command"][2:] == ["run-due", "/kpibook/params/shop.yaml", "--out", "/kpibook/reports"]


def test_a_dag_of_airflow(tmp_path: Path) -> None:
    text = recipes.airflow([client(tmp_path)], tmp_path, "/bin/kpibook")
    compile(text, "dags.py", "exec")
    assert "schedule=CronTriggerTimetable('0 6 2 * 7', timezone='Europe/Rome')" in text
    assert f"bash_command='/bin/kpibook schedule run-due {tmp_path}/shop.yaml --out {tmp_path} ')" in text
