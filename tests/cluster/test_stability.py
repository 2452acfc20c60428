"""Stability: one on planted clusters, low on noise, per cluster as Hennig defines it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from alphastrata.cluster import DensityClusterer, stability, window_stability
from alphastrata.cluster.stability import agreement
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError


def model(k=3):
    return KMeans(k, n_init=1)


def test_planted_clusters_are_stable_and_noise_is_not():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    X = rng.normal(size=(120, 4)) + 9.0 * np.eye(4)[labels]
    good = stability(KMeans(3, n_init=5), X, seeds=4, bootstraps=6)
    assert good.table()["mean"].min() > 0.98
    assert (good.jaccard > 0.95).all()
    poor = stability(model(6), rng.normal(size=(120, 4)), seeds=4, bootstraps=6)
    assert poor.table()["mean"].max() < 0.7
    assert len(poor.seeds) == 6
    assert poor.jaccard.index.tolist() == list(range(6))


def test_a_cluster_that_breaks_up_is_told_from_one_that_stays():
    rng = np.random.default_rng(0)
    tight = rng.normal(size=(60, 2)) + [60.0, 0.0]
    loose = rng.uniform(-10, 10, size=(120, 2))
    found = stability(KMeans(4, n_init=3), np.r_[tight, loose], seeds=0, bootstraps=15)
    own = found.labels[0]
    assert found.jaccard[own] > 0.99
    assert found.jaccard.drop(own).mean() < 0.9
    assert np.isnan(found.table().loc["seeds", "mean"])


def test_workers_change_nothing():
    X = np.random.default_rng(0).normal(size=(60, 3))
    one, two = (stability(model(), X, seeds=3, bootstraps=3, n_jobs=j) for j in (1, 2))
    assert np.array_equal(one.bootstraps, two.bootstraps)
    assert np.array_equal(one.seeds, two.seeds)


def test_windows_are_compared_by_assets_in_both():
    wide = pd.DataFrame(
        {"A": [1, 1, 2], "B": [1, 1, 1], "C": [2, 2, 2], "D": [2, None, 2], "E": [None, 1, 1]},
        index=pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"]),
    )
    got = window_stability(Strata(wide, ordered=False))
    assert got["assets"].tolist() == [3, 4 - 0]
    assert got["same"].tolist() == [1.0, 0.75]
    assert got["ari"].iloc[1] == pytest.approx(adjusted_rand_score([1, 1, 2, 1], [2, 1, 2, 1]))


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigError, match="negative"):
        stability(model(), np.zeros((5, 1)), seeds=-1)
    one = Strata(pd.DataFrame({"A": [1]}, index=pd.to_datetime(["2020"])), ordered=False)
    with pytest.raises(InputDataError, match="two formation dates"):
        window_stability(one)


def test_fits_that_find_nothing_agree_on_nothing():
    X = np.random.default_rng(0).normal(size=(60, 4))
    found = stability(DensityClusterer(min_cluster_size=30), X, seeds=2, bootstraps=2)
    assert (found.labels == -1).all()
    assert found.table()["n"].tolist() == [0, 0]
    assert found.table()["mean"].isna().all()


def test_who_finds_nothing_does_not_agree_with_who_finds_clusters():
    some, none = np.array([0, 0, 1, 1, -1]), np.full(5, -1)
    assert agreement(some, none) == 0.0
    assert agreement(some, some) == 1.0
    assert np.isnan(agreement(none, none))
