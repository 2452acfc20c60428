"""The studies that ship, from the raw data to the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from alphastrata.study import demo_config, read_config, run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.slow
def test_the_demo_recovers_what_was_planted(tmp_path):
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


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", ["nyse", "pystock"])
def test_real_data_end_with_alphas_by_month_and_by_day(name, real_data, tmp_path):
    config = read_config(EXAMPLES / f"{name}.toml")
    finished = run(config, out=tmp_path, data=real_data / name)
    tables = {file.stem: file for file in (tmp_path / "tables").glob("alphas-and-betas*.csv")}
    assert len(tables) == 2
    for stem, file in tables.items():
        table = pd.read_csv(file, index_col=0)
        assert {"CLU", "LIQ", "LEV", "OE"} <= set(table.index)
        assert {"alpha", "t(alpha)", "Mkt-RF", "SMB", "HML", "RMW", "CMA"} <= set(table.columns)
        assert table.loc[["CLU", "LIQ", "LEV", "OE"]].notna().all().all()
        least = 300 if "daily" in stem else 15
        assert table["observations"].min() >= least
    assert any("hort sample" in warning for warning in finished.warnings)
    words = "surviv" if name == "nyse" else "delisting"
    assert any(words in warning for warning in finished.warnings)
