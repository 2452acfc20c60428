"""The tests of a study as sections of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from alphastrata.core import Statistic
from alphastrata.report import (
    AlphaPlot,
    Coefficients,
    HowComputed,
    SpecificationSection,
    Table,
    TestSection,
    how_computed,
)
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.pages import words
from alphastrata.study.pages.data import own_notes
from alphastrata.study.settings import BenchmarkConfig, StudyConfig
from alphastrata.study.stages.multiverse import preferred_row

LEVEL = 0.05


def _readable(conventions: list[str]) -> list[str]:
    """Return conventions without the line on stars: the page sets significance in bold."""
    return [line for line in conventions if not line.startswith("*, **")]


def alphas(config: BenchmarkConfig, made: Mapping[str, Artefacts]) -> TestSection:
    """Return alphas and betas of every factor on one benchmark, and the joint tests."""
    tests = made["tests"]
    name = f"alphas {config.name}"
    params, errors, tstats, pvalues, fit = (
        tests[f"{name} {part}"] for part in ("params", "std_errors", "tstats", "pvalues", "fit")
    )
    text = tests[f"{name} text"]
    period = "month" if config.frequency == "M" else "day"
    # The same distribution as that of the p-values of the table: one rule on the whole page.
    freedom = fit["observations"].to_numpy(dtype=float) - params.shape[1]
    freedom = freedom if text["student"] else np.full_like(freedom, np.inf)
    reach = student.ppf(1 - LEVEL / 2, freedom) * errors["alpha"]
    estimates = pd.DataFrame(
        {
            "alpha": params["alpha"],
            "low": params["alpha"] - reach,
            "high": params["alpha"] + reach,
            "tstat": tstats["alpha"],
        }
    )
    least = float(freedom.min())
    normal = f"{least:.0f} degrees of freedom" if text["student"] else "normal"
    several = len(params)
    joint = words.joint_tests(tests, config.name)
    return TestSection(
        title=f"Alphas and betas against {config.name}, per {period}",
        coefficients=Coefficients(
            params=params, tstats=tstats, pvalues=pvalues, extra=fit, percent=["alpha"]
        ),
        alphas=AlphaPlot(
            estimates=estimates,
            thresholds={
                f"5%, one test, {normal}": float(student.ppf(1 - LEVEL / 2, least)),
                f"5%, Bonferroni over {several}": float(
                    student.ppf(1 - LEVEL / 2 / several, least)
                ),
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
            *_readable(text["conventions"]),
            *own_notes(text["notes"], made),
            *_left_out(tests.get(f"grs {config.name}", {})),
        ],
        how={
            **how_computed(
                ["alpha", *config.factors, *fit.columns],
                manifest="stage tests",
                conventions=text["conventions"],
            ),
            **{
                f"{test['name']}, strata of {grouping}": entry
                for grouping, test in joint.items()
                for entry in how_computed(
                    [test["name"]], manifest="stage tests", conventions=test["conventions"]
                ).values()
            },
        },
        about=HowComputed(
            formula="r = α + β′f + e by least squares; t = estimate / standard error",
            conventions=text["conventions"],
            manifest="stage tests",
        ),
    )


def _left_out(joint: Mapping[str, Any]) -> list[str]:
    """Return, per grouping, why strata are not in the joint test."""
    lines = []
    for name, test in joint.items():
        if "skipped" in test:
            lines.append(f"No GRS test of the strata of {name}: {test['skipped']}")
        elif test["left_out"]:
            lines.append(
                f"GRS of {name}: {len(test['left_out'])} strata without a return on every date "
                f"left out ({'; '.join(test['left_out'])})."
            )
    return lines


def cross_section(name: str, made: Mapping[str, Artefacts]) -> TestSection:
    """Return one Fama-MacBeth regression with its coefficients through time."""
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
        tables=_beside(tests, name),
        by_date=tests[f"cross-section {name} coefficients"],
        conventions=[*_readable(text["conventions"]), *own_notes(text["notes"], made)],
        about=HowComputed(
            formula="λ̂ = mean over t of the slopes of r(t) on x(t−1) across assets",
            conventions=text["conventions"],
            manifest="stage tests",
            source="Fama and MacBeth (1973), Journal of Political Economy 81, 607-636",
        ),
    )


def _beside(tests: Artefacts, name: str) -> list[Table]:
    """Return subperiods and skipped dates of a cross-section, where there are any."""
    subperiods = tests.get(f"cross-section {name} subperiods")
    skipped = tests.get(f"cross-section {name} skipped")
    told = HowComputed(
        formula="averages of the same slopes over some dates", manifest="stage tests"
    )
    left = HowComputed(
        formula="months whose rows do not allow the regression, and why", manifest="stage tests"
    )
    out = []
    if subperiods is not None:
        out.append(
            Table(
                title="By subperiod",
                frame=subperiods,
                notes=["Averages in decimals, t-statistics beside them."],
                about=told,
            )
        )
    if skipped is not None:
        out.append(Table(title="Months without a regression", frame=skipped, about=left))
    return out


def spanning(config: BenchmarkConfig, made: Mapping[str, Artefacts]) -> TestSection:
    """Return the section that asks whether the old factors span the new ones."""
    tests = made["tests"]
    name, title = f"spanning {config.name}", f"Does {config.name} span the new factors?"
    if f"{name} skipped" in tests:
        return TestSection(title=title, conventions=[f"Not tested: {tests[f'{name} skipped']}"])
    text = tests[f"{name} text"]
    return TestSection(
        title=title,
        statistics=[
            Statistic(str(test), row["statistic"], row["p"], row["null"], row["distribution"])
            for test, row in tests[f"{name} tests"].iterrows()
        ],
        tables=[
            Table(
                title="Largest squared Sharpe ratios, per period",
                frame=tests[f"{name} sharpe"],
                notes=["What the new factors add to the best portfolio of the old ones."],
                how=how_computed(["Sh2(old)", "Sh2(all)", "gain"], manifest="stage tests"),
                how_by="row",
            )
        ],
        conventions=text["conventions"],
        how=how_computed(tests[f"{name} tests"].index, manifest="stage tests"),
        about=HowComputed(
            formula="old factors span the new ones where every α of new = α + β′old + e is zero",
            conventions=text["conventions"],
            manifest="stage tests",
            source="Barillas and Shanken (2017), Review of Financial Studies 30, 1316-1338",
        ),
    )


def _hurdles(found: Mapping[str, float]) -> list[str]:
    if not found:
        return []
    listed = ", ".join(f"{value:.2f} ({name})" for name, value in found.items())
    return [f"|t| that a new factor needs at 5%: {listed} (Harvey, Liu and Zhu 2016)."]


def many_tests(made: Mapping[str, Artefacts], benchmark: str) -> TestSection:
    """Return the section that counts every trial of the ledger."""
    found = made["trials"]
    return TestSection(
        title="Once every trial counts",
        tables=[
            Table(
                title=f"Alphas against {benchmark}, adjusted for all trials in the ledger",
                frame=found["many"],
                formats={
                    "trials": "integer",
                    **{c: "pvalue" for c in found["many"] if c == "p" or c.startswith("p, ")},
                },
                notes=[
                    "Deflated Sharpe: probability that the ratio beats the best of as many trials "
                    "without skill (Bailey and Lopez de Prado 2014).",
                    *_hurdles(found["hurdles"]),
                    f"The ledger holds {int(found['many']['trials'].iloc[0])} trials; the manifest "
                    "names its head, so that a trial that is taken out is noticed.",
                ],
            )
        ],
        how=how_computed(found["many"].columns, manifest="stage tests"),
        about=HowComputed(
            formula="p of t = α̂ / standard error, as in the table of alphas",
            conventions=["Trials are read from the ledger beside the study, trials.jsonl."],
            manifest="stage tests",
        ),
    )


def specifications(
    config: StudyConfig, made: Mapping[str, Artefacts]
) -> SpecificationSection | None:
    """Return the specification curve, where the study asks for one."""
    if config.multiverse is None:
        return None
    found = made["multiverse"]
    numbers = found["summary"]["value"]
    return SpecificationSection(
        estimates=found["estimates"][["estimate", "low", "high"]],
        choices=found["choices"],
        label=f"alpha of {config.multiverse.of} against {config.reference.name}",
        percent=True,
        preferred=preferred_row(config.multiverse, found["choices"]),
        notes=[
            "; ".join(f"{name}: {value:.3g}" for name, value in numbers.items()),
            *found["text"]["conventions"],
            "; ".join(
                f"{name}: {share:.0%}" for name, share in found["importance"]["share"].items()
            ),
            *found["text"]["notes"],
        ],
        about=HowComputed(
            formula="α̂ of r = α + β′f + e, one row for each combination of choices",
            conventions=found["text"]["conventions"],
            manifest="stage multiverse",
            source="Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-1214",
        ),
    )


def truth(made: Mapping[str, Artefacts]) -> Table | None:
    """Return what was planted in a simulated market beside what was found."""
    frame = made.get("truth", {}).get("truth")
    if frame is None:
        return None
    return Table(
        title="",
        frame=frame,
        about=HowComputed(
            formula="truth: planted by the simulator; estimate ± Student's t × standard error",
            conventions=["95% intervals; covered: the truth lies inside."],
            manifest="stage truth",
        ),
    )
