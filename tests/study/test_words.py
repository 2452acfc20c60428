"""The first screen's warnings, on files of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.study import parse_config, run

STUDY = 'name = "own"\n[data]\nsource = "panel"\n[[sorts]]\nname = "S"\nby = "market_cap"\nn = 2\n'


def warnings_of(folder: Path, *, leaves: bool, unit: float = 1.0) -> list[str]:
    """Return the warnings of a study of 24 assets over four years; one may stop to trade."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("2010-01-31", periods=48, freq="ME")
    index = pd.MultiIndex.from_product([dates, [f"A{i:02d}" for i in range(24)]])
    rows = pd.DataFrame(index=index.set_names(["date", "asset"])).reset_index()
    rows["ret"] = unit * rng.normal(0.01, 0.05, len(rows))
    rows["market_cap"] = rng.uniform(1e8, 1e9, len(rows))
    if leaves:
        rows = rows[(rows["asset"] != "A00") | (rows["date"] < "2012-01-01")]
    folder.mkdir()
    rows.to_csv(folder / "market.csv", index=False)
    return list(run(parse_config(STUDY), data=folder, out=folder / "out").warnings)


def test_a_sample_that_nobody_leaves_is_one_of_survivors(tmp_path: Path) -> None:
    said = "All 24 assets are there at the end of 3 years: these are survivors"
    assert any(said in warning for warning in warnings_of(tmp_path / "all", leaves=False))
    assert not any("surviv" in warning for warning in warnings_of(tmp_path / "not", leaves=True))


def test_returns_in_per_cent_are_said_on_the_first_screen(tmp_path: Path) -> None:
    found = warnings_of(tmp_path / "percent", leaves=True, unit=100.0)
    assert any("returns are decimals" in w and "Divide the returns by 100" in w for w in found)
