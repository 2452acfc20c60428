"""What studies may say of portfolios reaches factors, accounts and the page as the API has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata import data, features, portfolio
from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.study import parse_config, read_config, run
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import read_manifest
from alphastrata.study.plan import shares
from alphastrata.study.settings import ClusterConfig
from alphastrata.study.stages.spreads import spread

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "portfolios.toml"


def stage(out, name):
    """The artefacts of the one stage of that name."""
    (folder,) = (out / "stages").glob(f"{name}-*")
    return load(folder)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example that ships, on a smaller market."""
    out = tmp_path_factory.mktemp("portfolios")
    text = EXAMPLE.read_text(encoding="utf-8")
    small = text.replace("n_assets = 300", "n_assets = 120").replace(
        "periods = 120", "periods = 72"
    )
    small = small.replace("micro_caps = 0.1", "micro_caps = 0.05")
    return run(parse_config(small), out=out)


@pytest.fixture(scope="module")
def market():
    panel = data.simulate_market(120, "1975-01-31", 72, seed=3).panel
    names = ["liquidity", "leverage", "operating_efficiency", "log_market_cap", "volatility"]
    return panel.join(features.compute(panel, names))


def test_the_stages_of_the_example_are_known_beforehand(example):
    planned = shares(read_config(EXAMPLE))
    assert sorted([*read_manifest(example.out)["stages"], "report"]) == sorted(planned)


def test_factors_of_the_example_are_those_of_the_api(example, market):
    found = pd.read_parquet(example.out / "results" / "spreads-m.parquet").set_index("date")
    clusters: Strata = stage(example.out, "clusters_CLU")["strata"]
    cells = portfolio.joint_sort(
        market, ("market_cap", "leverage"), n=(2, (0.3, 0.7)), breakpoints="NYSE", rebalance=6
    )
    nested = portfolio.joint_sort(market, ("liquidity", "leverage"), n=(3, 3), kind="dependent")
    screen = portfolio.Screen(exclude_industries=("Money",), min_price=5.0, micro_caps=0.05)
    inside = portfolio.quantile_sort(market, "leverage", where=screen, within="industry")
    neutral = portfolio.neutral(market, "leverage", clusters)
    names = ("liquidity", "leverage", "operating_efficiency", "log_market_cap")
    far = portfolio.centroid_distances(clusters, market, names, name="far")
    apart = portfolio.quantile_sort(far, "far", n=(0.2, 0.8))
    want = {
        "LEV 2x3": portfolio.joint_factor(cells, market, last=3, name="f"),
        "LEV in LIQ": portfolio.joint_factor(
            nested, market, last=3, weighting=portfolio.Capped(0.8), name="f"
        ),
        "LEV industry": portfolio.long_short(inside, market, weighting="equal", name="f"),
        "LEV cluster": portfolio.factor(neutral, "leverage", method="rank", name="f"),
        "DIST": portfolio.long_short(apart, market, weighting="equal", name="f"),
        "CLU": portfolio.long_short(
            clusters, market, rank_by=portfolio.Trailing(12), weighting="value", name="f"
        ),
    }
    for name, factor in want.items():
        own = found[name].dropna()
        expected = factor.frame["f"].dropna()
        pd.testing.assert_series_equal(own, expected, check_names=False, check_freq=False)


def test_books_of_the_example_close(example):
    books = pd.read_parquet(example.out / "results" / "accounts.parquet").dropna(subset=["net"])
    assert set(books["factor"]) == {
        "CLU", "LEV 2x3", "LEV in LIQ", "LEV industry", "LEV cluster", "DIST",
    }  # fmt: skip
    gap = books["gross"] - books["trading"] - books["borrow"] - books["net"]
    assert gap.abs().max() < 1e-12
    for _, one in books.groupby("factor"):
        grown = one["wealth"] / one["wealth"].shift(1) - 1.0
        np.testing.assert_allclose(grown.iloc[1:], one["net"].iloc[1:], atol=1e-12)
    # What trades every month has legs of its wealth; what trades each June drifts away from it.
    monthly = books[books["factor"] == "LEV in LIQ"]
    np.testing.assert_allclose(monthly[["long", "short"]], 1.0, atol=1e-12)
    assert books[books["factor"] == "LEV 2x3"]["long"].std() > 0.01


