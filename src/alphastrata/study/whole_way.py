"""The whole way: which stage needs which, from the market to the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata import portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.study import markets, spreads, trials, truth
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.clusterings import clusters
from alphastrata.study.inputs import Inputs, hashes
from alphastrata.study.money import backtest, information
from alphastrata.study.multiverse import specifications
from alphastrata.study.performance import performance
from alphastrata.study.settings import (
    ClusterConfig,
    CostsConfig,
    ReplicationConfig,
    SortConfig,
    StudyConfig,
)
from alphastrata.study.stages import Stages
from alphastrata.study.trials import LEDGER, record_trials
from alphastrata.study.words import reference


def compute(
    config: StudyConfig,
    inputs: Inputs,
    store: Stages,
    workers: int,
) -> dict[str, Artefacts]:
    """Return the artefacts of every stage, by stage."""
    made: dict[str, Artefacts] = {}
    made["data"] = store.stage(
        "data",
        [config.data.model_dump(), config.seed, hashes(inputs.market), inputs.left_out],
        (),
        inputs.build,
    )
    made["benchmarks"] = store.stage(
        "benchmarks",
        [[b.model_dump() for b in config.benchmarks], hashes(inputs.benchmarks)],
        (),
        lambda: {
            b.name: markets.benchmark(b, inputs.folder, inputs.editions) for b in config.benchmarks
        },
    )
    raw: Panel = made["data"]["panel"]
    daily: Panel | None = made["data"].get("daily")
    made["features"] = store.stage(
        "features",
        [config.characteristics, [m.model_dump() for m in config.macro], hashes(inputs.macro)],
        ("data",),
        lambda: {"panel": markets.characteristics(config, raw, daily, inputs.editions)},
    )
    panel: Panel = made["features"]["panel"]
    for part in config.parts:
        made[_stage_of(part)] = _group(config, part, panel, store, workers)
    parts = [(part, made[_stage_of(part)]["strata"]) for part in config.parts]
    strata_stages = tuple(_stage_of(p) for p, _ in parts)
    made["factors"] = store.stage(
        "factors",
        [[p.model_dump() for p, _ in parts], config.costs.model_dump()],
        ("features", *strata_stages),
        lambda: _factors(parts, panel, daily, config.costs),
    )
    made["performance"] = store.stage(
        "performance",
        config.tests.lags,
        ("factors",),
        lambda: performance(spreads.with_net(made["factors"], "M"), lags=config.tests.lags),
    )
    made["tests"] = store.stage(
        "tests",
        [
            config.tests.model_dump(exclude={"information", "battery"}),
            [b.model_dump() for b in config.benchmarks],
        ],
        ("factors", "benchmarks"),
        lambda: _tests(config, made),
    )
    if config.multiverse is not None:
        wanted = config.multiverse
        made["multiverse"] = store.stage(
            "multiverse",
            [wanted.model_dump(), reference(config).name],
            ("features", "benchmarks"),
            lambda: specifications(
                wanted,
                panel,
                made["benchmarks"][reference(config).name],
                ledger=store.out / LEDGER,
            ),
        )
    if config.backtest is not None:
        capital = config.backtest
        made["backtest"] = store.stage(
            "backtest",
            [capital.model_dump(), config.costs.model_dump(), [p.model_dump() for p, _ in parts]],
            ("features", *strata_stages),
            lambda: backtest(capital, config.costs, parts, panel),
        )
    if config.tests.information:
        made["information"] = store.stage(
            "information",
            list(config.tests.information),
            ("features",),
            lambda: information(config.tests.information, panel),
        )
    if config.tests.battery:
        made["battery"] = store.stage(
            "battery",
            [config.tests.model_dump(), reference(config).model_dump(), config.seed],
            ("factors", "benchmarks"),
            lambda: trials.battery(
                config,
                made,
                trials.whole_portfolios(made["factors"], [p.name for p in config.parts]),
            ),
        )
    if config.replication is not None:
        ours = config.replication
        made["replication"] = store.stage(
            "replication",
            ours.model_dump(),
            ("features", "benchmarks"),
            lambda: _replication(ours, panel, made["benchmarks"][ours.against]),
        )
    record_trials(config, made, store.out / LEDGER)
    if config.data.source == "simulated":
        made["truth"] = store.stage("truth", None, ("tests",), lambda: _truth(config, made, parts))
    return made


def _group(
    config: StudyConfig,
    part: ClusterConfig | SortConfig,
    panel: Panel,
    store: Stages,
    workers: int,
) -> Artefacts:
    """Return the strata of one clustering or sort, and what comes with them."""
    name = _stage_of(part)
    if isinstance(part, SortConfig):
        settings: Any = part.model_dump(include={"by", "n", "breakpoints", "rebalance"})
        return store.stage(name, settings, ("features",), lambda: spreads.sort(part, panel))
    return store.stage(
        name,
        # What ranks the clusters and weighs their members comes later.
        [part.model_dump(exclude={"rank_by", "weighting"}), config.seed],
        ("features",),
        lambda: clusters(
            part,
            panel,
            seed=config.seed,
            workers=workers,
            progress=lambda done, total: store.report(name, done, total),
        ),
    )


def _stage_of(part: ClusterConfig | SortConfig) -> str:
    return f"{'clusters' if isinstance(part, ClusterConfig) else 'sort'} {part.name}"


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
    return out


def _tests(config: StudyConfig, made: Mapping[str, Artefacts]) -> Artefacts:
    """Return every test as frames and plain values, by benchmark and name."""
    out: Artefacts = {}
    factors, benchmarks = made["factors"], made["benchmarks"]
    panel: Panel = made["features"]["panel"]
    for benchmark in config.benchmarks:
        lags = config.tests.lags if benchmark.frequency == "M" else config.tests.daily_lags
        known: FactorReturns = benchmarks[benchmark.name]
        returns = spreads.with_net(factors, benchmark.frequency)
        found = trials.alphas(returns, known, lags=lags)
        out |= {f"alphas {benchmark.name} {part}": value for part, value in found.items()}
        spanned = trials.spanning_test(factors[f"spreads {benchmark.frequency}"], known, lags=lags)
        out |= {f"spanning {benchmark.name} {part}": value for part, value in spanned.items()}
        if benchmark.frequency == "M":
            out[f"grs {benchmark.name}"] = {
                part.name: trials.joint_test(factors[f"portfolios {part.name}"], known)
                for part in config.parts
            }
    for table in config.tests.fama_macbeth:
        found = trials.cross_section(panel, table.x, lags=config.tests.lags)
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
    planted, panel = made["data"], made["features"]["panel"]
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
