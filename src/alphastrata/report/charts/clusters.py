"""Charts of data and clusters: coverage, scores beside noise, sizes and profiles."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, axis, dates, fade, numbers, panels, plain
from alphastrata.report.palette import HIGH, LOW, UNCLASSIFIED, series_colour

__all__ = ["cluster_label", "coverage", "heat", "legend_name", "profiles", "scores", "wrap"]

# What a metric is called, and which way is good.
METRICS: Mapping[str, tuple[str, str]] = {
    "silhouette": ("Silhouette", "higher is better"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better"),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better"),
}


# Columns of a heat map that leave room for a number in each cell.
LEGIBLE = 16


def cluster_label(cluster: int, names: Mapping[int, str]) -> str:
    """Return a cluster as the page calls it: its number, and its name where it has one.

    Examples
    --------
    >>> cluster_label(2, {2: "levered"}), cluster_label(0, {})
    ('2 · levered', 'not classified')
    """
    if cluster <= 0:
        return "not classified"
    name = names.get(cluster, "")
    return f"{cluster} · {name}" if name else f"{cluster}"


def legend_name(cluster: int, names: Mapping[int, str]) -> str:
    """Return a cluster's number and name in lines that a phone's legend has room for.

    Examples
    --------
    >>> legend_name(2, {2: "small, highly levered, short of liquid assets"})
    '2 · small, highly levered, short of liquid<br>assets'
    """
    return "<br>".join(plain(part) for part in wrap(cluster_label(cluster, names), 42))


def coverage(frame: pd.DataFrame, *, unit: str = "asset") -> Chart:
    """Return counts of assets through time, one line per column.

    Parameters
    ----------
    frame : DataFrame
        Index: date.
    unit : str
        What is counted, in the singular.

    Examples
    --------
    >>> frame = pd.DataFrame({"assets": [3, 4]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> coverage(frame).data[0]["y"]
    [3.0, 4.0]
    """
    data: list[Json] = [
        {
            "type": "scatter",
            # Counts that stand at some dates alone (formation dates) show as joined points.
            "mode": "lines+markers" if bool(frame.iloc[:, i].isna().any()) else "lines",
            "connectgaps": True,
            "name": plain(name),
            "x": dates(frame.index),
            "y": numbers(frame.iloc[:, i]),
            "line": {"color": series_colour(i), "width": 2},
            "marker": {"color": series_colour(i), "size": 6},
            "hovertemplate": "%{y:,}",
        }
        for i, name in enumerate(frame.columns)
    ]
    layout: Json = {
        "hovermode": "x unified",
        "yaxis": {"rangemode": "tozero", "tickformat": ","},
        "showlegend": True,
    }
    return Chart(
        title=f"{unit.capitalize()}s through time",
        caption=f"How many {unit}s each date of the study could use.",
        data=data,
        layout=layout,
        height=280,
    )


def scores(frame: pd.DataFrame) -> Chart:
    """Return the scores of each window beside the band that data without clusters reach.

    Parameters
    ----------
    frame : DataFrame
        Long: date, metric, space, source, score (see ``ClusterSection.scores``).

    Examples
    --------
    >>> when = pd.to_datetime(["2020-01-31"] * 2)
    >>> frame = pd.DataFrame({"date": when, "metric": "silhouette", "space": "input",
    ...                       "source": ["data", "permuted"], "score": [0.4, 0.1]})
    >>> [trace["name"] for trace in scores(frame).data]
    ['noise band', 'permuted', 'data']
    """
    spaces = list(dict.fromkeys(frame["space"]))
    known = set(zip(frame["metric"], frame["space"], strict=True))
    keys = [(m, s) for m in dict.fromkeys(frame["metric"]) for s in spaces if (m, s) in known]
    sources = [s for s in dict.fromkeys(frame["source"]) if s != "data"]
    titles, data = [], []
    for number, (metric, space) in enumerate(keys, start=1):
        shown, better = METRICS.get(str(metric), (str(metric), ""))
        arrow = {"higher is better": " ↑", "lower is better": " ↓"}.get(better, "")
        titles.append(f"{shown}{arrow}, {space} space")
        part = frame[(frame["metric"] == metric) & (frame["space"] == space)]
        data += _score_traces(part, sources, number)
    columns = min(len(spaces), 3, len(keys))
    wide, narrow = panels(titles, columns=columns)
    rows = -(-len(keys) // columns)
    caption = (
        "The line is the data. The grey band spans what the same pipeline scores on data that "
        "have no clusters (broken lines: the mean of each kind): a line inside the band is no "
        "better than noise."
        if sources
        else "Not compared with data that have no clusters. A score alone says little: the same "
        "pipeline also finds clusters in noise."
    )
    return Chart(
        title="Scores of every window beside noise" if sources else "Scores of every window",
        caption=f"{caption} ↑ higher is better, ↓ lower is better.",
        data=data,
        layout={**wide, "hovermode": "x unified", "showlegend": bool(sources)},
        height=110 + 190 * rows,
        narrow={**narrow, "height": 110 + 165 * len(keys)},
    )


def _score_traces(part: pd.DataFrame, sources: list[str], number: int) -> list[Json]:
    suffix = axis(number)
    place: Json = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": number == 1}
    nulls = part[part["source"] != "data"]
    traces: list[Json] = []
    if not nulls.empty:
        band = nulls.groupby("date")["score"].agg(["min", "max"]).dropna()
        when = dates(band.index)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "noise band",
                "legendgroup": "band",
                "x": when + when[::-1],
                "y": numbers(band["max"]) + numbers(band["min"])[::-1],
                "fill": "toself",
                "fillcolor": fade(UNCLASSIFIED, 0.25),
                "line": {"color": UNCLASSIFIED, "width": 0},
                "hoverinfo": "skip",
                **place,
            }
        )
    for position, source in enumerate(sources):
        mean = nulls[nulls["source"] == source].groupby("date")["score"].mean()
        if mean.empty:
            continue
        dash = ("dot", "dash", "dashdot", "longdash")[position % 4]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": plain(source),
                "legendgroup": str(position),
                "x": dates(mean.index),
                "y": numbers(mean),
                "line": {"color": "@muted", "width": 1.2, "dash": dash},
                "hovertemplate": "%{y:.3f}",
                **place,
            }
        )
    line = part[part["source"] == "data"].sort_values("date")
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "data",
            "legendgroup": "data",
            "x": dates(line["date"]),
            "y": numbers(line["score"]),
            "line": {"color": series_colour(0), "width": 2.4},
            "marker": {"size": 5, "color": series_colour(0)},
            "hovertemplate": "%{y:.3f}",
            **place,
        }
    )
    return traces


def heat(frame: pd.DataFrame, *, limit: float, labels: list[str], text: str) -> Json:
    """Return a heat-map trace around zero: blue below, orange above, the ground's colour at 0.

    Parameters
    ----------
    frame : DataFrame of numbers
    limit : float
        Value at which the colour is full, either side.
    labels : list of str
        One per column.
    text : str
        Format of the number in each cell, as plotly writes it (".1f").

    Examples
    --------
    >>> heat(pd.DataFrame({"a": [1.0]}), limit=2.0, labels=["a"], text=".1f")["zmin"]
    -2.0
    """
    return {
        "type": "heatmap",
        "x": list(range(frame.shape[1])),
        "y": [plain(name) for name in frame.index],
        "z": [numbers(row, digits=4) for row in frame.to_numpy(dtype=float)],
        "zmin": -limit,
        "zmax": limit,
        "colorscale": [[0.0, LOW], [0.5, "@paper"], [1.0, HIGH]],
        "texttemplate": f"%{{z:{text}}}" if frame.shape[1] <= LEGIBLE else "",
        "customdata": [[plain(label) for label in labels]] * len(frame),
        "hovertemplate": f"%{{y}}<br>%{{customdata}}: %{{z:{text}}}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "len": 0.9, "tickfont": {"size": 11}},
    }


def profiles(frame: pd.DataFrame, names: Mapping[int, str]) -> Chart:
    """Return the profiles of the clusters: characteristics down, clusters across.

    Parameters
    ----------
    frame : DataFrame
        Index: cluster. Columns: characteristics. Values in cross-sectional standard deviations.
    names : mapping of cluster to str

    Examples
    --------
    >>> profiles(pd.DataFrame({"leverage": [1.2, -0.4]}, index=[1, 2]), {1: "levered"}).height
    120
    """
    turned = frame.T
    clusters = [int(c) for c in turned.columns]
    room = 18 if len(clusters) < 6 else 14
    wide = [
        "<br>".join([f"<b>{c}</b>", *(plain(part) for part in wrap(names.get(c, ""), room))])
        for c in clusters
    ]
    labels = [cluster_label(c, names) for c in clusters]
    trace = heat(turned, limit=2.0, labels=labels, text=".1f")
    x: Json = {"side": "top", "tickvals": list(range(len(clusters)))}
    x |= {"showgrid": False, "tickangle": 0}
    layout: Json = {
        "xaxis": {**x, "ticktext": wide},
        "yaxis": {"autorange": "reversed", "showgrid": False, "automargin": True},
        "margin": {"b": 6},
    }
    narrow: Json = {"xaxis": {**x, "ticktext": [f"<b>{c}</b>" for c in clusters]}}
    return Chart(
        title="What the clusters are",
        caption="Mean of each cluster's members, in cross-sectional standard deviations from the "
        "average asset. Orange is above average, blue below.",
        data=[trace],
        layout=layout,
        height=70 + 24 * len(turned) + 13 * max(text.count("<br>") + 1 for text in wide),
        narrow=narrow,
    )


def wrap(name: str, width: int = 18) -> list[str]:
    """Return a name in lines, each fit for a label.

    Examples
    --------
    >>> wrap("Levered, asset-heavy", width=12)
    ['Levered,', 'asset-heavy']
    """
    lines, line = [], ""
    for word in name.split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [part for part in [*lines, line] if part]
