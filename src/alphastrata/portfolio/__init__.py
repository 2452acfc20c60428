"""Strata -> portfolio returns, factors and what they cost."""

from alphastrata.portfolio.appraisal import Performance, appraise, by_regime, by_year
from alphastrata.portfolio.certificate import Certificate, certificate
from alphastrata.portfolio.characteristic import Quantile, TwoByThree, factor
from alphastrata.portfolio.eligible import Screen
from alphastrata.portfolio.factors import holdings, long_short
from alphastrata.portfolio.fama_french import fama_french, prior_return
from alphastrata.portfolio.legs import Trailing, legs
from alphastrata.portfolio.neutral import dummy_returns, neutral
from alphastrata.portfolio.returns import portfolio_returns
from alphastrata.portfolio.schedule import Overlapping
from alphastrata.portfolio.sorts import double_sort, joint_sort, quantile_sort
from alphastrata.portfolio.vendor import add_fiscal_year, crsp_compustat
from alphastrata.portfolio.weights import Capped, Ranked, Soft

__all__ = [
    "Capped",
    "Certificate",
    "Overlapping",
    "Performance",
    "Quantile",
    "Ranked",
    "Screen",
    "Soft",
    "Trailing",
    "TwoByThree",
    "add_fiscal_year",
    "appraise",
    "by_regime",
    "by_year",
    "certificate",
    "crsp_compustat",
    "double_sort",
    "dummy_returns",
    "factor",
    "fama_french",
    "holdings",
    "joint_sort",
    "legs",
    "long_short",
    "neutral",
    "portfolio_returns",
    "prior_return",
    "quantile_sort",
]
