"""The record of a run: whole or not there, and true after its process has gone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from kpibook import runs
from kpibook.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = runs.begin("shop", "2017")
    record.steps["notebook"] = 1.25
    record.end("failed", "notebook", "it broke")
    record.write(tmp_path)
    assert runs.read(tmp_path) == record
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    assert record.failure == {"step": "notebook", "message": "it broke"}
    assert record.pid == os.getpid()


def test_a_record_of_a_later_version_can_be_read(tmp_path: Path) -> None:
    record = runs.begin("shop", "2017")
    later = json.loads(record.text()) | {"added_later": 1}
    (tmp_path / "run.json").write_text(json.dumps(later), encoding="utf-8")
    assert runs.read(tmp_path) == record


REMEDY = "name the folder of a report, which holds a run.json"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "there is no such file"),
        ("{", "is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
        ("[]", "is not the record of a run"),
        ('{"run_id": "1"}', "is not the record of a run"),
        (
            '{"run_id": "1", "client": 2, "period": "3", "params": null}',
            "is not the record of a run (client, params)",
        ),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: str | None, what: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunError) as raised:
        runs.read(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'run.json'}: {what} · {REMEDY}"


def test_a_record_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(RunError) as raised:
        runs.read(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'run.json'}: cannot be read (Is a directory) · {REMEDY}"


def test_a_record_that_finds_no_room_leaves_the_former_one_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = runs.begin("shop", "2017")
    record.write(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        record.write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    assert runs.read(tmp_path) == record


def test_a_clock_that_is_put_back_lets_no_run_end_before_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    record = runs.begin("shop", "2017")
    monkeypatch.setattr(runs, "now", lambda: "2001-01-01T00:00:00Z")
    record.end("valid")
    assert record.finished == record.started
