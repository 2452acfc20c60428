"""Factors of joint sorts: the ends of the last characteristic in every cell of the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.factors import FactorReturns, Holdings
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio.carrying import labels_in
from alphastrata.portfolio.factors import Plan, planned_holdings, planned_returns
from alphastrata.portfolio.returns import Missing, check_rules
from alphastrata.portfolio.schedule import Hold
from alphastrata.portfolio.sides import Side
from alphastrata.portfolio.targets import Sides
from alphastrata.portfolio.weights import Soft, Weighting, describe, row_weights


def joint_factor(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    last: int,
    long: Side = "high",
    weighting: Weighting = "value",
    hold: Hold = None,
    missing: Missing = "renormalise",
    name: str = "joint",
) -> FactorReturns:
    """Return the factor of a joint sort: its last characteristic, neutral to those before it.

    The mean, over all cells of the other characteristics, of the portfolio at one end of the last
    characteristic, minus the same mean at the other end; as HML is made of a 2x3 sort.

    Parameters
    ----------
    strata
        From `joint_sort` or `double_sort`: the last characteristic changes fastest.
    panel
        The market.
    last
        How many strata the last characteristic has.
    long
        Which of its ends is long.
    weighting, hold, missing
        As for `portfolio_returns`.
    name
        Name of the factor.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``, one column, with turnover and counts beside it; missing on dates on
        which a portfolio of either side is empty.

    Raises
    ------
    ConfigError
        When the strata are no whole number of groups of ``last``, or for Soft weights.
    InputDataError
        For columns that the panel lacks.

    References
    ----------
    Fama and French (1993), "Common risk factors in the returns on stocks and bonds", Journal of
    Financial Economics 33.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "date": ["2020-01-31"] * 4 + ["2020-02-29"] * 4, "asset": list("ABCD") * 2,
    ...     "ret": [0.0] * 4 + [0.01, 0.03, 0.02, 0.08], "market_cap": 1.0,
    ... })
    >>> cells = Strata(pd.DataFrame([[1, 2, 3, 4]], pd.to_datetime(["2020-01-31"]), list("ABCD")),
    ...                ordered=False)
    >>> joint_factor(cells, Panel(rows), last=2).frame["joint"].round(4).tolist()
    [0.04]
    """
    panel = as_panel(panel)
    check_rules(panel, weighting, hold, missing, "ret")
    plan = _plan(strata, panel, last, long, weighting, name)
    return planned_returns(plan, panel, hold=hold, missing=missing)


def joint_holdings(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    last: int,
    long: Side = "high",
    weighting: Weighting = "value",
    hold: Hold = None,
    legs: Sides = "long_short",
    name: str = "joint",
) -> Holdings:
    """Return the weights of `joint_factor` on its formation dates.

    Parameters
    ----------
    strata, panel, last, long, weighting, hold, name
        As for `joint_factor`.
    legs
        "long_short", netted where cohorts overlap, or "long", the long leg alone.

    Raises
    ------
    ConfigError, InputDataError
        As for `joint_factor`.

    Examples
    --------
    >>> rows = pd.DataFrame({"date": "2020-01-31", "asset": list("ABCD"), "ret": 0.0,
    ...                      "market_cap": 1.0})
    >>> cells = Strata(pd.DataFrame([[1, 2, 3, 4]], pd.to_datetime(["2020-01-31"]), list("ABCD")),
    ...                ordered=False)
    >>> joint_holdings(cells, Panel(rows, freq="M"), last=2).weights.tolist()
    [-0.5, 0.5, -0.5, 0.5]
    """
    panel = as_panel(panel)
    check_rules(panel, weighting, hold, "renormalise", None)
    plan = _plan(strata, panel, last, long, weighting, name)
    return planned_holdings(plan, panel, hold=hold, legs=legs)


def _plan(
    strata: Strata, panel: Panel, last: int, long: Side, weighting: Weighting, name: str
) -> Plan:
    """Return the legs: in every group of ``last`` strata one end is long, the other short."""
    found = Violations("A joint factor")
    found.require(
        last >= 2 and strata.n % last == 0,
        "The strata are whole groups of ``last``, at least two",
        first=f"{strata.n} strata, last={last}",
    )
    found.require(long in ("high", "low"), "long is 'high' or 'low'", first=repr(long))
    found.require(not isinstance(weighting, Soft), "A joint factor takes no Soft weights")
    found.raise_if_any(ConfigError)
    low, high = (1, 0) if long == "high" else (0, 1)
    return Plan(
        labels=labels_in(strata, panel),
        weight=row_weights(panel, weighting),
        leg_of=(low, *[-1] * (last - 2), high) * (strata.n // last),
        share=np.empty(0),
        name=name,
        source=(
            f"the last characteristic, long {long}, mean over {strata.n // last} cells of the "
            f"others, {describe(weighting)}-weighted: {strata.source or 'strata'}"
        ),
        notes=tuple(strata.notes),
    )
