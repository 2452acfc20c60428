from __future__ import annotations

import base64

import numpy as np
import pandas as pd

from alphastrata.report import ReportData
from alphastrata.report.charts.chart import plain
from alphastrata.report.cloud import pack


def decode(letters: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(letters), dtype=kind)


def test_what_is_packed_comes_back(report_data: ReportData) -> None:
    frame = report_data.clusters[0].embeddings
    assert frame is not None
    packed = pack(frame.sample(frac=1.0, random_state=1), report_data.clusters[0].names)
    ordered = frame.sort_values(["date", "asset"], kind="stable")
    assets = np.array(packed["assets"])[decode(packed["asset"], "<u2")]
    assert assets.tolist() == [plain(name) for name in ordered["asset"]]
    labels = [int(c["label"].split(" ")[0]) for c in packed["clusters"]]
    assert (np.array(labels)[decode(packed["cluster"], "u1")] == ordered["cluster"]).all()
    for name in "xyz":
        axis = packed["axes"][name]
        step = (axis["high"] - axis["low"]) / 65535
        values = axis["low"] + step * decode(axis["values"], "<u2")
        assert np.abs(values - ordered[name]).max() <= 2 * step
    for item in packed["hover"]:
        values = decode(item["values"], "<f4")
        assert np.abs(values / ordered[item["name"]] - 1).max() < 1e-3
    assert packed["starts"][-1] == len(frame)
    assert packed["starts"][:-1] == np.unique(ordered["date"], return_index=True)[1].tolist()


def test_missing_hover_and_unplaced_assets() -> None:
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(["2020-01-31"] * 3),
            "asset": ["a", "b", "c"],
            "cluster": pd.array([1, None, 2], dtype="Int64"),
            "x": [0.0, 1.0, 2.0],
            "y": [0.0, 0.0, 0.0],
            "beta": [1.0, 2.0, np.nan],
            "industry": ["A", "B", "C"],
        }
    )
    packed = pack(frame, {})
    assert packed["assets"] == ["a", "c"]
    assert [item["name"] for item in packed["hover"]] == ["beta"]
    assert np.isnan(decode(packed["hover"][0]["values"], "<f4")[1])


def test_more_assets_than_two_bytes_count() -> None:
    n = 70_000
    frame = pd.DataFrame(
        {
            "date": pd.Timestamp("2020-01-31"),
            "asset": [f"{i:06d}" for i in range(n)],
            "cluster": 1,
            "x": np.arange(n, dtype=float),
            "y": 0.0,
        }
    )
    packed = pack(frame, {})
    assert packed["wide"]
    assert decode(packed["asset"], "<u4")[-1] == n - 1
