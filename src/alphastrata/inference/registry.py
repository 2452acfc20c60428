"""The tests that can be asked for by name: what each needs, what may be set, how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, get_type_hints

from alphastrata.core import Result
from alphastrata.errors import ConfigError
from alphastrata.inference.hac import HAC, LagRule
from alphastrata.inference.stability import break_at
from alphastrata.inference.subjects import Subjects, funded, one_factor, together

__all__ = ["TESTS", "Entry", "check_options", "options_of"]

Lags = int | LagRule | HAC
Options = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One test: where it is, what it needs, and how subjects become its arguments.

    Attributes
    ----------
    module, function : str
        Where the test is.
    needs : tuple of str
        Attributes of `Subjects`.
    about : str
        What it is for, in a line.
    arguments : callable
        Positional arguments from subjects.
    usual : callable
        Options unless they are given, from the study's lags and seed.
    extra : tuple of str
        Positional parameters that are options all the same.
    """

    module: str
    function: str
    needs: tuple[str, ...]
    about: str
    arguments: Callable[[Subjects], tuple[Any, ...]]
    usual: Callable[[Lags, int], Options]
    extra: tuple[str, ...] = ()

    def load(self) -> Callable[..., Result]:
        """Return the function."""
        module = import_module(f"alphastrata.inference.{self.module}")
        return getattr(module, self.function)


def _nothing(lags: Lags, seed: int) -> Options:
    return {}


def _lags(lags: Lags, seed: int) -> Options:
    return {"lags": lags}


def _seed(lags: Lags, seed: int) -> Options:
    return {"seed": seed}


def _block(lags: Lags, seed: int) -> Options:
    """Return blocks as long as the lags, where these are a number."""
    number = lags.lags if isinstance(lags, HAC) else lags
    return {"seed": seed} | ({"block": max(number, 1)} if isinstance(number, int) else {})


def _new(s: Subjects) -> tuple[Any, ...]:
    return s.new, s.known


def _portfolios(s: Subjects) -> tuple[Any, ...]:
    return s.portfolios, s.known


def _market(s: Subjects) -> tuple[Any, ...]:
    return s.new, one_factor(s.known)


def _panel(s: Subjects) -> tuple[Any, ...]:
    return s.panel, s.y, list(s.x)


