"""What a trade costs: a share of it, an asset's half-spread, or impact that grows with its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alphastrata.core.bydate import breakpoints
from alphastrata.core.checks import Note, require_columns
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BasisPoints:
    """A fixed share of the value traded.

    Parameters
    ----------
    rate
        In basis points of the value traded, not negative.

    Examples
    --------
    >>> BasisPoints(10)
    BasisPoints(rate=10)
    """

    rate: float

    def __post_init__(self) -> None:
        if not self.rate >= 0.0:
            raise ConfigError(f"BasisPoints.rate is not negative, got {self.rate}.")


@dataclass(frozen=True)
class HalfSpread:
    """Half the bid-ask spread of each asset, as known when it is traded.

    Parameters
    ----------
    column
        Half-spread as a share of the price, in decimals, 0 where bid and ask meet. Where it is
        missing or negative the date's median stands in, and is counted.

    Examples
    --------
    >>> HalfSpread()
    HalfSpread(column='half_spread')
    """

    column: str = "half_spread"


@dataclass(frozen=True)
class SquareRootImpact:
    """Impact in proportion to volatility and the root of the share of volume that is traded.

    The cost of trading X currency units is coefficient x volatility x sqrt(|X| / volume) x |X|.

    Parameters
    ----------
    coefficient
        Close to 1 in most estimates.
    volatility
        Column of the volatility of returns per day, in decimals.
    volume
        Column of the value traded per day, in currency units. Where one is missing the date's
        median stands in, and is counted.

    References
    ----------
    Almgren, Thum, Hauptmann and Li (2005), "Direct estimation of equity market impact"; Toth et
    al. (2011), "Anomalous price impact and the critical nature of liquidity", Physical Review X.

    Examples
    --------
    >>> SquareRootImpact().coefficient
    1.0
    """

    coefficient: float = 1.0
    volatility: str = "volatility"
    volume: str = "dollar_volume"

    def __post_init__(self) -> None:
        if not self.coefficient >= 0.0:
            raise ConfigError(
                f"SquareRootImpact.coefficient is not negative, got {self.coefficient}."
            )


Cost = BasisPoints | HalfSpread | SquareRootImpact


def cost_rates(
    panel: Panel, costs: Cost | Sequence[Cost]
) -> tuple[Float64, Float64, tuple[Note, ...]]:
    """Return what trades cost in each row: linear and impact coefficients, and notes.

    Parameters
    ----------
    panel
        Holds the columns that costs name.
    costs
        One cost, or several that add up.

    Returns
    -------
    tuple
        Two arrays of shape (n_rows,): trading X costs linear x |X| + impact x |X|^1.5.

    Raises
    ------
    ConfigError
        For what is no cost.
    InputDataError
        For columns that the panel lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"date": ["2020-01-31"], "asset": ["A"], "half_spread": [0.001]})
    >>> panel = Panel(rows)
    >>> cost_rates(panel, [BasisPoints(10), HalfSpread()])[0].round(6).tolist()
    [0.002]
    """
    listed = [costs] if isinstance(costs, Cost) else list(costs)
    linear, impact = np.zeros(len(panel)), np.zeros(len(panel))
    notes: list[Note] = []
    for cost in listed:
        if isinstance(cost, BasisPoints):
            linear += cost.rate / 1e4
        elif isinstance(cost, HalfSpread):
            linear += _filled(panel, cost.column, notes, zero=True)
        elif isinstance(cost, SquareRootImpact):
            sigma = _filled(panel, cost.volatility, notes)
            volume = _filled(panel, cost.volume, notes)
            impact += cost.coefficient * sigma / np.sqrt(volume)
        else:
            raise ConfigError(
                f"A cost is BasisPoints, HalfSpread or SquareRootImpact, got {cost!r}."
            )
    return linear, impact, tuple(notes)


def _filled(panel: Panel, column: str, notes: list[Note], *, zero: bool = False) -> Float64:
    """Return a column of positive numbers (or zeros), the date's median where it is missing."""
    require_columns(panel.columns, [column], "Costs")
    values = panel.values(column)
    good = np.where((values > 0.0) | ((values == 0.0) & zero), values, np.nan)
    kind = "non-negative" if zero else "positive"
    gap = np.isnan(good)
    if not gap.any():
        return good
    if gap.all():
        raise ConfigError(f"Column {column!r} has no {kind} value to cost trades with.")
    median = breakpoints(good, panel.offsets, [0.5])[:, 0]
    overall = float(np.nanmedian(good))
    stand_in = np.where(np.isnan(median), overall, median)[panel.date_codes]
    at = int(gap.argmax())
    date, asset = panel.dates[panel.date_codes[at]], panel.assets[panel.asset_codes[at]]
    notes.append(
        Note(
            f"rows without a {kind} {column}",
            int(gap.sum()),
            gap.size,
            f"date={date.date()}, asset={asset}",
            "costed at the date's median",
            "portfolio",
        )
    )
    return np.where(gap, stand_in, good)
