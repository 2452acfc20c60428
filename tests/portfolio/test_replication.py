from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.core import FactorReturns
from alphastrata.errors import InputDataError
from alphastrata.portfolio import certificate


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    dates = pd.date_range("1985-01-31", periods=300, freq="ME")
    x = pd.DataFrame({"SMB": rng.normal(0, 0.03, 300), "QQQ": 0.0}, dates)
    y = pd.DataFrame({"SMB": 0.9 * x["SMB"] + rng.normal(0, 0.005, 300)}, dates).iloc[5:]
    return FactorReturns(x, kind="zero_cost"), FactorReturns(y, kind="zero_cost")


def test_agreement_equals_least_squares(pair):
    ours, published = pair
    got = certificate(ours, published)
    assert list(got.numbers.index.get_level_values("period")) == ["all", "1980s", "1990s", "2000s"]
    for period, part in (("all", slice(None)), ("1990s", slice("1990", "1999"))):
        x = ours.frame["SMB"].iloc[5:].loc[part]
        y = published.frame["SMB"].loc[part]
        fit = stats.linregress(x, y)
        row = got.numbers.loc[("SMB", period)]
        assert row["slope"] == pytest.approx(fit.slope, rel=1e-12)
        assert row["slope_se"] == pytest.approx(fit.stderr, rel=1e-9)
        assert row["correlation"] == pytest.approx(fit.rvalue, rel=1e-12)
        assert row["r_squared"] == pytest.approx(fit.rvalue**2, rel=1e-12)
        assert row["mean_difference"] == pytest.approx((x - y).mean(), rel=1e-9)
        assert row["t_difference"] == pytest.approx(stats.ttest_rel(x, y).statistic, rel=1e-9)
    assert got.notes[0].count == 5
    assert "slope" in got.summary()


def test_nothing_shared_is_said(pair):
    ours, published = pair
    with pytest.raises(InputDataError, match="QQQ"):
        certificate(ours.select(["QQQ"]), published)
    with pytest.raises(InputDataError, match="12 are needed"):
        certificate(ours.between("1985-01-31", "1985-12-31"), published)


def test_a_constant_series_has_no_slope():
    dates = pd.date_range("2000-01-31", periods=24, freq="ME")
    moving = FactorReturns(pd.DataFrame({"F": np.sin(np.arange(24.0))}, dates), kind="zero_cost")
    still = FactorReturns(pd.DataFrame({"F": np.zeros(24)}, dates), kind="zero_cost")
    for pair in ((still, moving), (moving, still)):
        row = certificate(*pair).numbers.loc[("F", "all")]
        assert np.isnan(row[["correlation", "r_squared"]]).all()
        assert row["mean_difference"] == pytest.approx(
            (pair[0].frame["F"] - pair[1].frame["F"]).mean()
        )


@pytest.mark.realdata
def test_two_vintages_of_one_file(real_data):
    """The published file against an earlier edition of itself: near one, and not quite."""

    def read(folder: str) -> FactorReturns:
        import zipfile

        path = real_data / "french" / folder / "F-F_Research_Data_5_Factors_2x3_CSV.zip"
        with zipfile.ZipFile(path) as archive:
            lines = archive.read(archive.namelist()[0]).decode("latin-1").splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith(",Mkt-RF"))
        rows = []
        for line in lines[start + 1 :]:
            cells = line.split(",")
            if not (len(cells) > 5 and cells[0].strip().isdigit()):
                break
            rows.append([cells[0].strip(), *map(float, cells[1:])])
        names = ["month", *(c.strip() for c in lines[start].split(",")[1:])]
        frame = pd.DataFrame(rows, columns=names).set_index("month")
        frame.index = pd.to_datetime(frame.index, format="%Y%m") + pd.offsets.MonthEnd(0)
        return FactorReturns(frame[["SMB", "HML", "RMW", "CMA"]] / 100, kind="zero_cost", freq="M")

    got = certificate(read("v202412"), read("v202510")).numbers
    whole = got.xs("all", level="period")
    assert (whole["correlation"] > 0.99).all()
    assert (whole["slope"] - 1).abs().max() < 0.03
