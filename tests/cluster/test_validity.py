"""Scores against scikit-learn's."""

import tracemalloc
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.manifold import trustworthiness as reference_trust

from alphastrata.cluster import score_clusters, scores, trustworthiness
from alphastrata.errors import InputDataError


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(1, 6), st.integers(2, 5))
def test_scores_are_scikit_learns(seed, n, d, k):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    labelings = [rng.integers(0, k, n) * 7 + 3, rng.integers(0, 2, n)]
    for labels, got in zip(labelings, scores(X, labelings), strict=True):
        if not 2 <= len(set(labels)) < n:
            assert np.isnan(got.silhouette)
            continue
        assert got.silhouette == pytest.approx(metrics.silhouette_score(X, labels), abs=1e-10)
        assert got.davies_bouldin == pytest.approx(metrics.davies_bouldin_score(X, labels))
        assert got.calinski_harabasz == pytest.approx(metrics.calinski_harabasz_score(X, labels))
        assert got.n_clusters == len(set(labels))


def test_rows_that_are_not_classified_do_not_count():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(50, 3)), rng.integers(-1, 3, 50)
    kept = labels >= 0
    one, two = score_clusters(X, labels), score_clusters(X[kept], labels[kept])
    assert astuple(one) == pytest.approx(astuple(two))


def test_relabelling_changes_nothing():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    a, b = scores(X, [labels, np.array([2, 0, 1])[labels]])
    assert a.silhouette == pytest.approx(b.silhouette, abs=1e-14)


def test_trustworthiness_is_scikit_learns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    for k in (1, 5, 12):
        ours = trustworthiness(X, X[:, :2], n_neighbors=k)
        assert ours == pytest.approx(reference_trust(X, X[:, :2], n_neighbors=k), abs=1e-12)


def test_twenty_thousand_rows_need_little_memory():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2))
    labels = (X[:, 0] > 0).astype(int)
    tracemalloc.start()
    score_clusters(X, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_wrong_shapes_are_refused():
    with pytest.raises(InputDataError, match="one label per row"):
        scores(np.zeros((3, 1)), [[0, 1]])
    with pytest.raises(InputDataError, match="missing; 3 break"):
        scores(np.full((3, 1), np.nan), [[0, 1, 1]])
    with pytest.raises(InputDataError, match="n_neighbors=5"):
        trustworthiness(np.zeros((8, 1)), np.zeros((8, 1)))
    with pytest.raises(InputDataError, match="missing; 12 break"):
        trustworthiness(np.full((12, 1), np.nan), np.zeros((12, 1)))
