from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import Screen, double_sort, joint_sort, quantile_sort
from alphastrata.portfolio.calendars import formation_dates


def exact_quantile(ordered: np.ndarray, prob: float) -> float:
    """The linear quantile of numpy.quantile in exact arithmetic, so that a tie stays a tie."""
    position = Fraction(prob).limit_denominator(1000) * (len(ordered) - 1)
    low = int(position)
    if position == low:
        return float(ordered[low])
    a, b = Fraction(ordered[low]), Fraction(ordered[low + 1])
    found = float(a + (b - a) * (position - low))
    assert np.isclose(found, np.quantile(ordered, prob))
    return found


def cut(values: pd.Series, probs, setting: pd.Series | None = None) -> pd.Series:
    """The rule with numpy alone: 1 + number of breakpoints <= value."""
    base = values if setting is None else values[setting]
    base = base.dropna()
    if len(base) < len(probs) + 1:
        return pd.Series(np.nan, index=values.index)
    breaks = np.array([exact_quantile(np.sort(base.to_numpy()), p) for p in probs])
    label = 1.0 + (values.to_numpy()[:, None] >= breaks[None, :]).sum(axis=1)
    return pd.Series(label, index=values.index).where(values.notna())


def equal(strata: Strata, want: pd.Series) -> None:
    want = want.dropna().astype("Int64").rename("stratum")
    got = strata.labels
    assert got.index.equals(want.sort_index().index)
    assert (got.to_numpy() == want.sort_index().to_numpy()).all()


@pytest.mark.parametrize(("n", "probs"), [(5, [0.2, 0.4, 0.6, 0.8]), ((0.3, 0.7), [0.3, 0.7])])
@pytest.mark.parametrize("rule", ["all", "NYSE", "mask"])
def test_quantile_sort_equals_numpy(market, n, probs, rule):
    panel = market.assign({"flag": (market.values("leverage") > 0.3).astype(float)})
    frame = panel.frame
    setting = {"all": None, "NYSE": frame["exchange"] == "NYSE", "mask": frame["flag"] == 1}[rule]
    name = {"mask": "flag"}.get(rule, rule)
    strata = quantile_sort(panel, "signal", n=n, breakpoints=name)
    parts = [
        cut(group["signal"], probs, None if setting is None else setting[group.index])
        for _, group in frame.groupby("date")
    ]
    equal(strata, pd.concat(parts))
    assert strata.ordered
    assert strata.n == len(probs) + 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=4, max_size=40), st.integers(2, 4), st.integers(0, 2**20)
)
def test_ties_go_to_the_upper_side(values, n, seed):
    panel = Panel(
        pd.DataFrame(
            {
                "date": "2020-01-31",
                "asset": [f"A{i}" for i in range(len(values))],
                "x": np.array(values, dtype=float) / 8,
            }
        ).sample(frac=1.0, random_state=seed),
        freq="M",
    )
    strata = quantile_sort(panel, "x", n=n)
    want = cut(panel.frame["x"], [i / n for i in range(1, n)])
    assert (strata.labels - want.reindex(strata.labels.index)).abs().max() <= 0


def test_thin_dates_are_skipped_and_counted(market):
    strata = quantile_sort(market, "signal", n=5, min_assets=15)
    counts = market.frame["signal"].groupby("date").count()
    assert set(strata.dates) == set(counts.index[counts >= 15])
    note = next(n for n in strata.notes if "fewer than 15" in n.rule)
    assert note.count == (counts < 15).sum()
    assert any("without signal" in n.rule for n in strata.notes)


def test_ties_that_empty_a_stratum_are_reported():
    panel = Panel(
        pd.DataFrame({"date": "2020-01-31", "asset": list("ABCD"), "x": [0.0, 0, 0, 1]}), freq="M"
    )
    strata = quantile_sort(panel, "x", n=4)
    assert any("ties" in n.rule and n.count == 1 for n in strata.notes)


def test_a_sort_within_groups_is_neutral_to_them(market):
    by_column = quantile_sort(market, "signal", n=2, within="industry")
    frame = market.frame
    parts = [
        cut(group["signal"], [0.5])
        for _, group in frame.groupby(["date", "industry"], observed=True)
    ]
    equal(by_column, pd.concat(parts))
    codes = pd.Series(market.categorical("industry").codes + 1, index=frame.index)
    as_strata = quantile_sort(market, "signal", n=2, within=Strata(codes, ordered=False))
    assert as_strata.labels.equals(by_column.labels)


def test_within_uses_the_latest_labels_known(market):
    june = quantile_sort(market, "leverage", n=2, rebalance=6)
    strata = quantile_sort(market, "signal", n=2, within=june)
    labels = june.wide().astype(float)
    parts = []
    for date, group in market.frame.groupby("date"):
        known = labels.index[labels.index <= date]
        if not len(known):
            continue
        of = labels.loc[known[-1]].reindex(group.index.get_level_values("asset")).to_numpy()
        if (date - known[-1]).days > 372 and len(known) > 1:
            continue
        parts += [cut(group["signal"][of == k], [0.5]) for k in (1, 2)]
    equal(strata, pd.concat(parts))


