"""The whole way: which stage needs which, from the market to the tests."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata import portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.core.faults import Fault, SettingError, within
from alphastrata.study import markets
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.inputs import Inputs, hashes
from alphastrata.study.settings import (
    ClusterConfig,
    CostsConfig,
    ReplicationConfig,
    SortConfig,
    StudyConfig,
)
from alphastrata.study.settings.sorts import HoldingConfig
from alphastrata.study.stages import portfolios as stages
from alphastrata.study.stages import spreads, trials, truth
from alphastrata.study.stages.clusterings import clusters
from alphastrata.study.stages.cross_sections import cross_section
from alphastrata.study.stages.demands import check_market
from alphastrata.study.stages.errors_of import covariance_of, hac_of, lags_of
from alphastrata.study.stages.further import further_tests
from alphastrata.study.stages.market import data_stage, features_stage
from alphastrata.study.stages.multiverse import specifications
from alphastrata.study.stages.performance import performance
from alphastrata.study.stages.portfolios import stage_of
from alphastrata.study.stages.store import Stages
from alphastrata.study.stages.trials import LEDGER, record_trials
from alphastrata.study.stages.tuning import tune_stage


def compute(
    config: StudyConfig,
    inputs: Inputs,
    store: Stages,
    workers: int,
) -> dict[str, Artefacts]:
    """Return the artefacts of every stage, by stage."""
    made: dict[str, Artefacts] = {}
    made["data"] = data_stage(config, inputs, store)
    made["benchmarks"] = store.stage(
        "benchmarks",
        [[b.model_dump() for b in config.benchmarks], hashes(inputs.benchmarks)],
        (),
        lambda: _benchmarks(config, inputs),
    )
    panel, daily = features_stage(config, inputs, store, made)
    check_market(config, panel)
    for cluster in config.clusters:
        made[stage_of(cluster)] = _cluster(config, cluster, panel, store, workers)
    clusterings: dict[str, Strata] = {
        part.name: made[stage_of(part)]["strata"] for part in config.clusters
    }
    known, panel = stages.signals(config, made, clusterings, store)
    for sort in config.sorts:
        made[stage_of(sort)] = stages.sort(config, sort, panel, clusterings, store, known)
    parts = [(part, made[stage_of(part)]["strata"]) for part in config.parts]
    strata_stages = tuple(stage_of(p) for p, _ in parts)
    made["factors"] = store.stage(
        "factors",
        [[p.model_dump() for p, _ in parts], config.costs.model_dump()],
        (*known, *strata_stages),
        lambda: _factors(parts, panel, daily, config.costs),
    )
    stages.money(config, made, panel, parts, known, store)
    made["performance"] = store.stage(
        "performance",
        config.tests.lags,
        ("factors",),
        lambda: performance(spreads.with_net(made["factors"], "M"), lags=lags_of(config.tests)),
    )
    made["tests"] = store.stage(
        "tests",
        [
            config.tests.model_dump(exclude={"information", "battery", "further", "adjust"}),
            [b.model_dump() for b in config.benchmarks],
        ],
        ("factors", "benchmarks"),
        lambda: _tests(config, made),
    )
    if config.multiverse is not None:
        wanted = config.multiverse
        made["multiverse"] = store.stage(
            "multiverse",
            [
                wanted.model_dump(),
                config.reference.name,
                [c.model_dump() for c in config.clusters if c.name == wanted.clusters],
            ],
            ("features", "benchmarks"),
            lambda: specifications(
                wanted,
                panel,
                made["benchmarks"][config.reference.name],
                ledger=store.out / LEDGER,
                clustering=next((c for c in config.clusters if c.name == wanted.clusters), None),
                workers=workers,
            ),
        )
    if config.tests.asked:
        made["further"] = store.stage(
            "further",
            [
                config.tests.model_dump(),
                [b.model_dump() for b in config.benchmarks],
                config.reference.name,
                config.seed,
            ],
            ("factors", "benchmarks"),
            lambda: further_tests(config, made),
        )
    if config.replication is not None:
        ours = config.replication
        made["replication"] = store.stage(
            "replication",
            ours.model_dump(),
            ("features", "benchmarks"),
            lambda: _replication(ours, panel, made["benchmarks"][ours.against]),
        )
    if config.tune is not None:
        made["tune"] = tune_stage(config, made["features"]["panel"], store, workers)
    record_trials(config, made, store.out / LEDGER)
    if config.data.source == "simulated":
        made["truth"] = store.stage("truth", None, ("tests",), lambda: _truth(config, made, parts))
    return made


def _benchmarks(config: StudyConfig, inputs: Inputs) -> Artefacts:
    """Return the factors to test against, by the benchmark's name."""
    out: Artefacts = {}
    for number, bench in enumerate(config.benchmarks):
        with within(("benchmarks", number)):
            out[bench.name] = markets.benchmark(bench, inputs.folder, inputs.editions)
    return out


def _cluster(
    config: StudyConfig, part: ClusterConfig, panel: Panel, store: Stages, workers: int
) -> Artefacts:
    """Return the strata of one clustering, and what comes with them."""
    name, place = stage_of(part), config.place_of(part)
    if part.window >= len(panel.dates):
        said = (
            f"{part.window} dates to learn from, and one to hold after them, and the market has "
            f"{len(panel.dates)}; take a shorter window, or a longer sample"
        )
        raise SettingError([Fault((*place, "window"), said)])
    # What ranks the clusters and weighs their members comes later.
    later = {"rank_by", "dummies", *HoldingConfig.model_fields}
    with within(place):
        return store.stage(
            name,
            [part.model_dump(exclude=later), config.seed],
            ("features",),
            lambda: clusters(
                part,
                panel,
                seed=config.seed,
                workers=workers,
                progress=lambda done, total: store.report(name, done, total),
                folder=store.unfinished(name),
            ),
        )


