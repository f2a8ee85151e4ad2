"""The finished runs of a client, in their place and in its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpibook import past, runs
from kpibook.errors import ParamsError

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path, run: str, period: str = "2024", started: str = "2025-01-01T00:00:00Z", **more: str) -> None:
    folder.mkdir(parents=True)
    state = more.pop("state", "valid")
    runs.RunRecord(run, folder.parts[-2], period, state=state, started=started, **more).write(folder)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    made(tmp_path / "shop" / "2024", "cc", started="2025-03-01T00:00:00Z")
    made(tmp_path / "shop" / "2023", "aa", "2023")
    made(tmp_path / "shop" / "history" / "2024" / "bb", "bb", started="2025-02-01T00:00:00Z", state="not_valid")
    made(tmp_path / "shop" / "failed" / "20250101-dd", "dd", state="failed")
    made(tmp_path / "desk" / "2024", "ee")
    (tmp_path / "shop" / "notes").mkdir()
    (tmp_path / ".staging").mkdir()
    return tmp_path


def test_runs_come_by_period_the_oldest_first(out: Path) -> None:
    found = past.finished(out, "shop")
    assert [(run.record.run_id, run.in_place) for run in found] == [("aa", True), ("bb", False), ("cc", True)]


def test_a_client_without_a_report_is_told(out: Path) -> None:
    with pytest.raises(ParamsError) as raised:
        past.finished(out, "shopp")
    assert str(raised.value) == f"{out}: there is no report of a client 'shopp' · did you mean 'shop'?"
    with pytest.raises(ParamsError) as raised:
        past.finished(out / "nowhere", "shop")
    remedy = "name another folder with --out"
    assert str(raised.value) == f"{out / 'nowhere'}: there is no report of a client 'shop' · {remedy}"


def test_a_run_is_meant_by_folder_place_or_id(out: Path) -> None:
    for name in ("shop/2024", str(out / "shop" / "2024"), "cc"):
        assert past.one(name, out).record.run_id == "cc"
    assert past.one("bb", out) == past.PastRun(
        out / "shop" / "history" / "2024" / "bb", runs.read(out / "shop" / "history" / "2024" / "bb"), in_place=False
    )


def test_a_run_that_is_none_or_not_finished_is_refused(out: Path) -> None:
    with pytest.raises(ParamsError) as raised:
        past.one("zz", out)
    remedy = "name a report's folder, CLIENT/PERIOD, or the id of a run as kpibook history lists it"
    assert str(raised.value) == f"zz: there is no such run below {out} · {remedy}"
    with pytest.raises(ParamsError) as raised:
        past.one("shop/failed/20250101-dd", out)
    assert str(raised.value) == "shop/failed/20250101-dd: its run is failed · name a finished report"
