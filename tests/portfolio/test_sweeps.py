from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import (
    Soft,
    joint_sort,
    portfolio_returns,
    quantile_sort,
    sorted_returns,
    sorted_returns_by_chunk,
    sweeps,
)


def same_where_known(fast: pd.DataFrame, slow: pd.DataFrame) -> None:
    fast, slow = fast.dropna(how="all"), slow.dropna(how="all")
    assert fast.index.equals(slow.index)
    assert fast.to_numpy().tobytes() == slow.to_numpy().tobytes()


@pytest.mark.parametrize("missing", ["renormalise", "zero"])
@pytest.mark.parametrize("weighting", ["value", "equal"])
def test_one_pass_gives_the_bits_of_strata(market, missing, weighting):
    options = {"weighting": weighting, "missing": missing}
    got = sorted_returns(market, ["signal", "leverage"], n=3, breakpoints="NYSE", **options)
    for name in ("signal", "leverage"):
        strata = quantile_sort(market, name, n=3, breakpoints="NYSE")
        # Every date forms its own labels here; a skipped date does not carry older ones.
        want = portfolio_returns(strata, market, hold=1, **options)
        columns = [f"{name} {k}" for k in (1, 2, 3)]
        same_where_known(got.frame[columns], want.frame)
        counts = got.counts[columns].loc[want.counts.index]
        assert (counts.to_numpy() == want.counts.to_numpy()).all()


@pytest.mark.parametrize("kind", ["independent", "dependent"])
@pytest.mark.parametrize("n", [(2, 2), (3, (0.3, 0.7))])
def test_joint_sorts_in_one_pass(market, kind, n):
    got = sorted_returns(market, ["market_cap", "signal"], n=n, kind=kind)
    strata = joint_sort(market, ["market_cap", "signal"], n=n, kind=kind)
    want = portfolio_returns(strata, market, hold=1, weighting="value")
    same_where_known(got.frame, want.frame)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 28), max_size=4))
def test_chunks_give_the_bits_of_the_whole(make_market, seed, cuts):
    panel = Panel(make_market(seed), freq="M")
    edges = [0, *sorted(set(cuts)), len(panel.dates)]
    pieces = [panel.between(panel.dates[a], panel.dates[b - 1]) for a, b in zip(edges, edges[1:])]
    whole = sorted_returns(panel, ["signal", "leverage"], n=2, breakpoints="NYSE")
    got = sorted_returns_by_chunk(iter(pieces), ["signal", "leverage"], n=2, breakpoints="NYSE")
    same_where_known(got.frame, whole.frame)


@pytest.mark.parametrize("kind", ["single", "independent"])
def test_dates_that_cannot_be_sorted_are_counted(market, kind):
    """In one piece and in two; a joint sort needs all of its characteristics."""
    bad = market.dates[[4, 9]]
    none = np.isin(market.dates[market.date_codes], bad)
    holes = market.assign({"signal": np.where(none, np.nan, market.values("signal"))})
    options = {"n": 2, "kind": kind}
    sparse = sorted_returns(market, ["signal", "leverage"], **options)
    found = sorted_returns(holes, ["signal", "leverage"], **options)
    cut = market.dates[6]
    pieces = [holes.between(None, cut), holes.between(cut + pd.Timedelta(1, "D"), None)]
    joined = sorted_returns_by_chunk(pieces, ["signal", "leverage"], **options)
    name = "signal" if kind == "single" else "signal x leverage"

    def thin(returns):
        rule = f"dates with too few assets to sort by {name}"
        return sum(note.count for note in returns.notes if note.rule == rule)

    assert thin(found) == thin(joined) == thin(sparse) + 2


@pytest.mark.parametrize("kind", ["single", "dependent"])
def test_blocks_and_threads_change_no_bit(market, monkeypatch, kind):
    whole = sorted_returns(market, ["signal", "leverage"], n=2, kind=kind).frame
    for rows, threads in ((1, 1), (40, 1), (60, 2)):
        monkeypatch.setattr(sweeps, "BLOCK_ROWS", rows)
        got = sorted_returns(market, ["signal", "leverage"], n=2, kind=kind, n_jobs=threads).frame
        same_where_known(got, whole)


def test_what_cannot_be_is_said(market):
    with pytest.raises(ConfigError, match="kind"):
        sorted_returns(market, "signal", kind="both")
    with pytest.raises(ConfigError, match="Soft"):
        sorted_returns(market, "signal", weighting=Soft())
    with pytest.raises(ConfigError, match="n_jobs"):
        sorted_returns(market, "signal", n_jobs=0)
    with pytest.raises(ConfigError, match="2 characteristics meet 3 n"):
        sorted_returns(market, ["signal", "leverage"], n=(2, 2, 2), kind="dependent")
    with pytest.raises(InputDataError, match="overlap"):
        sorted_returns_by_chunk([market, market], "signal", n=2)
    with pytest.raises(InputDataError, match="at least one chunk"):
        sorted_returns_by_chunk([], "signal")
    thin = market.assign({"none": np.full(len(market), np.nan)})
    with pytest.raises(InputDataError, match="no asset"):
        sorted_returns(thin, "none", n=2)
