"""Charts of a search: every criterion for the number of clusters, and settings by their score."""

from __future__ import annotations

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, axis, numbers, panels, plain
from alphastrata.report.palette import HIGH, series_colour
from alphastrata.report.search import Criterion, criteria_in, tuning_panels

__all__ = ["choose_k", "tuning"]


def choose_k(table: pd.DataFrame, choices: pd.Series) -> Chart:
    """Return every criterion for the number of clusters side by side, what each chooses marked.

    Parameters
    ----------
    table : DataFrame indexed by k
        As `alphastrata.cluster.choose_k` gives it.
    choices : Series
        Criterion -> chosen k.

    Examples
    --------
    >>> table = pd.DataFrame({"inertia": [9.0, 2.0, 1.0]}, index=[2, 3, 4])
    >>> [trace["y"] for trace in choose_k(table, pd.Series({"elbow": 3})).data]
    [[9.0, 2.0, 1.0], [2.0]]
    """
    shown = criteria_in(table)
    data: list[Json] = []
    for number, criterion in enumerate(shown, start=1):
        data += _criterion(table, choices, criterion, number)
    columns = min(len(shown), 3)
    ticks = {"tickvals": [int(k) for k in table.index], "title": {"text": "k", "standoff": 4}}
    extra = {f"xaxis{axis(n)}": ticks for n in range(1, len(shown) + 1)}
    titles = [criterion.title for criterion in shown]
    wide, narrow = panels(titles, columns=columns, extra=extra)
    rows = -(-len(shown) // columns)
    return Chart(
        title="The number of clusters by every criterion",
        caption="The star is what a criterion chooses: the elbow of the squares, the maximum of "
        "silhouette (where it is clustered), stability and the score against noise, and the "
        "smallest k whose gap is within one standard error of the next. The gap may choose one "
        "cluster, which has no place here.",
        data=data,
        layout={**wide, "showlegend": False, "hovermode": "closest"},
        height=90 + 210 * rows,
        narrow={**narrow, "height": 90 + 190 * len(shown)},
    )


def _criterion(
    table: pd.DataFrame, choices: pd.Series, criterion: Criterion, number: int
) -> list[Json]:
    suffix = axis(number)
    place: Json = {"type": "scatter", "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    k = [int(value) for value in table.index]
    traces: list[Json] = []
    for position, (column, called) in enumerate(criterion.lines):
        tint = series_colour(position)
        trace: Json = {
            **place,
            "mode": "lines+markers",
            "name": called or criterion.title,
            "x": k,
            "y": numbers(table[column]),
            "line": {"color": tint, "width": 2, "dash": "solid" if position == 0 else "dot"},
            "marker": {"color": tint, "size": 6},
            "hovertemplate": f"k = %{{x}}: %{{y:.4~g}}<extra>{plain(called)}</extra>",
        }
        if criterion.error and position == 0:
            errors = numbers(table[criterion.error])
            trace["error_y"] = {"type": "data", "array": errors, "color": tint, "thickness": 1}
        traces.append(trace)
    chosen = int(choices[criterion.name]) if criterion.name in choices else None
    if chosen in k:
        traces.append(
            {
                **place,
                "mode": "markers",
                "name": "chosen",
                "x": [chosen],
                "y": numbers([table.loc[chosen, criterion.lines[0][0]]]),
                "marker": {"symbol": "star", "size": 15, "color": HIGH},
                "hovertemplate": f"chosen: k = {chosen}<extra></extra>",
            }
        )
    return traces


def tuning(table: pd.DataFrame, *, label: str = "score") -> Chart:
    """Return the score of every setting by the value of each parameter that was varied.

    Parameters
    ----------
    table : DataFrame
        One row per setting, best first: parameters, then "score".
    label : str
        What the score is.

    Examples
    --------
    >>> table = pd.DataFrame({"k": [3, 2], "score": [0.5, 0.4]})
    >>> tuning(table).layout["xaxis"]["ticktext"]
    ['2', '3']
    """
    shown = tuning_panels(table)
    data: list[Json] = []
    extra: dict[str, Json] = {}
    for number, part in enumerate(shown, start=1):
        suffix = axis(number)
        place: Json = {"type": "scatter", "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        extra[f"xaxis{suffix}"] = {
            "tickvals": list(range(len(part.values))),
            "ticktext": [plain(value) for value in part.values],
            "range": [-0.5, len(part.values) - 0.5],
        }
        data += [
            {
                **place,
                "mode": "markers",
                "name": "a setting",
                "legendgroup": "setting",
                "showlegend": number == 1,
                "x": part.places,
                "y": numbers(part.scores),
                "marker": {"color": "@muted", "size": 6, "opacity": 0.6},
                "hovertemplate": "%{y:.3f}<extra></extra>",
            },
            {
                **place,
                "mode": "lines+markers",
                "name": "mean",
                "legendgroup": "mean",
                "showlegend": number == 1,
                "x": list(range(len(part.values))),
                "y": numbers(part.means),
                "line": {"color": series_colour(0), "width": 2},
                "marker": {"color": series_colour(0), "size": 8},
                "hovertemplate": "mean %{y:.3f}<extra></extra>",
            },
            {
                **place,
                "mode": "markers",
                "name": "best of them",
                "legendgroup": "best",
                "showlegend": number == 1,
                "x": [part.best],
                "y": numbers(part.scores[:1]),
                "marker": {"symbol": "star", "size": 14, "color": HIGH},
                "hovertemplate": "best: %{y:.3f}<extra></extra>",
            },
        ]
    columns = min(max(len(shown), 1), 3)
    titles = [part.parameter for part in shown] or ["only one value of every parameter"]
    wide, narrow = panels(titles, columns=columns, extra=extra)
    rows = -(-len(shown) // columns)
    return Chart(
        title="Settings by their score",
        caption=f"A dot is a setting, the line the mean of all that have the value: {label}. "
        "Differences smaller than the spread of a setting over folds and seeds mean nothing.",
        data=data,
        layout={**wide, "showlegend": bool(shown), "hovermode": "closest"},
        height=110 + 210 * max(rows, 1),
        narrow={**narrow, "height": 110 + 190 * max(len(shown), 1)},
    )
