"""Figures of networks for a paper: of characteristics, and of assets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from alphastrata.report.charts.networks import community_colour
from alphastrata.report.palette import HIGH, colour, mark
from alphastrata.report.style import INK, MUTED, canvas, cluster_lines, literal, plain_frame, styled

__all__ = ["neighbors", "network"]


def network(nodes: pd.DataFrame, edges: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the network of characteristics, nodes in the colours of their communities.

    Parameters
    ----------
    nodes : DataFrame indexed by feature
        Columns x, y, community and centrality, such as ``cluster.feature_network(...).nodes``.
    edges : DataFrame
        Columns source, target, association (dotted where negative) and strength (the width).
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> nodes = pd.DataFrame({"x": [0, 1], "y": [0, 1], "community": 1, "centrality": 0.8},
    ...                      index=["a", "b"])
    >>> edges = pd.DataFrame({"source": ["a"], "target": ["b"], "association": [0.8],
    ...                       "strength": [0.8]})
    >>> [text.get_text() for text in network(nodes, edges).texts]
    ['a', 'b']
    """
    with styled():
        side = 3.2 + 0.07 * len(nodes)
        ax = canvas(ax, 1.3 * side, side)
        for edge in edges.to_dict("records"):
            ends = nodes.loc[[edge["source"], edge["target"]]]
            ax.plot(
                ends["x"],
                ends["y"],
                color=MUTED,
                linewidth=0.6 + 3.0 * float(edge["strength"]),
                linestyle="-" if float(edge["association"]) >= 0 else ":",
                alpha=0.6,
                zorder=1,
            )
        for name, node in nodes.iterrows():
            tint = community_colour(int(node["community"]))
            size = 40 + 45 * min(float(node["centrality"]), 3.0)
            ax.scatter(node["x"], node["y"], s=size, color=tint, edgecolors="white", zorder=2)
            ax.annotate(
                literal(name),
                (node["x"], node["y"]),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=7.2,
                color=INK,
                zorder=3,
            )
        ax.margins(0.16, 0.1)
        ax.set_xticks([])
        ax.set_yticks([])
        plain_frame(ax)
    return ax


def neighbors(
    places: pd.DataFrame,
    edges: pd.DataFrame,
    ax: Axes | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> Axes:
    """Draw assets joined to their nearest neighbours, in the colours of their clusters.

    Parameters
    ----------
    places : DataFrame indexed by asset
        Columns x, y and cluster.
    edges : DataFrame
        Columns source, target and inside, such as ``cluster.neighbor_network(...).edges``.
    ax : Axes, optional
    names : mapping of cluster to str, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> places = pd.DataFrame({"x": [0, 1], "y": [0, 1], "cluster": 1}, index=["A", "B"])
    >>> edges = pd.DataFrame({"source": ["A"], "target": ["B"], "inside": [True]})
    >>> len(neighbors(places, edges).collections)
    2
    """
    with styled():
        ax = canvas(ax, 6.4, 3.9)
        for inside, tint, width in ((False, HIGH, 0.5), (True, MUTED, 0.8)):
            own = edges[edges["inside"].astype(bool) == inside]
            if len(own):
                ends = [places.loc[own[end], ["x", "y"]].to_numpy() for end in ("source", "target")]
                lines = LineCollection(
                    list(np.stack(ends, axis=1)),
                    colors=tint,
                    linewidths=width,
                    alpha=0.7 if inside else 0.45,
                    zorder=1,
                )
                lines.set_label("within a cluster" if inside else "between clusters")
                ax.add_collection(lines)
        for cluster in sorted({int(c) for c in places["cluster"]}):
            own = places[places["cluster"] == cluster]
            ax.scatter(
                own["x"],
                own["y"],
                s=12,
                color=colour(cluster),
                marker=mark(cluster),
                linewidths=0.3,
                edgecolors="white",
                label=cluster_lines(cluster, names, width=32),
                zorder=2,
            )
        ax.set_aspect("equal")
        ax.autoscale_view()
        ax.set_xticks([])
        ax.set_yticks([])
        plain_frame(ax)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.3)
    return ax
