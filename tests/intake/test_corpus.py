"""Files of our own kind: verdict, words and numbers of every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from intake.corpus import CASES, REFUSED, Case
from intake.orders import TRUTH, orders, read, refusal

ROOT = Path(__file__).parents[2]
BY_FILE = {case.file: case for case in CASES}
#: What a file holds by its remedy, where that is not the eight orders.
REMEDIED = {
    "ways.csv": {"rows": 8, "revenue": 2258.04},
    "dots3.csv": {"rows": 8, "revenue": 1234 + 19 + 49 + 7 + 899 + 24 + 12 + 9},
}


def written(folder: Path, case: Case) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / case.file).write_bytes(case.make())
    return folder


def test_there_are_many_and_all_groups() -> None:
    assert len(BY_FILE) == len(CASES) == 99
    assert {c.group for c in CASES} == {
        "encoding", "dialect", "structure", "numbers", "dates", "keys", "container", "workbook",
    }  # fmt: skip


@pytest.mark.parametrize("file", BY_FILE)
def test_a_file_of_ours(tmp_path: Path, file: str) -> None:
    case = BY_FILE[file]
    done = read(written(tmp_path, case), case.tables)
    assert done.verdict == case.verdict, done.said
    assert [word for word in case.says if word not in done.said] == [], done.said
    if case.verdict == REFUSED:
        assert (done.code, done.said) == (3, refusal(file))
    else:
        assert {key: done.found[key] for key in case.truth} == case.truth


@pytest.mark.parametrize("file", [c.file for c in CASES if c.remedy])
def test_the_remedy_of_a_refusal(tmp_path: Path, file: str) -> None:
    case = BY_FILE[file]
    done = read(written(tmp_path, case), orders(file, case.remedy, **case.columns))
    assert done.code == 0, done.said
    whole = REMEDIED.get(file, TRUTH)
    assert {key: done.found[key] for key in whole} == whole
