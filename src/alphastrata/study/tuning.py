"""A search over the settings of one clustering, with a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alphastrata.errors import ConfigError
from alphastrata.report import ReportData
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.manifest import write_manifest
from alphastrata.study.opening import opened
from alphastrata.study.pages.data import manifest_table
from alphastrata.study.pages.page import write_page
from alphastrata.study.pages.search import answer, tuning_section, warnings
from alphastrata.study.record import record
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.market import data_stage, features_stage
from alphastrata.study.stages.store import Progress
from alphastrata.study.stages.tuning import tune_stage

__all__ = ["run_tuning"]


def run_tuning(
    config: StudyConfig,
    *,
    out: str | Path,
    data: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Search the settings of one clustering of a study; return the page.

    Table and plot are on the page, in ``tune-tables`` and in ``tune.svg``.

    Parameters
    ----------
    config
        The study; ``[tune]`` says which clustering, on which date, over which grid.
    out, data, workers, progress
        As for `run`.

    Raises
    ------
    ConfigError
        When the study has no ``[tune]`` table, or the market does not reach its date.
    """
    if config.tune is None:
        raise ConfigError(
            f"The study {config.name} has no [tune] table. Add one with a grid, such as:\n"
            "  [tune.grid]\n  n_clusters = [4, 6, 8]"
        )
    out = Path(out)
    with opened(config, out, data, progress) as (inputs, store):
        made: dict[str, Artefacts] = {"data": data_stage(config, inputs, store)}
        panel, _ = features_stage(config, inputs, store, made)
        made["tune"] = tune_stage(config, panel, store, workers or config.workers)
        manifest = record(config, inputs, store)
        write_manifest(out, manifest, name="tune-manifest.json")
        _draw(made["tune"], out / "tune.svg")
        return write_page(_page(config, made["tune"], manifest), out, name="tune")[0]


def _draw(made: Artefacts, path: Path) -> None:
    from alphastrata.report import plots

    plots.save(plots.tuning(made["table"]), path)


def _page(config: StudyConfig, made: Artefacts, manifest: Mapping[str, Any]) -> ReportData:
    return ReportData(
        title=f"{config.title or config.name}: a search over settings",
        question=f"Which settings of {made['about']['clusters']} divide assets best that were not "
        "in training?",
        answer=answer(config, made),
        warnings=warnings(made),
        extras=[tuning_section(config, made, alone=True)],
        manifest=manifest_table(manifest),
    )
