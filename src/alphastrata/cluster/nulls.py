"""What the same pipeline scores on data that have no clusters, and the test built on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from alphastrata.cluster.null_draws import NULLS, sample_null
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.seeding import seeded
from alphastrata.cluster.window_fit import Task, WindowFit, fit_window, require_clusterer
from alphastrata.core.checks import Note, Violations
from alphastrata.core.results import Result
from alphastrata.errors import ConfigError

__all__ = ["NULLS", "NullTest", "fit_once", "null_test", "sample_null"]

Array = NDArray[np.float64]

_SMALLER_IS_BETTER = "davies_bouldin"


def fit_once(model: Any, X: Array, columns: Sequence[str] = ()) -> WindowFit:
    """Return the labels and scores of one fit of the whole pipeline to ``X`` (n x d)."""
    names = tuple(columns) or tuple(f"x{k}" for k in range(X.shape[1]))
    return fit_window(Task("of the sample", model, X, X, np.arange(len(X)), names))


@dataclass(frozen=True, repr=False)
class NullTest(Result):
    """Scores of a clustering beside those of the same pipeline on data without clusters.

    Attributes
    ----------
    observed : Series
        Score -> value on the data; missing where there are not two clusters.
    simulated : DataFrame indexed by (null, draw)
        The same scores on data drawn from the nulls.
    pvalues : Series indexed by (null, score)
        (1 + number of draws at least as good) / (1 + draws), one-sided. A draw without two
        clusters counts as worse than the data, and data without two as no better than any draw.
    calibrated : Series indexed by (null, score)
        (observed - mean of the null) / standard deviation of the null, signed so that positive
        is better than noise.
    labels : ndarray of int64
        Labels on the data; negative where not classified.
    """

    observed: pd.Series
    simulated: pd.DataFrame
    pvalues: pd.Series
    calibrated: pd.Series
    labels: NDArray[np.int64]
    notes: tuple[Note, ...] = ()
    title: str = "Clusters against data without clusters"

    @property
    def params(self) -> pd.Series:
        """Observed scores, repeated for each null."""
        return pd.Series(
            [self.observed[score] for _, score in self.pvalues.index], index=self.pvalues.index
        )

    @property
    def std_errors(self) -> pd.Series:
        """Standard deviation of each score under each null."""
        return _by_null(self.simulated.groupby(level="null").std(), self.pvalues.index)

    @property
    def tstats(self) -> pd.Series:
        """The calibrated scores."""
        return self.calibrated

    def table(self) -> pd.DataFrame:
        """Return observed score, mean and deviation of the null, calibrated score, p-value."""
        means = _by_null(self.simulated.groupby(level="null").mean(), self.pvalues.index)
        table = pd.DataFrame(
            {
                "observed": self.params,
                "null mean": means,
                "null std": self.std_errors,
                "calibrated": self.calibrated,
                "p-value": self.pvalues,
            }
        )
        table.index = pd.Index([f"{s} ({n})" for n, s in table.index], name="score (null)")
        return table

    def conventions(self) -> list[str]:
        """Return how the p-values were made."""
        draws = int(self.simulated.groupby(level="null").size().max())
        return [
            f"{draws} draws per null, each through the whole pipeline; one-sided Monte Carlo "
            "p-values (1 + as good) / (1 + draws); permuted columns keep their values, the other "
            "nulls a smooth version of their margins."
        ]


def _by_null(table: pd.DataFrame, index: pd.Index) -> pd.Series:
    """Return the cells (null x score) as a series over (null, score) pairs."""
    return pd.Series([table.loc[null, score] for null, score in index], index=index)


def _one_draw(
    model: Any, X: Array, null: str, seed: np.random.SeedSequence, factor: Array | None
) -> dict[str, float]:
    return fit_once(model, sample_null(X, null, np.random.default_rng(seed), factor=factor)).scores


def among(value: float, draws: Array) -> tuple[float, float]:
    """Return the p-value and the calibrated score of a value among draws; larger is better.

    What has not two clusters has no score, and counts as worse than any that has. Scores that
    differ by rounding alone are equal: a permuted column is the same sample in another order.
    """
    scored = draws[~np.isnan(draws)]
    rounding = 1e-9 * abs(value)
    as_good = len(draws) if np.isnan(value) else int((scored >= value - rounding).sum())
    spread = float(scored.std(ddof=1)) if len(scored) > 1 else np.nan
    calibrated = (value - float(scored.mean())) / spread if spread > rounding else np.nan
    return (1 + as_good) / (1 + len(draws)), calibrated


def _compare(observed: pd.Series, simulated: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return p-values and calibrated scores, indexed by (null, score)."""
    pvalues, calibrated = {}, {}
    for null, draws in simulated.groupby(level="null", sort=False):
        for score in observed.index:
            sign = -1.0 if str(score).startswith(_SMALLER_IS_BETTER) else 1.0
            values = sign * draws[score].to_numpy(dtype=np.float64)
            key = (null, score)
            pvalues[key], calibrated[key] = among(sign * float(observed[score]), values)
    names = ["null", "score"]
    return (
        pd.Series(pvalues, name="p-value").rename_axis(names),
        pd.Series(calibrated, name="calibrated").rename_axis(names),
    )


