"""The simulated market: adds up, is known in time, and gives back what was planted."""

import time

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.bydate import rank, standardize
from alphastrata.data import SimulationOptions, as_of, simulate_market
from alphastrata.errors import ConfigError

STOCKS = [
    "current_assets", "current_liabilities", "cash", "short_term_investments", "receivables",
    "inventory", "total_assets", "long_term_debt", "short_term_debt", "total_liabilities",
    "accounts_payable", "book_equity",
]  # fmt: skip
FLOWS = [
    "sales", "cost_of_goods_sold", "gross_profit", "sga", "operating_income",
    "non_operating_income", "interest_expense", "income_taxes", "net_income", "eps",
    "depreciation_amortization", "equity_in_net_loss", "inventory_decrease",
    "capital_expenditures", "change_short_term_investments", "net_cash_flow",
    "operating_cash_flow", "dividends",
]  # fmt: skip
MARKET = ["ret", "price", "volume", "shares", "market_cap", "exchange", "industry"]


@pytest.fixture(scope="module")
def market():
    return simulate_market(300, "1998-01-31", 96, seed=3)


def slopes(market, names):
    """Fama-MacBeth by hand: one least-squares fit per month on last month's z."""
    panel = market.panel.assign({name: market.truth.z[name] for name in names})
    X = panel.select(names).lag().matrix(names)
    y = panel.values("ret")
    by_month = []
    for first, last in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        ok = np.isfinite(y[first:last]) & np.isfinite(X[:, first:last]).all(axis=0)
        if ok.sum() > 20:
            A = np.column_stack([np.ones(ok.sum()), X[:, first:last][:, ok].T])
            by_month.append(np.linalg.lstsq(A, y[first:last][ok], rcond=None)[0][1:])
    return np.array(by_month)


def test_panel_has_every_canonical_column(market):
    assert set(market.panel.columns) == {
        *MARKET, *STOCKS, *FLOWS, "period_end_age", "known_age"
    }  # fmt: skip
    assert market.panel.freq == "M"
    assert len(market.panel.dates) == 96
    assert str(market.panel.dates[0].date()) == "1998-01-31"


def test_accounts_add_up(market):
    s = market.statements
    np.testing.assert_allclose(s["total_liabilities"] + s["book_equity"], s["total_assets"])
    np.testing.assert_allclose(
        (s["sales"] - s["cost_of_goods_sold"]).dropna(), s["gross_profit"].dropna()
    )
    full = s.dropna()
    np.testing.assert_allclose(
        full["operating_income"],
        full["gross_profit"] - full["sga"] - full["depreciation_amortization"],
        rtol=1e-9,
        atol=1e-3,
    )
    np.testing.assert_allclose(
        full["net_income"],
        full["operating_income"] + full["non_operating_income"] - full["interest_expense"]
        - full["income_taxes"] - full["equity_in_net_loss"],
        rtol=1e-9,
        atol=1e-3,
    )  # fmt: skip
    assert (full["current_assets"] <= full["total_assets"]).all()
    assert (full["current_liabilities"] <= full["total_liabilities"]).all()
    parts = ["cash", "short_term_investments", "receivables", "inventory"]
    assert (full[parts].sum(axis=1) <= full["current_assets"]).all()
    owed = full["short_term_debt"] + full["accounts_payable"]
    assert (owed <= full["current_liabilities"]).all()
    long = full["total_liabilities"] - full["current_liabilities"]
    assert (full["long_term_debt"] <= long * (1 + 1e-12)).all()
    assert (full[["total_assets", "sales", "book_equity", "cash"]] > 0).all().all()


def test_prices_shares_and_returns_agree(market):
    frame = market.panel.frame
    np.testing.assert_allclose(frame["price"] * frame["shares"], frame["market_cap"])
    price = market.panel.wide("price")
    ret = market.panel.wide("ret")
    # Outside splits, which halve the price, it moves with the return less the dividend.
    gap = (price / price.shift() / (1 + ret)).stack().dropna()
    split = gap < 0.6
    assert 0 < split.sum() < 0.02 * len(gap)
    assert gap[~split].between(0.99, 1.0 + 1e-9).all()
    assert ret.min().min() >= -1


def test_statements_are_known_45_to_120_days_after_their_period(market):
    s = market.statements
    original = s.drop_duplicates(["asset", "period_end"])
    days = (original["known_at"] - original["period_end"]).dt.days
    assert days.between(45, 120).all()
    again = s[s.duplicated(["asset", "period_end"])]
    assert 0.01 < len(again) / len(s) < 0.06
    both = again.merge(original, on=["asset", "period_end"], suffixes=("", "_first"))
    assert (both["known_at"] > both["known_at_first"]).all()
    assert (both["sales"] != both["sales_first"]).all()


def test_panel_is_the_as_of_join_of_the_statements(market):
    trades = np.isfinite(market.panel.values("price"))
    prices = market.panel.select(MARKET).where(trades)
    joined = as_of(prices, market.statements)
    for name in [*STOCKS, *FLOWS, "period_end_age", "known_age"]:
        np.testing.assert_array_equal(joined.values(name), market.panel.values(name)[trades])


