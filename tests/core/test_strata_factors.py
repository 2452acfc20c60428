"""Strata, Holdings, FactorReturns and RollingWindows hold their invariants."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import FactorReturns, Holdings, Panel, RollingWindows, Strata, Window
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

DATES = pd.date_range("2020-01-31", periods=4, freq="ME")


def wide_labels():
    return pd.DataFrame(
        {"A": [1, 1, 2, 2], "B": [2, 2, 1, None], "C": [3, None, 3, 3]}, index=DATES
    )


def test_strata_hold_labels_and_leave_the_unclassified_out():
    strata = Strata(wide_labels(), ordered=False, names={1: "small"}, source="test")
    assert len(strata) == 10
    assert strata.n == 3
    assert strata.names == {1: "small", 2: "2", 3: "3"}
    assert strata.sizes()["small"].tolist() == [1, 1, 1, 0]
    assert strata.labels.loc[(DATES[0], "B")] == 2
    shuffled = Strata(strata.labels.sample(frac=1, random_state=0), ordered=False)
    assert np.array_equal(shuffled.codes, strata.codes)
    assert strata.wide().isna().to_numpy().sum() == 2


def test_relabelling_moves_numbers_names_and_probabilities_together():
    labels = wide_labels().stack().dropna()
    chances = pd.DataFrame(0.1, index=labels.index, columns=[1, 2, 3])
    for row, label in enumerate(labels.astype(int)):
        chances.iloc[row, label - 1] = 0.8
    strata = Strata(labels, ordered=False, names={3: "big"}, probabilities=chances)
    moved = strata.relabel({1: 2, 2: 3, 3: 1})
    assert moved.names[1] == "big"
    assert (moved.probabilities.idxmax(axis=1).to_numpy() == moved.codes).all()
    back = moved.relabel({2: 1, 3: 2, 1: 3})
    assert np.array_equal(back.codes, strata.codes)
    assert len(strata.between("2020-02-01", "2020-03-31")) == 5


@pytest.mark.parametrize(
    ("labels", "settings", "rule"),
    [
        (wide_labels() - 1, {}, "whole numbers from 1"),
        (wide_labels() + 0.5, {}, "whole numbers from 1"),
        (wide_labels() * np.nan, {}, "at least one classified"),
        (wide_labels(), {"n": 2}, "No label exceeds n"),
        (wide_labels(), {"names": {7: "x"}}, "Names belong"),
        (wide_labels(), {"names": {1: "2"}}, "unique"),
        (pd.Series([1, 2]), {}, "indexed by"),
    ],
)
def test_bad_strata_are_refused(labels, settings, rule):
    with pytest.raises(InputDataError, match=rule):
        Strata(labels, ordered=True, **settings)


def test_text_labels_are_numbered_and_named():
    codes = pd.DataFrame({"A": ["tech", "bank"], "B": ["bank", None]}, index=DATES[:2])
    strata = Strata(codes, ordered=False, source="industry")
    assert strata.names == {1: "bank", 2: "tech"}
    assert strata.labels.tolist() == [2, 1, 1]
    series = codes.stack().astype("category")
    assert np.array_equal(Strata(series, ordered=False).codes, strata.codes)


def test_probabilities_must_sum_to_one():
    labels = wide_labels().stack().dropna()
    chances = pd.DataFrame(0.3, index=labels.index, columns=[1, 2, 3])
    with pytest.raises(InputDataError, match="sum to one"):
        Strata(labels, ordered=False, probabilities=chances)


def test_total_returns_lose_the_risk_free_rate_once():
    frame = pd.DataFrame({"x": [0.02, 0.03]}, index=DATES[:2])
    rate = pd.Series([0.001, 0.002], index=DATES[:2])
    total = FactorReturns(frame, kind="total", risk_free=rate)
    np.testing.assert_allclose(total.excess()["x"], [0.019, 0.028])
    for kind in ("excess", "zero_cost"):
        other = FactorReturns(frame, kind=kind, risk_free=rate)
        np.testing.assert_array_equal(other.excess()["x"], frame["x"])
    with pytest.raises(InputDataError, match="need a risk-free rate"):
        FactorReturns(frame, kind="total").excess()
    with pytest.raises(InputDataError, match="1 dates lack it"):
        FactorReturns(frame, kind="total", risk_free=rate.iloc[:1]).excess()


def test_factor_returns_are_sorted_and_cut_and_joined():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}, index=DATES)
    factors = FactorReturns(frame.iloc[::-1], kind="zero_cost", counts=frame)
    assert factors.frame["x"].tolist() == [1, 2, 3, 4]
    cut = factors.between("2020-02-01", None)
    assert len(cut) == len(cut.counts) == 3
    other = FactorReturns(frame.iloc[:3].rename(columns={"x": "y"}), kind="excess", vintage="2")
    both = factors.join(other)
    assert both.factors == ["x", "y"]
    assert (len(both), both.kind, both.vintage) == (3, "excess", "2")
    assert both.notes[-1].count == 1
    assert both.counts.columns.tolist() == ["x"]
    assert len(both.counts) == 3
    with pytest.raises(InputDataError, match="Factor names are new"):
        factors.join(factors)
    with pytest.raises(InputDataError, match="Total returns are joined"):
        factors.join(FactorReturns(frame.rename(columns={"x": "z"}), kind="total"))
    with pytest.raises(InputDataError, match="'nothing'"):
        factors.select(["nothing"])


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        (pd.DataFrame({"x": [1.0, np.inf]}, index=DATES[:2]), "finite"),
        (pd.DataFrame({"x": ["a", "b"]}, index=DATES[:2]), "numbers"),
        (pd.DataFrame({"x": [1.0, 2.0]}, index=DATES[[0, 0]]), "may appear once"),
        (pd.DataFrame({"x": [1.0, 2.0]}), "not numbers"),
        (pd.DataFrame(index=DATES), "at least one return"),
    ],
)
def test_bad_factor_returns_are_refused(frame, rule):
    with pytest.raises(InputDataError, match=rule):
        FactorReturns(frame, kind="excess")


def test_holdings_sum_by_leg():
    index = pd.MultiIndex.from_product([DATES[:2], ["A", "B", "C"], ["P"]])
    good = Holdings(pd.Series([0.5, 0.5, -1.0, 1.0, -0.25, -0.75], index=index), legs="long_short")
    assert good.portfolios == ["P"]
    assert good.turnover().loc[DATES[1], "P"] == pytest.approx((0.5 + 0.75 + 0.25) / 2)
    with pytest.raises(InputDataError, match="short leg sums to -1"):
        Holdings(pd.Series([0.5, 0.5, -0.9, 1.0, -0.25, -0.75], index=index), legs="long_short")
    with pytest.raises(InputDataError, match="long leg sums to"):
        Holdings(pd.Series([0.5, 0.4, 0.0, 1.0, 0.0, 0.0], index=index), legs="long_only")
    with pytest.raises(InputDataError, match="finite"):
        Holdings(pd.Series([np.nan, 1, 0, 1, 0, 0], index=index), legs="long_only")
    netted = Holdings(pd.Series([0.5, 0, -0.5, 0, 0, 0], index=index), legs="netted")
    assert netted.turnover().loc[DATES[1], "P"] == pytest.approx(0.5)
    with pytest.raises(InputDataError, match="sum to the same"):
        Holdings(pd.Series([0.5, 0, -0.4, 0, 0, 0], index=index), legs="netted")
    with pytest.raises(InputDataError, match="at most 1"):
        Holdings(pd.Series([2, 0, -2, 0, 0, 0], index=index), legs="netted")


def test_windows_never_look_ahead():
    dates = pd.date_range("2000-01-31", periods=50, freq="ME")
    for expanding in (False, True):
        windows = RollingWindows(length=24, step=6, expanding=expanding).split(dates)
        assert [w.formation for w in windows] == [dates[i] for i in (23, 29, 35, 41, 47)]
        held = [d for w in windows for d in w.holding]
        assert held == list(dates[24:])
        for w in windows:
            assert w.train[-1] == w.formation
            assert len(w.train) == (24 if not expanding else 24 + 6 * w.index)
    with pytest.raises(InputDataError, match="needs 60 dates"):
        RollingWindows(60).split(dates)
    with pytest.raises(ConfigError, match="length"):
        RollingWindows(0)
    with pytest.raises(LookAheadError, match="Training"):
        Window(0, dates[:5], dates[3], dates[6:7])
    with pytest.raises(LookAheadError, match="Holding"):
        Window(0, dates[:5], dates[4], dates[4:6])


def test_strata_of_a_panel_add_little_to_it():
    index = pd.MultiIndex.from_product([pd.bdate_range("2000-01-03", periods=500), range(400)])
    panel = Panel(pd.DataFrame({"x": 1.0}, index=index.set_names(["date", "asset"])))
    some = np.arange(len(panel)) % 400 > 0  # One asset is never labelled.
    codes = np.ones(int(some.sum()), dtype=np.int32)
    tracemalloc.start()
    strata = Strata.from_rows(panel, some, codes, ordered=True, n=1)
    assets = strata.codes_in(panel.assets)
    peak = tracemalloc.get_traced_memory()[1] / codes.size
    tracemalloc.stop()
    assert np.array_equal(assets, panel.asset_codes[some])
    assert peak < 9.0  # Bytes per label: a code of the asset; dates are bounds.


def test_strata_from_rows_are_strata():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [DATES, [f"A{i}" for i in range(9)]], names=["date", "asset"]
    )
    panel = Panel(pd.DataFrame({"x": rng.random(36)}, index=index))
    rows = np.flatnonzero((rng.random(36) < 0.6) & (panel.date_codes != 1))
    codes = rng.integers(1, 4, rows.size)
    quick = Strata.from_rows(panel, rows, codes, ordered=True, n=3, source="s")
    slow = Strata(pd.Series(codes, index=panel.index[rows]), ordered=True, n=3, source="s")
    mask = np.zeros(36, dtype=bool)
    mask[rows] = True
    masked = Strata.from_rows(panel, mask, codes, ordered=True, n=3)
    for name in ("codes", "date_codes", "asset_codes", "offsets"):
        assert np.array_equal(getattr(quick, name), getattr(slow, name))
        assert np.array_equal(getattr(masked, name), getattr(slow, name))
    assert quick.wide().equals(slow.wide())
    assert quick.dates.equals(slow.dates)
    assert quick.labels.equals(slow.labels)
    for assets in (panel.assets, panel.assets[::-1], panel.assets[3:]):
        want = assets.get_indexer(slow.labels.index.get_level_values("asset"))
        assert np.array_equal(masked.codes_in(assets), want)
        assert np.array_equal(slow.codes_in(assets), want)
    assert quick.assets.equals(slow.assets)
    assert quick.labels.equals(slow.labels)
    with pytest.raises(InputDataError, match="ascending"):
        Strata.from_rows(panel, rows[::-1], codes, ordered=True, n=3)
    with pytest.raises(InputDataError, match="booleans"):
        Strata.from_rows(panel, mask[: mask.nonzero()[0][-1] + 1], codes, ordered=True, n=3)
    with pytest.raises(InputDataError, match=r"1\.\.2"):
        Strata.from_rows(panel, rows, codes, ordered=True, n=2)
