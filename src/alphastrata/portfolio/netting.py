"""Net of costs: what a zero-cost factor keeps after trading and borrowing."""

from __future__ import annotations

from alphastrata.core.checks import Violations
from alphastrata.core.factors import FactorReturns
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.performance import PERIODS


def net_of_costs(
    factors: FactorReturns, *, basis_points: float = 0.0, borrow_fee: float = 0.0
) -> FactorReturns:
    """Return factors after a proportional trading cost and a fee on the short leg.

    Parameters
    ----------
    factors
        Zero-cost factors with their one-sided ``turnover`` beside them, as `long_short` and
        `factor` give them.
    basis_points
        Cost of one unit traded, in hundredths of a per cent. Both sides pay: twice the one-sided
        turnover of each date.
    borrow_fee
        Fee per year on the short leg, whose size is one.

    Returns
    -------
    FactorReturns
        Net returns, with what was paid in ``costs``: gross - costs = net on every date.

    Raises
    ------
    ConfigError
        For negative costs.
    InputDataError
        For factors without turnover, or that are not zero-cost.

    Notes
    -----
    First order: costs come out of the same date's return and are not financed by selling more.
    `run_backtest` accounts for money, drift and impact.

    Examples
    --------
    >>> import pandas as pd
    >>> dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
    >>> gross = FactorReturns(pd.DataFrame({"LEV": [0.01, 0.02]}, index=dates), kind="zero_cost",
    ...                       turnover=pd.DataFrame({"LEV": [1.0, 0.25]}, index=dates))
    >>> net_of_costs(gross, basis_points=10).frame["LEV"].round(4).tolist()
    [0.008, 0.0195]
    """
    found = Violations("net_of_costs")
    found.require(basis_points >= 0, "basis_points is not negative", first=repr(basis_points))
    found.require(borrow_fee >= 0, "borrow_fee is not negative", first=repr(borrow_fee))
    found.raise_if_any(ConfigError)
    if factors.kind != "zero_cost":
        raise InputDataError(f"net_of_costs takes zero-cost factors, got {factors.kind}.")
    if factors.turnover is None or not set(factors.factors) <= set(factors.turnover):
        raise InputDataError("net_of_costs needs the turnover of every factor beside its returns.")
    traded = 2.0 * factors.turnover[factors.factors].reindex(factors.frame.index).fillna(0.0)
    paid = traded * (basis_points / 1e4) + borrow_fee / PERIODS[factors.freq]
    paid = paid.where(factors.frame.notna())
    words = f"{basis_points:g} basis points of the value traded"
    if borrow_fee:
        words += f", {borrow_fee:.2%} a year on the short leg"
    return FactorReturns(
        factors.frame - paid,
        kind="zero_cost",
        freq=factors.freq,
        turnover=factors.turnover,
        costs=paid,
        counts=factors.counts,
        source=f"{factors.source} (net of {words})",
        vintage=factors.vintage,
        notes=factors.notes,
    )