@pytest.mark.parametrize("kind", ["independent", "dependent"])
def test_double_sort_equals_numpy(market, kind):
    strata = double_sort(
        market, "market_cap", "signal", n=(2, (0.3, 0.7)), kind=kind, breakpoints="NYSE"
    )
    frame = market.frame
    nyse = frame["exchange"] == "NYSE"
    parts = []
    for _, group in frame.groupby("date"):
        one = cut(group["market_cap"], [0.5], nyse[group.index])
        if kind == "independent":
            two = cut(group["signal"], [0.3, 0.7], nyse[group.index])
        else:
            pieces = [
                cut(sub["signal"], [0.3, 0.7], nyse[sub.index])
                for sub in (group[one == 1], group[one == 2])
            ]
            two = pd.concat(pieces).reindex(group.index)
        parts.append((one - 1) * 3 + two)
    equal(strata, pd.concat(parts))
    assert strata.names[1] == "market_cap1 signal1"
    assert strata.names[6] == "market_cap2 signal3"


def test_three_way_sort(market):
    strata = joint_sort(market, ("market_cap", "signal", "leverage"), n=(2, 2, 2))
    parts = [
        (cut(g["market_cap"], [0.5]) - 1) * 4
        + (cut(g["signal"], [0.5]) - 1) * 2
        + cut(g["leverage"], [0.5])
        for _, g in market.frame.groupby("date")
    ]
    equal(strata, pd.concat(parts))
    assert strata.n == 8


def test_screens_are_stated_and_counted(market):
    panel = market.assign({"price": np.linspace(1, 20, len(market))})
    screen = Screen(exclude_industries=("Financials",), min_price=5.0, micro_caps=0.2)
    strata = quantile_sort(panel, "signal", n=2, where=screen)
    frame = panel.frame
    small = frame["market_cap"].where(frame["exchange"] == "NYSE").groupby("date").quantile(0.2)
    size = frame["market_cap"]
    keep = (
        (frame["industry"] != "Financials")
        & (frame["price"] >= 5)
        & (size >= small.reindex(frame.index.get_level_values("date")).to_numpy())
    )
    parts = [cut(g["signal"].where(keep[g.index]), [0.5]) for _, g in frame.groupby("date")]
    equal(strata, pd.concat(parts))
    assert len([n for n in strata.notes if n.action == "not sorted"]) == 3


def test_june_only_and_no_dates_of_its_own_when_cut_in_mid_month(market):
    assert {d.month for d in quantile_sort(market, "signal", rebalance=6, n=2).dates} == {6}
    days = pd.bdate_range("2020-01-01", "2020-03-31")
    whole = days[formation_dates(days, "M")]
    assert list(whole.strftime("%m-%d")) == ["01-31", "02-28", "03-31"]
    cut_days = days[days <= "2020-03-17"]
    assert list(cut_days[formation_dates(cut_days, "M")]) == list(whole[:2])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 1}, ConfigError, "at least 2"),
        ({"n": (0.7, 0.3)}, ConfigError, "ascend"),
        ({"n": 2.5}, ConfigError, "whole number"),
        ({"breakpoints": "LSE"}, ConfigError, "NYSE"),
        ({"rebalance": "F"}, ConfigError, "months"),
        ({"rebalance": 13}, ConfigError, "1 to 12"),
        ({"min_assets": 10_000}, InputDataError, "no asset"),
        ({"within": "signal"}, InputDataError, "not categories"),
        ({"where": np.ones(3, dtype=bool)}, InputDataError, "shape"),
    ],
)
def test_what_cannot_be_is_said(market, options, error, words):
    with pytest.raises(error, match=words):
        quantile_sort(market, "signal", **options)


def test_whole_numbers_of_numpy_are_whole_numbers(market):
    want = quantile_sort(market, "signal", n=2, rebalance=6).labels
    got = quantile_sort(market, "signal", n=np.int64(2), rebalance=np.int64(6)).labels
    pd.testing.assert_series_equal(got, want)
    one_for_all = double_sort(market, "signal", "leverage", n=2).labels
    pd.testing.assert_series_equal(
        one_for_all, double_sort(market, "signal", "leverage", n=(2, 2)).labels
    )
    for n in ((0.3, float("nan")), (0.3, None), 0.5):
        with pytest.raises(ConfigError, match="whole number or percentiles"):
            quantile_sort(market, "signal", n=n)
    with pytest.raises(ConfigError, match="1 to 12"):
        quantile_sort(market, "signal", n=2, rebalance=True)


def test_renaming_assets_renames_labels(make_market):
    frame = make_market(2)
    names = sorted(frame["asset"].unique())
    new = dict(zip(names, names[::-1]))
    left = quantile_sort(Panel(frame, freq="M"), "signal").wide()
    right = quantile_sort(Panel(frame.assign(asset=frame["asset"].map(new)), freq="M"), "signal")
    assert left.rename(columns=new).sort_index(axis=1).equals(right.wide())
