"""The stages of portfolios: delistings, signals, sorts, composition, backtest, information."""

from __future__ import annotations

from collections.abc import Mapping

from alphastrata.core import Panel, Strata
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.inputs import Inputs, hashes
from alphastrata.study.settings import ClusterConfig, SortConfig, StudyConfig
from alphastrata.study.settings.sorts import HoldingConfig
from alphastrata.study.stages import spreads
from alphastrata.study.stages.delisted import with_delistings
from alphastrata.study.stages.information import information
from alphastrata.study.stages.inside import composition
from alphastrata.study.stages.money import Part, backtest
from alphastrata.study.stages.signals import clusterings_before, made_columns, with_signals
from alphastrata.study.stages.store import Stages


def stage_of(part: ClusterConfig | SortConfig) -> str:
    """Return the name of the stage that makes a part's strata."""
    return f"{'clusters' if isinstance(part, ClusterConfig) else 'sort'} {part.name}"


def market(config: StudyConfig, inputs: Inputs, made: dict[str, Artefacts], store: Stages) -> str:
    """Return the stage whose market the study takes: the data, or they and delisting returns."""
    lost = config.delistings
    if lost is None:
        return "data"
    made["delistings"] = store.stage(
        "delistings",
        [lost.model_dump(), hashes(inputs.market)],
        ("data",),
        lambda: {
            name: with_delistings(lost, panel, inputs.folder)
            for name, panel in made["data"].items()
            if isinstance(panel, Panel)
        },
    )
    return "delistings"


def signals(
    config: StudyConfig,
    made: dict[str, Artefacts],
    clusterings: Mapping[str, Strata],
    store: Stages,
) -> tuple[tuple[str, ...], Panel]:
    """Return the stages that portfolios need, and the market with what sorts make of it."""
    panel: Panel = made["features"]["panel"]
    columns = made_columns(config, panel)
    if not columns:
        return ("features",), panel
    needed = {name for sort in config.sorts for name in clusterings_before(sort, config)}
    before = [part for part in config.clusters if part.name in needed]
    made["signals"] = store.stage(
        "signals",
        [columns, [list(part.features) for part in before]],
        ("features", *(stage_of(part) for part in before)),
        lambda: {"panel": with_signals(config, panel, clusterings)},
    )
    return ("signals",), made["signals"]["panel"]


def sort(
    config: StudyConfig,
    part: SortConfig,
    panel: Panel,
    clusterings: Mapping[str, Strata],
    store: Stages,
    known: tuple[str, ...],
) -> Artefacts:
    """Return the strata of one sort."""
    # The factor's method and weights come later.
    later = {"name", "long", "method", *HoldingConfig.model_fields}
    before = clusterings_before(part, config)
    return store.stage(
        stage_of(part),
        part.model_dump(exclude=later),
        (*known, *(stage_of(c) for c in config.clusters if c.name in before)),
        lambda: spreads.sort(part, panel, clusterings),
    )


def money(
    config: StudyConfig,
    made: dict[str, Artefacts],
    panel: Panel,
    parts: list[Part],
    known: tuple[str, ...],
    store: Stages,
) -> None:
    """Compute what portfolios hold, what accounts earn and what characteristics foretell."""
    dumped = [part.model_dump() for part, _ in parts]
    strata = tuple(stage_of(part) for part, _ in parts)
    made["composition"] = store.stage(
        "composition",
        [dumped, config.characteristics],
        (*known, *strata),
        lambda: composition(parts, panel, config.characteristics),
    )
    if config.backtest is not None:
        wanted, bench = config.backtest, config.reference.name
        made["backtest"] = store.stage(
            "backtest",
            [wanted.model_dump(), config.costs.model_dump(), dumped, bench],
            (*known, "benchmarks", *strata),
            lambda: backtest(wanted, config.costs, parts, panel, made["benchmarks"][bench]),
        )
    if config.informed:
        made["information"] = store.stage(
            "information",
            [config.informed, config.information.model_dump()],
            ("features",),
            lambda: information(config.informed, config.information, panel),
        )
