"""The params file: what it becomes, and every message it can earn."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from kpibook import params, yaml_lines
from kpibook.errors import ParamsError
from kpibook.periods import Period, compared_with
from kpibook.sources import SUPPORTED, MissingFolderError, SourceError, resolve

DEMO = Path(__file__).parents[1] / "params" / "complete_journey.yaml"
GOOD = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
source: data
tables:
  order_lines:
    from: lines.csv
    columns:
      transaction_id: receipt
      ts: time
      net_amount: net
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> params.Params:
    Path("p.yaml").write_text(text, encoding="utf-8")
    return params.load("p.yaml")


def told(text: str | bytes) -> str:
    Path("p.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ParamsError) as caught:
        params.load("p.yaml")
    return str(caught.value)


# What it becomes


def test_the_demo_is_a_whole_params_file() -> None:
    demo = params.load(DEMO)
    assert (demo.client, demo.language, demo.currency, demo.timezone) == (
        "complete-journey",
        "en",
        "USD",
        "America/New_York",
    )
    assert demo.path == DEMO
    assert demo.period == Period(start=date(2017, 7, 1), end=date(2018, 1, 1))
    assert demo.compare == Period(start=date(2017, 1, 1), end=date(2017, 7, 1))
    assert demo.period.label == "2017-07-01_2017-12-31"
    assert demo.sha256 == hashlib.sha256(DEMO.read_bytes()).hexdigest()
    assert demo.breakdowns == ("month", "socio_economic_band")
    assert demo.settings["churn_rate"] == {"churn_days": 90}
    assert all(target.set_at < demo.period.start for target in demo.targets)
    assert demo.tables["campaign_targets"].keys_of("coupon_redemptions.parquet") == ("household_id", "campaign_id")
    assert demo.tables["campaign_targets"].keys_of("campaign_descriptions.parquet") == ("campaign_id",)
    assert demo.where("tables", "order_lines", "columns", "ts") == f"{DEMO}:18"


def test_defaults() -> None:
    shop = loaded(GOOD)
    assert (shop.card_use, shop.breakdowns, shop.settings, shop.targets, shop.costs) == ("recorded", (), {}, (), ())
    assert (shop.plugins, shop.notebook, shop.schedule, shop.notes) == (None, None, None, ())
    assert shop.limits == params.Limits(memory="4GB", threads=2, minutes=30, statement_seconds=300)


def test_params_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        loaded(GOOD).client = "other"  # type: ignore[misc]


def test_paths_are_resolved_against_the_params_file() -> None:
    Path("kpis").mkdir()
    Path("own.ipynb").touch()
    shop = loaded(GOOD + "plugins: kpis\nnotebook: own.ipynb\n")
    assert (shop.plugins, shop.notebook) == (Path.cwd() / "kpis", Path.cwd() / "own.ipynb")


def test_no_stays_text() -> None:
    assert loaded(
        GOOD + "settings: {churn_rate: {country: NO, since: 2017-01-02, n: 0x10, x: 1_000.5}}\n"
    ).settings == {"churn_rate": {"country": "NO", "since": date(2017, 1, 2), "n": 16, "x": 1000.5}}


def test_where_names_the_nearest_key() -> None:
    shop = loaded(GOOD)
    assert shop.where("tables", "order_lines", "columns", "cogs") == "p.yaml:11"
    assert shop.where("nothing") == "p.yaml:1"
    assert shop.where() == "p.yaml:1"


def test_json_schema_accepts_what_loads() -> None:
    schema = params.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(json.dumps(YAML(typ="safe").load(DEMO), default=str))
    jsonschema.validate(document, schema)
    assert schema["additionalProperties"] is False
    assert sorted(schema["required"]) == [
        "client",
        "currency",
        "language",
        "period",
        "source",
        "tables",
        "timezone",
        "title",
    ]
    with pytest.raises(jsonschema.ValidationError, match="'custmers' is not one of"):
        jsonschema.validate({**document, "tables": {"custmers": {"from": "a.csv", "columns": {"a": "b"}}}}, schema)


# Periods


@pytest.mark.parametrize(
    ("period", "how", "expected"),
    [
        ("2017-07-01/2017-12-31", "previous", "2017-01-01/2017-06-30"),
        ("2017-03-01/2017-03-31", "previous", "2017-02-01/2017-02-28"),
        ("2017-01-01/2017-12-31", "previous", "2016-01-01/2016-12-31"),
        ("2017-07-03/2017-07-09", "previous", "2017-06-26/2017-07-02"),
        ("2017-07-01/2017-12-31", "year_before", "2016-07-01/2016-12-31"),
        ("2020-02-01/2020-02-29", "year_before", "2019-02-01/2019-02-28"),
        ("2020-02-29/2020-03-05", "year_before", "2019-02-28/2019-03-05"),
    ],
)
def test_comparisons(period: str, how: str, expected: str) -> None:
    assert str(compared_with(Period.parse(period), how)) == expected


def test_no_comparison() -> None:
    assert loaded(GOOD + "compare: none\n").compare is None


@given(st.dates(), st.dates())
def test_a_period_is_written_as_it_is_read(one: date, other: date) -> None:
    start, last = sorted((one, other))
    if last == date.max:
        with pytest.raises(ValueError, match=r"^the last day 9999-12-31 is too late$"):
            Period.parse(f"{start}/{last}")
        return
    period = Period.parse(f"{start}/{last}")
    assert str(period) == f"{start}/{last}"
    assert period.days == (last - start).days + 1
    assert period.contains(start)
    assert period.contains(last)
    assert not period.contains(period.end)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2017-12-31/2017-07-01", "the last day 2017-07-01 comes before the first day 2017-12-31"),
        ("2017-13-01/2017-12-31", "'2017-13-01/2017-12-31' is not a period: month must be in 1..12"),
        ("yesterday/today", "'yesterday/today' is not a period: dates are written 2017-07-01"),
        ("lately", "'lately' is not a period"),
        ("2017-07-01", "2017-07-01 is not a period"),
        ("2017", "2017 is not a period"),
    ],
)
def test_no_period(text: str, message: str) -> None:
    remedy = "write first and last day, such as 2017-07-01/2017-12-31"
    assert told(GOOD.replace("2017-07-01/2017-12-31", text)) == f"p.yaml:6: period: {message} · {remedy}"


@pytest.mark.parametrize(
    ("compare", "message"),
    [
        ("year_befor", "'year_befor' is no comparison · did you mean 'year_before'?"),
        ("2017-06-01", "2017-06-01 is not a period · write first and last day, such as 2017-07-01/2017-12-31"),
        (
            "2017-06-01/2017-07-01",
            (
                "2017-06-01/2017-07-01 does not end before the period 2017-07-01/2017-12-31 starts"
                " · choose earlier days, or none"
            ),
        ),
    ],
)
def test_wrong_comparison(compare: str, message: str) -> None:
    assert told(GOOD + f"compare: {compare}\n") == f"p.yaml:15: compare: {message}"


def test_nothing_before_year_one() -> None:
    assert told(GOOD.replace("2017-07-01/2017-12-31", "0001-01-01/0001-02-28") + "compare: previous\n") == (
        "p.yaml:15: compare: nothing comes before 0001-01-01/0001-02-28 · write compare: none"
    )


# The file


def test_missing_file() -> None:
    Path("shop.yaml").touch()
    with pytest.raises(ParamsError) as caught:
        params.load("shpo.yaml")
    assert str(caught.value) == "shpo.yaml: no such file · did you mean 'shop.yaml'?"
    with pytest.raises(ParamsError) as caught:
        params.load("nowhere/shop.yaml")
    assert str(caught.value) == "nowhere/shop.yaml: no such file · give the path of a params file"


def test_folder_for_a_file() -> None:
    with pytest.raises(ParamsError) as caught:
        params.load(".")
    assert str(caught.value) == ".: this is a folder · give the path of one params file"


def test_unreadable_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    Path("p.yaml").touch()
    with pytest.raises(ParamsError) as caught:
        params.load("p.yaml")
    assert str(caught.value) == "p.yaml: cannot be read: Permission denied · check its permissions"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.yaml: the file is empty · start from params/complete_journey.yaml"),
        ("# only a comment\n", "p.yaml: the file is empty · start from params/complete_journey.yaml"),
        ("- a\n", "p.yaml:1: expected keys and values · write lines such as 'client: my-client'"),
        (
            "client: x\ntitle: a: b\n",
            (
                "p.yaml:2: not YAML: mapping values are not allowed here"
                " · mend this line; text that holds ': ' or '#' needs quotes"
            ),
        ),
        (b"client: x\ntitle: caf\xe9\n", "p.yaml:2: not UTF-8 text · save the file as UTF-8"),
        ("client: \x00\n", "p.yaml: not YAML: a character that no text holds · save it as plain text"),
        ("a: " + "[" * 3000, "p.yaml: not YAML: nested too deeply · write a flatter file"),
        ("a: &a\n  b: *a\n", "p.yaml: not YAML: nested too deeply · write a flatter file"),
        ("#" * 1_000_001, "p.yaml: 1000001 bytes, at most 1000000 are read · give a params file"),
        (
            (
                "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d]\n"
            ),
            (
                "p.yaml: more than 20000 values, aliases counted where they are used"
                " · write the values out, without aliases"
            ),
        ),
    ],
    ids=range(10),
)
def test_no_params_file(text: str | bytes, message: str) -> None:
    assert told(text) == message


def test_a_byte_order_mark_does_no_harm() -> None:
    Path("p.yaml").write_text(GOOD, encoding="utf-8-sig")
    assert params.load("p.yaml").client == "shop"


def test_an_alias_may_stand_for_a_value() -> None:
    assert loaded(GOOD.replace("title: Shop", "title: &t Shop") + "notes: [*t]\n").notes == ("Shop",)


def test_keys_values_and_tags_that_are_not_read() -> None:
    assert told(GOOD + "client: y\n7: x\n? [a]\n: b\nnotes: !secret x\nschedule: 2017-02-30\n") == (
        "p.yaml:15: client: written twice, first on line 1 · keep one of the two\n"
        "p.yaml:16: the key 7 is not text · write a word, in quotes if need be\n"
        "p.yaml:17: the key of several values is not text · write a word, in quotes if need be\n"
        "p.yaml:19: notes: the tag !secret is not read · take the tag away\n"
        "p.yaml:20: schedule: 2017-02-30 is not a date · check it, or put it in quotes if it is text"
    )


def test_where_of_a_list_entry() -> None:
    Path("p.yaml").write_text("a:\n  - 1\n  - b: 2\n", encoding="utf-8")
    document = yaml_lines.read(Path("p.yaml"), "p.yaml")
    assert document.where("a", 1, "b") == "p.yaml:3"
    assert yaml_lines.dotted(("a", 1, "b")) == "a[1].b"


# Its keys


def test_missing_keys_are_told_together() -> None:
    keys = ("currency", "language", "period", "source", "tables", "timezone", "title")
    assert told("client: x\n") == "\n".join(f"p.yaml:1: {key}: missing · add '{key}:'" for key in keys)


def test_a_misspelt_key() -> None:
    assert told(GOOD.replace("period:", "perriod:")) == (
        "p.yaml:1: period: missing · add 'period:'\np.yaml:6: perriod: unknown key · did you mean 'period'?"
    )


def test_wrong_values_are_told_together() -> None:
    text = (
        GOOD.replace("client: shop", "client: Shop Ltd").replace("title: Shop", "title: ' '")
        .replace("language: en", "language: fr").replace("EUR", "eur").replace("Europe/Rome", "Europe/Roma")
        .replace("source: data", "source: postgres://u:p@h/db")
    )  # fmt: skip
    assert told(text) == (
        "p.yaml:1: client: 'Shop Ltd' does not fit · use small letters, digits and single hyphens\n"
        "p.yaml:2: title: this is empty · write a text, or take the key away\n"
        "p.yaml:3: language: 'fr' is not known · use one of: de, en, es, it\n"
        "p.yaml:4: currency: 'eur' is no currency code · did you mean 'EUR'?\n"
        "p.yaml:5: timezone: 'Europe/Roma' is no time zone · did you mean 'Europe/Rome'?\n"
        "p.yaml:7: source: a password is written out · put it into an environment variable, write ${NAME} here, "
        "and change it if others have seen this file"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("currency: Euro", "currency: 'Euro' is no currency code · write an ISO 4217 code such as EUR"),
        ("currency: DEM", "currency: 'DEM' is no currency code · write an ISO 4217 code such as EUR"),
        ("timezone: Mars", "timezone: 'Mars' is no time zone · write one such as Europe/Rome"),
        ("title: 12", "title: expected text, found 12 · put it in quotes"),
        ("title:", "title: expected text, found nothing · put it in quotes"),
        ("title: [a]", "title: expected text, found a list · put it in quotes"),
        ("title: yes", None),
        ("title: true", "title: expected text, found true · put it in quotes"),
        ("limits: {memory: 4}", "limits.memory: expected text, found 4 · put it in quotes"),
        ("limits: {memory: much}", "limits.memory: 'much' does not fit · write a number and MB, GB or TB, such as 4GB"),
        ("limits: {minuts: 4}", "limits.minuts: unknown key · did you mean 'minutes'?"),
        ("limits: {threads: 0}", "limits.threads: 0: input should be greater than or equal to 1 · correct the value"),
        ("limits: {threads: '2'}", "limits.threads: expected a whole number, found '2' · write a whole number"),
        ("privacy: {min_persons: 0}", ("privacy.min_persons: 0: input should be greater than or equal to 1"
         " · correct the value")),
        ("privacy: {min_persons: 9}", ("privacy: figures on fewer than 10 persons would be shown, and nothing says why"
         " they may be · write min_persons: 10 or more, or give the reason in note:")),
        ("privacy: {min_persons: 9, note: agreed}", None),
        ("privacy: {min_persons: 20}", None),
        ("privacy: {least: 20}", "privacy.least: unknown key · use one of: min_persons, note, pool"),
        ("breakdowns: [customer_id]", ("breakdowns[0]: 'customer_id' would show single persons or receipts"
         " · name what several of them have in common")),
        ("schedule: daily", "schedule: 'daily' is not a schedule · write five cron fields, such as '0 6 2 * *'"),
        ("schedule: 0 6 2 * *", None),
        ("plugins: nowhere", ("plugins: there is no folder 'nowhere'"
         " · give a path relative to the params file, or take the key away")),
        ("notebook: no.ipynb", ("notebook: there is no file 'no.ipynb'"
         " · give a path relative to the params file, or take the key away")),
        ("breakdowns: month", "breakdowns: expected a list, found 'month' · write [a, b]"),
        ("breakdowns: [month, month]", "breakdowns[1]: 'month' is written twice · keep one of the two"),
        ("settings: {a: 3}", "settings.a: expected keys and values, found 3 · write 'key: value' lines below it"),
        ("card_use: always", "card_use: 'always' is not known · use one of: every_purchase, recorded"),
        ("tables: {}", "tables: this is empty · write at least one entry"),
        ("targets: [{kpi: a, value: .inf, comparator: '>=', set_at: 2017-01-01}]",
         "targets[0].value: expected a finite number, found inf · write a finite number"),
        ("targets: [{kpi: a, value: 1, comparator: '=>', set_at: 2017-01-01}]",
         "targets[0].comparator: '=>' is not known · use one of: <=, >="),
        ("targets: [{kpi: a, value: 1, comparator: '>=', set_at: soon}]",
         "targets[0].set_at: expected a date, found 'soon' · write it as 2017-07-01"),
        ("targets: [{kpi: a, value: 1, comparator: '>=', set_at: 2017-01-01T10:00:00}]",
         "targets[0].set_at: expected a date without a time, found 2017-01-01 10:00:00 · write it as 2017-07-01"),
        ("costs: [{cost_type: rewards, amount: 1, is_in_transactions: false}]",
         "costs[0].cost_type: 'rewards' is not known · did you mean 'reward'?"),
        ("costs: [{cost_type: reward, amount: 1}]", "costs[0].is_in_transactions: missing · add 'is_in_transactions:'"),
        ("costs: [{cost_type: reward, amount: 1, is_in_transactions: 0}]",
         "costs[0].is_in_transactions: expected true or false, found 0 · write true or false"),
    ],
)  # fmt: skip
def test_one_value(line: str, message: str | None) -> None:
    key = line.partition(":")[0]
    lines = GOOD.splitlines()
    number = next((i for i, text in enumerate(lines) if text.startswith(f"{key}:")), None)
    if key == "tables":
        lines = lines[:7]
        number = None
    if number is None:
        lines.append(line)
        number = len(lines) - 1
    lines[number] = line
    text = "\n".join(lines) + "\n"
    if message is None:
        loaded(text)
    else:
        assert told(text) == f"p.yaml:{number + 1}: {message}"


def test_targets_and_costs() -> None:
    shop = loaded(
        GOOD + "targets: [{kpi: avg_receipt, value: 30, comparator: '>=', set_at: 2017-06-15, baseline: 28.5}]\n"
        "costs: [{cost_type: personnel, amount: 1200.5, is_in_transactions: false}]\n"
    )
    assert shop.targets[0].value == 30.0
    assert (shop.targets[0].segment, shop.targets[0].baseline) == ("total", 28.5)
    assert (shop.costs[0].programme_id, shop.costs[0].is_estimate) == ("programme", False)


# Its tables


def test_tables_against_the_model() -> None:
    text = (
        GOOD
        + """\
      storeid: x
      quantity: "= getenvy(a)"
      gross_amount: "= sum(a)"
      product_id: {column: a, timezone: UTC}
      channel: {colum: a, timezone: UTC}
      cogs: 3
  custmers: {from: x.csv, columns: {customer_id: a}}
  customers: {from: ../x.csv, columns: {birth_year: a}}
  products: {from: x.xlsx, columns: {}}
  tickets: {from: "*.csv", one_row_per: [t], columns: {ticket_id: t, channel: c, resolved_at: "= max(d) + e"}}
  memberships: 3
  referrals: {from: r.csv, join: {/etc/a.csv: x, b.csv: []}, where: "a ==", columns: {referral_id: r}}
