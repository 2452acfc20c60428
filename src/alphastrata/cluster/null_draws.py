"""Draws of data without clusters: permuted columns, a Gaussian copula, one factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from alphastrata.errors import ConfigError, InputDataError

__all__ = ["NULLS", "sample_null"]

Array = NDArray[np.float64]
Curve = tuple[Array, Array]

NULLS = ("permute", "copula", "one_factor")
"""Permuted columns; a Gaussian copula with smooth margins; one factor with smooth margins."""


def sample_null(
    X: ArrayLike, null: str, rng: np.random.Generator, *, factor: ArrayLike | None = None
) -> Array:
    """Return data (n x d) that resemble ``X`` column by column, without clusters.

    Parameters
    ----------
    X : array of shape (n, d)
        Features; missing values stay as many, in random rows.
    null : {"permute", "copula", "one_factor"}
        "permute": each column is permuted by itself, so that nothing depends on anything.
        "copula": a Gaussian copula with the correlations of ``X`` and smooth margins.
        "one_factor": the same, in which one factor is all that columns share: the given
        ``factor``, or the one that explains the correlations best.
    rng : numpy Generator
        Source of randomness.
    factor : array of shape (n,) or None
        A known driver, such as log market capitalisation, for "one_factor".

    Raises
    ------
    ConfigError
        If the null is unknown.
    InputDataError
        If the features are no matrix, or a value is infinite.

    Notes
    -----
    "permute" keeps the margins exactly. The other two keep a smooth version of them, a monotone
    function of a normal variable with knots about a deviation apart: skewness and tails stay, the
    chance clumps of a sample go. Kept, they would stand at the same assets in all of several
    correlated columns of the data, but not in the draws, and the test would reject noise. A
    column in which most values are repeated keeps its values.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(6, 2)
    >>> Z = sample_null(X, "permute", np.random.default_rng(0))
    >>> bool((np.sort(Z, axis=0) == X).all())
    True
    """
    values = np.asarray(X, dtype=np.float64)
    if values.ndim != 2 or np.isinf(values).any():
        raise InputDataError(
            f"A null is drawn from a matrix without infinite values; got shape {values.shape} with "
            f"{int(np.isinf(values).sum())} infinite. Make them missing (NaN)."
        )
    if null == "permute":
        return np.column_stack([rng.permutation(column) for column in values.T])
    if null not in NULLS:
        raise ConfigError(f"A null must be one of {NULLS}, got {null!r}.")
    curves = [_curve(column) for column in values.T]
    latent = _latent(values, curves)
    correlation = _correlation(latent)
    if null == "one_factor":
        correlation = _one_factor(latent, correlation, factor, rng)
    z = _draw(correlation, values.shape, rng)
    return _observed(z, values, latent, curves, rng)


def _normal_scores(X: Array) -> Array:
    """Return each column's ranks as normal quantiles; missing values stay missing."""
    out = np.full_like(X, np.nan)
    for k, column in enumerate(X.T):
        present = ~np.isnan(column)
        out[present, k] = ndtri((rankdata(column[present]) - 0.5) / max(int(present.sum()), 1))
    return out


def _curve(column: Array) -> Curve | None:
    """Return knots and heights of a smooth monotone map from the normal to the column's values.

    Local straight lines through (normal score, value), weighted by a triangle one deviation wide
    to either side; the ends are the sample's. None where most values are repeated.
    """
    values = np.sort(column[~np.isnan(column)])
    n = len(values)
    if n < 10 or len(np.unique(values)) < n / 2:
        return None
    scores = ndtri((np.arange(n) + 0.5) / n)
    knots = np.linspace(scores[0], scores[-1], max(6, int(np.ceil(4.0 * np.ptp(scores))) + 1))
    gap = scores[None, :] - knots[:, None]
    weight = np.maximum(1.0 - np.abs(gap), 1e-12)
    weight /= weight.sum(axis=1, keepdims=True)
    centre, level = weight @ scores, weight @ values
    away = scores[None, :] - centre[:, None]
    slope = (weight * away * (values[None, :] - level[:, None])).sum(axis=1)
    slope /= (weight * away**2).sum(axis=1)
    heights = level + slope * (knots - centre)
    heights[[0, -1]] = values[[0, -1]]
    return knots, np.maximum.accumulate(np.clip(heights, values[0], values[-1]))


def _latent(X: Array, curves: list[Curve | None]) -> Array:
    """Return the normal variable behind every value: by the curve, or else by rank."""
    out = _normal_scores(X)
    for k, curve in enumerate(curves):
        if curve is not None:
            out[:, k] = np.interp(X[:, k], curve[1], curve[0])
    return out


