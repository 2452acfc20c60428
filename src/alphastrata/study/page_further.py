"""Further tests of a study as sections of the page, one for each benchmark."""

from __future__ import annotations

from collections.abc import Mapping

from alphastrata.report import ExtraSection, HowComputed, Plot, Table
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.further import about
from alphastrata.study.settings import StudyConfig

MANIFEST = "stage further"


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
        tables = [_table(found, entry) for entry in entries]
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


def _table(found: Artefacts, entry: Mapping[str, object]) -> Table:
    conventions = [str(line) for line in entry["conventions"]]  # type: ignore[attr-defined]
    # Those on the printed table, with its per cent, parentheses and stars, are not about this one.
    printed = ("*, **", "Alphas in per cent per period; t-statistics in parentheses")
    shown = [line for line in conventions if not line.startswith(printed)]
    frame = found[f"table {entry['number']}"]
    return Table(
        title=str(entry["title"]),
        frame=frame,
        notes=["In decimals per period.", *shown] if "estimate" in frame else shown,
        about=HowComputed(formula=str(entry["title"]), conventions=conventions, manifest=MANIFEST),
    )


def _joint(found: Artefacts, benchmark: str) -> list[Table]:
    """Return the joint tests of all results against one benchmark as one table."""
    if "statistics" not in found:
        return []
    rows = found["statistics"]
    rows = rows[rows["benchmark"] == benchmark].drop(columns="benchmark")
    if not len(rows):
        return []
    return [Table(title="Joint tests", frame=rows.reset_index(drop=True), formats={"p": "pvalue"})]


def _plots(found: Artefacts, entry: Mapping[str, object]) -> list[Plot]:
    """Return coefficients through time, one chart per coefficient."""
    return [
        Plot(
            title=f"{entry['name']}: {key}",
            frame=found[f"paths {entry['number']} {key}"],
            caption=f"{entry['title']}; dated by the last day of each window.",
            percent=key == "alpha",
        )
        for key in entry["paths"]  # type: ignore[attr-defined]
    ]
