"""The page of a study that ran, in a real browser: every number, every width, and paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alphastrata.study import parse_config, run

# Small and quick, and with nearly every kind of section that a study's page can have.
STUDY = """
name = "small"
seed = 3
[data.simulation]
n_assets = 60
start = "2005-01-31"
periods = 48
[[clusters]]
name = "CLU"
features = ["liquidity", "leverage", "operating_efficiency", "log_market_cap"]
n_clusters = 3
window = 24
step = 12
schedule = "short"
rank_by = "leverage"
dummies = true
nulls = 1
[clusters.network]
epochs = 3
[clusters.explain]
profiles = true
tree = 2
drift = true
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
[[sorts]]
name = "LIQ"
by = ["market_cap", "liquidity"]
n = 2
rebalance = 6
[costs]
basis_points = 10
borrow_fee = 0.01
[costs.impact]
coefficient = 1.0
[backtest]
capital = 1_000_000
capacities = [1_000_000, 10_000_000]
regimes = ["Mkt-RF"]
[information]
by = ["leverage"]
horizons = [1, 3]
[tests]
battery = ["cusum", "joint_alphas"]
[[tests.fama_macbeth]]
name = "all"
x = ["liquidity", "leverage"]
[multiverse]
by = ["leverage"]
n = [3, 5]
weighting = ["value", "equal"]
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    return run(parse_config(STUDY), out=out).report


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    browser.dark(False)
    browser.size(1280)
    browser.open(page)
    return browser


def test_every_number_of_a_study_tells_how_it_came_to_be(opened: Any) -> None:
    many, wrong, bare = opened.numbers()
    assert many > 800
    assert wrong == []
    assert bare == []
    assert opened.messages == []


@pytest.mark.parametrize("width", [390, 1280])
def test_a_study_fits_the_screen_and_asks_for_nothing(browser: Any, page: Path, width: int) -> None:
    browser.dark(width == 390)
    browser.size(width)
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.value("document.documentElement.scrollWidth") == width
    assert browser.requests == [page.as_uri()]
    assert browser.messages == []


def test_no_table_of_a_study_is_cut_off_on_paper(opened: Any) -> None:
    assert opened.off_paper() == []
