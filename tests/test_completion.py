"""KPI ids where a KPI's id is written, as IPython itself completes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kpibook import completion

SETTINGS = {"churn_rate": {"churn_days": 0, "inactive_days": 0}, "clv": {}, "receipts": {"zero_is_purchase": False}}


def source(kind: str, settings: dict[str, Any]) -> Any:
    return SimpleNamespace(definition=SimpleNamespace(kind=kind, settings=settings))


@pytest.fixture
def book() -> Any:
    definitions = {n: source("view" if n == "receipts" else "kpi", s) for n, s in SETTINGS.items()}
    kpis = {n: s for n, s in definitions.items() if n != "receipts"}
    views = {"receipts": definitions["receipts"]}
    return SimpleNamespace(catalog=SimpleNamespace(definitions=definitions, kpis=kpis, views=views))


@pytest.mark.parametrize(
    ("before", "names"),
    [
        ('book.explain("', ["churn_rate", "clv"]),
        ("x = book.why('chu", ["churn_rate"]),
        ('book.explain(kpi="cl', ["clv"]),
        ('book.explain("x', []),
        ('book.rows("re', ["redemptions", "referrals", "receipts"]),
        ('number.rows("re', []),
        ("book.with_settings(", ["churn_rate=", "receipts="]),
        ("book.with_settings(churn_rate={}, re", ["receipts="]),
        ('book.with_settings(churn_rate={"', ["churn_days", "inactive_days"]),
        ('book.with_settings(\n    churn_rate={"churn_days": 1, "in', ["inactive_days"]),
        ('book.with_settings(nothing={"', []),
        ('other.explain("', []),
        ('number.explain("', []),
        ("book.section(", []),
    ],
)
def test_what_is_offered(book: Any, before: str, names: list[str]) -> None:
    assert completion.offered(before, {"book": book, "number": 3}) == names


def test_ipython_completes_within_the_quotes(book: Any) -> None:
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        completion.install()
        completion.install()
        assert len([m for m in shell.Completer.custom_matchers if m.__name__ == completion.NAME]) == 1
        shell.user_ns["book"] = book
        text = '1\nbook.explain("chu'
        with provisionalcompleter():
            found = [c.text for c in shell.Completer.completions(text, len(text))]
        assert found == ["churn_rate"]
    finally:
        InteractiveShell.clear_instance()


def test_without_ipython_nothing_is_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython

    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    completion.install()
    assert IPython.get_ipython() is None
