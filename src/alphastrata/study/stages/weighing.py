"""From the settings of portfolios to the objects that `alphastrata.portfolio` takes."""

from __future__ import annotations

from collections.abc import Mapping

from alphastrata import portfolio
from alphastrata.core import Strata
from alphastrata.portfolio.costs import Cost
from alphastrata.study.settings import ClusterConfig, CostsConfig, HoldingConfig, SortConfig
from alphastrata.study.settings.sorts import trailing_months

Weights = str | portfolio.Capped | portfolio.Ranked | portfolio.Soft


def weights_of(config: HoldingConfig) -> Weights:
    """Return the weighting that the settings describe.

    Examples
    --------
    >>> weights_of(SortConfig(name="LEV", by="leverage", weighting="capped", cap=0.9))
    Capped(percentile=0.9, breakpoints='NYSE', column='market_cap')
    """
    if config.weighting == "capped":
        return portfolio.Capped(config.cap, config.cap_breakpoints)
    if config.weighting == "rank":
        return portfolio.Ranked(str(config.weigh_by))
    if config.weighting == "signal":
        return str(config.weigh_by)
    if config.weighting == "soft":
        return portfolio.Soft(config.weigh_by or "equal")
    return config.weighting


def hard_weights_of(config: HoldingConfig) -> Weights:
    """Return the weighting, or the base of soft ones: what weighs labelled members."""
    found = weights_of(config)
    return found.base if isinstance(found, portfolio.Soft) else found


def cohorts_of(config: HoldingConfig) -> portfolio.Overlapping | None:
    """Return how many cohorts are held at once, None for the latest alone."""
    return None if config.overlapping is None else portfolio.Overlapping(config.overlapping)


def screen_of(config: SortConfig) -> portfolio.Screen | str:
    """Return which assets are sorted."""
    return "all" if config.screen is None else portfolio.Screen(**config.screen.model_dump())


def ranking_of(config: ClusterConfig) -> str | portfolio.Trailing:
    """Return what ranks the clusters: a characteristic, or their own last returns."""
    months = trailing_months(config.rank_by)
    return config.rank_by if months is None else portfolio.Trailing(months)


def method_of(config: SortConfig) -> portfolio.characteristic.Method:
    """Return how one characteristic makes a factor."""
    if config.method == "size_neutral":
        return "size_neutral_2x3"
    return config.method


def costs_of(config: CostsConfig) -> list[Cost]:
    """Return what trades cost; several add up."""
    found: list[Cost] = [portfolio.BasisPoints(config.basis_points)]
    if config.half_spread is not None:
        found.append(portfolio.HalfSpread(config.half_spread))
    if config.impact is not None:
        found.append(portfolio.SquareRootImpact(**config.impact.model_dump()))
    return found


def group_of(name: str, clusterings: Mapping[str, Strata]) -> Strata | str:
    """Return the clustering of that name, or the name of a categorical column."""
    return clusterings.get(name, name)
