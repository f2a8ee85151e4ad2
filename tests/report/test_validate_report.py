"""A tampered number is found, wherever it stands, even by one who mends the checksums."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import pytest

from exports import small_report
from kpibook import runs
from kpibook.errors import NotValidError, RunError
from kpibook.report import leakscan, results, validate
from kpibook.report.handover import export
from kpibook.report.render import render
from kpibook.report.supervise import Ended
from report.small_client import record_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AGAIN = "make the report again"
ORIGINAL = "take the file as it was made, or make the report again"


def change_notebook(folder: Path, old: str, new: str) -> None:
    path = folder / "report.ipynb"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def change_frame(folder: Path, name: str, column: str) -> None:
    frame = pd.read_parquet(folder / name)
    frame.loc[0, column] += 1e-5
    frame.to_parquet(folder / name)


def change_text(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def mend_checksums(folder: Path) -> None:
    record = runs.read(folder)
    record.files = results.checksums(folder)
    record.write(folder)


def test_numbers_changed_everywhere_are_all_found_by_computing_again(report: Path) -> None:
    """N10: nbval compares text, so 0.1 + 0.2 stored as 0.3 differs; a change in the fifth place of 1234.5 is found."""
    change_notebook(report, "0.30000000000000004", "0.3")
    change_frame(report, "scorecard.parquet", "value")
    change_frame(report, "tables/churn_rate.parquet", "alive")
    change_text(report, "scorecard.csv", "12.25", "12.26")
    mend_checksums(report)
    verdict = validate.validate(report)
    assert [str(p) for p in verdict.problems] == [
        "report.html: does not show what report.ipynb holds · make the report again",
        (
            "scorecard.csv, avg_receipt total total current: value is 12.26, in scorecard.parquet 12.25"
            " · make the report again"
        ),
        (
            "scorecard.csv, net_sales total total current: value is 1234.5, in scorecard.parquet 1234.50001"
            " · make the report again"
        ),
        (
            "report.ipynb, cell 4: shows '0.3', computed again '0.30000000000000004'"
            " · let the cell show the same every time"
        ),
        (
            "scorecard.parquet, net_sales total total current: value is 1234.50001, computed again 1234.5"
            " · make the report again"
        ),
        "tables/churn_rate.parquet, row 1: alive is 1.00001, computed again 1.0 · make the report again",
    ]
    record = record_of(report)
    assert record["state"] == "not_valid"
    assert record["validation"]["problems"][0] == {
        "where": "report.html",
        "what": "does not show what report.ipynb holds",
        "remedy": AGAIN,
    }


def test_an_untouched_report_holds_and_changed_inputs_are_named(report: Path) -> None:
    change_text(report, "quality.json", "aa11", "bb22")
    mend_checksums(report)
    verdict = validate.validate(report)
    assert (verdict.state, verdict.problems, verdict.inputs_changed) == ("valid", (), ("lines.csv",))
    assert record_of(report)["validation"]["inputs_changed"] == ["lines.csv"]


def test_a_definition_changed_with_its_checksum_is_found_by_computing_again(report: Path) -> None:
    change_text(report, "quality.json", '"9d"', '"9e"')
    change_text(report, "run.json", '"9d"', '"9e"')
    mend_checksums(report)
    verdict = validate.validate(report)
    said = "quality.json, definitions net_sales hash: is '9e', computed again '9d' · make the report again"
    assert [str(p) for p in verdict.problems] == [said]
    assert (verdict.state, record_of(report)["state"]) == ("not_valid", "not_valid")


def test_findings_and_computability_are_proved_too(report: Path, tmp_path: Path) -> None:
    again = shutil.copytree(report, tmp_path / "again")
    then = {"findings": [{"rule": "a", "rows": 5}], "computability": [{"kpi": "x", "state": "partly"}]}
    now = {
        "findings": [{"rule": "a", "rows": 6}, {"rule": "b"}],
        "computability": [{"kpi": "x", "state": "computable"}],
    }
    (report / "quality.json").write_text(json.dumps(then), encoding="utf-8")
    (again / "quality.json").write_text(json.dumps(now), encoding="utf-8")
    assert [str(p) for p in validate.stored_problems(report, again, told=False)] == [
        "quality.json, findings 1 rows: is 5, computed again 6 · make the report again",
        "quality.json, findings 2: is missing, computed again {'rule': 'b'} · make the report again",
        "quality.json, computability 1 state: is 'partly', computed again 'computable' · make the report again",
    ]


CHANGES: dict[str, Callable[[Path], None]] = {
    "report.ipynb": lambda folder: change_notebook(folder, "0.30000000000000004", "0.3"),
    "report.html": lambda folder: change_text(folder, "report.html", "1,234.50", "1,234.60"),
    "scorecard.parquet": lambda folder: change_frame(folder, "scorecard.parquet", "value"),
    "scorecard.csv": lambda folder: change_text(folder, "scorecard.csv", "12.25", "12.26"),
    "tables/churn_rate.parquet": lambda folder: change_frame(folder, "tables/churn_rate.parquet", "alive"),
    "quality.json": lambda folder: change_text(folder, "quality.json", "aa11", "bb22"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_changed_file_is_named_by_its_checksum(report: Path, name: str) -> None:
    CHANGES[name](report)
    found = results.checksum_problems(report, runs.read(report))
    assert [str(p) for p in found] == [f"{name}: was changed after the run · {ORIGINAL}"]


def test_a_missing_file_and_one_too_many_are_named(report: Path) -> None:
    (report / "quality.json").unlink()
    (report / "tables" / "more.parquet").write_bytes(b"")
    found = results.checksum_problems(report, runs.read(report))
    assert [str(p) for p in found] == [
        f"quality.json: is missing · {ORIGINAL}",
        "tables/more.parquet: is not part of the report · remove it",
    ]


def test_a_number_changed_in_the_page_alone_is_found(report: Path) -> None:
    change_text(report, "report.html", "1,234.50", "1,234.60")
    found = validate.page_problems(report, runs.read(report))
    assert [str(p) for p in found] == ["report.html: does not show what report.ipynb holds · make the report again"]


def test_a_report_that_was_made_unconfirmed_does_not_become_valid_later(report: Path) -> None:
    record = runs.read(report)
    page = render(report / "report.ipynb", record.title, record.language, "not_valid")
    (report / "report.html").write_text(page, encoding="utf-8")
    assert [str(p) for p in validate.page_problems(report, record)] == [
        "report.html: was made unconfirmed, and says so · make the report again"
    ]


def unproved(folder: Path) -> None:
    """Make a report one that was computed once only."""
    record = runs.read(folder)
    page = render(folder / "report.ipynb", record.title, record.language, "unproved")
    (folder / "report.html").write_text(page, encoding="utf-8")
    record.state, record.validation = "unproved", None
    record.write(folder)
    mend_checksums(folder)


def test_a_report_that_was_computed_once_is_proved_later(report: Path) -> None:
    before = (report / "report.html").read_bytes()
    unproved(report)
    assert (report / "report.html").read_bytes() != before
    assert validate.validate(report) == validate.Verdict(())
    assert record_of(report)["state"] == "valid"
    assert (report / "report.html").read_bytes() == before
    assert validate.validate(report).state == "valid"


def test_other_forms_of_it_say_what_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The banner of a report that was not proved is in none of them any more; the seal is that of the new files."""
    folder = small_report.report(tmp_path / "r", title="\u6f22 Ltd")
    banner = "This report has not been proved yet"

    def page(_: Path, title: str, language: str, state: str) -> str:
        text = f'<p class="banner" role="alert">{banner}</p>' if state == "unproved" else ""
        return f"<html><body>{text}<h1>{title}</h1></body></html>"

    monkeypatch.setattr(validate, "render", page)
    monkeypatch.setattr(validate, "examine", lambda *_: validate.Verdict(()))
    (folder / "report.html").write_text(page(folder, "x", "en", "unproved"), encoding="utf-8")
    record = runs.read(folder)
    record.state = "unproved"
    record.write(folder)
    mend_checksums(folder)
    export(folder, ["pdf", "pptx", "xlsx"])
    assert banner in words(folder)
    verdict = validate.validate(folder)
    assert (verdict.state, [note.partition(":")[0] for note in verdict.notes]) == ("valid", ["report.pdf"])
    assert banner not in words(folder)
    assert results.checksum_problems(folder, runs.read(folder)) == []
    assert runs.read(folder).state == "valid"
    assert not (folder / "summary.pdf").exists()


