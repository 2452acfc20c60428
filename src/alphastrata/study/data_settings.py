"""The settings of a study's data: where prices, statements and macro series come from."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f/\\]+$")]
Frequency = Literal["M", "D"]
Source = Literal["simulated", "nyse", "pystock", "panel", "crsp_compustat", "yahoo", "wrds"]

FOLDERS = ("nyse", "pystock", "panel", "crsp_compustat")
"""Sources that are read from a folder of files."""
STORED = ("yahoo", "wrds")
"""Sources that are fetched into the store and read from there."""


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values cannot change later."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


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
        if re.fullmatch(r"\d{4}(-\d\d){0,2}", text) is None:
            raise ValueError(f"a day is written 2013-04-30, a year 2013; got {value!r}")
        date.fromisoformat(text + "-01-01"[len(text) - 4 :])
        return text

    @model_validator(mode="after")
    def _fits(self) -> DataConfig:
        faults = [*self._yahoo_faults(), *self._wrds_faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _yahoo_faults(self) -> list[str]:
        given = [k for k in ("tickers", "companies", "user_agent") if getattr(self, k)]
        given += ["statements"] if self.statements != "none" else []
        if self.source != "yahoo":
            return [f'{", ".join(given)}: only with source = "yahoo"'] if given else []
        faults = []
        if not self.tickers:
            faults.append('source = "yahoo" needs tickers, such as tickers = ["AAPL", "MSFT"]')
        if len(set(self.tickers)) < len(self.tickers):
            twice = sorted({t for t in self.tickers if self.tickers.count(t) > 1})
            faults.append(f"tickers are said once; repeated: {', '.join(twice)}")
        if self.start is None:
            faults.append('source = "yahoo" needs start, such as start = "2010-01-01"')
        if self.start and self.end and self.end <= self.start:
            faults.append(f"end comes after start; got {self.start} and {self.end}")
        if self.statements == "yahoo" and self.lag is None:
            faults.append(
                "Yahoo's statements have no filing dates: declare a lag, such as lag = "
                '"4M", or take those of the SEC: statements = "edgar"'
            )
        if self.statements == "yahoo" and self.period == "ttm":
            faults.append('period = "ttm" needs statements = "edgar"; Yahoo has annual, quarterly')
        if self.statements == "none" and self.lag is not None:
            faults.append('lag is for statements; say statements = "edgar" or "yahoo"')
        if self.companies and self.statements != "edgar":
            faults.append('companies are numbers of the SEC; say statements = "edgar"')
        strange = sorted(set(self.companies) - set(self.tickers))
        if strange:
            faults.append(f"companies names what is not among the tickers: {', '.join(strange)}")
        return faults

    def _wrds_faults(self) -> list[str]:
        if self.source != "wrds":
            return ['url: only with source = "wrds"'] if self.url else []
        faults = []
        if self.start is None or self.end is None:
            faults.append('source = "wrds" needs start and end, such as start = 1990, end = 2020')
        elif self.end < self.start:
            faults.append(f"end comes after start; got {self.start} and {self.end}")
        if self.daily:
            faults.append('source = "wrds" is monthly; set daily = false')
        if self.url and urlsplit(self.url).password:
            faults.append(
                "url holds a password: keep it in ~/.pgpass, or put the whole URL into the "
                "environment variable ALPHASTRATA_WRDS_URL"
            )
        return faults

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

    series: Annotated[str, Field(pattern=r"^[A-Z0-9_]{2,30}$")]
    name: Name | None = None
    transform: Literal["level", "change", "growth", "annual_growth"] = "level"
    frequency: Literal["D", "W", "M", "Q", "Y"] | None = None
    release_lag_days: int | None = Field(default=None, ge=0, le=2_000)
    interact: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_or_described(self) -> MacroConfig:
        if self._catalogued is None and None in (self.frequency, self.release_lag_days):
            raise ValueError(
                f"{self.series} is not in alphastrata.data.fred_catalog(): say frequency, and "
                "release_lag_days from the end of a period to the release of its figure"
            )
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
