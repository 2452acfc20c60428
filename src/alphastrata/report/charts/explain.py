"""Charts of explanations: box plots, Shapley values, importance and drift."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata.report.charts.chart import (
    Chart,
    Json,
    axis,
    dates,
    name_axis,
    numbers,
    panels,
    plain,
)
from alphastrata.report.charts.clusters import cluster_label, legend_name, wrap
from alphastrata.report.palette import HIGH, LOW, colour, plotly_mark, series_colour

__all__ = ["boxes", "drift", "importance", "shapley"]

Names = Mapping[int, str]


def boxes(frame: pd.DataFrame, names: Names, *, title: str = "Box plots by cluster") -> Chart:
    """Return box plots: characteristics down, a box per cluster in its colour.

    Parameters
    ----------
    frame : DataFrame indexed by (feature, cluster)
        Columns low, q1, median, q3, high, in standard deviations from the average.
    names : mapping of cluster to str
    title : str

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("size", 1)], names=["feature", "cluster"])
    >>> frame = pd.DataFrame([[-2, -1, 0, 1, 2]], index, ["low", "q1", "median", "q3", "high"])
    >>> boxes(frame, {}).data[0]["median"]
    [0.0]
    """
    flat = frame.reset_index()
    features = list(dict.fromkeys(flat["feature"].astype(str)))
    clusters = sorted({int(c) for c in flat["cluster"]})
    ends = {"q1": "q1", "median": "median", "q3": "q3", "low": "lowerfence", "high": "upperfence"}
    data: list[Json] = []
    for cluster in clusters:
        own = flat[flat["cluster"] == cluster]
        data.append(
            {
                "type": "box",
                "orientation": "h",
                "name": legend_name(cluster, names),
                "y": [plain(f) for f in own["feature"]],
                **{theirs: numbers(own[ours], digits=4) for ours, theirs in ends.items()},
                "line": {"color": colour(cluster), "width": 1.2},
                "fillcolor": colour(cluster) + "59",
                "whiskerwidth": 0.4,
                "hoverinfo": "x+name",
            }
        )
    tall = 10 * len(clusters) + 12
    layout: Json = {
        "boxmode": "group",
        "boxgap": 0.25,
        "boxgroupgap": 0.15,
        "showlegend": True,
        "yaxis": {
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": [plain(f) for f in features],
        },
        "xaxis": {
            "zeroline": True,
            "showgrid": True,
            "title": {"text": "standard deviations from the average asset"},
        },
    }
    return Chart(
        title=title,
        caption="The box holds the middle half of a cluster's members, the line in it their "
        "median; whiskers reach from the 5% to the 95% quantile.",
        data=data,
        layout=layout,
        height=90 + 20 * len(clusters) + tall * len(features),
        narrow={"yaxis": {"tickfont": {"size": 10}}},
    )


def shapley(values: pd.DataFrame, direction: pd.DataFrame, names: Names, *, most: int = 8) -> Chart:
    """Return mean absolute Shapley values, a panel per cluster, coloured by their direction.

    Parameters
    ----------
    values : DataFrame, feature x cluster
        Mean absolute Shapley values.
    direction : DataFrame, feature x cluster
        Above zero: high values speak for the cluster.
    names : mapping of cluster to str
    most : int
        Features per panel, those that matter most.

    Examples
    --------
    >>> frame = pd.DataFrame({1: [0.2]}, index=["size"])
    >>> shapley(frame, frame, {}).data[0]["x"]
    [0.2]
    """
    clusters = [int(c) for c in values.columns]
    data: list[Json] = []
    extra: dict[str, Json] = {}
    top = float(values.to_numpy().max())
    for number in range(1, len(clusters) + 1):
        own = values.iloc[:, number - 1].sort_values(ascending=False, kind="stable").head(most)
        signs = direction.iloc[:, number - 1].reindex(own.index)
        suffix = axis(number)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": numbers(own, digits=4),
                "y": list(range(len(own))),
                "customdata": [plain(name) for name in own.index],
                "marker": {"color": [HIGH if sign > 0 else LOW for sign in signs]},
                "hovertemplate": "%{customdata}: %{x:.3f}<extra></extra>",
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
            }
        )
        extra[f"yaxis{suffix}"] = {**name_axis(own.index, width=19), "showgrid": False}
        extra[f"xaxis{suffix}"] = {"range": [0, 1.05 * top], "showgrid": True, "nticks": 4}
    columns = min(3, len(clusters))
    titles = [_short(cluster_label(c, names)) for c in clusters]
    wide, narrow = panels(titles, columns=columns, extra=extra, gap=0.16)
    rows = -(-len(clusters) // columns)
    tall = 26 * min(most, len(values)) + 74
    for layout in (wide, narrow):
        layout["margin"] = {"t": 36}
    return Chart(
        title="Shapley values of the assignment",
        caption="How much each characteristic moves the chance to be in the cluster, on average. "
        "Orange: high values speak for the cluster. Blue: low values do.",
        data=data,
        layout={**wide, "bargap": 0.35},
        height=30 + tall * rows,
        narrow={**narrow, "height": 30 + tall * len(clusters)},
    )


def _short(label: str) -> str:
    lines = wrap(label, 30)
    return lines[0] + ("…" if len(lines) > 1 else "")


def importance(frame: pd.DataFrame) -> Chart:
    """Return how far labels change when a characteristic is permuted.

    Parameters
    ----------
    frame : DataFrame indexed by feature
        Columns mean and std over repetitions.

    Examples
    --------
    >>> importance(pd.DataFrame({"mean": [0.4], "std": [0.1]}, index=["size"])).data[0]["x"]
    [0.4]
    """
    trace: Json = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(frame["mean"], digits=4),
        "y": list(range(len(frame))),
        "customdata": [plain(name) for name in frame.index],
        "error_x": {
            "type": "data",
            "array": numbers(frame["std"], digits=4),
            "color": "@muted",
            "thickness": 1,
            "width": 3,
        },
        "marker": {"color": series_colour(0)},
        "hovertemplate": "%{customdata}: %{x:.3f}<extra></extra>",
    }
    layout: Json = {
        "yaxis": {**name_axis(frame.index, width=26), "showgrid": False},
        "xaxis": {"showgrid": True, "rangemode": "tozero"},
        "bargap": 0.35,
    }
    return Chart(
        title="Importance by permutation",
        caption="One minus the agreement (adjusted Rand index) of the labels before and after the "
        "characteristic was shuffled among assets that were not in training. The whisker is the "
        "deviation over repetitions.",
        data=[trace],
        layout=layout,
        height=60 + 25 * len(frame),
    )


def drift(frame: pd.DataFrame, names: Names) -> Chart:
    """Return how far each cluster's profile moved since the window before, a line per cluster.

    Parameters
    ----------
    frame : DataFrame indexed by (date, cluster)
        With the column drift, in standard deviations.
    names : mapping of cluster to str

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(pd.Timestamp("2020-01-31"), 1)])
    >>> drift(pd.DataFrame({"drift": [0.2]}, index=index), {}).data[0]["y"]
    [0.2]
    """
    flat = frame["drift"].rename_axis(["date", "cluster"]).reset_index()
    data: list[Json] = []
    for cluster in sorted({int(c) for c in flat["cluster"]}):
        own = flat[flat["cluster"] == cluster]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": legend_name(cluster, names),
                "x": dates(own["date"]),
                "y": numbers(own["drift"], digits=4),
                "line": {"color": colour(cluster), "width": 1.8},
                "marker": {"color": colour(cluster), "symbol": plotly_mark(cluster), "size": 7},
                "hovertemplate": "%{y:.2f}",
            }
        )
    return Chart(
        title="Drift of the profiles",
        caption="Root mean square change of the cluster's means since the window before, in "
        "standard deviations. A cluster that only keeps its number, not its kind, stands out.",
        data=data,
        layout={
            "hovermode": "x unified",
            "showlegend": True,
            "yaxis": {"rangemode": "tozero"},
            "margin": {"t": 30},
        },
        height=330 + 18 * len(data),
    )
