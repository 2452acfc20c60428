"""Charts of a grid of experiments: scores, effects, other methods, maps, return and risk."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, axis, name_axis, numbers, panels, plain
from alphastrata.report.charts.clusters import METRICS, legend_name
from alphastrata.report.palette import colour, plotly_mark, series_colour

__all__ = ["effects", "experiment_scores", "maps", "methods", "return_and_risk"]

SPACES = {"embedding": "on the map", "latent": "in the latent space", "input": "in the data"}
CLUSTERERS = {"kmeans": "K-means", "spectral": "spectral"}


def experiment_scores(scores: pd.DataFrame, *, metric: str, spaces: list[str]) -> Chart:
    """Return a score of every experiment, a panel per space: means and spreads over seeds.

    Parameters
    ----------
    scores : DataFrame
        One row per experiment, clusterer, k and seed; columns ``f"{metric}_{space}"``.
    metric : str
    spaces : list of str

    Examples
    --------
    >>> scores = pd.DataFrame({"experiment": 1, "features": "price", "autoencoder": True,
    ...     "clusterer": "kmeans", "k": 3, "seed": [0, 1], "silhouette_input": [0.4, 0.5]})
    >>> experiment_scores(scores, metric="silhouette", spaces=["input"]).data[0]["y"]
    [0.45]
    """
    ks, clusterers = sorted(scores["k"].unique()), list(dict.fromkeys(scores["clusterer"]))
    named = scores.drop_duplicates("experiment").set_index("experiment").sort_index()
    words = {
        n: f"{n}: {row['features']}, {'with' if row['autoencoder'] else 'without'} autoencoder"
        for n, row in named.iterrows()
    }
    data: list[Json] = []
    extra: dict[str, Json] = {}
    for number, space in enumerate(spaces, start=1):
        suffix = axis(number)
        grouped = scores.groupby(["experiment", "clusterer", "k"])[f"{metric}_{space}"]
        table = grouped.agg(["mean", "std"]).reset_index()
        for i, k in enumerate(ks):
            for j, clusterer in enumerate(clusterers):
                own = table[(table["k"] == k) & (table["clusterer"] == clusterer)]
                shift = 0.7 * ((i + 0.5 * j + 0.25) / len(ks) - 0.5)
                label = f"k = {k}, {CLUSTERERS.get(clusterer, clusterer)}"
                data.append(
                    {
                        "type": "scatter",
                        "mode": "markers",
                        "name": plain(label),
                        "legendgroup": plain(label),
                        "showlegend": number == 1,
                        "x": [round(float(e) + shift, 3) for e in own["experiment"]],
                        "y": numbers(own["mean"], digits=4),
                        "error_y": {
                            "type": "data",
                            "array": [v or 0.0 for v in numbers(own["std"], digits=3)],
                            "thickness": 1,
                            "width": 0,
                        },
                        "marker": {
                            "color": series_colour(i),
                            "size": 8,
                            "symbol": ("circle", "diamond-open", "square-open")[j % 3],
                            "line": {"width": 1.4, "color": series_colour(i)},
                        },
                        "customdata": [plain(words[e]) for e in own["experiment"]],
                        "hovertemplate": f"%{{customdata}}<br>{plain(label)}: %{{y:.3f}}"
                        "<extra></extra>",
                        "xaxis": f"x{suffix}",
                        "yaxis": f"y{suffix}",
                    }
                )
        extra[f"xaxis{suffix}"] = {
            "tickvals": [int(n) for n in named.index],
            "range": [0.5, len(named) + 0.5],
            "title": {"text": "experiment"},
        }
    shown, better = METRICS.get(metric, (metric, ""))
    titles = [f"{shown} {SPACES.get(space, space)}" for space in spaces]
    wide, narrow = panels(titles, columns=min(2, len(titles)), extra=extra)
    caption = f"{better.capitalize()}. Points are means, whiskers deviations over seeds. "
    return Chart(
        title=f"{shown} of the {len(named)} experiments",
        caption=caption + "; ".join(words.values()) + ".",
        data=data,
        layout={**wide, "showlegend": True, "margin": {"t": 84}},
        height=400,
        narrow={**narrow, "height": 300 * len(titles) + 90, "margin": {"t": 150}},
    )


def effects(frame: pd.DataFrame) -> Chart:
    """Return what the parts of the grid change, with intervals.

    Parameters
    ----------
    frame : DataFrame indexed by (effect, score)
        Columns estimate, low and high.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("autoencoder", "silhouette_input")])
    >>> frame = pd.DataFrame({"estimate": [0.1], "low": [0.0], "high": [0.2]}, index=index)
    >>> effects(frame).data[0]["x"]
    [0.1]
    """
    titles = list(dict.fromkeys(str(key[0]) for key in frame.index))
    data: list[Json] = []
    extra: dict[str, Json] = {}
    rows = 1
    for number, effect in enumerate(titles, start=1):
        own, suffix = frame.loc[[effect]], axis(number)
        labels = [_score_words(str(key[1])) for key in own.index]
        up, down = own["high"] - own["estimate"], own["estimate"] - own["low"]
        rows = max(rows, len(own))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers(own["estimate"], digits=4),
                "y": list(range(len(own))),
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [v or 0.0 for v in numbers(up, digits=4)],
                    "arrayminus": [v or 0.0 for v in numbers(down, digits=4)],
                    "thickness": 2,
                    "width": 0,
                },
                "marker": {"color": series_colour(number - 1), "size": 9},
                "customdata": labels,
                "hovertemplate": "%{customdata}: %{x:+.3f}<extra></extra>",
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
            }
        )
        extra[f"yaxis{suffix}"] = {**name_axis(labels, width=30), "showgrid": False}
        extra[f"xaxis{suffix}"] = {"zeroline": True, "showgrid": True, "nticks": 6}
    wide, narrow = panels(
        [f"with {effect} less without" for effect in titles], columns=2, extra=extra, gap=0.24
    )
    for layout in (wide, narrow):
        layout["margin"] = {"t": 36}
    return Chart(
        title="What the autoencoder and the price data change",
        caption="Mean difference of each score, and its 95% interval over seeds. A silhouette "
        "gains to the right of zero, a Davies-Bouldin index to the left of it.",
        data=data,
        layout=wide,
        height=80 + 32 * rows,
        narrow={**narrow, "height": (80 + 36 * rows) * len(titles)},
    )


def _score_words(score: str) -> str:
    metric, _, space = score.rpartition("_")
    return f"{METRICS.get(metric, (metric, ''))[0]}, {SPACES.get(space, space)}"


def methods(frame: pd.DataFrame, *, score: str, title: str) -> Chart:
    """Return a score by the number of clusters, a panel per feature set and a line per method.

    Parameters
    ----------
    frame : DataFrame indexed by (features, k)
        Columns (method, score).
    score : str
    title : str

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("price", 3)], names=["features", "k"])
    >>> columns = pd.MultiIndex.from_tuples([("PCA", "silhouette")])
    >>> frame = pd.DataFrame([[0.4]], index=index, columns=columns)
    >>> methods(frame, score="silhouette", title="Silhouette").data[0]["y"]
    [0.4]
    """
    sets = list(dict.fromkeys(frame.index.get_level_values(0)))
    names = list(dict.fromkeys(frame.columns.get_level_values(0)))
    data: list[Json] = []
    extra: dict[str, Json] = {}
    top = float(frame.xs(score, axis=1, level=1).to_numpy().max())
    low = min(0.0, float(frame.xs(score, axis=1, level=1).to_numpy().min()))
    for number, features in enumerate(sets, start=1):
        suffix = axis(number)
        own = frame.loc[features]
        for position, name in enumerate(names):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": plain(name),
                    "legendgroup": plain(name),
                    "showlegend": number == 1,
                    "x": [int(k) for k in own.index],
                    "y": numbers(own[name, score], digits=4),
                    "line": {"color": series_colour(position), "width": 2},
                    "marker": {
                        "color": series_colour(position),
                        "size": 7,
                        "symbol": plotly_mark(position + 1),
                    },
                    "hovertemplate": "%{y:.3f}",
                    "xaxis": f"x{suffix}",
                    "yaxis": f"y{suffix}",
                }
            )
        extra[f"xaxis{suffix}"] = {"tickvals": [int(k) for k in own.index], "title": {"text": "k"}}
        extra[f"yaxis{suffix}"] = {"range": [low, 1.06 * top], "nticks": 5}
    wide, narrow = panels([str(s) for s in sets], columns=min(4, len(sets)), extra=extra, gap=0.06)
    return Chart(
        title=title,
        caption="K-means after each way to lay the assets out; means over seeds.",
        data=data,
        layout={**wide, "hovermode": "x unified", "showlegend": True},
        height=300,
        narrow={**narrow, "height": 200 * len(sets) + 60},
    )


def maps(places: pd.DataFrame, *, title: str = "The maps side by side") -> Chart:
    """Return maps as small multiples, a colour per cluster.

    Parameters
    ----------
    places : DataFrame
        Columns title, asset, cluster, x and y; one panel per title, in order of appearance.
    title : str

    Examples
    --------
    >>> frame = pd.DataFrame({"title": ["1"], "asset": ["A"], "cluster": [1], "x": [0], "y": [0]})
    >>> len(maps(frame).data)
    1
    """
    titles = list(dict.fromkeys(places["title"].astype(str)))
    data: list[Json] = []
    extra: dict[str, Json] = {}
    for number, name in enumerate(titles, start=1):
        suffix = axis(number)
        here = places[places["title"] == name]
        for cluster in sorted({int(c) for c in here["cluster"]}):
            own = here[here["cluster"] == cluster]
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": numbers(own["x"], digits=3),
                    "y": numbers(own["y"], digits=3),
                    "text": [plain(asset) for asset in own["asset"]],
                    "hovertemplate": f"%{{text}}, cluster {cluster}<extra></extra>",
                    "marker": {
                        "color": colour(cluster),
                        "symbol": plotly_mark(cluster),
                        "size": 4,
                        "opacity": 0.85,
                    },
                    "xaxis": f"x{suffix}",
                    "yaxis": f"y{suffix}",
                }
            )
        bare: Json = {"showgrid": False, "showticklabels": False, "ticks": "", "zeroline": False}
        line: Json = {"showline": True, "mirror": True}
        extra[f"xaxis{suffix}"] = {**bare, **line}
        extra[f"yaxis{suffix}"] = {**bare, **line}
    columns = min(4, len(titles))
    wide, _ = panels(titles, columns=columns, extra=extra, gap=0.03)
    narrow, _ = panels(titles, columns=min(2, columns), extra=extra, gap=0.05)
    for layout in (wide, narrow):
        layout["margin"] = {"t": 36, "b": 8}
        for heading in layout["annotations"]:
            heading["font"] = {"color": "@ink", "size": 10.5}
    rows, tall = -(-len(titles) // columns), -(-len(titles) // min(2, columns))
    return Chart(
        title=title,
        caption="Colours number the clusters of each panel by size; they mean nothing from one "
        "panel to the next.",
        data=data,
        layout=wide,
        height=50 + 240 * rows,
        narrow={**narrow, "height": 40 + 190 * tall},
    )


def return_and_risk(frame: pd.DataFrame, names: Mapping[int, str]) -> Chart:
    """Return mean return against standard deviation, a point per cluster.

    Parameters
    ----------
    frame : DataFrame indexed by cluster
        Columns mean and std, decimals per period.
    names : mapping of cluster to str

    Examples
    --------
    >>> frame = pd.DataFrame({"mean": [0.01], "std": [0.05]}, index=[1])
    >>> return_and_risk(frame, {}).data[0]["y"]
    [0.01]
    """
    data: list[Json] = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": legend_name(int(cluster), names),
            "x": numbers([std]),
            "y": numbers([mean]),
            "text": [f"{cluster}"],
            "textposition": "top right",
            "textfont": {"color": "@ink", "size": 12.5},
            "marker": {
                "color": colour(int(cluster)),
                "symbol": plotly_mark(int(cluster)),
                "size": 12,
            },
            "hovertemplate": "mean %{y:.2%}, deviation %{x:.2%}",
        }
        for cluster, mean, std in zip(frame.index, frame["mean"], frame["std"], strict=True)
    ]
    layout: Json = {
        "showlegend": True,
        "hovermode": "closest",
        "xaxis": {
            "title": {"text": "standard deviation per period"},
            "tickformat": ".2%",
            "nticks": 6,
            "showgrid": True,
        },
        "yaxis": {
            "title": {"text": "mean return per period"},
            "tickformat": ".2%",
            "nticks": 6,
            "zeroline": True,
        },
    }
    return Chart(
        title="Return and risk of the clusters",
        caption="Equally weighted returns of each cluster's members. They were clustered after "
        "these returns were known: this describes, it does not predict.",
        data=data,
        layout=layout,
        height=340 + 18 * len(frame),
    )