def words(folder: Path) -> str:
    """All that a report's other forms say."""
    return "".join(text for _, text in leakscan.texts(folder, sorted(folder.glob("report.[px]*"))))


def test_a_report_that_was_computed_once_and_does_not_hold_says_so_later(report: Path) -> None:
    unproved(report)
    change_text(report, "quality.json", '"9d"', '"9e"')
    mend_checksums(report)
    assert [str(p) for p in validate.validate(report).problems] == [
        "quality.json, definitions net_sales hash: is '9e', computed again '9d' · make the report again"
    ]
    page = (report / "report.html").read_text(encoding="utf-8")
    assert '<p class="banner" role="alert">This report has not been confirmed:' in page
    assert record_of(report)["state"] == "not_valid"


def test_unexecuted_cells_are_refused_before_anything_is_computed(report: Path) -> None:
    """N9: nbval passes a notebook whose outputs were cleared."""
    notebook = nbformat.read(report / "report.ipynb", as_version=4)
    for cell in notebook.cells[3:5]:
        cell.update(outputs=[], execution_count=None)
    nbformat.write(notebook, report / "report.ipynb")
    mend_checksums(report)
    began = time.monotonic()
    verdict = validate.examine(report, runs.read(report), report, began + 60, threading.Event())
    assert [str(p) for p in verdict.problems] == [
        "report.ipynb: cell 4 was not executed · make the report again",
        "report.ipynb: cell 5 was not executed · make the report again",
    ]