def _check_draws(nulls: Sequence[str], draws: int, factor: object) -> None:
    check = Violations("null_test")
    named = [nulls] if isinstance(nulls, str) else list(nulls)
    check.require(
        not isinstance(nulls, str) and bool(named) and all(null in NULLS for null in named),
        f"nulls is a list of some of {NULLS}",
        first=repr(nulls),
    )
    check.require(len(set(named)) == len(named), "Each null is named once", first=repr(nulls))
    check.require(
        isinstance(draws, (int, np.integer)) and draws >= 1,
        "draws is a whole number of at least 1",
        first=repr(draws),
    )
    check.require(
        factor is None or "one_factor" in named,
        'factor is for the null "one_factor", which is not among the nulls',
        remedy="Drop it, or add the null",
    )
    check.raise_if_any(ConfigError)


def _read_factor(factor: ArrayLike, n: int) -> Array:
    """Return the factor (n,) as numbers, or raise for one that drives nothing."""
    values = read_features(pd.DataFrame({"factor": np.ravel(np.asarray(factor))}), "null_test")
    known = values["factor"].to_numpy()
    check = Violations("null_test")
    check.require(
        len(known) == n, "factor has one value per row", first=f"{len(known)} for {n} rows"
    )
    check.require(
        len(np.unique(known[~np.isnan(known)])) > 1,
        "factor has two different values",
        remedy="Leave it out: the factor that explains the correlations best takes its place",
    )
    check.raise_if_any()
    return known


def null_test(
    model: Any,
    X: ArrayLike | pd.DataFrame,
    *,
    nulls: Sequence[str] = NULLS,
    draws: int = 99,
    factor: ArrayLike | None = None,
    random_state: int = 0,
    n_jobs: int = 1,
) -> NullTest:
    """Return whether the clusters score better than the same pipeline's on data without any.

    A map such as t-SNE makes islands of anything: autoencoder, t-SNE and K-means score a
    silhouette above 0.3 on pure noise. Only the distance from what noise scores says something.

    Parameters
    ----------
    model : estimator
        A clusterer, or a pipeline that ends in one; cloned for every draw.
    X : array or DataFrame of shape (n, d)
        Features of one cross-section.
    nulls : sequence of {"permute", "copula", "one_factor"}
        Data without clusters; see ``sample_null``.
    draws : int
        Data sets drawn from each null; the smallest possible p-value is 1 / (draws + 1).
    factor : array of shape (n,) or None
        The one factor of "one_factor", for instance log market capitalisation.
    random_state : int
        Seed of the draws, and of the model where it has none.
    n_jobs : int
        Draws at the same time, through joblib; the result does not depend on it.

    Raises
    ------
    ConfigError
        If the model is no clusterer, a null is unknown or named twice, ``draws`` is not positive,
        or there is a ``factor`` without "one_factor".
    InputDataError
        If the data are no matrix of at least three rows of numbers, hold infinities or a column
        without a value, or ``factor`` has not one value per row.
    EstimationError
        If the pipeline fails.

    Notes
    -----
    Under "permute" the test is exact when the columns are independent. The nulls with
    parameters are approximate, as any parametric bootstrap; p-values on noise that follows them
    are uniform in simulations (``benchmarks/cluster_nulls.py``). Extreme tails that no step of
    the pipeline takes back (``SignedLog`` does) leave a score to a few outliers, and "copula"
    then rejects too often. With 19 draws the smallest p-value is 0.05: take more for more power.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) + 8.0 * rng.integers(0, 2, size=(60, 1))
    >>> test = null_test(KMeans(2, n_init=1, random_state=0), X, nulls=["permute"], draws=19)
    >>> float(test.pvalues["permute", "silhouette_input"])
    0.05
    """
    require_clusterer(model)
    values = read_features(X, "null_test", least=3, empty=False).to_numpy()
    _check_draws(nulls, draws, factor)
    known = None if factor is None else _read_factor(factor, len(values))
    model = seeded(model, random_state)
    fit = fit_once(model, values)
    seeds = np.random.SeedSequence(random_state).spawn(len(nulls) * draws)
    keys = [(null, draw) for null in nulls for draw in range(draws)]
    run = Parallel(n_jobs=n_jobs)
    scores = run(
        delayed(_one_draw)(model, values, null, seed, known)
        for (null, _), seed in zip(keys, seeds, strict=True)
    )
    index = pd.MultiIndex.from_tuples(keys, names=["null", "draw"])
    counts = ["n_clusters", "n_noise"]
    simulated = pd.DataFrame(scores, index=index).drop(columns=counts)
    observed = pd.Series(fit.scores, name="observed").drop(counts)
    # Without a map there is no trustworthiness; without clusters there are no scores of them.
    measured = observed.index[observed.notna() | (observed.index != "trustworthiness")]
    pvalues, calibrated = _compare(observed[measured], simulated[measured])
    return NullTest(observed[measured], simulated[measured], pvalues, calibrated, fit.labels)
