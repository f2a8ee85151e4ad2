"""Secrets are found in every spelling, in every kind of file, and never repeated."""

from __future__ import annotations

import base64
import gzip
import html
import json
import urllib.parse
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kpibook.errors import RunError
from kpibook.report.leakscan import names, referenced, refuse, scan, texts
from report import containers

if TYPE_CHECKING:
    from collections.abc import Callable
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
        "t.parquet: cannot be searched for secrets: it is broken, encrypted, or packed in an unknown way · "
        "let the notebook leave no such file"
    )


SECRET = "h@rd-one<&>'\"/Ω"  # noqa: S105
ONE = {"PW": SECRET}


def _in(tmp_path: Path, name: str, content: bytes) -> list[tuple[str, str]]:
    (tmp_path / name).write_bytes(content)
    return scan(texts(tmp_path, [tmp_path / name]), referenced("x: ${PW}", ONE))


@pytest.mark.parametrize("name", sorted(containers.every_kind("x")))
def test_every_kind_of_file_is_opened(tmp_path: Path, name: str) -> None:
    plain = {"PW": "hard-one-0815"}
    (tmp_path / name).write_bytes(containers.every_kind(plain["PW"])[name])
    searched = [*texts(tmp_path, [tmp_path / name])]
    assert scan(searched, referenced("x: ${PW}", plain)) == [(name, "PW")]
    assert scan(searched, referenced("x: ${PW}", {"PW": "hard-one-0816"})) == []


def test_a_name_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "hard-one.csv").write_bytes(b"fine")
    searched = texts(tmp_path, [tmp_path / "hard-one.csv"])
    assert scan(searched, referenced("x: ${PW}", {"PW": "hard-one"})) == [("hard-one.csv", "PW")]


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_base64_is_found_wherever_the_secret_begins(tmp_path: Path, before: str, encode: Callable) -> None:
    assert _in(tmp_path, "a.html", encode(f"{before}{SECRET} and more of it".encode() * 3)) == [("a.html", "PW")]


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(json.dumps(SECRET)),
        html.escape(json.dumps(SECRET)),
        json.dumps(html.escape(SECRET, quote=True)),
        json.dumps(urllib.parse.quote(html.escape(SECRET))),
        "".join(f"&#{ord(sign)};" for sign in SECRET),
        "".join(f"&#x{ord(sign):X};" for sign in SECRET),
        "".join(f"\\u{ord(sign):04x}" for sign in SECRET),
        "".join(f"%{byte:02x}" for byte in SECRET.encode()),
        urllib.parse.quote_plus(SECRET).lower(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        ascii(SECRET),
        f"postgres://me:{urllib.parse.quote(SECRET, safe='')}@host/db",
    ],
)
def test_escapes_upon_escapes_are_undone(tmp_path: Path, written: str) -> None:
    assert _in(tmp_path, "a.ipynb", written.encode()) == [("a.ipynb", "PW")]


def test_user_host_and_database_of_a_url_are_no_secrets() -> None:
    text = "source: postgres://${USER_NAME}:${PASS_WORD}@${HOST_NAME}:${PORT_NO}/${DB_NAME}?token=${TOKEN}\n"
    environment = dict.fromkeys(("USER_NAME", "PASS_WORD", "HOST_NAME", "PORT_NO", "DB_NAME", "TOKEN"), "something")
    assert sorted(referenced(text, environment).spellings) == ["PASS_WORD", "TOKEN"]
    assert sorted(referenced(text + "notes: ${HOST_NAME}", environment).spellings) == [
        "HOST_NAME",
        "PASS_WORD",
        "TOKEN",
    ]
    assert names(text) == ("DB_NAME", "HOST_NAME", "PASS_WORD", "PORT_NO", "TOKEN", "USER_NAME")


def test_the_secrets_inside_a_url_are_found_by_themselves() -> None:
    secrets = referenced("source: ${URL}", {"URL": "trino://me:hard%20one@h/x?access_token=also-hard&schema=public"})
    assert scan([("a", "hard one")], secrets) == [("a", "URL")]
    assert scan([("a", "also-hard")], secrets) == [("a", "URL")]
    assert scan([("a", "public schema of trino")], secrets) == []


@pytest.mark.parametrize(
    "content",
    [
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\x28\xb5\x2f\xfd\x00",
        b"PK\x03\x04 cut off",
        b"\x1f\x8b cut off",
        b"%PDF-1.7 cut off",
        gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"deep"))))),
        containers.zipped(a=b"fine")
        .replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00")
        .replace(b"\x14\x03\x14\x00\x00", b"\x14\x03\x14\x00\x01"),
    ],
)
def test_what_cannot_be_searched_is_refused(tmp_path: Path, content: bytes) -> None:
    """Unknown packers, broken files, files in files in files, an encrypted member."""
    with pytest.raises(RunError) as raised:
        _in(tmp_path, "a.bin", content)
    assert str(raised.value) == (
        "a.bin: cannot be searched for secrets: it is broken, encrypted, or packed in an unknown way · "
        "let the notebook leave no such file"
    )


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: containers.zipped(a=content)])
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable) -> None:
    monkeypatch.setattr("kpibook.report.searchable.MOST_BYTES", 10_000)
    with pytest.raises(RunError, match="cannot be searched"):
        _in(tmp_path, "a.bin", pack(bytes(1_000_000)))
