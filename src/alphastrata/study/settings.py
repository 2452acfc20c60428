"""The settings of a study, as pydantic models: what may be said, and within which bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class ChecksConfig(_Section):
    """What else is asked of a clustering, on its last cross-section; each takes its time."""

    purge: bool = False
    stability: bool = False
    choose_k: tuple[int, ...] = ()
    draws: int = Field(default=19, ge=5, le=999)


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
    checks: ChecksConfig = ChecksConfig()


class SortConfig(_Section):
    """One characteristic sort and the factor made of it.

    ``method`` makes the factor: the extreme quantiles, two size groups by three (size-neutral), or
    weights by rank. The strata of the joint tests are the quantiles, whatever the method.
    """

    name: Name
    by: str
    n: int = Field(default=5, ge=2, le=20)
    long: Literal["high", "low"] = "high"
    breakpoints: str = "all"
    rebalance: Literal["M", "Q", "Y"] | int | None = None
    weighting: Weighting = "value"
    method: Literal["quantile", "size_neutral", "rank"] = "quantile"


class CostsConfig(_Section):
    """What trading costs: basis points of the value traded, and a yearly fee on the short leg."""

    basis_points: float = Field(default=0.0, ge=0, le=1_000)
    borrow_fee: float = Field(default=0.0, ge=0, le=1)


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


class MultiverseConfig(_Section):
    """Defensible choices for one factor; the first option of each is the study's own."""

    by: tuple[str, ...] = Field(min_length=1)
    long: Literal["high", "low"] = "high"
    method: tuple[Literal["quantile", "size_neutral", "rank"], ...] = ("quantile",)
    n: tuple[int, ...] = (5, 3, 10)
    breakpoints: tuple[str, ...] = ("all",)
    weighting: tuple[Weighting, ...] = ("value", "equal")
    lags: tuple[int, ...] = (6, 3, 12)

    def decisions(self) -> dict[str, tuple[object, ...]]:
        """Return the options of every decision."""
        return {
            name: getattr(self, name)
            for name in ("by", "method", "n", "breakpoints", "weighting", "lags")
        }


class ExperimentsConfig(_Section):
    """The paper's eight experiments on one cross-section: the last one unless a date is said."""

    date: str | None = None
    clusters: tuple[int, ...] = (3, 4, 5, 6)
    seeds: int = Field(default=5, ge=1, le=100)
    schedule: Literal["usual", "short"] = "usual"


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
    costs: CostsConfig = CostsConfig()
    multiverse: MultiverseConfig | None = None
    experiments: ExperimentsConfig | None = None
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
        named += list(self.multiverse.by) if self.multiverse else []
        return list(dict.fromkeys(named))
