"""The number of clusters by five criteria, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from alphastrata.cluster.nulls import NULLS, among, sample_null
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.seeding import seeded
from alphastrata.cluster.stability import agreement
from alphastrata.cluster.validity import scores
from alphastrata.cluster.window_fit import fit_early_steps, require_clusterer, split_steps
from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, EstimationError, InputDataError

__all__ = ["ChosenK", "choose_k", "elbow"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ChosenK(Shown):
    """Criteria for each number of clusters, and what each of them would choose.

    Attributes
    ----------
    table : DataFrame indexed by k
        "inertia" (within-cluster squares in the space that is clustered), "silhouette" (there),
        "silhouette_input" (in the scaled features), "gap" and "gap_se", "stability" (mean
        adjusted Rand index over half samples), "calibrated" (silhouette_input against the same
        pipeline on the null, in standard deviations) and its "p-value".
    choices : Series
        Criterion -> chosen number of clusters; "gap" may choose 1, and a criterion that is missing
        for every k chooses none.
    """

    table: pd.DataFrame
    choices: pd.Series


def elbow(k: Sequence[int], inertia: Sequence[float]) -> int:
    """Return the k at which the falling, convex curve is farthest below its chord.

    Raises
    ------
    InputDataError
        If there is not one inertia for each of at least one k.

    References
    ----------
    Satopää, V. et al. (2011), "Finding a 'kneedle' in a haystack", ICDCS workshops.

    Examples
    --------
    >>> elbow([2, 3, 4, 5], [100.0, 20.0, 15.0, 10.0])
    3
    """
    x, y = np.asarray(k, dtype=np.float64), np.asarray(inertia, dtype=np.float64)
    if not len(x) or x.shape != y.shape:
        raise InputDataError(
            f"An elbow needs one inertia for each k; got {len(y)} for {len(x)} of them."
        )
    if len(x) < 3 or y.max() == y.min():
        return int(x[0])
    across = (x - x[0]) / (x[-1] - x[0])
    down = (y - y.min()) / (y.max() - y.min())
    return int(x[np.argmax(1.0 - across - down)])


def _spaces(model: Any, X: Array) -> tuple[Array, Array, Any]:
    """Return the scaled features, the space that is clustered, and the clusterer."""
    from sklearn.base import OneToOneFeatureMixin

    early, late = split_steps(model)
    rows = standard = X
    keeps = True
    for _, step in fit_early_steps(early, X):
        rows = np.asarray(step.transform(rows), dtype=np.float64)
        keeps &= isinstance(step, OneToOneFeatureMixin) or type(step).__name__.endswith("Imputer")
        standard = rows if keeps else standard
    for _, step in late[:-1]:
        rows = np.asarray(clone(step).fit_transform(rows), dtype=np.float64)
    return standard, rows, late[-1][1]


def _with_k(clusterer: Any, k: int) -> Any:
    for name in ("n_clusters", "n_components"):
        if name in clusterer.get_params():
            return clone(clusterer).set_params(**{name: k})
    raise ConfigError(
        f"choose_k needs a clusterer with n_clusters or n_components; {type(clusterer).__name__} "
        "has neither."
    )


def _labels(clusterer: Any, rows: Array, k: int) -> Labels:
    return np.asarray(_with_k(clusterer, k).fit_predict(rows), dtype=np.int64)


def _inertia(rows: Array, labels: Labels) -> float:
    kept = labels >= 0
    total = 0.0
    for c in np.unique(labels[kept]):
        own = rows[labels == c]
        total += float(((own - own.mean(axis=0)) ** 2).sum())
    return total


def _measure(
    model: Any, X: Array, candidates: Sequence[int]
) -> tuple[Array, Array, Array, list[Labels]]:
    """Return inertia, silhouette there and in the features for each k, and the labels."""
    with threadpool_limits(limits=1):
        standard, rows, clusterer = _spaces(model, X)
        found = [_labels(clusterer, rows, k) for k in candidates]
    there = np.array([s.silhouette for s in scores(rows, found)])
    before = np.array([s.silhouette for s in scores(standard, found)])
    return np.array([_inertia(rows, labels) for labels in found]), there, before, found


def _log_uniform_inertia(
    rows: Array, clusterer: Any, candidates: Sequence[int], seed: np.random.SeedSequence
) -> Array:
    """Return log inertia of uniform data in the box of the principal axes, for 1 and each k."""
    rng = np.random.default_rng(seed)
    centre = rows.mean(axis=0)
    axes = np.linalg.svd(rows - centre, full_matrices=False)[2]
    turned = (rows - centre) @ axes.T
    box = rng.uniform(turned.min(axis=0), turned.max(axis=0), size=turned.shape)
    with threadpool_limits(limits=1):
        one = _inertia(box, np.zeros(len(box), dtype=np.int64))
        return np.log([one, *(_inertia(box, _labels(clusterer, box, k)) for k in candidates)])


def _half_sample(
    model: Any,
    X: Array,
    candidates: Sequence[int],
    base: list[Labels],
    seed: np.random.SeedSequence,
) -> Array:
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[: len(X) // 2])
    found = _measure(model, X[rows], candidates)[3]
    return np.array([agreement(a[rows], b) for a, b in zip(base, found, strict=True)])


def _null_silhouettes(
    model: Any, X: Array, candidates: Sequence[int], null: str, seed: np.random.SeedSequence
) -> Array:
    drawn = sample_null(X, null, np.random.default_rng(seed))
    return _measure(model, drawn, candidates)[2]


def _gap(
    model: Any,
    X: Array,
    inertia: Array,
    candidates: Sequence[int],
    seeds: list[np.random.SeedSequence],
    run: Parallel,
) -> tuple[Array, Array, int]:
    """Return gap and its standard error for each k, and the smallest k that is good enough."""
    with threadpool_limits(limits=1):
        _, rows, clusterer = _spaces(model, X)
    draws = np.array(
        run(delayed(_log_uniform_inertia)(rows, clusterer, candidates, seed) for seed in seeds)
    )
    one = _inertia(rows, np.zeros(len(rows), dtype=np.int64))
    # Clusters of equal rows have no inertia, and an infinite gap.
    with np.errstate(divide="ignore"):
        gap = draws.mean(axis=0) - np.log([one, *inertia])
    error = draws.std(axis=0) * np.sqrt(1.0 + 1.0 / len(draws))
    tried = [1, *candidates]
    for i in range(len(tried) - 1):
        # With steps of more than one between candidates, the next candidate stands for k + 1.
        if gap[i] >= gap[i + 1] - error[i + 1]:
            return gap[1:], error[1:], tried[i]
    return gap[1:], error[1:], tried[-1]


def _checked(candidates: Sequence[int], draws: int, null: str, n: int) -> list[int]:
    """Return the numbers of clusters to try, or raise for what is wrong with the settings."""
    tried = list(candidates)
    check = Violations("choose_k")
    whole = all(isinstance(k, (int, np.integer)) for k in [*tried, draws])
    check.require(whole, "candidates and draws are whole numbers", first=f"{tried} and {draws!r}")
    check.raise_if_any(ConfigError)
    check.require(
        bool(tried) and tried == sorted(set(tried)) and tried[0] >= 2,
        "candidates must ascend from at least 2",
        first=repr(tried),
    )
    large = [k for k in tried if k > n // 2]
    check.require(
        not large,
        f"Half of the {n} rows, on which stability rests, has no fewer rows than clusters",
        count=len(large),
        first=f"k = {large[0]}" if large else "",
        remedy=f"Take candidates up to {n // 2}, or more rows",
    )
    check.require(draws >= 2, "draws must be at least 2", first=repr(draws))
    check.require(null in NULLS, f"null must be one of {NULLS}", first=repr(null))
    check.raise_if_any(ConfigError)
    return [int(k) for k in tried]


def choose_k(
    model: Any,
    X: ArrayLike | pd.DataFrame,
    *,
    candidates: Sequence[int] = (2, 3, 4, 5, 6, 7, 8),
    draws: int = 20,
    null: str = "copula",
    random_state: int = 0,
    n_jobs: int = 1,
) -> ChosenK:
    """Return elbow, silhouette, gap, stability and the calibrated score for each k.

    The transformers and the map are fitted once per data set and serve every k.

    Parameters
    ----------
    model : estimator
        A clusterer with ``n_clusters`` (or ``n_components``), or a pipeline that ends in one.
    X : array or DataFrame of shape (n, d)
        Features of one cross-section.
    candidates : sequence of int
        Numbers of clusters, ascending, each at least 2.
    draws : int
        Repetitions for the gap, for stability and for the null.
    null : {"permute", "copula", "one_factor"}
        Data without clusters for the calibrated score; see ``sample_null``.
    random_state : int
        Seed of the repetitions, and of the model where it has none.
    n_jobs : int
        Repetitions at the same time; the result does not depend on it.

    Returns
    -------
    ChosenK
        ``table`` and ``choices``. Silhouette, stability and the calibrated score choose their
        maximum, the gap the smallest k whose gap is within one standard error of the next one's.

    Raises
    ------
    ConfigError
        If the candidates do not ascend from 2 to half of the rows, ``draws`` or ``null`` is out of
        range, or the clusterer has no such parameter.
    InputDataError
        If the features are no matrix of numbers, or a column has no value.
    EstimationError
        If the rows fall into two clusters with no candidate.

    References
    ----------
    Tibshirani, R., Walther, G. and Hastie, T. (2001), "Estimating the number of clusters in a
    data set via the gap statistic", JRSS B 63. Lange, T. et al. (2004), "Stability-based
    validation of clustering solutions", Neural Computation 16.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 2)) + 12.0 * np.eye(3)[rng.integers(0, 3, 90)][:, :2]
    >>> model = KMeans(2, n_init=3, random_state=0)
    >>> int(choose_k(model, X, candidates=(2, 3, 4, 5), draws=5).choices["silhouette"])
    3
    """
    require_clusterer(model)
    values = read_features(X, "choose_k", least=4, empty=False).to_numpy()
    tried = _checked(candidates, draws, null, len(values))
    model = seeded(model, random_state)
    run = Parallel(n_jobs=n_jobs)
    inertia, there, before, base = _measure(model, values, tried)
    if np.isnan(there).all():
        raise EstimationError(
            f"The {len(values)} rows do not fall into two clusters with any k of {tried}: they "
            "are all alike where they are clustered. Take other features."
        )
    seeds = np.random.SeedSequence(random_state).spawn(3 * draws)
    gap, error, by_gap = _gap(model, values, inertia, tried, seeds[:draws], run)
    halves = run(
        delayed(_half_sample)(model, values, tried, base, seed) for seed in seeds[draws : 2 * draws]
    )
    nulls = np.array(
        run(
            delayed(_null_silhouettes)(model, values, tried, null, seed)
            for seed in seeds[2 * draws :]
        )
    )
    stable = np.mean(halves, axis=0)
    beside = [among(float(value), drawn) for value, drawn in zip(before, nulls.T, strict=True)]
    pvalues, calibrated = np.array(beside).T
    table = pd.DataFrame(
        {
            "inertia": inertia,
            "silhouette": there,
            "silhouette_input": before,
            "gap": gap,
            "gap_se": error,
            "stability": stable,
            "calibrated": calibrated,
            "p-value": pvalues,
        },
        index=pd.Index(tried, name="k"),
    )
    choices = {
        "elbow": elbow(tried, inertia.tolist()),
        "silhouette": tried[int(np.nanargmax(there))],
        "gap": by_gap,
    }
    for name, values in (("stability", stable), ("calibrated", calibrated)):
        if not np.isnan(values).all():
            choices[name] = tried[int(np.nanargmax(values))]
    return ChosenK(table, pd.Series(choices, name="k").rename_axis("criterion"))
