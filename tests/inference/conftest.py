"""Small samples that the tests of inference share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel


@pytest.fixture(scope="module")
def factors() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    dates = pd.date_range("1990-01-31", periods=180, freq="ME")
    return pd.DataFrame(
        rng.normal([0.006, 0.002, 0.003], [0.045, 0.03, 0.03], (180, 3)),
        index=dates,
        columns=["Mkt-RF", "SMB", "HML"],
    )


@pytest.fixture(scope="module")
def returns(factors: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    betas = rng.normal([1, 0.3, 0.2], 0.3, (8, 3)).T
    noise = rng.standard_t(5, (180, 8)) * 0.02
    values = factors.to_numpy() @ betas + noise + rng.normal(0, 0.002, 8)
    return pd.DataFrame(values, index=factors.index, columns=[f"P{i}" for i in range(1, 9)])


@pytest.fixture(scope="module")
def ragged() -> Panel:
    """A panel with missing values, entries, exits and dates that cannot be estimated."""
    rng = np.random.default_rng(3)
    dates = pd.date_range("2001-01-31", periods=40, freq="ME")
    rows = [
        (date, f"A{i:03d}")
        for t, date in enumerate(dates)
        for i in range(120)
        if rng.random() < (0.02 if t == 7 else 0.9)
    ]
    index = pd.MultiIndex.from_tuples(rows, names=["date", "asset"])
    n = len(rows)
    data = pd.DataFrame(
        {
            "size": rng.normal(10, 2, n),
            "value": rng.normal(size=n),
            "momentum": rng.normal(size=n),
            "weight": rng.uniform(0.5, 3, n),
        },
        index=index,
    )
    data["ret"] = 0.01 * data["value"] - 0.002 * data["size"] + rng.normal(0, 0.1, n)
    data.loc[rng.random(n) < 0.05, "value"] = np.nan
    data.loc[rng.random(n) < 0.03, "ret"] = np.nan
    return Panel(data)


@pytest.fixture
def published(real_data: Path) -> Path:
    return real_data / "published"
