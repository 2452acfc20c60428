"""Charts of segments as plain data: how many, how good, who, why, where."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import silhouette_samples

from alphastrata.customers.association import AssociationNetwork, CustomerNetwork
from alphastrata.customers.choice import KChoice
from alphastrata.report import Chart
from alphastrata.report.charts.chart import Json, axis, fade, name_axis, numbers, panels, plain
from alphastrata.report.palette import UNCLASSIFIED, colour, plotly_mark, series_colour

__all__ = [
    "customers_chart",
    "k_chart",
    "map_chart",
    "network_chart",
    "shapley_chart",
    "shares_chart",
    "silhouette_chart",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def label(k: int, names: Mapping[int, str]) -> str:
    """Return a segment's number and name.

    Examples
    --------
    >>> label(1, {1: "retired"})
    '1 · retired'
    """
    return f"{k} · {names[k]}" if k in names else ("no segment" if k == 0 else str(k))


def shares_chart(shares: pd.DataFrame, names: Mapping[int, str]) -> Chart:
    """Return the share of each segment, with twice its standard error."""
    segments = [int(str(k)) for k in shares.index]
    trace: Json = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(shares["share"]),
        "y": list(range(len(segments))),
        "marker": {"color": [colour(k) for k in segments]},
        "error_x": {
            "type": "data",
            "array": numbers(2 * shares["std_error"]),
            "color": "@muted",
            "thickness": 1.2,
            "width": 4,
        },
        "customdata": [[plain(label(k, names))] for k in segments],
        "hovertemplate": "%{customdata[0]}: %{x:.1%}<extra></extra>",
    }
    layout: Json = {
        "xaxis": {"tickformat": ".0%", "rangemode": "tozero", "showgrid": True},
        "yaxis": {**name_axis([label(k, names) for k in segments], width=44), "showgrid": False},
        "bargap": 0.35,
    }
    return Chart(
        title="How large the segments are",
        caption="Share of all customers, weighted where the data have weights. The whisker is "
        "twice the standard error.",
        data=[trace],
        layout=layout,
        height=60 + 34 * len(segments),
    )


def k_chart(choice: KChoice, chosen: int) -> Chart:
    """Return elbow, silhouette beside one cloud's, silhouette above chance, and stability."""
    table = choice.table
    ks = [int(str(k)) for k in table.index]
    titles = [
        "Elbow: spread within segments",
        "Silhouette, and that of one cloud",
        "Silhouette above chance",
        "Stability: do two halves agree?",
    ]
    low = table["null_mean"] - 2 * table["null_std"]
    high = table["null_mean"] + 2 * table["null_std"]
    data: list[Json] = [
        _line(ks, table["inertia"], 1, "spread within"),
        {
            "type": "scatter",
            "x": [*ks, *ks[::-1]],
            "y": [*numbers(high), *numbers(low)[::-1]],
            "fill": "toself",
            "fillcolor": fade(UNCLASSIFIED, 0.3),
            "line": {"width": 0, "color": UNCLASSIFIED},
            "mode": "lines",
            "hoverinfo": "skip",
            "xaxis": "x2",
            "yaxis": "y2",
        },
        _line(ks, table["silhouette"], 2, "silhouette"),
        _line(ks, table["calibrated"], 3, "above chance"),
        _line(ks, table["stability"], 4, "stability"),
    ]
    marks: list[Json] = []
    for i in range(4):
        suffix = axis(i + 1)
        line: Json = {"color": series_colour(1), "width": 1.5, "dash": "dot"}
        place: Json = {"xref": f"x{suffix}", "yref": f"y{suffix} domain", "y0": 0, "y1": 1}
        if chosen >= 2:
            marks.append({"type": "line", "x0": chosen, "x1": chosen, "line": line, **place})
    if choice.elbow is not None:
        bend: Json = {"color": "@muted", "width": 1.2, "dash": "dash"}
        place = {"xref": "x", "yref": "y domain", "y0": 0, "y1": 1}
        marks.append(
            {"type": "line", "x0": choice.elbow, "x1": choice.elbow, "line": bend, **place}
        )
    wide, narrow = panels(titles, columns=2)
    said = f"the elbow bends at {choice.elbow}" if choice.elbow else "the elbow does not bend"
    return Chart(
        title="How many segments",
        caption=f"Orange dots: the number taken. By itself {said} (dashed) and the plain "
        f"silhouette is highest at {choice.by_silhouette}. The grey band is what the same stages "
        "score on customers drawn from one cloud with the same columns and correlations.",
        data=data,
        layout={**wide, "shapes": marks},
        height=520,
        narrow={**narrow, "height": 900},
    )