def test_accounts_of_the_example_in_tables(example):
    tables = example.out / "tables"
    money = pd.read_csv(tables / "in-money-per-year-of-wealth.csv", index_col=0)
    np.testing.assert_allclose(2 * money["turnover, one-sided"], money["traded"])
    capacity = pd.read_csv(tables / "in-money-net-return-per-year-by-starting-capital.csv")
    assert (capacity.drop(columns="capital").diff().iloc[1:] < 0).all().all()
    years = pd.read_csv(tables / "in-money-net-return-by-calendar-year.csv", index_col=0)
    books = pd.read_parquet(example.out / "results" / "accounts.parquet").set_index("date")
    lev = books[books["factor"] == "LEV in LIQ"]["net"].dropna()
    want = (1 + lev).groupby(lev.index.year).prod() - 1
    np.testing.assert_allclose(years["LEV in LIQ"].dropna(), want, atol=1e-12)
    regimes = pd.read_csv(tables / "in-money-net-by-regime-mkt-rf.csv")
    months = regimes.groupby("factor")["months"].sum()
    assert months["LEV in LIQ"] == len(lev)
    every = pd.read_parquet(example.out / "results" / "accounts-by-year.parquet")
    mine = every[every["series"] == "LEV in LIQ"].set_index("year")
    np.testing.assert_allclose(mine["hit_rate"], (lev > 0).groupby(lev.index.year).mean())
    losses = pd.read_csv(tables / "in-money-losses-after-costs.csv", index_col=0)
    wealth = (1 + lev).cumprod()
    deepest = (wealth / np.maximum(wealth.cummax(), 1.0) - 1).min()
    assert losses.loc["LEV in LIQ", "drawdown"] == pytest.approx(deepest, abs=1e-12)


def test_alpha_and_beta_are_against_the_market(example):
    table = pd.read_csv(
        example.out / "tables" / "in-money-performance-after-costs-per-year.csv", index_col=0
    )
    books = pd.read_parquet(example.out / "results" / "accounts.parquet").set_index("date")
    net = books[books["factor"] == "LEV in LIQ"]["net"].dropna()
    known = data.bundled_factors()
    excess = net - known.risk_free.reindex(net.index)
    x = known.frame["Mkt-RF"].reindex(net.index)
    beta = np.cov(excess, x)[0, 1] / x.var()
    assert table.loc["LEV in LIQ", "beta"] == pytest.approx(beta, abs=1e-10)
    assert table.loc["LEV in LIQ", "alpha"] == pytest.approx(
        12 * (excess.mean() - beta * x.mean()), abs=1e-10
    )


def test_information_of_the_example(example, market):
    tables = example.out / "tables"
    table = pd.read_csv(tables / "information-coefficients-by-horizon-in-months.csv")
    for how, word in (("spearman", "rank"), ("pearson", "linear")):
        want = portfolio.information_coefficients(market, "leverage", how=how).params
        mine = table[(table["characteristic"] == "leverage") & (table["correlation"] == word)]
        np.testing.assert_allclose(mine["mean"], want, atol=1e-12)
    by_date = pd.read_parquet(example.out / "results" / "information.parquet")
    assert {"1 months", "12 months"} <= set(by_date)
    # One lag for one month: little more than the plain error.
    one = by_date.query("characteristic == 'leverage' and correlation == 'rank'")[
        "1 months"
    ].dropna()
    plain = one.mean() / (one.std() / np.sqrt(len(one)))
    first = table.query("characteristic == 'leverage' and correlation == 'rank'").iloc[0]
    assert first["t"] == pytest.approx(plain, rel=0.3)
    quantiles = pd.read_csv(
        tables / "information-coefficients-return-per-month-of-each-quantile-by-horizon.csv"
    )
    assert len(quantiles) == 8
    strata = portfolio.quantile_sort(market, "leverage", n=5)
    mean = portfolio.horizon_returns(strata, market, horizons=[3])[3]["5"].mean()
    mine = quantiles.query("characteristic == 'leverage' and horizon == 3")["5"].iloc[0]
    assert (1 + mine) ** 3 - 1 == pytest.approx(mean, abs=1e-12)


def test_portfolios_of_the_example_by_date(example, market):
    found = pd.read_parquet(example.out / "results" / "inside-lev-in-liq.parquet")
    nested = portfolio.joint_sort(market, ("liquidity", "leverage"), n=(3, 3), kind="dependent")
    want = portfolio.composition(
        nested, market, columns=["leverage"], weighting=portfolio.Capped(0.8)
    )
    mine = found.set_index(["date", "portfolio"])[list(want)]
    pd.testing.assert_frame_equal(mine, want, check_freq=False)
    page = example.report.read_text(encoding="utf-8")
    titles = ("Inside the portfolios", "Returns to membership in CLU", "Capacity")
    for title in (*titles, "Growth of one unit before and after costs", "What the accounts met"):
        assert title in page


