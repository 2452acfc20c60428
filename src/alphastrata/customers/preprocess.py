"""From columns of mixed kinds to a matrix in which every variable weighs the same."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.utils.validation import check_is_fitted

from alphastrata.cluster.mixed_autoencoder import Block
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["AmountScaler", "MixedPreprocessor", "NominalBlocks", "OrderedScores"]

Array = NDArray[np.float64]

SKEWED = 1.5
OTHER = "other"


class AmountScaler(TransformerMixin, BaseEstimator):
    """Standardise numbers; skewed ones through an inverse hyperbolic sine first.

    asinh(x / s), with s the median size of the values that are not zero, is logarithmic for large
    amounts and linear near zero, so that amounts of zero and below need no special case and do
    not lie an order of magnitude away from small holdings. Both tails are cut at their half
    percent. Missing values become the mean, 0.

    Parameters
    ----------
    log : {"auto", "always", "never"}
        Which columns are skewed enough: "auto" takes those with an absolute skewness above 1.5.

    Examples
    --------
    >>> AmountScaler().fit_transform(pd.DataFrame({"a": [1.0, 2.0, None, 3.0]})).round(2).tolist()
    [[-1.22], [0.0], [0.0], [1.22]]
    """

    def __init__(self, *, log: Literal["auto", "always", "never"] = "auto") -> None:
        self.log = log

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn scales, cuts, means and deviations from the columns of ``X``."""
        values = X.to_numpy(dtype=np.float64)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.size_ = np.array([self._size(column) for column in values.T])
        bent = self._bend(values)
        with np.errstate(all="ignore"):
            cuts = np.nanquantile(bent, [0.005, 0.995], axis=0)
        self.low_, self.high_ = cuts
        cut = np.clip(bent, self.low_, self.high_)
        self.mean_ = np.nan_to_num(np.nanmean(cut, axis=0))
        spread = np.nanstd(cut, axis=0)
        self.scale_ = np.where(spread > 1e-12, spread, 1.0)
        return self

    def transform(self, X: pd.DataFrame) -> Array:
        """Return rows x columns with mean 0 and deviation 1 on the training rows."""
        check_is_fitted(self, "scale_")
        cut = np.clip(self._bend(X.to_numpy(dtype=np.float64)), self.low_, self.high_)
        return np.asarray(np.nan_to_num((cut - self.mean_) / self.scale_))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        return self.feature_names_in_

    def _size(self, column: Array) -> float:
        """Return the amount at which a column turns logarithmic; 0 for a column left straight."""
        present = column[np.isfinite(column)]
        if self.log == "never" or len(present) < 3 or present.std() == 0:
            return 0.0
        skewness = float((((present - present.mean()) / present.std()) ** 3).mean())
        away = np.abs(present[present != 0])
        if self.log == "auto" and abs(skewness) <= SKEWED:
            return 0.0
        return float(np.median(away)) if len(away) else 0.0

    def _bend(self, values: Array) -> Array:
        size = np.where(self.size_ > 0, self.size_, 1.0)
        return np.where(self.size_ > 0, np.arcsinh(values / size), values)


