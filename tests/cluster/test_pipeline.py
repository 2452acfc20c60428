"""The deep clusterer as a pipeline: variants, new assets, searchers."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from alphastrata.cluster import Autoencoder, deep_clusterer
from alphastrata.errors import ConfigError


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 300)
    X = rng.normal(size=(300, 8)) + 4.0 * rng.normal(size=(4, 8))[labels]
    return np.sinh(X / 2), labels


def quick(**settings):
    model = deep_clusterer(n_clusters=4, latent_dim=4, **settings)
    return model.set_params(autoencoder__epochs=15) if "autoencoder" in model.named_steps else model


@pytest.mark.parametrize("embedding", ["tsne", "isomap", None])
@pytest.mark.parametrize("clusterer", ["kmeans", "spectral", "gaussian_mixture", "hdbscan"])
def test_every_variant_finds_planted_clusters(data, embedding, clusterer):
    X, labels = data
    found = quick(embedding=embedding, clusterer=clusterer).fit_predict(X)
    kept = found >= 0
    assert adjusted_rand_score(labels[kept], found[kept]) > (
        0.75 if clusterer != "hdbscan" else 0.5
    )


@pytest.mark.slow
def test_umap_variant(data):
    pytest.importorskip("umap")
    X, labels = data
    assert adjusted_rand_score(labels, quick(embedding="umap").fit_predict(X)) > 0.8


@pytest.mark.parametrize("clusterer", ["kmeans", "spectral", "gaussian_mixture", "hdbscan"])
def test_new_assets_are_assigned(data, clusterer):
    X, labels = data
    model = quick(clusterer=clusterer).fit(X[:220])
    found = model.predict(X[220:])
    kept = found >= 0
    assert adjusted_rand_score(labels[220:][kept], found[kept]) > (
        0.5 if clusterer == "hdbscan" else 0.75
    )
    assert np.array_equal(model.predict(X[220:221]), model.predict(X[220:])[:1])


def test_missing_values_follow_the_policy(data):
    X, _ = data
    holed = X.copy()
    holed[0, 0] = np.nan
    model = quick(embedding=None).fit(holed)
    assert model.named_steps["impute"].imputed_.sum() == 1
    with pytest.raises(ValueError, match="must not be missing"):
        quick(embedding=None, missing="refuse").fit(holed)


def test_steps_names_and_clone():
    model = deep_clusterer(n_clusters=3, schedule="short", random_state=7)
    names = ["impute", "signed_log", "scale", "autoencoder", "embedding", "cluster"]
    assert list(model.named_steps) == names
    assert isinstance(model, Pipeline)
    params = clone(model).get_params()
    assert (params["cluster__n_clusters"], params["embedding__n_iter"]) == (3, 300)
    assert params["autoencoder__random_state"] == 7
    assert "autoencoder" not in deep_clusterer(autoencoder=False).named_steps


def test_all_wrong_settings_are_named_together():
    with pytest.raises(ConfigError) as caught:
        deep_clusterer(n_clusters=0, embedding="pca", clusterer="x", missing="drop")
    for word in ("n_clusters", "embedding", "clusterer", "missing"):
        assert word in str(caught.value)


def test_scikit_learns_searchers_work(data):
    X, _ = data
    grid = {"latent_dim": [1, 4], "optimizer": ["adam", "sgd"]}
    search = GridSearchCV(Autoencoder(epochs=5, random_state=0), grid, cv=2).fit(np.tanh(X))
    assert search.best_params_["latent_dim"] == 4


@pytest.mark.parametrize("clusterer", ["dec", "idec", "vade"])
def test_networks_that_cluster_assign_new_assets_through_the_same_pipeline(data, clusterer):
    X, labels = data
    model = deep_clusterer(
        n_clusters=4, latent_dim=4, autoencoder=False, embedding=None, clusterer=clusterer
    ).set_params(cluster__hidden=(32,), cluster__pretrain_epochs=60, cluster__epochs=20)
    model.fit(X[:220])
    found = model.predict(X[220:])
    assert adjusted_rand_score(labels[220:], found) > 0.75
    assert np.array_equal(model.predict(X[220:221]), found[:1])
    np.testing.assert_allclose(model.predict_proba(X[220:]).sum(axis=1), 1.0)
