"""How often 95% intervals cover what was planted: Fama-MacBeth slopes on simulated markets.

Run: python benchmarks/study_coverage.py [markets]
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import alphastrata as st
from alphastrata.study.stages.ranks import unit_ranks

X = ["liquidity", "leverage", "operating_efficiency"]


def standardised_error(seed: int) -> pd.Series:
    """(estimate - planted) / standard error of each slope, in one market."""
    market = st.data.simulate_market(400, "1998-01-31", 180, seed=seed)
    panel = market.panel.join(st.features.compute(market.panel, X))
    found = st.inference.fama_macbeth(unit_ranks(panel, X), y="ret", x=X, lags=6)
    return (found.params[X] - pd.Series(market.truth.premia)[X]) / found.std_errors[X]


def main(markets: int) -> None:
    rows = Parallel(n_jobs=2)(delayed(standardised_error)(seed) for seed in range(markets))
    t = pd.DataFrame(rows)
    table = pd.DataFrame(
        {
            "mean": t.mean(),
            "sd": t.std(),
            "covered at 95%": (t.abs() < 1.96).mean(),
        }
    )
    share = float((t.abs() < 1.96).to_numpy().mean())
    error = np.sqrt(share * (1 - share) / t.size)
    print(table.round(3).to_string())
    print(f"{markets} markets, {t.size} intervals: {share:.1%} cover the truth (±{error:.1%})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
