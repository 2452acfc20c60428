"""Contracts and kernels: the five types that travel, and everything done for each date."""

from alphastrata.core.checks import Note, Violations
from alphastrata.core.factors import FactorReturns, Holdings
from alphastrata.core.panel import Panel
from alphastrata.core.results import Result, Statistic, Summary
from alphastrata.core.strata import Strata
from alphastrata.core.windows import RollingWindows, Window

__all__ = [
    "FactorReturns",
    "Holdings",
    "Note",
    "Panel",
    "Result",
    "RollingWindows",
    "Statistic",
    "Strata",
    "Summary",
    "Violations",
    "Window",
]
