"""Indicators of strata and their products."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference import fama_macbeth
from alphastrata.inference.interactions import with_indicators, with_products


@pytest.fixture(scope="module")
def strata(ragged: Panel) -> Strata:
    rng = np.random.default_rng(5)
    dates = ragged.dates[[3, 15, 27]]
    labels = rng.integers(1, 4, (3, len(ragged.assets))).astype(float)
    labels[rng.random(labels.shape) < 0.1] = np.nan
    return Strata(pd.DataFrame(labels, dates, ragged.assets), ordered=False)


def test_labels_hold_until_the_next_formation(ragged: Panel, strata: Strata) -> None:
    panel, names = with_indicators(ragged, strata, prefix="stratum ")
    assert names == ["stratum 2", "stratum 3"]
    wide = strata.wide()
    # A label missing at the latest formation is missing, even if an earlier one is there.
    position = strata.dates.searchsorted(ragged.dates, side="right") - 1
    for t in (0, 3, 10, 15, 39):
        part = panel.at(ragged.dates[t])["stratum 2"]
        for asset, got in part.iloc[:30].items():
            if position[t] < 0:
                assert np.isnan(got)
                continue
            label = wide.iloc[position[t]][asset]
            assert np.isnan(got) if pd.isna(label) else got == float(label == 2)


def test_interacted_fama_macbeth(ragged: Panel, strata: Strata) -> None:
    panel, dummies = with_indicators(ragged, strata, baseline=3, prefix="s")
    panel, products = with_products(panel, ["value"], dummies)
    x = ["value", *dummies, *products]
    result = fama_macbeth(panel, "ret", x, lag=0)
    date = result.coefficients.index[5]
    part = panel.at(date)[["ret", *x]].dropna()
    part = part.rename(columns={p: p.replace(" x ", "_") for p in products})
    formula = "ret ~ value + s1 + s2 + value_s1 + value_s2"
    expected = smf.ols(formula, part).fit().params
    np.testing.assert_allclose(result.coefficients.loc[date], expected, rtol=1e-8)


def test_categories_and_refusals(ragged: Panel, strata: Strata) -> None:
    panel = ragged.assign(
        {"sector": pd.Categorical.from_codes(ragged.asset_codes % 3, list("abc"))}
    )
    new, names = with_indicators(panel, "sector", baseline="b")
    assert names == ["a", "c"]
    assert new.values("a").sum() == (ragged.asset_codes % 3 == 0).sum()
    with pytest.raises(ConfigError, match="baseline"):
        with_indicators(ragged, strata, baseline=9)
    with pytest.raises(InputDataError, match="new names"):
        with_indicators(ragged.assign({"2": 0.0}), strata)
