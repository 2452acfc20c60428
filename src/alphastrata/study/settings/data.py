"""The settings of a study's data: where prices, statements and macro series come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alphastrata.core.faults import Fault, refuse


def shaped(pattern: str, rule: str) -> AfterValidator:
    """Return a check of text against a pattern, which a person reads as a rule."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"{rule}; got {value!r}")
        return value

    return AfterValidator(check)


def is_day(text: str) -> bool:
    """Return whether a text is a date, as in 2008-09-30."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day(value: Any) -> Any:
    """Return a TOML date as text, which has to be that of a day."""
    text = value.isoformat() if hasattr(value, "isoformat") else value
    if isinstance(text, str) and not is_day(text):
        raise ValueError(f"a day is written 2016-06-30; got {value!r}")
    return text


Day = Annotated[str, BeforeValidator(_day)]

Name = Annotated[
    str,
    shaped(
        r"(?!\.+$)[^\x00-\x1f/\\]{1,40}",
        "a name has 1 to 40 characters, no slash among them, and is not of dots alone",
    ),
]
Frequency = Literal["M", "D"]
Source = Literal["simulated", "nyse", "pystock", "panel", "crsp_compustat", "yahoo", "wrds"]

FOLDERS = ("nyse", "pystock", "panel", "crsp_compustat")
"""Sources that are read from a folder of files."""
STORED = ("yahoo", "wrds")
"""Sources that are fetched into the store and read from there."""


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values cannot change later."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Return what was said: TOML has types, so that no number is read out of true or "5"."""
        kind = cls.model_fields[str(info.field_name)].annotation
        numeric = set(get_args(kind) or (kind,)) <= {int, float, type(None)}
        if numeric and isinstance(value, bool | str):
            raise ValueError(f"a number stands here, without quotes; got {value!r}")
        return value


class SimulationConfig(Section):
    """The built-in market: how many assets, from when, for how many months."""

    n_assets: int = Field(default=400, ge=20, le=20_000)
    start: str = "1975-01-31"
    periods: int = Field(default=180, ge=24, le=600)


