"""Campaigns of Marea, whose truth is known: how many purchases each of them caused per treated person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scipy.special import ndtri

from kpibook import params
from kpibook.stats.intervals import Z
from kpibook.stats.multiplicity import holm
from tiny_client import only, row

if TYPE_CHECKING:
    from kpibook.engine.compute import Results

PARAMS = Path(__file__).parents[2] / "params"
YEARS = ("2023", "2024")


@pytest.fixture(scope="module")
def truth(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "marea" / "truth.json").read_text(encoding="utf-8"))["campaigns"]


@pytest.fixture(scope="module")
def marea(compute_client, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """Uplift and return of each year."""
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8").replace("../data/marea", str(samples / "marea"))
    found = {}
    for year in YEARS:
        own = tmp_path_factory.mktemp(year) / "marea.yaml"
        changed = text.replace("period: 2024-01-01/2024-12-31", f"period: {year}-01-01/{year}-12-31")
        lines = [line for line in changed.splitlines() if not line.startswith(("breakdowns:", "compare:"))]
        own.write_text("\n".join(lines), encoding="utf-8")
        found[year] = compute_client(params.load(own), only("campaign_uplift", "campaign_roi"))
    return found


def test_the_intervals_hold_the_purchases_caused(marea: dict[str, Results], truth: dict[str, Any]) -> None:
    """Seven campaigns with random controls: together their 95 % intervals miss somewhere in 30 % of all seeds, so each
    truth must lie in the interval that is 95 % sure for all seven at once (Bonferroni), in the plain one for at
    least six (fewer happen in 4 % of all seeds), and the deviations must not all lean one way (sum of z, 95 %).
    """
    z = {}
    plain = 0
    for year in YEARS:
        for line in marea[year].tables["campaign_uplift"].to_dict("records"):
            known = truth[line["campaign"]]
            assert (line["treated"], line["controls"]) == (known["treated"], known["controls"])
            caused = known["caused_purchases_per_treated"]
            plain += line["purchases_low"] < caused < line["purchases_high"]
            error = (line["purchases_high"] - line["purchases_low"]) / (2 * Z)
            z[line["campaign"]] = (line["purchases"] - caused) / error
    assert set(z) == {name for name, known in truth.items() if known["controls"]}
    assert len(z) == 7
    assert max(abs(value) for value in z.values()) < ndtri(1 - 0.05 / 14), z
    assert plain >= 6, z
    assert abs(sum(z.values())) / 7**0.5 < Z, z


@pytest.mark.parametrize("year", YEARS)
def test_the_year_as_a_whole(marea: dict[str, Results], truth: dict[str, Any], year: str) -> None:
    """All campaigns of a year by their treated."""
    own = [known for name, known in truth.items() if name[1:3] == year[2:] and known["controls"]]
    expected = sum(known["caused_purchases"] for known in own) / sum(known["treated"] for known in own)
    found = row(marea[year], "campaign_uplift", "purchases")
    assert found["low"] < expected < found["high"]


def test_the_campaign_that_caused_nothing_is_not_found_to_work(
    marea: dict[str, Results], truth: dict[str, Any]
) -> None:
    table = marea["2024"].tables["campaign_uplift"].set_index("campaign")
    assert truth["K2403"]["caused_purchases"] == 0
    assert table.loc["K2403", "uplift_low"] < 0 < table.loc["K2403", "uplift_high"]
    assert table.loc["K2403", "p_holm"] > 0.05
    assert list(table["p_holm"]) == pytest.approx(list(holm(table["p"])))


def test_the_campaign_without_controls_is_not_identified(marea: dict[str, Results]) -> None:
    """Nobody was kept back from K2405, and its 60 days are not over either."""
    for kpi in ("campaign_uplift", "campaign_roi"):
        found = row(marea["2024"], kpi, "K2405")
        assert (found["value"], found["status"], found["grade"]) == (None, "not_identified", "D")
        assert "no control group" in found["reason"]
