from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata import data, inference
from alphastrata.core import FactorReturns
from alphastrata.report import coefficients_of, tables


def test_results_of_tests_become_published_tables() -> None:
    factors = data.bundled_factors().between("2000-01-01", "2009-12-31")
    noise = np.random.default_rng(0).normal(0, 0.01, (len(factors.dates), 2))
    returns = pd.DataFrame(noise, factors.dates, ["A", "R&D_100%"])
    result = inference.time_series(FactorReturns(returns, kind="zero_cost"), factors, lags=6)
    table = coefficients_of(result, percent=["alpha"])
    assert table.params.index.tolist() == ["A", "R&D_100%"]
    assert table.params["alpha"].tolist() == result.params["alpha"].tolist()
    assert table.tstats is not None
    assert table.tstats["SMB"].tolist() == result.tstats["SMB"].tolist()
    assert r"R\&D\_100\%" in tables.to_latex(table)


def test_specifications_side_by_side_leave_gaps_empty() -> None:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product(
        [pd.date_range("2000-01-31", periods=30, freq="ME"), [f"A{i}" for i in range(40)]],
        names=["date", "asset"],
    )
    frame = pd.DataFrame(rng.normal(size=(1200, 3)), index, ["ret", "lev", "liq"])
    results = {
        "(1)": inference.fama_macbeth(frame, y="ret", x=["lev"], lag=0),
        "(2)": inference.fama_macbeth(frame, y="ret", x=["lev", "liq"], lag=0),
    }
    table = coefficients_of(results, transpose=True)
    assert table.params.index.tolist() == ["(1)", "(2)"]
    assert np.isnan(table.params.loc["(1)", "liq"])
    lines = tables.to_markdown(table).splitlines()
    assert lines[0] == "|  | (1) | (2) |"
    assert next(line for line in lines if line.startswith("| liq")).startswith("| liq |  | ")
