"""Figures of a search for a paper: criteria for the number of clusters, settings by their score."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from alphastrata.report.palette import HIGH, series_colour
from alphastrata.report.search import criteria_in, tuning_panels
from alphastrata.report.style import MUTED, canvas, literal, plain_frame, styled

__all__ = ["choose_k", "tuning"]


def choose_k(table: pd.DataFrame, choices: pd.Series, ax: Axes | None = None) -> Axes:
    """Draw every criterion for the number of clusters side by side, what each chooses marked.

    Parameters
    ----------
    table : DataFrame indexed by k
        As `alphastrata.cluster.choose_k` gives it, in ``ChosenK.table``.
    choices : Series
        Criterion -> chosen k, ``ChosenK.choices``.
    ax : Axes, optional
        The panels are drawn into its place.

    Returns
    -------
    Axes
        An empty frame; the panels are its child axes.

    Examples
    --------
    >>> table = pd.DataFrame({"inertia": [9.0, 2.0, 1.0]}, index=[2, 3, 4])
    >>> [panel.get_title("left") for panel in choose_k(table, pd.Series({"elbow": 3})).child_axes]
    ['Squares within clusters, elbow']
    """
    shown = criteria_in(table)
    k = table.index.to_numpy()
    with styled():
        ax, panels = _panels(ax, len(shown))
        for panel, criterion in zip(panels, shown, strict=True):
            for position, (column, called) in enumerate(criterion.lines):
                panel.errorbar(
                    k,
                    table[column].to_numpy(dtype=float),
                    yerr=table[criterion.error] if criterion.error and position == 0 else None,
                    color=series_colour(position),
                    linestyle="-" if position == 0 else ":",
                    marker="o",
                    markersize=3.5,
                    elinewidth=0.9,
                    label=called or "_",
                )
            first = table[criterion.lines[0][0]].to_dict()
            chosen = int(choices.to_dict().get(criterion.name, 0))
            if chosen in first:
                panel.plot(chosen, first[chosen], "*", color=HIGH, ms=11, zorder=5)
            panel.set_title(criterion.title, fontsize=8)
            panel.set_xlabel("k")
            panel.set_xticks(k)
            if len(criterion.lines) > 1:
                panel.legend(fontsize=6.5)
    return ax


def tuning(table: pd.DataFrame, ax: Axes | None = None, *, label: str = "score") -> Axes:
    """Draw the score of every setting by the value of each parameter that was varied.

    Parameters
    ----------
    table : DataFrame
        One row per setting, best first: parameters, then "score", as ``Tuned.table``.
    ax : Axes, optional
        The panels are drawn into its place.
    label : str
        What the score is.

    Returns
    -------
    Axes
        An empty frame; the panels are its child axes.

    Examples
    --------
    >>> table = pd.DataFrame({"k": [3, 2], "score": [0.5, 0.4]})
    >>> [panel.get_title("left") for panel in tuning(table).child_axes]
    ['k']
    """
    shown = tuning_panels(table)
    with styled():
        ax, panels = _panels(ax, len(shown))
        for panel, part in zip(panels, shown, strict=True):
            panel.plot(part.places, part.scores, "o", color=MUTED, alpha=0.5, markersize=3)
            panel.plot(range(len(part.values)), part.means, "-o", color=series_colour(0), ms=5)
            panel.plot(part.best, part.scores[0], "*", color=HIGH, ms=11, zorder=5)
            panel.set_xticks(range(len(part.values)), [literal(value) for value in part.values])
            panel.set_xlim(-0.5, len(part.values) - 0.5)
            panel.set_title(literal(part.parameter), fontsize=8)
        if panels:
            panels[0].set_ylabel(literal(label))
    return ax


def _panels(ax: Axes | None, number: int) -> tuple[Axes, list[Axes]]:
    """Return a frame without lines, and so many panels side by side in it."""
    ax = canvas(ax, 0.4 + 2.3 * max(number, 1), 2.3)
    plain_frame(ax)
    ax.set_xticks([])
    ax.set_yticks([])
    gap = 0.28 / max(number, 1)
    width = (1.0 - gap * (number - 1)) / max(number, 1)
    panels = [ax.inset_axes((i * (width + gap), 0.0, width, 1.0)) for i in range(number)]
    for panel in panels:
        panel.grid(axis="y")
    return ax, panels
