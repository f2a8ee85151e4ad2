"""What a run may take, and runs that wait for it."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from kpibook import allotment
from kpibook.allotment import MB, Allotment

if TYPE_CHECKING:
    from pathlib import Path


def client(folder: Path, *names: str, memory: str = "2GB", source: str = "data") -> Any:
    tables = {str(n): SimpleNamespace(from_=name, join={}) for n, name in enumerate(names)}
    limits = SimpleNamespace(memory=memory)
    return SimpleNamespace(path=folder / "a.yaml", source=source, tables=tables, limits=limits)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_bytes(b"x" * 2 * MB)
    (data / "b.parquet").write_bytes(b"x" * MB)
    (data / "c.xlsx").write_bytes(b"x")
    return tmp_path


def test_small_files_need_what_they_can_become(folder: Path) -> None:
    assert allotment.need(client(folder, "a.csv")) == (400 + 2 * 5) * MB
    assert allotment.need(client(folder, "a.csv", "b.parquet", "b.parquet")) == (400 + 2 * 5 + 20) * MB
    assert allotment.need(client(folder, "a.csv", memory="4 MB")) == (400 + 4) * MB


def test_what_cannot_be_told_beforehand_needs_the_limit(folder: Path) -> None:
    for asked in (
        client(folder, "c.xlsx"),
        client(folder, "missing.csv"),
        client(folder, "a.csv", source="nowhere"),
        client(folder, "a", source="postgres://db/shop"),
    ):
        assert allotment.need(asked) == (400 + 2048) * MB
    assert allotment.need(client(folder, "c.xlsx", memory="1TB")) == (400 + (1 << 20)) * MB


def test_a_container_may_allow_less_than_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    monkeypatch.setattr(allotment, "CGROUP", tmp_path)
    assert allotment.free() == 900
    (tmp_path / "memory.max").write_text("700\n")
    (tmp_path / "memory.current").write_text("200\n")
    assert allotment.free() == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert allotment.free() == 900
    (tmp_path / "memory.max").write_text("100\n")
    assert allotment.free() == 0


def holding(room: Allotment, size: int, cancel: threading.Event) -> tuple[threading.Event, threading.Event]:
    """A thread that takes ``size``: set when it has it, and what lets it go on."""
    has, go = threading.Event(), threading.Event()

    def work() -> None:
        with room.taken(size, cancel):
            has.set()
            go.wait(10)

    threading.Thread(target=work, daemon=True).start()
    return has, go


def test_each_waits_its_turn_until_there_is_room() -> None:
    room, cancel = Allotment(100), threading.Event()
    first, first_goes = holding(room, 60, cancel)
    assert first.wait(10)
    second, second_goes = holding(room, 60, cancel)
    assert not second.wait(0.3)
    small, small_goes = holding(room, 10, cancel)  # would fit, and waits behind the second, which would starve else
    assert not small.wait(0.3)
    first_goes.set()
    assert second.wait(10)
    assert small.wait(10)
    second_goes.set()
    small_goes.set()


def test_whoever_is_alone_runs_however_much_it_needs() -> None:
    with Allotment(100).taken(5000, threading.Event()):
        pass


def test_nobody_waits_on_when_all_are_stopped() -> None:
    room, cancel = Allotment(100), threading.Event()
    first, first_goes = holding(room, 100, cancel)
    assert first.wait(10)
    second, second_goes = holding(room, 100, cancel)
    assert not second.wait(0.3)
    cancel.set()
    assert second.wait(10)
    first_goes.set()
    second_goes.set()
