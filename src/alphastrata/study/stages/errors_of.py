"""From settings to standard errors: what a benchmark or a cross-section leaves open is [tests]'."""

from __future__ import annotations

from typing import Any

from alphastrata.core import Result
from alphastrata.core.results import STARS
from alphastrata.inference import HAC
from alphastrata.inference.bandwidth import LagRule
from alphastrata.study.settings import BenchmarkConfig, FamaMacBethConfig, TestsConfig


def hac_of(tests: TestsConfig, about: BenchmarkConfig | FamaMacBethConfig) -> HAC:
    """Return lags, kernel and small-sample factor of the tests of a benchmark or cross-section.

    Examples
    --------
    >>> hac_of(TestsConfig(lags="andrews"), FamaMacBethConfig(name="a", x=("size",))).lags
    'andrews'
    """
    own = about.errors
    daily = isinstance(about, BenchmarkConfig) and about.frequency == "D"
    lags: Any = own.lags if own.lags is not None else tests.daily_lags if daily else tests.lags
    small = tests.small_sample if own.small_sample is None else own.small_sample
    return HAC(lags, own.kernel or tests.kernel, small_sample=small)


def covariance_of(tests: TestsConfig, bench: BenchmarkConfig) -> Any:
    """Return the kind of covariance of the alphas against a benchmark.

    Examples
    --------
    >>> bench = BenchmarkConfig(name="a", factors=("SMB",), errors={"covariance": "HC3"})
    >>> covariance_of(TestsConfig(), bench)
    'HC3'
    """
    return bench.errors.covariance or tests.covariance


def lags_of(tests: TestsConfig) -> int | LagRule:
    """Return the number of monthly lags, or the rule that chooses it.

    Examples
    --------
    >>> lags_of(TestsConfig(lags=3))
    3
    """
    chosen: Any = tests.lags
    return HAC(chosen).lags


def conventions_of(result: Result) -> list[str]:
    """Return what a reader needs to compute the same; a page has p-values in place of stars."""
    return [line for line in result.conventions() if line != STARS]
