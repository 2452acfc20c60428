"""The tuning stage: the settings of one clustering by their score on held-out assets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from alphastrata import cluster
from alphastrata.core import Panel
from alphastrata.core.faults import Fault, SettingError
from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig, StudyConfig, TuneConfig
from alphastrata.study.settings.clusters import EstimatorConfig, tuned_settings
from alphastrata.study.stages.estimators import estimator_of
from alphastrata.study.stages.store import Stages

__all__ = ["SCORES", "search", "tune_stage"]

SCORES = ("score", "spread", "clusters", "noise")


def tune_stage(config: StudyConfig, panel: Panel, store: Stages, workers: int) -> Artefacts:
    """Return the search that ``[tune]`` asks for, from the store where it is there."""
    wanted, base = config.tune, config.tuned
    if wanted is None:
        raise ConfigError("The study has no [tune] table.")
    own = base.model_dump(include={"name", "features", "window", *EstimatorConfig.model_fields})
    return store.stage(
        "tune",
        [wanted.model_dump(), own, config.seed],
        ("features",),
        lambda: search(
            wanted,
            base,
            panel,
            seed=config.seed,
            workers=workers,
            progress=lambda done, total: store.report("tune", done, total),
        ),
    )


def search(
    tune: TuneConfig,
    base: ClusterConfig,
    panel: Panel,
    *,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Artefacts:
    """Return every setting with its score on held-out assets of one date, the study's own beside.

    Nothing after the date is looked at: one cross-section of characteristics is all that is used.

    Raises
    ------
    ConfigError
        When the panel does not reach the date, or has too few assets there.
    """
    date, values, left_out = _cross_section(tune, base, panel)
    settings = tuned_settings(tune, base)
    if tune.n_iter is not None:
        settings = [settings[k] for k in cluster.drawn_settings(len(settings), tune.n_iter, seed)]
    tried = [*(estimator for _, estimator in settings), base]
    models = [estimator_of(config, values.shape[1], seed) for config in tried]
    found = cluster.score_settings(
        models,
        values,
        scorer=cluster.ClusterScorer(tune.score, tune.space),
        folds=tune.folds,
        seeds=[seed + s for s in range(tune.seeds)],
        random_state=seed,
        n_jobs=workers,
        progress=progress,
    )
    keys = list(dict.fromkeys(key for point, _ in settings for key in point))
    points = pd.DataFrame(
        [{k: _shown(point[k]) if k in point else "" for k in keys} for point, _ in settings],
        columns=keys,
    )
    table = pd.concat([points, found.iloc[:-1].reset_index(drop=True)], axis=1)
    table = table.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return {
        "table": table,
        "about": {
            "clusters": base.name,
            "date": str(date.date()),
            "first": str(panel.dates[min(base.window, len(panel.dates)) - 1].date()),
            "assets": len(values),
            "left_out": left_out,
            "settings": len(settings),
            "own": {key: float(found.iloc[-1][key]) for key in SCORES},
        },
    }


def _cross_section(
    tune: TuneConfig, base: ClusterConfig, panel: Panel
) -> tuple[pd.Timestamp, pd.DataFrame, int]:
    """Return the date, its characteristics, and how many assets lack too many of them."""
    if tune.date is not None:
        until = panel.dates[panel.dates <= pd.Timestamp(tune.date)]
    else:
        until = panel.dates[: base.window]
    if not len(until):
        said = (
            f"the market begins on {panel.dates[0].date()}, after {tune.date}; say a later date, "
            "or none for the first formation date"
        )
        raise SettingError([Fault(("tune", "date"), said)])
    names = list(base.features)
    there = panel.at(until[-1])[names]
    enough = there.notna().mean(axis=1) >= 0.5
    values = there[enough].dropna(axis=1, how="all")
    if len(values) < 10 * tune.folds:
        said = (
            f"a search in {tune.folds} folds needs at least {10 * tune.folds} assets with half of "
            f"their features on {until[-1].date()}; there are {len(values)}. Say another date"
        )
        raise SettingError([Fault(("tune", "date"), said)])
    return until[-1], values, len(there) - len(values)


def _shown(value: Any) -> str:
    """Return a value as the text of a cell; a setting without it has an empty one."""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
