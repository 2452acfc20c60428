"""What the clusters are: profiles, box plots in numbers, and names by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from numpy.typing import ArrayLike

from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.errors import InputDataError

__all__ = ["WORDS", "boxes", "name_clusters", "profiles", "standardised"]

WORDS: Mapping[str, tuple[str, str]] = {
    "log_market_cap": ("small", "large"),
    "market_cap": ("small", "large"),
    "size": ("small", "large"),
    "leverage": ("lightly levered", "highly levered"),
    "liquidity": ("short of liquid assets", "rich in liquid assets"),
    "current_ratio": ("short of current assets", "rich in current assets"),
    # Cost of goods sold over sales: low is efficient.
    "operating_efficiency": ("efficient", "inefficient"),
    "amihud": ("liquid", "illiquid"),
    "volatility": ("calm", "volatile"),
    "momentum": ("past losers", "past winners"),
    "book_to_market": ("growth", "value"),
    "price_to_book": ("value", "growth"),
    "price_to_earnings": ("cheap by earnings", "dear by earnings"),
    "earnings_to_price": ("dear by earnings", "cheap by earnings"),
    "gross_profitability": ("low gross profits", "high gross profits"),
    "operating_profitability": ("low operating profits", "high operating profits"),
    "roe": ("unprofitable on equity", "profitable on equity"),
    "roa": ("unprofitable on assets", "profitable on assets"),
    "eps": ("low earnings per share", "high earnings per share"),
    "asset_growth": ("shrinking", "expanding"),
    "market_beta": ("defensive", "cyclical"),
}
"""Characteristic -> what a cluster far below and far above the average is called."""


def profiles(X: pd.DataFrame, Z: ArrayLike, labels: ArrayLike) -> pd.DataFrame:
    """Return what each cluster looks like, in original and in standard units.

    Parameters
    ----------
    X : DataFrame, rows x features
        Features in original units; missing values are left out.
    Z : array of shape (rows, features)
        The same features in comparable units; standardised here to mean 0 and deviation 1. Missing
        values are left out.
    labels : int array of shape (rows,)
        Clusters; rows with a negative or a missing label are left out of every cluster.

    Returns
    -------
    DataFrame
        One row per cluster; columns (statistic, feature), with the statistics "mean", "median",
        "std" (original units), "mean_z", "median_z" and "std_z" (standard units).

    Raises
    ------
    InputDataError
        If the three have different numbers of rows, or are no numbers.

    Examples
    --------
    >>> X = pd.DataFrame({"size": [1.0, 3.0, 10.0]})
    >>> profiles(X, X, [0, 0, 1])[("mean", "size")].tolist()
    [2.0, 10.0]
    """
    X, Z = read_features(X, "profiles"), read_features(Z, "profiles")
    codes = read_labels(labels, len(X), "profiles")
    if Z.shape != X.shape:
        raise InputDataError(
            f"Features and standardised features must have the same rows and columns; got "
            f"{X.shape} and {Z.shape}."
        )
    standard = standardised(Z).set_axis(X.columns, axis=1).reset_index(drop=True)
    kept = codes >= 0
    original = X.reset_index(drop=True)[kept].groupby(codes[kept])
    scaled = standard[kept].groupby(codes[kept])
    parts = {
        "mean": original.mean(),
        "median": original.median(),
        "std": original.std(ddof=0),
        "mean_z": scaled.mean(),
        "median_z": scaled.median(),
        "std_z": scaled.std(ddof=0),
    }
    out = pd.concat(parts, axis=1, names=["statistic", "feature"])
    out.index.name = "cluster"
    return out


def standardised(Z: pd.DataFrame) -> pd.DataFrame:
    """Return columns of mean 0 and deviation 1 over what is not missing; constants at 0."""
    spread = Z.std(ddof=0)
    # The deviation of equal values is rounding, and not always zero.
    varies = spread > 1e-12 * Z.abs().max()
    return ((Z - Z.mean()) / spread.where(varies, 1.0)).where(varies | Z.isna(), 0.0)


def boxes(Z: pd.DataFrame, labels: ArrayLike) -> pd.DataFrame:
    """Return the five numbers of a box plot for every feature and cluster.

    Parameters
    ----------
    Z : DataFrame, rows x features
        Features in comparable units; standardised here to mean 0 and deviation 1. Missing values
        are left out.
    labels : int array of shape (rows,)
        Clusters; rows with a negative or a missing label are left out of every cluster.

    Returns
    -------
    DataFrame indexed by (feature, cluster)
        Columns low, q1, median, q3, high: the whiskers are at the 5% and 95% quantiles.

    Raises
    ------
    InputDataError
        If there is not one label per row, or a feature is no number.

    Examples
    --------
    >>> Z = pd.DataFrame({"size": [1.0, 2.0, 3.0, 9.0]})
    >>> boxes(Z, [1, 1, 1, 2])["median"].round(2).tolist()
    [-0.56, 1.69]
    """
    Z = read_features(Z, "boxes")
    codes = read_labels(labels, len(Z), "boxes")
    standard = standardised(Z)
    kept = codes >= 0
    grouped = standard.reset_index(drop=True)[kept].groupby(codes[kept])
    points = {"low": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "high": 0.95}
    # Features in their own order: stacking frames of columns would sort them.
    found = {
        name: pd.DataFrame(grouped.quantile(at)).T.stack(future_stack=True)
        for name, at in points.items()
    }
    return pd.DataFrame(found).rename_axis(["feature", "cluster"])


def _words(feature: str, score: float, strong: float) -> str:
    low, high = WORDS.get(feature, (f"low {_plain(feature)}", f"high {_plain(feature)}"))
    word = high if score > 0 else low
    return f"very {word}" if abs(score) >= strong and " " not in word else word


def _plain(feature: str) -> str:
    return feature.replace("_", " ")


def name_clusters(
    means: pd.DataFrame, *, threshold: float = 0.5, strong: float = 1.5, most: int = 3
) -> dict[int, str]:
    """Return a name per cluster by rule, such as "small, highly levered, illiquid".

    A cluster is called after the (at most ``most``) features whose mean is farthest from the
    average, if by more than ``threshold`` standard deviations; beyond ``strong`` one-word names
    get a "very". A cluster without such a feature is "average". Where two names agree, features
    are added until they differ, and then numbers.

    Parameters
    ----------
    means : DataFrame, clusters x features
        Mean of each feature in standard units, such as ``profiles(...)["mean_z"]``.
    threshold, strong : float
        Limits in standard deviations.
    most : int
        Most features in a name.

    Examples
    --------
    >>> means = pd.DataFrame({"leverage": [1.0, -1.0], "size": [-0.8, 0.1]}, index=[1, 2])
    >>> name_clusters(means)
    {1: 'highly levered, small', 2: 'lightly levered'}
    """
    ordered = {
        int(str(cluster)): row[row.abs() > 0].sort_values(key=lambda v: -v.abs(), kind="stable")
        for cluster, row in means.sort_index().iterrows()
    }
    length = {
        cluster: min(most, int((row.abs() >= threshold).sum())) for cluster, row in ordered.items()
    }

    def spell(cluster: int) -> str:
        row = ordered[cluster].iloc[: length[cluster]]
        words = [_words(str(f), float(v), strong) for f, v in row.items()]
        return ", ".join(words) if words else "average"

    names = {cluster: spell(cluster) for cluster in ordered}
    for _ in range(2):
        for cluster in _repeated(names):
            length[cluster] = min(length[cluster] + 1, len(ordered[cluster]))
            names[cluster] = spell(cluster)
    seen: dict[str, int] = {}
    for cluster in _repeated(names):
        seen[names[cluster]] = seen.get(names[cluster], 0) + 1
        names[cluster] += f" ({seen[names[cluster]]})"
    return names


def _repeated(names: Mapping[int, str]) -> list[int]:
    values: Sequence[str] = list(names.values())
    return [cluster for cluster, name in names.items() if values.count(name) > 1]
