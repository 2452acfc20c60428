"""Tests of factors: alphas, joint tests, cross-sectional regressions and many tests at once."""

from alphastrata.inference.fama_macbeth import FamaMacBethResult, fama_macbeth
from alphastrata.inference.grs import GRSResult, grs
from alphastrata.inference.hac import HAC
from alphastrata.inference.time_series import TimeSeriesResult, side_by_side, time_series

__all__ = [
    "HAC",
    "FamaMacBethResult",
    "GRSResult",
    "TimeSeriesResult",
    "fama_macbeth",
    "grs",
    "side_by_side",
    "time_series",
]
