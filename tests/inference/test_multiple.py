"""Adjusted p-values against statsmodels, scipy and worked examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.multiple import adjust_pvalues, adjustments, t_threshold

STATSMODELS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
# Benjamini and Hochberg (1995, section 3): fifteen endpoints
THROMBOLYSIS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
    0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
# Harvey, Liu and Zhu (2016, table 4): ten tests, p-values in per cent
HLZ = [4.66, 0.85, 2.71, 0.05, 3.00, 0.84, 0.00, 0.00, 0.60, 1.28]


@pytest.mark.parametrize("method", STATSMODELS)
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_statsmodels(method: str, n: int) -> None:
    p = np.random.default_rng(n).beta(0.5, 2, n)
    expected = multipletests(p, method=STATSMODELS[method])[1]
    np.testing.assert_allclose(adjust_pvalues(p, method), expected, rtol=1e-12)


@pytest.mark.parametrize("method", STATSMODELS)
def test_tests_not_at_hand_have_p_of_one(method: str) -> None:
    p = np.array([0.001, 0.012, 0.02])
    padded = adjust_pvalues([*p, *np.ones(17)], method).to_numpy()[:3]
    np.testing.assert_allclose(adjust_pvalues(p, method, n_tests=20), padded, rtol=1e-12)


def test_benjamini_hochberg_example() -> None:
    assert (adjust_pvalues(THROMBOLYSIS, "bonferroni") <= 0.05).sum() == 3
    assert (adjust_pvalues(THROMBOLYSIS, "bh") <= 0.05).sum() == 4


def test_harvey_liu_zhu_example() -> None:
    p = np.array(HLZ) / 100
    significant = {m: set(np.flatnonzero(adjust_pvalues(p, m) <= 0.05) + 1) for m in STATSMODELS}
    assert significant["bonferroni"] == {4, 7, 8}
    assert significant["holm"] == {4, 7, 8, 9}
    assert significant["by"] == {2, 4, 6, 7, 8, 9}


@pytest.mark.parametrize("method", STATSMODELS)
def test_threshold_separates(method: str) -> None:
    t = np.array([1.2, 2.1, 2.8, 3.1, 3.3, 4.0, 5.5, 0.3, 2.9, 3.6])
    cut = t_threshold(t, method)
    adjusted = adjust_pvalues(2 * stats.norm.sf(t), method)
    np.testing.assert_array_equal(t >= cut, adjusted <= 0.05)


def test_threshold_grows_with_trials() -> None:
    cuts = [t_threshold([3.0], "bonferroni", n_tests=n) for n in (1, 10, 100, 1000)]
    assert cuts == sorted(cuts)
    assert cuts[0] == pytest.approx(1.959964, abs=1e-6)
    assert t_threshold([1.0], "bonferroni", df=10) == pytest.approx(2.228139, abs=1e-6)


@pytest.mark.realdata
def test_published_anomalies(published: Path) -> None:
    t = pd.read_csv(published / "osap_212_tstats.csv")["tstat"]
    assert 2.0 < t_threshold(t, "bh") < t_threshold(t, "by") < t_threshold(t, "holm") < 4.5


def test_missing_stay_missing_and_refusals() -> None:
    table = adjustments(pd.Series([0.01, np.nan, 0.2], ["a", "b", "c"]))
    assert table.loc["b"].isna().all()
    assert table.loc["a", "bonferroni"] == 0.02
    with pytest.raises(InputDataError, match=r"\[0, 1\]"):
        adjust_pvalues([1.2])
    with pytest.raises(ConfigError, match="method"):
        adjust_pvalues([0.2], "sidak")
    with pytest.raises(ConfigError, match="n_tests"):
        adjust_pvalues([0.2, 0.3], n_tests=1)
    with pytest.raises(ConfigError, match="level"):
        t_threshold([1.0], level=2.0)
