"""Plugins that do harm, each in a batch with another client, whose report must be that of a quiet day."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil

from torture import ground
from torture.client import GOOD, Client, Done, make
from torture.faults import Fault, expect, failed, settled

FRAME = '''
import os
import subprocess
import sys

import pandas as pd

from kpibook import modelled


@kpi(unit="count", better="neutral", columns={"transactions": ["transaction_id"]})
def harm(transactions: pd.DataFrame):
    """Harm: a count that comes with something else."""
    BODY
    return modelled(float(len(transactions)), n=len(transactions))
'''

STAYS = """
    code = "import time; time.sleep(999)"
    subprocess.Popen([sys.executable, "-c", code, "TAG-session"], start_new_session=True)
    subprocess.Popen([sys.executable, "-c", code, "TAG-bare"], start_new_session=True, env={})
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-c", code, "TAG-orphan"], {})
        os._exit(0)
"""


def plugin(body: str = "", head: str = "") -> str:
    """A good KPI, and one whose function or module does what is given."""
    text = GOOD.replace(
        "[baskets, basket_value]", "[baskets, basket_value, harm]" if body else "[baskets, basket_value]"
    )
    return head + (text.replace("\n\n@view", FRAME.replace("BODY", body.strip()) + "\n\n@view", 1) if body else text)


def batch(base: Path, bad: str, minutes: int = 10) -> tuple[Client, Done]:
    """Both clients at once; the good one's report is compared with one that was made alone."""
    other, then = quiet(base.parent / "quiet", base / "reports")
    victim = make(base, "shop", base / "reports", minutes=minutes)
    victim.plugin(bad)
    done = victim.run(other)
    assert "\nquiet: valid, " in f"\n{done.said}", done.said
    assert "quiet: KPI failed" not in done.said, done.said
    now = ground.said_of_figures(other.report)
    assert now == then, sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    assert not ground.half_made(victim), ground.half_made(victim)
    assert not ground.strays(base), ground.strays(base)
    return victim, done


def quiet(base: Path, out: Path) -> tuple[Client, dict[str, str]]:
    """The other client, and what its report says when it is made alone: that once, for all faults."""
    if not base.exists():
        alone = make(base, "quiet", base / "alone").run()
        assert alone.code == 0, alone.said
    folder = base / "quiet"
    return Client(folder, "quiet", out), ground.said_of_figures(Client(folder, "quiet", base / "alone").report)


def over(victim: Client) -> None:
    victim.plugin()
    settled(victim)


def hangs(base: Path) -> str:
    victim, done = batch(base, plugin("import time; time.sleep(3600)"), minutes=1)
    expect(done, 4, r"^  template\.ipynb, cell 3 of 5: the run did not end within limits\.minutes = 1 and was stopped")
    victim.limit(10)
    over(victim)
    return "in a KPI"


def exits(base: Path) -> str:
    victim, done = batch(base, plugin("os._exit(3)"))
    remedy = r"find the plugin or cell that ends the process \(os\._exit, quit, a library that aborts\)"
    expect(done, 4, rf"^  template\.ipynb, cell 3 of 5: the kernel was ended from within \(exit code 3\) · {remedy}$")
    assert failed(victim)["state"] == "failed"
    over(victim)
    return "os._exit(3)"


def asks_to_exit(base: Path) -> str:
    victim, done = batch(base, plugin("sys.exit(0)"))
    what = r"it asks the process to end \(SystemExit\)"
    expect(
        done, 0, rf"^shop: KPI failed: harm: PluginError: lines\.py:\d+: {what} · raise another exception, or return$"
    )
    victim.plugin("raise SystemExit(0)\n")
    remedy = "mend the file or take it out of the folder"
    expect(victim.run(), 2, rf"^  plugins/lines\.py:1: it cannot be imported: SystemExit: 0 · {remedy}$")
    over(victim)
    return "sys.exit in a KPI and in the module"


def prints(base: Path) -> str:
    loud = "for _ in range(1000): print('x' * 1_000_000)"
    victim, done = batch(base, plugin(loud))
    too_much = r"print: more than 1,000,000 characters in one cell · take the print out"
    expect(done, 0, rf"^shop: KPI failed: harm: RunError: {too_much}$")
    _small(victim.report)
    victim.plugin(plugin(head=loud + "\n"))
    remedy = "mend the file or take it out of the folder"
    expect(victim.run(), 2, rf"^  plugins/lines\.py:1: it cannot be imported: RunError: {too_much} · {remedy}$")
    over(victim)
    return "1 GB by print, in a KPI and in the module"


