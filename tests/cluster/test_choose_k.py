"""Choosing k: kneed's elbow, the right k on planted clusters, one on noise."""

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture

from alphastrata.cluster import choose_k, elbow
from alphastrata.errors import ConfigError


def test_elbow_is_kneeds():
    kneed = pytest.importorskip("kneed")
    rng = np.random.default_rng(0)
    for _ in range(20):
        k = list(range(2, 12))
        curve = np.sort(rng.uniform(0, 1, 10) ** 3)[::-1] + 3.0 / np.arange(1, 11)
        gaps = np.diff(curve)
        if (np.diff(gaps) < 0).any():
            continue
        theirs = kneed.KneeLocator(k, curve, curve="convex", direction="decreasing").knee
        assert theirs is None or elbow(k, curve.tolist()) == theirs
    smooth = [1000.0 / k**2 for k in range(2, 12)]
    locator = kneed.KneeLocator(range(2, 12), smooth, curve="convex", direction="decreasing")
    assert elbow(range(2, 12), smooth) == locator.knee


@pytest.mark.parametrize(
    "model", [KMeans(2, n_init=5, random_state=0), GaussianMixture(2, n_init=3, random_state=0)]
)
def test_every_criterion_finds_planted_clusters(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 3)) + 9.0 * np.eye(4)[rng.integers(0, 4, 160)][:, :3]
    found = choose_k(model, X, candidates=range(2, 8), draws=6)
    assert (found.choices.drop("calibrated") == 4).all(), found.choices.to_dict()
    assert found.table.loc[4, "calibrated"] > 5
    assert found.table.index.tolist() == list(range(2, 8))
    assert found.table.notna().all().all()


def test_noise_has_one_cluster_by_the_gap_and_no_calibrated_score():
    X = np.random.default_rng(0).normal(size=(150, 3))
    found = choose_k(KMeans(2, n_init=3, random_state=0), X, candidates=(2, 3, 4, 5), draws=10)
    assert found.choices["gap"] == 1
    assert found.table["calibrated"].abs().max() < 3
    assert found.table["p-value"].min() > 0.05


def test_wrong_arguments_are_refused():
    X = np.zeros((10, 2))
    with pytest.raises(ConfigError, match="ascend"):
        choose_k(KMeans(2), X, candidates=(3, 2))
    with pytest.raises(ConfigError, match="HDBSCAN has neither"):
        choose_k(HDBSCAN(copy=True), X, candidates=(2, 3))
