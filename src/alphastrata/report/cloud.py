"""The map of the clusters, packed: 2,000 assets in 60 windows in two megabytes.

Coordinates take two bytes each (65,536 steps over the range of the map), labels one, and the
characteristics shown on hover four, of which the last bits are cleared so that they compress.
Arrays are little-endian, in row order by date; the page's script reads them as typed arrays.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.report.charts.chart import plain
from alphastrata.report.charts.clusters import cluster_label
from alphastrata.report.formats import is_numeric
from alphastrata.report.palette import colour, plotly_mark

__all__ = ["pack"]

STEPS = 65535


def pack(embeddings: pd.DataFrame, names: Mapping[int, str]) -> dict[str, Any]:
    """Return a long frame of embeddings as the script of the page takes it.

    Parameters
    ----------
    embeddings : DataFrame
        Columns as in ``ClusterSection.embeddings``.
    names : mapping of cluster to str

    Returns
    -------
    dict
        ``dates``, ``dated`` (whether they are: maps of no date have text there), ``starts`` (row
        number of each date's first row, and the end), ``assets``, ``clusters`` (number, label,
        colour, mark), and base64 arrays: ``asset`` (uint16 or uint32 codes), ``cluster`` (uint8
        codes into ``clusters``), ``x``, ``y``, ``z`` and ``x3``, ``y3``, ``z3`` (uint16) with their
        ``low`` and ``high``, and ``hover`` (float32).

    Examples
    --------
    >>> frame = pd.DataFrame({"date": pd.to_datetime(["2020-01-31"]), "asset": ["A"],
    ...                       "cluster": [1], "x": [0.0], "y": [1.0]})
    >>> pack(frame, {})["dates"]
    ['2020-01-31']
    """
    places = ("x", "y", "z", "x3", "y3", "z3")
    known = ["date", "asset", "cluster", *places]
    axes = [name for name in places if name in embeddings]
    dated = not pd.api.types.is_string_dtype(embeddings["date"])
    frame = embeddings.dropna(subset=["x", "y", "cluster"])
    frame = frame.sort_values(["date", "asset"], kind="stable")
    when, first = np.unique(frame["date"].to_numpy(), return_index=True)
    asset_codes, assets = pd.factorize(frame["asset"].astype(str), sort=True)
    labels = np.sort(frame["cluster"].astype(int).unique())
    hover = [c for c in frame.columns if c not in known and is_numeric(frame[c])]
    width = np.uint16 if len(assets) <= STEPS else np.uint32
    return {
        "dates": [
            pd.Timestamp(date).strftime("%Y-%m-%d") if dated else plain(date) for date in when
        ],
        "dated": dated,
        "starts": [*(int(i) for i in first), len(frame)],
        "assets": [plain(asset) for asset in assets],
        "clusters": [
            {
                "label": plain(cluster_label(int(c), names)),
                "colour": colour(int(c)),
                "mark": plotly_mark(int(c)),
            }
            for c in labels
        ],
        "asset": _encode(asset_codes.astype(width)),
        "wide": width is np.uint32,
        "cluster": _encode(np.searchsorted(labels, frame["cluster"].astype(int)).astype(np.uint8)),
        "axes": {name: _quantise(frame[name].to_numpy(dtype=float)) for name in axes},
        "hover": [{"name": plain(c), "values": _encode(_trim(frame[c]))} for c in hover],
    }


def _quantise(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return values as steps between their lowest and highest; both windows share one scale."""
    finite = np.isfinite(values)
    low = float(values[finite].min()) if finite.any() else 0.0
    high = float(values[finite].max()) if finite.any() else 1.0
    span = (high - low) or 1.0
    steps = np.round(np.where(finite, (values - low) / span, 0.0) * STEPS).astype(np.uint16)
    return {
        "low": float(f"{low:.6g}"),
        "high": float(f"{low + span:.6g}"),
        "values": _encode(steps),
    }


def _trim(column: pd.Series) -> np.ndarray[Any, Any]:
    """Return a column as float32 rounded to ten bits, about three digits."""
    values = column.to_numpy(dtype=np.float32, na_value=np.nan)
    bits = values.view(np.uint32)
    half = np.uint32(1 << 12)
    rounded = ((bits + half) & np.uint32(0xFFFFE000)).view(np.float32)
    return np.where(np.isfinite(values), rounded, np.float32(np.nan))


def _encode(values: np.ndarray[Any, Any]) -> str:
    little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<")))
    return base64.b64encode(little.tobytes()).decode("ascii")
