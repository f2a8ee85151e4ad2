"""What a plugin replaced in pandas is named and put back; what it added is left alone."""

from __future__ import annotations

import pandas as pd

from kpibook import intact


def test_what_was_replaced_or_removed_comes_back() -> None:
    intact.keep()
    total, frame, values = pd.DataFrame.sum, pd.read_parquet, vars(pd.Series)["dtype"]
    pd.DataFrame.sum = lambda *_: 0  # type: ignore[method-assign, assignment]
    pd.read_parquet = lambda *_: None  # type: ignore[assignment]
    del pd.Series.dtype
    assert intact.put_back() == ["pandas.DataFrame.sum", "pandas.Series.dtype", "pandas.read_parquet"]
    assert (pd.DataFrame.sum, pd.read_parquet, vars(pd.Series)["dtype"]) == (total, frame, values)
    assert intact.put_back() == []


def test_what_was_added_stays() -> None:
    intact.keep()
    pd.DataFrame.loyal = lambda frame: len(frame)  # type: ignore[attr-defined]
    try:
        assert intact.put_back() == []
        assert pd.DataFrame({"a": [1, 2]}).loyal() == 2  # type: ignore[operator]
    finally:
        del pd.DataFrame.loyal  # type: ignore[attr-defined]
