"""Choosing k: kneed's elbow, the right k on planted clusters, one on noise."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture

from alphastrata.cluster import choose_k, elbow
from alphastrata.errors import ConfigError, EstimationError, InputDataError


def test_elbow_is_kneeds():
    kneed = pytest.importorskip("kneed")
    rng = np.random.default_rng(0)
    k = list(range(2, 12))
    for _ in range(50):
        # Steps that shrink: a falling, convex curve.
        curve = np.r_[0.0, np.cumsum(np.sort(rng.exponential(size=9)))][::-1]
        theirs = kneed.KneeLocator(k, curve, curve="convex", direction="decreasing").knee
        assert elbow(k, curve.tolist()) == theirs
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


def test_half_of_the_rows_must_have_room_for_the_clusters():
    X = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(ConfigError, match=r"Half of the 20 rows.*1 breaks this. First: k = 11"):
        choose_k(KMeans(2), X, candidates=(2, 10, 11))
    with pytest.raises(ConfigError, match="whole numbers"):
        choose_k(KMeans(2), X, candidates=(2.5, 3))
    with pytest.raises(ConfigError, match="null must be one of"):
        choose_k(KMeans(2), X, candidates=(2, 3), null="noise")


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_rows_that_are_all_alike_have_no_number_of_clusters():
    with pytest.raises(EstimationError, match="all alike"):
        choose_k(KMeans(2, random_state=0), np.ones((40, 2)), candidates=(2, 3))


def test_a_criterion_that_says_nothing_chooses_nothing():
    # A single column permuted is the same sample: the null has no spread.
    X = np.repeat([0.0, 9.0], 20)[:, None]
    model = KMeans(2, n_init=3, random_state=0)
    found = choose_k(model, X, candidates=(2,), draws=2, null="permute")
    assert found.table["calibrated"].isna().all()
    assert found.choices.index.tolist() == ["elbow", "silhouette", "gap", "stability"]


def test_a_model_without_a_seed_gets_one():
    X = np.random.default_rng(0).normal(size=(60, 3))
    one, two = (choose_k(KMeans(5, n_init=1), X, candidates=(4, 5), draws=2) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, two.table)


def test_an_elbow_needs_an_inertia_for_each_k():
    with pytest.raises(InputDataError, match="got 1 for 2"):
        elbow([2, 3], [1.0])
    with pytest.raises(InputDataError, match="got 0 for 0"):
        elbow([], [])
