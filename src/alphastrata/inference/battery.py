"""Tests by name, so that a study's file can ask for any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from alphastrata.core import Result
from alphastrata.core.shown import Shown
from alphastrata.errors import AlphaStrataError, ConfigError
from alphastrata.inference.registry import TESTS, Lags, check_options, options_of
from alphastrata.inference.subjects import Subjects

__all__ = ["Battery", "Request", "Subjects", "available_tests", "run_battery"]


@dataclass(frozen=True)
class Request:
    """A test by name, with options.

    Attributes
    ----------
    test : str
        Name from `available_tests`.
    options : mapping
        What is to differ from the function's defaults.
    name : str
        Under which the result is kept; the name of the test by default.

    Examples
    --------
    >>> Request("two_pass", {"method": "GLS"}).key
    'two_pass'
    """

    test: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def key(self) -> str:
        """The name of the result."""
        return self.name or self.test


@dataclass(frozen=True)
class Battery(Shown):
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


def available_tests() -> pd.DataFrame:
    """Return the names of all tests, what they need, what for, and what may be set.

    Returns
    -------
    DataFrame
        Index: test. "needs" names attributes of `Subjects`; "about"; "options".

    Examples
    --------
    >>> available_tests().loc["grs", "needs"]
    'portfolios'
    """
    rows = {
        name: (", ".join(entry.needs), entry.about, ", ".join(options_of(name)))
        for name, entry in TESTS.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["needs", "about", "options"])
    return table.rename_axis("test")


def run_battery(
    subjects: Subjects,
    tests: Sequence[str | Request],
    *,
    lags: Lags = 6,
    seed: int = 0,
) -> Battery:
    """Return the results of tests asked for by name.

    Parameters
    ----------
    subjects : Subjects
        Factors, model, portfolios, panel and instruments.
    tests : sequence of str or Request
        Names from `available_tests`, or requests with options.
    lags : int, rule or HAC
        Newey-West lags of the tests that take them; a number is the average block length of
        bootstraps too.
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
        For an unknown name or option, or a test whose subjects are absent, before anything runs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    >>> f = pd.DataFrame({"Mkt-RF": rng.normal(size=120)}, index=dates)
    >>> new = pd.DataFrame({"LEV": rng.normal(size=120)}, index=dates)
    >>> wanted = ["alphas", Request("chow", {"break_date": "2005-01-31"})]
    >>> list(run_battery(Subjects(new, f), wanted).results)
    ['alphas', 'chow']
    """
    asked = [Request(test) if isinstance(test, str) else test for test in tests]
    unknown = [request.test for request in asked if request.test not in TESTS]
    if unknown:
        raise ConfigError(f"Tests are {', '.join(TESTS)}; got {unknown[0]!r}.")
    calls = {}
    for request in asked:
        absent = subjects.lacks(TESTS[request.test].needs)
        if absent:
            raise ConfigError(
                f"The test {request.test!r} needs {absent[0]}; hand it in or leave the test out."
            )
        calls[request.key] = (request, check_options(request.test, request.options))
    results: dict[str, Result] = {}
    skipped: dict[str, str] = {}
    for key, (request, options) in calls.items():
        entry = TESTS[request.test]
        try:
            function, arguments = entry.load(), entry.arguments(subjects)
            results[key] = function(*arguments, **entry.usual(lags, seed) | options)
        except AlphaStrataError as error:
            skipped[key] = f"{type(error).__name__}: {error}"
    return Battery(results, skipped)
