"""Colours and marks: one per cluster, the same in every figure, on paper and on the screen.

The ten colours were chosen by search so that any two of them stay apart (OKLab distance of at
least 0.085) to normal vision and under simulated protanopia, deuteranopia and tritanopia
(Machado, Oliveira and Fernandes 2009, severity 1.0). Clusters beyond the tenth repeat a colour
with another mark.
"""

from __future__ import annotations

__all__ = ["COLOURS", "MARKS", "UNCLASSIFIED", "colour", "mark", "plotly_mark", "series_colour"]

COLOURS: tuple[str, ...] = (
    "#1f6fb4",
    "#e0722a",
    "#17a07c",
    "#8f4436",
    "#c0a8f0",
    "#e4a800",
    "#185478",
    "#9c84e4",
    "#24cc9c",
    "#b45400",
)

UNCLASSIFIED = "#9aa0a8"

# matplotlib's name and plotly's name of the same mark
MARKS: tuple[tuple[str, str], ...] = (
    ("o", "circle"),
    ("s", "square"),
    ("D", "diamond"),
    ("^", "triangle-up"),
    ("v", "triangle-down"),
    ("P", "cross"),
    ("X", "x"),
)

# The heat maps' end points: blue is low, orange is high, legible without red and green.
LOW, HIGH = "#2166ac", "#c4590d"


def colour(cluster: int) -> str:
    """Return the colour of a cluster as ``#rrggbb``; cluster 0 (not classified) is grey.

    Parameters
    ----------
    cluster : int
        1..K, or 0.

    Examples
    --------
    >>> colour(1), colour(11) == colour(1)
    ('#1f6fb4', True)
    """
    return UNCLASSIFIED if cluster <= 0 else COLOURS[(cluster - 1) % len(COLOURS)]


def mark(cluster: int) -> str:
    """Return matplotlib's name of a cluster's mark.

    Examples
    --------
    >>> mark(1)
    'o'
    """
    return MARKS[(cluster - 1) % len(MARKS)][0]


def plotly_mark(cluster: int) -> str:
    """Return plotly's name of a cluster's mark.

    Examples
    --------
    >>> plotly_mark(2)
    'square'
    """
    return MARKS[(cluster - 1) % len(MARKS)][1]


def series_colour(position: int) -> str:
    """Return the colour of the series at a position (0, 1, ...) of a line chart.

    Examples
    --------
    >>> series_colour(0)
    '#1f6fb4'
    """
    return COLOURS[position % len(COLOURS)]
