"""``kpibook check``: findings and computability as lines."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pandas as pd

from kpibook.cli.check import matrix

PARAMS: Any = SimpleNamespace(language="en", currency="EUR")


def test_only_what_cannot_be_computed_in_full_is_named() -> None:
    rows = [
        {"kpi": "net_sales", "title": "Net sales", "state": "computable", "missing": [], "reason": ""},
        {"kpi": "margin", "title": "Margin", "state": "not", "missing": ["order_lines.cost"], "reason": "{}"},
        {"kpi": "own", "title": "Own", "state": "computable", "missing": [], "reason": ""},
    ]
    table = pd.DataFrame(rows).assign(family=["sales", "sales", "baskets"])
    summary = "Of 3 KPIs, 2 can be computed from these data, 0 in part and 1 not."
    assert matrix(table, PARAMS) == [
        summary,
        "  Sales and receipts: 1 of 2",
        "  baskets: 1 of 1",
        "not computable  margin: order_lines.cost",
    ]
    assert matrix(table, PARAMS, named=True) == [
        summary,
        "  Sales and receipts: 1 of 2",
        "    net_sales: Net sales",
        "  baskets: 1 of 1",
        "    own: Own",
        "not computable  margin: order_lines.cost",
    ]


LINES = "ticket,client,day,total\nt1,c1,2017-08-01,600\nt1,c1,2017-08-01,\nt2,c2,2017-09-03,400\n"
SHOP = """\
client: shop
title: "Shop_[x](http://evil) | <b>"
language: {language}
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
compare: none
source: data
tables:
  order_lines:
    from: lines.csv
    columns: {{transaction_id: ticket, customer_id: client, ts: day, net_amount: total}}
"""


def test_what_the_params_ask_of_the_kpis_is_told_before_any_data_are_read(make_project: Any) -> None:
    """The source folder is not there: of that nothing is said yet."""
    text = SHOP.format(language="en") + (
        "settings:\n  churn_rate: {churn_days: ninety}\n  chrun_rate: {churn_days: 90}\n"
        "targets:\n"
        "  - {kpi: avg_reciept, value: 30, comparator: '>=', set_at: 2017-06-01}\n"
        "  - {kpi: repeat_purchase_rate, value: 97, comparator: '>=', set_at: 2017-06-01}\n"
        "  - {kpi: avg_receipt_change, value: 12, comparator: '>=', set_at: 2017-06-01}\n"
        "  - {kpi: avg_receipt_change, value: 1.2, comparator: '>=', set_at: 2017-06-01, segment: a}\n"
    )
    done = make_project({"shop.yaml": text}).run("check", "shop.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "shop.yaml:15: unknown KPI 'chrun_rate' · did you mean 'churn_rate'?",
        "shop.yaml:14: settings.churn_rate.churn_days: 'ninety' is not of type int · give a value of type int",
        "shop.yaml:17: unknown KPI 'avg_reciept' · did you mean 'avg_receipt'?",
        "shop.yaml:18: targets[1].value: 97 for 'repeat_purchase_rate', which is told in percent · write 0.97 for 97 %",
        "shop.yaml:19: targets[2].value: 12 for 'avg_receipt_change', which is told in percent · write 0.12 for 12 %",
    ]


def test_an_unknown_breakdown_is_told_before_any_data_are_read(make_project: Any) -> None:
    """As `kpibook run` tells it; the list is whole, with the grains first."""
    text = SHOP.format(language="en") + "breakdowns: [month, canal, q]\n"
    project = make_project({"shop.yaml": text})
    told = (
        "shop.yaml:13: no KPI can be broken down by 'canal' · did you mean 'channel'?\n"
        "shop.yaml:13: no KPI can be broken down by 'q' · use one of: week, month, quarter, year, store_id, channel, "
        "status, currency, is_staff, is_test, product_id, category_id, brand, points_eligible, postal_area, "
        "socio_economic_band, acquisition_channel, acquisition_reason, consent_email, consent_push, consent_profiling, "
        "programme_id, enrol_channel, digital_card; docs/views.md has 160 more\n"
    )
    for command in (["check"], ["check", "--letter"], ["plan"]):
        done = project.run(*command, "shop.yaml")
        assert (command, done.code, done.out, done.err) == (command, 2, "", told)
    ran = project.run("run", "shop.yaml")
    assert ran.code == 2
    assert told in ran.err.replace(f"  {project.path}/", "")


def test_a_letter_goes_to_the_terminal_or_into_a_file(make_project: Any) -> None:
    project = make_project({"shop.yaml": SHOP.format(language="en"), "data/lines.csv": LINES})
    printed = project.run("check", "shop.yaml", "--letter")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.startswith(
        "# Data request: Shop\\_\\[x\\](http://evil) \\| \\<b\\>\n\nDear Sir or Madam,\n\n"
        "For the audit of your loyalty programme from July 1, 2017 to December 31, 2017 we have examined the data"
    )
    assert (
        "- **serious**, `order_lines.net_amount`: Empty where a value is needed. (1 of 3) Example row: 2."
        in printed.out
    )
    assert not {"c1", "c2", "t1", "t2", "600"} & set(re.findall(r"\w+", printed.out))
    written = project.run("check", "shop.yaml", "--letter", "--out", "letter.md")
    assert (written.code, written.out) == (0, "")
    assert (project.path / "letter.md").read_text(encoding="utf-8") == printed.out
    for wrong, message in (
        (["--out", "x.md"], "command line: --out says where a letter goes, and none is asked for · add --letter"),
        (
            ["--letter", "--out", "no/x.md"],
            "no/x.md: cannot be written (No such file or directory) · name a file in a folder that is there",
        ),
    ):
        refused = project.run("check", "shop.yaml", *wrong)
        assert (refused.code, refused.out, refused.err) == (2, "", message + "\n")
