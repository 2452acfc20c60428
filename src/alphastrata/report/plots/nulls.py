"""Figure of a null test for a paper: the data's score among those of data without clusters."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from alphastrata.report.charts.nulls import NULL_NAMES, SPACES, spread
from alphastrata.report.palette import HIGH
from alphastrata.report.style import MUTED, canvas, literal, plain_frame, styled

__all__ = ["null_test"]


def null_test(observed: pd.Series, simulated: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the silhouettes of every draw of every null as dots, and the data's as a line.

    Parameters
    ----------
    observed : Series
        Score -> value on the data, ``NullTest.observed`` of `alphastrata.cluster.null_test`.
    simulated : DataFrame indexed by (null, draw)
        The same scores on data without clusters, ``NullTest.simulated``.
    ax : Axes, optional
        The panels are drawn into its place.

    Returns
    -------
    Axes
        An empty frame; the panels, one per space, are its child axes.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("permute", 0)], names=["null", "draw"])
    >>> ax = null_test(pd.Series({"silhouette_input": 0.4}),
    ...                pd.DataFrame({"silhouette_input": [0.1]}, index=index))
    >>> [panel.get_title("left") for panel in ax.child_axes]
    ['Silhouette in the features']
    """
    shown = [score for score in SPACES if score in observed.index]
    kinds = list(dict.fromkeys(simulated.index.get_level_values("null")))
    with styled():
        ax = canvas(ax, 3.0 * max(len(shown), 1), 0.9 + 0.45 * len(kinds))
        plain_frame(ax)
        ax.set_xticks([])
        ax.set_yticks([])
        width = 1.0 / max(len(shown), 1)
        for number, score in enumerate(shown):
            panel = ax.inset_axes((number * width, 0.0, 0.92 * width, 1.0))
            for height, kind in enumerate(kinds):
                draws = simulated.loc[kind, score].dropna().to_numpy(dtype=float)
                rows = [height + step for step in spread(len(draws))]
                panel.plot(draws, rows, "o", color=MUTED, alpha=0.6, markersize=3)
            panel.axvline(float(observed[score]), color=HIGH, linewidth=1.8)
            # A line just inside the limits of the dots would be cut by the frame.
            panel.autoscale(axis="x")
            names = [literal(NULL_NAMES.get(kind, kind)) for kind in kinds]
            panel.set_yticks(range(len(kinds)), names if number == 0 else [])
            panel.set_ylim(-0.6, len(kinds) - 0.4)
            panel.set_title(SPACES[score], fontsize=8)
            panel.grid(axis="x")
    return ax