def test_cells_that_ask_not_to_be_compared_are_named(report: Path) -> None:
    notebook = nbformat.read(report / "report.ipynb", as_version=4)
    notebook.cells[3].source = "# NBVAL_IGNORE_OUTPUT\n0.3"
    notebook.cells[4].metadata["tags"] = ["nbval-skip"]
    nbformat.write(notebook, report / "report.ipynb")
    assert [str(p) for p in validate.marker_problems(report)] == [
        "report.ipynb, cell 4: asks not to be compared (NBVAL_IGNORE_OUTPUT) · take the mark out of the template",
        "report.ipynb, cell 5: asks not to be compared (nbval-skip) · take the mark out of the template",
    ]


def test_results_that_cannot_be_read_are_named(report: Path) -> None:
    (report / "scorecard.parquet").write_bytes(b"not parquet")
    with pytest.raises(RunError) as raised:
        results.check(report)
    assert str(raised.value).startswith("scorecard.parquet: cannot be read (")
    assert str(raised.value).endswith(") · make the report again")


def test_results_that_are_missing_are_all_named(report: Path) -> None:
    for name in ("scorecard.parquet", "scorecard.csv", "quality.json"):
        (report / name).unlink()
    with pytest.raises(NotValidError) as raised:
        results.check(report, NotValidError)
    assert str(raised.value).splitlines() == [
        "scorecard.parquet: is missing · let the notebook's last cell be book.save()",
        "scorecard.csv: is missing · let the notebook's last cell be book.save()",
        "quality.json: is missing · let the notebook's last cell be book.save()",
    ]


def test_quality_that_is_no_json_is_named(report: Path) -> None:
    (report / "quality.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError) as raised:
        results.quality(report)
    assert str(raised.value) == (
        "quality.json: cannot be read (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"
        " · make the report again"
    )


def test_only_finished_reports_are_validated(tmp_path: Path) -> None:
    record = runs.begin("corner-shop", "2017")
    record.end("failed", "notebook", "it broke")
    record.write(tmp_path)
    with pytest.raises(NotValidError) as raised:
        validate.validate(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: this is no finished report: its run is failed"
        " · validate a folder of the reports, or run the client again"
    )
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "failed"


@pytest.mark.parametrize(
    ("ended", "events", "said"),
    [
        (Ended(0), [], "ended early (exit code 0)"),
        (Ended(-9), [{"event": "same", "cell": 0}], "ended early (exit code -9)"),
        (Ended(-9, "clock"), [], "ran into the time limit"),
    ],
)
def test_a_second_execution_that_compares_too_little_is_no_confirmation(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: Ended, events: list[dict], said: str
) -> None:
    def watch(*arguments: Any) -> Ended:
        for event in events:
            arguments[6](event)
        return ended

    monkeypatch.setattr(validate, "watch", watch)
    found = validate.execute_again(report, tmp_path, tmp_path, 0.0, threading.Event(), 1)
    assert [str(p) for p in found] == [
        f"report.ipynb: the second execution {said} · validate again, and look at memory and time"
    ]


def test_tables_that_are_on_one_side_only_are_named(report: Path, tmp_path: Path) -> None:
    again = shutil.copytree(report, tmp_path / "again")
    (again / "tables" / "churn_rate.parquet").rename(again / "tables" / "rfm.parquet")
    assert [str(p) for p in validate.stored_problems(report, again, told=False)] == [
        "tables/churn_rate.parquet: is in the report only · make the report again",
        "tables/rfm.parquet: is in the second execution only · make the report again",
    ]


def test_what_the_second_execution_did_not_save_is_named_once(report: Path, tmp_path: Path) -> None:
    again = shutil.copytree(report, tmp_path / "again")
    (again / "scorecard.csv").unlink()
    assert [str(p) for p in validate.stored_problems(report, again, told=False)] == [
        "scorecard.csv: was not saved by the second execution · let the notebook's last cell be book.save()"
    ]
    assert validate.stored_problems(report, again, told=True) == []
