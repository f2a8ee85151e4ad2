"""Expressions of a params file: what runs, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from kpibook import expressions
from kpibook.errors import ParamsError

NAMES = '; a name with spaces stands in double quotes: "unit price"'
WRITE = "write one scalar expression over the columns of the source, such as '= price * quantity'"


FUNCTIONS = (
    "abs, cast, ceil, coalesce, concat, concat_ws, contains, date, date_add, date_diff, date_part, date_trunc, day, "
    "extract, floor, greatest, hour, if, ifnull, last_day, least, left, length, lower, lpad, make_date, "
    "make_timestamp, md5, month, nullif, regexp_extract, regexp_matches, regexp_replace, replace, right, round, rpad, "
    "sha256, sign, split_part, starts_with, strftime, string_split, strip_accents, strpos, strptime, substr, timezone, "
    "to_days, to_timestamp, trim, try_cast, try_strptime, upper, year"
)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("a + b * -1", '"a" + "b" * -1'),
        ("a // 2 % 3", '"a" // 2 % 3'),
        ("case when a = 1 then 'x' else 'y' end", "CASE WHEN \"a\" = 1 THEN 'x' ELSE 'y' END"),
        ("a in (1, 2) and not b between 1 and 2", '"a" IN (1, 2) AND NOT "b" BETWEEN 1 AND 2'),
        ("cast(a as decimal(18,4))", 'CAST("a" AS DECIMAL(18, 4))'),
        ("try_cast(a as date)", 'TRY_CAST("a" AS DATE)'),
        ("coalesce(nullif(a, ''), lpad(b, 8, '0'))", "COALESCE(NULLIF(\"a\", ''), LPAD(\"b\", 8, '0'))"),
        ("regexp_replace(upper(trim(a)), '[^0-9]', '', 'g')", "REGEXP_REPLACE(UPPER(TRIM(\"a\")), '[^0-9]', '', 'g')"),
        ("date_trunc('month', strptime(a, '%d.%m.%Y'))", "DATE_TRUNC('MONTH', STRPTIME(\"a\", '%d.%m.%Y'))"),
        ("date_diff('day', a, b) + 1", 'DATE_DIFF(\'DAY\', "a", "b") + 1'),
        ("a + interval 1 day", "\"a\" + INTERVAL '1' DAY"),
        ("t >= timestamp '2017-01-01 10:00'", "\"t\" >= CAST('2017-01-01 10:00' AS TIMESTAMP)"),
        ("t < date '2017-01-01'", "\"t\" < CAST('2017-01-01' AS DATE)"),
        ("make_timestamp(y, m, d, 0, 0, 0)", 'MAKE_TIMESTAMP("y", "m", "d", 0, 0, 0)'),
        ("greatest(a, least(b, 0)) || substr(c, 1, 2)", 'GREATEST("a", LEAST("b", 0)) || SUBSTRING("c", 1, 2)'),
        ("'-- no comment; select'", "'-- no comment; select'"),
        ('"order" + 1', '"order" + 1'),
    ],
)
def test_accepted_expressions_are_written_back_with_quoted_names(text: str, sql: str) -> None:
    assert expressions.to_sql(expressions.parse(text)) == sql


def test_aggregates_are_accepted_when_rows_are_grouped() -> None:
    tree = expressions.parse("max(b) - min(a) + count(distinct c) + sum(d) + any_value(e)", aggregates=True)
    assert expressions.columns_of(tree) == ("a", "b", "c", "d", "e")
    assert expressions.bare_columns_of(expressions.parse("min(a) + b", aggregates=True)) == ("b",)


def refused(text: str, **options: object) -> str:
    with pytest.raises(ParamsError) as caught:
        expressions.parse(text, where="p.yaml:7: x", **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", f"the expression is empty · {WRITE}"),
        ("a /* hidden */", "the expression holds a comment · write it above the line, after a '#'"),
        ("a -- hidden", "the expression holds a comment · write it above the line, after a '#'"),
        ("a +", f"not an SQL expression: required keyword: 'expression' missing · {WRITE}{NAMES}"),
        ("@", f"not an SQL expression: required keyword: 'this' missing · {WRITE}{NAMES}"),
        ("(" * 900 + "a" + ")" * 900, f"not an SQL expression: nested too deeply · {WRITE}{NAMES}"),
        ("a" * 2001, "the expression has 2001 characters, at most 2000 are read · shorten it"),
        ("a; drop table transactions", f"more than one expression, or a whole query · {WRITE}"),
        ("a, b", f"more than one expression, or a whole query · {WRITE}"),
        ("a as b", f"more than one expression, or a whole query · {WRITE}"),
        ("1 union select 2", f"more than one expression, or a whole query · {WRITE}"),
        ("a from read_csv('/etc/passwd')", f"more than one expression, or a whole query · {WRITE}"),
        ("distinct a", f"more than one expression, or a whole query · {WRITE}"),
        ("a limit 1", f"more than one expression, or a whole query · {WRITE}"),
        ("pragma version", f"more than one expression, or a whole query · {WRITE}"),
        ("(select 1)", f"queries inside an expression are not allowed · {WRITE}"),
        ("a in (select b from t)", f"queries inside an expression are not allowed · {WRITE}"),
        ("exists(select 1)", f"queries inside an expression are not allowed · {WRITE}"),
        ("x -> x + 1", f"'->' is not allowed · {WRITE}"),
        ("a[1]", f"'[ ]' is not allowed · {WRITE}"),
        ("[a]", f"a list is not allowed · {WRITE}"),
        ("{'a': 1}", f"a struct is not allowed · {WRITE}"),
        ("$1", f"a parameter is not allowed · {WRITE}"),
        ("#1", f"a column's position is not allowed · {WRITE}"),
        ("*", "'*' is not allowed · name the column"),
        ("t.a", "'t.a' names a table · write the column's name alone"),
        ("sum(a) over ()", f"a window is not allowed · {WRITE}"),
        ("cast(a as json)", "the type JSON is not allowed · cast to text, a number, a date or a time"),
        ("sum(a)", "sum() joins several rows · give one_row_per, or take the aggregate away"),
        ("lowr(a)", "the function lowr() is not allowed · did you mean 'lower'? docs/params.md lists all functions"),
        ("unit price * 2", f"not an SQL expression: invalid expression / unexpected token · {WRITE}{NAMES}"),
        ("cast(unit price as double)", f"not an SQL expression: expected as after cast · {WRITE}{NAMES}"),
        ("to_number(a)", f"the function to_number() is not allowed · use one of: {FUNCTIONS}"),
        ("zzz(a)", f"the function zzz() is not allowed · use one of: {FUNCTIONS}"),
    ],
)
def test_refused_expressions(text: str, message: str) -> None:
    assert refused(text) == f"p.yaml:7: x: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("count(*)", "'*' is not allowed · name the column"),
        ("sum(sum(a))", "sum() stands inside another aggregate · use one aggregate"),
        ("min(a, 3)", "min() takes one value · write min(column)"),
        ("sum(distinct a)", f"DISTINCT is not allowed here · {WRITE}"),
        ("any_value(a ignore nulls)", f"IGNORE NULLS is not allowed here · {WRITE}"),
        ("sum(a) filter (where b)", f"a filter is not allowed · {WRITE}"),
        ("any_value(a order by b)", f"an order is not allowed · {WRITE}"),
    ],
)
def test_refused_aggregates(text: str, message: str) -> None:
    assert refused(text, aggregates=True) == f"p.yaml:7: x: {message}"


@pytest.mark.parametrize(
    "call",
    [
        "getenv('HOME')", "read_text('/etc/passwd')", "current_setting('threads')", "getvariable('a')", "random()",
        "now()", "current_date", "unnest(a)", "columns('a')", "string_agg(a, ',')", "array_agg(a)", "first(a)",
        "nextval('s')", "read_blob('x')", "glob('*')", "query('select 1')", "a collate nocase", "uuid()", "list(a)",
    ],
)  # fmt: skip
def test_functions_outside_the_list_are_refused(call: str) -> None:
    message = refused(call, aggregates=True)
    assert message.startswith("p.yaml:7: x: the function ")
    assert "() is not allowed · " in message


def test_a_list_of_functions_is_whole_where_rows_are_grouped() -> None:
    every = ", ".join(sorted([*FUNCTIONS.split(", "), "any_value", "count", "max", "min", "sum"]))
    assert refused("zzz(a)", aggregates=True) == f"p.yaml:7: x: the function zzz() is not allowed · use one of: {every}"


def test_what_is_refused_is_not_told_by_the_parser_as_well(caplog: pytest.LogCaptureFixture) -> None:
    """sqlglot warns of functions that DuckDB has not."""
    refused("to_number(a)")
    assert caplog.records == []


def test_unknown_columns_are_told_all_at_once() -> None:
    assert refused("Price + quantty + row", columns={"price", "quantity", "row"}) == (
        "p.yaml:7: x: unknown column 'Price' · did you mean 'price'?\n"
        "p.yaml:7: x: unknown column 'quantty' · did you mean 'quantity'?"
    )


WORDS = st.sampled_from(
    [
        "a",
        "b",
        "1",
        "'x'",
        "+",
        "-",
        "*",
        "/",
        "(",
        ")",
        ",",
        "=",
        "<",
        "case",
        "when",
        "then",
        "else",
        "end",
        "cast",
        "as",
        "date",
        "select",
        "from",
        "union",
        "in",
        "exists",
        "sum",
        "count",
        "over",
        "partition",
        "by",
        "order",
        "limit",
        "read_csv",
        "getenv",
        "lower",
        "coalesce",
        "not",
        "null",
        "is",
        "interval",
        "day",
        ";",
        "--",
        "/*",
        "*/",
        "[",
        "]",
        "{",
        "}",
        ":",
        "->",
        ".",
        "$",
        "?",
        "@",
        "with",
        "recursive",
        "values",
        "table",
        "describe",
        "pragma",
        "attach",
        "copy",
        "lambda",
        "distinct",
        "filter",
        "where",
        "*",
        "columns",
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join), st.booleans())
@example("a in (select b)", True)
def test_what_is_accepted_never_holds_a_query(text: str, aggregates: bool) -> None:
    try:
        tree = expressions.parse(text, aggregates=aggregates)
    except ParamsError:
        return
    forbidden = exp.Query, exp.Table, exp.From, exp.Window, exp.Star, exp.Lambda, exp.Parameter, exp.Placeholder
    assert not list(tree.find_all(*forbidden, exp.Command, exp.Anonymous, exp.Subquery))
    again = expressions.parse(expressions.to_sql(tree), aggregates=aggregates)
    assert expressions.to_sql(again) == expressions.to_sql(tree)
