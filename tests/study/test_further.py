"""Every test of the package from a study's file: asked for, computed, shown, equal to the call."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from alphastrata import inference
from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError
from alphastrata.inference.bandwidth import LagRule
from alphastrata.inference.hac import Kernel
from alphastrata.inference.least_squares import CovarianceKind
from alphastrata.inference.multiple import Adjustment
from alphastrata.inference.registry import TESTS
from alphastrata.study import artefacts, parse_config, run
from alphastrata.study.settings import inference as inference_settings

TEXT = """
name = "every test"
seed = 4
[data.simulation]
n_assets = 90
periods = 84
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
[[sorts]]
name = "LIQ"
by = "liquidity"
n = 3
[[sorts]]
name = "SIZE"
by = "log_market_cap"
n = 3
[costs]
basis_points = 10
[[benchmarks]]
name = "FF3"
factors = ["Mkt-RF", "SMB", "HML"]
[[benchmarks]]
name = "CAPM"
factors = ["Mkt-RF"]
errors = { lags = "andrews", kernel = "quadratic-spectral", small_sample = false }
[[benchmarks]]
name = "CAPM, White"
factors = ["Mkt-RF"]
errors = { covariance = "HC3" }
[tests]
lags = "stock-watson"
kernel = "parzen"
grs_divisor = "T-1"
adjust = ["bonferroni", "holm", "hochberg", "hommel", "bh", "by"]
battery = [
    "alphas", "spanning", "cusum", "downside", "adjusted", "reality_check", "track_record",
    "tangency", "compare_models", "pricing", "grs", "joint_alphas", "huberman_kandel",
    "bayesian", "fama_macbeth",
]
[[tests.fama_macbeth]]
name = "plain"
x = ["leverage", "liquidity"]
[[tests.fama_macbeth]]
name = "beyond size"
x = ["leverage"]
scale = "zscore"
weights = "market_cap"
min_assets = 20
strata = ["SIZE", "LIQ"]
interact = ["leverage"]
subperiods = [1979-01-01]
errors = { lags = 0, small_sample = false }
[[tests.further]]
test = "rolling"
options = { window = 36, min_periods = 24 }
[[tests.further]]
test = "rolling"
name = "growing"
assets = ["LEV", "LEV net"]
options = { expanding = true, min_periods = 36 }
[[tests.further]]
test = "chow"
options = { break_date = 1979-01-31, lags = 2 }
[[tests.further]]
test = "dimson"
on = "strata"
options = { lags = 2, leads = 1 }
[[tests.further]]
test = "conditional"
instruments = ["log_market_cap"]
options = { varying_alpha = true }
[[tests.further]]
test = "romano_wolf"
on = "strata"
options = { block = 4, draws = 99, two_sided = false }
[[tests.further]]
test = "luck"
name = "Fama and French's bootstrap"
on = "strata"
options = { draws = 99 }
[[tests.further]]
test = "luck"
name = "Kosowski's bootstrap"
options = { method = "kosowski", draws = 99 }
[[tests.further]]
test = "sharpe_difference"
assets = ["LEV"]
options = { draws = 99, hac = { lags = 3, kernel = "parzen" } }
[[tests.further]]
test = "side_by_side"
options = { asset = "LIQ", covariance = "HC1" }
[[tests.further]]
test = "select_factors"
options = { always = ["Mkt-RF"], most = 3 }
[[tests.further]]
test = "two_pass"
name = "GLS"
benchmark = "CAPM"
options = { method = "GLS", errors = "misspecification-robust", traded = true, intercept = false }
[[tests.further]]
test = "three_pass"
options = { n_factors = 2 }
[[tests.further]]
test = "double_selection"
options = { folds = 3 }
[[tests.further]]
test = "specifications"
x = ["leverage", "liquidity", "log_market_cap"]
options = { size = 2 }
[[tests.further]]
test = "panel_regression"
options = { cluster = "date", effects = "asset" }
[[tests.further]]
test = "panel_regression"
name = "both"
x = ["leverage"]
options = { cluster = "both", weights = "market_cap" }
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("every")
    page = run(parse_config(TEXT), out=out).report.read_text(encoding="utf-8")
    return out, unescape(page)


