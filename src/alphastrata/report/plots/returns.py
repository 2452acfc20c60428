"""Figures of return series for a paper: growth, drawdowns and correlations."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from alphastrata.report.palette import series_colour
from alphastrata.report.plots.heat import heat
from alphastrata.report.style import (
    MUTED,
    canvas,
    literal,
    styled,
)

__all__ = ["correlations", "drawdowns", "growth"]


def growth(cumulative: pd.DataFrame, ax: Axes | None = None, *, log: bool = False) -> Axes:
    """Draw growth of one unit.

    Parameters
    ----------
    cumulative : DataFrame
        date x factor, growth of one unit.
    ax : Axes, optional
    log : bool
        Logarithmic vertical axis.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"LEV": [1.0, 1.1]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> growth(frame).get_ylabel()
    'growth of 1'
    """
    with styled():
        ax = canvas(ax, 6.2, 3.2)
        _lines(cumulative, ax)
        ax.set_ylabel("growth of 1")
        if log:
            ax.set_yscale("log")
        ax.axhline(1.0, color=MUTED, linewidth=0.7)
        ax.legend(loc="upper left", ncols=2)
    return ax


def drawdowns(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how far each series stands below its last high.

    Parameters
    ----------
    frame : DataFrame
        date x factor, decimals, <= 0.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"LEV": [0.0, -0.1]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> drawdowns(frame).get_ylabel()
    'drawdown'
    """
    with styled():
        ax = canvas(ax, 6.2, 1.9)
        _lines(frame, ax)
        ax.set_ylabel("drawdown")
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.axhline(0.0, color=MUTED, linewidth=0.7)
        ax.legend(loc="lower left", ncols=4)
    return ax


def _lines(frame: pd.DataFrame, ax: Axes) -> None:
    for i, name in enumerate(frame.columns):
        ax.plot(
            frame.index.to_numpy(),
            frame.iloc[:, i].to_numpy(dtype=float),
            color=series_colour(i),
            label=literal(name),
        )
    ax.grid(axis="y")
    ax.margins(x=0.01)


def correlations(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw correlations as a heat map with their values.

    Parameters
    ----------
    frame : DataFrame
        Square, factors by factors.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> correlations(pd.DataFrame({"a": [1.0]}, index=["a"])).texts[0].get_text()
    '1.00'
    """
    with styled():
        size = 1.2 + 0.5 * len(frame)
        ax = canvas(ax, size + 0.6, size)
        labels = [literal(name) for name in frame.columns]
        heat(frame, labels, ax, limit=1.0, decimals=2)
    return ax
