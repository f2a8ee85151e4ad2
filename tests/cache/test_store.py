"""The store on disk: what is not as it was written is thrown away, and nothing that goes wrong costs a run."""

import errno
import os
import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kpibook.cache import store as stores
from kpibook.cache.store import MANIFEST, Store, size

FILES = {"a.parquet": b"twelve bytes", "b.json": b"{}"}


def store(tmp_path, client="shop", limit=10_000):
    return Store(tmp_path / "cache", client, limit)


def fill(kept, key="k1", files=FILES, kind="figures"):
    kept.put(kind, key, lambda new: [(new / name).write_bytes(content) for name, content in files.items()])


def test_what_was_put_is_read_again_and_by_nobody_else_on_the_machine(tmp_path):
    kept = store(tmp_path)
    assert kept.read("figures", "k1") is None
    assert not kept.holds("figures")
    fill(kept)

    assert store(tmp_path).read("figures", "k1") == FILES
    assert store(tmp_path).holds("figures")
    assert not store(tmp_path).holds("inputs")
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert kept.notes == []


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o755)
    fill(store(tmp_path))
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_another_machine_may_have_made_it(tmp_path):
    fill(store(tmp_path))
    shutil.copytree(tmp_path / "cache", tmp_path / "elsewhere" / "cache")
    assert store(tmp_path / "elsewhere").read("figures", "k1") == FILES


@pytest.mark.parametrize("name", ["a.parquet", "b.json", MANIFEST])
def test_any_flipped_bit_is_found(tmp_path, name):
    fill(store(tmp_path))
    path = tmp_path / "cache" / "figures" / "k1" / name
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        kept = store(tmp_path)
        assert kept.read("figures", "k1") is None
        assert kept.notes == [f"cache, figures: the entry k1 is thrown away: {name} was damaged"]
        assert not path.parent.exists()
        fill(kept)


def test_an_entry_cut_short_or_added_to_is_found(tmp_path):
    place = tmp_path / "cache" / "figures" / "k1"
    for spoil in ((place / "a.parquet").unlink, lambda: (place / "c.parquet").write_bytes(b"")):
        kept = store(tmp_path)
        fill(kept)
        spoil()
        assert kept.read("figures", "k1") is None
        told = "its files are not those that were written"
        assert kept.notes == [f"cache, figures: the entry k1 is thrown away: {told}"]


def test_another_clients_entry_is_thrown_away(tmp_path):
    fill(store(tmp_path / "theirs", "rival"))
    shutil.copytree(tmp_path / "theirs" / "cache", tmp_path / "cache")
    kept = store(tmp_path)

    assert kept.lend("figures", "k1", tmp_path) is None
    assert kept.notes == ["cache, figures: the entry k1 is thrown away: it is another client's"]
    assert not (tmp_path / "cache" / "figures" / "k1").exists()


@pytest.mark.parametrize(("kind", "key"), [("figures", "k2"), ("inputs", "k1")])
def test_an_entry_under_another_name_is_thrown_away(tmp_path, kind, key):
    kept = store(tmp_path)
    fill(kept)
    shutil.copytree(tmp_path / "cache" / "figures" / "k1", tmp_path / "cache" / kind / key)

    assert kept.read(kind, key) is None
    assert kept.notes == [f"cache, {kind}: the entry {key} is thrown away: it is another one's"]
    assert kept.read("figures", "k1") == FILES


def test_lent_files_stay_when_the_entry_goes(tmp_path):
    kept = store(tmp_path)
    fill(kept)
    (tmp_path / "run").mkdir()
    lent = kept.lend("figures", "k1", tmp_path / "run")
    shutil.rmtree(tmp_path / "cache")

    assert {name: path.read_bytes() for name, path in lent.items()} == FILES


