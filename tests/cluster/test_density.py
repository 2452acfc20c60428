"""HDBSCAN with a predict: labels are scikit-learn's, far rows are noise."""

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import DensityClusterer
from alphastrata.errors import ConfigError


@parametrize_with_checks([DensityClusterer(min_cluster_size=5)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_labels_are_scikit_learns():
    X, _ = make_blobs(200, centers=4, random_state=0)
    ours = DensityClusterer(min_cluster_size=10).fit(X).labels_
    assert np.array_equal(ours, HDBSCAN(min_cluster_size=10, copy=True).fit(X).labels_)


def test_new_rows_join_their_cluster_or_none():
    X, labels = make_blobs(300, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    model = DensityClusterer().fit(X[:200])
    found = model.predict(X[200:])
    kept = found >= 0
    assert kept.mean() > 0.8
    assert adjusted_rand_score(labels[200:][kept], found[kept]) == 1.0
    assert model.predict([[100.0, 100.0]]).tolist() == [-1]
    assert np.array_equal(model.predict(X[:200]), model.labels_)


def test_rows_without_any_cluster_are_all_noise():
    model = DensityClusterer(min_cluster_size=30).fit(np.random.default_rng(0).normal(size=(40, 9)))
    assert (model.predict(np.zeros((2, 9))) >= -1).all()


@pytest.mark.parametrize(
    ("setting", "value"),
    [*(("min_cluster_size", odd) for odd in (0, 1, 2.5, "a")), ("min_samples", 0)],
)
def test_a_setting_that_cannot_be_is_named(setting, value):
    with pytest.raises(ConfigError, match=setting):
        DensityClusterer(**{setting: value}).fit(np.arange(20.0)[:, None])
