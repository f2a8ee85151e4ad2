"""``python -m kpibook.samples``."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kpibook import params
from kpibook.samples import __main__ as command
from kpibook.samples import cdnow

ROOT = Path(__file__).parents[2]


def test_one_client_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path), "cdnow"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'cdnow'}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cdnow"]


def test_an_unknown_client_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main([str(tmp_path), "mara"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("no sample client 'mara' · use one of: cdnow, corner, marea\n")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_ends_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdnow, "find_spec", lambda name: None)
    assert command.main([str(tmp_path), "cdnow"]) == 3
    assert capsys.readouterr().err == (
        "cdnow: lifetimes/datasets/CDNOW_master.txt is not installed · install it with pip install 'kpibook[demo]'\n"
    )


@pytest.mark.parametrize("client", command.CLIENTS)
def test_params_name_the_files_and_columns_that_are_written(client: str, samples: Path) -> None:
    """The client's own params file; CDNOW's sample of customers is read by that of its reference figures."""
    loaded = params.load(ROOT / "params" / f"{client}.yaml")
    assert loaded.client == client
    tables = list(loaded.tables.values())
    if client == "cdnow":
        tables += params.load(ROOT / "tests" / "definitions" / "params" / "cdnow_sample.yaml").tables.values()
    written = {path.name: set(pq.read_schema(path).names) for path in (samples / client).glob("*.parquet")}
    assert {table.from_ for table in tables} == set(written)
    read: dict[str, set[str]] = {name: set() for name in written}
    for table in tables:
        read[table.from_] |= {source for source in table.columns.values() if not source.startswith("=")}
    assert read == written
