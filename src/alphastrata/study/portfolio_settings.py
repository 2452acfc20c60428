"""The settings of portfolios: sorts, what trading costs, money, and the replication."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alphastrata.study.data_settings import Name, Section

__all__ = ["BacktestConfig", "CostsConfig", "ReplicationConfig", "SortConfig", "Weighting"]

Weighting = Literal["value", "equal"]


class SortConfig(Section):
    """One characteristic sort and the factor made of it.

    ``method`` makes the factor: the extreme quantiles, two size groups by three (size-neutral), or
    weights by rank. The strata of the joint tests are the quantiles, whatever the method.
    """

    name: Name
    by: str
    n: int = Field(default=5, ge=2, le=20)
    long: Literal["high", "low"] = "high"
    breakpoints: str = "all"
    rebalance: Literal["M", "Q", "Y"] | int | None = None
    weighting: Weighting = "value"
    method: Literal["quantile", "size_neutral", "rank"] = "quantile"


class CostsConfig(Section):
    """What trading costs: basis points of the value traded, and a yearly fee on the short leg."""

    basis_points: float = Field(default=0.0, ge=0, le=1_000)
    borrow_fee: float = Field(default=0.0, ge=0, le=1)


class BacktestConfig(Section):
    """Money: the capital with which every factor starts to trade; costs are those of [costs]."""

    capital: float = Field(default=1_000_000.0, gt=0)


class ReplicationConfig(Section):
    """Fama and French's factors from the study's own market, held against published ones."""

    factors: tuple[Literal["SMB", "HML", "RMW", "CMA", "Mom"], ...] = ("SMB", "HML")
    against: Name
