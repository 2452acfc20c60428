"""The look of tables."""

from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.core import Note
from alphastrata.inference.layout import Columns, compare, foot, long_table, stacked, stars


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.2, ""), (0.1, ""), (0.09, "*"), (0.04, "**"), (0.009, "***"), (float("nan"), "")],
)
def test_stars(p: float, text: str) -> None:
    assert stars(p) == text


def test_stacked_has_t_beneath() -> None:
    values = pd.DataFrame({"alpha": [0.01], "b": [1.5]}, index=["A"])
    table = stacked(
        values, values * 100, values * 0, percent=["alpha"], beside=Columns({"T": ["60"]})
    )
    assert table.to_numpy().tolist() == [["1.000***", "1.500***", "60"], ["(1.00)", "(150.00)", ""]]
    assert list(table.columns) == ["alpha %", "b", "T"]


def test_compare_leaves_blanks() -> None:
    one = pd.Series({"a": 1.0})
    two = pd.Series({"a": 2.0, "b": 3.0})
    table = compare({"I": (one, one, one), "II": (two, two, two)}, beneath={"T": {"I": "9"}})
    assert table["I"].tolist() == ["1.000", "(1.00)", "", "", "9"]
    assert table["II"].tolist() == ["2.000", "(2.00)", "3.000", "(3.00)", ""]


def test_long_table_and_foot() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], index=["A"], columns=["x", "y"])
    table = long_table(frame, frame, frame, frame)
    assert table.loc[("A", "y"), "t"] == 2.0
    notes = [Note(str(i), 1, 1, "", "kept") for i in range(5)]
    assert len(foot(["line"], notes)) == 5
    assert foot(["line"], []) == ["line"]