class OrderedScores(TransformerMixin, BaseEstimator):
    """Give ordered levels their mean rank, standardised; missing values become 0.

    Examples
    --------
    >>> pay = pd.Categorical(["low", "high"], categories=["low", "high"], ordered=True)
    >>> OrderedScores().fit_transform(pd.DataFrame({"pay": pay})).tolist()
    [[-1.0], [1.0]]
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the score of each level from its frequency."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.levels_ = [list(X[c].cat.categories) for c in X]
        self.scores_: list[Array] = []
        for c in X:
            codes = X[c].cat.codes.to_numpy()
            counts = np.bincount(codes[codes >= 0], minlength=len(X[c].cat.categories))
            share = counts / max(counts.sum(), 1)
            middle = np.cumsum(share) - share / 2
            spread = np.sqrt((share * (middle - (share * middle).sum()) ** 2).sum())
            self.scores_.append((middle - (share * middle).sum()) / (spread or 1.0))
        return self

    def transform(self, X: pd.DataFrame) -> Array:
        """Return rows x columns of scores; levels that were not there to learn become 0."""
        check_is_fitted(self, "scores_")
        out = np.zeros((len(X), len(self.scores_)))
        for j, (name, levels, scores) in enumerate(
            zip(self.feature_names_in_, self.levels_, self.scores_)
        ):
            codes = _codes(X[name], levels)
            out[:, j] = np.where(codes >= 0, scores[codes], 0.0)
        return out

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        return self.feature_names_in_


class NominalBlocks(TransformerMixin, BaseEstimator):
    """One centred column per level, scaled so that each variable has a total variance of one.

    Levels below ``rare`` of the rows are put together as "other". Missing values, and levels that
    were not there to learn, become a row of zeros: the mean customer.

    Parameters
    ----------
    rare : float
        Smallest share of a level that keeps a column.
    most : int
        Most levels that keep one.

    Examples
    --------
    >>> frame = pd.DataFrame({"job": pd.Categorical(["a", "b", "a", "b"])})
    >>> NominalBlocks().fit_transform(frame).round(3).tolist()[0]
    [0.707, -0.707]
    """

    def __init__(self, *, rare: float = 0.02, most: int = 30) -> None:
        self.rare = rare
        self.most = most

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn which levels have a column, and their shares."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.kept_: list[list[str]] = []
        self.share_: list[Array] = []
        self.known_: list[set[str]] = []
        for c in X:
            share = X[c].value_counts(normalize=True, sort=False)
            ranked = share.sort_values(ascending=False, kind="stable")
            large = set(ranked[ranked >= self.rare].index[: self.most])
            kept = [str(v) for v in share.index if v in large]
            rest = float(share[[v for v in share.index if v not in large]].sum())
            parts = [float(share[v]) for v in kept]
            self.known_.append({str(v) for v in share.index[share > 0]})
            if rest > 0:
                kept, parts = [*kept, OTHER], [*parts, rest]
            self.kept_.append(kept)
            self.share_.append(np.asarray(parts))
        return self

    def transform(self, X: pd.DataFrame) -> Array:
        """Return rows x levels."""
        check_is_fitted(self, "share_")
        pieces = []
        for name, kept, share, known in zip(
            self.feature_names_in_, self.kept_, self.share_, self.known_
        ):
            levels = list(X[name].cat.categories)
            where = [self._place(str(v), kept, known) for v in levels]
            codes = X[name].cat.codes.to_numpy()
            column = np.where(codes >= 0, np.asarray([*where, -1])[codes], -1)
            spread = np.sqrt(max((share * (1 - share)).sum(), 1e-12))
            block = np.zeros((len(X), len(kept)))
            rows = np.flatnonzero(column >= 0)
            block[rows] = -share / spread
            block[rows, column[rows]] += 1.0 / spread
            pieces.append(block)
        return np.hstack(pieces) if pieces else np.zeros((len(X), 0))

    @staticmethod
    def _place(level: str, kept: list[str], known: set[str]) -> int:
        if level in kept:
            return kept.index(level)
        return kept.index(OTHER) if level in known and OTHER in kept else -1

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return "variable: level" for each column."""
        names = [f"{n}: {v}" for n, kept in zip(self.feature_names_in_, self.kept_) for v in kept]
        return np.asarray(names, dtype=object)


def _codes(column: pd.Series, levels: list[str]) -> NDArray[np.int64]:
    same = list(column.cat.categories) == levels
    own = column if same else column.cat.set_categories(levels)
    return np.asarray(own.cat.codes, dtype=np.int64)


