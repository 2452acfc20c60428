"""Spectral clustering against scikit-learn's, on rings that K-means cannot tell apart."""

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import SpectralClusterer, spectral_labels
from alphastrata.errors import ConfigError


@parametrize_with_checks([SpectralClusterer(2)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("n", [150, 600])
def test_rings_are_told_apart(n):
    X, labels = make_circles(n, factor=0.4, noise=0.03, random_state=0)
    found = spectral_labels(X, [2, 3])
    assert adjusted_rand_score(labels, found[0]) == 1.0
    assert len(set(found[1])) == 3


def test_agrees_with_scikit_learn():
    X, _ = make_moons(500, noise=0.05, random_state=0)
    theirs = SpectralClustering(2, affinity="nearest_neighbors", random_state=0).fit(X).labels_
    assert adjusted_rand_score(theirs, SpectralClusterer(2).fit(X).labels_) > 0.98


def test_a_graph_in_pieces_gives_its_pieces():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 100)
    X = rng.normal(size=(500, 2)) + 50.0 * rng.normal(size=(5, 2))[labels]
    assert adjusted_rand_score(labels, spectral_labels(X, [5])[0]) == 1.0


def test_new_rows_follow_their_neighbours():
    X, labels = make_moons(400, noise=0.05, random_state=0)
    model = SpectralClusterer(2).fit(X[:300])
    assert adjusted_rand_score(labels[300:], model.predict(X[300:])) > 0.95
    assert np.array_equal(model.predict(X[:300]), model.labels_)


def test_more_clusters_than_rows_are_refused():
    with pytest.raises(ConfigError, match="3 rows"):
        SpectralClusterer(4).fit(np.zeros((3, 2)))
