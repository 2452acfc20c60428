"""Size and industry: measured, projected out, and never passing as more."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import (
    DensityClusterer,
    SignedLog,
    deep_clusterer,
    project_out,
    size_purge,
)
from alphastrata.errors import InputDataError


def model(k=3):
    return make_pipeline(SignedLog(), StandardScaler(), KMeans(k, n_init=3, random_state=0))


def only_size(n=300, seed=0):
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(size=n) * 2 + 5)
    X = size[:, None] ** rng.uniform(0.5, 1.5, 6) * np.exp(0.4 * rng.normal(size=(n, 6)))
    return X, size


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_panel_of_nothing_but_size_does_not_pass(seed):
    X, size = only_size(seed=seed)
    found = size_purge(model(), X, size, draws=19)
    assert found.information.loc["size", "adjusted"] > 0.3
    assert found.information.loc["size", "adjusted_after"] < 0.1
    assert not found.passes()


@pytest.mark.slow
def test_panels_of_nothing_but_size_pass_no_oftener_than_chance():
    passed = []
    for seed in range(20):
        X, size = only_size(n=150, seed=seed)
        passed.append(size_purge(model(), X, size, draws=19, random_state=seed).passes())
    # Both nulls must be beaten at 5%: at most two of twenty.
    assert sum(passed) <= 2


def test_the_deep_pipeline_does_not_pass_size_as_more():
    X, size = only_size(n=120)
    deep = deep_clusterer(n_clusters=3, latent_dim=2, schedule="short")
    deep.set_params(autoencoder__epochs=10)
    found = size_purge(deep, X, size, draws=19)
    assert found.information.loc["size", "adjusted"] > 0.2
    assert not found.passes()


def test_industry_is_measured_as_scikit_learn_does():
    X, size = only_size()
    industry = np.random.default_rng(2).integers(0, 4, 300)
    found = size_purge(model(), X, size, industry=industry, draws=5)
    own = adjusted_mutual_info_score(industry, found.labels)
    assert found.information.loc["industry", "adjusted"] == pytest.approx(own)
    # Industries drawn at random tell nothing.
    assert abs(own) < 0.03


def test_clusters_beyond_size_survive():
    X, size = only_size()
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    X = X * np.exp(2.0 * rng.normal(size=(3, 6))[labels])
    industry = np.array(list("abc"))[labels]
    found = size_purge(model(), X, size, draws=19)
    assert found.passes()
    assert found.agreement < 1.0
    both = size_purge(model(), X, size, industry=industry, draws=19)
    assert not both.passes()
    assert both.information.loc["industry", "adjusted_after"] < 0.1


def test_residuals_are_uncorrelated_with_size():
    X, size = only_size()
    X[::11, 2] = np.nan
    rest = project_out(X, size)
    assert np.isnan(rest[::11, 2]).all()
    frame = pd.DataFrame(rest)
    assert frame.corrwith(pd.Series(size).rank()).abs().max() < 0.05


def test_missing_size_is_refused():
    with pytest.raises(InputDataError, match="1 missing"):
        project_out(np.zeros((3, 1)), [1.0, np.nan, 2.0])


def test_what_is_not_classified_tells_nothing_of_size():
    rng = np.random.default_rng(0)
    size = rng.normal(size=120)
    X = np.r_[
        rng.normal(size=(50, 3)), rng.normal(size=(50, 3)) + 9.0, rng.normal(size=(20, 3)) * 99
    ]
    found = size_purge(DensityClusterer(min_cluster_size=15), X, size, draws=2)
    kept = found.labels >= 0
    assert 0 < kept.sum() < 120
    bins = np.ceil(rankdata(size) / 120 * 2).astype(int)
    expected = adjusted_mutual_info_score(bins[kept], found.labels[kept])
    assert found.information.loc["size", "adjusted"] == pytest.approx(expected, abs=1e-12)
    nothing = size_purge(
        DensityClusterer(min_cluster_size=60),
        X[:, :1] * 0 + rng.normal(size=(120, 3)),
        size,
        draws=2,
    )
    assert not nothing.passes()
    assert nothing.information.isna().all().all()


def test_industry_has_one_code_per_row():
    with pytest.raises(InputDataError, match=r"120 rows; got 3"):
        project_out(np.zeros((120, 2)), np.arange(120), industry=["a"] * 3)
