"""What must not change a bit: row order, names of assets, units of weights, cutting by date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core import Panel, Strata
from alphastrata.portfolio import (
    BasisPoints,
    Capped,
    HalfSpread,
    Overlapping,
    Quantile,
    Ranked,
    Screen,
    Sizing,
    Soft,
    SquareRootImpact,
    Trailing,
    centroid_distances,
    composition,
    dummy_returns,
    factor,
    factor_holdings,
    holdings,
    horizon_returns,
    information_coefficients,
    joint_factor,
    joint_sort,
    long_short,
    neutral,
    portfolio_returns,
    quantile_sort,
    rank_autocorrelation,
    run_backtest,
    soft_holdings,
    soft_long_short,
    sorted_returns,
)

METHODS = ("size_neutral_2x3", Quantile(4), "rank", "signal")
CHANCES = (0.6, 0.3, 0.1)


def made_clusters(panel: Panel) -> Strata:
    """Clusters of three with memberships; an asset's own depends on its leverage only."""
    values = panel.frame["leverage"].dropna()
    label = 1 + (values * 1000).astype(int) % 3
    chances = pd.DataFrame(
        {k: np.choose((label - k) % 3, CHANCES) for k in (1, 2, 3)}, index=label.index
    )
    return Strata(label, ordered=False, n=3, probabilities=chances)


def by_date(panel: Panel) -> dict[str, pd.DataFrame]:
    """Everything in which a date's result needs that date and the one before it, no more."""
    clusters = made_clusters(panel)
    fifths = quantile_sort(panel, "leverage", n=4, breakpoints="NYSE", min_assets=4)
    inside = quantile_sort(panel, "leverage", n=2, within="industry", min_assets=2)
    screened = quantile_sort(panel, "signal", n=3, where=Screen(micro_caps=0.2, breakpoints="all"))
    out = {
        f"weights {word}": portfolio_returns(fifths, panel, weighting=rule, hold=1).frame
        for word, rule in (
            ("equal", "equal"),
            ("value", "value"),
            ("capped", Capped(0.8)),
            ("ranked", Ranked("market_cap")),
            ("column", "leverage"),
        )
    }
    out |= {
        "zero": portfolio_returns(fifths, panel, weighting="value", missing="zero", hold=1).frame,
        "inside": portfolio_returns(inside, panel, weighting="value", hold=1).frame,
        "screened": portfolio_returns(screened, panel, weighting="value", hold=1).frame,
        "soft": portfolio_returns(clusters, panel, weighting=Soft("market_cap"), hold=1).frame,
        "dummies": dummy_returns(clusters, panel, hold=1).frame,
        "clusters": long_short(clusters, panel, rank_by="signal", hold=1).frame,
        "soft clusters": soft_long_short(clusters, panel, rank_by="signal", hold=1).frame,
        "one pass": sorted_returns(panel, ["leverage", "signal"], n=3).frame,
    }
    for kind in ("independent", "dependent"):
        cells = joint_sort(panel, ("market_cap", "leverage"), n=(2, 3), kind=kind, min_assets=1)
        out[f"joint {kind}"] = portfolio_returns(cells, panel, weighting="value", hold=1).frame
        out[f"joint factor {kind}"] = joint_factor(cells, panel, last=3, hold=1).frame
        out[f"joint pass {kind}"] = sorted_returns(
            panel, ["market_cap", "leverage"], n=(2, 3), kind=kind
        ).frame
    for method in METHODS:
        out[f"factor {method}"] = factor(panel, "leverage", method=method, hold=1).frame
    for how in ("rank", "demean"):
        within = neutral(panel, "leverage", "industry", how=how)
        out[f"neutral {how}"] = factor(within, "leverage", method="rank", hold=1).frame
    away = centroid_distances(clusters, panel, ["leverage", "signal"])
    out["distance"] = factor(away, "distance", method="rank", hold=1).frame
    return out


