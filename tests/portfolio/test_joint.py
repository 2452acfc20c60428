"""Factors of joint sorts, soft legs and distances, beside brute-force constructions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import (
    Overlapping,
    Quantile,
    Screen,
    Soft,
    centroid_distances,
    factor,
    holdings,
    joint_factor,
    joint_holdings,
    joint_sort,
    long_short,
    quantile_sort,
    run_backtest,
    soft_holdings,
    soft_long_short,
)

DATES = pd.date_range("2001-01-31", periods=14, freq="ME")
ASSETS = [f"A{i:02d}" for i in range(60)]


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(7)

    def wide(values):
        return pd.DataFrame(values, DATES, ASSETS)

    shape = (len(DATES), len(ASSETS))
    lev = rng.random(shape)
    lev[rng.random(shape) < 0.05] = np.nan
    ret = rng.normal(0, 0.05, shape)
    ret[rng.random(shape) < 0.03] = np.nan
    return Panel.from_wide(
        {
            "ret": wide(ret),
            "market_cap": wide(rng.exponential(10, shape)),
            "lev": wide(lev),
            "liq": wide(rng.random(shape)),
            "price": wide(rng.uniform(1, 50, shape)),
        },
        freq="M",
    )


def test_a_two_by_three_is_the_size_neutral_factor(panel):
    cells = joint_sort(panel, ("market_cap", "lev"), n=(2, (0.3, 0.7)))
    ours = joint_factor(cells, panel, last=3, long="low", name="lev")
    same = factor(panel, "lev", long="low")
    pd.testing.assert_frame_equal(ours.frame, same.frame)
    pd.testing.assert_frame_equal(ours.turnover, same.turnover)


def test_three_way_by_hand(panel):
    cells = joint_sort(panel, ("market_cap", "liq", "lev"), n=(2, 2, 3), kind="dependent")
    ours = joint_factor(cells, panel, last=3, weighting="value").frame["joint"]
    labels, ret, cap = cells.wide(), panel.wide("ret"), panel.wide("market_cap")
    for before, date in zip(DATES[:-1], DATES[1:], strict=True):
        ends = []
        for side in (3, 1):
            means = []
            for cell in range(4):
                held = labels.loc[before][labels.loc[before] == 3 * cell + side].index
                r, w = ret.loc[date, held], cap.loc[before, held]
                w = w[r.notna()]
                means.append((w * r.dropna()).sum() / w.sum())
            ends.append(np.mean(means))
        assert ours[date] == pytest.approx(ends[0] - ends[1], abs=1e-14)


def test_weights_of_the_joint_factor_earn_it(panel):
    whole = panel.assign({"ret": np.nan_to_num(panel.values("ret"))})
    cells = joint_sort(whole, ("market_cap", "lev"), n=(2, 3))
    held = joint_holdings(cells, whole, last=3).weights.unstack("asset").droplevel("portfolio")
    earned = (held.shift(1).fillna(0.0) * whole.wide("ret")[held.columns]).sum(axis=1).iloc[1:]
    want = joint_factor(cells, whole, last=3).frame["joint"]
    np.testing.assert_allclose(earned.to_numpy(), want.to_numpy(), atol=1e-14)


def test_screens_percentiles_and_cohorts_reach_factors(panel):
    screen = Screen(min_price=10.0)
    ours = factor(panel, "lev", method=Quantile((0.3, 0.7)), where=screen, hold=Overlapping(3))
    strata = quantile_sort(panel, "lev", n=(0.3, 0.7), where=screen)
    want = long_short(strata, panel, hold=Overlapping(3), name="lev")
    pd.testing.assert_frame_equal(ours.frame, want.frame)
    price, lev = panel.wide("price"), panel.wide("lev")
    ranked = factor(panel, "lev", method="rank", where=screen, name="r").frame["r"]
    x = lev.where(price >= 10.0).iloc[3].rank().dropna()
    weight = x - x.mean()
    ret = panel.wide("ret").iloc[4][x.index]
    sides = [weight[(weight * s > 0) & ret.notna()] for s in (1, -1)]
    legs = [(w * ret[w.index]).sum() / w.sum() for w in sides]
    assert ranked.iloc[3] == pytest.approx(legs[0] - legs[1], abs=1e-14)


def test_strata_that_are_no_cells_are_refused(panel):
    with pytest.raises(ConfigError, match="whole groups"):
        joint_factor(quantile_sort(panel, "lev", n=5), panel, last=3)


def memberships(seed=3):
    rng = np.random.default_rng(seed)
    key = pd.MultiIndex.from_product([DATES[[0, 5, 10]], ASSETS], names=["date", "asset"])
    chances = rng.dirichlet([0.5] * 3, len(key))
    return Strata(
        pd.Series(chances.argmax(axis=1) + 1, key),
        ordered=False,
        probabilities=pd.DataFrame(chances, key, [1, 2, 3]),
    )


@pytest.mark.parametrize("base", ["equal", "value"])
def test_soft_legs_by_hand(panel, base):
    strata = memberships()
    found = soft_long_short(strata, panel, rank_by="lev", weighting=Soft(base))
    ret, cap, lev = (panel.wide(c) for c in ("ret", "market_cap", "lev"))
    for before, date in zip(DATES[:-1], DATES[1:], strict=True):
        formed = strata.dates[strata.dates <= before][-1]
        label = strata.wide().loc[formed]
        p = strata.probabilities.loc[formed]
        first = cap.loc[formed] if base == "value" else cap.loc[formed] * 0 + 1
        there = lev.loc[formed].notna()
        score = [np.average(lev.loc[formed][there & (label == k)],
                            weights=first[there & (label == k)]) for k in (1, 2, 3)]  # fmt: skip
        top, bottom = int(np.argmax(score)) + 1, int(np.argmin(score)) + 1
        weight = cap.loc[before] if base == "value" else cap.loc[before] * 0 + 1
        known = ret.loc[date].notna()
        leg = [np.average(ret.loc[date][known], weights=(p[k] * weight)[known])
               for k in (top, bottom)]  # fmt: skip
        assert found.frame.loc[date, "long_short"] == pytest.approx(leg[0] - leg[1], abs=1e-14)
    # The first trade buys both legs whole; the next ones only set equal weights again.
    assert found.turnover["long_short"].iloc[0] == pytest.approx(1.0)
    if base == "equal":
        assert (found.turnover["long_short"].iloc[1:5] < 0.1).all()


@pytest.mark.parametrize("base", ["equal", "value"])
@pytest.mark.parametrize("hold", [None, Overlapping(2)])
def test_accounts_of_soft_legs_earn_the_soft_factor(panel, base, hold):
    whole = panel.assign({"ret": np.nan_to_num(panel.values("ret"))})
    strata, soft = memberships(), Soft(base)
    held = soft_holdings(strata, whole, rank_by="lev", weighting=soft, hold=hold)
    assert held.legs == "netted"
    want = soft_long_short(
        strata, whole, rank_by="lev", weighting=soft, hold=hold, missing="zero"
    ).frame["long_short"]
    gross = run_backtest(held, whole).gross["long_short"]
    # Until holdings drift: on the date after each formation.
    after = whole.dates[whole.dates.get_indexer(held.dates) + 1]
    np.testing.assert_allclose(gross[after], want[after], atol=1e-14)
    alone = soft_holdings(strata, whole, rank_by="lev", weighting=soft, hold=hold, legs="long")
    assert alone.legs == "long_only"
    assert (alone.weights > 0.0).all()


def test_hard_memberships_are_the_hard_factor(panel):
    labels = memberships().labels
    certain = pd.get_dummies(labels).astype(float)
    certain.columns = [1, 2, 3]
    strata = Strata(labels, ordered=False, probabilities=certain)
    soft = soft_long_short(strata, panel, rank_by="lev")
    hard = long_short(strata, panel, rank_by="lev", weighting="equal")
    np.testing.assert_allclose(soft.frame, hard.frame, atol=1e-15)
    np.testing.assert_allclose(soft.turnover, hard.turnover, atol=1e-15)
    held = soft_holdings(strata, panel, rank_by="lev")
    want = holdings(strata, panel, rank_by="lev", weighting="equal")
    np.testing.assert_allclose(held.weights.unstack(), want.weights.unstack(), atol=1e-15)


def test_soft_needs_memberships(panel):
    hard = Strata(memberships().labels, ordered=False)
    with pytest.raises(InputDataError, match="no membership probabilities"):
        soft_long_short(hard, panel, rank_by="lev")


def test_distances_by_hand(panel):
    strata = memberships()
    found = centroid_distances(strata, panel, ["lev", "liq"]).wide("distance")
    ranks = {c: panel.wide(c).rank(axis=1) for c in ("lev", "liq")}
    z = {c: r.sub(r.mean(axis=1), axis=0).div(r.std(axis=1, ddof=0), axis=0)
         for c, r in ranks.items()}  # fmt: skip
    for date in DATES:
        known = strata.dates[strata.dates <= date]
        # Labels live until the next formation date, no longer than the longest gap so far.
        if date > strata.dates[-1] + pd.Timedelta(days=160):
            assert found.loc[date].isna().all()
            continue
        label = strata.wide().loc[known[-1]]
        centres = {c: z[c].loc[known[-1]].groupby(label).mean() for c in z}
        gaps = pd.DataFrame({c: z[c].loc[date] - label.map(centres[c]) for c in z})
        want = np.sqrt((gaps**2).mean(axis=1))
        np.testing.assert_allclose(found.loc[date], want.astype(float), atol=1e-12)


def test_distances_know_nothing_later(panel):
    t = DATES[7]
    before = centroid_distances(memberships(), panel, ["lev", "liq"])
    late = np.asarray(panel.date_codes > 7)
    spoiled = panel.assign({"lev": np.where(late, -panel.values("lev"), panel.values("lev"))})
    labels = memberships().labels.astype("int64")
    other = labels.where(labels.index.get_level_values("date") <= t, labels % 3 + 1)
    after = centroid_distances(Strata(other, ordered=False), spoiled, ["lev", "liq"])
    early = ~late
    same = before.values("distance")[early], after.values("distance")[early]
    assert same[0].tobytes() == same[1].tobytes()
    assert not np.array_equal(before.values("distance")[late], after.values("distance")[late])


def test_distances_do_not_depend_on_names(panel):
    order = np.random.default_rng(0).permutation(len(ASSETS))
    names = dict(zip(ASSETS, [f"B{i:02d}" for i in order], strict=True))
    strata = memberships()
    renamed = Strata(strata.labels.rename(names, level="asset").sort_index(), ordered=False)
    other = Panel(panel.frame.rename(names, level="asset"), freq="M")
    ours = centroid_distances(strata, panel, ["lev", "liq"]).wide("distance").rename(columns=names)
    theirs = centroid_distances(renamed, other, ["lev", "liq"]).wide("distance")[ours.columns]
    assert ours.to_numpy().tobytes() == theirs.to_numpy().tobytes()
