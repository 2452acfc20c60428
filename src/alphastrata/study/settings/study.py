"""The settings of a whole study: its parts, and what they cannot be together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from alphastrata.core.faults import Fault, Place, SettingError, refuse, within
from alphastrata.study.settings.clusters import (
    ClusterConfig,
    TuneConfig,
    tuned_settings,
)
from alphastrata.study.settings.data import (
    DataConfig,
    Day,
    MacroConfig,
    Name,
    Section,
)
from alphastrata.study.settings.inference import (
    BenchmarkConfig,
    MultiverseConfig,
    TestsConfig,
    further_faults,
)
from alphastrata.study.settings.portfolio_rules import portfolio_faults
from alphastrata.study.settings.portfolios import (
    BacktestConfig,
    CostsConfig,
    DelistingsConfig,
    InformationConfig,
    ReplicationConfig,
    SortConfig,
)
from alphastrata.study.settings.sorts import TRADED

__all__ = ["ExperimentsConfig", "StudyConfig"]


class ExperimentsConfig(Section):
    """The paper's eight experiments on one cross-section: the last one unless a date is said."""

    date: Day | None = None
    clusters: tuple[int, ...] = (3, 4, 5, 6)
    seeds: int = Field(default=5, ge=1, le=100)
    schedule: Literal["usual", "short"] = "usual"

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
        if not self.parts:
            said = "it has at least one [[clusters]] or [[sorts]] table; add one"
            raise SettingError([Fault((), said)])
        # Names come first: what names a part or a benchmark relies on them.
        refuse(self._repeated())
        refuse(
            (
                *self._weightless(),
                *self._macro_faults(),
                *portfolio_faults(self),
                *further_faults(
                    self.tests,
                    {bench.name: bench.frequency for bench in self.benchmarks},
                    [part.name for part in self.parts],
                ),
                *self._named_elsewhere(),
            )
        )
        if self.tune is not None:
            with within(("tune",)):
                tuned_settings(self.tune, self.tuned)
        return self

    def _repeated(self) -> Iterator[Fault]:
        """Yield names that stand a second time where each is the name of one thing."""
        tests: Place = ("tests", "fama_macbeth")
        for what, named in (
            ("clusters and sorts", [(self.place_of(part), part.name) for part in self.parts]),
            ("benchmarks", [(("benchmarks", i), b.name) for i, b in enumerate(self.benchmarks)]),
            (
                "fama_macbeth tables",
                [((*tests, i), t.name) for i, t in enumerate(self.tests.fama_macbeth)],
            ),
            ("macro columns", [(("macro", i), m.column) for i, m in enumerate(self.macro)]),
        ):
            seen: set[str] = set()
            for place, name in named:
                if name in seen:
                    said = f"names of {what} are unique, and {name!r} stands above; take another"
                    yield Fault((*place, "name"), said)
                seen.add(name)

    def _weightless(self) -> Iterator[Fault]:
        """Yield what needs a market cap that the data do not have."""
        if self.data.has_market_cap:
            return
        remedy = 'set weighting = "equal", or data.statements = "edgar" or "yahoo"'
        for part in self.parts:
            place = self.place_of(part)
            method = part.method if isinstance(part, SortConfig) else "quantile"
            if method == "size_neutral":
                yield Fault(
                    (*place, "method"),
                    f"{part.name} is size-neutral, and prices alone have no market cap: take "
                    'method = "quantile", or say data.statements',
                )
            elif method == "quantile" and part.weighting == "value":
                said = f"{part.name} weighs by value, and prices alone have no market cap: {remedy}"
                yield Fault((*place, "weighting"), said)
            if isinstance(part, ClusterConfig) and part.checks.purge:
                said = (
                    f"{part.name} is purged of size, and prices alone have no market cap: drop "
                    'it, or say data.statements = "edgar" or "yahoo"'
                )
                yield Fault((*place, "checks", "purge"), said)
        if self.multiverse and (
            "value" in self.multiverse.weighting or "size_neutral" in self.multiverse.method
        ):
            said = f"it needs a market cap, which prices alone lack: {remedy}"
            yield Fault(("multiverse",), said)

    def _macro_faults(self) -> Iterator[Fault]:
        """Yield uses of macro columns that can only fail, or mean nothing."""
        macro = {m.column for m in self.macro}
        for place, name in self.uses:
            if name in macro:
                said = (
                    f"{name} has one value for all assets of a date, so it cannot divide or rank "
                    f'them: take a product, [[macro]] interact = ["leverage"] and leverage_x_{name}'
                )
                yield Fault(place, said)
        for number, table in enumerate(self.tests.fama_macbeth):
            roots = [self._interactions.get(x, x) for x in table.x]
            twice = sorted({root for root in roots if roots.count(root) > 1})
            if twice:
                said = (
                    f"on one date all products with {', '.join(twice)} are multiples of it; keep "
                    "one of them per table"
                )
                yield Fault(("tests", "fama_macbeth", number, "x"), said)

    def _named_elsewhere(self) -> Iterator[Fault]:
        """Yield names of benchmarks and clusterings that there are not, and days without data."""
        against = None if self.replication is None else self.replication.against
        if against is not None and against not in {b.name for b in self.benchmarks}:
            there = ", ".join(repr(b.name) for b in self.benchmarks)
            said = f"it names a benchmark; {against!r} is none of {there}"
            yield Fault(("replication", "against"), said)
        name = None if self.multiverse is None else self.multiverse.clusters
        if name is not None and name not in {part.name for part in self.clusters}:
            there = ", ".join(repr(part.name) for part in self.clusters) or "none"
            said = f"it names a [[clusters]] table; {name!r} is none of them ({there})"
            yield Fault(("multiverse", "clusters"), said)
        for number, bench in enumerate(self.benchmarks):
            if bench.frequency == "D" and not self.data.daily:
                said = '"D" needs daily factors, and data.daily is false; set data.daily = true'
                yield Fault(("benchmarks", number, "frequency"), said)

    @property
    def tuned(self) -> ClusterConfig:
        """The clustering whose settings [tune] searches: the one it names, or the first."""
        wanted = None if self.tune is None else self.tune.clusters
        found = [part for part in self.clusters if wanted in (None, part.name)]
        if not found:
            there = ", ".join(repr(part.name) for part in self.clusters) or "none"
            said = f"it names a [[clusters]] table, whose settings are searched; there are {there}"
            raise SettingError([Fault(("clusters",), said)])
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

    def place_of(self, part: ClusterConfig | SortConfig) -> Place:
        """Return where the table of a clustering or a sort stands."""
        table = "sorts" if isinstance(part, SortConfig) else "clusters"
        return (table, next(i for i, own in enumerate(getattr(self, table)) if own is part))

    @property
    def uses(self) -> list[tuple[Place, str]]:
        """Every column that strata or tests are made of, with the key that names it."""
        found: list[tuple[Place, str]] = []

        def use(place: Place, *names: str | None) -> None:
            found.extend((place, name) for name in names if name is not None)

        for i, cluster in enumerate(self.clusters):
            use(("clusters", i, "features"), *cluster.features)
            use(("clusters", i, "rank_by"), cluster.ranks)
            use(("clusters", i, "weigh_by"), cluster.weigh_by)
        for i, sort in enumerate(self.sorts):
            use(("sorts", i, "by"), *sort.columns_named)
            use(("sorts", i, "weigh_by"), sort.weigh_by)
            use(("sorts", i, "screen", "mask"), None if sort.screen is None else sort.screen.mask)
        for i, table in enumerate(self.tests.fama_macbeth):
            use(("tests", "fama_macbeth", i, "x"), *table.x)
            use(("tests", "fama_macbeth", i, "weights"), table.weights)
        macro = {m.column for m in self.macro}
        for i, wanted in enumerate(self.tests.further):
            use(("tests", "further", i, "x"), *wanted.x)
            own = [z for z in wanted.instruments if z not in macro]
            use(("tests", "further", i, "instruments"), *own)
        if self.multiverse is not None:
            use(("multiverse", "by"), *self.multiverse.by)
        use(("tests", "information"), *self.tests.information)
        use(("information", "by"), *self.information.by)
        for place, name in self._traded_by:
            use(place, name)
        return found

    @property
    def informed(self) -> list[str]:
        """Every characteristic whose information is measured, once, in order of appearance."""
        return list(dict.fromkeys([*self.tests.information, *self.information.by]))

    @property
    def _traded_by(self) -> Iterator[tuple[Place, str | None]]:
        """Columns that costs and accounts read; the value traded is made where it is lacking."""
        impact = self.costs.impact
        yield ("costs", "half_spread"), self.costs.half_spread
        if impact is not None:
            yield ("costs", "impact", "volatility"), impact.volatility
            yield ("costs", "impact", "volume"), None if impact.volume == TRADED else impact.volume
        yield ("backtest", "beta"), None if self.backtest is None else self.backtest.beta

    @property
    def characteristic_uses(self) -> list[tuple[Place, str]]:
        """Every characteristic that the study needs, with each key that names it."""
        products = self._interactions
        found = [(place, products.get(name, name)) for place, name in self.uses]
        mixed = [
            (("macro", i, "interact"), own) for i, m in enumerate(self.macro) for own in m.interact
        ]
        return [*found, *mixed]

    @property
    def characteristics(self) -> list[str]:
        """Every characteristic that the study needs, once, in order of appearance."""
        return list(dict.fromkeys(name for _, name in self.characteristic_uses))
