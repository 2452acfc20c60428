"""The settings of portfolios: sorts, what trading costs, money, and the replication."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from alphastrata.core.faults import Fault, refuse
from alphastrata.study.settings.data import Name, Section
from alphastrata.study.settings.sorts import HoldingConfig, ScreenConfig, SortConfig

__all__ = [
    "BacktestConfig",
    "CostsConfig",
    "DelistingsConfig",
    "HoldingConfig",
    "ImpactConfig",
    "InformationConfig",
    "ReplicationConfig",
    "ScreenConfig",
    "SortConfig",
    "Weighting",
]

Weighting = Literal["value", "equal"]


class ImpactConfig(Section):
    """Square-root impact: coefficient x volatility x root of the share of volume x value traded.

    ``volatility`` and ``volume`` (in currency units) name columns over the same length of time, a
    day or a month. ``dollar_volume`` is price x volume where the panel lacks it.
    """

    coefficient: float = Field(default=1.0, ge=0, le=10)
    volatility: str = "volatility"
    volume: str = "dollar_volume"


class CostsConfig(Section):
    """What trading costs: basis points of the value traded, and a yearly fee on the short leg.

    ``half_spread`` names a column, in decimals of the price, and ``impact`` makes large trades
    dear; both are costs of accounts, so they need [backtest].
    """

    basis_points: float = Field(default=0.0, ge=0, le=1_000)
    borrow_fee: float = Field(default=0.0, ge=0, le=1)
    half_spread: str | None = None
    impact: ImpactConfig | None = None


class BacktestConfig(Section):
    """Money: the capital with which every factor starts to trade; costs are those of [costs].

    ``legs`` "long" holds the long leg alone. ``max_weight`` caps an asset's weight in its leg,
    ``beta`` names a column of betas by which each leg is divided. ``cash`` "risk_free" earns the
    benchmark's risk-free rate. ``capacities`` are starting capitals of the capacity curve.
    ``regimes`` split the performance by the sign of a factor of the headline benchmark, or by a
    macro series: above or below its median so far. ``benchmark`` is the factor of the headline
    benchmark that alpha and beta are measured against; its first when None.
    """

    capital: float = Field(default=1_000_000.0, gt=0)
    legs: Literal["long_short", "long"] = "long_short"
    leverage: float = Field(default=1.0, gt=0, le=20)
    max_weight: float | None = Field(default=None, gt=0, le=1)
    beta: str | None = None
    cash: Literal["none", "risk_free"] = "none"
    capacities: tuple[Annotated[float, Field(gt=0)], ...] = ()
    regimes: tuple[str, ...] = ()
    benchmark: str | None = None


class InformationConfig(Section):
    """What characteristics foretell, beside those of ``tests.information``: over which horizons."""

    by: tuple[str, ...] = ()
    horizons: tuple[Annotated[int, Field(ge=1, le=120)], ...] = Field(
        default=(1, 3, 6, 12), min_length=1
    )
    quantiles: int = Field(default=5, ge=2, le=20)


class DelistingsConfig(Section):
    """What holders got when an asset stopped trading, compounded into its last return.

    Either ``column``, of delisting returns on the asset's last row, or ``file``, a CSV or parquet
    table of the data folder with asset, date and delisting_return; ``default`` stands in where the
    table has a delisting without a return.
    """

    column: str | None = None
    file: str | None = None
    default: float | None = Field(default=None, ge=-1)

    @model_validator(mode="after")
    def _one_source(self) -> DelistingsConfig:
        if (self.column is None) == (self.file is None):
            raise ValueError(
                'say where delisting returns are: column = "delisting_return", or file = '
                '"delistings.csv", not both'
            )
        if self.column is not None and self.default is not None:
            said = "it fills gaps of a file; with a column, an empty cell is no delisting: drop it"
            refuse([Fault(("default",), said)])
        return self


class ReplicationConfig(Section):
    """Fama and French's factors from the study's own market, held against published ones."""

    factors: tuple[Literal["SMB", "HML", "RMW", "CMA", "Mom"], ...] = ("SMB", "HML")
    against: Name
