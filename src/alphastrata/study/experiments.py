"""The paper's eight experiments as a study of its own, with its own page."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from alphastrata import cluster, features
from alphastrata.cluster.experiment_tables import Experiments, Score, Space
from alphastrata.core import Panel
from alphastrata.core.keys import month_end
from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.manifest import write_manifest
from alphastrata.study.opening import opened
from alphastrata.study.pages.experiments import page_of
from alphastrata.study.pages.page import write_frames, write_page
from alphastrata.study.record import record
from alphastrata.study.settings import ExperimentsConfig, StudyConfig
from alphastrata.study.stages.market import data_stage
from alphastrata.study.stages.store import Progress

GROUPS = ("original", "extension", "price")
SCORES: tuple[Score, ...] = ("silhouette", "davies_bouldin")
SPACES: tuple[Space, ...] = ("embedding", "input")
STATISTICS: tuple[Literal["mean", "std"], ...] = ("mean", "std")
CLUSTERERS = {"kmeans": "K-means", "spectral": "spectral"}


def run_experiments(
    config: StudyConfig,
    *,
    out: str | Path,
    data: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run the eight experiments on one cross-section of a study's market; return the page.

    Parameters
    ----------
    config
        The study; ``[experiments]`` says date, numbers of clusters and seeds.
    out, data, workers, progress
        As for `run`.

    Raises
    ------
    ConfigError
        When the market offers no characteristic of one of the paper's groups.
    """
    wanted = config.experiments or ExperimentsConfig()
    out = Path(out)
    with opened(config, out, data, progress) as (inputs, store):
        market = data_stage(config, inputs, store)
        made = store.stage(
            "experiments",
            wanted.model_dump(),
            ("data",),
            lambda: _experiments(
                wanted,
                market["panel"],
                market.get("daily"),
                workers or config.workers,
                lambda done, total: store.report("experiments", done, total),
            ),
        )
        manifest = record(config, inputs, store)
        write_manifest(out, manifest, name="experiments-manifest.json")
        results = ("scores", "labels", "maps", "returns")
        frames = {name: made[name].reset_index(drop=name != "returns") for name in results}
        write_frames(frames, out / "experiments-results")
        return write_page(page_of(config, made, manifest), out, name="experiments")[0]


def available(panel: Panel, daily: Panel | None) -> dict[str, list[str]]:
    """Return the paper's characteristics that a market can give, by group.

    Raises
    ------
    ConfigError
        When a group is empty.
    """
    catalog = features.catalog()
    can = set(features.computable(panel, daily=daily))
    found: dict[str, list[str]] = {}
    for group in GROUPS:
        names = catalog.loc[catalog["paper_group"] == group, "name"].tolist()
        found[group] = [name for name in names if name in can]
        if not found[group]:
            raise ConfigError(
                f"The market has the fields of none of the {len(names)} characteristics of the "
                f"paper's group {group!r} ({', '.join(names[:4])}, …). Set data.daily = true for "
                "returns of days and weeks, or use a richer source."
            )
    return found


def _experiments(
    config: ExperimentsConfig,
    panel: Panel,
    daily: Panel | None,
    workers: int,
    progress: Callable[[int, int], None],
) -> Artefacts:
    groups = available(panel, daily)
    names = [name for group in groups.values() for name in group]
    computed = features.compute(panel, names, daily=daily)
    date = computed.dates[-1]
    if config.date:
        # A day within a month stands for its end, as everywhere.
        day = pd.DatetimeIndex([config.date])
        date = (month_end(day) if computed.freq == "M" else day)[0]
    cross_section = computed.at(date)[names]
    enough = cross_section.notna().mean(axis=1) >= 0.5
    returns = panel.wide("ret").loc[:date]
    found = cluster.experiments(
        cross_section[enough],
        groups,
        clusters=config.clusters,
        seeds=config.seeds,
        returns=returns.loc[:, returns.columns.isin(cross_section.index[enough])],
        schedule=config.schedule,
        n_jobs=workers,
        progress=progress,
    )
    return _frames(found, groups, date, len(cross_section) - int(enough.sum()))


def _frames(
    found: Experiments, groups: dict[str, list[str]], date: pd.Timestamp, left_out: int
) -> Artefacts:
    """Return what the page shows and the files hold: the best clustering of each experiment."""
    best = found.best()
    first = found.scores.drop_duplicates("experiment").set_index("experiment").sort_index()
    choices = {int(number): found.best(experiment=int(number)) for number in first.index}
    profiles, boxes, maps, named, summary = [], [], [], [], []
    for number, choice in choices.items():
        named_set, coder = str(first["features"][number]), bool(first["autoencoder"][number])
        clusterer = CLUSTERERS[choice.clusterer]
        summary.append(
            {
                "experiment": number,
                "features": named_set,
                "autoencoder": coder,
                "clusterer": clusterer,
                "k": choice.k,
                "silhouette, map": found.score(choice),
                "silhouette, data": found.score(choice, space="input"),
                "Davies-Bouldin, map": found.score(choice, score="davies_bouldin"),
                "Davies-Bouldin, data": found.score(choice, score="davies_bouldin", space="input"),
            }
        )
        title = f"{number} · {named_set}, {'with' if coder else 'without'} autoencoder"
        maps.append(found.places(choice).assign(experiment=number, title=title))
        long = found.profile(choice).stack("feature", future_stack=True).reset_index()
        profiles.append(long.assign(experiment=number))
        boxes.append(found.boxes(choice).reset_index().assign(experiment=number))
        names, sizes = found.names(choice), found.chosen(choice).value_counts()
        named += [(number, c, name, int(sizes[c])) for c, name in names.items()]
    tables: Artefacts = {}
    for score, space, clusterer, statistic in product(SCORES, SPACES, CLUSTERERS, STATISTICS):
        table = found.table(score, clusterer=clusterer, space=space, statistic=statistic)
        key = f"table {score} {space} {clusterer} {statistic}"
        tables[key] = table.rename(columns=lambda k: f"k = {k}").reset_index()
    plain = found.compared_with_plain()
    labels = found.labels.copy()
    keys: Any = labels.columns.tolist()
    labels.columns = pd.Index([f"{e}, {CLUSTERERS[c]}, k = {k}" for e, c, k in keys])
    return {
        **tables,
        "experiments": pd.DataFrame(summary),
        "scores": found.scores,
        "labels": labels.rename_axis("asset").reset_index(),
        "maps": pd.concat(maps, ignore_index=True),
        "profiles": pd.concat(profiles, ignore_index=True),
        "boxes": pd.concat(boxes, ignore_index=True),
        "names": pd.DataFrame(named, columns=["experiment", "cluster", "name", "assets"]),
        "plain": pd.Series(
            plain.stack(["method", "score"], future_stack=True), name="value"
        ).reset_index(),
        "effects": found.effects().reset_index(),
        "returns": found.cluster_returns().rename(columns=str),
        "return and risk": found.return_and_risk().reset_index(),
        "correlations": found.correlations().rename(columns=str),
        "about": {
            "experiment": best.experiment,
            "groups": groups,
            "date": str(date.date()),
            "assets": len(found.data),
            "left_out": left_out,
            "notes": [str(note) for note in found.notes],
        },
    }
