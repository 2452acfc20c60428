"""What a study's portfolios cannot be, said before anything runs, with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from alphastrata.study.cluster_settings import ClusterConfig
from alphastrata.study.data_settings import DataConfig, MacroConfig
from alphastrata.study.inference_settings import BenchmarkConfig
from alphastrata.study.portfolio_settings import BacktestConfig, CostsConfig, DelistingsConfig
from alphastrata.study.sort_settings import SortConfig, trailing_months

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


def portfolio_faults(config: Portfolios) -> list[str]:
    """Return combinations of settings that can only fail, each with what to do instead."""
    return [
        *_groups(config),
        *_soft(config),
        *_sizes(config),
        *_costs(config),
        *_accounts(config),
        *_cash(config),
    ]


def _groups(config: Portfolios) -> Iterator[str]:
    """Yield distances and rankings that name what is not there."""
    known = [part.name for part in config.clusters]
    for sort in config.sorts:
        for name in sort.distances:
            if name not in known:
                yield (
                    f"{sort.name} sorts by distance:{name}, and no [[clusters]] table has that "
                    f"name; there are {', '.join(known) or 'none'}"
                )
        if sort.method == "size_neutral" and sort.columns == ("market_cap",):
            yield (
                f"{sort.name} is size-neutral and sorts by size; take method = "
                '"quantile", or another characteristic'
            )
    for part in config.clusters:
        try:
            trailing_months(part.rank_by)
        except ValueError as error:
            yield f"{part.name}: {error}"


def _soft(config: Portfolios) -> Iterator[str]:
    for part in config.clusters:
        if part.weighting != "soft":
            continue
        if part.method not in SOFT_METHODS and part.clusterer not in SOFT_CLUSTERERS:
            yield (
                f'{part.name} has weighting = "soft", and {part.clusterer or "kmeans"} gives no '
                'membership probabilities; take clusterer = "gmm", method = "dec", "idec" or '
                '"vade", or another weighting'
            )
        if config.data.daily:
            yield (
                f'{part.name} has weighting = "soft", which is monthly; set data.daily = false, '
                "or take another weighting"
            )


def _sizes(config: Portfolios) -> Iterator[str]:
    """Yield what needs a market cap that the data do not have."""
    if config.data.has_market_cap:
        return
    remedy = 'data.statements = "edgar" or "yahoo" gives one'
    for part in config.parts:
        if part.weighting == "capped":
            yield f"{part.name} caps market cap, which prices alone lack: {remedy}"
        screen = part.screen if isinstance(part, SortConfig) else None
        if screen is not None and (screen.min_market_cap or screen.micro_caps):
            yield f"{part.name} screens by market cap, which prices alone lack: {remedy}"


def _costs(config: Portfolios) -> Iterator[str]:
    costs = config.costs
    for key in ("half_spread", "impact"):
        if getattr(costs, key) is not None and config.backtest is None:
            yield f"costs.{key} is a cost of accounts that trade; add [backtest]"
    if config.backtest is not None and config.backtest.capacities and costs.impact is None:
        yield (
            "backtest.capacities has no effect without impact, since other costs grow with the "
            "trade; add [costs.impact], or drop it"
        )
    delistings = config.delistings
    if delistings is not None and delistings.column is not None and config.data.daily:
        yield (
            "delistings.column is read from the monthly panel, and daily factors would miss it; "
            "take delistings.file, or set data.daily = false"
        )


def _accounts(config: Portfolios) -> Iterator[str]:
    """Yield accounts that cannot be kept."""
    wanted = config.backtest
    if wanted is None:
        return
    if wanted.legs == "long" and wanted.beta is not None:
        yield (
            'backtest.beta makes two legs cancel, and legs = "long" has one; drop beta, or take '
            'legs = "long_short"'
        )


def _cash(config: Portfolios) -> Iterator[str]:
    """Yield regimes and benchmarks of accounts that the study does not have."""
    wanted = config.backtest
    if wanted is None:
        return
    bench = config.reference
    macro = [m.column for m in config.macro]
    for name in wanted.regimes:
        if name not in (*bench.factors, *macro):
            yield (
                f"backtest.regimes names {name!r}, which is neither a factor of {bench.name} "
                f"({', '.join(bench.factors)}) nor a [[macro]] column "
                f"({', '.join(macro) or 'none'})"
            )
    if wanted.benchmark is not None and wanted.benchmark not in bench.factors:
        yield (
            f"backtest.benchmark names {wanted.benchmark!r}; the factors of {bench.name} are "
            + ", ".join(bench.factors)
        )
    if bench.frequency != "M" and (wanted.regimes or wanted.benchmark or wanted.cash != "none"):
        yield "backtest compares months, and no benchmark is monthly; add one"
