"""The record beside a plugin: it holds for one definition, and shows careless changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kpibook import admission
from kpibook.plugins import discover

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = '''"""Large receipts."""

from kpibook import hookimpl, kpi, share


@kpi(unit="percent", better="neutral")
def large_receipts(receipts, *, least: float = 50.0):
    """Large receipts: receipts of at least the setting `least`, out of all purchases."""
    return share(receipts.net_amount >= least)


@hookimpl
def kpibook_definitions():
    return [large_receipts]
'''


def _admitted(folder: Path) -> bool:
    return admission.is_admitted(discover(folder).catalog, "large_receipts")


def test_the_first_party_pack_is_admitted_and_a_loose_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN, encoding="utf-8")
    catalog = discover(tmp_path).catalog
    assert admission.is_admitted(catalog, "avg_receipt")
    assert not admission.is_admitted(catalog, "large_receipts")


def test_an_entry_holds_for_its_definition_only(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN, encoding="utf-8")
    resolved = discover(tmp_path).catalog.resolve().kpis["large_receipts"]
    path = admission.record(tmp_path, {"large_receipts": {"hash": resolved.hash, "on": "2024-07-01"}})
    assert path == tmp_path / "admitted.json"
    assert _admitted(tmp_path)
    (tmp_path / "own.py").write_text(PLUGIN.replace(">=", ">"), encoding="utf-8")
    assert not _admitted(tmp_path)


def test_an_entry_changed_by_hand_is_none(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN, encoding="utf-8")
    resolved = discover(tmp_path).catalog.resolve().kpis["large_receipts"]
    path = admission.record(tmp_path, {"large_receipts": {"hash": "000000000000", "on": "2024-07-01"}})
    path.write_text(path.read_text(encoding="utf-8").replace("000000000000", resolved.hash), encoding="utf-8")
    assert not _admitted(tmp_path)


def test_a_file_that_is_no_record_admits_nothing(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"kpis": []}', '{"kpis": {"large_receipts": 1}}'):
        (tmp_path / "admitted.json").write_text(text, encoding="utf-8")
        assert admission.entries(tmp_path) == {}


def test_entries_of_others_are_kept(tmp_path: Path) -> None:
    admission.record(tmp_path, {"one": {"hash": "a"}})
    path = admission.record(tmp_path, {"two": {"hash": "b"}})
    assert list(json.loads(path.read_text(encoding="utf-8"))["kpis"]) == ["one", "two"]