def _factors(
    parts: list[tuple[ClusterConfig | SortConfig, Strata]],
    panel: Panel,
    daily: Panel | None,
    costs: CostsConfig,
) -> Artefacts:
    """Return long-short factors and the portfolios of each set of strata, by frequency."""
    out: Artefacts = {}
    for freq, market in (("M", panel), ("D", daily)):
        if market is None:
            continue
        gross = spreads.joined(
            spreads.spread(part, strata, panel, market) for part, strata in parts
        )
        out[f"spreads {freq}"] = gross
        if costs.basis_points or costs.borrow_fee:
            out[f"net {freq}"] = portfolio.net_of_costs(
                gross, basis_points=costs.basis_points, borrow_fee=costs.borrow_fee
            )
    for part, strata in parts:
        out[f"portfolios {part.name}"] = spreads.portfolio_returns(part, strata, panel)
        if isinstance(part, ClusterConfig) and part.dummies:
            out[f"dummies {part.name}"] = spreads.dummies(part, strata, panel)
    return out


def _tests(config: StudyConfig, made: Mapping[str, Artefacts]) -> Artefacts:
    """Return every test as frames and plain values, by benchmark and name."""
    out: Artefacts = {}
    factors, benchmarks = made["factors"], made["benchmarks"]
    panel: Panel = made["features"]["panel"]
    for benchmark in config.benchmarks:
        hac = hac_of(config.tests, benchmark)
        known: FactorReturns = benchmarks[benchmark.name]
        returns = spreads.with_net(factors, benchmark.frequency)
        found = trials.alphas(
            returns, known, hac=hac, covariance=covariance_of(config.tests, benchmark)
        )
        out |= {f"alphas {benchmark.name} {part}": value for part, value in found.items()}
        spanned = trials.spanning_test(factors[f"spreads {benchmark.frequency}"], known, hac=hac)
        out |= {f"spanning {benchmark.name} {part}": value for part, value in spanned.items()}
        if benchmark.frequency == "M":
            out[f"grs {benchmark.name}"] = {
                part.name: trials.joint_test(
                    factors[f"portfolios {part.name}"], known, divisor=config.tests.grs_divisor
                )
                for part in config.parts
            }
    for table in config.tests.fama_macbeth:
        strata = {p.name: made[stage_of(p)]["strata"] for p in config.parts}
        found = cross_section(table, panel, strata, hac_of(config.tests, table))
        out |= {f"cross-section {table.name} {part}": value for part, value in found.items()}
    return out


def _replication(config: ReplicationConfig, panel: Panel, published: FactorReturns) -> Artefacts:
    """Return Fama and French's factors made from the market, and how near they come."""
    ours = portfolio.fama_french(panel, factors=config.factors)
    agreement = portfolio.certificate(ours, published)
    return {
        "factors": ours,
        "certificate": agreement.numbers.reset_index(),
        "text": {"notes": [str(note) for note in agreement.notes]},
    }


def _truth(
    config: StudyConfig,
    made: Mapping[str, Artefacts],
    parts: list[tuple[ClusterConfig | SortConfig, Strata]],
) -> Artefacts:
    """Return what was planted beside what was estimated."""
    planted, panel = made["data"], made.get("signals", made["features"])["panel"]
    betas: pd.DataFrame = planted["truth_betas"]
    rows = []
    priced = [b for b in config.benchmarks if set(b.factors) == set(betas.columns)]
    if priced:
        known = truth.planted_in_factors(
            panel,
            planted["truth_expected"]["expected"],
            betas,
            lambda market: spreads.joined(
                spreads.spread(part, strata, panel, market) for part, strata in parts
            ),
        )
        tests = made["tests"]
        name = f"alphas {priced[0].name}"
        params, errors, fit = (tests[f"{name} {part}"] for part in ("params", "std_errors", "fit"))
        rows.append(
            truth.beside(
                known["alpha"].to_dict(),
                params["alpha"],
                errors["alpha"],
                freedom=int(fit["observations"].min()) - params.shape[1],
                group=f"alphas against {priced[0].name}, per month",
            )
        )
        rows += [
            truth.beside(
                known.loc[factor].drop("alpha").astype(float).to_dict(),
                params.loc[factor],
                errors.loc[factor],
                freedom=int(fit.loc[factor, "observations"]) - params.shape[1],
                group=f"betas of {factor}",
            )
            for factor in known.index
        ]
    for table in config.tests.fama_macbeth:
        if table.scale != "unit_rank" or table.strata:
            continue  # the planted premia are those of unit ranks alone
        slopes = made["tests"][f"cross-section {table.name} table"]
        rows.append(
            truth.beside(
                planted["truth_premia"],
                slopes["params"],
                slopes["std_errors"],
                freedom=len(made["tests"][f"cross-section {table.name} coefficients"]) - 1,
                group=f"premia, Fama-MacBeth ({table.name})",
            )
        )
    return {"truth": pd.concat(rows, ignore_index=True)} if rows else {}
