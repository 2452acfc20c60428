"""Further tests of a study as sections of the page, one for each benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alphastrata.report import ExtraSection, HowComputed, Plot, Table
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.pages.data import own_notes
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.further import about
from alphastrata.study.stages.trials import ADJUSTED

MANIFEST = "stage further"
UNITLESS = ("tangency", "dimson", "downside", "double_selection")
"""Tests whose estimates are weights, betas or loadings, and no returns."""


def further(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return the further tests that the study asks for, and what was skipped."""
    if not config.tests.asked:
        return []
    found = made["further"]
    sections = []
    for bench in config.benchmarks:
        entries = about(found, bench.name)
        skipped = [
            f"{entry['name']} could not be computed: {entry['reason']}"
            for entry in found["skipped"]
            if entry["benchmark"] == bench.name
        ]
        if not entries and not skipped:
            continue
        tables = [_table(config, made, entry) for entry in entries]
        joint = _joint(found, bench.name)
        sections.append(
            ExtraSection(
                title=f"Further tests against {bench.name}",
                text=skipped,
                tables=[*joint, *tables],
                parts=[plot for entry in entries for plot in _plots(found, entry)],
                about=HowComputed(
                    formula="statistic and p-value as the test's own table says",
                    manifest=MANIFEST,
                ),
            )
        )
    return sections


def _table(config: StudyConfig, made: Mapping[str, Artefacts], entry: Mapping[str, Any]) -> Table:
    found = made["further"]
    conventions = [str(line) for line in entry["conventions"]]
    # Those on the printed table, with its per cent, parentheses and stars, are not about this one.
    printed = ("*, **", "Alphas in per cent per period; t-stat", "t-statistics in parentheses")
    shown = [line for line in conventions if not line.startswith(printed)]
    frame = found[f"table {entry['number']}"]
    estimates = any(str(name).endswith("estimate") for name in frame)
    returns = estimates and config.tests.asked[entry["number"]].test not in UNITLESS
    return Table(
        title=str(entry["title"]),
        frame=frame,
        formats={str(name): "pvalue" for name in frame if _is_pvalue(str(name))},
        notes=[
            *(["In decimals per period."] if returns else []),
            *shown,
            *own_notes(entry["notes"], made),
        ],
        about=HowComputed(formula=str(entry["title"]), conventions=conventions, manifest=MANIFEST),
    )


def _is_pvalue(name: str) -> bool:
    """Return whether a column of a result's table holds p-values.

    Examples
    --------
    >>> [_is_pvalue(name) for name in ("p", "F p", "p vs CAPM", "holm", "periods")]
    [True, True, True, True, False]
    """
    return name in ADJUSTED or name == "p" or name.startswith(("p ", "p_")) or name.endswith(" p")


def _joint(found: Artefacts, benchmark: str) -> list[Table]:
    """Return the joint tests of all results against one benchmark as one table."""
    if "statistics" not in found:
        return []
    rows = found["statistics"]
    rows = rows[rows["benchmark"] == benchmark].drop(columns="benchmark")
    if not len(rows):
        return []
    return [Table(title="Joint tests", frame=rows.reset_index(drop=True), formats={"p": "pvalue"})]


def _plots(found: Artefacts, entry: Mapping[str, Any]) -> list[Plot]:
    """Return coefficients through time, one chart per coefficient."""
    return [
        Plot(
            title=f"{entry['name']}: {key}",
            frame=found[f"paths {entry['number']} {key}"],
            caption=f"{entry['title']}; dated by the last day of each window.",
            percent=key == "alpha",
        )
        for key in entry["paths"]
    ]
