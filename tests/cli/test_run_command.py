"""``kpibook run``: the files it is given, what it tells, and the exit code of the worst that happened."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import typer

from kpibook import cli, schedule
from kpibook.cli import progress
from kpibook.cli import run as run_command
from kpibook.errors import ParamsError, Problem
from kpibook.report.run import Outcome, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

Capture = pytest.CaptureFixture[str]


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Instead of runs: outcomes by client, params files that are read by their name."""
    asked: list[Any] = []

    def load(path: Path, as_of: date | None) -> SimpleNamespace:
        if path.stem == "wrong":
            raise ParamsError(Problem(f"{path}:3", "unknown key 'titel'", "did you mean 'title'?"))
        return SimpleNamespace(client=path.stem, as_of=as_of)

    def run_many(
        params: Sequence[Any], jobs: int, out: Path, on_progress: Any, on_outcome: Any, proof: bool, cache: bool
    ) -> list[Outcome]:
        named = [f"{p.client} on {p.as_of}" if p.as_of else p.client for p in params]
        asked.append((named, jobs, out, proof, cache))
        for each in params:
            on_progress(Progress(each.client, "notebook"))
            on_progress(Progress(each.client, "notebook", 1, 9))
        for each in params:
            on_outcome(OUTCOMES[each.client])
        return [OUTCOMES[p.client] for p in params]

    monkeypatch.setattr("kpibook.params.load", load)
    monkeypatch.setattr(schedule, "run_many", run_many)
    return asked


OUTCOMES = {
    "good": Outcome("good", "2017", "valid", 0, Path("/r/good/2017"), seconds=12.4),
    "once": Outcome("once", "2017", "unproved", 0, Path("/r/once"), seconds=2),
    "data": Outcome("data", "2017", "failed", 3, Path("/r/data/failed/x"), message="a.csv: no rows · ask\nb: no · ask"),
    "lost": Outcome("lost", "2017", "failed", 4, message="lost: a run is under way · wait"),
    "odd": Outcome(
        "odd", "2017", "not_valid", 5, Path("/r/odd/2017"), Path("/r/odd/history/2017/1"), "n: differs · look"
    ),
    "packs": Outcome("packs", "2017", "valid", 0, Path("/r/p"), seconds=1, broken_packs=("own 1: fails · mend it",)),
    "form": Outcome("form", "2017", "valid", 4, Path("/r/f"), message="not exported: x.pdf: y \u00b7 z", seconds=3),
    "fault": Outcome(
        "fault", "2017", "failed", 4, None, message="a fault of kpibook: E", fault=ZeroDivisionError("1/0")
    ),
}


def test_a_draft_is_called_one(ran: list[Any], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTCOMES, "good", replace(OUTCOMES["good"], draft=True))
    assert call("run", "good.yaml") == 0
    said = "good: valid, but a draft: serious findings in the data, 12 s: /r/good/2017/report.html\n"
    assert capsys.readouterr().out == said


def test_the_day_of_moving_periods_is_passed_on(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "good.yaml", "--as-of", "2024-03-02") == 0
    assert ran == [(["good on 2024-03-02"], 1, Path("reports"), True, True)]
    assert call("run", "good.yaml", "--as-of", "2.3.2024") == 2
    told = "command line: --as-of: '2.3.2024' is not a day · write one such as 2024-03-02\n"
    assert capsys.readouterr().err == f"good: notebook\n{told}"


def test_without_a_proof_a_report_is_made_and_not_called_valid(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "once.yaml", "--no-proof") == 0
    assert ran == [(["once"], 1, Path("reports"), False, True)]
    assert capsys.readouterr().out == "once: made, not proved yet, 2 s: /r/once/report.html\n"


def test_run_names_each_report_and_passes_the_flags(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "good.yaml", "packs.yaml", "--jobs", "2", "--out", "there") == 0
    assert ran == [(["good", "packs"], 2, Path("there"), True, True)]
    out, err = capsys.readouterr()
    assert out == "good: valid, 12 s: /r/good/2017/report.html\npacks: valid, 1 s: /r/p/report.html\n"
    left = "1 of 2 done\n", "2 of 2 done\n"
    assert err == f"good: notebook\npacks: notebook\n{left[0]}packs: without own 1: fails · mend it\n{left[1]}"


def test_a_run_without_cache_tells_nothing_of_one(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "good.yaml", "--no-cache") == 0
    assert ran == [(["good"], 1, Path("reports"), True, False)]
    assert capsys.readouterr().err == "good: notebook\n"