def through_time(panel: Panel) -> dict[str, pd.DataFrame]:
    """What looks back further, or forward, or keeps an account."""
    clusters = made_clusters(panel)
    thirds = quantile_sort(panel, "leverage", n=3)
    june = quantile_sort(panel, "leverage", n=2, rebalance=6)
    held = factor_holdings(panel, "leverage", method="quantile", rebalance="Q")
    costs = (BasisPoints(10), SquareRootImpact())
    done = run_backtest(held, panel, costs=costs, borrow_fee=0.02, capital=1e4)
    sizing = Sizing(leverage=0.5, max_weight=0.6, beta="beta")
    halves = quantile_sort(panel, "leverage", n=2, min_assets=15)
    sized = run_backtest(holdings(halves, panel), panel, costs=HalfSpread(), sizing=sizing)
    netted = run_backtest(holdings(thirds, panel, hold=Overlapping(3)), panel, costs=costs)
    members = soft_holdings(clusters, panel, rank_by="signal", weighting=Soft("market_cap"))
    spread = long_short(thirds, panel)
    cohorts = composition(thirds, panel, columns=["leverage"], hold=Overlapping(2))
    out = {
        "cohorts": portfolio_returns(thirds, panel, weighting="value", hold=Overlapping(3)).frame,
        "june": portfolio_returns(june, panel, weighting="value").frame,
        "trailing": long_short(clusters, panel, rank_by=Trailing(4)).frame,
        "turnover": spread.turnover,
        "composition": cohorts.drop(columns="market_cap"),
        "wealth": done.wealth,
        "net": done.net,
        "sized": sized.net,
        "netted": netted.net,
        "members": run_backtest(members, panel, costs=costs).net,
        "autocorrelation": rank_autocorrelation(panel, "leverage").to_frame(),
        "horizons": horizon_returns(thirds, panel, horizons=[1, 3], weighting="value"),
    }
    for how in ("spearman", "pearson"):
        found = information_coefficients(panel, "leverage", horizons=[1, 3], how=how)
        out[f"coefficients {how}"] = found.series
    return out


def same_bits(left: dict[str, pd.DataFrame], right: dict[str, pd.DataFrame]) -> None:
    assert list(left) == list(right)
    for name, one in left.items():
        other = right[name]
        assert one.index.equals(other.index), name
        assert list(one.columns) == list(other.columns), name
        assert one.to_numpy().tobytes() == other.to_numpy().tobytes(), name


@pytest.fixture(scope="module")
def make(make_market):
    def made(seed: int) -> pd.DataFrame:
        frame = make_market(seed, n_assets=60)
        rng = np.random.default_rng(seed)
        return frame.assign(
            volatility=rng.uniform(0.01, 0.04, len(frame)),
            dollar_volume=np.exp(rng.normal(14, 1, len(frame))),
            half_spread=rng.uniform(0.0005, 0.01, len(frame)),
            beta=rng.uniform(0.5, 1.5, len(frame)),
        )

    return made


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000))
def test_row_order(make, seed):
    frame = make(seed)
    panel = Panel(frame, freq="M")
    shuffled = Panel(frame.sample(frac=1.0, random_state=seed), freq="M")
    for outputs in (by_date, through_time):
        same_bits(outputs(panel), outputs(shuffled))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000))
def test_names_of_assets(make, seed):
    frame = make(seed)
    names = sorted(frame["asset"].unique())
    new = dict(zip(names, np.random.default_rng(seed).permutation(names), strict=True))
    renamed = Panel(frame.assign(asset=frame["asset"].map(new)), freq="M")
    panel = Panel(frame, freq="M")
    for outputs in (by_date, through_time):
        same_bits(outputs(panel), outputs(renamed))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([-30, -3, 1, 20]))
def test_units_of_weights(make, seed, power):
    panel = Panel(make(seed), freq="M")
    scaled = panel.assign({"market_cap": panel.values("market_cap") * 2.0**power})
    for outputs in (by_date, through_time):
        same_bits(outputs(panel), outputs(scaled))
    other = panel.assign({"market_cap": panel.values("market_cap") * 1e6})
    for name, one in by_date(panel).items():
        np.testing.assert_allclose(by_date(other)[name], one, rtol=0, atol=1e-13, err_msg=name)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000), st.integers(8, 22))
def test_cut_by_date_and_joined(make, seed, cut):
    panel = Panel(make(seed), freq="M")
    whole, middle = by_date(panel), panel.dates[cut]
    first = by_date(panel.between(None, middle))
    second = by_date(panel.between(middle, None))
    same_bits(whole, {name: pd.concat([first[name], second[name]]) for name in whole})
