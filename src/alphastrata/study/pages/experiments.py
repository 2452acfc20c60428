"""The page of the eight experiments, in the order of the paper's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata.report import (
    ClusterSection,
    ExtraSection,
    HeadlineFigure,
    HowComputed,
    Line,
    Plot,
    ReportData,
    Table,
    how_computed,
)
from alphastrata.report.charts import experiments as charts
from alphastrata.report.parts import Figure, Fold, Part
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.pages.data import manifest_table
from alphastrata.study.pages.explanations import STATISTICS, box_plots
from alphastrata.study.settings import ExperimentsConfig, StudyConfig

__all__ = ["page_of"]

STAGE = "stage experiments"
SCORES = {"silhouette": "Silhouette", "davies_bouldin": "Davies-Bouldin"}
DISAGREEMENT = (
    "Where the paper disagrees with itself: its text calls experiment 5 with n = 5 the best, and "
    "its own table has the largest silhouette, 0.576, at experiment 5 with n = 6. Here n is k."
)
EFFECT = HowComputed(
    formula="mean over pairs of runs of s(with) − s(without)",
    conventions=["Runs that differ in nothing else; Student intervals over seeds."],
    manifest=STAGE,
)


def page_of(config: StudyConfig, made: Artefacts, manifest: Mapping[str, Any]) -> ReportData:
    """Return everything that the page of the experiments shows.

    Parameters
    ----------
    config
        The study.
    made
        Artefacts of the stage "experiments".
    manifest
        What went in; becomes the last section.
    """
    about = made["about"]
    best = _row(made, about["experiment"])
    names = _names(made, about["experiment"])
    effects = made["effects"].set_index(["effect", "score"])
    told = _about(config)
    return ReportData(
        title=f"{config.title or config.name}: the eight experiments",
        question="Do an autoencoder and price data make better clusters of stocks?",
        answer=[
            Line(
                f"The largest silhouette on the map, {best['silhouette, map']:.3f}, is that of "
                f"experiment {best['experiment']} ({_words(best)}); in the space of the "
                f"characteristics the same clusters score {best['silhouette, data']:.3f}.",
                told,
            ),
            _sentence("The autoencoder", effects.loc[("autoencoder", "silhouette_input")]),
            _sentence("Price data", effects.loc[("price data", "silhouette_input")]),
        ],
        figures=_figures(made, best, effects, told),
        warnings=[
            "Scores on the map flatter every pipeline: t-SNE makes islands of noise. Compare in "
            "the space of the characteristics, and against nulls.",
            *(Line(note, told) for note in about["notes"]),
        ],
        extras=[
            _clustered(made, told),
            *(_scores(made, score, told) for score in SCORES),
            _maps(made, told),
            _best(made, best, names, told),
            _returns(made, names, told),
            _plain(made, told),
            ExtraSection(
                title="What the autoencoder and the price data change",
                parts=[
                    Figure(chart=charts.effects(effects), frame=made["effects"]),
                    Table(
                        title="Differences, with 95% intervals over seeds",
                        frame=made["effects"],
                        formats={"seeds": "integer"},
                    ),
                ],
                about=EFFECT,
            ),
            _each(made, told),
        ],
        manifest=manifest_table(manifest),
    )


def _about(config: StudyConfig) -> HowComputed:
    wanted = config.experiments or ExperimentsConfig()
    return HowComputed(
        formula="characteristics → scaler → autoencoder or not → t-SNE → clusters, for each seed",
        conventions=[
            f"{wanted.seeds} seeds; mean and standard deviation (n − 1) over them.",
            "Clusters are found on the map in two dimensions; maps, names and members are those "
            "of the first seed.",
        ],
        manifest=STAGE,
    )


def _row(made: Artefacts, experiment: int) -> dict[str, Any]:
    """Return what the best clustering of an experiment is, and its scores."""
    table: pd.DataFrame = made["experiments"]
    return {str(k): v for k, v in table[table["experiment"] == experiment].iloc[0].items()}


def _words(row: Mapping[str, Any]) -> str:
    coder = "with" if row["autoencoder"] else "without"
    return f"{row['features']}, {coder} autoencoder, {row['clusterer']}, k = {row['k']}"


def _names(made: Artefacts, experiment: int) -> dict[int, str]:
    own = made["names"][made["names"]["experiment"] == experiment]
    return {int(c): str(name) for c, name in zip(own["cluster"], own["name"], strict=True)}


def _sentence(what: str, effect: pd.Series) -> Line:
    sign = "raises" if effect["estimate"] > 0 else "lowers"
    return Line(
        f"{what} {sign} the silhouette in the space of the characteristics by "
        f"{abs(effect['estimate']):.3f} (95% interval over {int(effect['seeds'])} seeds: "
        f"{effect['low']:.3f} to {effect['high']:.3f}).",
        EFFECT,
    )


def _figures(
    made: Artefacts, best: Mapping[str, Any], effects: pd.DataFrame, told: HowComputed
) -> list[HeadlineFigure]:
    """Return the numbers of the first screen."""
    out = [
        HeadlineFigure(
            label="Best silhouette on the map",
            value=f"{best['silhouette, map']:.3f}",
            detail=f"experiment {best['experiment']}, {best['clusterer']}, k = {best['k']}",
            how=told,
        ),
        HeadlineFigure(
            label="The same clusters in the data",
            value=f"{best['silhouette, data']:.3f}",
            detail="silhouette among the characteristics",
            tone="caution",
            how=told,
        ),
    ]
    for name, label in (("autoencoder", "The autoencoder adds"), ("price data", "Price data add")):
        key = (name, "silhouette_input")
        change, low, high = (float(effects[c][key]) for c in ("estimate", "low", "high"))
        sure = low > 0 or high < 0
        out.append(
            HeadlineFigure(
                label=f"{label}, in the data",
                value=f"{change:+.3f}".replace("-", "−"),
                detail=f"silhouette; 95% interval {low:.3f} to {high:.3f}",
                tone="neutral" if not sure else "good" if change > 0 else "bad",
                how=EFFECT,
            )
        )
    plain: pd.DataFrame = made["plain"]
    own: pd.DataFrame = plain[(plain["method"] == "PCA") & (plain["score"] == "silhouette_input")]
    top = own.iloc[int(own["value"].argmax())]
    out.append(
        HeadlineFigure(
            label="PCA and K-means, in the data",
            value=f"{top['value']:.3f}",
            detail=f"its best silhouette: {top['features']}, k = {top['k']}",
            how=told,
        )
    )
    return out


def _clustered(made: Artefacts, told: HowComputed) -> ExtraSection:
    about = made["about"]
    used = pd.DataFrame(
        [(group, len(own), ", ".join(own)) for group, own in about["groups"].items()],
        columns=["group", "number", "characteristics"],
    )
    return ExtraSection(
        title="What was clustered",
        text=[
            f"{about['assets']} assets on {about['date']}; {about['left_out']} with fewer than "
            "half of the characteristics were left out."
        ],
        parts=[
            Table(title="Groups of characteristics", frame=used),
            Table(title="The best clustering of each experiment", frame=made["experiments"]),
        ],
        about=told,
    )


def _scores(made: Artefacts, score: str, told: HowComputed) -> ExtraSection:
    """Return a score of every experiment: the map open, the data and the spreads closed."""
    name, number = SCORES[score], {"silhouette": 2, "davies_bouldin": 5}[score]
    chart = charts.experiment_scores(made["scores"], metric=score, spaces=["embedding", "input"])

    def table(space: str, clusterer: str, statistic: str) -> Table:
        where = {"embedding": "on the map", "input": "in the data"}[space]
        what = {"mean": "mean", "std": "standard deviation"}[statistic]
        called = charts.CLUSTERERS[clusterer]
        return Table(
            title=f"{name} {where}, {called}: {what} over seeds",
            frame=made[f"table {score} {space} {clusterer} {statistic}"],
        )

    both = list(charts.CLUSTERERS)
    return ExtraSection(
        title=f"{name} (the paper's Table {number})",
        text=[DISAGREEMENT] if score == "silhouette" else [],
        parts=[
            Figure(chart=chart),
            table("embedding", both[0], "mean"),
            Fold(
                title="Spectral clustering",
                gist="instead of K-means",
                parts=[table("embedding", both[1], "mean")],
            ),
            Fold(
                title="In the space of the characteristics",
                gist="where no map has pulled the clusters apart",
                parts=[table("input", clusterer, "mean") for clusterer in both],
            ),
            Fold(
                title="Spread over seeds",
                parts=[table(s, c, "std") for s in ("embedding", "input") for c in both],
            ),
        ],
        how=how_computed([score], manifest=STAGE),
        about=told,
    )


def _maps(made: Artefacts, told: HowComputed) -> ExtraSection:
    places: pd.DataFrame = made["maps"]
    moving = places.rename(columns={"title": "date"})
    short = places["title"].str.replace(", with.*", "", regex=True)
    short = short.str.replace("original", "orig.").str.replace("extension", "ext.")
    columns = ["date", "asset", "cluster", "x", "y", "x3", "y3", "z3"]
    return ExtraSection(
        title="Maps in two and three dimensions (Tables 3 and 6)",
        text=[
            "The best clustering of each experiment by its silhouette on the map; 1 to 4 without, "
            "5 to 8 with autoencoder."
        ],
        parts=[
            Figure(chart=charts.maps(places.assign(title=short)), frame=places),
            Fold(
                title="One at a time, in two and three dimensions",
                parts=[ClusterSection(embeddings=moving[columns])],
            ),
        ],
        about=told,
    )


def _best(
    made: Artefacts, best: Mapping[str, Any], names: dict[int, str], told: HowComputed
) -> ExtraSection:
    number = int(best["experiment"])
    profiles = made["profiles"][made["profiles"]["experiment"] == number]
    boxes = made["boxes"][made["boxes"]["experiment"] == number].drop(columns="experiment")
    places = made["maps"][made["maps"]["experiment"] == number]
    columns = ["date", "asset", "cluster", "x", "y", "x3", "y3", "z3"]
    called = made["names"][made["names"]["experiment"] == number].drop(columns="experiment")
    standard = profiles.pivot(index="cluster", columns="feature", values="mean_z")
    order = list(dict.fromkeys(profiles["feature"]))
    return ExtraSection(
        title=f"The best clusters: experiment {number} (Tables 4 and 7 to 10)",
        text=[f"{_words(best)[0].upper()}{_words(best)[1:]}."],
        parts=[
            Table(title="Names by rule (the paper's Table 10)", frame=called),
            ClusterSection(
                names=names,
                profiles=standard[order],
                embeddings=places.assign(date=made["about"]["date"])[columns],
                how=how_computed(["profiles", "embedding"], manifest=STAGE),
            ),
            *box_plots(boxes, names, how=_box(told)),
            Fold(title="Means, medians and deviations", parts=[_profile(profiles)]),
        ],
        about=told,
    )


def _box(told: HowComputed) -> HowComputed:
    return HowComputed(
        formula="quartiles over the members of a cluster, in standard deviations from the mean",
        conventions=["Of the signed logarithms; whiskers at the 5% and 95% quantiles."],
        manifest=told.manifest,
    )


def _profile(frame: pd.DataFrame) -> Table:
    """Return means, medians and deviations, in original and in standard units."""
    return Table(
        title="Means, medians and deviations, in original and in standard units",
        frame=frame.drop(columns="experiment").rename(columns=STATISTICS).reset_index(drop=True),
    )


def _returns(made: Artefacts, names: dict[int, str], told: HowComputed) -> ExtraSection:
    risk: pd.DataFrame = made["return and risk"]
    called = risk.assign(name=[names.get(int(c), "") for c in risk["cluster"]])
    return ExtraSection(
        title="Return, risk and correlation of the best clusters (Table 11)",
        parts=[
            Figure(chart=charts.return_and_risk(risk.set_index("cluster"), names), frame=risk),
            Table(
                title="Return and risk per period",
                frame=called,
                formats={"mean": "percent", "std": "percent"},
            ),
            Plot(
                title="Correlation of the clusters' returns",
                frame=made["correlations"],
                kind="heat",
            ),
        ],
        about=HowComputed(
            formula="r = mean over a cluster's members; mean, deviation and correlation over dates",
            conventions=["Equally weighted, on the dates up to that of the cross-section."],
            manifest=told.manifest,
        ),
    )


def _plain(made: Artefacts, told: HowComputed) -> ExtraSection:
    plain: pd.DataFrame = made["plain"]
    wide = plain.pivot(index=["features", "k"], columns=["method", "score"], values="value")
    wide = wide.reindex(list(dict.fromkeys(plain["features"])), level="features")
    wide = wide[list(dict.fromkeys(zip(plain["method"], plain["score"], strict=True)))]
    shown = {
        "silhouette_embedding": "Silhouette where each method clusters: on its own map",
        "silhouette_input": "Silhouette in the space of the characteristics",
    }
    flat = wide.copy()
    words = {
        "silhouette_embedding": "silhouette, map",
        "silhouette_input": "silhouette, data",
        "davies_bouldin_embedding": "Davies-Bouldin, map",
    }
    keys: Any = wide.columns.tolist()
    flat.columns = pd.Index([f"{method}: {words[score]}" for method, score in keys])
    return ExtraSection(
        title="Beside principal components and K-means (Table 12)",
        parts=[
            *(
                Figure(chart=charts.methods(wide, score=score, title=title))
                for score, title in shown.items()
            ),
            Fold(
                title="Scores by features and k",
                parts=[Table(title="Scores by features and k", frame=flat.reset_index())],
            ),
        ],
        about=told,
    )


def _each(made: Artefacts, told: HowComputed) -> ExtraSection:
    """Return box plots and means of the best clustering of every experiment, closed."""
    folds: list[Part] = []
    for number in made["experiments"]["experiment"].tolist():
        row, names = _row(made, number), _names(made, number)
        profiles = made["profiles"][made["profiles"]["experiment"] == number]
        boxes = made["boxes"][made["boxes"]["experiment"] == number].drop(columns="experiment")
        called = made["names"][made["names"]["experiment"] == number].drop(columns="experiment")
        folds.append(
            Fold(
                title=f"Experiment {number}",
                gist=f"{_words(row)}: silhouette {row['silhouette, map']:.3f} on the map",
                parts=[
                    Table(title="Names by rule", frame=called),
                    *box_plots(boxes, names, how=_box(told)),
                    _profile(profiles),
                ],
            )
        )
    return ExtraSection(
        title="Box plots and means of every experiment (Tables 4, 7, 8 and 9)",
        parts=folds,
        about=told,
    )
