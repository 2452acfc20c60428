"""From artefacts to the page: fills the report's records, and writes page and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Strata
from alphastrata.report import Plot, ReportData, html, tables
from alphastrata.report.parts import frames_of
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.pages import data as page_data
from alphastrata.study.pages import further as page_further
from alphastrata.study.pages import money as page_money
from alphastrata.study.pages import nulls as page_nulls
from alphastrata.study.pages import search as page_search
from alphastrata.study.pages import tests as page_tests
from alphastrata.study.pages import words
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
            page_tests.many_tests(made, config.reference.name),
        ],
        fama_macbeth=[
            page_tests.cross_section(table.name, made) for table in config.tests.fama_macbeth
        ],
        truth=page_tests.truth(made),
        extras=[
            *page_nulls.sections(config, made),
            *page_search.sections(config, made),
            *page_further.further(config, made),
            *page_money.sections(config, made),
            *page_data.replication(config, made),
        ],
        specifications=page_tests.specifications(config, made),
        manifest=page_data.manifest_table(manifest),
    )


def write_page(page: ReportData, out: Path, *, name: str = "report") -> list[Path]:
    """Write the page and every table as CSV, parquet, Markdown and LaTeX; return the files."""
    written = [out / f"{name}.html"]
    written[0].write_text(html(page), encoding="utf-8")
    folder = out / ("tables" if name == "report" else f"{name}-tables")
    folder.mkdir(exist_ok=True)
    taken: set[str] = set()
    for title, table in _tables(page).items():
        slug = _slug(title, taken)
        csv = tables.to_csv(table)
        for suffix, text in (
            ("csv", csv),
            ("md", tables.to_markdown(table)),
            ("tex", tables.to_latex(table, caption=title)),
        ):
            path = folder / f"{slug}.{suffix}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
        # The very cells of the CSV, formulas neutralised, with their types.
        path = folder / f"{slug}.parquet"
        pd.read_csv(StringIO(csv)).to_parquet(path)
        written.append(path)
    return written


def _slug(title: str, taken: set[str]) -> str:
    """Return a file name for a title, another one for each title."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:100] or "table"
    slug, number = plain, 2
    while slug in taken:
        slug, number = f"{plain}-{number}", number + 1
    taken.add(slug)
    return slug


def write_results(made: Mapping[str, Artefacts], out: Path) -> list[Path]:
    """Write returns and labels as CSV (formulas neutralised) and parquet; return the files."""
    folder = out / "results"
    frames: dict[str, pd.DataFrame] = {}
    for name, value in made["factors"].items():
        if isinstance(value, FactorReturns):
            frames[name] = value.frame
    for stage, found in made.items():
        strata = found.get("strata")
        if isinstance(strata, Strata):
            frames[f"labels {stage}"] = strata.labels.astype("int64").to_frame()
    frames |= page_money.by_date(made)
    return write_frames({name: frame.reset_index() for name, frame in frames.items()}, folder)


def write_frames(frames: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write frames as CSV (formulas neutralised) and parquet into a folder; return the files."""
    folder.mkdir(exist_ok=True)
    written, taken = [], set[str]()
    for name, frame in frames.items():
        slug = _slug(name, taken)
        csv = folder / f"{slug}.csv"
        csv.write_text(tables.to_csv(frame), encoding="utf-8")
        parquet = folder / f"{slug}.parquet"
        frame.to_parquet(parquet)
        written += [csv, parquet]
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
        found |= {f"{cluster.title} {table.title}": table for table in cluster.tables}
        found |= dict(frames_of(cluster.parts, cluster.title))
    for extra in page.extras:
        drawn = [part for part in extra.parts if not isinstance(part, Plot)]
        found |= dict(frames_of([*extra.tables, *drawn], extra.title))
    for section in page.tests:
        for table in section.tables:
            found[f"{section.title} {table.title}"] = table
    if page.truth is not None:
        found["truth beside estimate"] = page.truth
    return found
