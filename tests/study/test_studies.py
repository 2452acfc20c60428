"""The studies that ship, from the raw data to the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from alphastrata.study import demo_config, parse_config, read_config, run, run_experiments

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.slow
def test_the_demo_recovers_what_was_planted(tmp_path, unexplained):
    finished = run(demo_config(), out=tmp_path)
    truth = pd.read_csv(tmp_path / "tables" / "truth-beside-estimate.csv")
    # 4 alphas, 16 betas, 3 premia: demo.toml says that this seed covers them all.
    assert len(truth) == 23
    assert truth["covered"].astype(str).str.lower().isin(["true", "yes"]).all()
    premia = truth[truth["group"].str.startswith("premia")].set_index("parameter")
    assert (premia["low"] * premia["high"] > 0).all(), "the premia differ from zero"
    page = finished.report.read_text(encoding="utf-8")
    for words in ("GRS", "Fama-MacBeth", "Truth beside estimate", "simulated", "Provenance"):
        assert words in page
    assert len(finished.answer) == 3
    assert unexplained(page) == []


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", ["nyse", "pystock"])
def test_real_data_end_with_alphas_by_month_and_by_day(name, real_data, tmp_path, unexplained):
    config = read_config(EXAMPLES / f"{name}.toml")
    finished = run(config, out=tmp_path, data=real_data / name)
    tables = {file.stem: file for file in (tmp_path / "tables").glob("alphas-and-betas*.csv")}
    # FF5, FF3, FF5 with momentum, and FF5 by day.
    assert len(tables) == 4
    for stem, file in tables.items():
        table = pd.read_csv(file, index_col=0)
        assert {"CLU", "LIQ", "LEV", "OE"} <= set(table.index)
        wanted = {"Mkt-RF", "SMB", "HML"} | ({"RMW", "CMA"} if "ff5" in stem else set())
        wanted |= {"Mom"} if "mom" in stem else set()
        assert {"alpha", "t(alpha)", *wanted} <= set(table.columns)
        assert table.loc[["CLU", "LIQ", "LEV", "OE"]].notna().all().all()
        least = 300 if "daily" in stem else 15
        assert table["observations"].min() >= least
    assert unexplained(finished.report.read_text(encoding="utf-8")) == []
    assert any("hort sample" in warning for warning in finished.warnings)
    words = "surviv" if name == "nyse" else "delisting"
    assert any(words in warning for warning in finished.warnings)


@pytest.mark.realdata
def test_replicated_factors_come_with_a_certificate(real_data, tmp_path, unexplained):
    config = read_config(EXAMPLES / "replication.toml")
    run(config, out=tmp_path, data=real_data / "crsp_compustat_pseudo")
    assert unexplained((tmp_path / "report.html").read_text(encoding="utf-8")) == []
    (file,) = (tmp_path / "tables").glob("*certificate*.csv")
    table = pd.read_csv(file)
    assert set(table["factor"]) == {"SMB", "HML", "RMW", "CMA", "Mom"}
    assert set(table["period"]) == {"all", "2000s", "2010s"}
    # The tables are simulated, so nothing but chance connects them with the published factors.
    assert table["correlation"].abs().max() < 0.5


def test_the_multiverse_is_counted_in_the_ledger(tmp_path, unexplained):
    from alphastrata.inference import Ledger

    text = (EXAMPLES / "multiverse.toml").read_text(encoding="utf-8")
    small = text.replace("n_assets = 300", "n_assets = 80").replace("periods = 120", "periods = 48")
    small = small.replace("lags = [6, 3, 12]", "lags = [6]").replace("n = [5, 3, 10]", "n = [5, 3]")
    finished = run(parse_config(small), out=tmp_path)
    # 2 definitions x 2 numbers x 2 breakpoints x 2 weightings, and the study's own factor.
    assert Ledger(tmp_path / "trials.jsonl").count == 17
    page = finished.report.read_text(encoding="utf-8")
    assert "Specification curve" in page
    assert unexplained(page) == []


def test_money_and_information_are_sections(tmp_path, unexplained):
    text = """
name = "money"
[data.simulation]
n_assets = 80
periods = 48
[[sorts]]
name = "LEV"
by = "leverage"
method = "size_neutral"
[[sorts]]
name = "LIQ"
by = "liquidity"
weighting = "equal"
[costs]
basis_points = 20
borrow_fee = 0.01
[backtest]
capital = 1_000
[tests]
information = ["leverage"]
battery = ["cusum", "romano_wolf", "joint_alphas", "two_pass", "panel_regression"]
[[tests.fama_macbeth]]
name = "all"
x = ["leverage", "liquidity"]
"""
    finished = run(parse_config(text), out=tmp_path)
    money = pd.read_csv(tmp_path / "tables" / "in-money-per-year-of-wealth.csv", index_col=0)
    left = money["gross"] - money["trading"] - money["borrowing"] - money["net"]
    assert left.abs().max() < 1e-12
    assert (money["trading"] > 0).all()
    alphas = pd.read_csv(next((tmp_path / "tables").glob("alphas-and-betas*.csv")), index_col=0)
    assert alphas.loc["LEV", "alpha"] > alphas.loc["LEV net", "alpha"]
    assert len(alphas) == 4
    page = finished.report.read_text(encoding="utf-8")
    assert "In money" in page
    assert "Information coefficients" in page
    assert unexplained(page) == []
    further = {file.stem for file in (tmp_path / "tables").glob("further-tests*.csv")}
    assert len(further) == 6


def test_the_experiments_have_a_page_of_their_own(tmp_path, unexplained):
    text = (EXAMPLES / "experiments.toml").read_text(encoding="utf-8")
    small = text.replace("n_assets = 400", "n_assets = 60").replace("seeds = 5", "seeds = 2")
    small = small.replace("[3, 4, 5, 6]", "[3, 4]").replace('"usual"', '"short"')
    page = run_experiments(parse_config(small), out=tmp_path)
    text = page.read_text(encoding="utf-8")
    for words in ("Silhouette", "Davies-Bouldin", "original + extension + price", "PCA"):
        assert words in text
    assert unexplained(text) == []
    assert (tmp_path / "experiments-manifest.json").is_file()
    assert len(list((tmp_path / "experiments-tables").glob("*.csv"))) > 10