def stage(out: Path, name: str) -> dict[str, object]:
    return artefacts.load(next((out / "stages").glob(f"{name}-*")))


def test_every_test_runs_and_is_on_the_page(finished):
    out, page = finished
    found = stage(out, "further")
    assert found["skipped"] == []
    config = parse_config(TEXT)
    assert {wanted.test for wanted in config.tests.asked} == set(TESTS)
    assert len(found["found"]) == len(config.tests.asked)
    for words in ("Further tests against FF3", "Further tests against CAPM", "growing: HML"):
        assert words in page
    written = {file.stem for file in (out / "tables").glob("further-tests*.csv")}
    assert len(written) == len(config.tests.asked) + 2  # and the joint tests of two benchmarks


def test_numbers_are_those_of_the_calls(finished):
    out, _ = finished
    found, factors = stage(out, "further"), stage(out, "factors")
    benchmarks = stage(out, "benchmarks")
    by_name = {entry["name"]: found[f"table {entry['number']}"] for entry in found["found"]}
    spreads: FactorReturns = factors["spreads M"]
    ff3, capm = benchmarks["FF3"], benchmarks["CAPM"]
    chow = inference.chow(spreads, ff3, "1979-01-31", lags=2).table()
    np.testing.assert_array_equal(by_name["chow"]["F"], chow["F"])
    assert by_name["growing"]["asset"].unique().tolist() == ["LEV", "LEV net"]
    gls = by_name["GLS"].set_index("coefficient")
    strata = None
    for name in ("LEV", "LIQ", "SIZE"):
        part = factors[f"portfolios {name}"]
        part = part.rename({c: f"{name} {c}" for c in part.factors})
        strata = part if strata is None else strata.join(part)
    lags = inference.HAC("andrews", "quadratic-spectral", small_sample=False)
    expected = inference.two_pass(
        strata, capm, method="GLS", errors="misspecification-robust", traded=True,
        intercept=False, lags=lags,
    ).table()  # fmt: skip
    np.testing.assert_array_equal(gls["std_error"], expected["std_error"])
    beside = inference.models_side_by_side(
        spreads, {"FF3": ff3, "CAPM": capm}, asset="LIQ", covariance="HC1"
    )
    assert list(by_name["side_by_side"])[:3] == ["coefficient", "FF3, estimate", "FF3, t"]
    np.testing.assert_array_equal(by_name["side_by_side"]["CAPM, t"], beside.tstats["CAPM"])
    wolf = inference.romano_wolf(strata, ff3, two_sided=False, block=4, draws=99, seed=4)
    np.testing.assert_array_equal(by_name["romano_wolf"]["p_adjusted"], wolf.adjusted)


def test_errors_are_those_of_the_benchmark(finished):
    out, page = finished
    tests, factors = stage(out, "tests"), stage(out, "factors")
    benchmarks = stage(out, "benchmarks")
    both = factors["spreads M"].join(
        factors["net M"].rename({n: f"{n} net" for n in factors["net M"].factors})
    )
    for name, covariance, lags in (
        ("FF3", "hac", inference.HAC("stock-watson", "parzen")),
        ("CAPM", "hac", inference.HAC("andrews", "quadratic-spectral", small_sample=False)),
        ("CAPM, White", "HC3", inference.HAC("stock-watson", "parzen")),
    ):
        result = inference.time_series(both, benchmarks[name], lags=lags, covariance=covariance)
        pd.testing.assert_frame_equal(
            tests[f"alphas {name} std_errors"], result.std_errors, check_names=False
        )
        assert f"Standard errors: {result.covariance}." in page
    joint = tests["grs FF3"]["LEV"]
    expected = inference.grs(
        factors["portfolios LEV"], benchmarks["FF3"], factor_divisor="T-1"
    ).statistic
    assert joint["value"] == expected
    assert "Not the exact F" in page


def test_cross_sections_have_strata_products_and_subperiods(finished):
    out, page = finished
    tests = stage(out, "tests")
    table = tests["cross-section beyond size table"]
    dummies = [name for name in table.index if name.startswith(("SIZE", "LIQ"))]
    assert len(dummies) == 4
    assert sum(name.startswith("leverage x ") for name in table.index) == 4
    assert tests["cross-section beyond size subperiods"]["period"].str.len().tolist() == [24, 24]
    assert "Weighted least squares, weights market_cap." in page
    assert "By subperiod" in page
    coefficients = tests["cross-section beyond size coefficients"]
    errors = coefficients.std(ddof=0) / np.sqrt(len(coefficients))
    np.testing.assert_allclose(table["std_errors"], errors, rtol=1e-10)


