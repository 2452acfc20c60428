"""Data, clusters, factors and provenance of a study as sections of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Note, Panel, Strata
from alphastrata.report import (
    ClusterSection,
    DataSection,
    ExtraSection,
    FactorSection,
    Membership,
    Plot,
    Table,
    how_computed,
)
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.performance import FORMATS
from alphastrata.study.settings import ClusterConfig, StudyConfig


def data(config: StudyConfig, made: Mapping[str, Artefacts]) -> DataSection:
    """Return what the data were: counts, coverage, notes, vintages, missing shares."""
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
        notes=list(dict.fromkeys(all_notes(made))),
        vintages=vintages,
        tables=[
            Table(
                title="Share of rows without the characteristic",
                frame=missing,
                formats={"missing": "percent"},
            )
        ],
    )


def all_notes(made: Mapping[str, Artefacts]) -> list[Note]:
    """Return the notes of every artefact, in the order of the stages."""
    kinds = (Panel, Strata, FactorReturns)
    return [
        note
        for stage in made.values()
        for value in stage.values()
        if isinstance(value, kinds)
        for note in value.notes
    ]


def clusters(config: ClusterConfig, made: Mapping[str, Artefacts]) -> ClusterSection:
    """Return one clustering: scores beside noise, profiles, membership, maps, checks."""
    found = made[f"clusters {config.name}"]
    strata: Strata = found["strata"]
    sizes = strata.sizes()
    sizes.columns = pd.RangeIndex(1, strata.n + 1)
    membership = Membership(sizes=sizes, flows=found["flows"], events=found["events"])
    checks = {
        title.removeprefix("check "): frame
        for title, frame in found.items()
        if title.startswith("check ")
    }
    manifest = f"stage clusters {config.name}"
    return ClusterSection(
        title=f"Clusters {config.name}",
        names={int(cluster): name for cluster, name in found["names"].items()},
        scores=found["scores"],
        profiles=found["profiles"],
        membership=membership,
        embeddings=found.get("embeddings"),
        tables=[
            Table(
                title="Median of each cluster, in original units, mean over windows",
                frame=found["medians"],
            ),
            *(Table(title=title, frame=frame) for title, frame in checks.items()),
        ],
        how=how_computed(
            ["silhouette", "davies_bouldin", "calinski_harabasz", "membership", "profiles"],
            manifest=manifest,
            conventions=["Nulls run the whole pipeline on data without clusters."],
        ),
    )


def factors(made: Mapping[str, Artefacts]) -> FactorSection:
    """Return what the factors earned, gross and (where costs are set) net."""
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
        notes=monthly.source.split("; "),
        how=how_computed(
            [*found["summary"].columns, "growth", "drawdown", "correlations"],
            manifest="stage performance",
            conventions=["Monthly returns; twelve months in a year."],
        ),
    )


def money(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return what the factors earn in money, and information coefficients, where asked for."""
    out = []
    if config.backtest is not None:
        found = made["backtest"]
        rates = ("gross", "trading", "borrowing", "net", "traded")
        out.append(
            ExtraSection(
                title="In money",
                text=[
                    f"Every factor starts with {config.backtest.capital:,.0f} and trades to its "
                    "weights on its formation dates; holdings drift in between. Gross less trading "
                    "less borrowing is net on every date."
                ],
                tables=[
                    Table(
                        title="Per year, of wealth",
                        frame=found["summary"],
                        formats=dict.fromkeys(rates, "percent"),
                    )
                ],
                parts=[Plot(title="Wealth", frame=found["wealth"])],
            )
        )
    if config.tests.information:
        found = made["information"]
        out.append(
            ExtraSection(
                title="Information coefficients",
                text=[
                    "Rank correlation, by date, of a characteristic with the return of the months "
                    "after it; t with Newey-West errors that cover the overlap."
                ],
                tables=[
                    Table(
                        title="By horizon in months",
                        frame=found["table"],
                        formats={"p": "pvalue", "dates": "integer", "positive": "percent"},
                    )
                ],
                parts=[
                    Plot(
                        title="Mean by horizon",
                        frame=found["means"].rename(index=lambda h: f"{h} months"),
                        kind="bars",
                    )
                ],
            )
        )
    return out


def replication(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return the certificate of replicated factors, where the study asks for one."""
    if config.replication is None:
        return []
    found = made["replication"]
    ours: FactorReturns = found["factors"]
    growth = (1.0 + ours.frame.fillna(0.0)).cumprod()
    return [
        ExtraSection(
            title=f"Replication of {', '.join(ours.factors)}",
            text=[
                "Two size groups by three, formed at the end of June, as Fama and French state "
                f"them, from this market; held against {config.replication.against}.",
                *found["text"]["notes"],
            ],
            tables=[
                Table(
                    title="Replication certificate",
                    frame=found["certificate"],
                    notes=["Slope and R squared of the published return on ours, per period."],
                )
            ],
            parts=[Plot(title="Growth of one unit, replicated factors", frame=growth)],
        )
    ]


def manifest_table(manifest: Mapping[str, Any]) -> pd.DataFrame:
    """Return the manifest as rows: key, value, detail."""
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
