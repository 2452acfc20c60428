"""The test stage: alphas, joint tests and cross-sections, as frames and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from alphastrata import inference
from alphastrata.core import FactorReturns
from alphastrata.errors import EstimationError
from alphastrata.inference.ledger import Ledger
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import (
    BenchmarkConfig,
    FamaMacBethConfig,
    StudyConfig,
    TestsConfig,
)
from alphastrata.study.stages.errors_of import conventions_of

LEDGER = "trials.jsonl"
ADJUSTED = {
    "bonferroni": "Bonferroni",
    "holm": "Holm",
    "hochberg": "Hochberg",
    "hommel": "Hommel",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
}
"""Names of the adjustments of p-values."""


def alphas(
    returns: FactorReturns, factors: FactorReturns, *, hac: inference.HAC, covariance: Any = "hac"
) -> Artefacts:
    """Return alphas and betas of every factor on one benchmark."""
    result = inference.time_series(returns, factors, lags=hac, covariance=covariance)
    return {
        "params": result.params,
        "std_errors": result.std_errors,
        "tstats": result.tstats,
        "pvalues": result.pvalues,
        "fit": pd.DataFrame(
            {"R2": result.r2, "adj. R2": result.r2_adjusted, "observations": result.nobs}
        ),
        "text": {
            "conventions": conventions_of(result),
            "notes": [str(note) for note in result.notes],
            # Whether p-values are those of Student's t: intervals follow them.
            "student": hac.small_sample,
        },
    }


def record_trials(config: StudyConfig, made: Mapping[str, Artefacts], path: Path) -> None:
    """Append every alpha and slope that the study tested to its ledger.

    A trial is a factor against a benchmark, or a regressor of a cross-section, whose slope is the
    return of a zero-cost portfolio; the paths of a multiverse are there already. What is there
    stays one: running the same study again adds nothing, running it with another choice does.
    """
    ledger = Ledger(path)
    for bench in config.benchmarks:
        name = f"alphas {bench.name}"
        tests = made["tests"]
        returns: pd.DataFrame = made["factors"][f"spreads {bench.frequency}"].frame
        for part in config.parts:
            series = returns[part.name].dropna()
            ledger.record(
                {
                    "factor": part.model_dump(mode="json"),
                    "benchmark": bench.model_dump(mode="json", exclude={"errors"}),
                    "data": config.data.model_dump(mode="json"),
                    "lags": config.tests.lags,
                    "seed": config.seed,
                    **_unusual(config, bench),
                },
                {
                    "alpha": float(tests[f"{name} params"].loc[part.name, "alpha"]),
                    "t": float(tests[f"{name} tstats"].loc[part.name, "alpha"]),
                    "p": float(tests[f"{name} pvalues"].loc[part.name, "alpha"]),
                    "sharpe": float(series.mean() / series.std()),
                },
            )

    for table in config.tests.fama_macbeth:
        found: pd.DataFrame = made["tests"][f"cross-section {table.name} table"]
        slopes: pd.DataFrame = made["tests"][f"cross-section {table.name} coefficients"]
        for regressor in found.index.drop("const", errors="ignore"):
            ledger.record(
                {
                    "cross_section": table.model_dump(
                        mode="json", exclude={"errors", "subperiods"}
                    ),
                    "slope": str(regressor),
                    "data": config.data.model_dump(mode="json"),
                    "lags": config.tests.lags,
                    "seed": config.seed,
                    **_unusual(config, table),
                },
                {
                    "slope": float(found.loc[regressor, "params"]),
                    "t": float(found.loc[regressor, "tstats"]),
                    "p": float(found.loc[regressor, "pvalues"]),
                    "sharpe": float(slopes[regressor].mean() / slopes[regressor].std()),
                },
            )


def _unusual(config: StudyConfig, about: BenchmarkConfig | FamaMacBethConfig) -> dict[str, Any]:
    """Return errors that are not the usual ones: with them a trial is another trial."""
    own = about.errors.model_dump(mode="json", exclude_none=True)
    usual = TestsConfig()
    for name in ("covariance", "kernel", "small_sample"):
        value = getattr(config.tests, name)
        if hasattr(about.errors, name) and value != getattr(usual, name):
            own.setdefault(name, value)
    return {"errors": own} if own else {}


def many_tests(config: StudyConfig, made: Mapping[str, Artefacts], path: Path) -> pd.DataFrame:
    """Return what is left of each alpha once every trial in the ledger is counted.

    Returns
    -------
    DataFrame
        Index: factor. "p" alone, adjusted for all trials as ``tests.adjust`` says, the
        probability that the Sharpe ratio beats the best of as many lucky ones (deflated), and
        the number of trials.
    """
    ledger = Ledger(path)
    bench = config.reference
    pvalues = made["tests"][f"alphas {bench.name} pvalues"]["alpha"]
    returns: pd.DataFrame = made["factors"][f"spreads {bench.frequency}"].frame
    count = ledger.count
    names = [part.name for part in config.parts]
    table = pd.DataFrame({"p": pvalues.loc[names]})
    for method in config.tests.adjust:
        adjusted = inference.adjust_pvalues(table["p"], method, n_tests=count)
        table[f"p, {ADJUSTED[method]}"] = adjusted
    ratios = ledger.frame()["sharpe"].dropna()
    if len(ratios) > 1:
        table["deflated Sharpe"] = [
            ledger.deflated_sharpe(returns[name].dropna()).probability for name in names
        ]
    table["trials"] = count
    return table


def hurdles(config: StudyConfig, made: Mapping[str, Artefacts], path: Path) -> dict[str, float]:
    """Return the |t| that a new factor needs at 5% among all trials, by adjustment."""
    bench = config.reference
    name = f"alphas {bench.name}"
    parts = [part.name for part in config.parts]
    tstats = made["tests"][f"{name} tstats"].loc[parts, "alpha"]
    count = max(Ledger(path).count, len(parts))
    df = float(made["tests"][f"{name} fit"]["observations"].min() - len(bench.factors) - 1)
    student = made["tests"][f"{name} text"]["student"]
    return {
        ADJUSTED[method]: inference.t_threshold(
            tstats, method, n_tests=count, df=df if student else None
        )
        for method in config.tests.adjust
    }


def joint_test(
    portfolios: FactorReturns, factors: FactorReturns, *, divisor: Literal["T", "T-1"] = "T"
) -> dict[str, object]:
    """Return the GRS test that the alphas of all strata are zero, as plain values.

    The exact test needs every portfolio on every date, so strata that were born late or died
    early stay out; which ones is said.
    """
    frame = portfolios.frame
    whole = [name for name in portfolios.factors if frame[name].notna().all()]
    part = [name for name in portfolios.factors if name not in whole]
    if not whole:
        return {
            "skipped": f"None of {frame.shape[1]} strata has a return on all {len(frame)} dates."
        }
    try:
        result = inference.grs(portfolios.select(whole), factors, factor_divisor=divisor)
    except EstimationError as error:
        return {"skipped": str(error)}
    statistic = result.statistics()[0]
    return {
        "tested": whole,
        "left_out": part,
        "name": statistic.name,
        "value": float(statistic.value),
        "pvalue": float(statistic.pvalue),
        "null": statistic.null,
        "distribution": statistic.distribution,
        "conventions": result.conventions(),
    }


def spanning_test(
    returns: FactorReturns, factors: FactorReturns, *, hac: inference.HAC
) -> Artefacts:
    """Return whether the old factors span the new ones, or why that cannot be said."""
    try:
        result = inference.spanning(returns, factors, lags=hac)
    except EstimationError as error:
        return {"skipped": str(error)}
    return {
        "tests": result.tests,
        "sharpe": result.sharpe.rename("squared Sharpe ratio").to_frame(),
        "text": {"conventions": [*result.lines, f"Wald HAC: {result.covariance}."]},
    }
