"""The settings of a study, as pydantic models: what may be said, and within which bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from alphastrata.study.data_settings import (
    DataConfig,
    Frequency,
    MacroConfig,
    Name,
    Section,
    SimulationConfig,
)
from alphastrata.study.portfolio_settings import (
    BacktestConfig,
    CostsConfig,
    ReplicationConfig,
    SortConfig,
    Weighting,
)

__all__ = [
    "BacktestConfig",
    "BenchmarkConfig",
    "ChecksConfig",
    "ClusterConfig",
    "CostsConfig",
    "DataConfig",
    "ExperimentsConfig",
    "FamaMacBethConfig",
    "MacroConfig",
    "MultiverseConfig",
    "ReplicationConfig",
    "SimulationConfig",
    "SortConfig",
    "StudyConfig",
    "TestsConfig",
]


class ChecksConfig(Section):
    """What else is asked of a clustering, on its last cross-section; each takes its time."""

    purge: bool = False
    stability: bool = False
    choose_k: tuple[int, ...] = ()
    draws: int = Field(default=19, ge=5, le=999)


class ClusterConfig(Section):
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


class BenchmarkConfig(Section):
    """Factors to test against: "bundled", or files of Kenneth French's library.

    A file is named by its path, relative to the data folder, or by its name in the library, which
    is fetched into the store. ``vintage`` asks for one edition, "YYYYMM".
    """

    name: Name
    frequency: Frequency = "M"
    source: str | tuple[str, ...] = "bundled"
    vintage: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    factors: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _bundled_is_one(self) -> BenchmarkConfig:
        if self.source == "bundled" and self.vintage is not None:
            raise ValueError(
                "the bundled factors have one edition; name a file of the library, such as "
                'source = "F-F_Research_Data_5_Factors_2x3", or drop vintage'
            )
        return self


class FamaMacBethConfig(Section):
    """One cross-sectional regression of returns on what was known a period before."""

    name: Name
    x: tuple[str, ...] = Field(min_length=1)


class TestsConfig(Section):
    """How the tests are computed."""

    lags: int = Field(default=6, ge=0)
    daily_lags: int = Field(default=10, ge=0)
    fama_macbeth: tuple[FamaMacBethConfig, ...] = ()
    information: tuple[str, ...] = ()
    battery: tuple[str, ...] = ()


class MultiverseConfig(Section):
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


class ExperimentsConfig(Section):
    """The paper's eight experiments on one cross-section: the last one unless a date is said."""

    date: str | None = None
    clusters: tuple[int, ...] = (3, 4, 5, 6)
    seeds: int = Field(default=5, ge=1, le=100)
    schedule: Literal["usual", "short"] = "usual"


