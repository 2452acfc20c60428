"""Charts of networks: which characteristics go together, and which assets are neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, numbers, plain
from alphastrata.report.charts.clusters import legend_name
from alphastrata.report.palette import HIGH, colour, plotly_mark, series_colour

__all__ = ["community_colour", "neighbors", "network"]

Names = Mapping[int, str]


def community_colour(community: int) -> str:
    """Return the colour of a community of features: the clusters' colours from the other end.

    Examples
    --------
    >>> community_colour(1) == series_colour(0)
    False
    """
    return series_colour(10 - community)


def network(nodes: pd.DataFrame, edges: pd.DataFrame) -> Chart:
    """Return the network of characteristics, nodes in the colours of their communities.

    Parameters
    ----------
    nodes : DataFrame indexed by feature
        Columns x, y, community and centrality.
    edges : DataFrame
        Columns source, target, association and strength.

    Examples
    --------
    >>> nodes = pd.DataFrame({"x": [0, 1], "y": [0, 1], "community": 1, "centrality": 0.8},
    ...                      index=["a", "b"])
    >>> edges = pd.DataFrame({"source": ["a"], "target": ["b"], "association": [0.8],
    ...                       "strength": [0.8]})
    >>> len(network(nodes, edges).data)
    2
    """
    data: list[Json] = []
    for edge in edges.to_dict("records"):
        ends = nodes.loc[[edge["source"], edge["target"]]]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": numbers(ends["x"], digits=4),
                "y": numbers(ends["y"], digits=4),
                "line": {
                    "color": "@muted",
                    "width": round(0.8 + 4 * float(edge["strength"]), 2),
                    "dash": "solid" if edge["association"] >= 0 else "dot",
                },
                "opacity": 0.55,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    for community in sorted({int(c) for c in nodes["community"]}):
        own = nodes[nodes["community"] == community]
        data.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": f"community {community}",
                "x": numbers(own["x"], digits=4),
                "y": numbers(own["y"], digits=4),
                "text": [plain(name) for name in own.index],
                "textposition": "top center",
                "textfont": {"size": 11.5, "color": "@ink"},
                "customdata": numbers(own["centrality"], digits=3),
                "hovertemplate": "%{text}, centrality %{customdata}<extra></extra>",
                "marker": {
                    "size": [round(9 + 7 * min(c, 3.0), 1) for c in own["centrality"]],
                    "color": community_colour(community),
                    "line": {"color": "@ground", "width": 1.5},
                },
                "cliponaxis": False,
            }
        )
    bare: Json = {"visible": False, "showgrid": False}
    layout: Json = {
        "xaxis": {**bare, "range": _room(nodes["x"], 0.16)},
        "yaxis": {**bare, "range": _room(nodes["y"], 0.1)},
        "showlegend": True,
        "hovermode": "closest",
    }
    return Chart(
        title="The network of characteristics",
        caption="Rank correlations, thinned: the thicker a line the stronger, dotted where "
        "negative. Colours are communities of characteristics, not clusters of assets.",
        data=data,
        layout=layout,
        height=430 + 4 * len(nodes),
    )


def _room(values: pd.Series, share: float) -> list[float]:
    low, high = float(values.min()), float(values.max())
    edge = share * ((high - low) or 1.0)
    return [round(low - edge, 4), round(high + edge, 4)]


def neighbors(places: pd.DataFrame, edges: pd.DataFrame, names: Names) -> Chart:
    """Return assets joined to their nearest neighbours, in the colours of their clusters.

    Parameters
    ----------
    places : DataFrame indexed by asset
        Columns x, y and cluster.
    edges : DataFrame
        Columns source, target and inside (whether both have one cluster).
    names : mapping of cluster to str

    Examples
    --------
    >>> places = pd.DataFrame({"x": [0, 1], "y": [0, 1], "cluster": 1}, index=["A", "B"])
    >>> edges = pd.DataFrame({"source": ["A"], "target": ["B"], "inside": [True]})
    >>> [trace["name"] for trace in neighbors(places, edges, {}).data]
    ['within a cluster', '1']
    """
    data: list[Json] = []
    for inside, label in ((False, "between clusters"), (True, "within a cluster")):
        own = edges[edges["inside"].astype(bool) == inside]
        if own.empty:
            continue
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label,
                **{
                    name: _pieces(places[name], own["source"], own["target"]) for name in ("x", "y")
                },
                "line": {"color": "@muted" if inside else HIGH, "width": 0.9 if inside else 0.8},
                "opacity": 0.6 if inside else 0.4,
                "hoverinfo": "skip",
            }
        )
    for cluster in sorted({int(c) for c in places["cluster"]}):
        own = places[places["cluster"] == cluster]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": legend_name(cluster, names),
                "x": numbers(own["x"], digits=4),
                "y": numbers(own["y"], digits=4),
                "text": [plain(asset) for asset in own.index],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": colour(cluster),
                    "symbol": plotly_mark(cluster),
                    "size": 6,
                    "line": {"color": "@ground", "width": 0.6},
                },
            }
        )
    bare: Json = {"visible": False, "showgrid": False}
    return Chart(
        title="The network of assets",
        caption="Each asset is joined to its nearest neighbours among the scaled characteristics "
        "and stands where the map put it. A line that crosses the map joins what the map tore "
        "apart; an orange one joins two clusters.",
        data=data,
        layout={"xaxis": bare, "yaxis": bare, "showlegend": True, "hovermode": "closest"},
        height=540,
        narrow={"height": 480},
    )


def _pieces(at: pd.Series, source: pd.Series, target: pd.Series) -> list[float | None]:
    """Return both ends of every edge with a gap after it: one trace draws them all."""
    ends = zip(numbers(at.loc[source], digits=4), numbers(at.loc[target], digits=4), strict=True)
    return [value for a, b in ends for value in (a, b, None)]
