"""Figures of a grid of experiments for a paper: scores, effects, maps in 3-D, return and risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from alphastrata.errors import InputDataError
from alphastrata.report.charts.clusters import METRICS
from alphastrata.report.palette import colour, mark, series_colour
from alphastrata.report.style import INK, LINE, MUTED, canvas, cluster_lines, literal, styled

__all__ = ["effects", "experiment_scores", "map_in_3d", "return_and_risk"]

Names = Mapping[int, str]


def experiment_scores(
    scores: pd.DataFrame,
    ax: Axes | None = None,
    *,
    metric: str = "silhouette",
    space: str = "embedding",
) -> Axes:
    """Draw a score of every experiment: mean over seeds, and its spread as whiskers.

    Parameters
    ----------
    scores : DataFrame
        One row per experiment, clusterer, k and seed, such as ``cluster.experiments(...).scores``.
    ax : Axes, optional
    metric, space : str
        Which column to draw: ``f"{metric}_{space}"``.

    Returns
    -------
    Axes

    Raises
    ------
    InputDataError
        If there is no such column.

    Examples
    --------
    >>> scores = pd.DataFrame({"experiment": 1, "clusterer": "kmeans", "k": 3, "seed": [0, 1],
    ...                        "silhouette_embedding": [0.4, 0.5]})
    >>> experiment_scores(scores).get_xlabel()
    'experiment'
    """
    column = f"{metric}_{space}"
    if column not in scores:
        raise InputDataError(f"The scores have no column {column!r}.")
    keys = ["experiment", "clusterer", "k"]
    table = scores.groupby(keys)[column].agg(["mean", "std"]).fillna(0.0).reset_index()
    ks, clusterers = sorted(table["k"].unique()), list(dict.fromkeys(scores["clusterer"]))
    with styled():
        ax = canvas(ax, 6.2, 2.8)
        for i, k in enumerate(ks):
            for j, clusterer in enumerate(clusterers):
                own = table[(table["k"] == k) & (table["clusterer"] == clusterer)]
                shift = 0.7 * ((i + 0.5 * j + 0.25) / len(ks) - 0.5)
                ax.errorbar(
                    own["experiment"] + shift,
                    own["mean"],
                    yerr=own["std"],
                    linestyle="",
                    marker="os^D"[j % 4],
                    markersize=4.2,
                    markerfacecolor=series_colour(i) if j == 0 else "white",
                    color=series_colour(i),
                    elinewidth=0.8,
                    label=f"k = {k}, {literal(clusterer)}",
                )
        numbers = sorted(table["experiment"].unique())
        ax.set_xticks(numbers)
        for number in numbers[:-1]:
            ax.axvline(number + 0.5, color=LINE, linewidth=0.6)
        ax.set_xlabel("experiment")
        shown, better = METRICS.get(metric, (metric, ""))
        ax.set_ylabel(f"{shown} ({better})" if better else shown)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def effects(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what changes scores, with intervals.

    Parameters
    ----------
    frame : DataFrame indexed by (effect, score)
        Columns estimate, low and high, such as ``cluster.experiments(...).effects()``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("autoencoder", "silhouette_input")])
    >>> frame = pd.DataFrame({"estimate": [0.1], "low": [0.0], "high": [0.2]}, index=index)
    >>> effects(frame).get_yticklabels()[0].get_text()
    'autoencoder: silhouette input'
    """
    labels = [": ".join(str(part).replace("_", " ") for part in key) for key in frame.index]
    with styled():
        ax = canvas(ax, 5.4, 0.9 + 0.28 * len(frame))
        rows = range(len(frame))
        ax.hlines(rows, frame["low"], frame["high"], color=series_colour(0), linewidth=1.4)
        ax.plot(frame["estimate"].to_numpy(), rows, "o", color=series_colour(0), markersize=5)
        ax.axvline(0.0, color=MUTED, linewidth=0.8)
        ax.set_yticks(rows, [literal(label) for label in labels])
        ax.set_ylim(len(frame) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y")
        ax.set_xlabel("change of the score, with its interval over seeds")
    return ax


def return_and_risk(
    frame: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None
) -> Axes:
    """Draw mean return against standard deviation, a point per cluster.

    Parameters
    ----------
    frame : DataFrame indexed by cluster
        Columns mean and std, decimals per period, such as
        ``cluster.experiments(...).return_and_risk()``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"mean": [0.01], "std": [0.05]}, index=[1])
    >>> return_and_risk(frame).get_xlabel()
    'standard deviation per period'
    """
    with styled():
        ax = canvas(ax, 6.0, 3.2)
        for cluster, mean, std in zip(frame.index, frame["mean"], frame["std"], strict=True):
            ax.scatter(
                std,
                mean,
                s=52,
                color=colour(cluster),
                marker=mark(cluster),
                edgecolors="white",
                linewidths=0.6,
                label=cluster_lines(cluster, names, width=32),
                zorder=2,
            )
            ax.annotate(
                f"{cluster}", (std, mean), xytext=(6, 4), textcoords="offset points", color=INK
            )
        ax.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
        ax.margins(0.12)  # room for the numbers beside the points
        # As many decimals as the ticks have: 3.25% is no 3.2%.
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        ax.set_xlabel("standard deviation per period")
        ax.set_ylabel("mean return per period")
        ax.grid()
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def map_in_3d(places: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None) -> Axes:
    """Draw a map in three dimensions, with a colour and a mark per cluster.

    Parameters
    ----------
    places : DataFrame
        Columns cluster, x3, y3 and z3 (or x, y and z), one row per asset.
    ax : Axes, optional
        Axes with ``projection="3d"``.
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputDataError
        If the axes are flat, or there is no third coordinate.

    Examples
    --------
    >>> places = pd.DataFrame({"cluster": [1], "x": [0.0], "y": [0.0], "z": [1.0]})
    >>> map_in_3d(places).name
    '3d'
    """
    wanted = ["x3", "y3", "z3"] if "z3" in places else ["x", "y", "z"]
    if "z" not in places and "z3" not in places:
        raise InputDataError("A map in 3-D needs a third coordinate: column z3, or z.")
    with styled():
        if ax is None:
            figure = plt.figure(figsize=(6.0, 3.9), layout="constrained")
            ax = figure.add_subplot(projection="3d")
        if ax.name != "3d":
            raise InputDataError('A map in 3-D needs axes with projection="3d".')
        deep: Any = ax
        for cluster in sorted({int(c) for c in places["cluster"]}):
            own = places.loc[places["cluster"] == cluster, wanted]
            deep.scatter(
                *np.asarray(own, dtype=float).T,
                s=13,
                color=colour(cluster),
                marker=mark(cluster),
                edgecolors="white",
                linewidths=0.3,
                label=cluster_lines(cluster, names, width=28),
            )
        for side in (deep.xaxis, deep.yaxis, deep.zaxis):
            side.set_ticklabels([])
            side.set_tick_params(length=0)
            side.pane.set_edgecolor(LINE)
        deep.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), markerscale=1.3)
    return ax
