"""Scikit-learn transformers that bring characteristics of assets to comparable scales.

Missing values are never filled in silently. ``SignedLog``, ``Winsorizer`` and
``CrossSectionalRank`` let them pass as they are; ``MedianImputer`` is the one place where they
are replaced, and it counts what it replaced, or refuses.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from alphastrata.errors import ConfigError, EstimationError, InputDataError

__all__ = ["CrossSectionalRank", "MedianImputer", "SignedLog", "Winsorizer"]

Array = NDArray[np.float64]


def signed_log(values: Array) -> Array:
    """Return sign(x) log(1 + |x|), element by element, of an array of any shape."""
    return np.sign(values) * np.log1p(np.abs(values))


class _MissingPasses(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """A transformer of columns that leaves missing values missing."""

    def _validate(self, X: ArrayLike, *, reset: bool) -> Array:
        return np.asarray(
            validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class SignedLog(_MissingPasses):
    """Transform each value to sign(x) log(1 + |x|), which tames heavy tails on both sides.

    Missing values stay missing; the transformation learns nothing but the number of columns.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in ``fit``.

    References
    ----------
    Webber, J. B. W. (2013), "A bi-symmetric log transformation for wide-range data",
    Measurement Science and Technology 24.

    Examples
    --------
    >>> import numpy as np
    >>> SignedLog().fit_transform(np.array([[-1.0], [0.0], [1.0]])).round(3).ravel().tolist()
    [-0.693, 0.0, 0.693]
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Record the columns of ``X`` (rows x columns)."""
        self._validate(X, reset=True)
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the transformed copy of ``X`` (rows x columns)."""
        return signed_log(self._validate(X, reset=False))

    def inverse_transform(self, X: ArrayLike) -> Array:
        """Return sign(z) (exp(|z|) - 1), the values that ``transform`` started from."""
        check_is_fitted(self, "n_features_in_")
        z = np.asarray(X, dtype=np.float64)
        return np.sign(z) * np.expm1(np.abs(z))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class Winsorizer(_MissingPasses):
    """Pull values beyond two quantiles of the training data back to those quantiles.

    Parameters
    ----------
    lower, upper : float
        Quantiles, 0 <= lower < upper <= 1, learned per column over what is not missing.

    Attributes
    ----------
    lower_, upper_ : ndarray of float64, shape (n_features,)
        The bounds. A column without a single value has missing bounds and is left alone.

    Examples
    --------
    >>> import numpy as np
    >>> Winsorizer(lower=0, upper=0.5).fit_transform(np.array([[0.0], [1.0], [9.0]])).ravel()
    array([0., 1., 1.])
    """

    def __init__(self, *, lower: float = 0.01, upper: float = 0.99) -> None:
        self.lower = lower
        self.upper = upper

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the two quantiles of every column of ``X`` (rows x columns).

        Raises
        ------
        ConfigError
            If the quantiles are not 0 <= lower < upper <= 1.
        """
        if not 0.0 <= self.lower < self.upper <= 1.0:
            raise ConfigError(
                f"Quantiles must be 0 <= lower < upper <= 1, got {self.lower} and {self.upper}."
            )
        values = self._validate(X, reset=True)
        empty = np.isnan(values).all(axis=0)
        bounds = np.full((2, values.shape[1]), np.nan)
        bounds[:, ~empty] = np.nanquantile(values[:, ~empty], [self.lower, self.upper], axis=0)
        self.lower_, self.upper_ = bounds
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return a copy of ``X`` (rows x columns) within the learned bounds."""
        check_is_fitted(self, "lower_")
        values = self._validate(X, reset=False)
        return np.fmax(np.fmin(values, self.upper_), self.lower_) + 0.0 * values