def test_what_a_further_test_leaves_open_is_as_in_the_settings(finished):
    (joint,) = (e for e in stage(finished[0], "further")["found"] if e["name"] == "grs")
    assert any("factor covariance by T-1" in line for line in joint["conventions"])


def test_trials_are_adjusted_in_every_way(finished):
    out, page = finished
    table = pd.read_csv(next((out / "tables").glob("once-every-trial-counts*.csv")), index_col=0)
    assert {"p, Bonferroni", "p, Hommel", "p, Benjamini-Hochberg"} <= set(table.columns)
    count = int(table["trials"].iloc[0])
    assert count == 20  # three factors against three benchmarks, and eleven slopes
    np.testing.assert_allclose(table["p, Bonferroni"], np.minimum(count * table["p"], 1.0))
    assert "|t| that a new factor needs at 5%" in page


def test_a_multiverse_of_clusters(tmp_path):
    text = """
name = "grid"
[data.simulation]
n_assets = 60
periods = 60
[[clusters]]
name = "CLU"
features = ["leverage", "liquidity", "log_market_cap"]
n_clusters = 3
autoencoder = false
embedding = "none"
rank_by = "leverage"
nulls = 0
[multiverse]
clusters = "CLU"
window = [36, 24]
n_clusters = [3, 4]
seeds = [0, 1]
weighting = ["value", "equal"]
lags = [6]
"""
    finished = run(parse_config(text), out=tmp_path)
    choices = stage(tmp_path, "multiverse")["choices"]
    assert len(choices) == 16
    assert list(choices) == ["window", "n_clusters", "seeds", "weighting", "lags"]
    assert inference.Ledger(tmp_path / "trials.jsonl").count == 17
    page = finished.report.read_text(encoding="utf-8")
    assert "Specification curve" in page
    assert "n_clusters" in page


LEAST = 'name = "x"\n[[sorts]]\nname = "A"\nby = "liquidity"\n'


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[tests]\nlags = "many"\n', "tests.lags: lags are a whole number or one of"),
        ('[[tests.further]]\ntest = "moon"\n', "tests.further.0.test: no test is called 'moon'"),
        ('[[tests.further]]\ntest = "chow"\n', "needs the option 'break_date'"),
        ('[[tests.fama_macbeth]]\nname = "a"\nx = ["roe", "roe"]\n', "each regressor stands once"),
        ('[[tests.further]]\ntest = "grs"\noptions = {lags = 3}\n', "it has factor_divisor"),
        ('[[tests.further]]\ntest = "conditional"\n', "needs instruments"),
        ('[[tests.further]]\ntest = "specifications"\noptions = {size = 2}\n', "add one"),
        (
            '[[tests.further]]\ntest = "grs"\nbenchmark = "B"\n',
            "tests.further.0.benchmark: 'B' is no benchmark; there are 'FF3 . Mom'",
        ),
        (
            '[[tests.further]]\ntest = "cusum"\non = "factors"\nassets = ["B"]\n',
            "tests.further.0.assets: 'B' is no factor; there are A",
        ),
        (
            '[[tests.fama_macbeth]]\nname = "a"\nx = ["roe"]\nstrata = ["B"]\n',
            "'B' is none",
        ),
        ('[[tests.fama_macbeth]]\nname = "a"\nx = ["roe"]\ninteract = ["b"]\n', "'b' is none"),
        ("[multiverse]\nn = [5]\n", "say one of them"),
        ('[multiverse]\nclusters = "B"\n', "'B' is none"),
    ],
)
def test_mistakes_are_named(more, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(LEAST + more)


def test_choices_of_the_file_are_those_of_the_functions():
    assert set(inference_settings.RULES) == set(get_args(LagRule))
    assert get_args(inference_settings.Kernel) == get_args(Kernel)
    assert get_args(inference_settings.CovarianceKind) == get_args(CovarianceKind)
    assert get_args(inference_settings.Adjustment) == get_args(Adjustment)
