"""The stage of further tests: any test by name, with options, on factors or on strata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata import inference
from alphastrata.core import FactorReturns, Panel, Result
from alphastrata.core.faults import Fault, SettingError, within
from alphastrata.errors import InputDataError
from alphastrata.inference.registry import TESTS
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BenchmarkConfig, FurtherConfig, StudyConfig
from alphastrata.study.stages.errors_of import conventions_of, covariance_of, hac_of


def further_tests(config: StudyConfig, made: Mapping[str, Artefacts]) -> Artefacts:
    """Return every further test of a study, and why one is missing.

    Parameters
    ----------
    config
        The study; ``tests.battery`` and ``tests.further`` ask for the tests.
    made
        Artefacts by stage.

    Returns
    -------
    dict
        "found": per test its benchmark, title, conventions and number; "table N", and the paths
        of "paths N coefficient" by date; "skipped": benchmark and reason; "statistics".
    """
    out: Artefacts = {"found": [], "skipped": []}
    statistics = []
    for number, wanted in enumerate(config.tests.asked):
        bench = benchmark_of(config, wanted)
        label = wanted.name or wanted.test
        place = ("tests", "further", number - len(config.tests.battery))
        try:
            with within(place):
                about_what = subjects(config, wanted, bench, made)
            battery = inference.run_battery(
                about_what,
                [inference.Request(wanted.test, _said(config, wanted, bench), label)],
                lags=hac_of(config.tests, bench),
                seed=config.seed,
            )
        except InputDataError as error:
            battery = inference.Battery({}, {label: str(error)})
        for name, why in battery.skipped.items():
            out["skipped"].append({"benchmark": bench.name, "name": name, "reason": why})
        for name, result in battery.results.items():
            title = result.title if wanted.name is None else f"{wanted.name}: {result.title}"
            paths = _paths(result)
            out["found"].append(
                {
                    "number": number,
                    "benchmark": bench.name,
                    "name": name,
                    "title": title,
                    "conventions": conventions_of(result),
                    "notes": [str(note) for note in result.notes],
                    "paths": list(paths),
                }
            )
            out[f"table {number}"] = plain(result.table())
            out |= {f"paths {number} {key}": frame for key, frame in paths.items()}
        if len(found := battery.statistics()):
            statistics.append(found.assign(benchmark=bench.name))
    if statistics:
        out["statistics"] = pd.concat(statistics, ignore_index=True)
    return out


def _said(config: StudyConfig, wanted: FurtherConfig, bench: BenchmarkConfig) -> dict[str, Any]:
    """Return the options of a further test; what it leaves open is as in [tests]."""
    usual: dict[str, dict[str, Any]] = {
        "alphas": {"covariance": covariance_of(config.tests, bench)},
        "grs": {"factor_divisor": config.tests.grs_divisor},
    }
    return usual.get(wanted.test, {}) | dict(wanted.options)


def benchmark_of(config: StudyConfig, wanted: FurtherConfig) -> BenchmarkConfig:
    """Return the benchmark of a further test: the one it names, or the headline's."""
    named = [b for b in config.benchmarks if b.name == wanted.benchmark]
    return named[0] if named else config.reference


def subjects(
    config: StudyConfig,
    wanted: FurtherConfig,
    bench: BenchmarkConfig,
    made: Mapping[str, Artefacts],
) -> inference.Subjects:
    """Return what one further test is about.

    Raises
    ------
    SettingError
        If ``assets`` names none of the factors or strata.
    InputDataError
        If the test is about strata and none has a return on every date.
    """
    factors = made["factors"]
    spreads: FactorReturns = factors[f"spreads {bench.frequency}"]
    strata = whole_portfolios(factors, [part.name for part in config.parts])
    about_strata = "portfolios" in TESTS[wanted.test].needs
    if wanted.on is not None:
        about_strata = wanted.on == "strata"
    if about_strata and strata is None:
        raise InputDataError("No stratum has a return on every date.")
    known: FactorReturns = made["benchmarks"][bench.name]
    strata = None if strata is None else _with_rate(strata, known)
    net: FactorReturns | None = factors.get(f"net {bench.frequency}")
    if net is not None and any(name.endswith(" net") for name in wanted.assets):
        spreads = spreads.join(net.rename({name: f"{name} net" for name in net.factors}))
    tested = strata if about_strata and strata is not None else spreads
    tested = _chosen(tested, wanted)
    first = config.tests.fama_macbeth[:1]
    by_needs = "portfolios" in TESTS[wanted.test].needs
    return inference.Subjects(
        new=spreads if by_needs else tested,
        known=known,
        portfolios=tested if by_needs else strata,
        panel=made["features"]["panel"],
        x=wanted.x or (first[0].x if first else ()),
        models={
            b.name: made["benchmarks"][b.name]
            for b in config.benchmarks
            if b.frequency == bench.frequency
        },
        instruments=_instruments(made["features"]["panel"], wanted, spreads),
    )


def _with_rate(strata: FactorReturns, known: FactorReturns) -> FactorReturns:
    """Return total returns with the risk-free rate of a benchmark, on the dates that have one."""
    if strata.risk_free is not None or known.risk_free is None:
        return strata
    dates = strata.dates.intersection(pd.DatetimeIndex(known.risk_free.dropna().index))
    return FactorReturns(
        strata.frame.loc[dates],
        kind=strata.kind,
        freq=strata.freq,
        risk_free=known.risk_free.loc[dates],
        source=strata.source,
        notes=strata.notes,
    )


def _chosen(tested: FactorReturns, wanted: FurtherConfig) -> FactorReturns:
    strange = [name for name in wanted.assets if name not in tested.factors]
    if strange:
        there = ", ".join(tested.factors)
        said = f"{strange[0]!r} is nothing that {wanted.test} tests; there are {there}"
        raise SettingError([Fault(("assets",), said)])
    return tested.select(list(wanted.assets)) if wanted.assets else tested


def _instruments(
    panel: Panel, wanted: FurtherConfig, spreads: FactorReturns
) -> pd.DataFrame | None:
    """Return instruments by date, each the mean over the assets of a date; known at their dates."""
    if not wanted.instruments:
        return None
    names = list(wanted.instruments)
    values = panel.frame[names].astype("float64").groupby(level="date").mean()
    if spreads.freq == "D":
        values = values.reindex(spreads.dates, method="ffill")
    return values


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


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its index as columns and plain text for column names."""
    flat = table.reset_index()
    flat.columns = pd.Index(
        [", ".join(str(p) for p in c if str(p)) if isinstance(c, tuple) else str(c) for c in flat]
    )
    for column in flat:
        if flat[column].dtype == object:
            flat[column] = flat[column].map(str)
    return flat


def _paths(result: Result) -> dict[str, pd.DataFrame]:
    """Return coefficients by date, where a result has them: one line per asset in a chart."""
    if not isinstance(result, inference.RollingBetas):
        return {}
    return {name: frame.dropna(how="all") for name, frame in result.params.items()}


def about(found: Artefacts, benchmark: str) -> list[dict[str, Any]]:
    """Return the further tests against one benchmark, in the order of the file."""
    return [entry for entry in found["found"] if entry["benchmark"] == benchmark]