"""
    )
    assert told(text).splitlines() == [
        "p.yaml:15: tables.order_lines.columns.storeid: unknown column · did you mean 'store_id'?",
        "p.yaml:16: tables.order_lines.columns.quantity: the function getenvy() is not allowed · use one of: "
        + ", ".join(params.params_checks.expressions.FUNCTIONS),
        (
            "p.yaml:17: tables.order_lines.columns.gross_amount: sum() joins several rows"
            " · give one_row_per, or take the aggregate away"
        ),
        (
            "p.yaml:18: tables.order_lines.columns.product_id: a time zone on a column that is no time"
            " · give the column's name alone"
        ),
        "p.yaml:19: tables.order_lines.columns.channel.colum: unknown key · did you mean 'column'?",
        "p.yaml:19: tables.order_lines.columns.channel.column: missing · add 'column:'",
        "p.yaml:20: tables.order_lines.columns.cogs: expected text, found 3 · put it in quotes",
        "p.yaml:21: tables.custmers: unknown table · did you mean 'customers'?",
        (
            "p.yaml:22: tables.customers.columns: the key column customer_id is not mapped"
            " · map it, or write 'customer_id: = row_id'"
        ),
        "p.yaml:22: tables.customers.from: '../x.csv' leaves the source folder · name a file inside the source folder",
        "p.yaml:23: tables.products.columns: this is empty · write at least one entry",
        (
            "p.yaml:24: tables.tickets.columns.channel: 'c' may have several values in one row of one_row_per"
            " · write '= min(c)' or another aggregate"
        ),
        (
            "p.yaml:24: tables.tickets.columns.resolved_at: 'e' may have several values in one row of one_row_per"
            " · write min(e) or another aggregate"
        ),
        "p.yaml:24: tables.tickets.from: '*.csv' is a pattern · name one file",
        "p.yaml:25: tables.memberships: expected keys and values, found 3 · write 'key: value' lines below it",
        "p.yaml:26: tables.referrals.join.b.csv: this is empty · write at least one entry",
    ]


def test_files_and_conditions() -> None:
    text = (
        GOOD
        + """\
  products: {from: x.docx, columns: {product_id: p}}
  referrals: {from: r.csv, join: {/etc/a.csv: x}, where: "a = (select 1)", columns: {referral_id: r}}
