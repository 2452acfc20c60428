"""How much of a clustering comes back under other seeds, other samples and other dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score

from alphastrata.cluster.nulls import fit_once
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.seeding import reseeded, seeded
from alphastrata.cluster.window_fit import require_clusterer
from alphastrata.core.shown import Shown
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["Stability", "stability", "window_stability"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Stability(Shown):
    """Agreement of a clustering with itself.

    Attributes
    ----------
    seeds : ndarray of float64, shape (pairs,)
        Adjusted Rand index of each pair of fits that differ only in their seeds. Rows that are not
        classified count as a group; missing where neither fit finds a cluster.
    bootstraps : ndarray of float64, shape (draws,)
        The same for the clusters of each bootstrap sample and those of the data, over the
        distinct rows in the sample.
    jaccard : Series, indexed by cluster
        Mean over bootstrap samples of the best Jaccard overlap with a cluster of the sample.
        Hennig (2007): above 0.75 stable, below 0.6 not to be trusted.
    labels : ndarray of int64
        Labels on the data that the samples are compared with.
    """

    seeds: Array
    bootstraps: Array
    jaccard: pd.Series
    labels: Labels

    def table(self) -> pd.DataFrame:
        """Return the number of comparisons, mean, and 5% and 95% quantiles of both indices."""
        rows = {}
        for name in ("seeds", "bootstraps"):
            values = getattr(self, name)
            values = values[~np.isnan(values)]
            low, high = np.quantile(values, [0.05, 0.95]) if len(values) else (np.nan, np.nan)
            mean = float(values.mean()) if len(values) else np.nan
            rows[name] = {"n": len(values), "mean": mean, "q05": low, "q95": high}
        return pd.DataFrame(rows).T.rename_axis("over")


def agreement(a: Labels, b: Labels) -> float:
    """Return the adjusted Rand index of two labelings; what is not classified is a group.

    Missing where neither has a cluster: who finds nothing twice does not agree on anything.
    """
    found = bool((a >= 0).any() or (b >= 0).any())
    return float(adjusted_rand_score(a, b)) if found else np.nan


def _bootstrap(model: Any, X: Array, seed: np.random.SeedSequence) -> tuple[Labels, Labels]:
    """Return the distinct rows of a bootstrap sample, and the labels they get in it.

    Repeated rows are left out rather than weighted: repetitions are clusters of their own to a
    nearest-neighbour graph.
    """
    rows = np.unique(np.random.default_rng(seed).integers(0, len(X), len(X)))
    return rows, fit_once(model, X[rows]).labels


def _best_overlaps(base: Labels, other: Labels) -> dict[int, float]:
    """Return for each cluster of ``base`` the largest Jaccard overlap with one of ``other``."""
    overlaps = {}
    for c in np.unique(base[base >= 0]):
        own = base == c
        found = [
            (own & (other == k)).sum() / (own | (other == k)).sum()
            for k in np.unique(other[other >= 0])
        ]
        overlaps[int(c)] = float(max(found, default=0.0))
    return overlaps


def stability(
    model: Any,
    X: ArrayLike | pd.DataFrame,
    *,
    seeds: int = 10,
    bootstraps: int = 20,
    random_state: int = 0,
    n_jobs: int = 1,
) -> Stability:
    """Return how well clusters come back over seeds and bootstrap samples.

    Parameters
    ----------
    model : estimator
        A clusterer, or a pipeline that ends in one.
    X : array or DataFrame of shape (n, d)
        Features of one cross-section.
    seeds : int
        Fits with seeds 0, 1, … in place of every ``random_state``.
    bootstraps : int
        Bootstrap samples, drawn with ``random_state``.
    random_state : int
        Seed of the samples, and of the model where it has none.
    n_jobs : int
        Fits at the same time; the result does not depend on it.

    Raises
    ------
    ConfigError
        If a number of repetitions is negative, or the model is no clusterer.
    InputDataError
        If the features are no matrix of numbers, or a column has no value.
    EstimationError
        If the model fails.

    References
    ----------
    Hennig, C. (2007), "Cluster-wise assessment of cluster stability", Computational Statistics &
    Data Analysis 52. Hubert, L. and Arabie, P. (1985), "Comparing partitions".

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.r_[np.arange(20.0), np.arange(100.0, 120.0)][:, None]
    >>> found = stability(KMeans(2, n_init=1), X, seeds=3, bootstraps=3)
    >>> found.table()["mean"].tolist()
    [1.0, 1.0]
    """
    if seeds < 0 or bootstraps < 0:
        raise ConfigError(f"Repetitions must not be negative, got {seeds} and {bootstraps}.")
    require_clusterer(model)
    values = read_features(X, "stability", least=3, empty=False).to_numpy()
    fixed = seeded(model, random_state)
    base = fit_once(fixed, values).labels
    run = Parallel(n_jobs=n_jobs)
    fits = run(delayed(fit_once)(reseeded(model, s), values) for s in range(seeds))
    by_seed = [fit.labels for fit in fits]
    pairs = [agreement(a, b) for i, a in enumerate(by_seed) for b in by_seed[i + 1 :]]
    children = np.random.SeedSequence(random_state).spawn(bootstraps)
    samples = run(delayed(_bootstrap)(fixed, values, child) for child in children)
    index = [agreement(base[rows], labels) for rows, labels in samples]
    overlaps = pd.DataFrame([_best_overlaps(base[rows], labels) for rows, labels in samples])
    clusters = [int(c) for c in np.unique(base[base >= 0])]
    jaccard = overlaps.reindex(columns=clusters).mean().rename("jaccard").rename_axis("cluster")
    return Stability(np.array(pairs), np.array(index), jaccard, base)


def window_stability(strata: Strata) -> pd.DataFrame:
    """Return how labels agree between neighbouring formation dates.

    Parameters
    ----------
    strata : Strata
        Labels with at least two formation dates.

    Returns
    -------
    DataFrame, indexed by the later date
        "ari" (adjusted Rand index, indifferent to identities), "same" (share with the same
        identity) and "assets" (classified on both dates).

    Raises
    ------
    InputDataError
        If there is only one formation date.

    Examples
    --------
    >>> labels = pd.DataFrame({"A": [1, 2], "B": [2, 1]}, index=pd.to_datetime(["2020", "2021"]))
    >>> window_stability(Strata(labels, ordered=False)).iloc[0].tolist()
    [1.0, 0.0, 2.0]
    """
    wide = strata.wide()
    if len(wide) < 2:
        raise InputDataError(f"Agreement needs two formation dates; got {len(wide)}.")
    rows = {}
    for t in range(1, len(wide)):
        pair = wide.iloc[t - 1 : t + 1].T.dropna().to_numpy(dtype=np.int64)
        agree = agreement(pair[:, 0], pair[:, 1])
        same = float((pair[:, 0] == pair[:, 1]).mean()) if len(pair) else np.nan
        rows[wide.index[t]] = {"ari": agree, "same": same, "assets": len(pair)}
    return pd.DataFrame(rows).T.rename_axis("date")
