"""The paper's eight experiments as a study of its own, with its own page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from alphastrata import cluster, features
from alphastrata.cluster.experiment_tables import Experiments
from alphastrata.core import Panel
from alphastrata.errors import ConfigError
from alphastrata.report import (
    ClusterSection,
    ExtraSection,
    HowComputed,
    Line,
    Plot,
    ReportData,
    Table,
    how_computed,
)
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.inputs import gather, hashes
from alphastrata.study.manifest import write_manifest
from alphastrata.study.page import write_page
from alphastrata.study.page_data import manifest_table
from alphastrata.study.record import record
from alphastrata.study.settings import ExperimentsConfig, StudyConfig
from alphastrata.study.stages import Progress, Stages

GROUPS = ("original", "extension", "price")


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
    folder = None if data is None else Path(data)
    out = Path(out)
    tell = progress or (lambda stage, done, total: None)
    inputs = gather(config, folder, report=tell)
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"):
        store = Stages(out, tell)
        market = store.stage(
            "data",
            [config.data.model_dump(), config.seed, hashes(inputs.market), inputs.left_out],
            (),
            inputs.build,
        )
        made = store.stage(
            "experiments",
            wanted.model_dump(),
            ("data",),
            lambda: _experiments(
                wanted,
                market["panel"],
                market.get("daily"),
                workers or config.workers,
                lambda done, total: tell("experiments", done, total),
            ),
        )
        manifest = record(config, inputs, store)
        write_manifest(out, manifest, name="experiments-manifest.json")
        return write_page(_page(config, made, manifest), out, name="experiments")[0]


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
    date = pd.Timestamp(config.date) if config.date else computed.dates[-1]
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
    best = found.best()
    labels = found.chosen()
    own = found.maps[found.maps["experiment"] == best.experiment]
    places = pd.DataFrame(
        {
            "date": date,
            "asset": own["asset"].to_numpy(),
            "cluster": labels.reindex(own["asset"]).to_numpy(),
            "x": own["x3"].to_numpy(),
            "y": own["y3"].to_numpy(),
            "z": own["z3"].to_numpy(),
        }
    )
    tables: Artefacts = {}
    for score in ("silhouette", "davies_bouldin"):
        for space in ("embedding", "input"):
            for clusterer in ("kmeans", "spectral"):
                for statistic in ("mean", "std"):
                    table = found.table(
                        score, clusterer=clusterer, space=space, statistic=statistic
                    )
                    tables[f"table {score} {space} {clusterer} {statistic}"] = _flat(table)
    return {
        **tables,
        "plain": _flat(found.compared_with_plain()),
        "effects": found.effects().reset_index(),
        "profile": found.profile()["mean_z"],
        "means": found.profile()["mean"],
        "boxes": found.boxes().reset_index(),
        "return and risk": found.return_and_risk(),
        "correlations": found.correlations().rename(columns=str),
        "map": places.dropna(subset=["cluster"]).astype({"cluster": "int64"}),
        "about": {
            "experiment": best.experiment,
            "clusterer": best.clusterer,
            "k": best.k,
            "names": {str(k): v for k, v in found.names().items()},
            "groups": groups,
            "date": str(date.date()),
            "assets": len(found.data),
            "left_out": left_out,
            "notes": [str(note) for note in found.notes],
        },
    }


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with one level of columns, named as text, and its index as columns."""
    flat = table.copy()
    flat.columns = pd.Index(
        [", ".join(map(str, c)) if isinstance(c, tuple) else f"k = {c}" for c in table.columns]
    )
    return flat.reset_index()


def _told(*names: str) -> dict[str, HowComputed]:
    return how_computed(names, manifest="stage experiments")


def _about(config: StudyConfig) -> HowComputed:
    wanted = config.experiments or ExperimentsConfig()
    return HowComputed(
        formula="characteristics → scaler → autoencoder or not → t-SNE → clusters, for each seed",
        conventions=[
            f"{wanted.seeds} seeds; mean and standard deviation (n − 1) over them.",
            "Silhouette: mean of (b − a) / max(a, b). Intervals over seeds.",
        ],
        manifest="stage experiments",
    )


