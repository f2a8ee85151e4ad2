"""KPIs of others: a distribution that is really installed, and the same file laid loose."""

import shutil
import subprocess
import sys

import pandas as pd
import pytest

from kpibook import results

KPIS = '''"""Two KPIs of Acme."""

from kpibook import hookimpl, kpi, share, total


@kpi(unit="receipts", better="higher", question="How often does PREFIX sell?")
def PREFIX_purchases(receipts):
    """Purchases of PREFIX: number of receipts."""
    return total(receipts.count(), cluster=receipts.customer_id)


@kpi(unit="percent", better="neutral")
def PREFIX_small_receipts(receipts):
    """Small receipts of PREFIX: receipts below 20, out of all receipts."""
    return share(receipts.net_amount < 20)


@hookimpl
def kpibook_definitions():
    return [PREFIX_purchases, PREFIX_small_receipts]
'''
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-kpis"
version = "2.1"

[project.entry-points.kpibook]
acme = "acme_kpis"

[tool.hatch.build.targets.wheel]
include = ["acme_kpis.py"]
"""
PARAMS = """
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: none
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total}
plugins: ../plugins
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the distribution acme-kpis 2.1, built and installed by uv."""
    folder = tmp_path_factory.mktemp("acme")
    source, target = folder / "source", folder / "site"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "acme_kpis.py").write_text(KPIS.replace("PREFIX", "acme"))
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, env=None)
    yield target
    shutil.rmtree(folder)


@pytest.fixture
def shop(make_project, installed):
    """120 receipts of 60 persons, 10 to 69; the installed pack on the path, the same KPIs loose beside it."""
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in range(120)]})
    lines["client"] = [f"c{n % 60}" for n in range(120)]
    lines["sold_at"] = [f"2024-{n % 6 + 1:02d}-15 10:00:00" for n in range(120)]
    lines["total"] = [10 + n % 60 for n in range(120)]
    loose = KPIS.replace("PREFIX", "loose")
    project = make_project({"params/shop.yaml": PARAMS, "plugins/own.py": loose, "data/lines.csv": lines})
    project.env["PYTHONPATH"] = str(installed)
    return project


def test_both_stand_in_catalogue_scorecard_and_report_with_their_origin(shop):
    """120 receipts; of every 60, ten lie below 20: a sixth."""
    listed = shop.run("kpis", "--params", "params/shop.yaml")
    result = shop.run("run", "params/shop.yaml")
    report = shop.path / "reports" / "shop" / "2024-01-01_2024-06-30"
    card = results.load(report).query("segment == 'total'").set_index("kpi")
    page = (report / "report.html").read_text(encoding="utf-8")

    assert (listed.code, result.code) == (0, 0), result.err
    for prefix, origin in (("acme", "acme-kpis 2.1"), ("loose", "plugins/own.py")):
        line = next(t for t in listed.out.splitlines() if t.startswith(f"{prefix}_purchases "))
        assert line.endswith(origin)
        assert (card.loc[f"{prefix}_purchases", "value"], card.loc[f"{prefix}_purchases", "origin"]) == (120, origin)
        assert card.loc[f"{prefix}_small_receipts", "value"] == pytest.approx(1 / 6)
        assert f"Purchases of {prefix}" in page
        assert page.count(f"How often does {prefix} sell?") == 1
        assert origin in page


def test_the_same_ids_from_both_roads_are_refused_with_both_origins(shop):
    (shop.path / "plugins" / "own.py").write_text(KPIS.replace("PREFIX", "acme"))
    result = shop.run("run", "params/shop.yaml")

    assert result.code == 2
    assert (
        "plugins/own.py: own.py:6: 'acme_purchases' is already defined by acme-kpis 2.1: acme_kpis.py:6"
        " · give it another name"
    ) in result.err
    assert [p.name for p in (shop.path / "reports" / "shop").iterdir()] == ["failed"]


def test_a_kpi_that_raises_is_told_and_the_report_still_made(shop):
    broken = KPIS.replace("PREFIX", "loose").replace("return share(", 'raise KeyError("x")\n    return share(')
    (shop.path / "plugins" / "own.py").write_text(broken)
    result = shop.run("run", "params/shop.yaml")
    report = shop.path / "reports" / "shop" / "2024-01-01_2024-06-30"
    card = results.load(report).query("segment == 'total'").set_index("kpi")

    assert result.code == 0
    assert "shop: KPI failed: loose_small_receipts (own.py:12): KeyError: 'x' · mend the function\n" in result.err
    assert card.loc["loose_small_receipts", "status"] == "failed"
    assert card.loc["loose_purchases", "value"] == 120
