"""Figures of explanations for a paper: box plots, trees, Shapley values, importance and drift."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch

from alphastrata.report.charts.clusters import cluster_label, wrap
from alphastrata.report.palette import HIGH, LOW, colour, mark, series_colour
from alphastrata.report.style import (
    DIVERGING,
    INK,
    LINE,
    MUTED,
    canvas,
    cluster_lines,
    literal,
    plain_frame,
    styled,
)
from alphastrata.report.tree import lay_out_tree, question

__all__ = ["beeswarm", "boxes", "drift", "importance", "shapley", "tree"]

Names = Mapping[int, str]


def boxes(frame: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None) -> Axes:
    """Draw box plots: characteristics down, a box per cluster in its colour.

    Parameters
    ----------
    frame : DataFrame indexed by (feature, cluster)
        Columns low, q1, median, q3, high (whiskers at low and high), such as
        ``cluster.boxes(...)``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("size", 1)], names=["feature", "cluster"])
    >>> frame = pd.DataFrame([[-2, -1, 0, 1, 2]], index, ["low", "q1", "median", "q3", "high"])
    >>> boxes(frame).get_yticklabels()[0].get_text()
    'size'
    """
    flat = frame.rename_axis(["feature", "cluster"]).reset_index()
    features = list(dict.fromkeys(flat["feature"].astype(str)))
    clusters = sorted({int(c) for c in flat["cluster"]})
    step = 0.84 / len(clusters)
    with styled():
        ax = canvas(ax, 6.2, 0.9 + len(features) * (0.12 + 0.095 * len(clusters)))
        for i, cluster in enumerate(clusters):
            own = flat[flat["cluster"] == cluster]
            shift = (i - (len(clusters) - 1) / 2) * step
            drawn = ax.bxp(
                [
                    {"whislo": r.low, "q1": r.q1, "med": r.median, "q3": r.q3, "whishi": r.high}
                    for r in own.itertuples()
                ],
                positions=[features.index(str(f)) + shift for f in own["feature"]],
                widths=0.8 * step,
                orientation="horizontal",
                showfliers=False,
                patch_artist=True,
                manage_ticks=False,
            )
            tint = colour(cluster)
            for part, patches in drawn.items():
                for patch in patches:
                    patch.set(color=INK if part == "medians" else tint, linewidth=0.9)
            for box in drawn["boxes"]:
                box.set(alpha=0.75)
        ax.set_yticks(range(len(features)), [literal(f) for f in features])
        ax.set_ylim(len(features) - 0.5, -0.5)
        ax.axvline(0.0, color=MUTED, linewidth=0.7)
        ax.set_xlabel("standard deviations from the average")
        ax.tick_params(axis="y", length=0)
        for line in np.arange(0.5, len(features) - 1):
            ax.axhline(line, color=LINE, linewidth=0.6)
        _legend(ax, clusters, names)
    return ax


def _legend(ax: Axes, clusters: list[int], names: Names | None) -> None:
    handles = [Patch(color=colour(c), label=cluster_lines(c, names, width=34)) for c in clusters]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)


def tree(nodes: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None) -> Axes:
    """Draw a tree of rules from left to right, leaves in the colours of their clusters.

    Parameters
    ----------
    nodes : DataFrame indexed by node
        Such as ``cluster.surrogate_tree(...).nodes``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> nodes = pd.DataFrame({"parent": [-1, 0, 0], "side": ["", "yes", "no"],
    ...     "feature": ["size", "", ""], "threshold": [0.5, None, None], "cluster": [1, 1, 2],
    ...     "rows": [5, 3, 2], "share": [0.6, 1.0, 1.0]})
    >>> len(tree(nodes).patches)
    3
    """
    placed = lay_out_tree(nodes)
    rows = placed.to_dict("records")
    pitch, wide, tall = 1.34, 1.0, 0.74
    deep, lines = float(placed["depth"].max()), float(placed["line"].max())
    with styled():
        ax = canvas(ax, 2.1 * (deep + 1), 0.5 * (lines + 1) + 0.2)
        for row in rows:
            x, y, tint = pitch * row["depth"], row["line"], colour(int(row["cluster"]))
            box = FancyBboxPatch(
                (x, y - tall / 2), wide, tall, boxstyle="round,pad=0,rounding_size=0.06"
            )
            ground, edge = ("white", MUTED) if row["feature"] else (tint, tint)
            box.set(alpha=1.0 if row["feature"] else 0.25, linewidth=0.8)
            box.set(facecolor=ground, edgecolor=edge)
            ax.add_patch(box)
            ax.text(x + 0.05, y, _words(row, names), va="center", fontsize=7.2, color=INK)
            if row["parent"] >= 0:
                above = rows[int(row["parent"])]
                start = pitch * above["depth"] + wide
                ax.plot([start, x], [above["line"], y], color=MUTED, linewidth=0.8, zorder=0)
                shift = -0.16 if y <= above["line"] else 0.2
                ax.text(x - 0.03, y + shift, row["side"], ha="right", fontsize=6.5, color=MUTED)
        ax.set_xlim(-0.02, pitch * deep + wide + 0.02)
        ax.set_ylim(lines + 0.5, -0.5)
        ax.set_xticks([])
        ax.set_yticks([])
        plain_frame(ax)
    return ax


def _words(row: Mapping[Hashable, Any], names: Names | None) -> str:
    many = f"{row['rows']:,}"
    if row["feature"]:
        return f"{literal(question(str(row['feature']), row['threshold'], width=19))}\n{many} rows"
    short = wrap(cluster_label(int(row["cluster"]), names or {}), 26)
    head = short[0] + ("…" if len(short) > 1 else "")
    return f"{literal(head)}\n{100 * row['share']:.0f}% of {many}"


def shapley(values: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None) -> Axes:
    """Draw mean absolute Shapley values, stacked over clusters, the largest sum on top.

    Parameters
    ----------
    values : DataFrame, feature x cluster
        Such as ``cluster.shapley_values(...).importance``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> shapley(pd.DataFrame({1: [0.2], 2: [0.1]}, index=["size"])).get_yticklabels()[0].get_text()
    'size'
    """
    order = values.sum(axis=1).sort_values(ascending=False, kind="stable").index
    ranked = values.loc[order]
    with styled():
        ax = canvas(ax, 6.2, 1.1 + 0.24 * len(ranked))
        left = np.zeros(len(ranked))
        for position, cluster in enumerate(map(int, ranked.columns)):
            width = ranked.iloc[:, position].to_numpy(dtype=float)
            ax.barh(range(len(ranked)), width, left=left, color=colour(cluster), height=0.68)
            left += width
        ax.set_yticks(range(len(ranked)), [literal(f) for f in ranked.index])
        ax.set_ylim(len(ranked) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("mean absolute Shapley value, summed over clusters")
        _legend(ax, [int(c) for c in ranked.columns], names)
    return ax


def beeswarm(
    values: np.ndarray, X: pd.DataFrame, ax: Axes | None = None, *, most: int = 10
) -> Axes:
    """Draw the Shapley values of every asset for one cluster, coloured by the characteristic.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, features)
        Shapley values for one cluster, such as ``cluster.shapley_values(...).values[:, :, 0]``.
    X : DataFrame, rows x features
        The characteristics; colours go by their ranks, blue is low and orange high.
    ax : Axes, optional
    most : int
        Features to show, those with the largest mean absolute value.

    Returns
    -------
    Axes

    Examples
    --------
    >>> X = pd.DataFrame({"size": [1.0, 2.0, 3.0]})
    >>> beeswarm(np.array([[-0.1], [0.0], [0.1]]), X).get_xlabel()
    'Shapley value: what it adds to the chance of membership'
    """
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:most]
    ranks = X.rank(pct=True).to_numpy()
    with styled():
        ax = canvas(ax, 6.2, 0.9 + 0.34 * len(order))
        for row, feature in enumerate(order):
            own = values[:, feature]
            ax.scatter(
                own,
                row + _swarm(own),
                c=ranks[:, feature],
                cmap=DIVERGING,
                vmin=0.0,
                vmax=1.0,
                s=7,
                linewidths=0.2,
                edgecolors=MUTED,
                zorder=2,
            )
        ax.axvline(0.0, color=MUTED, linewidth=0.7)
        ax.set_yticks(range(len(order)), [literal(X.columns[f]) for f in order])
        ax.set_ylim(len(order) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("Shapley value: what it adds to the chance of membership")
        dots = [
            Line2D([], [], marker="o", linestyle="", color=tint, label=label, markersize=4)
            for tint, label in ((LOW, "low value"), (HIGH, "high value"))
        ]
        ax.legend(handles=dots, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return ax


def _swarm(values: np.ndarray, bins: int = 60) -> np.ndarray:
    """Return shifts that keep points of nearly the same value from covering one another."""
    span = float(np.ptp(values)) or 1.0
    cell = np.minimum((bins * (values - values.min()) / span).astype(int), bins - 1)
    shift = np.zeros(len(values))
    largest = max(int(np.bincount(cell).max()), 1)
    for own in (np.flatnonzero(cell == c) for c in np.unique(cell)):
        shift[own] = (np.arange(len(own)) - (len(own) - 1) / 2) * 0.7 / max(largest, 12)
    return shift


def importance(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the importance of characteristics by permutation, with its deviation.

    Parameters
    ----------
    frame : DataFrame indexed by feature
        Columns mean and std, such as ``cluster.feature_importance(...)``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"mean": [0.4], "std": [0.1]}, index=["size"])
    >>> importance(frame).get_xlabel()
    'change of labels (1 − adjusted Rand index)'
    """
    with styled():
        ax = canvas(ax, 5.2, 0.9 + 0.24 * len(frame))
        ax.barh(
            range(len(frame)),
            frame["mean"].to_numpy(),
            xerr=frame["std"].to_numpy(),
            color=series_colour(0),
            height=0.68,
            error_kw={"ecolor": MUTED, "elinewidth": 0.9},
        )
        ax.set_yticks(range(len(frame)), [literal(f) for f in frame.index])
        ax.set_ylim(len(frame) - 0.5, -0.5)
        ax.set_xlim(left=min(0.0, float(frame["mean"].min())))
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("change of labels (1 − adjusted Rand index)")
    return ax


def drift(frame: pd.DataFrame, ax: Axes | None = None, *, names: Names | None = None) -> Axes:
    """Draw how far each cluster's profile moved since the window before.

    Parameters
    ----------
    frame : DataFrame indexed by (date, cluster)
        With the column drift, such as ``cluster.profile_drift(...)``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(pd.Timestamp("2020-01-31"), 1)])
    >>> drift(pd.DataFrame({"drift": [0.2]}, index=index)).get_ylabel()
    'drift, standard deviations'
    """
    flat = frame["drift"].rename_axis(["date", "cluster"]).reset_index()
    with styled():
        ax = canvas(ax, 6.2, 2.8)
        for cluster in sorted({int(c) for c in flat["cluster"]}):
            own = flat[flat["cluster"] == cluster]
            ax.plot(
                own["date"].to_numpy(),
                own["drift"].to_numpy(),
                color=colour(cluster),
                marker=mark(cluster),
                markersize=4,
                label=cluster_lines(cluster, names, width=30),
            )
        ax.set_ylabel("drift, standard deviations")
        dates = AutoDateLocator()  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(dates)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(dates))  # type: ignore[no-untyped-call]
        ax.set_ylim(bottom=0.0)
        ax.grid(axis="y")
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
