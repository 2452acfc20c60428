from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.portfolio import Overlapping, composition, holdings, quantile_sort


@pytest.mark.parametrize("hold", [None, Overlapping(3)])
def test_composition_describes_the_holdings(market, hold):
    strata = quantile_sort(market, "signal", n=3)
    got = composition(strata, market, columns=["leverage"], hold=hold)
    held = holdings(strata, market, legs="long_only", dates="all", hold=hold).weights
    frame = market.frame
    for (date, name), row in got.iterrows():
        w = held.xs((date, name), level=("date", "portfolio"))
        assert row["assets"] == len(w)
        assert row["effective_n"] == pytest.approx(1 / (w**2).sum(), rel=1e-12)
        assert row["max_weight"] == pytest.approx(w.max(), rel=1e-12)
        section = frame.xs(date, level="date").loc[w.index]
        assert row["market_cap"] == pytest.approx(section["market_cap"].sum(), rel=1e-12)
        x = section["leverage"]
        ok = x.notna()
        want = (w * x)[ok].sum() / w[ok].sum() if ok.any() else np.nan
        assert row["leverage"] == pytest.approx(want, rel=1e-12, nan_ok=True)
    assert len(got) == held.groupby(["date", "portfolio"]).ngroups


def test_a_column_whose_name_is_taken_stands_beside_it():
    rows = {"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "market_cap": [1.0, 3.0]}
    panel = Panel(pd.DataFrame(rows), freq="M")
    one = Strata(pd.DataFrame({"A": [1], "B": [1]}, index=panel.dates), ordered=True)
    row = composition(one, panel, columns=["market_cap"]).iloc[0]
    assert row["market_cap"] == 4.0
    assert row["mean market_cap"] == 2.5
