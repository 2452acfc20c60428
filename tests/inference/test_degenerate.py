"""Data that cannot answer are refused by name, whatever the test; nothing is a rounding error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata import inference
from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError, EstimationError, InputDataError

Frame = pd.DataFrame
Test = Callable[[Frame, Frame], Any]

ON_FACTORS: dict[str, Test] = {
    "time_series": inference.time_series,
    "rolling": lambda r, f: inference.rolling_betas(r, f, window=60),
    "chow": lambda r, f: inference.chow(r, f, "1998-01-31"),
    "cusum": inference.cusum,
    "grs": inference.grs,
    "joint_alphas": inference.joint_alphas,
    "spanning": inference.spanning,
    "huberman_kandel": inference.huberman_kandel,
    "tangency": lambda r, f: inference.tangency(f),
    "compare_models": lambda r, f: inference.compare_models({"a": f.iloc[:, :1], "b": f}),
    "select_factors": lambda r, f: inference.select_factors(f),
    "two_pass": inference.two_pass,
    "three_pass": inference.three_pass,
    "double_selection": lambda r, f: inference.double_selection(
        r, f.iloc[:, :1], f.iloc[:, 1:], folds=4
    ),
    "bayesian": lambda r, f: inference.bayesian_fama_macbeth(r, f, draws=100),
    "romano_wolf": lambda r, f: inference.romano_wolf(r, f, draws=99),
    "luck": lambda r, f: inference.bootstrap_alphas(r, f, draws=99),
}
JOINT = sorted(
    set(ON_FACTORS)
    - {"time_series", "rolling", "tangency", "compare_models", "select_factors", "luck"}
)


@pytest.mark.parametrize("name", sorted(set(ON_FACTORS) - {"rolling"}))
def test_a_constant_factor_is_named(name: str, returns: Frame, factors: Frame) -> None:
    ON_FACTORS[name](returns, factors)
    with pytest.raises(EstimationError, match="HML"):
        ON_FACTORS[name](returns, factors.assign(HML=0.01))


@pytest.mark.parametrize("name", ["time_series", "grs", "tangency", "two_pass", "bayesian", "luck"])
def test_collinear_factors_are_named(name: str, returns: Frame, factors: Frame) -> None:
    with pytest.raises(EstimationError, match="'twice' is a linear combination"):
        ON_FACTORS[name](returns, factors.assign(twice=factors["SMB"] - factors["HML"]))


@pytest.mark.parametrize("name", JOINT)
def test_a_return_that_does_not_vary_is_named(name: str, returns: Frame, factors: Frame) -> None:
    with pytest.raises(EstimationError, match=r"Every return varies; 1 of 8 do not.*'P3'"):
        ON_FACTORS[name](returns.assign(P3=0.01), factors)


@pytest.mark.parametrize("name", ["time_series", "rolling", "chow", "spanning"])
def test_a_factor_does_not_bear_the_name_of_the_intercept(
    name: str, returns: Frame, factors: Frame
) -> None:
    with pytest.raises(InputDataError, match="may not be called 'alpha'"):
        ON_FACTORS[name](returns, factors.rename(columns={"SMB": "alpha"}))


@pytest.mark.parametrize("name", ["two_pass", "bayesian"])
def test_nor_of_the_zero_beta_rate(name: str, returns: Frame, factors: Frame) -> None:
    with pytest.raises(InputDataError, match="may not be called 'const'"):
        ON_FACTORS[name](returns, factors.rename(columns={"SMB": "const"}))


def test_names_are_compared_as_they_will_be_shown(returns: Frame, factors: Frame) -> None:
    twice = returns.set_axis([1, "1", *returns.columns[2:]], axis=1)
    with pytest.raises(InputDataError, match="unique; 1 breaks this. First: 1"):
        inference.time_series(twice, factors)
    with pytest.raises(InputDataError, match="unique; 1 breaks this. First: 1"):
        FactorReturns(twice, kind="excess")
    levels = returns.set_axis(pd.MultiIndex.from_product([["S", "B"], range(4)]), axis=1)
    with pytest.raises(InputDataError, match="one name each; got 2 levels"):
        inference.time_series(levels, factors)


def test_no_date_with_all_factors(returns: Frame, factors: Frame) -> None:
    with pytest.raises(InputDataError, match="all of them are present; there is none of 180"):
        inference.time_series(returns, factors.assign(empty=np.nan))
    with pytest.raises(InputDataError, match="all of them are present"):
        inference.reality_check(returns.assign(P3=np.nan))


@pytest.mark.parametrize(
    "test",
    [
        lambda r, f: inference.dimson_beta(r, f[["SMB"]]),
        lambda r, f: inference.downside_beta(r, f[["SMB"]]),
        lambda r, f: inference.conditional_model(r, f, f[["HML"]].add_suffix(" before")),
    ],
)
def test_an_asset_without_a_history_is_named(test: Test, returns: Frame, factors: Frame) -> None:
    with pytest.raises(EstimationError, match="asset 'P3' has 0"):
        test(returns.assign(P3=np.nan), factors)
    with pytest.raises(EstimationError, match="varies.*'P3'"):
        test(returns.assign(P3=0.01), factors)


def test_assets_that_others_make_up_are_named(returns: Frame, factors: Frame) -> None:
    twice = returns.assign(P5=returns["P1"] + returns["P2"])
    for test in (
        inference.spanning,
        inference.huberman_kandel,
        lambda r, f: inference.two_pass(r, f, method="GLS"),
    ):
        with pytest.raises(EstimationError, match="'P5' is a linear combination"):
            test(twice, factors)


def test_a_traded_factor_may_be_among_the_assets_of_a_posterior(
    returns: Frame, factors: Frame
) -> None:
    both = returns.assign(market=factors["Mkt-RF"])
    assert inference.bayesian_fama_macbeth(both, factors, draws=100).params.notna().all()
    with pytest.raises(EstimationError, match="GLS needs"):
        inference.bayesian_fama_macbeth(both, factors, method="GLS", draws=100)


def test_wrong_arguments_are_refused_with_what_to_write(returns: Frame, factors: Frame) -> None:
    one, other = returns["P1"], returns["P2"]
    select = inference.select_factors
    double = partial(inference.double_selection, returns, factors[["SMB"]], factors[["HML"]])
    flat = returns.assign(P3=0.01)
    for error, words, call in (
        (ConfigError, "a date, such as", lambda: inference.chow(returns, factors, "garbage")),
        (ConfigError, "a date, such as", lambda: inference.chow(returns, factors, pd.NaT)),
        (ConfigError, "99 draws", lambda: inference.sharpe_difference(one, other, draws=-5)),
        (EstimationError, "move as one", lambda: inference.sharpe_difference(one, one)),
        (InputDataError, "one series; got 3", lambda: inference.reality_check(returns, factors)),
        (ConfigError, "at least 2", lambda: select(factors, always=["SMB", "HML"], most=1)),
        (ConfigError, "at least 1", lambda: select(factors, most=0)),
        (EstimationError, "two assets", lambda: inference.three_pass(one, factors)),
        (ConfigError, "three numbers", lambda: double(penalties=(0.1, -0.1, 0.1))),
        (ConfigError, "three numbers", lambda: double(penalties=(0.1, 0.1))),
        (InputDataError, "that vary.*'P3'", lambda: inference.track_record(flat)),
        (InputDataError, "that vary; got 0", lambda: inference.sharpe_moments([])),
        (InputDataError, "1 are infinite", lambda: inference.sharpe_moments([0.1, np.inf, 0.2])),
        (ConfigError, "standard deviation", lambda: inference.deflated_sharpe(one, 9, -0.1)),
        (ConfigError, "standard deviation", lambda: inference.deflated_sharpe(one, 9, np.nan)),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            call()
    twice = select(factors, always=["SMB", "SMB"])
    pd.testing.assert_frame_equal(twice, select(factors, always=["SMB"]))


def test_every_result_shows_its_table(returns: Frame) -> None:
    for result in (
        inference.sharpe_difference(returns["P1"], returns["P2"]),
        inference.deflated_sharpe(returns["P1"], 10, 0.05),
        inference.reality_check(returns, draws=99),
    ):
        assert repr(result) == result.summary()
    text = inference.sharpe_difference(returns["P1"], returns["P2"]).summary()
    assert "quadratic-spectral kernel, bandwidth" in text
    assert "prewhitened; T/(T - 4)" in text
