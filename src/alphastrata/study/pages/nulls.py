"""The null test of a clustering as a section of the page, and what it says in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from alphastrata.report import ExtraSection, HowComputed, Line, Table
from alphastrata.report.charts import nulls as charts_nulls
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig, StudyConfig

__all__ = ["LEVEL", "sections", "tested_on", "verdict"]

LEVEL = 0.05


def verdict(found: Artefacts) -> tuple[bool, str] | None:
    """Return whether the clusters beat every null in the features, with the p-values in words.

    None where no null test was asked for, or where there was nothing to score.
    """
    if "null test table" not in found:
        return None
    table = found["null test table"]
    start = "silhouette_input ("
    pvalues = {row[len(start) : -1]: p for row, p in table["p-value"].items() if start in row}
    if not pvalues:
        return None
    said = ", ".join(f"{charts_nulls.NULL_NAMES[kind]} {p:.2g}" for kind, p in pvalues.items())
    return all(p <= LEVEL for p in pvalues.values()), said


def tested_on(found: Artefacts) -> str:
    """Return the date whose cross-section was tested: the last one with clusters."""
    return f"{found['strata'].dates[-1]:%Y-%m-%d}"


def sections(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return the null test of every clustering that asks for one."""
    return [
        _section(part, made[f"clusters {part.name}"])
        for part in config.clusters
        if part.checks.null_test
    ]


def _section(part: ClusterConfig, found: Artefacts) -> ExtraSection:
    how = HowComputed(
        formula="p = (1 + draws that score at least as well) / (1 + draws)",
        conventions=[
            "One-sided. Every draw goes through the whole pipeline.",
            "Permuted columns keep every column's values; a Gaussian copula keeps smooth margins "
            "and correlations; one factor is all that columns share.",
        ],
        manifest=f"stage clusters {part.name}",
    )
    told = verdict(found)
    text = []
    if told is not None:
        beats, said = told
        does = "beats" if beats else "does not beat"
        line = (
            f"On {tested_on(found)}, the silhouette in the features {does} every null at "
            f"{LEVEL:.0%}: p = {said}."
        )
        text = [Line(line, how=how)]
    names = ("observed", "null mean", "null std", "calibrated", "p-value")
    return ExtraSection(
        title=f"Clusters against noise: {part.name}",
        text=text,
        parts=[
            charts_nulls.null_test(
                found["null test observed"]["observed"], found["null test simulated"]
            ),
            Table(
                title="Null test",
                frame=found["null test table"],
                formats={"p-value": "pvalue"},
                notes=[
                    f"{part.checks.draws} draws of each null; calibrated = (observed - mean) / "
                    "deviation under the null, positive is better than noise."
                ],
                how=dict.fromkeys(names, how),
            ),
        ],
        how=dict.fromkeys(names, how),
        about=how,
    )
