from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphastrata.report.formats import decimals_for, formatter, is_missing, show, slug


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (None, None, "–"),
        (float("nan"), "percent", "–"),
        (pd.NaT, "date", "–"),
        (np.datetime64("NaT"), None, "–"),
        (-0.00001, "number", "0.00"),
        (-1.5, "number", "−1.50"),
        (float("-inf"), "number", "−∞"),
        (0.12345, "percent", "12.35%"),
        (np.float32(2.0), "integer", "2"),
        (1e-5, "pvalue", "<0.001"),
        (True, None, "yes"),
        (np.bool_(False), None, "no"),
        (pd.Timestamp("2020-01-31"), None, "2020-01-31"),
        (pd.Timestamp("2020-01-31 10:00"), None, "2020-01-31 10:00:00"),
        ("=1+1", "number", "=1+1"),
        (5, None, "5"),
    ],
)
def test_show(value: object, style: str | None, text: str) -> None:
    assert show(value, style) == text  # type: ignore[arg-type]


def test_decimals_line_up() -> None:
    write = formatter(pd.Series([1.0, 0.004, 0.003]))
    assert [write(v) for v in (1.0, 0.004)] == ["1.0000", "0.0040"]
    assert formatter(pd.Series([3.0, 1e6]))(1e6) == "1,000,000"
    assert decimals_for(pd.Series([0.0, np.nan, np.inf])) == 2
    assert decimals_for(pd.Series([1e-30])) == 6


@given(st.text(), st.text())
def test_two_keys_never_share_an_anchor_of_letters(a: str, b: str) -> None:
    for text in (a, b):
        assert slug(text)
        assert all(c.isascii() and (c.isalnum() or c == "-") for c in slug(text))


def test_slug_tells_stages_apart() -> None:
    assert len({slug(text) for text in ("a/b", "a-b", "a.b", "ab", "a b")}) == 5


def test_is_missing() -> None:
    assert is_missing(pd.NA)
    assert not is_missing(0)
    assert not is_missing("nan")