"""
    )
    assert told(text).splitlines() == [
        "p.yaml:15: tables.products.from: 'x.docx' is no file kpibook reads · deliver it as one of "
        + ", ".join(params.params_checks.SUFFIXES),
        (
            "p.yaml:16: tables.referrals.join./etc/a.csv: '/etc/a.csv' leaves the source folder"
            " · name a file inside the source folder"
        ),
        (
            "p.yaml:16: tables.referrals.where: queries inside an expression are not allowed"
            " · write one scalar expression"
            " over the columns of the source, such as '= price * quantity'"
        ),
    ]


def test_purchases_need_a_key_and_a_time() -> None:
    assert told(GOOD.replace("      ts: time\n", "").replace("      transaction_id: receipt\n", "")) == (
        "p.yaml:11: tables.order_lines.columns: nothing says when a purchase was made"
        " · map ts (date and time) or business_date\n"
        "p.yaml:11: tables.order_lines.columns: transaction_id is not mapped"
        " · map it, or write 'transaction_id: = row_id'"
    )


def test_order_lines_are_needed() -> None:
    text = GOOD.partition("tables:")[0] + "tables:\n  products: {from: p.csv, columns: {product_id: p}}\n"
    assert told(text) == "p.yaml:8: tables: order_lines is not mapped · map the file that holds the order lines"


def test_a_column_has_one_home() -> None:
    text = GOOD + (
        "  transactions: {from: a.csv, columns: {transaction_id: t, ts: z}}\n"
        "  targets: {from: a.csv, columns: {target_id: a}}\n"
        "targets: [{kpi: a, value: 1, comparator: '>=', set_at: 2017-01-01}]\n"
    )
    assert told(text) == (
        "p.yaml:13: tables.order_lines.columns.ts: a column of transactions, and transactions is mapped itself"
        " · keep it in tables.transactions\n"
        "p.yaml:17: targets: tables.targets is mapped too · keep one of the two"
    )


def test_every_purchase_needs_memberships() -> None:
    assert told(GOOD + "      member_id: card\ncard_use: every_purchase\n") == (
        "p.yaml:15: tables.order_lines.columns.member_id: mapped, and card_use is every_purchase"
        " · keep one of the two\n"
        "p.yaml:16: card_use: every_purchase needs memberships with customer_id and enrolled_at"
        " · map them in tables.memberships"
    )


# Its source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("''", f"the source is empty · {SUPPORTED}"),
        ("package:x/../y", "'package:x/../y' names no package folder · write package:NAME/folder"),
        ("${DATA", "a reference is not closed · write ${NAME}"),
        ("s3://bucket/x", f"a source of the kind 's3:' is not supported · {SUPPORTED}"),
        ("postgress://host/x", "a source of the kind 'postgress:' is not supported · did you mean 'postgres'?"),
        ("mysql:x", "'mysql:' starts no URL · write mysql://"),
    ],
)
def test_sources_that_are_not_supported(source: str, message: str) -> None:
    assert told(GOOD.replace("source: data", f"source: {source}")) == f"p.yaml:7: source: {message}"


def test_sources_are_resolved_at_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    assert resolve("data", tmp_path) == (tmp_path / "data").resolve()
    monkeypatch.setenv("DELIVERY", "data")
    assert resolve("${DELIVERY}", tmp_path) == (tmp_path / "data").resolve()
    assert resolve("package:email/mime", tmp_path).name == "mime"
    assert resolve("package:email", tmp_path).name == "email"


def test_a_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "loud_package"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert resolve("package:loud_package/data", tmp_path) == (package / "data").resolve()


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("${KPIBOOK_UNSET}/x", SourceError, ("the environment variable KPIBOOK_UNSET is not set"
         " · set KPIBOOK_UNSET before kpibook starts")),
        ("package:no_such_thing/x", SourceError, ("the package 'no_such_thing' is not installed"
         " · install it: pip install no-such-thing")),
        ("package:__main__/x", SourceError, ("the package '__main__' is not installed"
         " · install it: pip install --main--")),
        ("nowhere", MissingFolderError, ("there is no folder 'nowhere'"
         " · check the path, or that the files were delivered")),
    ],
)  # fmt: skip
def test_sources_that_are_not_there(
    source: str, kind: type[SourceError], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KPIBOOK_UNSET", raising=False)
    with pytest.raises(kind) as caught:
        resolve(source, tmp_path)
    assert str(caught.value) == message


def test_a_reference_may_not_smuggle_in_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELIVERY", "postgres://user:secret@host/db")
    with pytest.raises(SourceError) as caught:
        resolve("${DELIVERY}", tmp_path)
    assert str(caught.value) == "this is a database · write extract: true"
    monkeypatch.setenv("DELIVERY", "s3://user:secret@host/db")
    with pytest.raises(SourceError) as caught:
        resolve("${DELIVERY}", tmp_path)
    assert str(caught.value) == f"a source of the kind 's3:' is not supported · {SUPPORTED}"


def test_folded_text_is_one_line() -> None:
    text = GOOD + "notes:\n  - >-\n    one\n    two\n  - |-\n    three\n    four\n"
    assert loaded(text).notes == ("one two", "three\nfour")
