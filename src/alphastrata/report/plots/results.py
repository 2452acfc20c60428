"""Figures of tests for a paper: alphas, t-statistics, coefficients by date, truth, choices."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from alphastrata.report.model import SpecificationSection
from alphastrata.report.palette import HIGH, series_colour
from alphastrata.report.records import AlphaPlot
from alphastrata.report.style import INK, MUTED, canvas, figure_of, literal, plain_frame, styled

__all__ = ["alphas", "by_date", "specifications", "truth", "tstats"]

DASHES = (":", "--", "-.", (0, (5, 1)), "-")


def alphas(plot: AlphaPlot, ax: Axes | None = None) -> Axes:
    """Draw alphas with their intervals.

    Parameters
    ----------
    plot : AlphaPlot
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"alpha": [0.01], "low": [0.0], "high": [0.02], "tstat": [2.1]},
    ...                      index=["LEV"])
    >>> alphas(AlphaPlot(estimates=frame)).get_xlabel()
    'alpha per period, 95% interval'
    """
    frame = plot.estimates
    with styled():
        ax = _rows(frame.index, ax)
        _whiskers(frame["alpha"], frame["low"], frame["high"], ax)
        ax.axvline(0.0, color=MUTED, linewidth=0.8)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
        ax.set_xlabel(f"alpha per period, {plot.level:.0%} interval")
    return ax


def tstats(plot: AlphaPlot, ax: Axes | None = None) -> Axes:
    """Draw t-statistics of alphas beside the thresholds for one test and for many.

    Parameters
    ----------
    plot : AlphaPlot
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"alpha": [0.01], "low": [0.0], "high": [0.02], "tstat": [2.1]},
    ...                      index=["LEV"])
    >>> tstats(AlphaPlot(estimates=frame, thresholds={"5%": 1.96})).get_xlabel()
    't-statistic of alpha'
    """
    frame = plot.estimates
    with styled():
        ax = _rows(frame.index, ax)
        ax.plot(frame["tstat"].to_numpy(), range(len(frame)), "D", color=series_colour(0))
        ax.axvline(0.0, color=MUTED, linewidth=0.8)
        for position, (label, value) in enumerate(plot.thresholds.items()):
            style = DASHES[position % len(DASHES)]
            name = literal(f"|t| = {value:.2f}: {label}")
            ax.axvline(value, color=HIGH, linestyle=style, linewidth=1.0, label=name)
            ax.axvline(-value, color=HIGH, linestyle=style, linewidth=1.0)
        ax.set_xlabel("t-statistic of alpha")
        if plot.thresholds:
            ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _rows(names: pd.Index, ax: Axes | None) -> Axes:
    """Return axes with one named row per entry, the first on top."""
    ax = canvas(ax, 4.8, 0.9 + 0.26 * len(names))
    ax.set_yticks(range(len(names)), [literal(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="y")
    ax.tick_params(axis="y", length=0)
    return ax


def _whiskers(middle: pd.Series, low: pd.Series, high: pd.Series, ax: Axes) -> None:
    tint = series_colour(0)
    ax.hlines(range(len(middle)), low.to_numpy(), high.to_numpy(), color=tint, linewidth=1.4)
    ax.plot(middle.to_numpy(), range(len(middle)), "o", color=tint, markersize=5, label="estimate")


def truth(frame: pd.DataFrame, ax: Axes | None = None, *, group: str | None = None) -> Axes:
    """Draw planted values beside their estimates and intervals.

    Parameters
    ----------
    frame : DataFrame
        Columns as in ``ReportData.truth``.
    ax : Axes, optional
    group : str, optional
        Draw the rows of this group alone; groups often differ in scale.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"parameter": ["beta"], "truth": [1.0], "estimate": [1.1],
    ...                       "low": [0.9], "high": [1.3], "covered": [True]})
    >>> truth(frame).get_yticklabels()[0].get_text()
    'beta'
    """
    if group is not None:
        frame = frame[frame["group"] == group]
    covered = frame["covered"].astype(bool).to_numpy()
    rows = pd.Series(range(len(frame)))
    with styled():
        ax = _rows(pd.Index(frame["parameter"]), ax)
        _whiskers(frame["estimate"], frame["low"], frame["high"], ax)
        looks = (("truth, covered", covered, "o", INK), ("truth, missed", ~covered, "X", HIGH))
        for label, chosen, symbol, tint in looks:
            values = frame["truth"].to_numpy()[chosen]
            ax.plot(values, rows[chosen], symbol, color=tint, markersize=5, label=label, zorder=3)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return ax


def by_date(frame: pd.DataFrame, ax: Axes | None = None, *, column: str | None = None) -> Axes:
    """Draw the coefficient of every period's cross-section.

    Parameters
    ----------
    frame : DataFrame
        date x regressor.
    ax : Axes, optional
    column : str, optional
        Which regressor; the first by default.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"lev": [0.1]}, pd.to_datetime(["2020-01-31"]))
    >>> by_date(frame).get_title(loc="left")
    'lev'
    """
    name = frame.columns[0] if column is None else column
    with styled():
        ax = canvas(ax, 5.4, 2.2)
        when = frame.index.to_numpy()
        ax.vlines(when, 0.0, frame[name].to_numpy(dtype=float), color=series_colour(0))
        ax.axhline(0.0, color=MUTED, linewidth=0.8)
        ax.set_title(literal(name))
        ax.grid(axis="y")
    return ax


def specifications(section: SpecificationSection, ax: Axes | None = None) -> Axes:
    """Draw the specification curve: sorted estimates with intervals over a grid of choices.

    Parameters
    ----------
    section : SpecificationSection
    ax : Axes, optional
        Axes for the curve; the grid of choices is drawn into a part that is cut from below it.

    Returns
    -------
    Axes
        Those of the curve; the grid is their only child axes.

    Examples
    --------
    >>> estimates = pd.DataFrame({"estimate": [0.2, 0.1], "low": [0.0, 0.0], "high": [0.4, 0.2]})
    >>> choices = pd.DataFrame({"weighting": ["equal", "value"]})
    >>> specifications(SpecificationSection(estimates=estimates, choices=choices)).get_ylabel()
    'estimate'
    """
    order = section.estimates["estimate"].argsort(kind="stable").to_numpy()
    ranked, choices = section.estimates.iloc[order], section.choices.iloc[order]
    place = range(1, len(ranked) + 1)
    apart = (ranked["low"] > 0) | (ranked["high"] < 0)
    tints = [
        HIGH if label == section.preferred else series_colour(0) if sure else MUTED
        for label, sure in zip(ranked.index, apart, strict=True)
    ]
    decisions = section.choices.astype(str)
    lines = [f"{d}: {o}" for d in decisions for o in dict.fromkeys(decisions[d])]
    height = 0.17 * len(lines)
    with styled():
        if ax is None:
            total = 2.7 + height
            figure, ax = plt.subplots(figsize=(6.2, total))
            figure.subplots_adjust(left=0.2, right=0.98, top=0.97, bottom=(height + 0.25) / total)
        ax.vlines(place, ranked["low"], ranked["high"], colors=tints, linewidth=1.1, alpha=0.5)
        ax.scatter(place, ranked["estimate"], s=14, color=tints, zorder=3)
        ax.axhline(0.0, color=MUTED, linewidth=0.8)
        ax.set_ylabel(literal(section.label))
        ax.set_xticks([])
        if section.percent:
            ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        ax.grid(axis="y")
        figure_height = figure_of(ax).get_size_inches()[1]
        share = height / float(ax.get_position().height * figure_height)
        grid = ax.inset_axes((0.0, -0.05 - share, 1.0, share), sharex=ax)
        for row, line in enumerate(lines):
            decision, option = line.split(": ", 1)
            taken = (choices[decision].astype(str) == option).to_numpy()
            hits = [(x, tint) for x, tint, t in zip(place, tints, taken, strict=True) if t]
            grid.scatter(
                [x for x, _ in hits], [row] * len(hits), s=9, marker="|", c=[t for _, t in hits]
            )
        grid.set_ylim(len(lines) - 0.5, -0.5)
        grid.set_yticks(range(len(lines)), [literal(line) for line in lines])
        grid.set_xticks([])
        plain_frame(grid)
    return ax
