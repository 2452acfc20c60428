"""The first screen in words: the answer, the five figures and the warnings, from the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from alphastrata import data
from alphastrata.core import Note, Panel
from alphastrata.report import HeadlineFigure, HowComputed, Line, how_computed
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.pages import nulls as page_nulls
from alphastrata.study.settings import StudyConfig

# Below this many observations, asymptotic standard errors deserve a warning.
FEW = 60
SIGNIFICANT = 0.05


def _percent(value: float, digits: int = 2) -> str:
    return f"{100 * value:+.{digits}f}%".replace("-", "−")


def _t(value: float) -> str:
    return f"t = {value:.2f}".replace("-", "−")


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _alpha_told(config: StudyConfig, made: Mapping[str, Artefacts]) -> HowComputed:
    """Return how the alphas of the first screen were computed."""
    return HowComputed(
        formula="r = α + β′f + e by least squares; t = α̂ / standard error",
        conventions=made["tests"][f"alphas {config.reference.name} text"]["conventions"],
        manifest="stage tests",
    )


def _grs_told(test: Mapping[str, Any]) -> HowComputed:
    """Return how a joint test was computed."""
    return how_computed(["GRS"], conventions=test["conventions"], manifest="stage tests")["GRS"]


def _silhouette_told(name: str) -> HowComputed:
    """Return how the silhouette of a clustering was computed."""
    means = ["Mean over windows; noise: the same pipeline on data without clusters."]
    found = how_computed(["silhouette"], conventions=means, manifest=f"stage clusters {name}")
    return found["silhouette"]


def answer(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[str]:
    """Return the answer in about three sentences."""
    bench = config.reference
    tests = made["tests"]
    names = [part.name for part in config.parts]
    params, tstats, pvalues = (
        tests[f"alphas {bench.name} {part}"].loc[names] for part in ("params", "tstats", "pvalues")
    )
    period = "month" if bench.frequency == "M" else "day"
    best = tstats["alpha"].abs().idxmax()
    found = pvalues.index[pvalues["alpha"] < SIGNIFICANT]
    n = len(params)
    size = f"{_percent(params.loc[best, 'alpha'])} per {period} ({_t(tstats.loc[best, 'alpha'])})"
    rule = f"an alpha against {bench.name} that differs from zero at 5%"
    listed = f" ({', '.join(map(str, found))})" if len(found) else ""
    which = {0: "None", n: "All"}.get(len(found), f"{len(found)}")
    alphas = (
        f"{which} of the {n} long-short factors{listed} {'has' if len(found) < 2 else 'have'} "
        f"{rule}, each taken alone; the clearest is {best} with {size}."
        if n > 1
        else f"The long-short factor {best} {'has' if len(found) else 'does not have'} {rule}: "
        f"{size}."
    )
    sentences: list[str] = [Line(alphas, _alpha_told(config, made))]
    joint = joint_tests(tests, bench.name)
    if joint:
        rejected = [name for name, test in joint.items() if test["pvalue"] < SIGNIFICANT]
        said = ", ".join(f"{name} {_p(test['pvalue'])}" for name, test in joint.items())
        together = (
            f"Jointly over all strata of each grouping, the GRS test rejects zero alphas for "
            f"{len(rejected)} of {len(joint)} ({said})."
        )
        sentences.append(Line(together, _grs_told(next(iter(joint.values())))))
    for part in config.clusters:
        told = _silhouette_told(part.name)
        sentences.append(Line(cluster_sentence(part.name, made[f"clusters {part.name}"]), told))
    return sentences


def cluster_sentence(name: str, found: Artefacts) -> str:
    """Return what the first screen says of a clustering beside noise."""
    summary, tested = noise(found), page_nulls.verdict(found)
    if tested is not None:
        beats, pvalues = tested
        does = "beats" if beats else "does not beat"
        return (
            f"The clusters of {name} on {page_nulls.tested_on(found)}: their silhouette in the "
            f"features {does} what the same pipeline finds in data without clusters "
            f"(p = {pvalues})."
        )
    if summary is None:
        return f"The clusters of {name} were not compared with noise."
    score, low, high = summary
    verdict = (
        "more than the same pipeline finds in data without clusters"
        if score > high
        else "no more than the same pipeline finds in data without clusters"
    )
    return (
        f"The clusters of {name} have a mean silhouette of {score:.3f} on the map, {verdict} "
        f"({low:.3f} to {high:.3f}; {_draws(found)} draws, which are not a test)."
    )


def _draws(found: Artefacts) -> int:
    """Return how often the whole pipeline was run on data without clusters."""
    scores: pd.DataFrame = found["scores"]
    nulls = scores[scores["source"] != "data"]
    return int(nulls.groupby(["metric", "space", "date"]).size().max())


def noise(found: Artefacts) -> tuple[float, float, float] | None:
    """Return the mean silhouette of the data and the lowest and highest mean over the nulls."""
    scores: pd.DataFrame = found["scores"]
    spaces = [s for s in ("embedding", "latent", "input") if s in set(scores["space"])]
    if not spaces:
        return None
    chosen = scores[(scores["metric"] == "silhouette") & (scores["space"] == spaces[0])]
    by_source = chosen.groupby("source")["score"].mean()
    nulls = by_source.drop("data", errors="ignore")
    # HDBSCAN may find fewer than two clusters, in the data or in all nulls: nothing to score.
    if not len(nulls) or "data" not in by_source:
        return None
    return float(by_source["data"]), float(nulls.min()), float(nulls.max())


def figures(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[HeadlineFigure]:
    """Return the five numbers of the first screen."""
    bench = config.reference
    tests, panel = made["tests"], made["features"]["panel"]
    names = [part.name for part in config.parts]
    params, tstats, pvalues = (
        tests[f"alphas {bench.name} {part}"].loc[names] for part in ("params", "tstats", "pvalues")
    )
    period = "month" if bench.frequency == "M" else "day"
    how = _alpha_told(config, made)
    order = tstats["alpha"].abs().sort_values(ascending=False).index[:2]
    out = [
        HeadlineFigure(
            label=f"Alpha of {name}",
            value=float(params.loc[name, "alpha"]),
            format="percent",
            detail=f"per {period} against {bench.name}, {_t(tstats.loc[name, 'alpha'])}",
            tone="good" if pvalues.loc[name, "alpha"] < SIGNIFICANT else "neutral",
            how=how,
        )
        for name in order
    ]
    joint = joint_tests(tests, bench.name)
    if joint:
        name = min(joint, key=lambda key: joint[key]["pvalue"])
        out.append(
            HeadlineFigure(
                label=f"GRS, strata of {name}",
                value=joint[name]["pvalue"],
                format="pvalue",
                detail=f"p-value; F = {joint[name]['value']:.2f}, {joint[name]['distribution']}",
                tone="good" if joint[name]["pvalue"] < SIGNIFICANT else "neutral",
                how=_grs_told(joint[name]),
            )
        )
    for part in config.clusters[:1]:
        summary = noise(made[f"clusters {part.name}"])
        if summary is not None:
            score, low, high = summary
            tested = page_nulls.verdict(made[f"clusters {part.name}"])
            good = score > high if tested is None else tested[0]
            out.append(
                HeadlineFigure(
                    label="Silhouette on the map",
                    value=score,
                    detail=f"noise scores {low:.3f} to {high:.3f}",
                    tone="good" if good else "caution",
                    how=_silhouette_told(part.name),
                )
            )
    out.append(
        HeadlineFigure(
            label="Assets",
            value=len(panel.assets),
            format="integer",
            detail=f"{len(panel.dates)} months, {len(panel):,} rows",
            how=HowComputed(formula="assets with at least one row", manifest="stage features"),
        )
    )
    return out


def _grave(note: Note) -> bool:
    """Return whether a note on the data bears on the answer: who is missing from the sample."""
    text = f"{note.rule} {note.action}".lower()
    return any(word in text for word in ("surviv", "delisting"))


def _unwell(panel: Panel, graves: list[str]) -> Iterator[str]:
    """Yield what makes a panel unusable, and that nobody leaves it where no source has said so."""
    found = data.health(panel)
    for check in found.broken:
        if check.severity == "error":
            yield f"{check.rule}: {check.count:,} of {check.of:,} break this. {check.remedy}"
    if found["survivorship"].count and not any("surviv" in text.lower() for text in graves):
        years = (panel.dates[-1] - panel.dates[0]).days // 365
        yield (
            f"All {len(panel.assets):,} assets are there at the end of {years} years: these are "
            "survivors, and their returns are biased upwards."
        )


def joint_tests(tests: Artefacts, benchmark: str) -> dict[str, dict[str, Any]]:
    """Return the joint tests of a benchmark that could be computed, by grouping."""
    found = tests.get(f"grs {benchmark}", {})
    return {name: test for name, test in found.items() if "skipped" not in test}


def warnings(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[str]:
    """Return what a reader has to know before believing the numbers."""
    panel: Panel = made["features"]["panel"]
    out: list[str] = []
    counted = HowComputed(formula="counted when the panel was made", manifest="stage data")
    if config.data.source == "simulated":
        out.append("The market is simulated: it shows what the method finds, not what markets pay.")
    lag = "6M" if config.data.source == "wrds" and not config.data.lag else config.data.lag
    if lag is not None and config.data.statements != "edgar":
        out.append(
            f"Statements have no filing date; a lag of {lag} after the period's end was declared, "
            "and results depend on it."
        )
    graves = [str(note) for note in panel.notes if _grave(note)]
    out += [Line(text, counted) for text in (*graves, *_unwell(panel, graves))]
    revised = [m.column for m in config.macro if m.revised]
    if revised:
        out.append(
            f"Figures of {', '.join(revised)} are today's, revised since their release: what was "
            "known at the time may have differed."
        )
    for bench in config.benchmarks:
        fit: pd.DataFrame = made["tests"][f"alphas {bench.name} fit"]
        least = int(fit["observations"].min())
        if least < FEW:
            short = (
                f"Short sample: {least} observations for {len(bench.factors)} factors of "
                f"{bench.name}; standard errors rest on large-sample theory."
            )
            told = how_computed(["observations"], manifest="stage tests")["observations"]
            out.append(Line(short, told))
    for part in config.clusters:
        found = made[f"clusters {part.name}"]
        summary, tested = noise(found), page_nulls.verdict(found)
        if tested is not None:
            if not tested[0]:
                out.append(
                    f"The clusters of {part.name} score no better than noise in the features "
                    f"(p = {tested[1]}): treat them as a partition, not as a discovery."
                )
        elif summary is not None and summary[0] <= summary[2]:
            out.append(
                f"The clusters of {part.name} score no better than noise on the map: treat them "
                "as a partition, not as a discovery."
            )
    return out