def test_what_was_wrong_with_the_cache_is_told_and_harms_nothing(
    ran: list[Any], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "cache, figures: the entry 12ab34cd56ef is thrown away: figures.parquet was damaged"
    monkeypatch.setitem(OUTCOMES, "good", replace(OUTCOMES["good"], notes=(note,)))
    assert call("run", "good.yaml") == 0
    assert capsys.readouterr().err == f"good: notebook\ngood: {note}\n"


def test_a_report_without_one_of_its_forms_is_named_and_the_exit_code_says_so(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "form.yaml") == 4
    said = capsys.readouterr()
    assert said.out == "form: valid, 3 s: /r/f/report.html\n"
    assert said.err.splitlines()[-1] == "form: not exported: x.pdf: y \u00b7 z"


def test_run_tells_what_failed_and_where_the_evidence_is(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "data.yaml", "good.yaml", "odd.yaml", "lost.yaml") == 5
    out, err = capsys.readouterr()
    assert out == "good: valid, 12 s: /r/good/2017/report.html\n"
    said = re.sub(r"\d of 4 done.*\n", "", err.split("lost: notebook\n")[1])
    assert said == (
        "data: failed\n  a.csv: no rows · ask\n  b: no · ask\n  evidence: /r/data/failed/x\n"
        "odd: not valid\n  n: differs · look\n"
        "  made, and not to be used: /r/odd/2017/report.html\n  the report before it: /r/odd/history/2017/1\n"
        "lost: failed\n  lost: a run is under way · wait\n"
    )


def test_a_bad_params_file_is_told_and_the_others_run(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "wrong.yaml", "good.yaml") == 2
    assert ran == [(["good"], 1, Path("reports"), True, True)]
    assert capsys.readouterr().err.startswith("wrong.yaml:3: unknown key 'titel' · did you mean 'title'?\n")


def test_the_highest_exit_code_wins(ran: list[Any]) -> None:
    assert call("run", "wrong.yaml") == 2
    assert call("run", "wrong.yaml", "data.yaml") == 3
    assert call("run", "data.yaml", "lost.yaml") == 4


def test_a_fault_in_one_run_is_shown_with_its_traceback(ran: list[Any], capsys: Capture) -> None:
    assert call("run", "fault.yaml", "good.yaml") == 4
    out, err = capsys.readouterr()
    assert "ZeroDivisionError: 1/0" in err
    assert out == "good: valid, 12 s: /r/good/2017/report.html\n"


def test_paths_below_this_folder_are_shown_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command._near(tmp_path / "reports" / "a") == Path("reports/a")
    assert run_command._near(Path("/elsewhere")) == Path("/elsewhere")


def test_on_a_terminal_there_are_bars(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.told(2, 2) as bars:
        bars.step(Progress("shop", "notebook"))
        bars.step(Progress("shop", "notebook", 3, 9))
        assert [(t.description, t.completed, t.total, t.fields["step"]) for t in bars._bars.tasks] == [
            ("all", 0, 2, ""),
            ("shop", 3, 9, "cell 3 of 9"),
        ]
        bars.step(Progress("shop", "page"))
        bars.end(Outcome("shop", "2017", "valid", 0), lambda outcome: typer.echo(f"{outcome.client}: valid"))
        assert [(t.description, t.completed, t.fields["step"]) for t in bars._bars.tasks] == [("all", 1, "1 of 2 done")]
    out, err = capsys.readouterr()
    assert out == "shop: valid\n"
    assert "shop: notebook" not in err


def test_a_single_run_has_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.told(1, 1) as bars:
        bars.end(Outcome("shop", "2017", "failed", 2), lambda outcome: None)  # refused before its first step
        assert [task.visible for task in bars._bars.tasks] == [False]


def test_how_long_the_others_will_take() -> None:
    now = iter([0.0, 30.0, 60.0, 90.0, 7290.0, 7300.0, 7310.0])
    left = progress.Left(6, 2, lambda: next(now))
    assert left.one_more() == "1 of 6 done"
    assert left.one_more() == "2 of 6 done, about 2 min left"
    assert left.one_more() == "3 of 6 done, about 2 min left"
    assert left.one_more() == "4 of 6 done, about 1 h 1 min left"
    assert left.one_more() == "5 of 6 done, about 24 min left"
    assert left.one_more() == "6 of 6 done"
    assert progress._time(0.2) == "1 s"
    assert progress._time(59.4) == "59 s"
