"""Strata -> portfolio returns, factors and what they cost."""

from alphastrata.portfolio.appraisal import (
    Performance,
    appraise,
    appraise_by,
    by_regime,
    by_year,
)
from alphastrata.portfolio.backtest import Backtest, capacity, run_backtest
from alphastrata.portfolio.characteristic import Quantile, TwoByThree, factor, factor_holdings
from alphastrata.portfolio.composition import composition
from alphastrata.portfolio.costs import BasisPoints, HalfSpread, SquareRootImpact
from alphastrata.portfolio.delistings import include_delistings
from alphastrata.portfolio.distances import centroid_distances
from alphastrata.portfolio.eligible import Screen
from alphastrata.portfolio.factors import holdings, long_short
from alphastrata.portfolio.french import fama_french, prior_return
from alphastrata.portfolio.groups import dummy_returns, neutral
from alphastrata.portfolio.information import (
    InformationCoefficients,
    horizon_returns,
    information_coefficients,
    rank_autocorrelation,
)
from alphastrata.portfolio.joint import joint_factor, joint_holdings
from alphastrata.portfolio.netting import net_of_costs
from alphastrata.portfolio.replication import Certificate, certificate
from alphastrata.portfolio.returns import later_returns, portfolio_returns
from alphastrata.portfolio.schedule import Overlapping
from alphastrata.portfolio.sides import Trailing, legs
from alphastrata.portfolio.sizing import Sizing
from alphastrata.portfolio.soft_legs import soft_holdings, soft_long_short
from alphastrata.portfolio.sorts import double_sort, joint_sort, quantile_sort
from alphastrata.portfolio.sweeps import sorted_returns, sorted_returns_by_chunk
from alphastrata.portfolio.vendor import add_fiscal_year, crsp_compustat
from alphastrata.portfolio.weights import Capped, Ranked, Soft

__all__ = [
    "Backtest",
    "BasisPoints",
    "Capped",
    "Certificate",
    "HalfSpread",
    "InformationCoefficients",
    "Overlapping",
    "Performance",
    "Quantile",
    "Ranked",
    "Screen",
    "Sizing",
    "Soft",
    "SquareRootImpact",
    "Trailing",
    "TwoByThree",
    "add_fiscal_year",
    "appraise",
    "appraise_by",
    "by_regime",
    "by_year",
    "capacity",
    "centroid_distances",
    "certificate",
    "composition",
    "crsp_compustat",
    "double_sort",
    "dummy_returns",
    "factor",
    "factor_holdings",
    "fama_french",
    "holdings",
    "horizon_returns",
    "include_delistings",
    "information_coefficients",
    "joint_factor",
    "joint_holdings",
    "joint_sort",
    "later_returns",
    "legs",
    "long_short",
    "net_of_costs",
    "neutral",
    "portfolio_returns",
    "prior_return",
    "quantile_sort",
    "rank_autocorrelation",
    "run_backtest",
    "soft_holdings",
    "soft_long_short",
    "sorted_returns",
    "sorted_returns_by_chunk",
]