class DataConfig(Section):
    """Where the market comes from.

    ``source`` is "simulated", a folder layout that `alphastrata.data.read_panel` knows ("nyse",
    "pystock"), "panel" for a folder in the package's own layout, or a source that is fetched into
    the store: "yahoo" (prices of ``tickers``; ``statements`` of the SEC or of Yahoo beside them)
    or "wrds" (CRSP and Compustat).

    "crsp_compustat" reads two tables of the vendors' shape in the folder, ``crsp`` and
    ``compustat``.

    ``mode``, ``url`` and ``user_agent`` say how data are fetched, not what they are: they are part
    of no hash and of no manifest.
    """

    source: Source = "simulated"
    folder: str = "."
    lag: str | int | None = None
    start: str | None = None
    end: str | None = None
    daily: bool = False
    simulation: SimulationConfig = SimulationConfig()
    crsp: str = "crsp_monthly.parquet"
    compustat: str = "compustat_annual.parquet"
    tickers: tuple[str, ...] = ()
    statements: Literal["none", "edgar", "yahoo"] = "none"
    period: Literal["annual", "quarterly", "ttm"] = "annual"
    max_age: str = "18M"
    companies: dict[str, int] = Field(default_factory=dict)
    mode: Literal["offline", "cache-first", "refresh"] | None = Field(default=None, exclude=True)
    url: str | None = Field(default=None, exclude=True)
    user_agent: str | None = Field(default=None, exclude=True)

    @field_validator("start", "end", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        """Return dates as text, whether they came as text, as TOML dates or as years."""
        text = value.isoformat() if isinstance(value, date) else value
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else text
        if not isinstance(text, str):
            return value
        written = re.fullmatch(r"\d{4}(-\d\d){0,2}", text) is not None
        if not written or not is_day(text + "-01-01"[len(text) - 4 :]):
            raise ValueError(f"a day is written 2013-04-30, a year 2013; got {value!r}")
        return text

    @field_validator("lag")
    @classmethod
    def _readable(cls, value: str | int | None) -> str | int | None:
        if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*[DWMQYdwmqy]\s*", value) is None:
            raise ValueError(
                'a lag is a whole number and one of D, W, M, Q, Y, such as "4M" or "120D"; '
                f"got {value!r}"
            )
        if isinstance(value, int) and value < 0:
            raise ValueError(f"nothing is known before its period ends: a lag is >= 0; got {value}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> DataConfig:
        refuse(
            Fault((key,), said)
            for key, said in (
                *self._simulated_faults(),
                *self._yahoo_faults(),
                *self._wrds_faults(),
            )
        )
        return self

    def _simulated_faults(self) -> Iterator[tuple[str, str]]:
        """Yield keys that the simulated market cannot heed, and what to do."""
        if self.source != "simulated":
            return
        if self.daily:
            yield "daily", "the simulated market is monthly; set daily = false"
        if self.lag is not None:
            yield "lag", "the simulated market knows when its statements were filed; drop it"

    def _yahoo_faults(self) -> Iterator[tuple[str, str]]:
        if self.source != "yahoo":
            given = [k for k in ("tickers", "companies", "user_agent") if getattr(self, k)]
            given += ["statements"] if self.statements != "none" else []
            yield from ((key, 'only with source = "yahoo"') for key in given)
            return
        if not self.tickers:
            said = 'source = "yahoo" needs tickers, such as tickers = ["AAPL", "MSFT"]'
            yield "tickers", said
        if len(set(self.tickers)) < len(self.tickers):
            twice = sorted({t for t in self.tickers if self.tickers.count(t) > 1})
            yield "tickers", f"tickers are said once; repeated: {', '.join(twice)}"
        if self.start is None:
            yield "start", 'source = "yahoo" needs start, such as start = "2010-01-01"'
        if self.start and self.end and self.end <= self.start:
            yield "end", f"end comes after start; got {self.start} and {self.end}"
        if self.statements == "yahoo" and self.lag is None:
            yield (
                "statements",
                "Yahoo's statements have no filing dates: declare a lag, such as lag = "
                '"4M", or take those of the SEC: statements = "edgar"',
            )
        if self.statements == "yahoo" and self.period == "ttm":
            yield "period", '"ttm" needs statements = "edgar"; Yahoo has annual, quarterly'
        if self.statements == "none" and self.lag is not None:
            yield "lag", 'lag is for statements; say statements = "edgar" or "yahoo"'
        if self.companies and self.statements != "edgar":
            yield "companies", 'companies are numbers of the SEC; say statements = "edgar"'
        strange = sorted(set(self.companies) - set(self.tickers))
        if strange:
            yield "companies", f"not among the tickers: {', '.join(strange)}; add them, or drop it"

    def _wrds_faults(self) -> Iterator[tuple[str, str]]:
        if self.source != "wrds":
            if self.url:
                yield "url", 'only with source = "wrds"'
            return
        if self.start is None or self.end is None:
            key = "start" if self.start is None else "end"
            yield key, 'source = "wrds" needs start and end, such as start = 1990, end = 2020'
        elif self.end < self.start:
            yield "end", f"end comes after start; got {self.start} and {self.end}"
        if self.daily:
            yield "daily", 'source = "wrds" is monthly; set daily = false'
        if self.url and urlsplit(self.url).password:
            yield (
                "url",
                "the URL holds a password: keep it in ~/.pgpass, or put the whole URL into the "
                "environment variable ALPHASTRATA_WRDS_URL",
            )

    @property
    def years(self) -> tuple[int, int]:
        """Return the first and the last year, for sources that are asked by year."""
        return int((self.start or "")[:4]), int((self.end or "")[:4])

    @property
    def bounds(self) -> tuple[str | None, str | None]:
        """Return start and end where they are days; a year that stands alone cuts nothing."""
        start, end = (None if d is None or len(d) == 4 else d for d in (self.start, self.end))
        return start, end

    @property
    def has_market_cap(self) -> bool:
        """Return whether assets can be weighed by market cap; folders are taken at their word."""
        return not (self.source == "yahoo" and self.statements == "none")


class MacroConfig(Section):
    """A series of FRED beside every asset, as released, and its product with characteristics.

    The column is called ``name``, or as `alphastrata.data.macro_series` calls it; products are
    called ``characteristic_x_name``.
    """

    series: Annotated[
        str, shaped(r"[A-Z0-9_]{2,30}", "a series is named as FRED names it, such as TB3MS")
    ]
    name: Name | None = None
    transform: Literal["level", "change", "growth", "annual_growth"] = "level"
    frequency: Literal["D", "W", "M", "Q", "Y"] | None = None
    release_lag_days: int | None = Field(default=None, ge=0, le=2_000)
    interact: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_or_described(self) -> MacroConfig:
        if self._catalogued is None and None in (self.frequency, self.release_lag_days):
            said = (
                f"{self.series} is not in alphastrata.data.fred_catalog(): say frequency, and "
                "release_lag_days from the end of a period to the release of its figure"
            )
            refuse([Fault(("series",), said)])
        return self

    @property
    def _catalogued(self) -> dict[str, Any] | None:
        """Return what the catalogue says of the series."""
        from alphastrata.data import fred_catalog

        catalog = fred_catalog()
        if self.series not in catalog.index:
            return None
        return {str(key): value for key, value in catalog.loc[self.series].items()}

    @property
    def revised(self) -> bool:
        """Return whether later editions are known to change old figures."""
        return (self._catalogued or {}).get("revised") == "yes"

    @property
    def column(self) -> str:
        """Return the name of the column."""
        if self.name is not None:
            return self.name
        suffix = "" if self.transform == "level" else f"_{self.transform}"
        return str((self._catalogued or {"name": self.series})["name"]) + suffix

    @property
    def interactions(self) -> dict[str, str]:
        """Return column -> characteristic of the products."""
        return {f"{own}_x_{self.column}": own for own in self.interact}
