"""Tests by name, so that a study's file can ask for any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Panel, Result
from alphastrata.errors import AlphaStrataError, ConfigError
from alphastrata.inference.samples import Returns

__all__ = ["TESTS", "Battery", "Subjects", "available_tests", "run_battery"]


@dataclass(frozen=True)
class Subjects:
    """What a battery of tests is about.

    Attributes
    ----------
    new : FactorReturns, DataFrame or Series
        The factors under test: zero-cost returns.
    known : FactorReturns, DataFrame or Series
        The benchmark model.
    portfolios : FactorReturns, DataFrame or Series, optional
        Test assets, for example the portfolios of all strata.
    panel : Panel, optional
        Rows by (date, asset), for cross-sectional regressions.
    x : sequence of str
        Characteristics of the cross-sectional regressions.
    y : str
        Their dependent variable.
    """

    new: Returns
    known: Returns
    portfolios: Returns | None = None
    panel: Panel | None = None
    x: Sequence[str] = ()
    y: str = "ret"


@dataclass(frozen=True)
class Battery:
    """Results by name, and why a test is missing.

    Attributes
    ----------
    results : dict of str to Result
    skipped : dict of str to str
        Tests that could not be computed, with the reason.
    """

    results: dict[str, Result]
    skipped: dict[str, str] = field(default_factory=dict)

    def statistics(self) -> pd.DataFrame:
        """Return every joint test of every result: statistic, p, distribution and null."""
        rows = [
            (name, s.name, s.value, s.pvalue, s.distribution, s.null)
            for name, result in self.results.items()
            for s in result.statistics()
        ]
        columns = ["result", "test", "statistic", "p", "distribution", "null"]
        return pd.DataFrame(rows, columns=columns)

    def summary(self) -> str:
        """Return all summaries, one under the other, and what was skipped."""
        parts = [str(result.summary()) for result in self.results.values()]
        parts += [f"{name}: skipped. {reason}" for name, reason in self.skipped.items()]
        return "\n\n".join(parts)


@dataclass(frozen=True)
class _Test:
    module: str
    needs: str
    about: str
    run: Callable[[Any, Subjects, int, int], Result]


def _one_factor(known: Returns) -> Returns:
    """Return the first factor of a model: the market, by convention."""
    if isinstance(known, FactorReturns):
        return known.select(known.factors[:1])
    return known if isinstance(known, pd.Series) else known.iloc[:, :1]


TESTS: dict[str, _Test] = {
    "alphas": _Test(
        "time_series", "new", "alphas and betas, Newey-West errors",
        lambda m, s, lags, seed: m.time_series(s.new, s.known, lags=lags),
    ),
    "spanning": _Test(
        "spanning", "new", "whether known factors span the new: GRS, HAC Wald, Sharpe ratios",
        lambda m, s, lags, seed: m.spanning(s.new, s.known, lags=lags),
    ),
    "cusum": _Test(
        "stability", "new", "whether alphas and betas are constant",
        lambda m, s, lags, seed: m.cusum(s.new, s.known),
    ),
    "downside": _Test(
        "betas", "new", "betas below and above the market's mean",
        lambda m, s, lags, seed: m.downside_beta(s.new, _one_factor(s.known)),
    ),
    "dimson": _Test(
        "betas", "new", "betas summed over a lagged market",
        lambda m, s, lags, seed: m.dimson_beta(s.new, _one_factor(s.known), errors=lags),
    ),
    "romano_wolf": _Test(
        "snooping", "new", "alphas with step-down adjusted p-values",
        lambda m, s, lags, seed: m.romano_wolf(s.new, s.known, block=max(lags, 1), seed=seed),
    ),
    "reality_check": _Test(
        "snooping", "new", "whether the best of the new factors beats zero",
        lambda m, s, lags, seed: m.reality_check(s.new, block=max(lags, 1), seed=seed),
    ),
    "grs": _Test(
        "grs", "portfolios", "exact F test that all alphas of the portfolios are zero",
        lambda m, s, lags, seed: m.grs(s.portfolios, s.known),
    ),
    "joint_alphas": _Test(
        "joint", "portfolios", "GRS, Wald, likelihood ratio, HAC Wald and GMM tests",
        lambda m, s, lags, seed: m.joint_alphas(s.portfolios, s.known, lags=lags),
    ),
    "two_pass": _Test(
        "two_pass", "portfolios", "risk premia of the known factors, four kinds of error",
        lambda m, s, lags, seed: m.two_pass(s.portfolios, s.known, lags=lags),
    ),
    "three_pass": _Test(
        "three_pass", "portfolios", "premia of the new factors, free of omitted factors",
        lambda m, s, lags, seed: m.three_pass(s.portfolios, s.new, lags=lags),
    ),
    "bayesian": _Test(
        "bayesian", "portfolios", "posterior of the premia of the known factors",
        lambda m, s, lags, seed: m.bayesian_fama_macbeth(s.portfolios, s.known, seed=seed),
    ),
    "fama_macbeth": _Test(
        "fama_macbeth", "panel", "cross-sectional regressions on characteristics, averaged",
        lambda m, s, lags, seed: m.fama_macbeth(s.panel, s.y, list(s.x), lags=lags, scale="zscore"),
    ),
    "panel_regression": _Test(
        "pooled", "panel", "pooled regression, errors clustered by asset and date",
        lambda m, s, lags, seed: m.panel_regression(s.panel, s.y, list(s.x)),
    ),
}  # fmt: skip
"""Tests by name."""


def available_tests() -> pd.DataFrame:
    """Return the names of all tests, what they need ("new", "portfolios", "panel"), and what for.

    Examples
    --------
    >>> available_tests().loc["grs", "needs"]
    'portfolios'
    """
    rows = {name: (test.needs, test.about) for name, test in TESTS.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["needs", "about"])
    return table.rename_axis("test")


def run_battery(
    subjects: Subjects, tests: Sequence[str], *, lags: int = 6, seed: int = 0
) -> Battery:
    """Return the results of tests asked for by name.

    Parameters
    ----------
    subjects : Subjects
        Factors, model, portfolios and panel.
    tests : sequence of str
        Names from `available_tests`.
    lags : int
        Newey-West lags, and average block length of bootstraps.
    seed : int
        Of bootstraps and draws.

    Returns
    -------
    Battery
        A test whose data do not allow it (too few dates, collinear factors, …) is skipped and
        its reason kept; programming errors are not.

    Raises
    ------
    ConfigError
        For an unknown name, or a test whose subjects are absent, before anything runs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    >>> f = pd.DataFrame({"Mkt-RF": rng.normal(size=120)}, index=dates)
    >>> new = pd.DataFrame({"LEV": rng.normal(size=120)}, index=dates)
    >>> list(run_battery(Subjects(new, f), ["alphas", "spanning"]).results)
    ['alphas', 'spanning']
    """
    unknown = [name for name in tests if name not in TESTS]
    if unknown:
        raise ConfigError(f"Tests are {', '.join(TESTS)}; got {unknown[0]!r}.")
    for name in tests:
        needs = TESTS[name].needs
        if getattr(subjects, needs) is None or (needs == "panel" and not subjects.x):
            raise ConfigError(f"The test {name!r} needs {needs}; hand it in or leave the test out.")
    results: dict[str, Result] = {}
    skipped: dict[str, str] = {}
    for name in dict.fromkeys(tests):
        test = TESTS[name]
        module = import_module(f"alphastrata.inference.{test.module}")
        try:
            results[name] = test.run(module, subjects, lags, seed)
        except AlphaStrataError as error:
            skipped[name] = f"{type(error).__name__}: {error}"
    return Battery(results, skipped)
