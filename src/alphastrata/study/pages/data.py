"""Data, clusters, factors and provenance of a study as sections of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Note, Panel, Strata
from alphastrata.report import (
    ClusterSection,
    DataSection,
    ExtraSection,
    FactorSection,
    HowComputed,
    Membership,
    Plot,
    Table,
    how_computed,
)
from alphastrata.report.parts import Fold
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.manifest import sha256_of_json
from alphastrata.study.pages.explanations import explained
from alphastrata.study.settings import ClusterConfig, StudyConfig
from alphastrata.study.stages.estimators import described_clusters, described_map
from alphastrata.study.stages.performance import FORMATS

# What the scaler and the network learn from, by [[clusters]] train.
WINDOWS = {
    "pooled": "scaler and network learn from all of them.",
    "formation": "scaler and network learn from the last alone.",
}


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
                # The hash stands in the manifest.
                "source": re.sub(r" \(sha256 [0-9a-f]+\)", "", factors.source),
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
        vintages=Table(
            title="Sources and vintages",
            frame=vintages,
            about=HowComputed(
                formula="first and last date of the file, and how many between them",
                manifest="stage benchmarks",
            ),
        ),
        tables=[
            Table(
                title="Share of rows without the characteristic",
                frame=missing,
                formats={"missing": "percent"},
            )
        ],
        how=how_computed(["missing"], manifest="stage features"),
        about=HowComputed(
            formula="counted in the panel; a row is an asset in a month",
            conventions=[
                "What was dropped or changed was counted where it happened; its first column names "
                "the stage."
            ],
            manifest="stage features",
        ),
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


def own_notes(notes: list[str], made: Mapping[str, Artefacts]) -> list[str]:
    """Return the notes of a test that the data section does not already show."""
    shown = {str(note) for note in all_notes(made)}
    return [note for note in notes if note not in shown]


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
    names = {int(cluster): name for cluster, name in found["names"].items()}
    return ClusterSection(
        title=f"Clusters {config.name}",
        names=names,
        scores=found["scores"],
        profiles=found["profiles"],
        membership=membership,
        embeddings=found.get("embeddings"),
        parts=[
            Fold(
                title="In numbers",
                gist="medians, windows, moves and checks",
                parts=[
                    Table(
                        title="Median of each cluster, in original units, mean over windows",
                        frame=found["medians"],
                    ),
                    *(Table(title=title, frame=frame) for title, frame in checks.items()),
                ],
            ),
            *explained(found, names, manifest),
        ],
        how=how_computed(
            ["silhouette", "davies_bouldin", "calinski_harabasz", "membership", "profiles"],
            manifest=manifest,
            conventions=[
                "Nulls run the whole pipeline on data without clusters.",
                *_without_clusters(found),
            ],
        )
        | {"embedding": HowComputed(formula=described_map(config), manifest=manifest)},
        about=HowComputed(
            formula="computed in each window, on what was known at its formation date",
            conventions=[
                described_clusters(config),
                f"{'Growing w' if config.expanding else 'W'}indows of {config.window} months, "
                f"{config.step} months apart; {WINDOWS[config.train]}",
            ],
            manifest=manifest,
        ),
    )


def _without_clusters(found: Artefacts) -> list[str]:
    """Return the line on nulls in which no clusters were found, so that they have no scores."""
    few, of = found["nulls without clusters"]
    if not few:
        return []
    return [f"In {few} of {of} windows of the nulls there were fewer than two clusters to score."]


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
        about=HowComputed(
            formula="r = return of the long leg − return of the short leg",
            conventions=["Weights and costs as each factor's line says."],
            manifest="stage factors",
        ),
    )


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
            about=HowComputed(
                formula="published(t) = a + b · ours(t) + e(t) by least squares",
                conventions=["Over the dates that both have; returns in decimals per period."],
                manifest="stage replication",
                source="Fama and French (1993), Journal of Financial Economics 33, 3-56",
            ),
        )
    ]


def manifest_table(manifest: Mapping[str, Any]) -> pd.DataFrame:
    """Return the manifest as rows: key, value, detail, and the rows that each was made from."""
    rows: list[tuple[str, str, str, tuple[str, ...]]] = [
        ("alphastrata", manifest["alphastrata"], f"code {manifest['code'][:16]}", ()),
        ("settings", sha256_of_json(manifest["config"]), "in manifest.json: config", ()),
        ("seed", str(manifest["seed"]), "one for everything that draws", ()),
    ]
    rows += [
        (
            f"input {name}",
            file["sha256"],
            f"{file['bytes']:,} bytes" + (f", {file['vintage']}" if file["vintage"] else ""),
            (),
        )
        for name, file in manifest["inputs"].items()
    ]
    rows += [
        (f"stage {name}", stage["key"], _count(stage), _needs(stage))
        for name, stage in manifest["stages"].items()
    ]
    computer = manifest["machine"]
    threads = f"{computer['threads_per_worker']} thread per worker"
    rows.append(("machine", f"{computer['system']}, {computer['cpu_class']}", threads, ()))
    rows.append(("python", computer["python"], "", ()))
    rows += [(f"package {name}", found, "", ()) for name, found in computer["packages"].items()]
    return pd.DataFrame(rows, columns=["key", "value", "detail", "needs"])


def _count(stage: Mapping[str, Any]) -> str:
    many = len(stage["artefacts"])
    return f"{many} artefact{'s' * (many > 1)}"


def _needs(stage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the rows that a stage was made from."""
    stages = [f"stage {name}" for name in stage["needs"]]
    files = [f"input {name}" for name in stage["inputs"]]
    return ("settings", *files, *stages)