def _observed(
    z: Array, X: Array, latent: Array, curves: list[Curve | None], rng: np.random.Generator
) -> Array:
    """Return normal draws (n x d) in the units of the columns of ``X``, with as many missing."""
    out = np.full_like(X, np.nan)
    for k, curve in enumerate(curves):
        present = ~np.isnan(X[:, k])
        rows = rng.permutation(len(X))[: int(present.sum())]
        if curve is None:
            # Reordered, so that a repeated value is repeated as often.
            out[rows[np.argsort(z[rows, k], kind="stable")], k] = np.sort(X[present, k])
            continue
        own = latent[present, k]
        out[rows, k] = np.interp(own.mean() + own.std() * z[rows, k], *curve)
    return out


def _correlation(scores: Array) -> Array:
    """Return the correlations (d x d) over pairwise present rows, made positive semidefinite."""
    present = ~np.isnan(scores)
    counts = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, scores, 0.0)
    filled = np.where(present, filled - filled.sum(axis=0) / counts, 0.0)
    weight = present.astype(np.float64)
    return _as_correlation(filled.T @ filled / np.maximum(weight.T @ weight, 1.0))


def _as_correlation(matrix: Array) -> Array:
    """Return the matrix (d x d) with a unit diagonal and no negative eigenvalue."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    fixed = (vectors * np.maximum(values, 1e-10)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(scale, scale))


def _root(correlation: Array, *, inverse: bool = False) -> Array:
    """Return the symmetric square root (d x d), or its inverse."""
    values, vectors = np.linalg.eigh(correlation)
    roots = np.sqrt(np.maximum(values, 1e-12))
    return np.asarray((vectors * (1.0 / roots if inverse else roots)) @ vectors.T)


def _draw(correlation: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return normal draws (n x d) with exactly these correlations and margins of no chance shape.

    The data's correlations and curves are their own plus sampling noise; draws with sampling
    noise of their own on top would be more structured than the data, and the test conservative.
    So the draws are taken through the curves of their own first, as the data are, and then given
    the correlations.
    """
    z = rng.normal(size=shape)
    if shape[0] <= 2 * shape[1]:
        return z @ _root(correlation)
    z = _white(z) @ _root(correlation)
    z = _latent(z, [_curve(column) for column in z.T])
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    return z @ _root(_as_correlation(z.T @ z), inverse=True) @ _root(correlation)


def _white(z: Array) -> Array:
    """Return the draws rotated and scaled so that they are exactly uncorrelated."""
    centred = z - z.mean(axis=0)
    factor = np.linalg.cholesky(centred.T @ centred / len(z))
    return np.asarray(np.linalg.solve(factor, centred.T).T)


def _one_factor(
    latent: Array, correlation: Array, factor: ArrayLike | None, rng: np.random.Generator
) -> Array:
    """Return the correlations of one factor, plus what sampling leaves around them.

    The factor is fitted, and so explains some of the data's sampling noise; draws with noise of
    their own in it would share more than the data do. They get the fitted factor exactly, and
    around it the residuals of a sample of the same size that has one factor.
    """
    loadings = _loadings(correlation, latent, factor)
    shared = rng.normal(size=(len(latent), 1))
    noise = rng.normal(size=latent.shape) * np.sqrt(1.0 - loadings**2)
    pilot = shared * loadings + noise
    around = _correlation(pilot)
    known = None if factor is None else shared[:, 0]
    fitted = _loadings(around, pilot, known)
    residual = around - np.outer(fitted, fitted)
    found = np.outer(loadings, loadings) + residual
    np.fill_diagonal(found, 1.0)
    return _as_correlation(found)


def _loadings(correlation: Array, latent: Array, factor: ArrayLike | None) -> Array:
    """Return each column's loading (d,) on the given factor, or on the best one."""
    if factor is not None:
        given = _normal_scores(np.asarray(factor, dtype=np.float64)[:, None])
        return np.clip(_correlation(np.hstack([given, latent]))[0, 1:], -0.999, 0.999)
    loadings = np.zeros(len(correlation))
    # Principal axes: the factor explains what columns share, and not their own variance.
    shared = np.full(len(loadings), 0.5)
    for _ in range(100):
        reduced = correlation - np.eye(len(shared)) + np.diag(shared)
        roots, vectors = np.linalg.eigh(reduced)
        loadings = np.clip(vectors[:, -1] * np.sqrt(max(float(roots[-1]), 0.0)), -0.999, 0.999)
        if np.abs(loadings**2 - shared).max() < 1e-6:
            break
        shared = loadings**2
    return np.asarray(loadings)
