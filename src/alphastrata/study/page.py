"""From artefacts to the page: fills the report's records, and writes page and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alphastrata.report import (
    ReportData,
    html,
    tables,
)
from alphastrata.study import page_data, page_tests, words
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import StudyConfig

# Two-sided 5% of the normal distribution, for one test and (Bonferroni) for several.
ONE_TEST = 1.959963984540054


def page_of(
    config: StudyConfig, made: Mapping[str, Artefacts], manifest: Mapping[str, Any]
) -> ReportData:
    """Return everything that the report shows.

    Parameters
    ----------
    config
        The study.
    made
        Artefacts by stage.
    manifest
        What went in; becomes the last section.
    """
    return ReportData(
        title=config.title or config.name,
        question=config.question,
        answer=words.answer(config, made),
        figures=words.figures(config, made),
        warnings=words.warnings(config, made),
        data=page_data.data(config, made),
        clusters=[page_data.clusters(part, made) for part in config.clusters],
        factors=page_data.factors(made),
        tests=[
            *(page_tests.alphas(bench, made) for bench in config.benchmarks),
            *(page_tests.spanning(bench, made) for bench in config.benchmarks),
            page_tests.many_tests(made, words.reference(config).name),
        ],
        fama_macbeth=[
            page_tests.cross_section(table.name, made) for table in config.tests.fama_macbeth
        ],
        truth=made.get("truth", {}).get("truth"),
        extras=[
            *page_tests.battery(config, made),
            *page_data.money(config, made),
            *page_data.replication(config, made),
        ],
        specifications=page_tests.specifications(config, made),
        manifest=page_data.manifest_table(manifest),
    )


def write_page(page: ReportData, out: Path, *, name: str = "report") -> list[Path]:
    """Write the page and every table as CSV, Markdown and LaTeX; return the files written."""
    written = [out / f"{name}.html"]
    written[0].write_text(html(page), encoding="utf-8")
    folder = out / ("tables" if name == "report" else f"{name}-tables")
    folder.mkdir(exist_ok=True)
    for title, table in _tables(page).items():
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        for suffix, text in (
            ("csv", tables.to_csv(table)),
            ("md", tables.to_markdown(table)),
            ("tex", tables.to_latex(table, caption=title)),
        ):
            path = folder / f"{slug}.{suffix}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def _tables(page: ReportData) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section in (*page.tests, *page.fama_macbeth):
        if section.coefficients is not None:
            found[section.title] = section.coefficients
    if page.factors is not None and page.factors.summary is not None:
        found["performance"] = page.factors.summary
    for cluster in page.clusters:
        if cluster.profiles is not None:
            found[f"profiles {cluster.title}"] = cluster.profiles
        if cluster.scores is not None:
            found[f"scores {cluster.title}"] = cluster.scores
    for extra in page.extras:
        for table in extra.tables:
            found[f"{extra.title} {table.title}"] = table
    for section in page.tests:
        for table in section.tables:
            found[f"{section.title} {table.title}"] = table
    if page.truth is not None:
        found["truth beside estimate"] = page.truth
    return found