def _line(ks: list[int], values: pd.Series, panel: int, name: str) -> Json:
    suffix = axis(panel)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": ks,
        "y": numbers(values),
        "line": {"color": series_colour(0), "width": 2},
        "marker": {"size": 7},
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "hovertemplate": "%{x} segments: %{y:.4g}<extra></extra>",
    }


def silhouette_chart(coordinates: Array, labels: Codes, names: Mapping[int, str]) -> Chart:
    """Return the silhouette of each customer, by segment: knives, broad where a segment is good."""
    values = silhouette_samples(coordinates, labels)
    data: list[Json] = []
    start = 0
    ticks: list[float] = []
    segments = [int(k) for k in np.unique(labels)]
    for k in segments:
        own = np.sort(values[labels == k])[::-1]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": numbers(own, digits=3),
                "y": list(range(start, start + len(own))),
                "marker": {"color": colour(k), "line": {"width": 0}},
                "name": plain(label(k, names)),
                "hovertemplate": f"{plain(label(k, names))}: %{{x:.2f}}<extra></extra>",
            }
        )
        ticks.append(start + len(own) / 2)
        start += len(own) + max(4, len(values) // 60)
    mean = float(values.mean())
    layout = _knives(ticks, [label(k, names) for k in segments], mean)
    return Chart(
        title="Silhouette of every customer",
        caption="One thin bar per customer of a sample: how much nearer they are to their own "
        f"segment than to the next. Dotted: the mean, {mean:.2f}. Bars below zero lie nearer to "
        "another segment.",
        data=data,
        layout=layout,
        height=max(320, 90 + 70 * len(segments)),
    )


def _knives(ticks: list[float], texts: list[str], mean: float) -> Json:
    return {
        "bargap": 0,
        "xaxis": {"showgrid": True, "zeroline": True},
        "yaxis": {
            "tickvals": ticks,
            "ticktext": [plain(text[:40]) for text in texts],
            "autorange": "reversed",
            "showgrid": False,
            "automargin": True,
        },
        "shapes": [
            {
                "type": "line",
                "x0": mean,
                "x1": mean,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": "@ink", "width": 1.2, "dash": "dot"},
            }
        ],
    }


def map_chart(coordinates: Array, labels: Codes, names: Mapping[int, str]) -> Chart:
    """Return customers on the first dimensions of the space that was clustered; 3-D if it has."""
    deep = coordinates.shape[1] >= 3
    data: list[Json] = []
    for k in (int(v) for v in np.unique(labels)):
        own = coordinates[labels == k]
        trace: Json = {
            "type": "scatter3d" if deep else "scatter",
            "mode": "markers",
            "name": plain(label(k, names)),
            "x": numbers(own[:, 0], digits=4),
            "y": numbers(own[:, 1] if own.shape[1] > 1 else np.zeros(len(own)), digits=4),
            "marker": {"color": colour(k), "size": 3 if deep else 5, "opacity": 0.75},
            "hovertemplate": f"{plain(label(k, names))}<extra></extra>",
        }
        if deep:
            trace["z"] = numbers(own[:, 2], digits=4)
        else:
            trace["marker"]["symbol"] = plotly_mark(k)
        data.append(trace)
    bare: Json = {"showticklabels": False, "title": {"text": ""}, "showspikes": False}
    bare |= {"gridcolor": "@line", "zerolinecolor": "@line", "showbackground": False}
    layout: Json = {"showlegend": True}
    if deep:
        layout["scene"] = {"xaxis": bare, "yaxis": bare, "zaxis": bare, "aspectmode": "cube"}
        layout["margin"] = {"l": 0, "r": 0, "t": 60, "b": 0}
    else:
        layout |= {"xaxis": {"showticklabels": False}, "yaxis": {"showticklabels": False}}
    return Chart(
        title="Map of customers",
        caption="Each point is a customer of a sample, in the leading dimensions of the space in "
        "which the segments were found. Closeness means likeness; the axes mean nothing by "
        "themselves." + (" Drag to turn it." if deep else ""),
        data=data,
        layout=layout,
        height=560,
    )


def shapley_chart(importance: pd.DataFrame, names: Mapping[int, str], *, most: int = 15) -> Chart:
    """Return the mean absolute Shapley value of the leading columns, stacked by segment."""
    top = importance.iloc[:most]
    data: list[Json] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": plain(label(int(str(k)), names)),
            "x": numbers(top[k]),
            "y": list(range(len(top))),
            "marker": {"color": colour(int(str(k)))},
            "hovertemplate": f"{plain(label(int(str(k)), names))}: %{{x:.3f}}<extra></extra>",
        }
        for k in top.columns
    ]
    rows = [str(c).replace("_", " ") for c in top.index]
    layout: Json = {
        "barmode": "stack",
        "showlegend": True,
        "yaxis": {**name_axis(rows, width=30), "showgrid": False},
        "xaxis": {"showgrid": True},
        "legend": {"yref": "container", "y": 1.0, "yanchor": "top"},
        "margin": {"t": 96},
    }
    return Chart(
        title="What the segments rest on",
        caption="Mean absolute Shapley value: by how much a column moves the chance of belonging "
        "to a segment, over the customers of a sample.",
        data=data,
        layout=layout,
        height=150 + 24 * len(top),
    )


