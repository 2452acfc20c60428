"""The test stage: alphas, joint tests and cross-sections, as frames and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from alphastrata import inference
from alphastrata.core import FactorReturns, Panel
from alphastrata.inference.ledger import Ledger
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.ranks import unit_ranks
from alphastrata.study.settings import StudyConfig
from alphastrata.study.words import reference

LEDGER = "trials.jsonl"


def alphas(returns: FactorReturns, factors: FactorReturns, *, lags: int) -> Artefacts:
    """Return alphas and betas of every factor on one benchmark."""
    result = inference.time_series(returns, factors, lags=lags)
    return {
        "params": result.params,
        "std_errors": result.std_errors,
        "tstats": result.tstats,
        "pvalues": result.pvalues,
        "fit": pd.DataFrame(
            {"R2": result.r2, "adj. R2": result.r2_adjusted, "observations": result.nobs}
        ),
        "text": {
            "conventions": result.conventions(),
            "notes": [str(note) for note in result.notes],
        },
    }


def record_trials(config: StudyConfig, made: Mapping[str, Artefacts], path: Path) -> None:
    """Append every alpha that the study tested to its ledger; what is there already stays one.

    A trial is a factor against a benchmark, on data with this content: running the same study
    again adds nothing, running it with another choice does.
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
                    "benchmark": bench.model_dump(mode="json"),
                    "data": config.data.model_dump(mode="json"),
                    "lags": config.tests.lags,
                    "seed": config.seed,
                },
                {
                    "alpha": float(tests[f"{name} params"].loc[part.name, "alpha"]),
                    "t": float(tests[f"{name} tstats"].loc[part.name, "alpha"]),
                    "p": float(tests[f"{name} pvalues"].loc[part.name, "alpha"]),
                    "sharpe": float(series.mean() / series.std()),
                },
            )


def many_tests(config: StudyConfig, made: Mapping[str, Artefacts], path: Path) -> pd.DataFrame:
    """Return what is left of each alpha once every trial in the ledger is counted.

    Returns
    -------
    DataFrame
        Index: factor. "p" alone, adjusted by Holm and Benjamini-Yekutieli for all trials, the
        probability that the Sharpe ratio beats the best of as many lucky ones (deflated), and
        the number of trials.
    """
    ledger = Ledger(path)
    bench = reference(config)
    pvalues = made["tests"][f"alphas {bench.name} pvalues"]["alpha"]
    returns: pd.DataFrame = made["factors"][f"spreads {bench.frequency}"].frame
    count = ledger.count
    names = [part.name for part in config.parts]
    table = pd.DataFrame({"p": pvalues.loc[names]})
    table["p, Holm"] = inference.adjust_pvalues(table["p"], "holm", n_tests=count)
    table["p, Benjamini-Yekutieli"] = inference.adjust_pvalues(table["p"], "by", n_tests=count)
    ratios = ledger.frame()["sharpe"].dropna()
    if len(ratios) > 1:
        table["deflated Sharpe"] = [
            ledger.deflated_sharpe(returns[name].dropna()).probability for name in names
        ]
    table["trials"] = count
    return table


def joint_test(portfolios: FactorReturns, factors: FactorReturns) -> dict[str, object]:
    """Return the GRS test that the alphas of all strata are zero, as plain values.

    The exact test needs every portfolio on every date, so strata that were born late or died
    early stay out; which ones is said.
    """
    frame = portfolios.frame
    whole = [name for name in portfolios.factors if frame[name].notna().all()]
    part = [name for name in portfolios.factors if name not in whole]
    if not whole:
        return {
            "skipped": f"none of {frame.shape[1]} strata has a return on all {len(frame)} dates"
        }
    result = inference.grs(portfolios.select(whole), factors)
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


def spanning_test(returns: FactorReturns, factors: FactorReturns, *, lags: int) -> Artefacts:
    """Return whether the old factors span the new ones, jointly and step by step."""
    result = inference.spanning(returns, factors, lags=lags)
    return {
        "tests": result.tests,
        "sharpe": result.sharpe.rename("squared Sharpe ratio").to_frame(),
        "text": {"conventions": list(result.lines)},
    }


def battery(
    config: StudyConfig, made: Mapping[str, Artefacts], portfolios: FactorReturns | None
) -> Artefacts:
    """Return further tests by name against the headline benchmark, and why one is missing.

    Parameters
    ----------
    config
        The study; ``tests.battery`` names the tests (`inference.available_tests`).
    made
        Artefacts by stage.
    portfolios
        Test assets: the strata of all groupings that have a return on every date.
    """
    bench = reference(config)
    found = inference.run_battery(
        inference.Subjects(
            new=made["factors"][f"spreads {bench.frequency}"],
            known=made["benchmarks"][bench.name],
            portfolios=portfolios,
            panel=made["features"]["panel"],
            x=config.tests.fama_macbeth[0].x if config.tests.fama_macbeth else (),
        ),
        list(config.tests.battery),
        lags=config.tests.lags,
        seed=config.seed,
    )
    out: Artefacts = {f"battery {name}": _plain(r.table()) for name, r in found.results.items()}
    out["about"] = {
        "titles": {name: result.title for name, result in found.results.items()},
        "conventions": {name: result.conventions() for name, result in found.results.items()},
        "skipped": found.skipped,
    }
    statistics = found.statistics()
    if len(statistics):
        out["statistics"] = statistics
    return out


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its index as columns and plain text for column names."""
    flat = table.reset_index()
    flat.columns = pd.Index(
        [", ".join(str(p) for p in c if str(p)) if isinstance(c, tuple) else str(c) for c in flat]
    )
    for column in flat:
        if flat[column].dtype == object:
            flat[column] = flat[column].map(str)
    return flat


def whole_portfolios(factors: Artefacts, names: list[str]) -> FactorReturns | None:
    """Return the strata of all groupings that have a return on every shared date."""
    joined: FactorReturns | None = None
    for name in names:
        part: FactorReturns = factors[f"portfolios {name}"]
        kept = [c for c in part.factors if part.frame[c].notna().all()]
        if not kept:
            continue
        renamed = part.select(kept).rename({c: f"{name} {c}" for c in kept})
        joined = renamed if joined is None else joined.join(renamed)
    return joined


def cross_section(panel: Panel, x: tuple[str, ...], *, lags: int) -> Artefacts:
    """Return Fama-MacBeth of next month's returns on unit ranks of characteristics."""
    ranked = unit_ranks(panel, x)
    result = inference.fama_macbeth(ranked, y="ret", x=list(x), lags=lags, lag=1)
    table = pd.DataFrame(
        {
            "params": result.params,
            "std_errors": result.std_errors,
            "tstats": result.tstats,
            "pvalues": result.pvalues,
        }
    )
    return {
        "table": table,
        "coefficients": result.coefficients,
        "text": {
            "conventions": [
                "Regressors: rank by date, at mean 0 and standard deviation 1, a month before.",
                *result.conventions(),
            ],
            "notes": [str(note) for note in result.notes],
        },
    }
