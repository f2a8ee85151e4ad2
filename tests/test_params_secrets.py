"""A secret that is written out is refused by file and line, and not repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpibook import params
from kpibook.errors import ParamsError

if TYPE_CHECKING:
    from pathlib import Path

REMEDY = "put it into an environment variable, write ${NAME} here, and change it if others have seen this file"
PARAMS = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
{line}
extract: true
tables:
  order_lines: {{from: lines, columns: {{line_id: password, product_id: api_key, transaction_id: = row_id, ts: t}}}}
"""


def _load(folder: Path, line: str) -> params.Params:
    (folder / "p.yaml").write_text(PARAMS.format(line=line), encoding="utf-8")
    return params.load(folder / "p.yaml")


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("source: postgres://me:hunter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: postgres://me:hun/ter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: postgres://me:hun@ter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: postgres://me:${A}hunter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: postgres://${U}:hunter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: hunter2://me:hunter2@host/db", "p.yaml:7: source", "a password is written out"),
        ("source: postgres://host/db?password=hunter2", "p.yaml:7: source", "the secret 'password' is written out"),
        (
            "source: snowflake://me@acc/db?warehouse=w&private_key=hunter2",
            "p.yaml:7: source",
            "the secret 'private_key' is written out",
        ),
        (
            "source: databricks://host?accessToken=hunter2",
            "p.yaml:7: source",
            "the secret 'accessToken' is written out",
        ),
        ("source: postgres://host/db\npassword: hunter2", "p.yaml:8: password", "the secret 'password' is written out"),
        ("source: postgres://host/db\napi-key: 1234567", "p.yaml:8: api-key", "the secret 'api-key' is written out"),
        (
            "source: postgres://host/db\nsettings: {crm: {auth_token: hunter2}}",
            "p.yaml:8: settings.crm.auth_token",
            "the secret 'auth_token' is written out",
        ),
        (
            "source: postgres://host/db\nnotes: [see https://me:hunter2@wiki/x]",
            "p.yaml:8: notes[0]",
            "a password is written out",
        ),
        (
            "source: postgres://host/db\nsecrets: [hunter2]",
            "p.yaml:8: secrets[0]",
            "the secret 'secrets' is written out",
        ),
    ],
)
def test_a_secret_written_out_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, where: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PARAMS.format(line=line), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        params.load("p.yaml")
    said = str(caught.value)
    assert f"{where}: {what} · {REMEDY}" in said.splitlines()
    assert "hunter2" not in said
    assert "1234567" not in said


@pytest.mark.parametrize(
    "line",
    [
        "source: postgres://${U}:${P}@host/db",
        "source: postgres://me:${A}${B}@host/db?sslmode=verify-full",
        "source: postgres://host/db?password=${P}&token=${T}",
        "source: ${URL}",
        "source: postgres://host/db\nsettings: {crm: {auth_token: '${T}', token_days: 30, passes: 3, monkey: 1}}",
        "source: postgres://host/db\nnotes: ['mail me@host or see https://host:8080/a@b', 'password: none']",
    ],
)
def test_references_and_what_only_looks_like_a_secret_pass(tmp_path: Path, line: str) -> None:
    assert _load(tmp_path, line).extract