def test_z_and_expected_alpha_follow_from_the_panel(market):
    panel, truth = market.panel, market.truth
    shown = {
        "liquidity": panel.values("current_assets") / panel.values("current_liabilities"),
        "leverage": panel.values("total_liabilities") / panel.values("total_assets"),
        "operating_efficiency": panel.values("cost_of_goods_sold") / panel.values("sales"),
    }
    trades = np.isfinite(panel.values("price"))
    total = np.zeros(trades.sum())
    for name, values in shown.items():
        z = np.nan_to_num(standardize(rank(values, panel.offsets), panel.offsets))[trades]
        np.testing.assert_allclose(truth.z[name], z, atol=1e-12)
        total += truth.premia[name] * z
    np.testing.assert_allclose(truth.expected_alpha, total, atol=1e-12)
    assert truth.labels.index.equals(truth.z.index)
    assert len(truth.labels) == trades.sum()


def test_events_match_the_panel(market):
    events, ret = market.truth.events, market.panel.wide("ret")
    assert set(events["event"]) == {"entry", "exit", "delisting", "migration", "restatement"}
    price = market.panel.wide("price")
    for _, row in events[events["event"] == "delisting"].iterrows():
        after = price.loc[row["date"] :, row["asset"]]
        assert after.isna().all()
        if row["value"] == -1.0:
            assert ret.loc[row["date"], row["asset"]] in (-1.0, np.nan)
    for _, row in events[events["event"] == "entry"].iterrows():
        assert price[row["asset"]].first_valid_index() == row["date"]
        assert np.isnan(ret.loc[row["date"], row["asset"]])
    labels = market.truth.labels
    moved = events[events["event"] == "migration"]
    for _, row in moved.iterrows():
        if (row["date"], row["asset"]) in labels.index:
            assert labels[row["date"], row["asset"]] == row["value"]
    again = events[events["event"] == "restatement"]
    known = market.statements.set_index(["asset", "period_end", "known_at"]).index
    assert all((r.asset, r.period_end, r.date) in known for r in again.itertuples())


def test_some_failures_lose_everything():
    options = SimulationOptions(failure_rate=0.1)
    market = simulate_market(300, periods=60, options=options, seed=1)
    lost = market.truth.events.query("event == 'delisting'")["value"]
    assert (lost == -1).any()
    assert -0.75 < lost.mean() < -0.3
    assert market.panel.values("ret")[np.isfinite(market.panel.values("ret"))].min() == -1.0


def test_planted_premia_come_back_at_the_nominal_rate():
    """40 markets, 3 premia each: 95% intervals cover about 95% of the truth."""
    scores = []
    for seed in range(40):
        market = simulate_market(200, "1995-01-31", 72, seed=seed)
        names = list(market.truth.premia)
        gamma = slopes(market, names)
        error = gamma.std(axis=0, ddof=1) / len(gamma) ** 0.5
        scores.append((gamma.mean(axis=0) - np.array(list(market.truth.premia.values()))) / error)
    covered = np.mean(np.abs(scores) < 1.96)
    # 120 intervals: the standard error of the coverage is 2 percentage points.
    assert 0.89 <= covered <= 0.995
    assert np.abs(np.mean(scores)) < 0.25


def test_absent_premia_are_not_found():
    none = {"liquidity": 0.0, "leverage": 0.0, "operating_efficiency": 0.0}
    found = []
    for seed in range(10):
        market = simulate_market(200, "1995-01-31", 72, premia=none, seed=seed)
        gamma = slopes(market, list(none))
        found.extend(gamma.mean(axis=0) / gamma.std(axis=0, ddof=1) * len(gamma) ** 0.5)
        assert (market.truth.expected_alpha == 0).all()
    assert np.mean(np.abs(found) > 1.96) < 0.2


def test_betas_come_back_from_time_series_regressions(market):
    ret = market.panel.wide("ret")
    long = ret.columns[ret.notna().sum() > 80]
    factors = market.factors.frame
    estimated, planted = [], []
    for asset in long:
        y = (ret[asset] - market.factors.risk_free).to_numpy()
        ok = np.isfinite(y)
        A = np.column_stack([np.ones(ok.sum()), factors.to_numpy()[ok]])
        estimated.append(np.linalg.lstsq(A, y[ok], rcond=None)[0][1:])
        planted.append(market.truth.betas.loc[asset])
    error = np.array(estimated) - np.array(planted)
    bound = 4 * error.std(axis=0) / len(long) ** 0.5
    assert (np.abs(error.mean(axis=0)) < bound).all()
    assert np.corrcoef(np.array(estimated)[:, 0], np.array(planted)[:, 0])[0, 1] > 0.5


def test_tails_are_fat(market):
    ret = market.panel.wide("ret").iloc[:, :200]
    z = (ret - ret.mean()) / ret.std()
    assert z.stack().kurt() > 1.0


