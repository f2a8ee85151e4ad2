"""What happens to the folders, with the notebook's work taken from a run that was made before."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from exports import small_report
from kpibook.errors import Problem, RunError
from kpibook.exports import slides
from kpibook.params_exports import Exports
from kpibook.report import run as runner
from kpibook.report import stage, turn
from kpibook.report.validate import Verdict
from report.small_client import Made, Params, make, record_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLDS = Verdict(())
PERIOD = "2017-07-01_2017-12-31"


@pytest.fixture
def quick(made: Made, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the notebook and the second execution cost nothing; ``extra`` acts on the staging folder."""

    def prepare(verdict: Verdict = HOLDS, extra: Callable[[Path], Any] = lambda _: None) -> None:
        def execute(params: Params, template: Path, folder: Path, *_: Any) -> None:
            for name in ("report.ipynb", "scorecard.parquet", "scorecard.csv", "quality.json"):
                shutil.copy(made.folder / name, folder / name)
            shutil.copytree(made.folder / "tables", folder / "tables", dirs_exist_ok=True)
            extra(folder)

        monkeypatch.setattr(runner, "execute", execute)
        monkeypatch.setattr(runner, "examine", lambda *_, **__: verdict)

    return prepare


def test_the_previous_report_is_kept_as_history(tmp_path: Path, quick: Callable[..., None]) -> None:
    quick()
    params, out = make(tmp_path), tmp_path / "reports"
    first = runner.run(params, out)
    kept = record_of(first.folder)["run_id"]
    second = runner.run(params, out)
    assert (first.code, second.code, first.previous) == (0, 0, None)
    assert second.folder == out / "corner-shop" / PERIOD
    assert second.previous == out / "corner-shop" / "history" / PERIOD / kept
    assert record_of(second.previous)["run_id"] == kept
    assert sorted(p.name for p in (out / "corner-shop").iterdir()) == [PERIOD, "history"]


