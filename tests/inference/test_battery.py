"""Tests by name: each runs, refusals come first, reasons are kept."""

from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.core import FactorReturns, Panel, Result
from alphastrata.errors import ConfigError
from alphastrata.inference import (
    HAC,
    Request,
    Subjects,
    adjust_pvalues,
    available_tests,
    dimson_beta,
    grs,
    huberman_kandel,
    pricing_table,
    run_battery,
    select_factors,
    sharpe_difference,
    t_threshold,
    time_series,
    two_pass,
)
from alphastrata.inference.registry import TESTS, check_options, options_of


@pytest.fixture
def subjects(returns: pd.DataFrame, factors: pd.DataFrame, ragged: Panel) -> Subjects:
    new = FactorReturns(returns[["P1", "P2"]], kind="zero_cost")
    rate = pd.Series(0.002, factors.index)
    known = FactorReturns(factors, kind="excess", risk_free=rate)
    portfolios = FactorReturns(returns.add(rate, axis=0), kind="total", risk_free=rate)
    return Subjects(
        new,
        known,
        portfolios,
        ragged,
        ["size", "value"],
        models={"FF3": known, "market": known.select(["Mkt-RF"])},
        instruments=factors.rolling(3).mean()[["SMB"]].rename(columns={"SMB": "z"}),
    )


# Options without which a test means nothing.
NEEDED = {
    "chow": {"break_date": "1998-01-31"},
    "specifications": {"size": 1},
    "double_selection": {"folds": 4},
}


def test_every_test_runs_by_name(subjects: Subjects) -> None:
    names = list(available_tests().index)
    battery = run_battery(subjects, [Request(n, NEEDED.get(n, {})) for n in names], lags=3)
    assert battery.skipped == {}
    assert list(battery.results) == names
    assert all(isinstance(result, Result) for result in battery.results.values())
    table = battery.statistics().set_index(["result", "test"])
    assert (
        table.loc[("grs", "GRS F"), "statistic"]
        == grs(subjects.portfolios, subjects.known).statistic
    )
    for result in battery.results.values():
        assert result.title in battery.summary()
        assert r"\toprule" in result.to_latex()
        assert "<table" in result._repr_html_()


def test_what_cannot_be_computed_is_said(subjects: Subjects, factors: pd.DataFrame) -> None:
    short = Subjects(subjects.new, factors.iloc[:9], subjects.portfolios)
    battery = run_battery(short, ["grs", "alphas"])
    assert list(battery.results) == ["alphas"]
    assert "below T - K" in battery.skipped["grs"]
    assert "grs: skipped" in battery.summary()


def test_refusals_come_before_work(subjects: Subjects) -> None:
    with pytest.raises(ConfigError, match="got 'magic'"):
        run_battery(subjects, ["alphas", "magic"])
    bare = Subjects(subjects.new, subjects.known)
    for name in ("grs", "fama_macbeth"):
        with pytest.raises(ConfigError, match="needs"):
            run_battery(bare, [name])


def test_options_reach_the_functions(subjects: Subjects) -> None:
    robust = {"lags": {"lags": "andrews", "kernel": "quadratic-spectral", "small_sample": False}}
    asked = [
        Request("two_pass", {"method": "GLS", "errors": "misspecification-robust"}, "krs"),
        Request("two_pass", {"traded": True, "intercept": False}, "traded"),
        Request("alphas", {"covariance": "HC3"}, "white"),
        Request("alphas", robust, "kernel"),
        Request("grs", {"factor_divisor": "T-1"}),
        Request("dimson", {"lags": 2, "leads": 1}),
        Request("sharpe_difference", {"draws": 99, "block": 3}),
        Request("huberman_kandel", {"lags": 2}),
        Request("pricing"),
        Request("select_factors", {"always": ["Mkt-RF"], "most": 2}),
        Request("adjusted", {"n_tests": 20}),
        Request("rolling", {"window": 36, "min_periods": 24}),
    ]
    found = run_battery(subjects, asked, lags=4, seed=3)
    assert not found.skipped
    got = found.results
    new, known, portfolios = subjects.new, subjects.known, subjects.portfolios
    expected = two_pass(portfolios, known, method="GLS", lags=4, errors="misspecification-robust")
    pd.testing.assert_frame_equal(got["krs"].table(), expected.table())
    assert "9 assets" not in got["krs"].title
    assert len(got["traded"].betas) == 11
    white = time_series(new, known, covariance="HC3")
    pd.testing.assert_frame_equal(got["white"].table(), white.table())
    kernel = HAC("andrews", "quadratic-spectral", small_sample=False)
    pd.testing.assert_frame_equal(
        got["kernel"].table(), time_series(new, known, lags=kernel).table()
    )
    assert got["grs"].statistic == grs(portfolios, known, factor_divisor="T-1").statistic
    market = known.select(["Mkt-RF"])
    dimson = dimson_beta(new, market, lags=2, leads=1, errors=4)
    pd.testing.assert_frame_equal(got["dimson"].table(), dimson.table())
    one = sharpe_difference(new.select(["P1"]), market, draws=99, block=3, seed=3)
    row = got["sharpe_difference"].table().loc["P1"]
    assert row["p"] == one.pvalue
    assert row["p bootstrap"] == one.bootstrap_pvalue
    funded = FactorReturns(known.frame.add(known.risk_free, axis=0), kind="total")
    spans = huberman_kandel(portfolios, funded, lags=2)
    pd.testing.assert_frame_equal(got["huberman_kandel"].tests, spans.tests)
    pd.testing.assert_frame_equal(
        got["pricing"].table(), pricing_table(portfolios, subjects.models)
    )
    both = pd.concat([known.excess(), new.frame], axis=1)
    chosen = select_factors(both, always=["Mkt-RF"], most=2)
    assert got["select_factors"].table().index[0] == chosen["factors"].iloc[0]
    adjusted = got["adjusted"]
    by = adjust_pvalues(adjusted.table()["p"], "by", n_tests=20)
    pd.testing.assert_series_equal(adjusted.table()["by"], by)
    hurdle = t_threshold(adjusted.table()["t"], "by", n_tests=20, df=176)
    assert f"by {hurdle:.2f}" in adjusted.conventions()[0]
    assert got["rolling"].window == 36
    assert got["rolling"].table().loc[("P1", "SMB"), "windows"] == 180 - 24 + 1


@pytest.mark.parametrize(
    ("test", "options", "message"),
    [
        ("two_pass", {"metod": "GLS"}, "no option 'metod'; it has method, intercept"),
        ("two_pass", {"method": "WLS"}, "'method' of the test two_pass cannot be 'WLS'"),
        ("alphas", {"lags": {"lags": -1}}, "whole number from 0"),
        ("alphas", {"lags": "moon"}, "cannot be 'moon'"),
        ("chow", {}, "needs the option 'break_date'"),
        ("chow", {"break_date": "in autumn"}, "is a date, such as 2008-09-30; got 'in autumn'"),
        ("cusum", {"lags": 3}, "it has none"),
    ],
)
def test_wrong_options_are_refused_by_name(
    subjects: Subjects, test: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_battery(subjects, [Request(test, options)])


def test_every_option_has_a_kind_that_can_be_checked() -> None:
    for test in TESTS:
        required = NEEDED.get(test, {})
        for name, parameter in options_of(test).items():
            if parameter.default is not parameter.empty:
                value = parameter.default
                assert check_options(test, required | {name: value})[name] == value
