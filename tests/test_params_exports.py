"""``exports:`` in a params file: a list or keys, and every message it can earn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpibook import params
from kpibook.errors import ParamsError
from kpibook.exports.making import FORMS
from kpibook.params_exports import FORMS as NAMED

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
source: .
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: receipt, ts: time, net_amount: net}
"""


def loaded(folder: Path, text: str) -> params.Params:
    (folder / "p.yaml").write_text(GOOD + text, encoding="utf-8")
    return params.load(folder / "p.yaml")


def told(folder: Path, text: str) -> str:
    with pytest.raises(ParamsError) as error:
        loaded(folder, text)
    return str(error.value).removeprefix(f"{folder}/p.yaml:")


def test_the_forms_are_those_that_can_be_made():
    assert tuple(FORMS) == NAMED


def test_nothing_is_made_unless_asked_for(tmp_path: Path):
    assert loaded(tmp_path, "").exports.to == ()


def test_a_list_of_forms(tmp_path: Path):
    known = loaded(tmp_path, "exports: [xlsx, pdf, pptx, summary]\n").exports
    assert (known.to, known.template) == (("xlsx", "pdf", "pptx", "summary"), None)


def test_forms_with_a_template(tmp_path: Path):
    (tmp_path / "brand.pptx").write_bytes(b"x")
    known = loaded(tmp_path, "exports: {to: [pptx], template: brand.pptx}\n").exports
    assert (known.to, known.template) == (("pptx",), tmp_path / "brand.pptx")


def test_an_unknown_form_is_told(tmp_path: Path):
    what = "'xls' is no form of a report \u00b7 did you mean 'xlsx'?"
    assert told(tmp_path, "exports: [pdf, xls]\n") == f"12: exports: {what}"
    assert told(tmp_path, "exports: {to: [xls]}\n") == f"12: exports.to: {what}"
    assert told(tmp_path, "exports: {too: [xlsx]}\n") == "12: exports.too: unknown key \u00b7 did you mean 'to'?"


def test_a_template_that_is_not_there_is_told(tmp_path: Path):
    remedy = "give a path relative to the params file, or take the key away"
    said = told(tmp_path, "exports: {template: ../brand.pptx}\n")
    assert said == f"12: exports.template: there is no file '../brand.pptx' \u00b7 {remedy}"