def network_chart(network: AssociationNetwork) -> Chart:
    """Return columns as a network: lines are associations, colours communities."""
    places = network.places
    data: list[Json] = []
    for weak, wide in ((True, 1.0), (False, 3.0)):
        x: list[float | None] = []
        y: list[float | None] = []
        for a, b, strength in network.edges.itertuples(index=False):
            if (strength < 0.4) == weak:
                x += [float(places["x"][a]), float(places["x"][b]), None]
                y += [float(places["y"][a]), float(places["y"][b]), None]
        if x:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": x,
                    "y": y,
                    "line": {"color": "@muted", "width": wide},
                    "opacity": 0.5,
                    "hoverinfo": "skip",
                }
            )
    best = network.edges.groupby("source")["strength"].max()
    other = network.edges.groupby("target")["strength"].max()
    strongest = pd.concat([best, other], axis=1).max(axis=1)
    names = [str(n) for n in places.index]
    data.append(
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": numbers(places["x"]),
            "y": numbers(places["y"]),
            "text": [plain(n.replace("_", " ")) for n in names],
            "textposition": "top center",
            "textfont": {"size": 10.5, "color": "@ink"},
            "marker": {"color": [colour(int(network.communities[n])) for n in names], "size": 13},
            "customdata": [[round(float(strongest.get(n, 0.0)), 2)] for n in names],
            "hovertemplate": "%{text}: strongest association %{customdata[0]}<extra></extra>",
            "cliponaxis": False,
        }
    )
    bare: Json = {"showticklabels": False, "showgrid": False, "zeroline": False}
    return Chart(
        title="Which columns go together",
        caption="The spanning tree of the strongest associations, whatever the kinds of the "
        "columns (rank correlation, Cramér's V, correlation ratio). Thick: 0.4 and above. "
        "Colours are communities of all associations.",
        data=data,
        layout={"xaxis": bare, "yaxis": bare, "margin": {"l": 40, "r": 40, "t": 30, "b": 20}},
        height=560,
    )


def customers_chart(network: CustomerNetwork, names: Mapping[int, str]) -> Chart:
    """Return customers as a network of nearest neighbours, coloured by segment."""
    nodes = network.nodes
    x: list[float | None] = []
    y: list[float | None] = []
    places = nodes[["x", "y"]].to_numpy()
    for a, b in network.edges[["source", "target"]].to_numpy():
        x += [round(float(places[a, 0]), 4), round(float(places[b, 0]), 4), None]
        y += [round(float(places[a, 1]), 4), round(float(places[b, 1]), 4), None]
    data: list[Json] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": "@muted", "width": 0.6},
            "opacity": 0.5,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    for k in (int(v) for v in np.unique(nodes["segment"])):
        own = nodes[nodes["segment"] == k]
        purity = float(network.purity.get(k, float("nan")))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain(label(k, names)),
                "x": numbers(own["x"], digits=4),
                "y": numbers(own["y"], digits=4),
                "marker": {"color": colour(k), "size": 7, "symbol": plotly_mark(k)},
                "hovertemplate": f"{plain(label(k, names))}: {purity:.0%} of neighbours inside"
                "<extra></extra>",
            }
        )
    bare: Json = {"showticklabels": False, "showgrid": False, "zeroline": False}
    return Chart(
        title="The network of customers",
        caption="Customers of a sample, each joined to their four nearest neighbours; colours are "
        "segments. Nobody is named.",
        data=data,
        layout={"xaxis": bare, "yaxis": bare, "showlegend": True},
        height=560,
    )
