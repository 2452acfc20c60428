"""Fama-MacBeth regressions of a study: regressors on one scale, strata and their products."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alphastrata import inference
from alphastrata.core import Panel, Strata
from alphastrata.core.bydate import standardize
from alphastrata.inference.fama_macbeth import centred_rank
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import FamaMacBethConfig
from alphastrata.study.stages.errors_of import conventions_of
from alphastrata.study.stages.ranks import unit_ranks

SCALES = {
    "unit_rank": "rank by date, at mean 0 and standard deviation 1",
    "rank": "rank by date in [-0.5, 0.5]",
    "zscore": "z-score by date (divisor n)",
    "none": "as they are",
}


def cross_section(
    config: FamaMacBethConfig, panel: Panel, strata: Mapping[str, Strata], hac: inference.HAC
) -> Artefacts:
    """Return one Fama-MacBeth regression: coefficients by date, averages, subperiods.

    Parameters
    ----------
    config
        The table of the study's file.
    panel
        Market with the characteristics.
    strata
        Strata by the name of their clustering or sort.
    hac
        Standard errors of the averages.
    """
    x = list(config.x)
    panel = scaled(panel, x, config.scale)
    for name in config.strata:
        panel, dummies = inference.with_indicators(panel, strata[name], prefix=f"{name} ")
        x += dummies
        if config.interact:
            panel, products = inference.with_products(panel, config.interact, dummies)
            x += products
    result = inference.fama_macbeth(
        panel,
        y="ret",
        x=x,
        lags=hac,
        lag=config.lag,
        weights=config.weights,
        intercept=config.intercept,
        min_assets=config.min_assets,
    )
    before = {0: "of the same month", 1: "a month before"}
    when = before.get(config.lag, f"{config.lag} months before")
    out: Artefacts = {
        "table": pd.DataFrame(
            {
                "params": result.params,
                "std_errors": result.std_errors,
                "tstats": result.tstats,
                "pvalues": result.pvalues,
            }
        ),
        "coefficients": result.coefficients,
        "fit": pd.DataFrame(
            {"R2": result.r2, "adj. R2": result.r2_adjusted, "assets": result.nobs}
        ),
        "text": {
            "conventions": [
                f"Regressors: {SCALES[config.scale]}, {when}.",
                *[f"Strata of {name}: 0/1, less the first." for name in config.strata],
                *conventions_of(result),
            ],
            "notes": [str(note) for note in result.notes],
        },
    }
    if len(result.skipped):
        out["skipped"] = result.skipped.rename_axis("date").reset_index()
    if config.subperiods:
        parts = result.subperiods(config.subperiods)
        pairs = parts.columns.tolist()
        parts.columns = pd.Index([c[0] if c[1] == "estimate" else f"t({c[0]})" for c in pairs])
        out["subperiods"] = parts.rename_axis("period").reset_index()
    return out


def scaled(panel: Panel, columns: list[str], how: str) -> Panel:
    """Return the panel with columns on one scale by date."""
    if how == "none":
        return panel
    if how == "unit_rank":
        return unit_ranks(panel, columns)
    made: dict[str, np.ndarray] = {}
    for name in columns:
        values = panel.values(name)
        made[name] = (
            centred_rank(values, panel) if how == "rank" else standardize(values, panel.offsets)
        )
    return panel.assign(made)
