"""Searches as sections of the page: the number of clusters, and the settings of a clustering."""

from __future__ import annotations

from collections.abc import Mapping

from alphastrata.report import ExtraSection, HowComputed, Line, Table
from alphastrata.report.charts import search as charts_search
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import StudyConfig, TuneConfig
from alphastrata.study.stages.tuning import SCORES

__all__ = ["answer", "sections", "tuning_section", "warnings"]


def sections(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return what the searches of a study found, for those that it asks for."""
    out = [
        _numbers_of_clusters(part.name, made[f"clusters {part.name}"])
        for part in config.clusters
        if part.checks.choose_k
    ]
    return [*out, tuning_section(config, made["tune"])] if "tune" in made else out


def _numbers_of_clusters(name: str, found: Artefacts) -> ExtraSection:
    """Return every criterion for the number of clusters, side by side."""
    table, choices = found["criteria for k"], found["choices of k"]["k"]
    said = ", ".join(f"{criterion} {int(k)}" for criterion, k in choices.items())
    manifest = f"stage clusters {name}"
    how = {
        "elbow": HowComputed(
            formula="the k at which the falling squares are farthest below their chord",
            manifest=manifest,
            source="Satopää et al. (2011)",
        ),
        "gap": HowComputed(
            formula="mean of log W_k on uniform data − log W_k",
            conventions=["Smallest k whose gap is within one standard error of the next one's."],
            manifest=manifest,
            source="Tibshirani, Walther and Hastie (2001)",
        ),
        "stability": HowComputed(
            formula="mean adjusted Rand index of half samples with the whole",
            manifest=manifest,
            source="Lange et al. (2004)",
        ),
        "calibrated": HowComputed(
            formula="(silhouette in the features − its mean on the null) / its deviation there",
            conventions=["The whole pipeline on data of the same margins without clusters."],
            manifest=manifest,
        ),
    }
    return ExtraSection(
        title=f"How many clusters: {name}",
        text=[Line(f"On the last cross-section the criteria choose: {said}.", how=how["elbow"])],
        parts=[
            charts_search.choose_k(table, choices),
            Table(title="Criteria for the number of clusters", frame=table, how=how),
        ],
        how=how,
        about=HowComputed(
            formula="transformers and map fitted once, the clusterer for each k",
            conventions=["On the last formation date."],
            manifest=manifest,
        ),
    )


def tuning_section(config: StudyConfig, made: Artefacts, *, alone: bool = False) -> ExtraSection:
    """Return the search as a section: what was tried, what is best, table and plot.

    On a page of its own (``alone``), answer and warnings stand on top already.
    """
    about, table = made["about"], made["table"]
    how = HowComputed(
        formula="mean over folds and seeds of the score of assets that were not in training",
        conventions=[
            _label(config.tune),
            "Spread: standard deviation over folds and seeds. Clusters: found among the assets "
            "held out, mean. Noise: share of them left unclassified.",
        ],
        manifest="stage tune",
    )
    return ExtraSection(
        title=f"Settings of {about['clusters']}",
        text=[] if alone else [*answer(config, made), *warnings(made)],
        tables=[
            Table(
                title="Settings, best first",
                frame=table,
                formats={"noise": "percent"},
                notes=[
                    f"{about['assets']} assets on {about['date']}; {about['left_out']} with fewer "
                    "than half of the features left out."
                ],
                about=how,
            )
        ],
        parts=[charts_search.tuning(table, label=_label(config.tune))],
        about=how,
    )


def answer(config: StudyConfig, made: Artefacts) -> list[str]:
    """Return in words which setting is best, and whether it is better than the study's own."""
    about, table = made["about"], made["table"]
    best, own = table.iloc[0], about["own"]
    chosen = ", ".join(
        f"{key} = {best[key]}" for key in table.columns.drop(list(SCORES)) if str(best[key])
    )
    gain = float(best["score"]) - own["score"]
    verdict = (
        "less than the spread over folds and seeds, so that there is nothing to gain"
        if gain < float(best["spread"])
        else "more than the spread over folds and seeds"
    )
    how = HowComputed(formula=_label(config.tune), manifest="stage tune")
    return [
        Line(
            f"Of {about['settings']} settings the best is {chosen}: {best['score']:.3f}, with a "
            f"spread of {best['spread']:.3f}.",
            how=how,
        ),
        Line(
            f"The study's own settings of {about['clusters']} score {own['score']:.3f}; the "
            f"difference of {gain:.3f} is {verdict}.",
            how=how,
        ),
    ]


def warnings(made: Artefacts) -> list[str]:
    """Return what has to be known before the best setting is taken over."""
    about = made["about"]
    out = [
        "The best of many settings is flattered by the search: its score on other dates will be "
        "lower."
    ]
    if about["date"] > about["first"]:
        out.append(
            f"The settings are chosen on {about['date']}, after labels are first formed on "
            f"{about['first']}: labels before it would have looked ahead."
        )
    return out


def _label(tune: TuneConfig | None) -> str:
    wanted = tune or TuneConfig(grid=({"n_clusters": (2,)},))
    name = wanted.score.replace("_", "-")
    sign = "minus " if wanted.score == "davies_bouldin" else ""
    space = "scaled features" if wanted.space == "input" else "space that is clustered"
    return f"{sign}{name} in the {space}, {wanted.folds} folds, {wanted.seeds} seeds"
