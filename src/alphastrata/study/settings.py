"""The settings of a study, as pydantic models: what may be said, and within which bounds."""

from __future__ import annotations

from datetime import date as day
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from alphastrata.study.cluster_settings import (
    ChecksConfig,
    ClusterConfig,
    EstimatorConfig,
    NetworkConfig,
    TuneConfig,
    tuned_settings,
)
from alphastrata.study.data_settings import (
    DataConfig,
    MacroConfig,
    Name,
    Section,
    SimulationConfig,
)
from alphastrata.study.inference_settings import (
    BenchmarkConfig,
    ErrorsConfig,
    FamaMacBethConfig,
    FurtherConfig,
    MultiverseConfig,
    TestsConfig,
    further_faults,
)
from alphastrata.study.portfolio_rules import portfolio_faults
from alphastrata.study.portfolio_settings import (
    BacktestConfig,
    CostsConfig,
    DelistingsConfig,
    HoldingConfig,
    ImpactConfig,
    InformationConfig,
    ReplicationConfig,
    ScreenConfig,
    SortConfig,
)
from alphastrata.study.sort_settings import TRADED

__all__ = [
    "BacktestConfig",
    "BenchmarkConfig",
    "ChecksConfig",
    "ClusterConfig",
    "CostsConfig",
    "DataConfig",
    "DelistingsConfig",
    "ErrorsConfig",
    "EstimatorConfig",
    "ExperimentsConfig",
    "FamaMacBethConfig",
    "FurtherConfig",
    "HoldingConfig",
    "ImpactConfig",
    "InformationConfig",
    "MacroConfig",
    "MultiverseConfig",
    "NetworkConfig",
    "ReplicationConfig",
    "ScreenConfig",
    "SimulationConfig",
    "SortConfig",
    "StudyConfig",
    "TestsConfig",
    "TuneConfig",
]


class ExperimentsConfig(Section):
    """The paper's eight experiments on one cross-section: the last one unless a date is said."""

    date: str | None = None
    clusters: tuple[int, ...] = (3, 4, 5, 6)
    seeds: int = Field(default=5, ge=1, le=100)
    schedule: Literal["usual", "short"] = "usual"

    @field_validator("date", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        """Return a TOML date as text, which has to be that of a day."""
        text = value.isoformat() if hasattr(value, "isoformat") else value
        if isinstance(text, str):
            day.fromisoformat(text)
        return text

    @field_validator("clusters")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or list(value) != sorted(set(value)) or value[0] < 2:
            raise ValueError(f"numbers of clusters ascend from at least 2; got {list(value)}")
        return value


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
    delistings: DelistingsConfig | None = None
    macro: tuple[MacroConfig, ...] = ()
    clusters: tuple[ClusterConfig, ...] = ()
    sorts: tuple[SortConfig, ...] = ()
    benchmarks: tuple[BenchmarkConfig, ...] = (
        BenchmarkConfig(name="FF3 + Mom", factors=("Mkt-RF", "SMB", "HML", "Mom")),
    )
    costs: CostsConfig = CostsConfig()
    multiverse: MultiverseConfig | None = None
    experiments: ExperimentsConfig | None = None
    tune: TuneConfig | None = None
    replication: ReplicationConfig | None = None
    backtest: BacktestConfig | None = None
    information: InformationConfig = InformationConfig()
    tests: TestsConfig = TestsConfig()

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        names = [part.name for part in self.parts]
        if not names:
            raise ValueError("a study has at least one [[clusters]] or [[sorts]] table")
        if self.tune is not None:
            tuned_settings(self.tune, self.tuned)
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
        frequencies = {bench.name: bench.frequency for bench in self.benchmarks}
        faults = [
            *self._weightless(),
            *self._macro_faults(),
            *portfolio_faults(self),
            *further_faults(self.tests, frequencies, names),
            *self._multiverse_faults(),
        ]
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

    def _multiverse_faults(self) -> list[str]:
        """Return the clustering of the multiverse where there is none of that name."""
        name = None if self.multiverse is None else self.multiverse.clusters
        if name is None or name in {part.name for part in self.clusters}:
            return []
        return [f"multiverse.clusters names a [[clusters]] table; {name!r} is none"]

    @property
    def tuned(self) -> ClusterConfig:
        """The clustering whose settings [tune] searches: the one it names, or the first."""
        wanted = None if self.tune is None else self.tune.clusters
        found = [part for part in self.clusters if wanted in (None, part.name)]
        if not found:
            there = ", ".join(repr(part.name) for part in self.clusters) or "none"
            raise ValueError(
                f"[tune] searches the settings of a [[clusters]] table; {wanted or 'any'!r} is not "
                f"among them ({there})"
            )
        return found[0]

    @property
    def reference(self) -> BenchmarkConfig:
        """The benchmark of the headline: the first monthly one, or the first of all."""
        monthly = [b for b in self.benchmarks if b.frequency == "M"]
        return (monthly or list(self.benchmarks))[0]

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
        found = [c for cluster in self.clusters for c in (*cluster.features, *cluster.needs)]
        found += [c for sort in self.sorts for c in sort.needs]
        found += [x for table in self.tests.fama_macbeth for x in (*table.x, table.weights) if x]
        macro = {m.column for m in self.macro}
        for wanted in self.tests.further:
            found += [*wanted.x, *(z for z in wanted.instruments if z not in macro)]
        found += list(self.multiverse.by) if self.multiverse else []
        found += [*self.informed, *self.traded_by]
        return list(dict.fromkeys(found))

    @property
    def informed(self) -> list[str]:
        """Every characteristic whose information is measured, once, in order of appearance."""
        return list(dict.fromkeys([*self.tests.information, *self.information.by]))

    @property
    def traded_by(self) -> list[str]:
        """Columns that costs and accounts read; the value traded is made where it is lacking."""
        impact = self.costs.impact
        found = [self.costs.half_spread, None if impact is None else impact.volatility]
        found += [None if impact is None or impact.volume == TRADED else impact.volume]
        found += [None if self.backtest is None else self.backtest.beta]
        return [name for name in found if name is not None]

    @property
    def characteristics(self) -> list[str]:
        """Every characteristic that the study needs, once, in order of appearance."""
        products = self._interactions
        found = [name for name in self.named if name not in products]
        return list(dict.fromkeys([*found, *products.values()]))
