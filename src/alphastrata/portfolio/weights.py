"""Weightings: how much of its stratum an asset is, from what is known at the row's date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alphastrata.core.bydate import breakpoints, rank
from alphastrata.core.checks import Violations
from alphastrata.core.panel import Panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.eligible import eligible_rows

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Capped:
    """Value weights with the largest values capped at a percentile of the date's cross-section.

    Parameters
    ----------
    percentile
        Between 0 and 1; values above this quantile are replaced by it.
    breakpoints
        Whose quantile: "all", an exchange such as "NYSE", or a mask column.
    column
        The column that weighs, positive.

    References
    ----------
    Jensen, Kelly and Pedersen (2023), "Is there a replication crisis in finance?", Journal of
    Finance 78: market equity winsorised at the NYSE 80th percentile.

    Examples
    --------
    >>> Capped().percentile
    0.8
    """

    percentile: float = 0.8
    breakpoints: str = "NYSE"
    column: str = "market_cap"

    def __post_init__(self) -> None:
        if not 0.0 < self.percentile < 1.0:
            raise ConfigError(f"Capped.percentile lies in (0, 1), got {self.percentile}.")


@dataclass(frozen=True)
class Ranked:
    """Weights proportional to the rank (1 for the lowest) of a column among the date's assets.

    Parameters
    ----------
    column
        The column that is ranked; ties get their average rank.

    Examples
    --------
    >>> Ranked("market_cap")
    Ranked(column='market_cap')
    """

    column: str


@dataclass(frozen=True)
class Soft:
    """Membership probabilities of the strata as weights: each asset is in every stratum a little.

    The weight of asset i in stratum k is p_ik times its base weight, with the probabilities of
    the formation date and the base weight known before the return.

    Parameters
    ----------
    base
        The weighting that multiplies the probabilities: "equal", "value" or a column.

    Examples
    --------
    >>> Soft().base
    'equal'
    """

    base: str = "equal"


Weighting = str | Capped | Ranked | Soft


def row_weights(panel: Panel, weighting: Weighting) -> Float64:
    """Return each row's weight as known at its own date.

    Parameters
    ----------
    panel
        The market.
    weighting
        "equal" (1 for every row), "value" (``market_cap``), the name of a column (signal
        weights: proportional to it), or a `Capped`, `Ranked` or `Soft` (its base).

    Returns
    -------
    numpy.ndarray
        float64, shape (n_rows,); missing or not positive means that the asset cannot be held.

    Raises
    ------
    ConfigError
        For a weighting that is neither.
    InputDataError
        For a column that the panel lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 2, "asset": ["A", "B"],
    ...                             "market_cap": [3.0, 1.0]}), freq="M")
    >>> row_weights(panel, "value")
    array([3., 1.])
    """
    if isinstance(weighting, Soft):
        return row_weights(panel, weighting.base)
    if isinstance(weighting, Capped):
        values = panel.values(weighting.column)
        mask = eligible_rows(panel, weighting.breakpoints)
        cap = breakpoints(values, panel.offsets, [weighting.percentile], eligible=mask)[:, 0]
        return np.minimum(values, cap[panel.date_codes])
    if isinstance(weighting, Ranked):
        return rank(panel.values(weighting.column), panel.offsets)
    if not isinstance(weighting, str):
        raise ConfigError(
            "weighting is 'equal', 'value', a column name, Capped, Ranked or Soft; "
            f"got {type(weighting).__name__}."
        )
    if weighting == "equal":
        return np.ones(len(panel))
    return panel.values("market_cap" if weighting == "value" else weighting)


def memberships(strata: Strata) -> Float64:
    """Return membership probabilities, shape (n_strata, n_labels).

    Raises
    ------
    InputDataError
        For strata without any.
    """
    if strata.probabilities is None:
        raise InputDataError(
            f"{strata.source or 'These strata'}: no membership probabilities, so nothing can be "
            "weighted by them. Use a clusterer that gives them, or hard labels."
        )
    return np.ascontiguousarray(strata.probabilities.to_numpy(dtype=np.float64).T)


def describe(weighting: Weighting) -> str:
    """Return the weighting as words for a source line."""
    if isinstance(weighting, str):
        return weighting
    fields = ", ".join(f"{k}={v}" for k, v in vars(weighting).items())
    return f"{type(weighting).__name__.lower()} ({fields})"


def check_weighting(weighting: Weighting, found: Violations) -> None:
    """Record a weighting of the wrong type."""
    found.require(
        isinstance(weighting, (str, Capped, Ranked, Soft)),
        "weighting is 'equal', 'value', a column name, Capped, Ranked or Soft",
        first=repr(weighting),
    )
