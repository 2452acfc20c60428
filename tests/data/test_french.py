"""The loader of the French library."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.errors import ConfigError, InputDataError

FIVE = "french/v202510/F-F_Research_Data_5_Factors_2x3_CSV.zip"
INDUSTRIES = "french/v202602/49_Industry_Portfolios_CSV.zip"


@pytest.mark.realdata
def test_factors_are_excess_with_the_bill_rate_beside(real_data: Path) -> None:
    five = data.french(real_data / FIVE)
    assert (five.kind, five.freq, five.vintage) == ("excess", "M", "202510")
    assert five.factors == ["Mkt-RF", "SMB", "HML", "RMW", "CMA"]
    assert five.frame.loc["1963-07-31"].round(4).tolist() == [
        -0.0039,
        -0.0048,
        -0.0081,
        0.0064,
        -0.0115,
    ]
    assert five.risk_free is not None
    assert five.risk_free.loc["1963-07-31"] == pytest.approx(0.0027)
    assert len(five) == 748
    yearly = data.french(real_data / FIVE, frequency="A")
    assert (yearly.freq, yearly.dates[-1]) == ("Y", pd.Timestamp("2024-12-31"))


@pytest.mark.realdata
def test_portfolios_are_total_with_counts(real_data: Path) -> None:
    value = data.french(real_data / INDUSTRIES)
    equal = data.french(real_data / INDUSTRIES, table="equal")
    assert value.kind == "total"
    assert "Value Weighted" in value.source
    assert "Equal Weighted" in equal.source
    assert value.counts is not None
    assert value.counts.loc["1926-07-31", "Food"] == 40
    # A portfolio has a return exactly when it had firms.
    assert (value.counts.to_numpy() > 0).mean() == pytest.approx(
        value.frame.notna().to_numpy().mean(), abs=2e-3
    )
    assert value.notes[0].count == int(value.frame.isna().to_numpy().sum()) == 2868
    assert data.french(real_data / INDUSTRIES, table=1).frame.equals(equal.frame)


@pytest.mark.realdata
def test_daily_factors_compound_to_the_monthly(real_data: Path) -> None:
    folder = real_data / "french/v202510"
    daily = data.french(folder / "F-F_Research_Data_Factors_daily_CSV.zip", frequency="D")
    monthly = data.french(folder / "F-F_Research_Data_Factors_CSV.zip")
    market = daily.frame["Mkt-RF"] + daily.risk_free
    compounded = (1 + market).resample("ME").prod() - 1
    expected = monthly.frame["Mkt-RF"] + monthly.risk_free
    gap = (compounded - expected).abs()
    # Two decimals of a percent per day leave a few basis points per month.
    assert gap.max() < 0.006
    assert gap.median() < 5e-4


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"frequency": "D"}, InputDataError, "no daily table"),
        ({"frequency": "Q"}, ConfigError, "one of D, W, M, Y"),
        ({"table": "firm size"}, InputDataError, "no returns earned"),
        ({"table": "no such"}, InputDataError, "it has 0: 'Average Value"),
        ({"table": 99}, InputDataError, "no monthly table 99"),
        ({"vintage": "201603"}, InputDataError, "of vintage 202602"),
    ],
)
def test_what_is_not_there_is_named(
    real_data: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        data.french(real_data / INDUSTRIES, **options)  # type: ignore[arg-type]


@pytest.mark.realdata
def test_all_files_are_read_in_three_seconds(real_data: Path) -> None:
    paths = sorted((real_data / "french").glob("*/*"))
    data.french_file(paths[0])
    start = time.process_time()
    for path in paths:
        data.french_file(path)
    assert time.process_time() - start < 3.0


@pytest.mark.realdata
def test_bundled_factors_are_those_of_the_library(real_data: Path) -> None:
    bundled = data.bundled_factors()
    assert bundled.factors == ["Mkt-RF", "SMB", "HML", "Mom"]
    assert (bundled.dates[0], bundled.dates[-1]) == (
        pd.Timestamp("1949-01-31"),
        pd.Timestamp("2017-03-31"),
    )
    library = data.french(real_data / "french/v202510/F-F_Research_Data_Factors_CSV.zip")
    ours, theirs = bundled.frame["Mkt-RF"], library.frame["Mkt-RF"].reindex(bundled.dates)
    assert ours.corr(theirs) > 0.999
    assert np.abs(ours - theirs).median() <= 1e-4


def test_bundled_factors_are_monthly_and_light() -> None:
    with pytest.raises(ConfigError, match="bundled factors are monthly"):
        data.bundled_factors("D")
    code = (
        "import sys; from alphastrata.data.french import bundled_factors; bundled_factors();"
        "sys.exit('statsmodels' in sys.modules or 'linearmodels' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
