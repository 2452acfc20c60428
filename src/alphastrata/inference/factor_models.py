"""Choice of factors: squared Sharpe ratios of models, their differences, and selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.grs import grs_statistic, max_squared_sharpe, solve_covariance
from alphastrata.inference.hac import HAC, LagRule, as_hac, mean_covariance
from alphastrata.inference.samples import Returns, align, describe_dates, require_varying
from alphastrata.inference.tails import f_upper, two_sided

__all__ = ["ModelComparison", "adjusted_squared_sharpe", "compare_models", "select_factors"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class ModelComparison(Result):
    """Squared Sharpe ratios of factor models and tests of their differences.

    Attributes
    ----------
    models : DataFrame
        Per model: factors, "Sh2", "Sh2 adjusted" for its upward bias.
    params, std_errors, tstats, pvalues : DataFrame, model x model
        Difference of squared Sharpe ratios, row less column, with its inference. For nested
        models the p-value is that of the GRS test of the excluded factors, and error and t are
        missing.
    """

    models: pd.DataFrame
    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    pvalues: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per model: ratios, then p-values against every other model."""
        return self.models.join(self.pvalues.add_prefix("p vs "))

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def adjusted_squared_sharpe(squared: float, n_periods: int, n_factors: int) -> float:
    """Return the squared Sharpe ratio less its small-sample bias under normal returns.

    (T - K - 2)/T Sh2 - K/T is unbiased (Jobson and Korkie 1980; Barillas, Kan, Robotti and
    Shanken 2020); it can be negative. The covariance of `squared` is by T.

    Examples
    --------
    >>> round(adjusted_squared_sharpe(0.1, 600, 5), 5)
    0.0905
    """
    return float((n_periods - n_factors - 2) / n_periods * squared - n_factors / n_periods)


def compare_models(
    models: Mapping[str, Returns], *, lags: int | LagRule | HAC = 0
) -> ModelComparison:
    """Return tests that the maximal squared Sharpe ratios of factor models are equal.

    Parameters
    ----------
    models : mapping of name to FactorReturns, DataFrame or Series
        Models of traded factors; the dates that all share are used.
    lags : int, rule or HAC
        Newey-West lags of the difference's influence series; 0 assumes independent dates.

    Returns
    -------
    ModelComparison

    Notes
    -----
    sqrt(T) (Sh2_A - Sh2_B) is asymptotically normal with the long-run variance of
    d_t = 2 (u_At - u_Bt) - (u_At^2 - u_Bt^2) + (Sh2_A - Sh2_B), u_t = mu' V^-1 (f_t - mu).
    A nested model is tested by the GRS F of the factors it lacks. Test assets play no part
    (Barillas and Shanken 2017).

    Source: Barillas, Kan, Robotti and Shanken (2020, proposition 1).
    """
    if len(models) < 2:
        raise ConfigError(f"A comparison needs at least two models; got {len(models)}.")
    hac = replace(as_hac(lags), small_sample=False)
    described = hac.describe(pvalues=False)
    frames, notes, freq = _common(models)
    index = next(iter(frames.values())).index
    n = len(index)
    names = list(frames)
    squared = {m: max_squared_sharpe(f.to_numpy()) for m, f in frames.items()}
    u = {m: _influence(f.to_numpy()) for m, f in frames.items()}
    empty = pd.DataFrame(np.nan, index=names, columns=names)
    difference, error, pvalue = empty.copy(), empty.copy(), empty.copy()
    for a in names:
        for b in names:
            if a == b:
                continue
            gap = squared[a] - squared[b]
            difference.loc[a, b] = gap
            extra, fewer = set(frames[a]) - set(frames[b]), set(frames[b]) - set(frames[a])
            if not extra or not fewer:
                small, large = (frames[a], frames[b]) if not extra else (frames[b], frames[a])
                pvalue.loc[a, b] = _nested(small, large)
                continue
            d = 2 * (u[a] - u[b]) - (u[a] ** 2 - u[b] ** 2) + gap
            variance = mean_covariance(d, hac.lags, hac.kernel, small_sample=False)[0][0, 0]
            error.loc[a, b] = np.sqrt(variance)
            pvalue.loc[a, b] = float(two_sided(gap / np.sqrt(variance)))
    table = pd.DataFrame(
        {
            "factors": [", ".join(frames[m].columns) for m in names],
            "Sh2": [squared[m] for m in names],
            "Sh2 adjusted": [
                adjusted_squared_sharpe(squared[m], n, frames[m].shape[1]) for m in names
            ],
        },
        index=pd.Index(names, name="model"),
    )
    return ModelComparison(
        models=table,
        params=difference,
        std_errors=error,
        tstats=difference / error,
        pvalues=pvalue,
        lines=(
            "Squared Sharpe ratios per period, covariance by T; adjusted: unbiased under "
            "normal returns.",
            f"Non-nested models: normal test, {described}; nested: GRS F.",
        ),
        title=f"Comparison of {len(names)} factor models ({describe_dates(index, freq)})",
        notes=notes,
    )


