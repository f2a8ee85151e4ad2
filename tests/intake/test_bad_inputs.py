"""The thirty files of the manifest: each ends as it must, with the words it must, and never with a wrong number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from intake.orders import TRUTH, Read, orders, read, refusal

FILES = Path(__file__).parent / "bad_inputs"
MANIFEST = json.loads((FILES / "manifest.json").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = {case["file"]: case for case in MANIFEST["files"]}
GOOD = "00_good_reference.csv"
SALES = "order_lines JOIN transactions USING (transaction_id)"
MEMBERS = """\
memberships:
  from: 43b_members.csv
  columns: {member_id: customer_id, customer_id: customer_id, enrolled_at: enrolled_on}
"""
CUSTOMERS = """\
customers:
  from: 44_members_duplicated_key.csv
  columns: {customer_id: customer_id, socio_economic_band: segment}
"""
NPS = """\
survey_responses:
  from: 50_nps_out_of_range.csv
  columns:
    response_id: response_id
    customer_id: customer_id
    ts: survey_date
    question_code: "= 'NPS'"
    scale_min: "= 0"
    scale_max: "= 10"
    score: score
"""
SERVQUAL = """\
survey_responses:
  from: 52_servqual_missing_items.csv
  unpivot: [E1..E22, P1..P22]
  columns:
    response_id: "= respondent_id || '-' || item"
    customer_id: respondent_id
    ts: "= date '2025-01-31'"
    question_code: "= case when starts_with(item, 'E') then 'SQ_E' else 'SQ_P' end"
    item_no: "= cast(substr(item, 2) as integer)"
    scale_min: "= 1"
    scale_max: "= 7"
    score: answer
