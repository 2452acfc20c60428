"""Tuning: scorers on held-out assets, with our table and with scikit-learn's searchers."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.model_selection import RandomizedSearchCV

from alphastrata.cluster import ClusterScorer, SpectralClusterer, deep_clusterer, tune
from alphastrata.errors import ConfigError


@pytest.fixture(scope="module")
def X():  # noqa: N802
    rng = np.random.default_rng(0)
    return rng.normal(size=(150, 5)) + 6.0 * rng.normal(size=(3, 5))[rng.integers(0, 3, 150)]


def model():
    return deep_clusterer(n_clusters=3, latent_dim=3, schedule="short").set_params(
        autoencoder__epochs=8
    )


def test_the_scorer_is_the_silhouette_of_held_out_rows(X):
    fitted = model().fit(X[:100])
    standard = fitted[:3].transform(X[100:])
    labels = fitted.predict(X[100:])
    got = ClusterScorer()(fitted, X[100:])
    assert got == pytest.approx(silhouette_score(standard, labels))
    places = fitted[:-1].transform(X[100:])
    other = ClusterScorer(space="embedding")(fitted, X[100:])
    assert other == pytest.approx(silhouette_score(places, labels))
    assert ClusterScorer("davies_bouldin")(fitted, X[100:]) < 0


def test_the_planted_number_of_clusters_wins(X):
    grid = {"cluster__n_clusters": [2, 3, 6]}
    found = tune(model(), X, grid, folds=2)
    assert len(found.table) == 3
    assert found.best["cluster__n_clusters"] == 3
    assert found.table["score"].is_monotonic_decreasing
    assert found.model.get_params()["cluster__n_clusters"] == 3
    two = tune(model(), X, grid, folds=2, n_jobs=2)
    assert two.table.equals(found.table)


def test_whole_steps_can_be_exchanged(X):
    grid = {"cluster": [KMeans(3, n_init=2, random_state=0), SpectralClusterer(3)]}
    assert len(tune(model(), X, grid, folds=2).table) == 2


def test_scikit_learns_random_search_works(X):
    space = {"embedding__perplexity": [10, 30], "autoencoder__optimizer": ["adam", "rmsprop"]}
    search = RandomizedSearchCV(
        model(), space, n_iter=2, cv=2, scoring=ClusterScorer(), random_state=0
    ).fit(X)
    assert search.best_score_ > 0.2


def test_one_cluster_for_all_is_the_worst(X):
    fitted = KMeans(1, n_init=1).fit(X)
    assert ClusterScorer()(fitted, X) == -1.0


def test_wrong_arguments_are_refused(X):
    with pytest.raises(ConfigError, match="score"):
        ClusterScorer("gap")
    with pytest.raises(ConfigError, match="grid"):
        tune(model(), X, {})