def test_strata_lie_on_a_manifold_that_kmeans_cuts_wrongly():
    """A t-SNE map, then K-means, finds the strata; K-means on the ratios does not."""
    from openTSNE import TSNE
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from sklearn.preprocessing import StandardScaler

    market = simulate_market(450, "2005-01-31", 12, seed=0)
    date = market.panel.dates[-1]
    x = market.panel.at(date).query("price == price")
    a, c, s = x["total_assets"], x["current_assets"], x["sales"]
    data = {
        "liquidity": c / x["current_liabilities"], "leverage": x["total_liabilities"] / a,
        "efficiency": x["cost_of_goods_sold"] / s, "debt": x["long_term_debt"] / a,
        "cash": x["cash"] / a, "inventory": x["inventory"] / a, "turnover": s / a,
        "payables": x["accounts_payable"] / a, "sga": x["sga"] / s,
        "receivables": x["receivables"] / a, "capex": x["capital_expenditures"] / a,
        "wear": x["depreciation_amortization"] / a, "value": x["book_equity"] / x["market_cap"],
        "size": np.log(x["market_cap"]), "profit": x["operating_income"] / a,
    }  # fmt: skip
    ratios = pd.DataFrame(data)
    X = StandardScaler().fit_transform(np.arcsinh(ratios.fillna(ratios.median())))
    truth = market.truth.labels.xs(date).reindex(x.index).astype(int)
    plain = KMeans(6, n_init=3, random_state=0).fit_predict(X)
    layout = TSNE(perplexity=30, n_iter=300, random_state=0, n_jobs=1).fit(X)
    deep = KMeans(6, n_init=3, random_state=0).fit_predict(np.asarray(layout))
    assert adjusted_rand_score(truth, deep) > 0.8
    assert adjusted_rand_score(truth, plain) < adjusted_rand_score(truth, deep) - 0.1


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    one, two = (simulate_market(60, periods=24, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.panel.frame, two.panel.frame, check_exact=True)
    pd.testing.assert_frame_equal(one.statements, two.statements, check_exact=True)
    other = simulate_market(60, periods=24, seed=6)
    assert not one.truth.betas.equals(other.truth.betas)


def test_annual_statements_and_one_stratum():
    options = SimulationOptions(statement_months=12, entry_share=0.0, failure_rate=0.0)
    market = simulate_market(40, periods=36, n_strata=1, options=options)
    gaps = market.statements.drop_duplicates(["asset", "period_end"]).groupby("asset")[
        "period_end"
    ].diff().dropna()  # fmt: skip
    assert gaps.dt.days.between(365, 366).all()
    assert (market.truth.labels == 1).all()


def test_nothing_is_missing_before_a_first_statement_is_known(market):
    trades = np.isfinite(market.panel.values("price"))
    assert np.isfinite(market.panel.values("total_assets")[trades]).all()
    share = np.isnan(market.panel.values("current_assets")[trades]).mean()
    assert 0.01 < share < 0.06


def test_nyse_share(market):
    exchange = market.panel.frame["exchange"].groupby("asset").first()
    assert abs((exchange == "NYSE").mean() - 0.4) < 0.01


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: simulate_market(1), "n_assets"),
        (lambda: simulate_market(10, periods=1), "periods"),
        (lambda: simulate_market(10, "2016-01-31", 60), "bundled factors"),
        (lambda: simulate_market(10, "1930-01-31", 12), "bundled factors"),
        (lambda: simulate_market(10, premia={"beauty": 0.1}), "beauty"),
        (lambda: simulate_market(10, n_strata=0), "n_strata"),
        (lambda: SimulationOptions(statement_months=6), "statement_months"),
        (lambda: SimulationOptions(missing_rate=1.5), "missing_rate"),
        (lambda: SimulationOptions(filing_lag=(90, 30)), "filing_lag"),
    ],
)
def test_refusals_name_the_rule(call, word):
    with pytest.raises(ConfigError, match=word):
        call()


def test_three_thousand_assets_by_240_months_in_seconds():
    begin = time.process_time()
    market = simulate_market(3000, "1990-01-31", 240)
    assert time.process_time() - begin < 10
    assert len(market.panel) > 300_000


@pytest.mark.parametrize("failure_rate", [0.0, 0.15])
def test_expected_alpha_is_what_factors_do_not_explain_on_average(failure_rate):
    """Also where many fail: those that survive are paid for the risk."""
    options = SimulationOptions(failure_rate=failure_rate, missing_rate=0.0)
    gaps = []
    for seed in range(6):
        market = simulate_market(400, "1990-01-31", 120, options=options, seed=seed)
        panel, truth = market.panel, market.truth
        alpha = panel.assign({"alpha": truth.expected_alpha}).lag(["alpha"]).values("alpha")
        factors = market.factors.frame.to_numpy()[panel.date_codes]
        betas = truth.betas.reindex(panel.assets).to_numpy()[panel.asset_codes]
        rate = market.factors.risk_free.to_numpy()[panel.date_codes]
        left = panel.values("ret") - rate - (betas * factors).sum(axis=1) - alpha
        by_month = pd.Series(left).groupby(panel.date_codes).mean().dropna()
        gaps.append(by_month.mean() / by_month.std() * len(by_month) ** 0.5)
    assert abs(np.mean(gaps)) < 2.6 / len(gaps) ** 0.5