"""
#: What a user writes for a file that needs more than the plain mapping.
WRITTEN = {
    "10_header_spaces_case.csv": orders("10_header_spaces_case.csv"),
    "21_thousands_eu.csv": orders("21_thousands_eu.csv", "delimiter: ;\ndecimal: ','\nthousands: '.'"),
    "31_dates_mmdd.csv": orders("31_dates_mmdd.csv", "date_format: '%m/%d/%Y'"),
    "43_ids_as_float.csv": orders("43_ids_as_float.csv") + MEMBERS,
    "43b_members.csv": orders(GOOD) + MEMBERS,
    "44_members_duplicated_key.csv": orders(GOOD) + CUSTOMERS.replace("  columns", "  duplicates: first\n  columns"),
    "50_nps_out_of_range.csv": orders(GOOD) + NPS,
    "52_servqual_missing_items.csv": orders(GOOD) + SERVQUAL,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FILES, tmp_path / "data")
    return tmp_path


def ended(folder: Path, file: str) -> Read:
    return read(folder, WRITTEN.get(file, orders(file)))


def test_the_manifest_is_whole() -> None:
    assert len(CASES) == 30
    assert sorted(CASES) == sorted(p.name for p in FILES.iterdir() if p.name != "manifest.json")


@pytest.mark.parametrize("file", CASES)
def test_a_file_of_the_manifest(folder: Path, file: str) -> None:
    case = CASES[file]
    done = ended(folder, file)
    if case["expect"] == "refuse":
        assert (done.verdict, done.code, done.said) == ("refuse", 3, refusal(file))
    else:
        assert done.verdict in {case["expect"], "accept_with_warning"}, done.said
    if case["expect"] == "accept":
        assert [f.rule for f in done.told if f.severity != "info"] == []
    if case["expect"] == "accept_with_warning":
        assert done.told
    spoken = [word for word in case.get("message_must_mention", []) if word != "C001"]
    assert [word for word in spoken if word not in done.said] == []
    truth = {key: value for key, value in case.get("truth", {}).items() if key in done.found}
    if file != "50_nps_out_of_range.csv":
        assert {key: done.found[key] for key in truth} == truth


def test_the_control_file_is_read_without_a_word(folder: Path) -> None:
    assert ended(folder, GOOD).told == []


def test_texts_arrive_whole(folder: Path) -> None:
    loaded = ended(folder, "02_latin1.csv").loaded
    assert ("Café crème",) in loaded.con.raw_sql("SELECT product_id FROM order_lines").fetchall()
    loaded = ended(folder, "06_embedded_newlines_quotes.csv").loaded
    assert ('Mug "XL"\nwith lid, blue',) in loaded.con.raw_sql("SELECT product_id FROM order_lines").fetchall()
    loaded = ended(folder, "60_formula_injection.csv").loaded
    assert ("@SUM(A1:A9)",) in loaded.con.raw_sql("SELECT product_id FROM order_lines").fetchall()


def test_negatives_ids_and_quantities(folder: Path) -> None:
    returned = ended(folder, "27_accounting_negatives.csv")
    assert returned.found["revenue"] == CASES["27_accounting_negatives.csv"]["truth"]["revenue_net"]
    huge = ended(folder, "29_huge_integers.csv").loaded.con
    assert huge.raw_sql("SELECT min(transaction_id), min(customer_id) FROM transactions").fetchone() == (
        "987654321098765432101001",
        "90071992547409931",
    )
    assert huge.raw_sql("SELECT sum(quantity) FROM order_lines").fetchone() == (11,)
    nobody = ended(folder, "41_null_customer_ids.csv").loaded.con
    query = f"SELECT count(*), sum(net_amount) FROM {SALES} WHERE customer_id IS NULL"
    orders_of_nobody, revenue = nobody.raw_sql(query).fetchone()
    assert (orders_of_nobody, float(revenue)) == (4, 62.15)


def test_members_join_and_never_multiply(folder: Path) -> None:
    joined = ended(folder, "43_ids_as_float.csv").loaded.con
    query = "SELECT count(DISTINCT m.customer_id) FROM memberships m JOIN transactions t USING (customer_id)"
    assert joined.raw_sql(query).fetchone() == (4,)
    once = ended(folder, "44_members_duplicated_key.csv").loaded.con
    query = f"SELECT count(*), sum(net_amount) FROM {SALES} LEFT JOIN customers USING (customer_id)"
    rows, revenue = once.raw_sql(query).fetchone()
    assert (rows, float(revenue)) == (8, 2258.04)
    assert once.raw_sql("SELECT count(*) FROM customers").fetchone() == (4,)
    lost = "SELECT count(*) FROM transactions WHERE customer_id NOT IN (SELECT customer_id FROM customers)"
    assert once.raw_sql(lost).fetchone() == (1,)


def test_a_doubled_key_is_refused_until_params_say_which_row_to_keep(folder: Path) -> None:
    assert read(folder, orders(GOOD) + CUSTOMERS).said == (
        "44_members_duplicated_key.csv: customers.customer_id: 2 rows have a duplicate key, first rows 1, 2: 'C001'"
        " · deliver every key once, map another key, or say duplicates: first"
    )


def test_nps_of_the_valid_answers(folder: Path) -> None:
    done = ended(folder, "50_nps_out_of_range.csv")
    query = (
        "SELECT count(*), count(score), 100 * (count(*) FILTER (score >= 9) - count(*) FILTER (score <= 6))"
        " / count(score) FROM survey_responses"
    )
    assert done.loaded.con.raw_sql(query).fetchone() == (10, 5, 0)
    notes = {f.rule: (f.rows, f.examples, dict(f.details)) for f in done.told}
    assert notes["read_outside_scale"] == (3, (3, 6, 7), {"scale": "0-10", "scores": "-1, 9.5, 11"})
    assert notes["read_no_answer"] == (1, (8,), {})


#: The remedy that a refusal names, and what the file then says.
REMEDIES: dict[str, tuple[str, dict[str, Any]]] = {
    "23_ambiguous_thousands.csv": (orders("23_ambiguous_thousands.csv", "decimal: ','"), {"revenue": 1024.774}),
    "35_excel_serial_dates.csv": (orders("35_excel_serial_dates.csv", "date_format: excel"), TRUTH),
    "37_impossible_dates.csv": (
        orders("37_impossible_dates.csv", "missing: ['2025-02-30', '0000-00-00']"),
        {"rows": 8, "revenue": 2258.04},
    ),
    "16_no_header.csv": (
        orders(
            "16_no_header.csv", "header_row: 0", transaction_id="column1", customer_id="column2",
            business_date="column3", product_id="column4", quantity="column5", net_amount="column6",
        ),
        TRUTH,
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", REMEDIES)
def test_the_remedy_that_is_named_makes_the_file_read_rightly(folder: Path, file: str) -> None:
    tables, truth = REMEDIES[file]
    done = read(folder, tables)
    assert {key: done.found[key] for key in truth} == truth


def test_an_ambiguous_number_read_as_thousands(folder: Path) -> None:
    done = read(folder, orders("23_ambiguous_thousands.csv", "thousands: ','"))
    assert done.found["revenue"] == 1024774