def prints_below_python(base: Path) -> str:
    """Past sys.stdout: it goes to the log, as far as that reaches, and the report does not change."""
    loud = "subprocess.run(['head', '-c', '1000000000', '/dev/zero']); sys.__stderr__.write('e' * 100_000_000)"
    with peak(base) as most:
        victim, done = batch(base, plugin(loud))
    expect(done, 0, r"^shop: valid")
    _small(victim.report)
    assert most[0] < 2_000_000_000, most
    over(victim)
    return f"1 GB by a subprocess; all processes of the batch together held at most {most[0] / 1e6:.0f} MB"


class peak:  # noqa: N801 (a context manager)
    """The most memory that the runs below a folder held at once, looked at five times a second."""

    def __init__(self, base: Path) -> None:
        self._base, self._over, self._most = str(base), threading.Event(), [0]

    def __enter__(self) -> list[int]:
        threading.Thread(target=self._look, daemon=True).start()
        return self._most

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            every = psutil.process_iter(["environ", "memory_info"])
            ours = [p for p in every if (p.info["environ"] or {}).get("KPIBOOK_RUN_DIR", "").startswith(self._base)]
            self._most[0] = max(self._most[0], sum(p.info["memory_info"].rss for p in ours if p.info["memory_info"]))


def changes_directory(base: Path) -> str:
    victim, done = batch(base, plugin("os.chdir('/')", head="import os\nos.chdir('/tmp')\n"))
    expect(done, 0, r"^shop: valid")
    assert not Path("/tmp/scorecard.parquet").exists()  # noqa: S108
    over(victim)
    return "in the module and in a KPI"


def patches_pandas(base: Path) -> str:
    patch = "pd.DataFrame.sum = pd.DataFrame.to_parquet = lambda *a, **k: 0"
    victim, done = batch(base, plugin(patch))
    remedy = "write a function of your own, and leave pandas as it is"
    what = r"it replaces pandas\.DataFrame\.sum, pandas\.(\w+)\.to_parquet"
    expect(done, 0, rf"^shop: KPI failed: harm: PluginError: lines\.py:\d+: {what} · {remedy}$")
    victim.plugin(plugin(head=f"import pandas as pd\n{patch}\n"))
    expect(victim.run(), 2, rf"^  plugins/lines\.py: import: {what} · {remedy}$")
    over(victim)
    return "in a KPI and in the module"


def leaves_children(base: Path) -> str:
    tag = f"torture-{os.getpid()}"
    victim, done = batch(base, plugin(STAYS.replace("TAG", tag)))
    expect(done, 0, r"^shop: valid")
    time.sleep(1)
    left = [p.cmdline() for p in psutil.process_iter() if any(tag in word for word in _words(p))]
    assert not left, left
    over(victim)
    return "detached, without environment, orphaned"


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def deletes_neighbours(base: Path) -> str:
    """The files beside the plugin: the second execution cannot find them, and says so."""
    beside = "import pathlib; [p.unlink() for p in pathlib.Path(__file__).parent.iterdir() if p.is_file()]"
    victim, done = batch(base, plugin(beside))
    expect(done, 5, r"^shop: not valid$")
    expect(done, 5, r"^  report\.ipynb, cell \d+: .* · let the cell show the same every time$")
    over(victim)
    return "all files of the plugin folder: not valid"


def deletes_the_run(base: Path) -> str:
    """Whatever stands in the run's own folder, which is where it works."""
    empty = (
        "import shutil, pathlib; [shutil.rmtree(p) if p.is_dir() else p.unlink() for p in pathlib.Path('.').iterdir()]"
    )
    victim, done = batch(base, plugin(empty))
    expect(done, 0, r"^shop: valid")
    whole = "import shutil; shutil.rmtree(os.getcwd())"
    victim.plugin(plugin(whole))
    expect(victim.run(), 4, r"^  .* · .+$")
    assert failed(victim)["state"] == "failed"
    over(victim)
    return "all files: the report is made nevertheless; the folder: told"


def shows_too_much(base: Path) -> str:
    shown = "from IPython.display import display, HTML; display(HTML('x' * 200_000_000))"
    victim, done = batch(base, plugin(shown))
    remedy = "let the cell, or the plugin, show less"
    expect(done, 4, rf"^  template\.ipynb, cell 3 of 5: its output has [\d,]+ characters · {remedy}$")
    over(victim)
    return "200 MB of HTML"


def _small(report: Path) -> None:
    sizes = {p.name: p.stat().st_size for p in report.rglob("*") if p.is_file()}
    assert sum(sizes.values()) < 6_000_000, sizes


FAULTS: dict[str, Fault] = {
    each.__name__: each
    for each in (
        hangs,
        exits,
        asks_to_exit,
        prints,
        prints_below_python,
        shows_too_much,
        changes_directory,
        patches_pandas,
        leaves_children,
        deletes_neighbours,
        deletes_the_run,
    )
}