def test_lent_files_are_copied_where_another_disk_begins(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    kept = store(tmp_path)
    fill(kept)
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(os, "link", refused)
    assert kept.lend("figures", "k1", tmp_path / "run")["a.parquet"].read_bytes() == b"twelve bytes"


def test_a_damaged_file_is_not_lent(tmp_path):
    kept = store(tmp_path)
    fill(kept)
    (tmp_path / "cache" / "figures" / "k1" / "a.parquet").write_bytes(b"twelve bytez")
    (tmp_path / "run").mkdir()
    assert kept.lend("figures", "k1", tmp_path / "run") is None
    assert kept.notes == ["cache, figures: the entry k1 is thrown away: a.parquet was damaged"]


def test_what_was_used_longest_ago_goes_first(tmp_path):
    """Entries of 100 bytes and their manifest of 376; the limit holds two of them."""
    kept = store(tmp_path)
    for number, key in enumerate(("k1", "k2", "k3")):
        fill(kept, key, {"a": bytes(100)})
        os.utime(tmp_path / "cache" / "figures" / key, (1e9 + number, 1e9 + number))
    assert kept.read("figures", "k1") is not None  # used now
    manifest = len((tmp_path / "cache" / "figures" / "k1" / MANIFEST).read_bytes())
    now = time.time()
    for key, age in (("k2", 20), ("k3", 10)):
        os.utime(tmp_path / "cache" / "figures" / key, (now - age, now - age))
    store(tmp_path, limit=2 * (100 + manifest)).trim()

    assert sorted(path.name for path in (tmp_path / "cache" / "figures").iterdir()) == ["k1", "k3"]


def test_what_nobody_used_for_long_goes_whatever_room_there_is(tmp_path):
    kept = store(tmp_path)
    now = time.time()
    for key, days in (("k1", 44), ("k2", 46)):
        fill(kept, key)
        os.utime(tmp_path / "cache" / "figures" / key, (now - days * 86400, now - days * 86400))
    kept.trim()
    assert [path.name for path in (tmp_path / "cache" / "figures").iterdir()] == ["k1"]


def test_what_a_killed_run_was_writing_goes_when_it_is_an_hour_old(tmp_path):
    kept = store(tmp_path)
    fill(kept)
    now = time.time()
    for name, age in ((".new-young", 3500), (".new-old", 3700)):
        (tmp_path / "cache" / name).mkdir()
        os.utime(tmp_path / "cache" / name, (now - age, now - age))
    kept.trim()
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".new-young", "figures"]


def test_a_full_disk_is_told_once_and_nothing_half_written_stays(tmp_path):
    def full(new):
        (new / "a.parquet").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = store(tmp_path)
    for key in ("k1", "k2"):
        kept.put("figures", key, full)
    assert kept.notes == ["cache, figures: not kept (No space left on device)"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_nothing_is_kept_on_a_disk_that_is_nearly_full(tmp_path, monkeypatch):
    left = shutil.disk_usage(tmp_path)._replace(free=stores.LEAST_FREE - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: left)
    kept = store(tmp_path)
    fill(kept)
    assert kept.notes == ["cache, figures: nothing is kept: less than 512 MB are free on the disk"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_nothing(tmp_path):
    (tmp_path / "cache").write_text("a file")
    kept = store(tmp_path)
    fill(kept)
    kept.trim()
    assert kept.read("figures", "k1") is None
    assert not kept.holds("figures")
    assert kept.notes == ["cache, figures: not kept (File exists)"]


def test_many_at_once_leave_one_whole_entry(tmp_path):
    def at_work(number):
        own = store(tmp_path)
        for _ in range(30):
            fill(own, files={"a.parquet": bytes([number]) * 1000})
            own.read("figures", "k1")
        return own.notes

    with ThreadPoolExecutor(4) as pool:
        told = [note for notes in pool.map(at_work, range(4)) for note in notes]
    fill(store(tmp_path))
    assert store(tmp_path).read("figures", "k1") == FILES
    assert all("damaged" not in note for note in told)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["figures"]


def test_sizes():
    assert (size("2GB"), size("500 MB"), size("1TB")) == (2 * 10**9, 5 * 10**8, 10**12)
