"""Characteristics for the benchmarks: planted clusters on a curved surface, moving slowly."""

from __future__ import annotations

import numpy as np
import pandas as pd


def characteristics(
    n_assets: int, n_features: int, months: int, *, n_clusters: int = 6, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a long frame (date, asset) of features and the planted labels (months x assets)."""
    rng = np.random.default_rng(seed)
    labels = np.empty((months, n_assets), dtype=np.int64)
    labels[0] = rng.integers(0, n_clusters, n_assets)
    centre = 2.2 * rng.normal(size=(n_clusters, 4))
    first = rng.normal(size=(4, 24)) / 2
    second = rng.normal(size=(24, n_features)) / np.sqrt(12)
    offset = rng.normal(size=(n_assets, 4))
    blocks = []
    for t in range(months):
        if t:
            moved = rng.random(n_assets) < 0.01
            labels[t] = np.where(moved, rng.integers(0, n_clusters, n_assets), labels[t - 1])
        offset = 0.95 * offset + np.sqrt(1 - 0.95**2) * rng.normal(size=(n_assets, 4))
        hidden = np.tanh((centre[labels[t]] + 0.6 * offset) @ first)
        noisy = hidden @ second + 0.25 * rng.normal(size=(n_assets, n_features))
        # Heavy tails, which the signed logarithm takes back.
        blocks.append(np.sign(noisy) * np.expm1(2.0 * np.abs(noisy)))
    index = pd.MultiIndex.from_product(
        [
            pd.date_range("2000-01-31", periods=months, freq="ME"),
            [f"A{i:05d}" for i in range(n_assets)],
        ],
        names=["date", "asset"],
    )
    names = [f"f{k:02d}" for k in range(n_features)]
    return pd.DataFrame(np.vstack(blocks), index=index, columns=names), labels
