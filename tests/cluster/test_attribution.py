"""Importance, Shapley values and drift."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier

from alphastrata.cluster import feature_importance, profile_drift, shapley_values
from alphastrata.errors import ConfigError, InputDataError


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    X = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    X["a"] += 8.0 * (labels == 1)
    X["b"] += 8.0 * (labels == 2)
    return X, labels


def test_permutation_finds_what_matters(planted):
    X, _ = planted
    model = KMeans(3, n_init=5, random_state=0).fit(X)
    table = feature_importance(model, X, repeats=3)
    assert set(table.index[:2]) == {"a", "b"}
    assert (table.loc[["c", "d"], "mean"] < 0.05).all()
    assert table.equals(feature_importance(model, X, repeats=3))
    with pytest.raises(ConfigError, match="predict"):
        feature_importance(object(), X)


def test_shapley_values_add_up_and_point_to_the_right_features(planted):
    pytest.importorskip("shap")
    X, labels = planted
    found = shapley_values(X, labels, n_trees=30)
    forest = RandomForestClassifier(30, max_depth=8, random_state=0).fit(X.to_numpy(), labels)
    total = found.values.sum(axis=1) + found.base.to_numpy()
    np.testing.assert_allclose(total, forest.predict_proba(X.to_numpy()), atol=1e-6)
    assert found.importance[1].idxmax() == "a"
    assert found.importance[2].idxmax() == "b"
    assert found.fidelity > 0.95


def test_shapley_fidelity_collapses_on_shuffled_labels(planted):
    pytest.importorskip("shap")
    X, labels = planted
    shuffled = np.random.default_rng(1).permutation(labels)
    assert shapley_values(X, shuffled, n_trees=20).fidelity < 0.5
    found = shapley_values(X, labels, n_trees=20, shuffles=2)
    assert found.fidelity > 0.95
    assert found.shuffled < 0.5
    assert found.chance == pytest.approx(np.bincount(labels).max() / len(labels))
    assert np.isnan(shapley_values(X, labels, n_trees=5).shuffled)


def test_the_direction_of_shapley_values_is_spearmans(planted):
    pytest.importorskip("shap")
    X, labels = planted
    found = shapley_values(X, labels, n_trees=20)
    assert found.direction.index.equals(found.importance.index)
    expected = spearmanr(X["a"], found.values[:, 0, 1])[0]
    assert found.direction.loc["a", 1] == pytest.approx(expected)
    assert found.direction.loc["a", 1] > 0.5


def test_shap_says_what_to_install(planted, monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ConfigError, match="alphastrata"):
        shapley_values(*planted)


def test_shapley_needs_clusters(planted):
    pytest.importorskip("shap")
    X, labels = planted
    with pytest.raises(InputDataError, match="two clusters"):
        shapley_values(X, np.zeros_like(labels))


def test_drift_is_the_change_of_means():
    index = pd.MultiIndex.from_tuples([(1, 1), (1, 2), (2, 1), (3, 2)], names=["date", "cluster"])
    columns = pd.MultiIndex.from_product([["mean_z"], ["a", "b"]])
    values = [[0.0, 0.0], [1.0, 1.0], [3.0, 4.0], [1.0, 2.0]]
    drift = profile_drift(pd.DataFrame(values, index=index, columns=columns))
    assert drift.index.tolist() == [(2, 1), (3, 2)]
    assert drift.loc[(2, 1)].tolist() == [3.0, 4.0, pytest.approx(np.sqrt(12.5))]
    assert drift.loc[(3, 2), "b"] == 1.0
    with pytest.raises(InputDataError, match="mean_z"):
        profile_drift(pd.DataFrame({("mean", "a"): [1.0]}))
