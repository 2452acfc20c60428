"""The settings of a study's tests: errors, cross-sections, further tests and the multiverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from alphastrata.study.data_settings import Frequency, Name, Section
from alphastrata.study.portfolio_settings import Weighting

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
    vintage: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    factors: tuple[str, ...] = Field(min_length=1)
    errors: ErrorsConfig = ErrorsConfig()

    @model_validator(mode="after")
    def _bundled_is_one(self) -> BenchmarkConfig:
        if self.source == "bundled" and self.vintage is not None:
            raise ValueError(
                "the bundled factors have one edition; name a file of the library, such as "
                'source = "F-F_Research_Data_5_Factors_2x3", or drop vintage'
            )
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
        strange = [name for name in self.interact if name not in self.x]
        if strange:
            raise ValueError(f"interact names regressors of x; {strange[0]!r} is none")
        if self.interact and not self.strata:
            raise ValueError("interact multiplies x with the strata of some part; say strata")
        for opens in self.subperiods:
            date.fromisoformat(opens)
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
) -> list[str]:
    """Return what of the further tests and cross-sections can only fail.

    Parameters
    ----------
    tests
        The settings.
    benchmarks
        Frequency by name.
    parts
        Names of clusterings and sorts.
    """
    faults = [
        f"fama_macbeth table {table.name}: strata names a clustering or sort; {name!r} is none"
        for table in tests.fama_macbeth
        for name in table.strata
        if name not in parts
    ]
    if not tests.asked:
        return faults
    from alphastrata.errors import ConfigError
    from alphastrata.inference.registry import TESTS, check_options

    for wanted in tests.asked:
        if wanted.test not in TESTS:
            where = "battery" if wanted.test in tests.battery else "further"
            faults.append(f"tests.{where} knows no {wanted.test}; there are {', '.join(TESTS)}")
            continue
        try:
            check_options(wanted.test, wanted.options)
        except ConfigError as error:
            faults.append(str(error))
        needs = TESTS[wanted.test].needs
        if wanted.benchmark is not None and wanted.benchmark not in benchmarks:
            faults.append(
                f"further test {wanted.test}: benchmark {wanted.benchmark!r} is none of "
                + ", ".join(map(repr, benchmarks))
            )
        if "panel" in needs and not (wanted.x or tests.fama_macbeth):
            faults.append(
                f"{wanted.test} regresses on its x, or on that of the first "
                "[[tests.fama_macbeth]] table; add one"
            )
        if "instruments" in needs and not wanted.instruments:
            faults.append(f"{wanted.test} needs instruments; put it into [[tests.further]]")
        monthly = benchmarks.get(wanted.benchmark or "", "M") == "M"
        if not monthly and (wanted.on == "strata" or ("portfolios" in needs and wanted.on is None)):
            faults.append(f"{wanted.test} on strata is monthly; {wanted.benchmark} is daily")
        if wanted.on == "factors":
            strange = [a for a in wanted.assets if a.removesuffix(" net") not in parts]
            if strange:
                faults.append(f"{wanted.test}: assets {strange[0]!r} is none of {', '.join(parts)}")
    return faults


def _as_text(values: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, date) else value for value in values]