def _page(config: StudyConfig, made: Artefacts, manifest: Mapping[str, Any]) -> ReportData:
    about = made["about"]
    names = {int(k): v for k, v in about["names"].items()}
    effects = made["effects"].set_index(["effect", "score"])
    best = (
        f"The largest silhouette on the map is that of experiment {about['experiment']} with "
        f"{about['clusterer']} and k = {about['k']}."
    )
    return ReportData(
        title=f"{config.title or config.name}: the eight experiments",
        question="Do an autoencoder and price data make better clusters of stocks?",
        answer=[
            Line(best, _about(config)),
            _sentence("The autoencoder", effects.loc[("autoencoder", "silhouette_input")]),
            _sentence("Price data", effects.loc[("price data", "silhouette_input")]),
        ],
        warnings=[
            "Scores on the map flatter every pipeline: t-SNE makes islands of noise. Compare in "
            "the input space, and against nulls.",
            *about["notes"],
        ],
        clusters=[
            ClusterSection(
                title="The best experiment",
                names=names,
                profiles=made["profile"],
                embeddings=made["map"],
                tables=[Table(title="Means, original units", frame=made["means"])],
                how=_told("profiles", "embedding"),
                about=_about(config),
            )
        ],
        extras=[replace(part, about=_about(config)) for part in _tables(made, names)],
        manifest=manifest_table(manifest),
    )


def _sentence(what: str, effect: pd.Series) -> Line:
    sign = "raises" if effect["estimate"] > 0 else "lowers"
    effect_of = HowComputed(
        formula="mean over pairs of runs of s(with) − s(without)",
        conventions=["Runs that differ in nothing else; the interval is over seeds."],
        manifest="stage experiments",
    )
    return Line(
        f"{what} {sign} the silhouette in the input space by {abs(effect['estimate']):.3f} "
        f"(95% interval over {int(effect['seeds'])} seeds: {effect['low']:.3f} to "
        f"{effect['high']:.3f}).",
        effect_of,
    )


def _tables(made: Artefacts, names: dict[int, str]) -> Sequence[ExtraSection]:
    def scores(score: str, title: str) -> ExtraSection:
        tables = [
            Table(title=f"{space} space, {clusterer}: {statistic} over seeds", frame=made[key])
            for space in ("embedding", "input")
            for clusterer in ("kmeans", "spectral")
            for statistic in ("mean", "std")
            if (key := f"table {score} {space} {clusterer} {statistic}") in made
        ]
        return ExtraSection(title=title, tables=tables)

    called = pd.DataFrame({"cluster": list(names), "name": list(names.values())})
    about = made["about"]
    features_used = pd.DataFrame(
        [(group, ", ".join(used)) for group, used in about["groups"].items()],
        columns=["group", "characteristics"],
    )
    return [
        ExtraSection(
            title="What was clustered",
            text=[
                f"{about['assets']} assets on {about['date']}; {about['left_out']} with fewer than "
                "half of the characteristics were left out."
            ],
            tables=[Table(title="Groups of characteristics", frame=features_used)],
        ),
        scores("silhouette", "Silhouette (the paper's Table 2)"),
        scores("davies_bouldin", "Davies-Bouldin (the paper's Table 5)"),
        ExtraSection(
            title="Effects of the autoencoder and of price data",
            tables=[Table(title="Differences, with intervals over seeds", frame=made["effects"])],
        ),
        ExtraSection(
            title="Beside plain PCA and K-means (the paper's Table 12)",
            tables=[Table(title="Scores by features and k", frame=made["plain"])],
        ),
        ExtraSection(
            title="The clusters of the best experiment",
            tables=[
                Table(title="Names by rule (the paper's Table 10)", frame=called),
                Table(title="Box plots in numbers (Tables 4, 7 to 9)", frame=made["boxes"]),
                Table(title="Return and risk per month (Table 11)", frame=made["return and risk"]),
            ],
            parts=[
                Plot(
                    title="Correlation of the clusters' returns",
                    frame=made["correlations"],
                    kind="heat",
                )
            ],
        ),
    ]
