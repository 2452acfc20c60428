"""From artefacts to the page: fills the report's records, and writes page and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Note, Panel, Statistic, Strata
from alphastrata.report import (
    AlphaPlot,
    ClusterSection,
    Coefficients,
    DataSection,
    FactorSection,
    HowComputed,
    Membership,
    ReportData,
    Table,
    TestSection,
    html,
    tables,
)
from alphastrata.study import words
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.performance import FORMATS
from alphastrata.study.settings import BenchmarkConfig, ClusterConfig, StudyConfig

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
        data=_data(config, made),
        clusters=[_clusters(part, made) for part in config.clusters],
        factors=_factors(made),
        tests=[_alphas(bench, made) for bench in config.benchmarks],
        fama_macbeth=[_cross_section(table.name, made) for table in config.tests.fama_macbeth],
        truth=made.get("truth", {}).get("truth"),
        manifest=_manifest(manifest),
    )


def _data(config: StudyConfig, made: Mapping[str, Artefacts]) -> DataSection:
    panel: Panel = made["features"]["panel"]
    counts = pd.DataFrame(
        [
            ("source", config.data.source, ""),
            ("assets", len(panel.assets), ""),
            ("months", len(panel.dates), f"{panel.dates[0]:%Y-%m} to {panel.dates[-1]:%Y-%m}"),
            ("rows (asset-months)", len(panel), ""),
            ("characteristics", len(config.characteristics), ", ".join(config.characteristics)),
        ],
        columns=["item", "value", "detail"],
    )
    alive = pd.Series(panel.offsets, dtype="int64").diff().iloc[1:].to_numpy()
    returns = panel.frame["ret"].groupby(level="date").count().reindex(panel.dates, fill_value=0)
    coverage = pd.DataFrame(
        {"in the panel": alive, "with a return": returns.to_numpy()}, index=panel.dates
    )
    for part in config.clusters:
        strata: Strata = made[f"clusters {part.name}"]["strata"]
        coverage[f"classified ({part.name})"] = strata.sizes().sum(axis=1).reindex(panel.dates)
    missing = pd.DataFrame(
        {
            "characteristic": config.characteristics,
            "missing": [float(pd.isna(panel.values(c)).mean()) for c in config.characteristics],
        }
    )
    vintages = pd.DataFrame(
        [
            {
                "benchmark": name,
                "source": factors.source,
                "vintage": factors.vintage or "bundled",
                "first": factors.dates[0],
                "last": factors.dates[-1],
                "dates": len(factors),
            }
            for name, factors in made["benchmarks"].items()
        ]
    )
    return DataSection(
        counts=counts,
        coverage=coverage,
        notes=list(dict.fromkeys(_all_notes(made))),
        vintages=vintages,
        tables=[
            Table(
                title="Share of rows without the characteristic",
                frame=missing,
                formats={"missing": "percent"},
            )
        ],
    )


def _all_notes(made: Mapping[str, Artefacts]) -> list[Note]:
    """Return the notes of every artefact, in the order of the stages."""
    kinds = (Panel, Strata, FactorReturns)
    return [
        note
        for stage in made.values()
        for value in stage.values()
        if isinstance(value, kinds)
        for note in value.notes
    ]


def _clusters(config: ClusterConfig, made: Mapping[str, Artefacts]) -> ClusterSection:
    found = made[f"clusters {config.name}"]
    strata: Strata = found["strata"]
    sizes = strata.sizes()
    sizes.columns = pd.RangeIndex(1, strata.n + 1)
    membership = Membership(sizes=sizes, flows=found["flows"], events=found["events"])
    manifest = f"stage clusters {config.name}"
    return ClusterSection(
        title=config.name,
        names=strata.names,
        scores=found["scores"],
        profiles=found["profiles"],
        membership=membership,
        embeddings=found.get("embeddings"),
        tables=[
            Table(
                title="Median of each cluster, in original units, mean over windows",
                frame=found["medians"],
            )
        ],
        how={
            "silhouette": HowComputed(
                formula="mean over assets of (b − a) / max(a, b)",
                conventions=[
                    "a: mean distance to the own cluster; b: to the nearest other one.",
                    "Nulls run the whole pipeline on data without clusters.",
                ],
                manifest=manifest,
                source="Rousseeuw (1987)",
            ),
            "davies_bouldin": HowComputed(
                formula="mean over clusters of max (s_i + s_j) / d_ij; smaller is better",
                manifest=manifest,
                source="Davies and Bouldin (1979)",
            ),
        },
    )


def _factors(made: Mapping[str, Artefacts]) -> FactorSection:
    found = made["performance"]
    monthly: FactorReturns = made["factors"]["spreads M"]
    return FactorSection(
        cumulative=found["growth"],
        drawdowns=found["drawdowns"],
        drawdown_dates=found.get("drawdown_dates"),
        summary=Table(
            title="Monthly long-short returns",
            frame=found["summary"],
            formats=FORMATS,
            notes=[
                "Mean, volatility, Sharpe ratio and one-sided turnover per year; t of the mean "
                "with Newey-West errors; kurtosis over 3.",
            ],
        ),
        correlations=found["correlations"],
        notes=[f"{name}" for name in monthly.source.split("; ")],
    )


def _own(notes: list[str], made: Mapping[str, Artefacts]) -> list[str]:
    """Return the notes that the data section does not already show."""
    shown = {str(note) for note in _all_notes(made)}
    return [note for note in notes if note not in shown]


def _alphas(config: BenchmarkConfig, made: Mapping[str, Artefacts]) -> TestSection:
    tests = made["tests"]
    name = f"alphas {config.name}"
    params, errors, tstats, pvalues, fit = (
        tests[f"{name} {part}"] for part in ("params", "std_errors", "tstats", "pvalues", "fit")
    )
    text = tests[f"{name} text"]
    period = "month" if config.frequency == "M" else "day"
    estimates = pd.DataFrame(
        {
            "alpha": params["alpha"],
            "low": params["alpha"] - ONE_TEST * errors["alpha"],
            "high": params["alpha"] + ONE_TEST * errors["alpha"],
            "tstat": tstats["alpha"],
        }
    )
    from scipy.stats import norm

    several = float(norm.ppf(1 - 0.025 / len(params)))
    joint = words.joint_tests(tests, config.name)
    return TestSection(
        title=f"Alphas and betas against {config.name}, per {period}",
        coefficients=Coefficients(
            params=params, tstats=tstats, pvalues=pvalues, extra=fit, percent=["alpha"]
        ),
        alphas=AlphaPlot(
            estimates=estimates,
            thresholds={
                "5%, one test": ONE_TEST,
                f"5%, Bonferroni over {len(params)}": several,
            },
        ),
        statistics=[
            Statistic(
                f"{test['name']}, strata of {grouping}",
                test["value"],
                test["pvalue"],
                test["null"],
                test["distribution"],
            )
            for grouping, test in joint.items()
        ],
        conventions=[
            *text["conventions"],
            *_own(text["notes"], made),
            *_left_out(tests.get(f"grs {config.name}", {})),
        ],
        how={
            "alpha": HowComputed(
                formula="r = α + β′f + e by least squares",
                conventions=text["conventions"],
                manifest="stage tests",
            )
        },
    )


def _left_out(joint: Mapping[str, Any]) -> list[str]:
    """Return, per grouping, why strata are not in the joint test."""
    lines = []
    for name, test in joint.items():
        if "skipped" in test:
            lines.append(f"No GRS test of the strata of {name}: {test['skipped']}.")
        elif test["left_out"]:
            lines.append(
                f"GRS of {name}: {len(test['left_out'])} strata without a return on every date "
                f"left out ({'; '.join(test['left_out'])})."
            )
    return lines


def _cross_section(name: str, made: Mapping[str, Artefacts]) -> TestSection:
    tests = made["tests"]
    table: pd.DataFrame = tests[f"cross-section {name} table"]
    text = tests[f"cross-section {name} text"]
    one_row = {part: table[part].to_frame(name).T for part in ("params", "tstats", "pvalues")}
    return TestSection(
        title=f"Fama-MacBeth: {name}",
        coefficients=Coefficients(
            params=one_row["params"],
            tstats=one_row["tstats"],
            pvalues=one_row["pvalues"],
            percent=list(table.index),
            transpose=True,
        ),
        by_date=tests[f"cross-section {name} coefficients"],
        conventions=[*text["conventions"], *_own(text["notes"], made)],
        how={
            "params": HowComputed(
                formula="λ̂ = mean over t of the slopes of r_t on x_{t−1}",
                conventions=text["conventions"],
                manifest="stage tests",
                source="Fama and MacBeth (1973)",
            )
        },
    )


def _manifest(manifest: Mapping[str, Any]) -> pd.DataFrame:
    rows: list[tuple[str, str, str]] = [
        ("alphastrata", manifest["alphastrata"], f"code {manifest['code'][:16]}"),
        ("seed", str(manifest["seed"]), ""),
    ]
    rows += [(f"input {name}", file["sha256"], f"{file['bytes']:,} bytes")
             for name, file in manifest["inputs"].items()]  # fmt: skip
    rows += [(f"stage {name}", stage["key"], f"{len(stage['artefacts'])} artefacts")
             for name, stage in manifest["stages"].items()]  # fmt: skip
    computer = manifest["machine"]
    rows.append(("machine", f"{computer['system']}, {computer['cpu_class']}", ""))
    rows += [(f"package {name}", version, "") for name, version in computer["packages"].items()]
    return pd.DataFrame(rows, columns=["key", "value", "detail"])


def write_page(page: ReportData, out: Path) -> list[Path]:
    """Write the report and every table as CSV, Markdown and LaTeX; return the files written."""
    written = [out / "report.html"]
    written[0].write_text(html(page), encoding="utf-8")
    folder = out / "tables"
    folder.mkdir(exist_ok=True)
    for name, table in _tables(page).items():
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        for suffix, text in (
            ("csv", tables.to_csv(table)),
            ("md", tables.to_markdown(table)),
            ("tex", tables.to_latex(table, caption=name)),
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
    if page.truth is not None:
        found["truth beside estimate"] = page.truth
    return found
