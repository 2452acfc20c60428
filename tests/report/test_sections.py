"""Frames that are empty, short or without a number leave a smaller page, never a broken one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.report import ReportData, html
from alphastrata.report.sections import sections


def fill(frame: pd.DataFrame, value: float) -> pd.DataFrame:
    floats = [pd.api.types.is_float_dtype(kind) for kind in frame.dtypes]
    out = frame.copy()
    for position in np.flatnonzero(floats):
        out.isetitem(position, np.full(len(frame), value))
    return out


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "empty": lambda frame: frame.iloc[:0],
    "one row": lambda frame: frame.iloc[:1],
    "missing": lambda frame: fill(frame, np.nan),
    "infinite": lambda frame: fill(frame, np.inf),
}
PARTS = [f.name for f in fields(ReportData) if f.name not in ("title", "question", "unit")]


def changed(record: Any, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
    if isinstance(record, pd.DataFrame):
        return change(record)
    if is_dataclass(record) and not isinstance(record, type):
        values = {f.name: changed(getattr(record, f.name), change) for f in fields(record)}
        return replace(record, **values)
    if isinstance(record, list | tuple):
        return type(record)(changed(item, change) for item in record)
    return record


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("change", list(CHANGES))
def test_any_frame_may_be_poor(report_data: ReportData, part: str, change: str) -> None:
    poor = changed(getattr(report_data, part), CHANGES[change])
    assert html(ReportData(title="poor", **{part: poor}))


def test_poor_frames_draw_without_an_error(
    browser: Any, report_data: ReportData, tmp_path: Path
) -> None:
    for change in CHANGES:
        path = tmp_path / f"{change}.html"
        path.write_text(html(changed(report_data, CHANGES[change])), encoding="utf-8")
        browser.size(1280)
        browser.open(path)
        assert browser.messages == []


def test_sections_stand_in_the_order_of_reading(report_data: ReportData) -> None:
    assert [section.title for section in sections(report_data)] == [
        "Data",
        "Deep clusters",
        "Factor returns",
        "Alphas and tests",
        "Fama-MacBeth",
        "Truth beside estimate",
        "Specifications",
        "A user's own section",
    ]
