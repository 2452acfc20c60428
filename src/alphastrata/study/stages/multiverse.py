"""The multiverse stage: one factor's alpha under every defensible choice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from alphastrata import inference, portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.inference.ledger import Ledger
from alphastrata.inference.multiverse import Estimate, estimate_of, multiverse
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ChecksConfig, ClusterConfig, MultiverseConfig
from alphastrata.study.stages.clusterings import clusters
from alphastrata.study.stages.spreads import spread


def specifications(
    config: MultiverseConfig,
    panel: Panel,
    factors: FactorReturns,
    *,
    ledger: Path,
    clustering: ClusterConfig | None = None,
    workers: int = 1,
) -> Artefacts:
    """Return the alpha of every specification, with its interval and its choices.

    Parameters
    ----------
    config
        Options of every decision.
    panel
        Market with the characteristics.
    factors
        What the alphas are against.
    ledger
        Every path is recorded there: the count of trials knows of all that was tried.
    clustering
        The clustering that a multiverse of clusters varies.
    workers
        Processes of each clustering.
    """
    made: dict[tuple[int, ...], Strata] = {}

    def path(choice: dict[str, Any]) -> Estimate:
        if clustering is None:
            factor = _factor(config, panel, choice)
        else:
            factor = _cluster_factor(clustering, panel, choice, made, workers)
        found = estimate_of(inference.time_series(factor, factors, lags=choice["lags"]))
        returns = factor.excess().iloc[:, 0]  # means and deviations pass over missing dates
        return replace(found, sharpe=float(returns.mean() / returns.std()))

    found = multiverse(config.decisions(), path, ledger=Ledger(ledger))
    summary = found.summary_numbers
    return {
        "estimates": found.estimates.reset_index(drop=True),
        "choices": found.choices.reset_index(drop=True),
        "summary": summary.rename("value").to_frame(),
        "importance": found.importance.rename("share").to_frame(),
        "text": {"conventions": found.conventions(), "notes": [str(n) for n in found.notes]},
    }


def _factor(config: MultiverseConfig, panel: Panel, choice: dict[str, Any]) -> FactorReturns:
    method = choice["method"]
    if method == "quantile":
        method = portfolio.Quantile(choice["n"])
    elif method == "size_neutral":
        method = "size_neutral_2x3"
    return portfolio.factor(
        panel,
        choice["by"],
        method=method,
        long=config.long,
        weighting=None if method == "rank" else choice["weighting"],
        breakpoints=choice["breakpoints"],
        name=choice["by"],
    )


def _cluster_factor(
    config: ClusterConfig,
    panel: Panel,
    choice: dict[str, Any],
    made: dict[tuple[int, ...], Strata],
    workers: int,
) -> FactorReturns:
    """Return the factor of one clustering; weightings and lags share its strata."""
    changed = {"window": choice["window"], "n_clusters": choice["n_clusters"]}
    alone = {"nulls": 0, "checks": ChecksConfig(), "weighting": choice["weighting"]}
    varied = config.model_copy(update=changed | alone)
    key = (choice["window"], choice["n_clusters"], choice["seeds"])
    if key not in made:
        found = clusters(varied, panel, seed=choice["seeds"], workers=workers, progress=None)
        made[key] = found["strata"]
    return spread(varied, made[key], panel, panel)


def preferred_row(config: MultiverseConfig, choices: pd.DataFrame) -> object:
    """Return the row of the first option of every decision, the study's own specification."""
    mask = pd.Series(True, index=choices.index)
    for decision, options in config.decisions().items():
        mask &= choices[decision] == str(options[0])
    return choices.index[mask][0] if mask.any() else None
