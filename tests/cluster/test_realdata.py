"""The pipeline on one fiscal year of S&P 500 companies: noise is called noise."""

import pytest

from alphastrata import data, features
from alphastrata.cluster import deep_clusterer, experiments, null_test


@pytest.fixture(scope="module")
def market(real_data):
    return data.read_panel(real_data / "nyse", lag="4M")


def cross_section(market, groups):
    names = [name for names in groups.values() for name in names]
    X = features.compute(market, names).at("2015-12-31")[names]
    return X[X.notna().mean(axis=1) > 0.5]


GROUPS = {
    "original": ["market_cap", "price_to_book", "price_to_earnings", "eps", "roe", "volatility"],
    "extension": ["current_assets", "current_liabilities", "sales", "net_income", "net_cash_flow"],
    "price": ["ret_mean_1m", "ret_mean_6m", "ret_std_1m", "ret_std_6m"],
}


@pytest.mark.realdata
def test_the_eight_experiments_run_on_a_fiscal_year(market):
    X = cross_section(market, GROUPS)
    found = experiments(X, GROUPS, clusters=(3, 6), seeds=1, schedule="short")
    assert len(X) > 400
    table = found.table()
    assert table.shape == (8, 2)
    assert table.to_numpy().min() > 0.25
    # What looks like clusters on the map is hardly there in the characteristics.
    assert found.table(space="input").to_numpy().max() < table.to_numpy().min()
    assert len(set(found.names().values())) == found.best().k


@pytest.mark.realdata
def test_the_silhouette_on_the_map_is_what_noise_scores(market):
    X = cross_section(market, {k: GROUPS[k] for k in ("original", "extension")})
    model = deep_clusterer(n_clusters=6, schedule="short").set_params(autoencoder__epochs=20)
    found = null_test(model, X, nulls=["copula"], draws=9)
    assert found.observed["silhouette_embedding"] > 0.3
    assert abs(found.calibrated["copula", "silhouette_embedding"]) < 3
