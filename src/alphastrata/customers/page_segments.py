"""The segments on the page: who is in each, how many there are, and why a customer is where."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.customers import charts
from alphastrata.customers.result import StudyResult
from alphastrata.report import Chart, ExtraSection, HowComputed, Table
from alphastrata.report.charts.clusters import profiles as profile_chart

__all__ = ["how_many", "segments", "why"]

DRAWN = 600
SHOWN = 18


def segments(result: StudyResult) -> ExtraSection:
    """Return who is in each segment: sentences, sizes and profiles."""
    own = result.explanation.profiles
    parts: list[str | Table | Chart] = [own.sentences[k] for k in sorted(own.sentences)]
    parts.append(charts.shares_chart(own.shares, own.names))
    if result.found.n_segments > 1:
        spread = own.scores.abs().max().sort_values(ascending=False, kind="stable")
        made = set(result.found.table.columns())
        top = [c for c in spread.index if c[0] in made][:SHOWN]
        heat = pd.DataFrame(own.scores[top])
        heat.columns = [_column(c, v) for c, v in top]
        chart = profile_chart(heat, own.names)
        parts.append(
            Chart(
                title="What sets the segments apart",
                caption="How far a segment lies from the average customer, in standard deviations "
                "of the column (numbers by their ranks, words by their shares).",
                data=chart.data,
                layout=chart.layout,
                height=chart.height,
                narrow=chart.narrow,
            )
        )
    summary = own.summary.rename(
        columns=lambda k: k if k == "all" else charts.label(int(k), own.names)
    )
    summary.index = pd.Index([str(c).replace("_", " ") for c in summary.index], name="column")
    parts.append(
        Table(
            title="The typical customer of each segment",
            frame=summary,
            notes=["Medians of numbers and levels; the most frequent word with its share."],
        )
    )
    return ExtraSection(
        title="The segments",
        parts=parts,
        about=HowComputed(
            formula="median, most frequent word or share over the members of a segment",
            conventions=[
                "Weighted where the table has weights.",
            ],
            manifest="settings",
        ),
    )


def _column(name: str, level: str) -> str:
    plain = str(name).replace("_", " ")
    return f"{plain}: {level}" if level else plain


def how_many(result: StudyResult) -> ExtraSection:
    """Return how many segments the data support, and how sure that is."""
    found = result.found
    parts: list[str | Table | Chart] = [found.sentence()]
    if len(found.choice.table) > 1:
        parts.append(charts.k_chart(found.choice, found.n_segments))
    if found.n_segments > 1:
        coordinates, labels = _drawn(result)
        if len(np.unique(labels)) > 1:
            names = result.explanation.profiles.names
            parts.append(charts.silhouette_chart(coordinates, labels, names))
            parts.append(charts.map_chart(coordinates, labels, names))
    shown = ["silhouette", "davies_bouldin", "null_mean", "null_max", "calibrated", "z"]
    shown += ["input_calibrated", "stability", "smallest", "supported"]
    table = found.choice.table[shown].rename(columns=lambda c: c.replace("_", " "))
    parts.append(
        Table(
            title=f"Numbers of segments, by {found.stages}",
            frame=table,
            formats={"smallest": "percent"},
            notes=[
                "Supported: above every draw of one cloud, by five of their deviations and 2% of "
                "the room, and two halves agree by at least 0.5. Taken: the largest k within a "
                "tenth of the highest silhouette above chance times stability."
            ],
        )
    )
    if found.search is not None:
        parts.append(
            Table(
                title="The stages that were tried",
                frame=found.search.table.rename(columns=lambda c: c.replace("_", " ")),
                formats={"k": "integer", "round": "integer"},
                notes=[
                    "Each against the same customers without segments. Round 1: few draws; round "
                    "2: the best three with the whole effort."
                ],
            )
        )
    return ExtraSection(
        title="How many, and how sure",
        parts=parts,
        about=HowComputed(
            formula="s = mean of (b − a) / max(a, b); calibrated: (s − s₀) / (1 − s₀)",
            conventions=[
                "s₀: mean over draws of one cloud with the same margins and correlations, through "
                "the same stages; z: (s − s₀) / sd of those draws.",
                "Stability: adjusted Rand index of the segments found in two halves.",
            ],
            manifest="settings",
            source="Rousseeuw (1987); Hubert and Arabie (1985)",
        ),
    )


def _drawn(result: StudyResult) -> tuple[np.ndarray, np.ndarray]:
    found = result.found
    rows = np.unique(found.sample)[:DRAWN]
    labels = found.labels.to_numpy()[rows]
    rows = rows[labels > 0]
    coordinates = found.model.coordinates(found.table.features().iloc[rows])
    return coordinates, found.labels.to_numpy()[rows]


def why(result: StudyResult) -> ExtraSection:
    """Return what puts a customer into its segment."""
    own = result.explanation
    names = own.profiles.names
    parts: list[str | Table | Chart] = []
    if own.shapley is not None:
        parts.append(charts.shapley_chart(own.shapley.importance, names))
        parts.append(
            f"The values belong to a forest that imitates the segments; on customers whom it has "
            f"not seen it gives {own.shapley.fidelity:.0%} their own segment."
        )
    if own.rules is not None and own.tree is not None:
        rules = own.rules.reset_index()
        rules["segment"] = [charts.label(int(k), names) for k in rules["segment"]]
        parts.append(
            Table(
                title="One rule per segment",
                frame=rules,
                formats={"precision": "percent", "coverage": "percent"},
                notes=[
                    f"From a tree of depth four that gives {own.tree.fidelity:.0%} of held-out "
                    f"customers their segment (always naming the largest: {own.tree.chance:.0%}). "
                    "Precision: of those who fit the rule; coverage: of the segment."
                ],
            )
        )
    parts.append(charts.network_chart(own.columns))
    if own.customers is not None:
        parts.append(charts.customers_chart(own.customers, names))
    tests = own.profiles.differences.reset_index().rename(columns={"made_by": "made by"})
    parts.append(
        Table(
            title="Tests of difference between segments",
            frame=tests,
            formats={"pvalue": "pvalue", "adjusted": "pvalue"},
            notes=[
                'Columns marked "segmentation" made the segments, so that their p-values prove '
                'nothing: read the effects. Those marked "outside" did not.'
            ],
        )
    )
    return ExtraSection(
        title="Why",
        parts=parts,
        about=HowComputed(
            formula="as the line under each table says",
            conventions=[
                "Fidelity, precision and coverage on customers held out.",
                "P-values adjusted over columns.",
            ],
            manifest="settings",
        ),
    )
