"""What a study tried is in its ledger, and what it cannot test it says."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from alphastrata.inference import Ledger
from alphastrata.study import parse_config, run

TEXT = """
name = "trials"
seed = 1
[data.simulation]
n_assets = 150
periods = 24
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
[[sorts]]
name = "AGAIN"
by = "leverage"
n = 3
[[sorts]]
name = "FINE"
by = "liquidity"
n = 20
[[tests.fama_macbeth]]
name = "both"
x = ["leverage", "liquidity"]
[tests]
battery = ["dimson", "side_by_side", "alphas"]
[multiverse]
by = ["leverage"]
n = [3, 5]
weighting = ["value"]
lags = [3]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("trials")
    page = run(parse_config(TEXT), out=out).report.read_text(encoding="utf-8")
    return out, unescape(re.sub(r"<[^>]+>", "", page))


def test_every_specification_is_a_trial_with_its_sharpe_ratio(
    finished: tuple[Path, str],
) -> None:
    book = Ledger(finished[0] / "trials.jsonl").frame()
    assert len(book) == 3 + 2 + 2  # alphas, slopes, paths
    assert book["sharpe"].notna().all()
    assert set(book["set.slope"].dropna()) == {"leverage", "liquidity"}
    slopes = book[book["set.slope"].notna()]
    assert slopes["p"].between(0, 1).all()
    # The path that is the study's own sort has its Sharpe ratio.
    own = book.loc[book["set.n"] == "3", "sharpe"].item()
    assert own == pytest.approx(book["sharpe"].iloc[2], rel=1e-12)


def test_tests_that_the_data_do_not_allow_are_named_on_the_page(
    finished: tuple[Path, str],
) -> None:
    page = finished[1]
    assert "Not tested: The covariance matrix is singular: 'AGAIN'" in page
    assert "No GRS test of the strata of FINE: " in page
    assert "got N = 20, T = 23, K = 4" in page.replace("\u00a0", " ")


def test_units_and_notes_of_further_tests(finished: tuple[Path, str]) -> None:
    out, page = finished
    betas = page[page.index("Dimson betas on") :]
    assert "In decimals per period" not in betas[: betas.index("(Dimson 1979)")]
    beside = page[page.index("LEV on factors: 1 models") :][:1500]
    assert "In decimals per period" in beside
    assert "in parentheses" not in beside[: beside.index("How computed")]
    tables = out / "tables"
    (file,) = tables.glob("further-tests*time-series*.csv")
    assert {"p", "estimate"} <= set(pd.read_csv(file).columns)
    further = page[page.index("Further tests against") :]
    assert "factor dates that the returns lack" in further
    assert "by: " in page[page.index("Importance: share") :][:400]
