"""Tests by name: each runs, refusals come first, reasons are kept."""

from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.core import FactorReturns, Panel, Result
from alphastrata.errors import ConfigError
from alphastrata.inference import Subjects, available_tests, grs, run_battery


@pytest.fixture
def subjects(returns: pd.DataFrame, factors: pd.DataFrame, ragged: Panel) -> Subjects:
    new = FactorReturns(returns[["P1", "P2"]], kind="zero_cost")
    known = FactorReturns(factors, kind="excess")
    return Subjects(new, known, returns, ragged, ["size", "value"])


def test_every_test_runs_by_name(subjects: Subjects) -> None:
    names = list(available_tests().index)
    battery = run_battery(subjects, names, lags=3)
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
