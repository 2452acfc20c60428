"""StudyConfig: a whole study as one TOML file, checked before anything runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alphastrata.errors import ConfigError

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f/\\]+$")]
Frequency = Literal["M", "D"]
Weighting = Literal["value", "equal"]


class _Section(BaseModel):
    """A table of the file: unknown keys are refused, values cannot change later."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class SimulationConfig(_Section):
    """The built-in market: how many assets, from when, for how many months."""

    n_assets: int = Field(default=400, ge=20, le=20_000)
    start: str = "1975-01-31"
    periods: int = Field(default=180, ge=24, le=600)


class DataConfig(_Section):
    """Where the market comes from.

    ``source`` is "simulated", a folder layout that `alphastrata.data.read_panel` knows ("nyse",
    "pystock"), or "panel" for a folder in the package's own layout.
    """

    source: Literal["simulated", "nyse", "pystock", "panel"] = "simulated"
    folder: str = "."
    lag: str | int | None = None
    start: str | None = None
    end: str | None = None
    daily: bool = False
    simulation: SimulationConfig = SimulationConfig()


class ClusterConfig(_Section):
    """One deep clustering, rolled over windows."""

    name: Name
    features: tuple[str, ...] = Field(min_length=2)
    n_clusters: int = Field(default=6, ge=2, le=50)
    autoencoder: bool = True
    latent_dim: int | None = Field(default=None, ge=1, le=64)
    embedding: Literal["tsne", "none"] = "tsne"
    clusterer: Literal["kmeans", "spectral"] = "kmeans"
    schedule: Literal["usual", "short"] = "usual"
    start: Literal["cold", "warm", "frozen", "map"] = "cold"
    window: int = Field(default=36, ge=1)
    step: int = Field(default=12, ge=1)
    rank_by: str
    weighting: Weighting = "value"
    nulls: int = Field(default=1, ge=0, le=100)


class SortConfig(_Section):
    """One characteristic sort and the factor made of its extreme quantiles."""

    name: Name
    by: str
    n: int = Field(default=5, ge=2, le=20)
    long: Literal["high", "low"] = "high"
    breakpoints: str = "all"
    rebalance: Literal["M", "Q", "Y"] | int | None = None
    weighting: Weighting = "value"


class BenchmarkConfig(_Section):
    """Factors to test against: "bundled", or files of Kenneth French's library."""

    name: Name
    frequency: Frequency = "M"
    source: str | tuple[str, ...] = "bundled"
    factors: tuple[str, ...] = Field(min_length=1)


class FamaMacBethConfig(_Section):
    """One cross-sectional regression of returns on what was known a period before."""

    name: Name
    x: tuple[str, ...] = Field(min_length=1)


class TestsConfig(_Section):
    """How the tests are computed."""

    lags: int = Field(default=6, ge=0)
    daily_lags: int = Field(default=10, ge=0)
    fama_macbeth: tuple[FamaMacBethConfig, ...] = ()


