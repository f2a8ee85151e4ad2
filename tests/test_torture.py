"""What ``make torture`` prints and returns: its searches find what is there, and its counts are of what they say."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from torture import __main__ as command
from torture import bad_plugins, canary, faults, kills
from torture.client import PERIOD, make

if TYPE_CHECKING:
    from pathlib import Path

    from torture.client import Client

OATS, RYE = "CANARY-111111111", "CANARY-222222222"


@pytest.fixture
def planted(tmp_path: Path) -> dict[Client, str]:
    """Two clients whose reports show their own id, one of them in Parquet only."""
    found = {make(tmp_path, name, tmp_path / "reports"): value for name, value in (("oats", OATS), ("rye", RYE))}
    for client, own in found.items():
        client.report.mkdir(parents=True)
        pd.DataFrame({"segment": [own]}).to_parquet(client.report / "scorecard.parquet")
        (client.report / "report.html").write_text("<p>nothing</p>", encoding="utf-8")
    return found


def test_ids_at_home_are_counted_and_are_no_finding(planted: dict[Client, str]) -> None:
    tally = canary.search(planted)
    assert (tally.clients, tally.at_home, tally.files) == (2, 2, Counter(parquet=2, html=2))
    assert (tally.foreign, tally.wanting, tally.found()) == ([], [], 0)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("report.html", f"<td>CANARY&#45;{OATS[7:]}</td>"),
        ("report.ipynb", json.dumps({"text": OATS})),
        ("run.json", json.dumps({"x": OATS.replace("-", "\\u002d")})),
        ("scorecard.csv", f"a,b\n1,{OATS}-t4\n"),
    ],
)
def test_an_id_of_another_client_is_found_in_any_file(planted: dict[Client, str], file: str, text: str) -> None:
    _, rye = planted
    (rye.report / file).write_text(text, encoding="utf-8")
    tally = canary.search(planted)
    assert tally.foreign == [f"rye/{PERIOD}/{file}: holds the id of oats"]
    assert (tally.wanting, tally.found()) == ([], 1)


def test_an_id_of_another_client_is_found_in_parquet_and_in_failed_runs(planted: dict[Client, str]) -> None:
    oats, _ = planted
    place = oats.home / "failed" / "once" / "tables"
    place.mkdir(parents=True)
    pd.DataFrame({"segment": [OATS, f"{RYE}-a3"]}).to_parquet(place / "curve.parquet")
    assert canary.search(planted).foreign == ["oats/failed/once/tables/curve.parquet: holds the id of rye"]


def test_a_search_that_does_not_even_find_the_own_id_is_told(planted: dict[Client, str]) -> None:
    oats, _ = planted
    (oats.report / "scorecard.parquet").unlink()
    tally = canary.search(planted)
    assert tally.wanting == ["oats: its report shows the id planted in its data, and no search finds it"]
    assert (tally.at_home, tally.found()) == (1, 1)


def test_an_id_is_planted_in_customer_receipt_and_article(tmp_path: Path) -> None:
    client = make(tmp_path, "oats", tmp_path / "reports")
    lines = pd.read_csv(client.folder / "data" / "lines.csv")
    canary.plant(client, OATS)
    now = pd.read_csv(client.folder / "data" / "lines.csv")
    own = lines["client"] == "c1"
    assert own.any()
    assert (now["client"] == OATS).equals(own)
    assert now["ticket"].str.startswith(f"{OATS}-t").equals(own)
    assert now["article"].str.startswith(f"{OATS}-a").equals(own)
    assert now.loc[~own].equals(lines.loc[~own])


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fault is not borne, one is; 3 kills leave one half-made folder and one false record; one id is found."""

    def bad(_: Path) -> str:
        raise AssertionError

    monkeypatch.setattr(faults, "FAULTS", {"bad": bad})
    monkeypatch.setattr(bad_plugins, "FAULTS", {"good": lambda _: "how"})
    killed = kills.Tally(Counter(kernel=3), Counter(page=3), half_made=["a"], false_records=["b"])
    monkeypatch.setattr(command, "kill", lambda *_: killed)
    monkeypatch.setenv("KILLS", "3")
    flown = canary.Tally(4, Counter(html=4), 4, foreign=["rye/x: holds the id of oats"])
    monkeypatch.setattr(command, "fly", lambda *_: flown)


@pytest.mark.parametrize(
    ("wanted", "code", "last"),
    [
        ([], 1, ["faults: 2 tried, 1 not borne", "canary: 4 clients in one batch, 0.0 min", "  1 foreign ids"]),
        (["good"], 0, ["faults: 1 tried, 0 not borne"]),
        (["canary"], 1, ["  4 files searched: 4 html; the own id found with 4 of 4", "  1 foreign ids"]),
        (
            ["kills"],
            1,
            ["  1 half-made folders, 1 false records, 0 lost earlier reports, 0 next runs that did not work"],
        ),
    ],
)
def test_each_count_is_of_its_own(
    quiet: None, capsys: pytest.CaptureFixture[str], wanted: list[str], code: int, last: list[str]
) -> None:
    """Found are 1 of the faults, 1 by the canary and 2 by the kills; what was not asked for is not counted."""
    assert command.main(wanted) == code
    said = capsys.readouterr().out.splitlines()
    assert set(last) <= set(said)
    found = {"": 4, "good": 0, "canary": 1, "kills": 2}["".join(wanted)]
    assert said[-1] == f"torture: {found or 'nothing'} found wanting"
    assert any(line.startswith("faults: ") for line in said) is (wanted in ([], ["good"]))


def test_an_unknown_job_is_told(quiet: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["canaries"]) == 2
    assert capsys.readouterr().out == ("torture: unknown: canaries · use canary, kills, faults or one of: bad, good\n")