def select_factors(
    candidates: Returns, *, always: Sequence[str] = (), most: int | None = None
) -> pd.DataFrame:
    """Return every subset of candidate factors, best adjusted squared Sharpe ratio first.

    Parameters
    ----------
    candidates : FactorReturns or DataFrame
        Traded factors; dates with a missing one are left out.
    always : sequence of str
        Factors that every model has (usually the market).
    most : int, optional
        Largest number of factors; all by default.

    Returns
    -------
    DataFrame
        "factors", "n", "Sh2", "Sh2 adjusted", and "p left out": the GRS p-value of the
        candidates that the model lacks (nothing left out is missing). What was dropped is in
        ``.attrs["notes"]``.

    Raises
    ------
    ConfigError
        If most leaves no model, or there would be more than 100,000.

    Notes
    -----
    The best of many subsets is chosen by luck too: its Sharpe ratio is overstated. Record the
    number of models tried, or choose on one sample and report on another.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=240, freq="ME")
    >>> f = pd.DataFrame(rng.normal([0.02, 0, 0], 0.04, (240, 3)), dates, ["a", "b", "c"])
    >>> select_factors(f)["factors"].iloc[0].split(", ")[0]
    'a'
    """
    sample = align(candidates, candidates)
    require_varying(sample.factors, "candidate")
    names = [str(c) for c in sample.factors.columns]
    absent = [name for name in always if name not in names]
    if absent:
        raise InputDataError(f"always names candidates; {absent[0]!r} is none. Have {names}.")
    fixed = list(dict.fromkeys(always))
    fewest = max(len(fixed), 1)
    if most is not None and most < fewest:
        raise ConfigError(f"most must be at least {fewest}, the smallest model; got {most}.")
    free = [name for name in names if name not in fixed]
    upper = min(len(names), most or len(names)) - len(fixed)
    sizes = range(0 if fixed else 1, upper + 1)
    subsets = [c for size in sizes for c in combinations(free, size)]
    if len(subsets) > 100_000:
        raise ConfigError(
            f"{len(subsets):,} models are too many to try; limit them with most= or always=."
        )
    values = {name: sample.factors[name].to_numpy() for name in names}
    n = len(sample.factors)
    rows = []
    for chosen in subsets:
        model = [*fixed, *chosen]
        f = np.column_stack([values[name] for name in model])
        squared = max_squared_sharpe(f)
        rest = [name for name in names if name not in model]
        p = np.nan
        if rest:
            y = np.column_stack([values[name] for name in rest])
            statistic = grs_statistic(np.column_stack([np.ones(n), f]), y)
            p = f_upper(statistic, len(rest), n - len(rest) - len(model))
        adjusted = adjusted_squared_sharpe(squared, n, len(model))
        rows.append((", ".join(model), len(model), squared, adjusted, p))
    columns = ["factors", "n", "Sh2", "Sh2 adjusted", "p left out"]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["notes"] = [str(note) for note in sample.notes]
    return table.sort_values("Sh2 adjusted", ascending=False, kind="stable", ignore_index=True)


def _common(
    models: Mapping[str, Returns],
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...], str]:
    """Return every model's factors on the dates that all have, notes and frequency."""
    samples = {name: align(data, data) for name, data in models.items()}
    index = None
    for sample in samples.values():
        own = sample.factors.index
        index = own if index is None else index.intersection(own)
    if index is None or len(index) < 3:
        raise InputDataError("Models must share at least three dates.")
    longest = max(len(s.factors) for s in samples.values())
    notes = tuple(dict.fromkeys(note for s in samples.values() for note in s.notes))
    if longest > len(index):
        note = Note("dates that some model lacks", longest - len(index), longest, "", "dropped",
                    "inference")  # fmt: skip
        notes = (*notes, note)
    freq = next(iter(samples.values())).freq
    frames = {name: s.factors.loc[index] for name, s in samples.items()}
    for frame in frames.values():
        require_varying(frame, "factor")
    return frames, notes, freq


def _influence(f: Array) -> Array:
    """Return u_t = mu' V^-1 (f_t - mu), covariance by T."""
    mean = f.mean(axis=0)
    centred = f - mean
    return np.asarray(centred @ solve_covariance(centred.T @ centred / len(f), mean))


def _nested(small: pd.DataFrame, large: pd.DataFrame) -> float:
    extra = [name for name in large if name not in set(small)]
    if not extra:
        return 1.0
    n = len(small)
    x = np.column_stack([np.ones(n), small.to_numpy()])
    value = grs_statistic(x, large[extra].to_numpy())
    return f_upper(value, len(extra), n - len(extra) - small.shape[1])