class MixedPreprocessor(TransformerMixin, BaseEstimator):
    """A ColumnTransformer for the columns of a customer table, by the kind of each.

    Parameters
    ----------
    log : {"auto", "always", "never"}
        See `AmountScaler`.
    rare : float
        See `NominalBlocks`.
    nominal : {"one_hot", "embedding"}
        "embedding" replaces a nominal variable of more than five columns by its three leading
        directions in the means of the other variables, which suits variables with many levels.

    Attributes
    ----------
    blocks_ : tuple of Block
        Which columns of the matrix hold which variable.
    columns_ : ColumnTransformer

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20.0, 40.0], "job": pd.Categorical(["a", "b"])})
    >>> MixedPreprocessor().fit_transform(frame).shape
    (2, 3)
    """

    def __init__(
        self,
        *,
        log: Literal["auto", "always", "never"] = "auto",
        rare: float = 0.02,
        nominal: Literal["one_hot", "embedding"] = "one_hot",
    ) -> None:
        self.log = log
        self.rare = rare
        self.nominal = nominal

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn from ``X``: float64 columns, ordered and unordered Categorical columns.

        Raises
        ------
        ConfigError
            If a setting is unknown or out of range.
        InputDataError
            If there is no column.
        """
        check = Violations("MixedPreprocessor")
        check.require(self.log in ("auto", "always", "never"), "log must be auto, always or never")
        check.require(0 <= self.rare < 0.5, "rare must be in [0, 0.5)", first=repr(self.rare))
        check.require(
            self.nominal in ("one_hot", "embedding"), "nominal must be one_hot or embedding"
        )
        check.raise_if_any(ConfigError)
        if X.shape[1] == 0:
            raise InputDataError("A preprocessor needs at least one column; got none.")
        kinds = {str(c): _kind(X[c]) for c in X}
        by_kind = {
            k: [c for c in kinds if kinds[c] == k] for k in ("numeric", "ordered", "nominal")
        }
        steps: list[tuple[str, Any, list[str]]] = [
            ("numeric", AmountScaler(log=self.log), by_kind["numeric"]),
            ("ordered", OrderedScores(), by_kind["ordered"]),
            ("nominal", NominalBlocks(rare=self.rare), by_kind["nominal"]),
        ]
        self.columns_ = ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0.0)
        matrix = np.asarray(self.columns_.fit_transform(X), dtype=np.float64)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.raw_blocks_ = self._blocks(by_kind)
        self.turns_ = self._turns(matrix)
        self.blocks_ = self._turned_blocks()
        return self

    def transform(self, X: pd.DataFrame) -> Array:
        """Return the matrix, rows x columns; variables in the order numeric, ordered, nominal.

        Raises
        ------
        InputDataError
            If a column that was there to learn is absent.
        """
        check_is_fitted(self, "blocks_")
        absent = [str(c) for c in self.feature_names_in_ if c not in X.columns]
        if absent:
            raise InputDataError(
                f"Customers need the columns that the model has learned; {len(absent)} are "
                f"absent. First: {absent[0]!r}."
            )
        matrix = np.asarray(self.columns_.transform(X), dtype=np.float64)
        if not self.turns_:
            return matrix
        return np.hstack(
            [
                matrix[:, b.start : b.stop] @ self.turns_[b.name]
                if b.name in self.turns_
                else matrix[:, b.start : b.stop]
                for b in self.raw_blocks_
            ]
        )

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return a name for each column of the matrix."""
        plain = [str(n).split("__", 1)[1] for n in self.columns_.get_feature_names_out()]
        names: list[str] = []
        for b in self.raw_blocks_:
            if b.name in self.turns_:
                width = self.turns_[b.name].shape[1]
                names += [f"{b.name}: direction {j + 1}" for j in range(width)]
            else:
                names += plain[b.start : b.stop]
        return np.asarray(names, dtype=object)

    def _blocks(self, by_kind: dict[str, list[str]]) -> tuple[Block, ...]:
        out: list[Block] = []
        start = 0
        for kind in ("numeric", "ordered", "nominal"):
            for i, name in enumerate(by_kind[kind]):
                width = 1
                if kind == "nominal":
                    width = len(self.columns_.named_transformers_["nominal"].kept_[i])
                out.append(Block(name, kind, start, start + width))
                start += width
        return tuple(out)

    def _turns(self, matrix: Array) -> dict[str, Array]:
        """Return for each wide nominal variable the directions (levels x 3) that replace it."""
        wide = [b for b in self.raw_blocks_ if b.kind == "nominal" and b.stop - b.start > 5]
        if self.nominal == "one_hot" or not wide:
            return {}
        turns = {}
        for b in wide:
            own = matrix[:, b.start : b.stop]
            rest = np.delete(matrix, np.s_[b.start : b.stop], axis=1)
            left, roots, _ = np.linalg.svd(own.T @ rest / len(matrix), full_matrices=False)
            keep = left[:, : min(3, int((roots > 1e-12).sum()) or 1)]
            spread = np.sqrt(max(float((own @ keep).var(axis=0).sum()), 1e-12))
            turns[b.name] = keep / spread
        return turns

    def _turned_blocks(self) -> tuple[Block, ...]:
        out: list[Block] = []
        start = 0
        for b in self.raw_blocks_:
            turn = self.turns_.get(b.name)
            width = b.stop - b.start if turn is None else turn.shape[1]
            if turn is None:
                out.append(Block(b.name, b.kind, start, start + width))
            else:
                # Directions are numbers, no longer levels.
                out += [
                    Block(f"{b.name} {j + 1}", "numeric", start + j, start + j + 1)
                    for j in range(width)
                ]
            start += width
        return tuple(out)


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "ordered" if column.dtype.ordered else "nominal"
    return "numeric"