def test_what_sorts_need_comes_before_them(example):
    dummies = pd.read_parquet(example.out / "results" / "dummies-clu.parquet").set_index("date")
    assert dummies.sum(axis=1).abs().max() < 1e-12
    signals: Panel = stage(example.out, "signals")["panel"]
    assert {"distance:CLU", "leverage (rank in CLU)", "dollar_volume"} <= set(signals.columns)
    # Before the first clustering nothing has a distance.
    clusters: Strata = stage(example.out, "clusters_CLU")["strata"]
    early = signals.dates[signals.date_codes] < clusters.dates[0]
    assert np.isnan(signals.values("distance:CLU")[early]).all()


LEAST = """
name = "x"
[data.simulation]
n_assets = 60
periods = 36
"""
SORT = LEAST + '[[sorts]]\nname = "LEV"\nby = "leverage"\n'
CLUSTER = LEAST + (
    '[[clusters]]\nname = "CLU"\nfeatures = ["leverage", "liquidity"]\nrank_by = "leverage"\n'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SORT + "n = [0.7, 0.3]\n", "line 9, sorts.0.n: percentiles ascend"),
        (SORT + "n = [2, 3]\n", "2 entries for 1 characteristics"),
        (SORT + "n = true\n", "n is a number of quantiles"),
        (SORT + "rebalance = 13\n", "a month .6 is June."),
        (SORT + 'kind = "dependent"\n', "needs a second characteristic"),
        (SORT + 'method = "rank"\nwithin = "industry"\n', "take neutral_to"),
        (SORT + 'method = "rank"\nbreakpoints = "NYSE"\n', "has no breakpoints"),
        (SORT + 'weighting = "rank"\n', "needs the column that weighs"),
        (SORT + 'weigh_by = "market_cap"\n', "drop it"),
        (SORT + "cap = 0.9\n", 'only with weighting = "capped"'),
        (SORT + 'weighting = "soft"\n', "is a sort"),
        (SORT + 'neutral = "demean"\n', "say neutral_to"),
        (SORT.replace('"leverage"', '["leverage", "leverage"]'), "distinct characteristics"),
        (
            SORT.replace('"leverage"', '["leverage", "liquidity"]') + 'method = "rank"\n',
            "takes one",
        ),
        (
            SORT.replace('"leverage"', '["leverage", "liquidity"]') + 'within = "industry"\n',
            "first",
        ),
        (SORT.replace('"leverage"', '"distance:CLU"'), "no .*clusters.* table has that name"),
        (SORT + "[costs.impact]\ncoefficient = 1.0\n", "add .backtest."),
        (SORT + '[costs]\nhalf_spread = "s"\n', "add .backtest."),
        (SORT + "[backtest]\ncapacities = [1e6]\n", "add .costs.impact."),
        (SORT + '[backtest]\nlegs = "long"\nbeta = "market_beta"\n', "drop beta"),
        (SORT + '[backtest]\nregimes = ["RMW"]\n', "neither a factor of"),
        (SORT + '[backtest]\nbenchmark = "RMW"\n', "backtest.benchmark: 'RMW' is no factor of"),
        (SORT + "[delistings]\ndefault = -0.3\n", "say where"),
        (SORT + '[delistings]\ncolumn = "d"\ndefault = -0.3\n', "empty cell"),
        (CLUSTER + 'weighting = "soft"\n', "kmeans gives no membership"),
        (CLUSTER.replace('rank_by = "leverage"', 'rank_by = "trailing:"'), "trailing:12"),
    ],
)
def test_impossible_portfolios_are_refused_with_a_remedy(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


def test_prices_alone_cap_and_screen_nothing():
    text = (
        'name = "x"\n[data]\nsource = "yahoo"\ntickers = ["A"]\nstart = "2010"\n'
        '[[sorts]]\nname = "M"\nby = "momentum"\nweighting = "capped"\n'
        "[sorts.screen]\nmicro_caps = 0.2\n"
    )
    with pytest.raises(ConfigError, match=r"caps market cap(.|\n)*screens by market cap"):
        parse_config(text)


def test_groups_that_the_data_lack_are_named_before_clustering(tmp_path):
    config = parse_config(SORT + 'within = "sector"\n')
    with pytest.raises(ConfigError, match="categorical column of the data .exchange, industry."):
        run(config, out=tmp_path)


def test_a_study_is_the_same_when_read_from_its_manifest():
    config = parse_config(EXAMPLE.read_text(encoding="utf-8"))
    assert type(config).model_validate(config.model_dump(mode="json")) == config


def test_soft_weights_of_clusters(tmp_path):
    text = CLUSTER + (
        'clusterer = "gmm"\nautoencoder = false\nembedding = "none"\nn_clusters = 3\n'
        'window = 12\nweighting = "soft"\nnulls = 0\n'
    )
    run(parse_config(text), out=tmp_path)
    strata: Strata = stage(tmp_path, "clusters_CLU")["strata"]
    assert strata.probabilities is not None
    panel: Panel = stage(tmp_path, "features")["panel"]
    want = portfolio.soft_long_short(strata, panel, rank_by="leverage", name="CLU").frame
    found = pd.read_parquet(tmp_path / "results" / "spreads-m.parquet").set_index("date")
    pd.testing.assert_frame_equal(found, want, check_freq=False, check_names=False)
    # Labels alone have none, whatever the settings said.
    config = ClusterConfig(
        name="CLU", features=("leverage", "liquidity"), rank_by="leverage",
        clusterer="gmm", weighting="soft",
    )  # fmt: skip
    hard = Strata(strata.labels, ordered=False, source="labels")
    with pytest.raises(ConfigError, match="CLU has weighting .*labels gives no membership"):
        spread(config, hard, panel, panel)


@pytest.fixture
def folder(tmp_path):
    """A folder of own data with half-spreads, betas and an asset that is delisted."""
    rng = np.random.default_rng(5)
    dates = pd.date_range("2001-01-31", periods=40, freq="ME")
    rows = pd.MultiIndex.from_product([dates, [f"A{i:02d}" for i in range(30)]]).to_frame(
        index=False, name=["date", "asset"]
    )
    n = len(rows)
    rows["ret"] = rng.normal(0.01, 0.05, n)
    rows["market_cap"] = rng.exponential(1e9, n)
    rows["half_spread"] = rng.uniform(0.001, 0.01, n)
    rows["x"] = rng.random(n)
    rows["beta"] = rng.uniform(0.5, 1.5, n)
    rows = rows[(rows["asset"] != "A00") | (rows["date"] <= dates[20])].reset_index(drop=True)
    last = (rows["asset"] == "A00") & (rows["date"] == dates[20])
    rows["gone"] = np.where(last, -1.0, np.nan)
    out = tmp_path / "data"
    out.mkdir()
    rows.to_csv(out / "market.csv", index=False)
    pd.DataFrame({"asset": ["A00"], "date": [dates[20]], "delisting_return": [np.nan]}).to_csv(
        out / "gone.csv", index=False
    )
    return out


OWN = """
name = "own"
[data]
source = "panel"
[[sorts]]
name = "X"
by = "x"
n = 3
weighting = "signal"
weigh_by = "beta"
rebalance = [3, 9]
missing = "zero"
[costs]
half_spread = "half_spread"
[backtest]
beta = "beta"
leverage = 1.5
"""


def test_half_spreads_betas_and_delistings_from_own_data(folder, tmp_path):
    text = OWN + '[delistings]\ncolumn = "gone"\n'
    run(parse_config(text), out=tmp_path / "out", data=folder)
    panel: Panel = stage(tmp_path / "out", "features")["panel"]
    assert panel.wide("ret")["A00"].dropna().iloc[-1] == pytest.approx(-1.0)
    books = pd.read_parquet(tmp_path / "out" / "results" / "accounts.parquet").dropna()
    strata = portfolio.quantile_sort(panel, "x", n=3, rebalance=(3, 9))
    held = portfolio.holdings(strata, panel, weighting="beta")
    want = portfolio.run_backtest(
        held,
        panel,
        costs=portfolio.HalfSpread("half_spread"),
        capital=1_000_000.0,
        sizing=portfolio.Sizing(leverage=1.5, beta="beta"),
    )
    np.testing.assert_allclose(books["net"], want.net.iloc[:, 0].dropna(), atol=1e-14)
    assert books["trading"].sum() > 0


def test_delistings_of_a_file_have_a_default(folder, tmp_path):
    text = OWN + '[delistings]\nfile = "gone.csv"\ndefault = -0.3\n'
    run(parse_config(text), out=tmp_path / "out", data=folder)
    before: Panel = stage(tmp_path / "out", "data")["panel"]
    after: Panel = stage(tmp_path / "out", "features")["panel"]
    old, new = (p.wide("ret")["A00"].dropna().iloc[-1] for p in (before, after))
    assert new == pytest.approx((1 + old) * 0.7 - 1, abs=1e-15)
    with pytest.raises(ConfigError, match="there is no file"):
        run(parse_config(OWN + '[delistings]\nfile = "no.csv"\n'), out=tmp_path / "b", data=folder)
    with pytest.raises(ConfigError, match="delistings.column: 'no' is no column"):
        run(parse_config(OWN + '[delistings]\ncolumn = "no"\n'), out=tmp_path / "c", data=folder)


def test_overlapping_cohorts_and_soft_members_have_accounts(tmp_path):
    """An account holds what is left where they are long and short in one asset."""
    text = CLUSTER + (
        'clusterer = "gmm"\nautoencoder = false\nembedding = "none"\nn_clusters = 3\n'
        'window = 12\nweighting = "soft"\nnulls = 0\n'
        '[[sorts]]\nname = "LEV"\nby = "leverage"\nn = 3\noverlapping = 3\n'
        '[[sorts]]\nname = "LEV 2x3"\nby = ["market_cap", "leverage"]\nn = [2, 3]\n'
        "overlapping = 3\n"
        '[[sorts]]\nname = "LEV rank"\nby = "leverage"\nmethod = "rank"\noverlapping = 3\n'
        "[costs]\nbasis_points = 10\nborrow_fee = 0.01\n[backtest]\ncapital = 1.0\n"
    )
    run(parse_config(text), out=tmp_path)
    panel: Panel = stage(tmp_path, "features")["panel"]
    clusters: Strata = stage(tmp_path, "clusters_CLU")["strata"]
    cohorts = portfolio.Overlapping(3)
    joint = portfolio.joint_sort(panel, ("market_cap", "leverage"), n=(2, 3))
    traded = {
        "CLU": portfolio.soft_holdings(clusters, panel, rank_by="leverage"),
        "LEV": portfolio.holdings(
            portfolio.quantile_sort(panel, "leverage", n=3), panel, hold=cohorts
        ),
        "LEV 2x3": portfolio.joint_holdings(joint, panel, last=3, hold=cohorts),
        "LEV rank": portfolio.factor_holdings(panel, "leverage", method="rank", hold=cohorts),
    }
    books = pd.read_parquet(tmp_path / "results" / "accounts.parquet").dropna()
    assert set(books["factor"]) == set(traded)
    for name, held in traded.items():
        assert held.legs == "netted"
        want = portfolio.run_backtest(
            held, panel, costs=portfolio.BasisPoints(10), borrow_fee=0.01
        ).net.iloc[:, 0]
        mine = books[books["factor"] == name].set_index("date")["net"]
        np.testing.assert_allclose(mine, want.dropna(), atol=1e-14)
    # The page describes the portfolios that are held: every asset is in every cluster.
    inside = pd.read_parquet(tmp_path / "results" / "inside-clu.parquet")
    assert inside.groupby("date")["assets"].nunique().max() == 1


def test_long_legs_of_overlapping_cohorts_earn_the_risk_free_rate(tmp_path):
    text = (
        SORT
        + 'overlapping = 6\nweighting = "equal"\n'
        + ('[backtest]\nlegs = "long"\ncash = "risk_free"\nregimes = ["SMB"]\nbenchmark = "HML"\n')
    )
    run(parse_config(text), out=tmp_path)
    panel: Panel = stage(tmp_path, "features")["panel"]
    strata = portfolio.quantile_sort(panel, "leverage", n=5)
    cohorts = portfolio.Overlapping(6)
    want = portfolio.long_short(strata, panel, weighting="equal", hold=cohorts, name="LEV").frame
    found = pd.read_parquet(tmp_path / "results" / "spreads-m.parquet").set_index("date")
    pd.testing.assert_frame_equal(found, want, check_freq=False, check_names=False)
    books = pd.read_parquet(tmp_path / "results" / "accounts.parquet").dropna()
    assert (books["short"] == 0).all()
    assert books["long"].between(0.99, 1.01).all()
    table = pd.read_csv(tmp_path / "tables" / "in-money-net-by-regime-smb.csv")
    assert set(table["regime"]) == {"SMB down", "SMB up"}
