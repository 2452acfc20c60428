"""What a study's portfolios cannot be, said before anything runs, with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from alphastrata.core.faults import Fault, Place
from alphastrata.study.settings.clusters import ClusterConfig
from alphastrata.study.settings.data import DataConfig, MacroConfig
from alphastrata.study.settings.inference import BenchmarkConfig
from alphastrata.study.settings.portfolios import BacktestConfig, CostsConfig, DelistingsConfig
from alphastrata.study.settings.sorts import SortConfig, trailing_months

# What gives membership probabilities: methods that learn them, and a mixture.
SOFT_METHODS = ("dec", "idec", "vade")
SOFT_CLUSTERERS = ("gmm",)


class Portfolios(Protocol):
    """What the rules look at: the settings of a study that make portfolios and trade them."""

    data: DataConfig
    delistings: DelistingsConfig | None
    macro: tuple[MacroConfig, ...]
    clusters: tuple[ClusterConfig, ...]
    sorts: tuple[SortConfig, ...]
    costs: CostsConfig
    backtest: BacktestConfig | None

    @property
    def parts(self) -> Sequence[ClusterConfig | SortConfig]:
        """Everything that divides assets into strata."""

    @property
    def reference(self) -> BenchmarkConfig:
        """The benchmark of the headline."""

    def place_of(self, part: ClusterConfig | SortConfig) -> Place:
        """Return where the table of a part stands."""


def portfolio_faults(config: Portfolios) -> list[Fault]:
    """Return combinations of settings that can only fail, each with what to do instead."""
    return [
        *_groups(config),
        *_soft(config),
        *_sizes(config),
        *_costs(config),
        *_accounts(config),
        *_cash(config),
    ]


def _groups(config: Portfolios) -> Iterator[Fault]:
    """Yield distances and rankings that name what is not there."""
    known = [part.name for part in config.clusters]
    for sort in config.sorts:
        place = config.place_of(sort)
        for name in sort.distances:
            if name not in known:
                said = (
                    f"{sort.name} sorts by distance:{name}, and no [[clusters]] table has that "
                    f"name; there are {', '.join(known) or 'none'}"
                )
                yield Fault((*place, "by"), said)
        if sort.method == "size_neutral" and sort.columns == ("market_cap",):
            said = (
                f"{sort.name} is size-neutral and sorts by size; take method = "
                '"quantile", or another characteristic'
            )
            yield Fault((*place, "method"), said)
    for part in config.clusters:
        try:
            trailing_months(part.rank_by)
        except ValueError as error:
            yield Fault((*config.place_of(part), "rank_by"), str(error))


def _soft(config: Portfolios) -> Iterator[Fault]:
    for part in config.clusters:
        if part.weighting != "soft":
            continue
        place = (*config.place_of(part), "weighting")
        if part.method not in SOFT_METHODS and part.clusterer not in SOFT_CLUSTERERS:
            said = (
                f'"soft", and {part.clusterer or "kmeans"} gives no membership probabilities; take '
                'clusterer = "gmm", method = "dec", "idec" or "vade", or another weighting'
            )
            yield Fault(place, said)
        if config.data.daily:
            said = '"soft" is monthly; set data.daily = false, or take another weighting'
            yield Fault(place, said)


def _sizes(config: Portfolios) -> Iterator[Fault]:
    """Yield what needs a market cap that the data do not have."""
    if config.data.has_market_cap:
        return
    remedy = 'data.statements = "edgar" or "yahoo" gives one'
    for part in config.parts:
        place = config.place_of(part)
        if part.weighting == "capped":
            said = f"{part.name} caps market cap, which prices alone lack: {remedy}"
            yield Fault((*place, "weighting"), said)
        screen = part.screen if isinstance(part, SortConfig) else None
        if screen is not None and (screen.min_market_cap or screen.micro_caps):
            said = f"{part.name} screens by market cap, which prices alone lack: {remedy}"
            yield Fault((*place, "screen"), said)


def _costs(config: Portfolios) -> Iterator[Fault]:
    costs = config.costs
    for key in ("half_spread", "impact"):
        if getattr(costs, key) is not None and config.backtest is None:
            yield Fault(("costs", key), "it is a cost of accounts that trade; add [backtest]")
    if config.backtest is not None and config.backtest.capacities and costs.impact is None:
        said = (
            "no effect without impact, since other costs grow with the trade; add [costs.impact], "
            "or drop it"
        )
        yield Fault(("backtest", "capacities"), said)
    delistings = config.delistings
    if delistings is not None and delistings.column is not None and config.data.daily:
        said = (
            "it is read from the monthly panel, and daily factors would miss it; take "
            "delistings.file, or set data.daily = false"
        )
        yield Fault(("delistings", "column"), said)


def _accounts(config: Portfolios) -> Iterator[Fault]:
    """Yield accounts that cannot be kept."""
    wanted = config.backtest
    if wanted is None:
        return
    if wanted.legs == "long" and wanted.beta is not None:
        said = (
            'it makes two legs cancel, and legs = "long" has one; drop beta, or take '
            'legs = "long_short"'
        )
        yield Fault(("backtest", "beta"), said)


def _cash(config: Portfolios) -> Iterator[Fault]:
    """Yield regimes and benchmarks of accounts that the study does not have."""
    wanted = config.backtest
    if wanted is None:
        return
    bench = config.reference
    macro = [m.column for m in config.macro]
    for name in wanted.regimes:
        if name not in (*bench.factors, *macro):
            said = (
                f"{name!r} is neither a factor of {bench.name} ({', '.join(bench.factors)}) nor a "
                f"[[macro]] column ({', '.join(macro) or 'none'})"
            )
            yield Fault(("backtest", "regimes"), said)
    if wanted.benchmark is not None and wanted.benchmark not in bench.factors:
        there = ", ".join(bench.factors)
        said = f"{wanted.benchmark!r} is no factor of {bench.name}; there are {there}"
        yield Fault(("backtest", "benchmark"), said)
    if bench.frequency != "M" and (wanted.regimes or wanted.benchmark or wanted.cash != "none"):
        yield Fault(("backtest",), "it compares months, and no benchmark is monthly; add one")
