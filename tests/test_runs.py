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


def staged(out: Path, client: str = "shop", **changes: object) -> Path:
    record = runs.begin(client, "2017")
    for name, value in changes.items():
        setattr(record, name, value)
    folder = out / runs.STAGING / f"{client}-{record.run_id}"
    folder.mkdir(parents=True)
    record.write(folder)
    return folder


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
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: str | None, what: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunError) as raised:
        runs.read(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'run.json'}: {what} · {REMEDY}"


def test_a_process_is_known_by_its_number_and_its_start(tmp_path: Path) -> None:
    record = runs.begin("shop", "2017")
    assert runs.alive(record)
    record.pid_started -= 100  # the number was given to another process since
    assert not runs.alive(record)
    record.pid = 2**22 + 1  # beyond the numbers that are given
    assert not runs.alive(record)
    record.host = "another"
    assert runs.alive(record)


def test_only_records_whose_process_is_gone_are_marked(tmp_path: Path) -> None:
    here = staged(tmp_path, "alive")
    gone = staged(tmp_path, "gone", pid_started=1.0)
    finished = staged(tmp_path, "finished", pid_started=1.0, state="valid")
    assert runs.mark_interrupted(tmp_path) == sorted([gone, finished])
    assert runs.read(here).state == "running"
    assert runs.read(finished).state == "valid"
    marked = runs.read(gone)
    assert (marked.state, marked.failure) == (
        "interrupted",
        {"step": "run", "message": "the command was stopped before the run had ended"},
    )
    assert marked.finished is not None


def test_nothing_to_mark_where_nothing_ran(tmp_path: Path) -> None:
    assert runs.mark_interrupted(tmp_path) == []


def test_a_second_run_of_a_client_is_refused_while_the_first_holds_the_lock(tmp_path: Path) -> None:
    with runs.only_run_of("shop", tmp_path), runs.only_run_of("other", tmp_path):
        with pytest.raises(RunError) as raised, runs.only_run_of("shop", tmp_path):
            pass
        assert str(raised.value) == "shop: a run has just been started · wait for its end, and try again"
    with runs.only_run_of("shop", tmp_path):
        pass


def test_the_process_that_runs_the_client_is_named(tmp_path: Path) -> None:
    record = runs.read(staged(tmp_path))
    with pytest.raises(RunError) as raised, runs.only_run_of("shop", tmp_path):
        pass
    assert str(raised.value) == (
        f"shop: a run is under way since {record.started}, process {os.getpid()} on {record.host}"
        " · wait for its end, or stop that process"
    )
