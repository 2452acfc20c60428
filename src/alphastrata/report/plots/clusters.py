"""Figures of clusters for a paper: profiles, scores beside noise, maps, and who moves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from alphastrata.errors import InputDataError
from alphastrata.report.alluvial import Stream, lay_out_flows
from alphastrata.report.charts.clusters import METRICS, cluster_label, wrap
from alphastrata.report.palette import UNCLASSIFIED, colour, mark, series_colour
from alphastrata.report.parts import Membership
from alphastrata.report.plots.heat import heat
from alphastrata.report.style import (
    LINE,
    MUTED,
    canvas,
    cluster_lines,
    literal,
    plain_frame,
    styled,
)

__all__ = ["map_of_clusters", "membership", "profiles", "scores"]


def profiles(
    frame: pd.DataFrame, ax: Axes | None = None, *, names: Mapping[int, str] | None = None
) -> Axes:
    """Draw the profiles of the clusters as a heat map: characteristics down, clusters across.

    Parameters
    ----------
    frame : DataFrame
        Index: cluster. Columns: characteristics, in cross-sectional standard deviations.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> profiles(pd.DataFrame({"leverage": [1.2]}, index=[1])).get_yticklabels()[0].get_text()
    'leverage'
    """
    with styled():
        ax = canvas(ax, 1.8 + 0.85 * len(frame), 0.9 + 0.26 * frame.shape[1])
        known = names or {}
        labels = [
            "\n".join([f"{c}", *(literal(part) for part in wrap(known.get(c, ""), width=13))])
            for c in map(int, frame.index)
        ]
        heat(frame.T, labels, ax, limit=2.0, decimals=1)
    return ax


def scores(
    frame: pd.DataFrame, ax: Axes | None = None, *, metric: str = "silhouette", space: str = "input"
) -> Axes:
    """Draw one score of every window beside the band that data without clusters reach.

    Parameters
    ----------
    frame : DataFrame
        Long, as ``ClusterSection.scores``.
    ax : Axes, optional
    metric, space : str
        Which rows to draw.

    Returns
    -------
    Axes

    Examples
    --------
    >>> when = pd.to_datetime(["2020-01-31"] * 2)
    >>> frame = pd.DataFrame({"date": when, "metric": "silhouette", "space": "input",
    ...                       "source": ["data", "permuted"], "score": [0.4, 0.1]})
    >>> scores(frame).get_ylabel()
    'Silhouette (higher is better)'
    """
    part = frame[(frame["metric"] == metric) & (frame["space"] == space)].sort_values("date")
    data, nulls = part[part["source"] == "data"], part[part["source"] != "data"]
    with styled():
        ax = canvas(ax, 5.4, 2.8)
        if not nulls.empty:
            band = nulls.groupby("date")["score"].agg(["min", "max"])
            ax.fill_between(
                band.index.to_numpy(),
                band["min"].to_numpy(),
                band["max"].to_numpy(),
                color=UNCLASSIFIED,
                alpha=0.3,
                linewidth=0,
                label="noise band",
            )
        for style, (source, line) in zip(
            (":", "--", "-.", (0, (5, 1))) * 9, nulls.groupby("source", sort=False), strict=False
        ):
            mean = line.groupby("date")["score"].mean()
            ax.plot(
                mean.index.to_numpy(),
                mean.to_numpy(),
                linestyle=style,
                color=MUTED,
                linewidth=0.9,
                label=literal(source),
            )
        ax.plot(
            data["date"].to_numpy(),
            data["score"].to_numpy(),
            color=series_colour(0),
            marker="o",
            markersize=3.5,
            label="data",
        )
        shown, better = METRICS.get(metric, (literal(metric), ""))
        ax.set_ylabel(f"{shown} ({better})" if better else shown)
        ax.set_title(f"{literal(space)} space".capitalize())
        ax.grid(axis="y")
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def map_of_clusters(
    embeddings: pd.DataFrame,
    ax: Axes | None = None,
    *,
    date: object = None,
    names: Mapping[int, str] | None = None,
) -> Axes:
    """Draw the map of one window in two dimensions, with a colour and a mark per cluster.

    Parameters
    ----------
    embeddings : DataFrame
        Long, as ``ClusterSection.embeddings``.
    ax : Axes, optional
    date : date-like, optional
        Formation date; the last one by default.
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputDataError
        When no asset has a place at the date.

    Examples
    --------
    >>> frame = pd.DataFrame({"date": pd.to_datetime(["2020-01-31"]), "asset": ["A"],
    ...                       "cluster": [1], "x": [0.0], "y": [1.0]})
    >>> map_of_clusters(frame).get_title(loc="left")
    '2020-01'
    """
    when = embeddings["date"].max() if date is None else pd.Timestamp(str(date))
    here = embeddings[embeddings["date"] == when]
    if here.empty:
        dates = embeddings["date"].drop_duplicates().sort_values()
        raise InputDataError(
            f"The map is drawn from the rows of one date, and none is at {when}. "
            f"Dates that have some: {', '.join(f'{date:%Y-%m-%d}' for date in dates) or 'none'}."
        )
    with styled():
        ax = canvas(ax, 5.6, 3.8)
        for cluster in sorted(int(c) for c in here["cluster"].unique()):
            members = here[here["cluster"] == cluster]
            ax.scatter(
                members["x"],
                members["y"],
                s=14,
                color=colour(cluster),
                marker=mark(cluster),
                linewidths=0.3,
                edgecolors="white",
                label=cluster_lines(cluster, names, width=34),
            )
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_visible(True)
            spine.set_color(LINE)
        ax.set_title(f"{pd.Timestamp(when):%Y-%m}")
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), markerscale=1.3)
    return ax


def membership(
    data: Membership, ax: Axes | None = None, *, names: Mapping[int, str] | None = None
) -> Axes:
    """Draw who moves between the clusters through time.

    Parameters
    ----------
    data : Membership
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> sizes = pd.DataFrame({1: [2], 2: [3]}, index=pd.to_datetime(["2020-01-31"]))
    >>> len(membership(Membership(sizes=sizes)).patches)
    2
    """
    flow = lay_out_flows(data)
    bar = 0.16
    with styled():
        ax = canvas(ax, max(4.0, 0.75 * len(flow.dates)), 3.2)
        for stream in flow.streams:
            ax.add_patch(_ribbon(stream, bar))
        seen: set[int] = set()
        for block in flow.blocks:
            label = "" if block.cluster in seen else cluster_label(block.cluster, names or {})
            seen.add(block.cluster)
            corner = (block.column - bar / 2, block.top)
            patch = Rectangle(corner, bar, block.count, facecolor=colour(block.cluster))
            patch.set_label(literal(label) if label else "_")
            ax.add_patch(patch)
        ax.set_xlim(-bar, len(flow.dates) - 1 + bar)
        ax.set_ylim(flow.height, 0.0)
        ax.set_yticks([])
        ax.set_xticks(range(len(flow.dates)), [f"{date:%Y-%m}" for date in flow.dates])
        plain_frame(ax)
        handles, texts = ax.get_legend_handles_labels()
        ax.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
    return ax


def _ribbon(stream: Stream, bar: float) -> PathPatch:
    left, right = stream.column + bar / 2, stream.column + 1 - bar / 2
    middle = (left + right) / 2
    a, b, thick = stream.top_from, stream.top_to, stream.count
    points = [
        *((left, a), (middle, a), (middle, b), (right, b)),
        *((right, b + thick), (middle, b + thick), (middle, a + thick), (left, a + thick)),
        (left, a),
    ]
    curve = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    tint = colour(stream.cluster_from)
    return PathPatch(Path(points, curve), facecolor=tint, alpha=0.35, linewidth=0)