def test_a_failed_run_leaves_the_report_in_its_place(tmp_path: Path, quick: Callable[..., None]) -> None:
    quick()
    params, out = make(tmp_path), tmp_path / "reports"
    first = runner.run(params, out)
    before = {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    quick(extra=lambda folder: (folder / "quality.json").unlink())
    second = runner.run(params, out)
    assert (second.state, second.code) == ("failed", 4)
    assert second.message == "quality.json: is missing · let the notebook's last cell be book.save()"
    assert {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()} == before
    assert record_of(second.folder)["failure"] == {"step": "results", "message": second.message}


def test_a_report_that_does_not_hold_is_made_and_says_so(tmp_path: Path, quick: Callable[..., None]) -> None:
    quick(Verdict((Problem("report.ipynb, cell 4", "shows '1', computed again '2'", "mend it"),)))
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("not_valid", 5)
    assert outcome.message == "report.ipynb, cell 4: shows '1', computed again '2' · mend it"
    assert outcome.folder == tmp_path / "reports" / "corner-shop" / PERIOD
    assert record_of(outcome.folder)["state"] == "not_valid"
    page = (outcome.folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<p class="banner" role="alert">This report has not been confirmed:') == 1


def test_a_report_computed_once_says_so_and_can_be_proved(tmp_path: Path, quick: Callable[..., None]) -> None:
    quick(Verdict((Problem("nobody", "asks", "this"),)))
    outcome = runner.run(make(tmp_path), tmp_path / "reports", proof=False)
    assert (outcome.state, outcome.code, outcome.message) == ("unproved", 0, "")
    record = record_of(outcome.folder)
    assert (record["state"], record["validation"]) == ("unproved", None)
    assert list(record["steps"]) == ["notebook", "results", "page", "leak scan"]
    page = (outcome.folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<p class="banner" role="alert">This report has not been proved yet:') == 1


def test_a_form_that_cannot_be_made_costs_the_run_only_that_form(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> list[str]:
        raise ZeroDivisionError("1/0")

    monkeypatch.setattr(slides, "write", fails)
    quick(extra=with_definitions)
    brand = tmp_path / "brand.pptx"
    params = replace(make(tmp_path), exports=Exports(to=("pptx", "xlsx"), template=brand))
    outcome = runner.run(params, tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("valid", 4)
    assert outcome.message == "not exported: pptx: a fault of kpibook: ZeroDivisionError('1/0')"
    record = record_of(outcome.folder)
    assert (record["state"], record["slides_template"]) == ("valid", str(brand))
    assert "report.xlsx" in record["files"] and "report.pptx" not in record["files"]


def test_without_definitions_no_form_is_made_and_the_report_is_there(
    tmp_path: Path, quick: Callable[..., None]
) -> None:
    """A template of one's own that does not save with ``book.save()``."""
    quick()
    params = replace(make(tmp_path), exports=Exports(to=("xlsx",)))
    outcome = runner.run(params, tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("valid", 4)
    assert outcome.message.startswith("not exported: ")
    assert outcome.message.endswith("definitions.json: there is no such file \u00b7 make the report again")
    assert (outcome.folder / "report.html").is_file()


def with_definitions(folder: Path) -> None:
    """A whole report of its own in place of the small client's."""
    made = small_report.report(folder / "other")
    for name in ("definitions.json", "scorecard.parquet", "scorecard.csv", "quality.json"):
        (made / name).replace(folder / name)
    shutil.rmtree(made)


def test_a_secret_in_any_file_puts_the_report_under_quarantine(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """N7: the values behind ${NAME} must not leave with a report."""
    monkeypatch.setenv("SHOP_DB", "postgresql://audit:s3cr3t%2Fword@db/shop")
    params, out = make(tmp_path), tmp_path / "reports"
    params.path.write_text("source: ${SHOP_DB}\n", encoding="utf-8")

    def leak(folder: Path) -> None:
        (folder / "quality.json").write_text('{"note": "connected with s3cr3t/word"}', encoding="utf-8")

    quick(extra=leak)
    outcome = runner.run(params, out)
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == (
        "quality.json: holds the value of ${SHOP_DB} · find out which output shows it, and take it out;"
        " change the secret if the file has left your hands"
    )
    assert sorted(p.name for p in (out / "corner-shop").iterdir()) == ["failed"]
    assert oct(outcome.folder.stat().st_mode & 0o777) == "0o700"
    record = record_of(outcome.folder)
    assert record["leak_scan"] == {
        "searched": ["SHOP_DB"],
        "too_short": [],
        "not_set": [],
        "redacted": {"quality.json": ["SHOP_DB"]},
        "removed": {},
    }
    assert record["state"] == "failed"
    assert (outcome.folder / "quality.json").read_text() == '{"note": "connected with [value of ${SHOP_DB}]"}'


def test_no_secret_stays_in_what_a_failed_notebook_left(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback, the log, the message, a table, a file of unknown kind; what a link leads to is not ours."""
    monkeypatch.setenv("SHOP_DB", "postgresql://audit:s3cr3t%2Fword@db/shop")
    params, out = make(tmp_path), tmp_path / "reports"
    params.path.write_text("source: ${SHOP_DB}\nother: ${NOT_SET}\n", encoding="utf-8")
    mine = tmp_path / "mine.txt"
    mine.write_text("s3cr3t/word", encoding="utf-8")

    def break_off(folder: Path) -> None:
        raised = {
            "ename": "E",
            "evalue": "no s3cr3t/word",
            "traceback": ["at postgresql://audit:s3cr3t%2Fword@db/shop"],
        }
        (folder / "report.ipynb").write_text(json.dumps(raised), encoding="utf-8")
        (folder / "work" / "log.txt").write_bytes(b"one\r\nno s3cr3t/word\n")
        pd.DataFrame({"note": ["s3cr3t/word"]}).to_parquet(folder / "tables" / "leaky.parquet")
        pd.DataFrame({"note": ["fine"]}).to_parquet(folder / "tables" / "fine.parquet")
        (folder / "tables" / "half.parquet").write_bytes(b"PAR1")
        (folder / "core").write_bytes(b"\xff\xfes3cr3t/word")
        (folder / "link.txt").symlink_to(mine)
        (folder / "kpibook-spill").mkdir()
        raise RunError(Problem("audit.ipynb, cell 2", "E: no s3cr3t/word", "read the traceback"))

    quick(extra=break_off)
    outcome = runner.run(params, out)
    assert outcome.message == "audit.ipynb, cell 2: E: no [value of ${SHOP_DB}] · read the traceback"
    place = outcome.folder
    assert (place / "log.txt").read_bytes() == b"one\r\nno [value of ${SHOP_DB}]\n"
    assert json.loads((place / "report.ipynb").read_text(encoding="utf-8")) == {
        "ename": "E",
        "evalue": "no [value of ${SHOP_DB}]",
        "traceback": ["at [value of ${SHOP_DB}]"],
    }
    record = record_of(place)
    assert record["failure"] == {"step": "notebook", "message": outcome.message}
    hit = ["SHOP_DB"]
    assert record["leak_scan"] == {
        "searched": hit,
        "too_short": [],
        "not_set": ["NOT_SET"],
        "redacted": {"log.txt": hit, "report.ipynb": hit},
        "removed": {"core": hit, "tables/half.parquet": hit, "tables/leaky.parquet": hit},
    }
    assert sorted(p.relative_to(place).as_posix() for p in place.rglob("*")) == [
        "link.txt",
        "log.txt",
        "quality.json",
        "report.ipynb",
        "run.json",
        "scorecard.csv",
        "scorecard.parquet",
        "tables",
        "tables/churn_rate.parquet",
        "tables/fine.parquet",
    ]
    assert mine.read_text(encoding="utf-8") == "s3cr3t/word"


def test_files_the_notebook_leaves_behind_are_refused_and_hidden_ones_removed(
    tmp_path: Path, quick: Callable[..., None]
) -> None:
    def litter(folder: Path) -> None:
        (folder / ".ipynb_checkpoints").mkdir()
        (folder / "export.xlsx").write_bytes(b"x")
        (folder / "plot.png").write_bytes(b"x")

    quick(extra=litter)
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert outcome.message == (
        "notebook: it left export.xlsx, plot.png in the report folder"
        " · write other files to a folder of your own, by its full path"
    )
    assert not (outcome.folder / ".ipynb_checkpoints").exists()


def test_a_full_disk_is_told_without_a_traceback(tmp_path: Path, quick: Callable[..., None]) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device", "report.ipynb")

    quick(extra=full)
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert (outcome.code, outcome.message) == (
        4,
        "report.ipynb: No space left on device · see that there is room, and that the folder can be written to",
    )


def test_an_error_of_the_system_that_is_no_users_matter_is_a_fault_and_leaves_its_evidence(
    tmp_path: Path, quick: Callable[..., None]
) -> None:
    def odd(folder: Path) -> None:
        raise FileNotFoundError(2, "No such file or directory", "x")

    quick(extra=odd)
    with pytest.raises(FileNotFoundError):
        runner.run(make(tmp_path), tmp_path / "reports")
    (place,) = (tmp_path / "reports" / "corner-shop" / "failed").iterdir()
    assert record_of(place)["failure"]["message"] == (
        "a fault of kpibook: FileNotFoundError(2, 'No such file or directory')"
    )


def test_a_fault_of_ours_is_recorded_and_raised(tmp_path: Path, quick: Callable[..., None]) -> None:
    def broken(folder: Path) -> None:
        raise ZeroDivisionError("1/0")

    quick(extra=broken)
    with pytest.raises(ZeroDivisionError, match="1/0"):
        runner.run(make(tmp_path), tmp_path / "reports")
    (place,) = (tmp_path / "reports" / "corner-shop" / "failed").iterdir()
    assert record_of(place)["failure"] == {
        "step": "notebook",
        "message": "a fault of kpibook: ZeroDivisionError('1/0')",
    }


def test_a_run_that_the_user_stops_is_interrupted(tmp_path: Path, quick: Callable[..., None]) -> None:
    def stopped(folder: Path) -> None:
        raise KeyboardInterrupt

    quick(extra=stopped)
    with pytest.raises(KeyboardInterrupt):
        runner.run(make(tmp_path), tmp_path / "reports")
    (place,) = (tmp_path / "reports" / "corner-shop" / "failed").iterdir()
    assert record_of(place)["state"] == "interrupted"


def test_a_command_killed_between_the_two_renames_loses_nothing(made: Made, tmp_path: Path) -> None:
    """The former report is history, the new one still staged: clearing up puts it into its place."""
    out = tmp_path / "reports"
    home = out / "corner-shop"
    shutil.copytree(made.folder, home / PERIOD)
    staged = out / ".staging" / "corner-shop-new"
    shutil.copytree(made.folder, staged)
    record = runner.runs.read(staged)
    former, record.run_id = record.run_id, "new"
    record.write(staged)

    class Killed(BaseException):
        pass

    def rename(self: Path, target: Path) -> Path:
        if self == staged:
            raise Killed
        return self.replace(target)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(type(staged), "rename", rename)
        stage.publish(staged, out, record)
    assert sorted(p.name for p in home.iterdir()) == ["history"]
    with turn.only_run_of("other", out):
        pass
    assert record_of(home / PERIOD)["run_id"] == "new"
    assert [p.name for p in (home / "history" / PERIOD).iterdir()] == [former]


def test_when_the_second_rename_fails_the_previous_report_comes_back(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "reports"
    shutil.copytree(made.folder, out / "corner-shop" / PERIOD)
    record = runner.runs.read(made.folder)
    gone = out / ".staging" / "gone"
    gone.mkdir(parents=True)
    monkeypatch.setattr(type(gone), "chmod", lambda self, mode: self.rmdir())
    with pytest.raises(FileNotFoundError):
        stage.publish(gone, out, record)
    assert record_of(out / "corner-shop" / PERIOD)["run_id"] == record.run_id


def test_a_reports_folder_of_an_unknown_run_is_kept_too(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "reports"
    (out / "corner-shop" / PERIOD).mkdir(parents=True)
    shutil.copytree(made.folder, out / "new")
    _, previous = stage.publish(out / "new", out, runner.runs.read(made.folder))
    assert previous == out / "corner-shop" / "history" / PERIOD / "unknown"


def test_a_validation_that_takes_too_long_ends_the_run(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick()
    outcome = runner.run(make(tmp_path, minutes=0.0), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == (
        "validation: the run did not end within limits.minutes = 0 and was stopped"
        " · raise limits.minutes in corner-shop.yaml"
    )


def test_a_run_whose_folder_was_removed_says_so_and_leaves_a_record(tmp_path: Path, quick: Callable[..., None]) -> None:
    def remove(folder: Path) -> None:
        shutil.rmtree(folder)
        (folder / "work" / "log.txt").read_text(encoding="utf-8")

    quick(extra=remove)
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    record = record_of(outcome.folder)
    assert outcome.code == 4
    assert outcome.message == (
        f"corner-shop-{record['run_id']}: its folder was removed while the run was at work"
        " · see which plugin, cell or program removes files there"
    )
    assert record["failure"] == {"step": "notebook", "message": outcome.message}
    assert [p.name for p in outcome.folder.iterdir()] == ["run.json"]


def test_a_run_whose_file_was_removed_names_it(tmp_path: Path, quick: Callable[..., None]) -> None:
    quick(extra=lambda folder: (folder / "work" / "log.txt").read_text(encoding="utf-8"))
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert outcome.message == (
        f"corner-shop-{record_of(outcome.folder)['run_id']}: work/log.txt was removed while the run was at work"
        " · see which plugin, cell or program removes files there"
    )


def test_on_a_full_disk_the_record_is_written_in_the_place_of_the_evidence(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = runner.runs.RunRecord.write

    def crowded(record: runner.runs.RunRecord, folder: Path) -> None:
        if (folder / "scorecard.csv").exists():
            raise OSError(28, "No space left on device", str(folder / "run.json"))
        write(record, folder)

    monkeypatch.setattr(runner.runs.RunRecord, "write", crowded)
    quick()
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message.endswith(
        "/run.json: No space left on device · see that there is room, and that the folder can be written to"
    )
    assert [p.name for p in outcome.folder.iterdir()] == ["run.json"]
    assert record_of(outcome.folder)["state"] == "failed"


def test_evidence_that_cannot_be_written_for_another_reason_is_told(
    tmp_path: Path, quick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "run.json")

    monkeypatch.setattr(stage.redact, "evidence", refused)
    quick(extra=lambda folder: (folder / "quality.json").unlink())
    outcome = runner.run(make(tmp_path), tmp_path / "reports")
    assert (outcome.folder, outcome.message) == (
        None,
        "run.json: Permission denied · see that there is room, and that the folder can be written to",
    )