class StudyConfig(Section):
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
    macro: tuple[MacroConfig, ...] = ()
    clusters: tuple[ClusterConfig, ...] = ()
    sorts: tuple[SortConfig, ...] = ()
    benchmarks: tuple[BenchmarkConfig, ...] = (
        BenchmarkConfig(name="FF3 + Mom", factors=("Mkt-RF", "SMB", "HML", "Mom")),
    )
    costs: CostsConfig = CostsConfig()
    multiverse: MultiverseConfig | None = None
    experiments: ExperimentsConfig | None = None
    replication: ReplicationConfig | None = None
    backtest: BacktestConfig | None = None
    tests: TestsConfig = TestsConfig()

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        names = [part.name for part in self.parts]
        if not names:
            raise ValueError("a study has at least one [[clusters]] or [[sorts]] table")
        self._battery_can_run()
        if self.replication and self.replication.against not in {b.name for b in self.benchmarks}:
            raise ValueError(
                f"replication.against names no benchmark: {self.replication.against!r}; there are "
                + ", ".join(repr(b.name) for b in self.benchmarks)
            )
        for what, used in (
            ("clusters and sorts", names),
            ("benchmarks", [b.name for b in self.benchmarks]),
            ("fama_macbeth tables", [f.name for f in self.tests.fama_macbeth]),
            ("macro columns", [m.column for m in self.macro]),
        ):
            twice = sorted({name for name in used if used.count(name) > 1})
            if twice:
                raise ValueError(f"names of {what} are unique; repeated: {', '.join(twice)}")
        if any(b.frequency == "D" for b in self.benchmarks) and not self.data.daily:
            raise ValueError(
                'a benchmark has frequency "D" but data.daily is false; set data.daily = true'
            )
        faults = [*self._weightless(), *self._macro_faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _weightless(self) -> list[str]:
        """Return what needs a market cap that the data do not have."""
        if self.data.has_market_cap:
            return []
        remedy = 'set weighting = "equal", or data.statements = "edgar" or "yahoo"'
        faults = []
        for part in self.parts:
            method = part.method if isinstance(part, SortConfig) else "quantile"
            if method == "size_neutral":
                faults.append(
                    f"{part.name} is size-neutral, and prices alone have no market cap: take "
                    'method = "quantile", or say data.statements'
                )
            elif method == "quantile" and part.weighting == "value":
                faults.append(
                    f"{part.name} weighs by value, and prices alone have no market cap: {remedy}"
                )
        if self.multiverse and (
            "value" in self.multiverse.weighting or "size_neutral" in self.multiverse.method
        ):
            faults.append(f"multiverse needs a market cap, which prices alone lack: {remedy}")
        return faults

    def _macro_faults(self) -> list[str]:
        """Return uses of macro columns that can only fail, or mean nothing."""
        macro = {m.column for m in self.macro}
        faults = [
            f"{name} has one value for all assets of a date, so it cannot divide or rank them: "
            f'take a product, [[macro]] interact = ["leverage"] and leverage_x_{name}'
            for name in self.named
            if name in macro
        ]
        for table in self.tests.fama_macbeth:
            roots = [self._interactions.get(x, x) for x in table.x]
            twice = sorted({root for root in roots if roots.count(root) > 1})
            if twice:
                faults.append(
                    f"fama_macbeth table {table.name}: on one date all products with "
                    f"{', '.join(twice)} are multiples of it; keep one of them per table"
                )
        return faults

    def _battery_can_run(self) -> None:
        """Raise for further tests that do not exist, or that lack what they are about."""
        if not self.tests.battery:
            return
        from alphastrata.inference import available_tests

        known = available_tests()
        strange = [name for name in self.tests.battery if name not in known.index]
        if strange:
            raise ValueError(
                f"tests.battery knows no {', '.join(strange)}; there are {', '.join(known.index)}"
            )
        needy = [n for n in self.tests.battery if known.loc[n, "needs"] == "panel"]
        if needy and not self.tests.fama_macbeth:
            raise ValueError(
                f"{', '.join(needy)} of tests.battery regress on the x of the first "
                "[[tests.fama_macbeth]] table; add one"
            )

    @property
    def parts(self) -> tuple[ClusterConfig | SortConfig, ...]:
        """Everything that divides assets into strata: clusterings, then sorts."""
        return (*self.clusters, *self.sorts)

    @property
    def _interactions(self) -> dict[str, str]:
        """Return column -> characteristic of every product with a macro series."""
        return {column: own for m in self.macro for column, own in m.interactions.items()}

    @property
    def named(self) -> list[str]:
        """Every column that strata or tests are made of, once, in order of appearance."""
        found = [c for cluster in self.clusters for c in (*cluster.features, cluster.rank_by)]
        found += [sort.by for sort in self.sorts]
        found += [x for table in self.tests.fama_macbeth for x in table.x]
        found += list(self.multiverse.by) if self.multiverse else []
        return list(dict.fromkeys(found))

    @property
    def characteristics(self) -> list[str]:
        """Every characteristic that the study needs, once, in order of appearance."""
        products = self._interactions
        found = [name for name in self.named if name not in products]
        return list(dict.fromkeys([*found, *products.values()]))
