"""The signals stage: columns that sorts make of characteristics and of clusterings before them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from alphastrata import portfolio
from alphastrata.core import Panel, Strata
from alphastrata.core.faults import Fault, SettingError
from alphastrata.study.settings import SortConfig, StudyConfig
from alphastrata.study.settings.sorts import DISTANCE, TRADED
from alphastrata.study.stages.weighing import group_of


def clusterings_before(sort: SortConfig, config: StudyConfig) -> tuple[str, ...]:
    """Return the names of the clusterings that have to come before a sort."""
    wanted = (*sort.distances, sort.within, sort.neutral_to)
    return tuple(part.name for part in config.clusters if part.name in wanted)


def made_columns(config: StudyConfig, panel: Panel) -> list[str]:
    """Return the columns that the study's portfolios need and no earlier stage has."""
    impact = config.costs.impact
    found = [c for sort in config.sorts for c in (*sort.characteristics, *sort.columns)]
    found += [TRADED] if impact is not None and impact.volume == TRADED else []
    return [c for c in dict.fromkeys(found) if c not in panel.columns]


def with_signals(config: StudyConfig, panel: Panel, clusterings: Mapping[str, Strata]) -> Panel:
    """Return the panel with distances from centroids, standing in groups, and value traded.

    Every value at t is made of the characteristics of t and of labels formed by t.

    Parameters
    ----------
    config
        The study.
    panel
        The market with its characteristics.
    clusterings
        Strata of each clustering, by name.

    Raises
    ------
    SettingError
        For impact on a panel without prices or volume.
    """
    features = {part.name: part.features for part in config.clusters}
    for name in dict.fromkeys(d for sort in config.sorts for d in sort.distances):
        panel = portfolio.centroid_distances(
            clusterings[name], panel, features[name], name=DISTANCE + name
        )
    for sort in config.sorts:
        if sort.neutral_to is not None:
            panel = _standing(sort, panel, group_of(sort.neutral_to, clusterings))
    if TRADED in made_columns(config, panel):
        panel = _traded(panel)
    return panel


def _standing(sort: SortConfig, panel: Panel, groups: Strata | str) -> Panel:
    """Return the panel with the sort's characteristics as they stand inside each group."""
    own = list(sort.characteristics)
    found = portfolio.neutral(panel.select(_with(own, groups)), own, groups, how=sort.neutral)
    columns = zip(sort.columns, own, strict=True)
    return panel.assign({column: found.values(name) for column, name in columns})


def _with(columns: list[str], groups: Strata | str) -> list[str]:
    return [*columns, groups] if isinstance(groups, str) else columns


def _traded(panel: Panel) -> Panel:
    lacking = [c for c in ("price", "volume") if c not in panel.columns]
    if lacking:
        said = (
            f"it takes {TRADED} = price x volume, and the data have no "
            f"{' and no '.join(lacking)}; name a column with volume"
        )
        raise SettingError([Fault(("costs", "impact"), said)])
    value = panel.values("price") * panel.values("volume")
    return panel.assign({TRADED: np.where(value > 0.0, value, np.nan)})
