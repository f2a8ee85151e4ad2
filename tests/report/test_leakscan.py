"""Secrets are found in every spelling, in every kind of file, and never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kpibook.errors import RunError
from kpibook.report.leakscan import referenced, refuse, scan, texts

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {"KEY": 'p&"ss wörd', "URL": "trino://me:h%40rd-one@host/x", "PORT": "5432", "OTHER": "never-referenced"}
TEXT = "source: ${URL}\nkey: ${KEY}\nport: ${PORT} ${UNSET}\n"


def test_only_variables_that_are_referenced_are_looked_for() -> None:
    secrets = referenced(TEXT, ENVIRONMENT)
    assert sorted(secrets.spellings) == ["KEY", "URL"]
    assert secrets.too_short == ("PORT",)
    assert secrets.not_set == ("UNSET",)


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ('x p&"ss wörd x', "KEY"),
        ("p%26%22ss%20w%C3%B6rd", "KEY"),
        ("p&amp;&quot;ss wörd", "KEY"),
        ('p&\\"ss w\\u00f6rd', "KEY"),
        ('p&\\"ss wörd', "KEY"),
        ("trino://me:h%40rd-one@host/x", "URL"),
        ("password h%40rd-one", "URL"),
        ("password h@rd-one", "URL"),
    ],
)
def test_each_spelling_is_found(text: str, variable: str) -> None:
    assert scan([("a.html", text)], referenced(TEXT, ENVIRONMENT)) == [("a.html", variable)]


def test_what_is_not_referenced_or_too_short_is_not_found() -> None:
    assert scan([("a", "never-referenced 5432 trino://me@host/x")], referenced(TEXT, ENVIRONMENT)) == []


def test_compressed_tables_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1.5, 2.5], "note": ["fine", "by h@rd-one"]})
    path = tmp_path / "t.parquet"
    frame.to_parquet(path, compression="zstd")
    assert b"h@rd-one" not in path.read_bytes().replace(b"by h@rd-one", b"")
    assert scan(texts(tmp_path, [path]), referenced(TEXT, ENVIRONMENT)) == [("t.parquet", "URL")]


def test_the_message_names_file_and_variable_and_not_the_value() -> None:
    refuse([])
    with pytest.raises(RunError) as raised:
        refuse([("a.html", "KEY"), ("tables/b.parquet", "URL")])
    rest = "find out which output shows it, and take it out; change the secret if the file has left your hands"
    assert str(raised.value) == (
        f"a.html: holds the value of ${{KEY}} · {rest}\ntables/b.parquet: holds the value of ${{URL}} · {rest}"
    )


def test_a_table_that_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError) as raised:
        list(texts(tmp_path, [tmp_path / "t.parquet"]))
    assert str(raised.value) == (
        "t.parquet: is no Parquet file, and cannot be searched for secrets · let the notebook leave no such file"
    )