class StudyConfig(_Section):
    """A study: data, clusterings, sorts, benchmarks, tests, and one seed for everything.

    Examples
    --------
    >>> StudyConfig(name="tiny", sorts=[{"name": "LIQ", "by": "liquidity"}]).data.source
    'simulated'
    """

    name: Name
    title: str = ""
    question: str = (
        "Do these strata of stocks earn an alpha that the Fama-French factors do not explain?"
    )
    seed: int = Field(default=0, ge=0)
    workers: int = Field(default=1, ge=1)
    data: DataConfig = DataConfig()
    clusters: tuple[ClusterConfig, ...] = ()
    sorts: tuple[SortConfig, ...] = ()
    benchmarks: tuple[BenchmarkConfig, ...] = (
        BenchmarkConfig(name="FF3 + Mom", factors=("Mkt-RF", "SMB", "HML", "Mom")),
    )
    tests: TestsConfig = TestsConfig()

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        names = [part.name for part in self.parts]
        if not names:
            raise ValueError("a study has at least one [[clusters]] or [[sorts]] table")
        for what, used in (
            ("clusters and sorts", names),
            ("benchmarks", [b.name for b in self.benchmarks]),
            ("fama_macbeth tables", [f.name for f in self.tests.fama_macbeth]),
        ):
            twice = sorted({name for name in used if used.count(name) > 1})
            if twice:
                raise ValueError(f"names of {what} are unique; repeated: {', '.join(twice)}")
        if any(b.frequency == "D" for b in self.benchmarks) and not self.data.daily:
            raise ValueError(
                'a benchmark has frequency "D" but data.daily is false; set data.daily = true'
            )
        return self

    @property
    def parts(self) -> tuple[ClusterConfig | SortConfig, ...]:
        """Everything that divides assets into strata: clusterings, then sorts."""
        return (*self.clusters, *self.sorts)

    @property
    def characteristics(self) -> list[str]:
        """Every characteristic that the study names, once, in order of appearance."""
        named = [c for cluster in self.clusters for c in (*cluster.features, cluster.rank_by)]
        named += [sort.by for sort in self.sorts]
        named += [x for table in self.tests.fama_macbeth for x in table.x]
        return list(dict.fromkeys(named))


def _line_of(text: str, path: tuple[Any, ...]) -> int | None:
    """Return the line of the file that sets a key, by its table and name; None if not found."""
    keys = [p for p in path if isinstance(p, str)]
    nth = next((p for p in path if isinstance(p, int)), 0)
    table, seen = "", -1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header:
            table = header.group(1)
            seen += keys[:1] == [table.split(".")[0]] and line.lstrip().startswith("[[")
            if keys == table.split(".") and seen in (-1, nth):
                return number
            continue
        name = re.match(r"\s*([A-Za-z0-9_-]+)\s*=", line)
        here = [*(table.split(".") if table else []), name.group(1) if name else ""]
        if name and here == keys[: len(here)] and seen in (-1, nth):
            return number
    return None


def parse_config(text: str, *, source: str = "study.toml") -> StudyConfig:
    """Return a checked study from the text of a TOML file.

    Parameters
    ----------
    text
        The file's text.
    source
        Its name, for messages.

    Raises
    ------
    ConfigError
        For text that is not TOML, unknown or missing keys and values outside their range; each
        with line, key, rule and what was given.

    Examples
    --------
    >>> study = parse_config('''
    ... name = "liquidity"
    ... [[sorts]]
    ... name = "LIQ"
    ... by = "liquidity"
    ... ''')
    >>> study.characteristics
    ['liquidity']
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not valid TOML: {error}") from error
    try:
        return StudyConfig.model_validate(raw)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False):
            where = _line_of(text, problem["loc"])
            key = ".".join(map(str, problem["loc"])) or "the study"
            at = f"line {where}, " if where else ""
            given = (
                ""
                if problem["type"] in ("missing", "value_error")
                else (f"; got {problem['input']!r}")
            )
            message = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "extra_forbidden":
                message = f"unknown key; known keys: {', '.join(_known_keys(problem['loc']))}"
                given = ""
            lines.append(f"{at}{key}: {message}{given}")
        count = f"{len(lines)} settings are wrong" if len(lines) > 1 else "a setting is wrong"
        raise ConfigError(f"{source}: {count}.\n" + "\n".join(f"  {x}" for x in lines)) from error


def _known_keys(path: tuple[Any, ...]) -> list[str]:
    """Return the keys that the table of an unknown key may have."""
    model: Any = StudyConfig
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        model = inner
    return list(model.model_fields)


def read_config(path: str | Path) -> StudyConfig:
    """Return a checked study from a TOML file; errors as in `parse_config`."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"There is no study file {file}. `alphastrata list studies` shows some.")
    return parse_config(file.read_text(encoding="utf-8"), source=file.name)
