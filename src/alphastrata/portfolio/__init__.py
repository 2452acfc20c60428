"""Strata -> portfolio returns, factors and what they cost."""

from alphastrata.portfolio.eligible import Screen
from alphastrata.portfolio.factors import holdings, long_short
from alphastrata.portfolio.legs import Trailing, legs
from alphastrata.portfolio.returns import portfolio_returns
from alphastrata.portfolio.schedule import Overlapping
from alphastrata.portfolio.sorts import double_sort, joint_sort, quantile_sort
from alphastrata.portfolio.weights import Capped, Ranked, Soft

__all__ = [
    "Capped",
    "Overlapping",
    "Ranked",
    "Screen",
    "Soft",
    "Trailing",
    "double_sort",
    "holdings",
    "joint_sort",
    "legs",
    "long_short",
    "portfolio_returns",
    "quantile_sort",
]