TESTS: dict[str, Entry] = {
    "alphas": Entry(
        "time_series", "time_series", ("new",), "alphas and betas, errors of any kind",
        _new, _lags,
    ),
    "rolling": Entry(
        "rolling", "rolling_betas", ("new",), "alphas and betas over rolling or growing windows",
        _new, _nothing,
    ),
    "spanning": Entry(
        "spanning", "spanning", ("new",),
        "whether known factors span the new: GRS, HAC Wald, Sharpe ratios", _new, _lags,
    ),
    "chow": Entry(
        "stability", "chow", ("new",), "whether alphas and betas changed at a date that is named",
        _new, _lags, ("break_date",),
    ),
    "cusum": Entry(
        "stability", "cusum", ("new",), "whether alphas and betas are constant", _new, _nothing,
    ),
    "downside": Entry(
        "betas", "downside_beta", ("new",), "betas below and above the market's mean",
        _market, _nothing,
    ),
    "dimson": Entry(
        "betas", "dimson_beta", ("new",), "betas summed over a lagged market",
        _market, lambda lags, seed: {"errors": lags},
    ),
    "conditional": Entry(
        "conditional", "conditional_model", ("new", "instruments"),
        "alphas and betas that move with instruments known before",
        lambda s: (s.new, s.known, s.instruments), _lags,
    ),
    "adjusted": Entry(
        "tabulated", "adjusted_alphas", ("new",),
        "p-values of alphas, Bonferroni to Benjamini-Yekutieli, and the hurdle for |t|",
        _new, _lags,
    ),
    "romano_wolf": Entry(
        "snooping", "romano_wolf", ("new",), "alphas with step-down adjusted p-values",
        _new, _block,
    ),
    "reality_check": Entry(
        "snooping", "reality_check", ("new",), "whether the best of the new factors beats zero",
        lambda s: (s.new,), _block,
    ),
    "luck": Entry(
        "luck", "bootstrap_alphas", ("new",), "t-statistics of alphas against worlds without skill",
        _new, _seed,
    ),
    "track_record": Entry(
        "tabulated", "track_record", ("new",),
        "probabilistic Sharpe ratios and minimum track records", lambda s: (s.new,), _nothing,
    ),
    "sharpe_difference": Entry(
        "tabulated", "sharpe_differences", ("new",),
        "whether Sharpe ratios differ from that of the first known factor", _market, _seed,
    ),
    "tangency": Entry(
        "britten_jones", "tangency", ("new",),
        "weights of the best portfolio of known and new factors",
        lambda s: (together(s.known, s.new),), _nothing,
    ),
    "select_factors": Entry(
        "tabulated", "factor_selection", ("new",),
        "subsets of known and new factors by squared Sharpe ratio",
        lambda s: (together(s.known, s.new),), _nothing,
    ),
    "compare_models": Entry(
        "factor_models", "compare_models", ("models",),
        "differences of the squared Sharpe ratios of models", lambda s: (s.models,),
        _nothing,
    ),
    "side_by_side": Entry(
        "comparison", "models_side_by_side", ("new", "models"),
        "alpha and betas of one new factor under every model, as columns",
        lambda s: (s.new, s.models), _lags,
    ),
    "pricing": Entry(
        "tabulated", "pricing_models", ("portfolios", "models"),
        "GRS and average |alpha| of the portfolios under every model",
        lambda s: (s.portfolios, s.models), _nothing,
    ),
    "grs": Entry(
        "grs", "grs", ("portfolios",), "exact F test that all alphas of the portfolios are zero",
        _portfolios, _nothing,
    ),
    "joint_alphas": Entry(
        "joint", "joint_alphas", ("portfolios",),
        "GRS, Wald, likelihood ratio, HAC Wald and GMM tests", _portfolios, _lags,
    ),
    "huberman_kandel": Entry(
        "spanning", "huberman_kandel", ("portfolios",),
        "mean-variance spanning of the portfolios by the known factors, each on top of the "
        "risk-free rate", lambda s: (s.portfolios, funded(s.known)), _lags,
    ),
    "two_pass": Entry(
        "two_pass", "two_pass", ("portfolios",),
        "risk premia of the known factors, four kinds of error", _portfolios, _lags,
    ),
    "three_pass": Entry(
        "three_pass", "three_pass", ("portfolios",),
        "premia of the new factors, free of omitted factors", lambda s: (s.portfolios, s.new),
        _lags,
    ),
    "double_selection": Entry(
        "double_lasso", "double_selection", ("portfolios",),
        "SDF loadings of the new factors, controls chosen by two lassos",
        lambda s: (s.portfolios, s.new, s.known), _seed,
    ),
    "bayesian": Entry(
        "bayesian", "bayesian_fama_macbeth", ("portfolios",),
        "posterior of the premia of the known factors", _portfolios, _seed,
    ),
    "fama_macbeth": Entry(
        "fama_macbeth", "fama_macbeth", ("panel",),
        "cross-sectional regressions on characteristics, averaged", _panel,
        lambda lags, seed: {"lags": lags, "scale": "zscore"},
    ),
    "specifications": Entry(
        "specifications", "specifications", ("panel",),
        "Fama-MacBeth of every subset of so many characteristics", _panel, _lags, ("size",),
    ),
    "panel_regression": Entry(
        "pooled", "panel_regression", ("panel",),
        "pooled regression, errors clustered by asset and date", _panel, _nothing,
    ),
}  # fmt: skip
"""Tests by name."""


def options_of(test: str) -> dict[str, inspect.Parameter]:
    """Return what may be set of a test, by name.

    Examples
    --------
    >>> list(options_of("rolling"))
    ['window', 'min_periods', 'expanding']
    """
    entry = TESTS[test]
    parameters = inspect.signature(entry.load()).parameters
    return {
        name: p
        for name, p in parameters.items()
        if p.kind is inspect.Parameter.KEYWORD_ONLY or name in entry.extra
    }


def check_options(test: str, options: Mapping[str, Any]) -> Options:
    """Return options as the test takes them: a table of lags and kernel becomes an `HAC`.

    Parameters
    ----------
    test : str
        Name of a test.
    options : mapping
        As read from a file: numbers, text, lists and tables.

    Raises
    ------
    ConfigError
        For an unknown option, a value of the wrong kind, or one that has to be given.

    Examples
    --------
    >>> check_options("alphas", {"lags": {"lags": 4, "kernel": "parzen"}})["lags"].kernel
    'parzen'
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    known = options_of(test)
    strange = [name for name in options if name not in known]
    if strange:
        listed = f"it has {', '.join(known)}" if known else "it has none"
        raise ConfigError(f"The test {test} has no option {strange[0]!r}; {listed}.")
    absent = [n for n, p in known.items() if p.default is p.empty and n not in options]
    if absent:
        raise ConfigError(f"The test {test} needs the option {absent[0]!r}.")
    hints = get_type_hints(TESTS[test].load())
    loose = ConfigDict(arbitrary_types_allowed=True)
    out: Options = {}
    for name, value in options.items():
        plain = value.isoformat() if isinstance(value, date) else value
        config = None if hints[name] is HAC else loose
        try:
            out[name] = TypeAdapter(hints[name], config=config).validate_python(plain)
            if name == "break_date":
                break_at(plain)
        except ValidationError as error:
            why = "; ".join(dict.fromkeys(part["msg"] for part in error.errors()))
            raise ConfigError(
                f"The option {name!r} of the test {test} cannot be {value!r}: {why}."
            ) from error
        except ConfigError as error:
            raise ConfigError(f"The option {name!r} of the test {test}: {error}") from error
    return out
