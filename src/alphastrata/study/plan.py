"""How much of a study is done: its stages beforehand, each with a guess at its share."""

from __future__ import annotations

from collections.abc import Iterator

from alphastrata.study.settings import ClusterConfig, StudyConfig
from alphastrata.study.settings.sorts import TRADED
from alphastrata.study.stages.portfolios import stage_of
from alphastrata.study.stages.store import Progress

__all__ = ["WHOLE", "Whole", "shares"]

# What is told of all stages together, in per cent.
WHOLE = "the whole study"
FULL = 100
# Clusterings take nearly all of the time, and most of it for the nulls beside the data.
CLUSTERS, NULLS = 10.0, 20.0


def shares(config: StudyConfig) -> dict[str, float]:
    """Return stage -> share of the work, in the order in which a study runs them.

    Examples
    --------
    >>> list(shares(StudyConfig(name="tiny", sorts=[{"name": "LIQ", "by": "liquidity"}])))[:4]
    ['data', 'benchmarks', 'features', 'sort LIQ']
    """
    return dict(_stages(config))


def _stages(config: StudyConfig) -> Iterator[tuple[str, float]]:
    yield "data", 3.0
    if config.delistings is not None:
        yield "delistings", 0.5
    yield "benchmarks", 0.2
    yield "features", 1.0
    yield from ((stage_of(part), _work(part)) for part in config.clusters)
    impact = config.costs.impact
    neutral = any(sort.distances or sort.neutral_to for sort in config.sorts)
    if neutral or (impact is not None and impact.volume == TRADED):
        yield "signals", 0.5
    yield from ((stage_of(sort), 0.5) for sort in config.sorts)
    yield "factors", 2.0
    yield "composition", 0.5
    if config.backtest is not None:
        yield "backtest", 2.0
    if config.informed:
        yield "information", 1.0
    yield "performance", 0.2
    yield "tests", 2.0
    if config.multiverse is not None:
        yield "multiverse", 5.0 if config.multiverse.by else 2 * CLUSTERS
    if config.tests.asked:
        yield "further", 3.0
    if config.replication is not None:
        yield "replication", 5.0
    if config.tune is not None:
        yield "tune", 2 * CLUSTERS
    if config.data.source == "simulated":
        yield "truth", 0.5
    yield "report", 4.0


def _work(part: ClusterConfig) -> float:
    checks = part.checks
    drawn = len(checks.null_test) * checks.draws / 10
    return CLUSTERS + NULLS * part.nulls + CLUSTERS * (drawn + checks.stability + checks.purge)


class Whole:
    """Passes on what stages tell, and with it how much of the whole is done.

    A stage that is there already is told as done without having begun: it takes no time, so it is
    no part of the whole.
    """

    def __init__(self, config: StudyConfig, tell: Progress) -> None:
        self._tell = tell
        self._shares = shares(config)
        self._done: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell how much of a stage is done, and of the whole."""
        if done and stage not in self._done:
            self._shares.pop(stage, None)
        elif stage in self._shares:
            self._done[stage] = max(self._done.get(stage, 0.0), done / max(total, 1))
        full = sum(self._shares.values())
        part = sum(self._shares[name] * share for name, share in self._done.items())
        self._tell(WHOLE, int(FULL * part / full) if full else FULL, FULL)
        self._tell(stage, done, total)
