"""Fama-MacBeth against published digits, linearmodels, statsmodels and brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels import FamaMacBeth

from alphastrata.core import Note, Panel
from alphastrata.errors import ConfigError, EstimationError, InputDataError
from alphastrata.inference import (
    HAC,
    fama_macbeth,
    panel_regression,
    specifications,
    time_series,
)

X = ["size", "value", "momentum"]


def annual(data: pd.DataFrame, firm: str, year: str) -> pd.DataFrame:
    years = data[year] if data[year].min() > 1000 else data[year] + 2000
    dates = pd.to_datetime(years.astype(str) + "-12-31")
    return data.assign(date=dates, asset=data[firm]).drop(columns=[firm, year])


@pytest.mark.realdata
def test_petersen(published: Path) -> None:
    data = annual(pd.read_csv(published / "petersen.csv"), "firm", "year")
    result = fama_macbeth(data, "y", ["x"], lags=0, lag=0)
    assert round(result.params["x"], 4) == 1.0356
    assert round(result.std_errors["x"], 4) == 0.0333


@pytest.mark.realdata
def test_grunfeld_stata(published: Path) -> None:
    data = annual(pd.read_csv(published / "grunfeld.csv"), "firm", "year")
    result = fama_macbeth(data, "inv", ["value", "capital"], lags=0, lag=0)
    # 1e-7: one unit of the last printed digit (Stata keeps the data as 32-bit floats).
    np.testing.assert_allclose(
        result.params, [-14.75697, 0.1306047, 0.0729575], rtol=5e-7, atol=1e-7
    )
    np.testing.assert_allclose(result.std_errors, [7.28767, 0.0093422, 0.0277398], rtol=5e-6)


def by_statsmodels(panel: Panel, x: list[str], weights: str | None = None) -> pd.DataFrame:
    rows = {}
    frame = panel.frame[[*dict.fromkeys(["ret", *x, *([weights] if weights else [])])]].dropna()
    for date, part in frame.groupby(level="date"):
        if len(part) > len(x) + 1:
            w = part[weights] if weights else np.ones(len(part))
            fit = sm.WLS(part["ret"], sm.add_constant(part[x]), weights=w).fit()
            rows[date] = [*fit.params, fit.rsquared, fit.rsquared_adj, len(part)]
    return pd.DataFrame(rows, index=["const", *x, "r2", "r2_adjusted", "n"]).T


@pytest.mark.parametrize("weights", [None, "weight"])
def test_coefficients_are_statsmodels(ragged: Panel, weights: str | None) -> None:
    result = fama_macbeth(ragged, "ret", X, lag=0, weights=weights)
    expected = by_statsmodels(ragged, X, weights)
    np.testing.assert_allclose(result.coefficients, expected[["const", *X]], rtol=1e-8)
    np.testing.assert_allclose(result.r2, expected["r2"], rtol=1e-8)
    np.testing.assert_allclose(result.r2_adjusted, expected["r2_adjusted"], rtol=1e-8)
    np.testing.assert_array_equal(result.nobs, expected["n"])


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(("lags", "kernel"), [(0, "bartlett"), (3, "bartlett"), (4, "parzen")])
def test_linearmodels(ragged: Panel, lags: int, kernel: str, small: bool) -> None:
    result = fama_macbeth(ragged, "ret", X, lag=0, lags=HAC(lags, kernel, small))
    frame = ragged.frame.dropna(subset=["ret", *X]).swaplevel().sort_index()
    frame = frame[~frame.index.get_level_values("date").isin(result.skipped.index)]
    model = FamaMacBeth(frame["ret"], sm.add_constant(frame[X]))
    options = {"cov_type": "kernel", "kernel": kernel, "bandwidth": lags} if lags else {}
    expected = model.fit(debiased=small, **options)
    np.testing.assert_allclose(result.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(result.std_errors, expected.std_errors, rtol=1e-8)


def test_a_lag_is_panel_lag(ragged: Panel) -> None:
    for lag in (1, 3):
        lagged = ragged.lag(X, lag).assign({"ret": ragged.values("ret")})
        ours = fama_macbeth(ragged, "ret", X, lag=lag)
        by_hand = fama_macbeth(lagged, "ret", X, lag=0)
        pd.testing.assert_frame_equal(ours.coefficients, by_hand.coefficients)
        assert ours.skipped["reason"].iloc[0] == "no complete rows"


def test_weights_are_lagged_too(ragged: Panel) -> None:
    lagged = ragged.lag([*X, "weight"]).assign({"ret": ragged.values("ret")})
    pd.testing.assert_frame_equal(
        fama_macbeth(ragged, "ret", X, weights="weight").coefficients,
        fama_macbeth(lagged, "ret", X, weights="weight", lag=0).coefficients,
    )


def test_without_intercept(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", ["size", "value"], lag=0, intercept=False)
    date = result.coefficients.index[4]
    part = ragged.at(date)[["ret", "size", "value"]].dropna()
    expected = sm.OLS(part["ret"], part[["size", "value"]]).fit()
    np.testing.assert_allclose(result.coefficients.loc[date], expected.params, rtol=1e-9)
    assert result.r2.loc[date] == pytest.approx(expected.rsquared, rel=1e-9)


def test_intercept_alone_is_the_mean(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", [], lag=0, lags=0)
    means = ragged.frame["ret"].groupby(level="date").mean()
    np.testing.assert_allclose(
        result.coefficients["const"], means.loc[result.coefficients.index], rtol=1e-10
    )


@pytest.mark.parametrize("scale", ["rank", "zscore"])
def test_scaled_regressors(ragged: Panel, scale: str) -> None:
    values = ragged.frame[X].groupby(level="date")
    if scale == "rank":
        scaled = (values.rank() - 1) / (values.transform("count") - 1) - 0.5
    else:
        scaled = (ragged.frame[X] - values.transform("mean")) / values.transform("std", ddof=0)
    by_hand = ragged.assign({name: scaled[name].fillna(np.nan) for name in X})
    np.testing.assert_allclose(
        fama_macbeth(ragged, "ret", X, lag=0, scale=scale).coefficients,
        fama_macbeth(by_hand, "ret", X, lag=0).coefficients,
        rtol=1e-9,
    )


def test_skipped_dates_have_reasons(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", X, lag=0, min_assets=90)
    assert (result.nobs >= 90).all()
    assert len(result.skipped) + len(result.coefficients) == len(ragged.dates)
    assert result.skipped["reason"].str.contains("fewer than 90|for 4 coefficients").all()


def test_collinear_dates_are_skipped(ragged: Panel) -> None:
    flat = ragged.values("value").copy()
    flat[ragged.date_codes == 5] = 1.5
    twice = np.where(ragged.date_codes == 9, 2 * ragged.values("size"), ragged.values("momentum"))
    broken = ragged.assign({"value": flat, "momentum": twice})
    result = fama_macbeth(broken, "ret", X, lag=0)
    reasons = result.skipped["reason"]
    assert reasons[ragged.dates[5]] == "collinear regressors"
    assert reasons[ragged.dates[9]] == "collinear regressors"


def test_ill_conditioned_dates_go_through_qr() -> None:
    rng = np.random.default_rng(0)
    dates = pd.date_range("2000-01-31", periods=4, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(300)], names=["date", "asset"])
    a = rng.normal(size=1200)
    data = pd.DataFrame({"a": a, "b": a + 1e-4 * rng.normal(size=1200)}, index=index) + 1e3
    noise = rng.normal(size=1200)
    data["ret"] = 2.0 * (data["a"] - 1e3) - (data["b"] - 1e3)
    exact = fama_macbeth(data, "ret", ["a", "b"], lag=0)
    np.testing.assert_allclose(exact.coefficients[["a", "b"]], [[2.0, -1.0]] * 4, rtol=2e-8)
    assert any("4 ill-conditioned dates solved by QR" in line for line in exact.conventions())
    data["ret"] += noise
    result = fama_macbeth(data, "ret", ["a", "b"], lag=0)
    part = data.loc[dates[0]]
    centred = part - part.mean()
    expected = np.linalg.lstsq(centred[["a", "b"]], centred["ret"], rcond=None)[0]
    np.testing.assert_allclose(result.coefficients[["a", "b"]].iloc[0], expected, rtol=1e-8)


def test_large_means_keep_the_slopes() -> None:
    rng = np.random.default_rng(1)
    dates = pd.date_range("2000-01-31", periods=3, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(500)], names=["date", "asset"])
    z = rng.integers(-512, 512, size=(1500, 2)) / 256.0
    noise = rng.normal(size=1500)
    small = pd.DataFrame({"a": z[:, 0], "b": z[:, 1], "ret": z @ [1.0, 2.0] + noise}, index=index)
    large = small.assign(a=small["a"] + 2.0**20, b=small["b"] + 2.0**20)
    np.testing.assert_allclose(
        fama_macbeth(large, "ret", ["a", "b"], lag=0).coefficients[["a", "b"]],
        fama_macbeth(small, "ret", ["a", "b"], lag=0).coefficients[["a", "b"]],
        rtol=1e-12,
    )


def test_shuffled_rows_give_the_same_bits(ragged: Panel) -> None:
    shuffled = ragged.frame.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(
        fama_macbeth(shuffled, "ret", X).coefficients,
        fama_macbeth(ragged, "ret", X).coefficients,
        check_exact=True,
    )


def test_subperiods(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", X, lag=0, lags=2)
    first = result.between(None, "2002-06-30")
    alone = fama_macbeth(ragged.between(None, "2002-06-30"), "ret", X, lag=0, lags=2)
    pd.testing.assert_series_equal(first.std_errors, alone.std_errors)
    table = result.subperiods(["2002-07-31"])
    assert len(table) == 2
    assert table.iloc[0][("value", "t")] == pytest.approx(first.tstats["value"])


def test_subperiods_come_in_any_order(ragged: Panel) -> None:
    fm = fama_macbeth(ragged, "ret", ["size"])
    breaks = ["2002-06-30", "2001-12-31"]
    pd.testing.assert_frame_equal(fm.subperiods(breaks), fm.subperiods(sorted(breaks)))
    assert len(fm.subperiods(breaks)) == 3
    with pytest.raises(EstimationError, match="that of 2001-02-28 has one"):
        fm.subperiods(["2001-03-31"])


def test_a_regressor_does_not_bear_the_name_of_the_intercept(ragged: Panel) -> None:
    panel = Panel(ragged.frame.rename(columns={"size": "const"}))
    for run in (
        lambda: fama_macbeth(panel, "ret", ["const"]),
        lambda: specifications(panel, "ret", ["const", "value"], 1),
        lambda: panel_regression(panel, "ret", ["const"]),
    ):
        with pytest.raises(InputDataError, match="may not be called 'const'"):
            run()
    assert list(fama_macbeth(panel, "ret", ["const"], intercept=False).params.index) == ["const"]


def test_slopes_are_factor_returns(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", X, lag=0, lags=HAC(2))
    factors = result.factor_returns()
    assert factors.kind == "zero_cost"
    assert factors.factors == X
    # Their mean return is the premium, with the same error.
    means = time_series(factors, lags=2)
    np.testing.assert_allclose(means.alphas, result.params[X], rtol=1e-12)
    np.testing.assert_allclose(means.std_errors["alpha"], result.std_errors[X], rtol=1e-9)


def test_refusals(ragged: Panel) -> None:
    with pytest.raises(InputDataError, match="not_there"):
        fama_macbeth(ragged, "ret", ["not_there"])
    with pytest.raises(InputDataError, match="sequence"):
        fama_macbeth(ragged, "ret", "size")
    with pytest.raises(InputDataError, match="positive"):
        fama_macbeth(ragged, "ret", X, weights="value")
    with pytest.raises(ConfigError, match="lag must be"):
        fama_macbeth(ragged, "ret", X, lag=-1)
    with pytest.raises(ConfigError, match="once"):
        fama_macbeth(ragged, "ret", ["size", "size"])
    with pytest.raises(ConfigError, match="scale"):
        fama_macbeth(ragged, "ret", X, scale="log")
    with pytest.raises(EstimationError, match="two dates"):
        fama_macbeth(ragged, "ret", X, min_assets=10_000)
    with pytest.raises(InputDataError, match="categorical"):
        fama_macbeth(ragged.assign({"k": ["a"] * len(ragged)}), "ret", ["k"])


def test_looks(ragged: Panel) -> None:
    result = fama_macbeth(ragged, "ret", X)
    text = str(result.summary())
    assert "Regressors known 1 date before y." in text
    assert "dates skipped" in text
    assert list(result.table().columns) == ["estimate", "std_error", "t", "p"]
    assert r"\toprule" in result.to_latex()
    assert "<table" in result._repr_html_()


def test_a_panel_with_many_notes_does_not_bury_the_table(ragged: Panel) -> None:
    notes = [Note(f"rule {i}", 1, 2, "", "dropped") for i in range(9)]
    result = fama_macbeth(ragged.with_notes(notes), "ret", X)
    assert len(result.notes) == 9
    assert "rule 8" in result.summary()
    assert "rule 0" not in result.summary()
    assert "6 more notes" in result.summary()
