"""Results that draw themselves in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown

HOSTILE = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Inner(Shown):
    share: float


@dataclass(frozen=True)
class Found(Shown):
    name: str
    count: int
    frame: pd.DataFrame
    series: pd.Series
    array: np.ndarray
    inner: Inner
    named: dict[str, Any]
    answer: tuple[str, ...]
    notes: tuple[Note, ...]
    nothing: None
    _private: str


FRAME = pd.DataFrame({HOSTILE: range(20), "x": 0.5}, index=[f"A{i}" for i in range(20)])
PAGE = Found(
    HOSTILE,
    1234,
    FRAME,
    pd.Series([1.0, 2.0], index=["a", "b"], name=HOSTILE),
    np.zeros((20, 3)),
    Inner(0.25),
    {"a": 1, HOSTILE: FRAME},
    ("One.", HOSTILE),
    (Note("rows without a value", 3, 9, "A1", "left out", "here"),),
    None,
    "private",
)._repr_html_()


def test_every_part_is_there_with_its_size():
    for text in (
        "<b>Found</b>",
        "1,234",
        "frame (20 rows × 2 columns)",
        "series (2 rows)",
        "20 × 3 numbers",
        "inner (Inner)",
        "0.2500",
        "named (2 entries)",
        "One.<br>",
        "rows without a value: 3 of 9 left out",
    ):
        assert text in PAGE, text
    assert "private" not in PAGE


def test_large_tables_show_their_first_rows():
    assert "A7" in PAGE
    assert "A8" not in PAGE


def test_names_are_text():
    assert HOSTILE not in PAGE
    assert PAGE.count("&lt;script&gt;") >= 5
