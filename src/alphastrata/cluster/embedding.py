"""Maps of a cross-section in two or three dimensions: t-SNE, and makers for Isomap and UMAP."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.manifold import Isomap
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from alphastrata.cluster.bounds import is_whole, require_number, require_whole
from alphastrata.cluster.neighbors import affinities, conditional, nearest_neighbors, upper_triangle
from alphastrata.cluster.tsne_kernels import descend, kl_divergence, place_rows
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

__all__ = ["CROSSOVER", "TSNE", "isomap", "umap"]

Array = NDArray[np.float64]

CROSSOVER = 40_000
"""Rows above which openTSNE's interpolation overtakes the exact kernel (see docs/clustering.md)."""


@njit(cache=True, nogil=True)
def _covariance(X: Array) -> Array:
    """Return X'X / n (d x d) of centred rows, summed row after row."""
    n, d = X.shape
    out = np.zeros((d, d))
    for i in range(n):
        for a in range(d):
            for b in range(d):
                out[a, b] += X[i, a] * X[i, b]
    return out / n


def principal_start(X: Array, n_components: int, random: np.random.RandomState) -> Array:
    """Return the first principal components of ``X`` (n x d), the first scaled to 1e-4.

    Signs are fixed by the largest loading. Directions that the data do not have (fewer columns
    than components) are filled with noise of a hundredth of that size.
    """
    centred = X - X.mean(axis=0)
    _, vectors = np.linalg.eigh(_covariance(np.ascontiguousarray(centred)))
    loadings = vectors[:, ::-1][:, :n_components]
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    # einsum without a BLAS call: the sums of a row are the same on any number of threads.
    scores = np.einsum("ij,jk->ik", centred, loadings * np.where(largest < 0, -1.0, 1.0))
    spread = float(scores[:, 0].std())
    start = random.normal(scale=1e-6, size=(len(X), n_components))
    if spread > 0.0:
        start[:, : scores.shape[1]] = scores / spread * 1e-4
    return start


class TSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Lay rows out in two or three dimensions so that neighbours stay neighbours.

    Below ``CROSSOVER`` rows every pair is computed, by a vectorised kernel that is faster than
    approximations at the size of a stock cross-section; above it openTSNE does the descent, on
    the same affinities. ``transform`` places new rows on the learned map, each by itself.

    Parameters
    ----------
    n_components : {1, 2, 3}
        Dimensions of the map.
    perplexity : float
        Effective number of neighbours; lowered to a third of the other rows where there are few.
    early_exaggeration : float
        Factor on the affinities in the first phase.
    early_iter, n_iter : int
        Steps of the first and of the second phase. (250, 500) is the usual schedule; (50, 300)
        keeps trustworthiness within 0.001 and KL within 3% at half of the time.
    learning_rate : float or "auto"
        "auto" is the number of rows over the exaggeration of the phase, at least 50.
    init : {"pca", "random"} or ndarray of shape (n, n_components)
        Where the descent starts. An array, for instance the previous window's map, goes on from
        there as it is, without rescaling.
    method : {"auto", "exact", "opentsne"}
        Who does the descent.
    random_state : int, RandomState instance or None
        Used by the random start and by openTSNE.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map of the training rows.
    kl_divergence_ : float
        KL divergence of the map from the affinities, over all pairs.
    perplexity_ : float
        The perplexity that was used.
    method_ : str
        "exact" or "opentsne".

    Notes
    -----
    ``transform`` gives a row that equals a training row that row's place (of several equal ones,
    the first one's), so that ``fit(X).transform(X)`` is ``fit_transform(X)`` where no two rows are
    equal.

    References
    ----------
    van der Maaten, L. and Hinton, G. (2008), "Visualizing data using t-SNE", JMLR 9. Belkina, A.
    et al. (2019), Nature Communications 10 (learning rate). Kobak, D. and Berens, P. (2019),
    Nature Communications 10 (start from principal components). Poličar, P., Stražar, M. and
    Zupan, B. (2024), "openTSNE", Journal of Statistical Software 109.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> TSNE(random_state=0).fit_transform(X).shape
    (60, 2)
    """

    def __init__(
        self,
        *,
        n_components: int = 2,
        perplexity: float = 30.0,
        early_exaggeration: float = 12.0,
        early_iter: int = 250,
        n_iter: int = 500,
        learning_rate: float | Literal["auto"] = "auto",
        init: Any = "pca",
        method: Literal["auto", "exact", "opentsne"] = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.early_exaggeration = early_exaggeration
        self.early_iter = early_iter
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.init = init
        self.method = method
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Lay out the rows of ``X`` (n x columns).

        Raises
        ------
        ConfigError
            If a setting is outside its range; all of them are named together.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        self._check_settings(len(values))
        random = check_random_state(self.random_state)
        start = self._start(values, random)
        self.perplexity_ = max(1.0, min(float(self.perplexity), (len(values) - 1) / 3.0))
        affinity = affinities(values, self.perplexity_)
        exact = self.method == "exact" or (self.method == "auto" and len(values) <= CROSSOVER)
        self.method_ = "exact" if exact else "opentsne"
        phases = [
            (n_iter, exaggeration, self._rate(len(values), exaggeration), momentum)
            for n_iter, exaggeration, momentum in (
                (self.early_iter, float(self.early_exaggeration), 0.5),
                (self.n_iter, 1.0, 0.8),
            )
        ]
        Y = _coordinates(start)
        if exact:
            once = upper_triangle(*affinity)
            for n_iter, exaggeration, step, momentum in phases:
                descend(Y, once, n_iter, exaggeration, step, momentum)
        else:
            Y = _by_opentsne(Y, affinity, phases, random)
        self.kl_divergence_ = float(kl_divergence(Y, *affinity))
        self.embedding_: Array = Y[: self.n_components].T.astype(np.float64)
        self.training_: Array = values
        return self

    def fit_transform(self, X: ArrayLike, y: object = None) -> Array:
        """Lay out the rows of ``X`` and return the map (n x n_components)."""
        return self.fit(X).embedding_.copy()

    def transform(self, X: ArrayLike) -> Array:
        """Return the places (rows x n_components) of the rows of ``X`` on the learned map."""
        check_is_fitted(self, "embedding_")
        values = np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
        k = min(len(self.training_), max(1, int(3 * self.perplexity_)))
        index, squared = nearest_neighbors(values, self.training_, k, exclude_self=False)
        known = squared[:, 0] == 0.0
        out = self.embedding_[index[:, 0]]
        if not known.all():
            new = np.flatnonzero(~known)
            p = conditional(squared[new], self.perplexity_)
            Y = _coordinates(self.embedding_).astype(np.float64)
            out[new] = place_rows(Y, index[new], p, 250)[:, : self.n_components]
        return out

    def _rate(self, n: int, exaggeration: float) -> float:
        return max(n / exaggeration, 50.0) if self.learning_rate == "auto" else self.learning_rate

    def _start(self, values: Array, random: np.random.RandomState) -> Array:
        if isinstance(self.init, str):
            if self.init == "pca":
                return principal_start(values, self.n_components, random)
            return random.normal(scale=1e-4, size=(len(values), self.n_components))
        return np.array(self.init, dtype=np.float64)

    def _check_settings(self, n: int) -> None:
        check = Violations("the settings of t-SNE")
        check.require(
            is_whole(self.n_components) and self.n_components in (1, 2, 3),
            "n_components must be 1, 2 or 3",
            first=repr(self.n_components),
        )
        for name in ("perplexity", "early_exaggeration"):
            require_number(check, self, name, 1)
        require_whole(check, self, 0, "early_iter", "n_iter")
        if self.learning_rate != "auto":
            require_number(check, self, "learning_rate", 0, strict=True)
        check.require(
            self.method in ("auto", "exact", "opentsne"),
            'method must be "auto", "exact" or "opentsne"',
            first=repr(self.method),
        )
        if isinstance(self.init, str):
            check.require(
                self.init in ("pca", "random"),
                'init must be "pca", "random" or an array',
                first=repr(self.init),
            )
        else:
            shape = np.shape(self.init)
            check.require(
                shape == (n, self.n_components) and bool(np.isfinite(self.init).all()),
                f"An initial map must be finite and of shape {(n, self.n_components)}",
                first=repr(shape),
            )
        check.raise_if_any(ConfigError)

    @property
    def _n_features_out(self) -> int:
        return self.n_components


def _coordinates(points: Array) -> NDArray[np.float32]:
    """Return the map with one float32 row per coordinate; on a line, the second stays zero."""
    Y = np.zeros((max(points.shape[1], 2), len(points)), dtype=np.float32)
    Y[: points.shape[1]] = points.T
    return Y


def _by_opentsne(
    Y: NDArray[np.float32], affinity: Any, phases: Any, random: np.random.RandomState
) -> NDArray[np.float32]:
    """Return the map that openTSNE descends to, on one thread, from the same start."""
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PrecomputedAffinities
    from scipy.sparse import csr_matrix

    offsets, columns, values = affinity
    P = csr_matrix((values.astype(np.float64), columns, offsets), shape=(Y.shape[1],) * 2)
    embedding = TSNEEmbedding(
        Y.T.astype(np.float64),
        PrecomputedAffinities(P, normalize=False),
        negative_gradient_method="fft" if Y.shape[0] == 2 else "bh",
        n_jobs=1,
        random_state=random,
    )
    for n_iter, exaggeration, rate, momentum in phases:
        if n_iter:
            embedding.optimize(
                n_iter=n_iter,
                exaggeration=exaggeration,
                learning_rate=rate,
                momentum=momentum,
                inplace=True,
            )
    return np.ascontiguousarray(np.asarray(embedding).T, dtype=np.float32)


def isomap(*, n_components: int = 3, n_neighbors: int = 10) -> Isomap:
    """Return scikit-learn's Isomap: geodesic distances kept in ``n_components`` dimensions.

    Parameters
    ----------
    n_components : int
        Dimensions of the map.
    n_neighbors : int
        Neighbours along which geodesic distances are measured.

    References
    ----------
    Tenenbaum, J., de Silva, V. and Langford, J. (2000), Science 290.

    Examples
    --------
    >>> isomap(n_components=2).get_params()["n_components"]
    2
    """
    return Isomap(n_components=n_components, n_neighbors=n_neighbors)


def umap(
    *,
    n_components: int = 2,
    n_neighbors: int = 15,
    min_dist: float = 0.0,
    random_state: int | None = None,
) -> Any:
    """Return umap-learn's UMAP, which is an optional dependency.

    Unlike t-SNE here, its ``transform`` places new rows together, so that the last digits of a
    row's place depend on the rows that come with it.

    Parameters
    ----------
    n_components : int
        Dimensions of the map.
    n_neighbors : int
        Size of the neighbourhoods.
    min_dist : float
        Smallest distance on the map; zero suits clustering.
    random_state : int or None
        Seed.

    Raises
    ------
    ConfigError
        If umap-learn is not installed.

    References
    ----------
    McInnes, L., Healy, J. and Melville, J. (2018), arXiv:1802.03426. McConville, R. et al.
    (2021), "N2D", ICPR (autoencoder, UMAP, Gaussian mixture).
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise ConfigError(
            'embedding="umap" needs the package umap-learn, which is not installed. '
            'Install it with: pip install "alphastrata[customers]".'
        ) from error
    return UMAP(
        n_components=n_components,
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        random_state=random_state,
        n_jobs=1,
    )
