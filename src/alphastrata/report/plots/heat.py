"""A frame as a heat map, its values in the cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from alphastrata.report.formats import show
from alphastrata.report.style import (
    DIVERGING,
    INK,
    literal,
    plain_frame,
)

__all__ = ["heat"]


def heat(frame: pd.DataFrame, labels: list[str], ax: Axes, *, limit: float, decimals: int) -> None:
    """Draw a frame's values as colours between -limit and limit, with the values in the cells."""
    values = frame.to_numpy(dtype=float)
    ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if np.isfinite(value):
            text = show(float(value), "number", decimals=decimals)
            tint = "white" if abs(value) > 0.6 * limit else INK
            ax.text(column, row, text, ha="center", va="center", color=tint, fontsize=7.5)
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(frame)), [literal(name) for name in frame.index])
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(-0.5, len(labels)), minor=True)
    ax.set_yticks(np.arange(-0.5, len(frame)), minor=True)
    ax.grid(which="minor", color="white", linewidth=1.6)
    ax.tick_params(which="minor", length=0)
    plain_frame(ax)
