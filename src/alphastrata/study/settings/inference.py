"""The settings of a study's tests: errors, cross-sections, further tests and the multiverse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from alphastrata.core.faults import Fault, Place, refuse
from alphastrata.errors import ConfigError
from alphastrata.study.settings.data import Frequency, Name, Section, is_day, shaped
from alphastrata.study.settings.portfolios import Weighting

RULES = (
    "rule-of-thumb",
    "stock-watson",
    "newey-west",
    "newey-west-prewhitened",
    "andrews",
    "andrews-prewhitened",
)
"""Rules that choose the number of lags."""


def _lags(value: int | str) -> int | str:
    if isinstance(value, str) and value not in RULES:
        raise ValueError(f"lags are a whole number or one of {', '.join(RULES)}; got {value!r}")
    if isinstance(value, int) and value < 0:
        raise ValueError(f"lags are a whole number from 0; got {value}")
    return value


Lags = Annotated[int | str, AfterValidator(_lags)]
Kernel = Literal["bartlett", "parzen", "quadratic-spectral"]
CovarianceKind = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "hac"]
Adjustment = Literal["bonferroni", "holm", "hochberg", "hommel", "bh", "by"]


class HacConfig(Section):
    """How autocorrelation-robust errors are computed; what is not said is as in [tests]."""

    lags: Lags | None = None
    kernel: Kernel | None = None
    small_sample: bool | None = None


class ErrorsConfig(HacConfig):
    """How standard errors of alphas are computed; what is not said is as in [tests]."""

    covariance: CovarianceKind | None = None


class BenchmarkConfig(Section):
    """Factors to test against: "bundled", or files of Kenneth French's library.

    A file is named by its path, relative to the data folder, or by its name in the library, which
    is fetched into the store. ``vintage`` asks for one edition, "YYYYMM". ``errors`` are those of
    the alphas against it.
    """

    name: Name
    frequency: Frequency = "M"
    source: str | tuple[str, ...] = "bundled"
    vintage: Annotated[str, shaped(r"\d{6}", 'an edition is "YYYYMM", such as "202412"')] | None = (
        None
    )
    factors: tuple[str, ...] = Field(min_length=1)
    errors: ErrorsConfig = ErrorsConfig()

    @model_validator(mode="after")
    def _bundled_is_one(self) -> BenchmarkConfig:
        if self.source == "bundled" and self.vintage is not None:
            said = (
                "the bundled factors have one edition; name a file of the library, such as "
                'source = "F-F_Research_Data_5_Factors_2x3", or drop vintage'
            )
            refuse([Fault(("vintage",), said)])
        return self


class FamaMacBethConfig(Section):
    """One cross-sectional regression of returns on what was known ``lag`` periods before.

    ``strata`` names clusterings and sorts whose strata enter as 0/1 columns, all but the first of
    each; ``interact`` names regressors that are multiplied with them. ``weights`` is a column.
    """

    name: Name
    x: tuple[str, ...] = Field(min_length=1)
    lag: int = Field(default=1, ge=0)
    scale: Literal["unit_rank", "rank", "zscore", "none"] = "unit_rank"
    weights: str | None = None
    intercept: bool = True
    min_assets: int | None = Field(default=None, ge=1)
    strata: tuple[str, ...] = ()
    interact: tuple[str, ...] = ()
    subperiods: tuple[str, ...] = ()
    errors: HacConfig = HacConfig()

    @field_validator("subperiods", mode="before")
    @classmethod
    def _dates(cls, value: Any) -> Any:
        return _as_text(value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _fits(self) -> FamaMacBethConfig:
        again = [name for name in self.x if self.x.count(name) > 1]
        if again:
            refuse([Fault(("x",), f"each regressor stands once; {again[0]!r} does not")])
        strange = [name for name in self.interact if name not in self.x]
        if strange:
            said = f"it names regressors of x; {strange[0]!r} is none of {', '.join(self.x)}"
            refuse([Fault(("interact",), said)])
        if self.interact and not self.strata:
            said = "it multiplies x with the strata of some part; say strata too"
            refuse([Fault(("interact",), said)])
        for opens in self.subperiods:
            if not is_day(opens):
                refuse([Fault(("subperiods",), f"a day is written 2008-09-30; got {opens!r}")])
        return self


class FurtherConfig(Section):
    """One further test by name, with its options (`alphastrata list tests`).

    ``on`` says what is tested: the long-short factors, or the portfolios of all strata; each test
    has its usual choice. ``assets`` picks some of them. ``instruments`` are macro columns or
    characteristics, averaged over the assets of a date.
    """

    test: str
    name: Name | None = None
    benchmark: str | None = None
    on: Literal["factors", "strata"] | None = None
    assets: tuple[str, ...] = ()
    x: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """Return options with dates as text: a study is stored as JSON too."""
        if not isinstance(value, dict):
            return value
        return {name: _as_text([given])[0] for name, given in value.items()}


class TestsConfig(Section):
    """How the tests are computed."""

    __test__ = False  # not a test class, whatever its name says to pytest

    lags: Lags = 6
    daily_lags: Lags = 10
    covariance: CovarianceKind = "hac"
    kernel: Kernel = "bartlett"
    small_sample: bool = True
    grs_divisor: Literal["T", "T-1"] = "T"
    adjust: tuple[Adjustment, ...] = ("holm", "by")
    fama_macbeth: tuple[FamaMacBethConfig, ...] = ()
    information: tuple[str, ...] = ()
    battery: tuple[str, ...] = ()
    further: tuple[FurtherConfig, ...] = ()

    @property
    def asked(self) -> tuple[FurtherConfig, ...]:
        """Every further test: those by name alone, then those with options."""
        return (*(FurtherConfig(test=name) for name in self.battery), *self.further)


class MultiverseConfig(Section):
    """Defensible choices for one factor; the first option of each is the study's own.

    Either of characteristics, ``by``, or of a clustering, ``clusters``, with its windows, numbers
    of clusters and seeds.
    """

    by: tuple[str, ...] = ()
    clusters: str | None = None
    long: Literal["high", "low"] = "high"
    method: tuple[Literal["quantile", "size_neutral", "rank"], ...] = ("quantile",)
    n: tuple[int, ...] = (5, 3, 10)
    breakpoints: tuple[str, ...] = ("all",)
    window: tuple[int, ...] = (36, 24, 48)
    n_clusters: tuple[int, ...] = (6, 4, 8)
    seeds: tuple[int, ...] = (0, 1, 2)
    weighting: tuple[Weighting, ...] = ("value", "equal")
    lags: tuple[int, ...] = (6, 3, 12)

    @model_validator(mode="after")
    def _of_one(self) -> MultiverseConfig:
        if bool(self.by) == bool(self.clusters):
            raise ValueError(
                'a multiverse is of characteristics, by = ["leverage"], or of a clustering, '
                'clusters = "CLU"; say one of them'
            )
        return self

    @property
    def of(self) -> str:
        """What the factor is made of, in words."""
        return self.clusters or ", ".join(self.by)

    def decisions(self) -> dict[str, tuple[object, ...]]:
        """Return the options of every decision."""
        sorts = ("by", "method", "n", "breakpoints", "weighting", "lags")
        grid = ("window", "n_clusters", "seeds", "weighting", "lags")
        return {name: getattr(self, name) for name in (grid if self.clusters else sorts)}


def further_faults(
    tests: TestsConfig, benchmarks: Mapping[str, str], parts: Sequence[str]
) -> Iterator[Fault]:
    """Yield what of the further tests and cross-sections can only fail.

    Parameters
    ----------
    tests
        The settings.
    benchmarks
        Frequency by name.
    parts
        Names of clusterings and sorts.
    """
    for number, table in enumerate(tests.fama_macbeth):
        for name in table.strata:
            if name not in parts:
                said = f"it names a clustering or sort; {name!r} is none of {', '.join(parts)}"
                yield Fault(("tests", "fama_macbeth", number, "strata"), said)
    for number, wanted in enumerate(tests.asked):
        listed = number < len(tests.battery)
        place: Place = ("tests", "battery", number)
        if not listed:
            place = ("tests", "further", number - len(tests.battery))
        for key, said in _faults_of(wanted, tests, benchmarks, parts):
            yield Fault(place if listed else (*place, key), said)


def _faults_of(
    wanted: FurtherConfig, tests: TestsConfig, benchmarks: Mapping[str, str], parts: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the keys of one further test that can only fail, and why."""
    from alphastrata.inference.registry import TESTS, check_options

    if wanted.test not in TESTS:
        near = get_close_matches(wanted.test, TESTS, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        yield "test", f"no test is called {wanted.test!r}; {meant}there are {', '.join(TESTS)}"
        return
    try:
        check_options(wanted.test, wanted.options)
    except ConfigError as error:
        yield "options", str(error)
    needs = TESTS[wanted.test].needs
    if wanted.benchmark is not None and wanted.benchmark not in benchmarks:
        there = ", ".join(map(repr, benchmarks))
        yield "benchmark", f"{wanted.benchmark!r} is no benchmark; there are {there}"
    if "panel" in needs and not (wanted.x or tests.fama_macbeth):
        said = "regresses on its x, or on that of the first [[tests.fama_macbeth]] table; add one"
        yield "x", f"{wanted.test} {said}"
    if "instruments" in needs and not wanted.instruments:
        yield "instruments", f"{wanted.test} needs instruments; put it into [[tests.further]]"
    monthly = benchmarks.get(wanted.benchmark or "", "M") == "M"
    about_strata = "portfolios" in needs if wanted.on is None else wanted.on == "strata"
    if not monthly and about_strata:
        yield (
            "on",
            f"{wanted.test} on strata is monthly, and {wanted.benchmark} daily; take another",
        )
    if not about_strata:
        strange = [a for a in wanted.assets if a.removesuffix(" net") not in parts]
        if strange:
            yield "assets", f"{strange[0]!r} is no factor; there are {', '.join(parts)}"


def _as_text(values: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, date) else value for value in values]
