from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.errors import InputDataError
from alphastrata.report import (
    AlphaPlot,
    ClusterSection,
    DataSection,
    FactorSection,
    Membership,
    ReportData,
    SpecificationSection,
)

WRONG = pd.DataFrame({"wrong": [1]})


@pytest.mark.parametrize(
    ("make", "lacking"),
    [
        (lambda: DataSection(counts=WRONG), "item"),
        (lambda: ClusterSection(scores=WRONG), "date"),
        (lambda: ClusterSection(embeddings=WRONG), "date"),
        (lambda: Membership(sizes=WRONG, events=WRONG), "date"),
        (lambda: FactorSection(drawdown_dates=WRONG), "factor"),
        (lambda: AlphaPlot(estimates=WRONG), "alpha"),
        (lambda: ReportData(title="", truth=WRONG), "parameter"),
        (lambda: ReportData(title="", manifest=WRONG), "key"),
        (lambda: SpecificationSection(estimates=WRONG, choices=WRONG), "estimate"),
    ],
)
def test_a_frame_without_its_columns_is_refused_by_name(make: object, lacking: str) -> None:
    with pytest.raises(InputDataError, match=lacking):
        make()  # type: ignore[operator]


def test_choices_have_to_match_the_estimates() -> None:
    estimates = pd.DataFrame({"estimate": [1.0], "low": [0.0], "high": [2.0]})
    with pytest.raises(InputDataError, match="one row per estimate"):
        SpecificationSection(estimates=estimates, choices=pd.DataFrame({"a": ["x"]}, index=[9]))