class CrossSectionalRank(_MissingPasses):
    """Map each column to its quantile in the training cross-section, between -1 and 1.

    A training value with average rank r among n (ties share theirs) becomes
    2 (r - 1/2) / n - 1. A new value is placed between the training values by linear
    interpolation, and beyond them at the ends. Missing values stay missing.

    Attributes
    ----------
    knots_ : list of ndarray
        Per column, the distinct training values in ascending order.
    ranks_ : list of ndarray
        Per column, what each knot is mapped to.

    References
    ----------
    Gu, S., Kelly, B. and Xiu, D. (2020), "Empirical asset pricing via machine learning",
    Review of Financial Studies 33, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> CrossSectionalRank().fit_transform(np.array([[5.0], [7.0]])).ravel()
    array([-0.5,  0.5])
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the distribution of every column of ``X`` (rows x columns)."""
        values = self._validate(X, reset=True)
        self.knots_: list[Array] = []
        self.ranks_: list[Array] = []
        for column in values.T:
            knots, counts = np.unique(column[~np.isnan(column)], return_counts=True)
            # A group of c ties that ends at rank e shares the average rank e - (c - 1) / 2.
            middle = np.cumsum(counts) - counts / 2.0
            self.knots_.append(knots)
            self.ranks_.append(2.0 * middle / max(int(counts.sum()), 1) - 1.0)
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the ranks, between -1 and 1, of ``X`` (rows x columns)."""
        check_is_fitted(self, "knots_")
        values = self._validate(X, reset=False)
        result = np.full_like(values, np.nan)
        for k, (knots, ranks) in enumerate(zip(self.knots_, self.ranks_, strict=True)):
            present = ~np.isnan(values[:, k])
            if len(knots):
                result[present, k] = np.interp(values[present, k], knots, ranks)
        return result


class MedianImputer(_MissingPasses):
    """Replace missing values by the training median of their column, counted, or refuse.

    Parameters
    ----------
    policy : {"median", "refuse"}
        "refuse" raises as soon as a value is missing, in ``fit`` and in ``transform``.

    Attributes
    ----------
    medians_ : ndarray of float64, shape (n_features,)
        Median of the values present in training.
    imputed_ : ndarray of int64, shape (n_features,)
        How many training values of each column were missing.
    n_rows_ : int
        How many rows were seen in training.

    Examples
    --------
    >>> import numpy as np
    >>> imputer = MedianImputer().fit(np.array([[1.0], [np.nan], [3.0]]))
    >>> imputer.imputed_.tolist(), imputer.transform(np.array([[np.nan]])).tolist()
    ([1], [[2.0]])
    """

    def __init__(self, *, policy: Literal["median", "refuse"] = "median") -> None:
        self.policy = policy

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the median of every column of ``X`` (rows x columns).

        Raises
        ------
        ConfigError
            If ``policy`` is unknown.
        InputDataError
            If the policy is "refuse" and a value is missing.
        EstimationError
            If a column has no value at all, so that there is no median.
        """
        if self.policy not in ("median", "refuse"):
            raise ConfigError(f'policy must be "median" or "refuse", got {self.policy!r}.')
        values = self._validate(X, reset=True)
        missing = np.isnan(values)
        self._refuse(missing)
        empty = np.flatnonzero(missing.all(axis=0))
        if len(empty):
            raise EstimationError(
                f"Every column needs at least one value to have a median; {len(empty)} have none. "
                f"First: {self._name(int(empty[0]))}. Leave these columns out."
            )
        self.medians_: Array = np.nanmedian(values, axis=0)
        self.imputed_: NDArray[np.int64] = missing.sum(axis=0).astype(np.int64)
        self.n_rows_ = len(values)
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return a copy of ``X`` (rows x columns) without missing values.

        Raises
        ------
        InputDataError
            If the policy is "refuse" and a value is missing.
        """
        check_is_fitted(self, "medians_")
        values = self._validate(X, reset=False)
        missing = np.isnan(values)
        self._refuse(missing)
        return np.where(missing, self.medians_, values)

    def _refuse(self, missing: NDArray[np.bool_]) -> None:
        if self.policy == "refuse" and missing.any():
            row, column = (int(i) for i in np.argwhere(missing)[0])
            raise InputDataError(
                f"Values must not be missing (NaN) under policy='refuse'; {int(missing.sum())} of "
                f"{missing.size} are. First: row {row}, {self._name(column)}. Drop these rows or "
                "choose policy='median'."
            )

    def _name(self, column: int) -> str:
        names = getattr(self, "feature_names_in_", None)
        return f"column {column}" if names is None else f"column {names[column]!r}"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.policy != "refuse"
        return tags
