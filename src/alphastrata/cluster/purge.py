"""How much of a clustering is size or industry, and what is left without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.metrics import (
    adjusted_mutual_info_score,
    normalized_mutual_info_score,
)
from sklearn.preprocessing import SplineTransformer

from alphastrata.cluster.nulls import NullTest, fit_once, null_test
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.seeding import seeded
from alphastrata.cluster.stability import agreement
from alphastrata.cluster.transforms import signed_log
from alphastrata.cluster.window_fit import require_clusterer
from alphastrata.core.shown import Shown
from alphastrata.errors import InputDataError

__all__ = ["SizePurge", "project_out", "size_purge"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class SizePurge(Shown):
    """A clustering before and after size (and industry) are taken out of the features.

    Attributes
    ----------
    information : DataFrame
        Rows "size" and, where given, "industry"; columns "mutual", "adjusted" (for chance, 1 =
        the labels are a function of it, 0 = chance) before, and "adjusted_after" the purge, over
        the rows that are classified; missing where none is.
    agreement : float
        Adjusted Rand index of the labels before and after, as in ``Stability``.
    labels, labels_after : ndarray of int64, shape (n,)
        Labels before and after.
    null : NullTest
        The test of what is left against data without clusters.
    """

    information: pd.DataFrame
    agreement: float
    labels: Labels
    labels_after: Labels
    null: NullTest

    def passes(self, *, level: float = 0.05, score: str = "silhouette_input") -> bool:
        """Return whether what is left is better than every null at the level."""
        pvalues = self.null.pvalues.xs(score, level="score")
        return bool((pvalues <= level).all())


def project_out(X: ArrayLike, size: ArrayLike, *, industry: ArrayLike | None = None) -> Array:
    """Return the signed logarithms of ``X`` (n x d) less what size and industry explain of them.

    Each column is regressed, over the rows where it is present, on a cubic spline of the rank of
    size with five knots and on industry dummies; the residuals are divided by their deviation
    within a moving band of sizes, since size can drive the spread as well.

    Parameters
    ----------
    X : array of shape (n, d)
        Features in original units; missing values stay missing.
    size : array of shape (n,)
        Size, in any monotone unit; must be present.
    industry : array of shape (n,) or None
        Industry codes.

    Raises
    ------
    InputDataError
        If the rows differ in number, or size is missing somewhere.
    """
    values = signed_log(read_features(X, "project_out", least=2).to_numpy())
    given = np.asarray(size, dtype=np.float64)
    missing = np.isnan(given)
    if given.shape != (len(values),) or missing.any():
        first = f" First: row {int(missing.argmax())}." if missing.any() else ""
        raise InputDataError(
            f"Size must be present for each of {len(values)} rows; got shape {given.shape} with "
            f"{int(missing.sum())} missing.{first} Leave these rows out."
        )
    if industry is not None and len(np.asarray(industry)) != len(values):
        raise InputDataError(
            f"There must be an industry (missing allowed) for each of {len(values)} rows; got "
            f"{len(np.asarray(industry))}."
        )
    rank = (rankdata(given) - 0.5) / len(given)
    design = SplineTransformer(n_knots=5, degree=3).fit_transform(rank[:, None])
    if industry is not None:
        dummies = pd.get_dummies(pd.Series(np.asarray(industry))).to_numpy(dtype=np.float64)
        design = np.hstack([design, dummies[:, 1:]])
    out = np.full_like(values, np.nan)
    for k, column in enumerate(values.T):
        rows = np.flatnonzero(~np.isnan(column))
        if not len(rows):
            continue
        slope = np.linalg.lstsq(design[rows], column[rows], rcond=None)[0]
        rest = column[rows] - design[rows] @ slope
        out[rows, k] = rest / _local_spread(rest, rank[rows])
    return out


def _local_spread(rest: Array, rank: Array) -> Array:
    """Return the root mean square of the residuals in a moving fifth of the sizes."""
    order = np.argsort(rank, kind="stable")
    half = max(len(rest) // 10, 5)
    total = np.concatenate([[0.0], np.cumsum(rest[order] ** 2)])
    at = np.arange(len(rest))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(rest))
    spread = np.empty(len(rest))
    spread[order] = np.sqrt((total[high] - total[low]) / (high - low))
    return np.where(spread > 1e-12, spread, 1.0)


def size_purge(
    model: Any,
    X: pd.DataFrame | ArrayLike,
    size: ArrayLike,
    *,
    industry: ArrayLike | None = None,
    draws: int = 39,
    random_state: int = 0,
    n_jobs: int = 1,
) -> SizePurge:
    """Return how much of the labels is size or industry, and the clusters without them.

    Parameters
    ----------
    model : estimator
        A clusterer, or a pipeline that ends in one.
    X : array or DataFrame of shape (n, d)
        Features of one cross-section, in original units.
    size : array of shape (n,)
        Size of each asset, such as market capitalisation.
    industry : array of shape (n,) or None
        Industry codes.
    draws : int
        Draws from each null ("permute" and "copula") for the test of what is left.
    random_state, n_jobs : int
        As in ``null_test``, which see for what else is raised.

    Raises
    ------
    InputDataError
        If the rows differ in number, or size is missing somewhere.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=200)
    >>> X = size[:, None] * np.ones(3) + 0.3 * rng.normal(size=(200, 3))
    >>> found = size_purge(KMeans(2, n_init=1, random_state=0), X, size, draws=19)
    >>> bool(found.information.loc["size", "adjusted"] > 0.3), found.passes()
    (True, False)
    """
    require_clusterer(model)
    values = read_features(X, "size_purge", least=3, empty=False).to_numpy()
    purged = project_out(values, size, industry=industry)
    before = fit_once(seeded(model, random_state), values).labels
    test = null_test(
        model,
        purged,
        nulls=("permute", "copula"),
        draws=draws,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    n_bins = max(2, min(10, len(np.unique(before[before >= 0]))))
    groups = {"size": np.ceil(rankdata(np.asarray(size)) / len(values) * n_bins).astype(np.int64)}
    if industry is not None:
        groups["industry"] = pd.factorize(np.asarray(industry))[0]
    rows = {
        name: {
            "mutual": _shared(normalized_mutual_info_score, codes, before),
            "adjusted": _shared(adjusted_mutual_info_score, codes, before),
            "adjusted_after": _shared(adjusted_mutual_info_score, codes, test.labels),
        }
        for name, codes in groups.items()
    }
    return SizePurge(
        pd.DataFrame(rows).T.rename_axis("driver"),
        agreement(before, test.labels),
        before,
        test.labels,
        test,
    )


def _shared(measure: Callable[[Labels, Labels], float], codes: Labels, labels: Labels) -> float:
    """Return how much codes and labels share, over the rows that are classified."""
    kept = labels >= 0
    return float(measure(codes[kept], labels[kept])) if kept.any() else np.nan
