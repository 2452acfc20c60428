"""A specification multiverse: one estimate under every defensible choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from alphastrata.core import Note, Result
from alphastrata.errors import AlphaStrataError, ConfigError, EstimationError
from alphastrata.inference.ledger import Ledger
from alphastrata.inference.tails import two_sided
from alphastrata.inference.time_series import TimeSeriesResult

__all__ = ["Estimate", "MultiverseResult", "estimate_of", "multiverse"]


@dataclass(frozen=True)
class Estimate:
    """What one path of the multiverse gives.

    Attributes
    ----------
    value, std_error : float
        The estimate, for example an alpha per period, and its standard error.
    sharpe : float
        Sharpe ratio per period, where there is one: the ledger keeps it.
    """

    value: float
    std_error: float
    sharpe: float = float("nan")


def estimate_of(result: TimeSeriesResult, asset: str | None = None) -> Estimate:
    """Return the alpha of one asset (the first by default) as an `Estimate`."""
    row = result.params.index[0] if asset is None else asset
    return Estimate(
        float(result.params["alpha"].loc[row]), float(result.std_errors["alpha"].loc[row])
    )


@dataclass(frozen=True, repr=False)
class MultiverseResult(Result):
    """An estimate under every combination of choices.

    Attributes
    ----------
    estimates : DataFrame
        One row per path, smallest estimate first: "estimate", "std_error", "t", "p", "low" and
        "high" (95%).
    choices : DataFrame
        Same rows, one column per decision, options as text.
    summary_numbers : Series
        Paths, median, share positive, share significant, standard error (average), non-standard
        error (standard deviation and interquartile range across paths), and their ratio.
    importance : Series
        Share of the variance across paths that each decision explains alone (main effects).
    """

    estimates: pd.DataFrame
    choices: pd.DataFrame
    summary_numbers: pd.Series
    importance: pd.Series
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Estimates by path."""
        return self.estimates["estimate"]

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors by path."""
        return self.estimates["std_error"]

    @property
    def tstats(self) -> pd.Series:
        """t-statistics by path."""
        return self.estimates["t"]

    @property
    def pvalues(self) -> pd.Series:
        """p-values by path."""
        return self.estimates["p"]

    def table(self) -> pd.DataFrame:
        """Return the summary numbers and the importance of decisions, one row each."""
        importance = self.importance.add_prefix("importance: ")
        return pd.concat([self.summary_numbers, importance]).to_frame("value")

    def by_choice(self, decision: str) -> pd.DataFrame:
        """Return median, spread and share significant for each option of a decision."""
        groups = self.estimates.groupby(self.choices[decision], sort=False)
        return pd.DataFrame(
            {
                "paths": groups.size(),
                "median": groups["estimate"].median(),
                "sd": groups["estimate"].std(),
                "share p < 0.05": groups["p"].apply(lambda p: float((p < 0.05).mean())),
            }
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def multiverse(
    choices: Mapping[str, Sequence[Any]],
    run: Callable[[dict[str, Any]], Estimate | TimeSeriesResult],
    *,
    ledger: Ledger | None = None,
    n_jobs: int = 1,
    what: str = "alpha",
) -> MultiverseResult:
    """Return an estimate for every combination of choices.

    Parameters
    ----------
    choices : mapping of decision to options
        For example definitions, breakpoints, weighting, windows, k, seeds, lags.
    run : callable
        Takes {decision: option} and returns an `Estimate` or a `TimeSeriesResult` (the alpha of
        its first asset). It may raise an `AlphaStrataError`; such paths are counted in the
        notes and left out.
    ledger : Ledger, optional
        Every path is recorded in it, failed ones too.
    n_jobs : int
        Worker processes (joblib); the result does not depend on it.
    what : str
        Name of the estimate.

    Returns
    -------
    MultiverseResult

    Raises
    ------
    EstimationError
        If fewer than two paths give an estimate.

    Notes
    -----
    The non-standard error is the spread of estimates across paths that differ in defensible
    choices alone (Menkveld et al. 2024), to be seen beside the standard error, which is the
    spread across samples. Source of the curve: Simonsohn, Simmons and Nelson (2020).

    Examples
    --------
    >>> result = multiverse({"lag": [1, 2], "n": [5, 10]},
    ...                     lambda c: Estimate(0.01 * c["lag"], 0.005))
    >>> float(result.importance["lag"]), float(result.importance["n"])
    (1.0, 0.0)
    """
    if not choices or any(len(options) == 0 for options in choices.values()):
        raise ConfigError("A multiverse needs decisions with at least one option each.")
    names = list(choices)
    paths = [dict(zip(names, combination)) for combination in product(*choices.values())]
    outcomes = Parallel(n_jobs=n_jobs)(delayed(_walk)(run, path) for path in paths)
    if ledger is not None:
        for path, outcome in zip(paths, outcomes):
            ledger.record({k: _text(v) for k, v in path.items()}, _numbers(outcome))
    found = [(path, o) for path, o in zip(paths, outcomes) if isinstance(o, Estimate)]
    failed = [(path, o) for path, o in zip(paths, outcomes) if not isinstance(o, Estimate)]
    if len(found) < 2:
        reason = f" First failure: {failed[0][1]}" if failed else ""
        raise EstimationError(
            f"A multiverse needs two paths that give an estimate; got {len(found)} of "
            f"{len(paths)}.{reason}"
        )
    notes: tuple[Note, ...] = ()
    if failed:
        first = ", ".join(f"{k}={_text(v)}" for k, v in failed[0][0].items())
        notes = (Note("paths without an estimate", len(failed), len(paths),
                      f"{first}: {failed[0][1]}", "left out", "inference"),)  # fmt: skip
    estimates, table = _frames(found, names)
    return MultiverseResult(
        estimates=estimates,
        choices=table,
        summary_numbers=_summarise(estimates),
        importance=_importance(estimates["estimate"], table),
        lines=(
            "Non-standard error: spread of estimates across choices; p-values normal, two-sided.",
            "Importance: share of the variance across paths explained by a decision alone.",
        ),
        title=f"Multiverse of {what}: {len(found)} paths over {', '.join(names)}",
        notes=notes,
    )


def _walk(
    run: Callable[[dict[str, Any]], Estimate | TimeSeriesResult], path: dict[str, Any]
) -> Estimate | str:
    """Return the estimate of a path, or why there is none."""
    try:
        outcome = run(dict(path))
    except AlphaStrataError as error:
        return f"{type(error).__name__}: {error}"
    estimate = estimate_of(outcome) if isinstance(outcome, TimeSeriesResult) else outcome
    if not np.isfinite(estimate.value) or not estimate.std_error > 0:
        return "the estimate or its error is missing"
    return estimate


def _numbers(outcome: Estimate | str) -> dict[str, float]:
    if isinstance(outcome, str):
        return {"failed": 1.0}
    t = outcome.value / outcome.std_error
    return {
        "estimate": outcome.value,
        "std_error": outcome.std_error,
        "t": t,
        "p": float(two_sided(t)),
        "sharpe": outcome.sharpe,
    }


def _text(value: Any) -> str:
    return value.__name__ if callable(value) and hasattr(value, "__name__") else str(value)


def _frames(
    found: list[tuple[dict[str, Any], Estimate]], names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return estimates and choices, smallest estimate first."""
    values = pd.DataFrame([_numbers(o) for _, o in found]).drop(columns="sharpe")
    half = 1.959963984540054 * values["std_error"]
    values = values.assign(low=values["estimate"] - half, high=values["estimate"] + half)
    table = pd.DataFrame([{k: _text(path[k]) for k in names} for path, _ in found])
    order = np.argsort(values["estimate"].to_numpy(), kind="stable")
    index = pd.RangeIndex(len(found), name="path")
    return values.iloc[order].set_axis(index), table.iloc[order].set_axis(index)


def _summarise(estimates: pd.DataFrame) -> pd.Series:
    value, error = estimates["estimate"], estimates["std_error"]
    spread, typical = float(value.std()), float(error.mean())
    return pd.Series(
        {
            "paths": float(len(value)),
            "median": float(value.median()),
            "minimum": float(value.min()),
            "maximum": float(value.max()),
            "share positive": float((value > 0).mean()),
            "share p < 0.05": float((estimates["p"] < 0.05).mean()),
            "standard error": typical,
            "non-standard error": spread,
            "non-standard error (IQR)": float(value.quantile(0.75) - value.quantile(0.25)),
            "non-standard / standard": spread / typical,
        }
    )


def _importance(value: pd.Series, choices: pd.DataFrame) -> pd.Series:
    """Return the between-option share of the variance for each decision."""
    total = float(((value - value.mean()) ** 2).sum())
    shares = {}
    for decision in choices:
        level = value.groupby(choices[decision]).transform("mean")
        part = float(((level - value.mean()) ** 2).sum())
        shares[decision] = part / total if total > 0 else 0.0
    return pd.Series(shares, name="importance")
