"""Which characteristics an assignment rests on: by permutation, by Shapley values, and drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["ShapleyValues", "feature_importance", "profile_drift", "shapley_values"]

Array = NDArray[np.float64]


def feature_importance(
    model: Any, X: pd.DataFrame | ArrayLike, *, repeats: int = 10, random_state: int = 0
) -> pd.DataFrame:
    """Return how far labels change when one characteristic is permuted.

    Parameters
    ----------
    model : fitted estimator
        Anything with ``predict``, such as a fitted ``deep_clusterer``.
    X : DataFrame or array, rows x features
        Rows to assign, preferably such that were not in training.
    repeats : int
        Permutations of each feature.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    DataFrame indexed by feature, most important first
        "mean" and "std" over repetitions of one minus the adjusted Rand index between the labels
        before and after.

    Raises
    ------
    ConfigError
        If the model cannot predict or is not fitted, or ``repeats`` is not positive.
    InputDataError
        If the features are no matrix of numbers.

    References
    ----------
    Breiman, L. (2001), "Random forests", Machine Learning 45.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"a": np.repeat([0.0, 9.0], 30), "b": rng.normal(size=60)})
    >>> feature_importance(KMeans(2, n_init=3, random_state=0).fit(X), X).index[0]
    'a'
    """
    if not hasattr(model, "predict") or repeats < 1:
        raise ConfigError(
            f"Importance needs a fitted model with predict and at least one repetition; got "
            f"{type(model).__name__} and {repeats}."
        )
    frame = read_features(X, "feature_importance")
    named = isinstance(X, pd.DataFrame)
    rng = np.random.default_rng(random_state)
    rows = {}

    def assigned(rows: pd.DataFrame) -> Any:
        # A model that was fitted to an array knows no names.
        return model.predict(rows if named else rows.to_numpy())

    with threadpool_limits(limits=1):
        try:
            base = assigned(frame)
        except NotFittedError as error:
            raise ConfigError(
                f"Importance needs a fitted model: call fit of {type(model).__name__} first, on "
                "other rows."
            ) from error
        for name in frame.columns:
            changes = []
            for _ in range(repeats):
                shuffled = frame.copy()
                shuffled[name] = rng.permutation(frame[name].to_numpy())
                changes.append(1.0 - adjusted_rand_score(base, assigned(shuffled)))
            rows[str(name)] = {"mean": float(np.mean(changes)), "std": float(np.std(changes))}
    table = pd.DataFrame(rows).T.rename_axis("feature")
    return table.sort_values("mean", ascending=False, kind="stable")


@dataclass(frozen=True)
class ShapleyValues(Shown):
    """What each characteristic adds to the chance that an asset belongs to each cluster.

    Attributes
    ----------
    values : ndarray of float64, shape (rows, features, clusters)
        Shapley values; over features they sum to the forest's probability less its base.
    base : Series
        Cluster -> mean probability.
    importance : DataFrame, feature x cluster
        Mean absolute value, the features that matter most first.
    fidelity : float
        Share of held-out rows to which the forest gives their own cluster.
    chance : float
        The same for always naming the largest cluster.
    shuffled : float
        Mean fidelity on held-out rows of forests grown on shuffled labels; missing where no
        shuffle was asked for.
    direction : DataFrame, feature x cluster
        Rank correlation of the characteristic with its Shapley value: above zero, high values
        speak for the cluster; below zero, low ones do. Rows as in ``importance``.
    """

    values: Array
    base: pd.Series
    importance: pd.DataFrame
    fidelity: float
    chance: float
    shuffled: float
    direction: pd.DataFrame


def shapley_values(
    X: pd.DataFrame | ArrayLike,
    labels: ArrayLike,
    *,
    n_trees: int = 100,
    shuffles: int = 0,
    random_state: int = 0,
) -> ShapleyValues:
    """Return Shapley values of a forest that imitates the assignment.

    t-SNE and K-means have no formula to attribute; a random forest that imitates them has, and
    how well it imitates is reported with it.

    Parameters
    ----------
    X : DataFrame or array, rows x features
        Characteristics; missing values are replaced by the median of their column.
    labels : int array of shape (rows,)
        Clusters; rows with a negative or a missing label are left out of the fit.
    n_trees : int
        Trees in the forest, at least one, of depth at most 8.
    shuffles : int
        How often the labels are shuffled for the fidelity on labels that say nothing.
    random_state : int
        Seed of the forest, the folds and the shuffles.

    Raises
    ------
    ConfigError
        If the package shap is not installed, or a number is out of range.
    InputDataError
        If the features are no matrix of numbers, there is not one label per row, or a cluster has
        fewer than two members.

    References
    ----------
    Lundberg, S. et al. (2020), "From local explanations to global understanding with explainable
    AI for trees", Nature Machine Intelligence 2.
    """
    try:
        from shap import TreeExplainer
    except ImportError as error:
        raise ConfigError(
            "Shapley values need the package shap, which is not installed. "
            'Install it with: pip install "alphastrata[customers]".'
        ) from error
    if n_trees < 1 or shuffles < 0:
        raise ConfigError(
            f"Shapley values need at least one tree and no negative shuffles; got {n_trees} and "
            f"{shuffles}."
        )
    X = read_features(X, "shapley_values", empty=False)
    codes = read_labels(labels, len(X), "shapley_values")
    kept = codes >= 0
    found, counts = np.unique(codes[kept], return_counts=True)
    if len(found) < 2 or counts.min() < 2:
        raise InputDataError(
            f"Shapley values need two clusters, each of at least two rows; got sizes "
            f"{counts.tolist()}."
        )
    filled = X.fillna(X.median())
    forest = RandomForestClassifier(n_trees, max_depth=8, random_state=random_state)
    folds = StratifiedKFold(
        int(max(2, min(5, counts.min()))), shuffle=True, random_state=random_state
    )
    rows = filled.to_numpy(dtype=np.float64)
    own, rng = codes[kept], np.random.default_rng(random_state)

    def fidelity(labels: NDArray[np.int64]) -> float:
        held_out = cross_val_predict(forest, rows[kept], labels, cv=folds)
        return float((held_out == labels).mean())

    with threadpool_limits(limits=1):
        faithful = fidelity(own)
        noise = [fidelity(rng.permutation(own)) for _ in range(shuffles)]
        forest.fit(rows[kept], own)
        explainer = TreeExplainer(forest)
        values = np.asarray(explainer.shap_values(rows, check_additivity=False))
    names = [str(c) for c in X.columns]
    importance = pd.DataFrame(np.abs(values).mean(axis=0), index=names, columns=found)
    order = importance.sum(axis=1).sort_values(ascending=False, kind="stable").index
    direction = pd.DataFrame(_direction(rows, values), index=names, columns=found)
    return ShapleyValues(
        values=values,
        base=pd.Series(np.asarray(explainer.expected_value), index=found, name="base"),
        importance=importance.loc[order].rename_axis(index="feature", columns="cluster"),
        fidelity=faithful,
        chance=float(counts.max() / counts.sum()),
        shuffled=float(np.mean(noise)) if noise else float("nan"),
        direction=direction.loc[order].rename_axis(index="feature", columns="cluster"),
    )


def _direction(rows: Array, values: Array) -> Array:
    """Return the rank correlation (features x clusters) of each feature with its values."""
    n_features, n_clusters = values.shape[1:]
    out = np.zeros((n_features, n_clusters))
    for j in range(n_features):
        ranks = pd.DataFrame(np.column_stack([rows[:, j], values[:, j]])).rank()
        correlation = ranks.corr().to_numpy()[0, 1:]
        out[j] = np.nan_to_num(correlation)
    return out


def profile_drift(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return how each cluster's profile moves from one window to the next.

    Parameters
    ----------
    profiles : DataFrame indexed by (date, cluster)
        With columns ("mean_z", feature), such as ``RollingClusters.profiles``.

    Returns
    -------
    DataFrame indexed by (date, cluster)
        Change of each feature's mean in standard units since the window before, and "drift", the
        root mean square over features. Windows in which the cluster did not exist are passed over.

    Raises
    ------
    InputDataError
        If there is no statistic "mean_z".

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[1, 2], [1]], names=["date", "cluster"])
    >>> columns = pd.MultiIndex.from_tuples([("mean_z", "size")])
    >>> profile_drift(pd.DataFrame([[0.5], [0.8]], index=index, columns=columns))["drift"].item()
    0.30000000000000004
    """
    if "mean_z" not in profiles.columns.get_level_values(0):
        raise InputDataError('Drift needs profiles with the statistic "mean_z"; there is none.')
    means = pd.DataFrame(profiles["mean_z"]).sort_index()
    change = means.groupby(level="cluster").diff()
    change = change[change.notna().any(axis=1)]
    return change.assign(drift=np.sqrt((change**2).mean(axis=1)))
