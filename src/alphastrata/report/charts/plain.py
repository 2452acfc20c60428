"""Charts of any frame: lines, bars and heat maps."""

from __future__ import annotations

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, dates, numbers, plain
from alphastrata.report.charts.clusters import heat
from alphastrata.report.palette import series_colour
from alphastrata.report.records import Plot

__all__ = ["draw"]


def draw(plot: Plot) -> Chart:
    """Return a plot as a chart of the page.

    Parameters
    ----------
    plot : Plot

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [3]}, index=["a"])
    >>> draw(Plot(title="Accounts", frame=frame, kind="bars")).data[0]["y"]
    [3.0]
    """
    if plot.kind == "heat":
        return _heat(plot)
    layout: Json = {
        "hovermode": "x unified",
        "showlegend": plot.frame.shape[1] > 1,
        "yaxis": {"tickformat": ".1%" if plot.percent else "", "zeroline": True},
        "barmode": "group",
        "bargap": 0.5 if len(plot.frame) <= 4 else 0.25,
    }
    data = [_series(plot, position) for position in range(plot.frame.shape[1])]
    return Chart(title=plot.title, caption=plot.caption, data=data, layout=layout, height=320)


def _series(plot: Plot, position: int) -> Json:
    tint = series_colour(position)
    series: Json = {
        "name": plain(plot.frame.columns[position]),
        "x": _places(plot),
        "y": numbers(plot.frame.iloc[:, position]),
        "hovertemplate": "%{y:.2%}" if plot.percent else "%{y:,.4~g}",
    }
    if plot.kind == "bars":
        return {**series, "type": "bar", "marker": {"color": tint}}
    line = {"color": tint, "width": 2}
    return {**series, "type": "scatter", "mode": "lines", "connectgaps": True, "line": line}


def _places(plot: Plot) -> list[str] | list[float | None]:
    index = plot.frame.index
    if isinstance(index, pd.DatetimeIndex):
        return dates(index)
    if plot.kind == "lines" and pd.api.types.is_numeric_dtype(index.dtype):
        return numbers(index)
    return [plain(name) for name in index]


def _heat(plot: Plot) -> Chart:
    labels = [str(name) for name in plot.frame.columns]
    sizes = [abs(value) for row in plot.frame.to_numpy() for value in numbers(row) if value]
    largest = max(sizes, default=0.0)
    text = ".1%" if plot.percent else ".2~g"
    limit = largest if largest > 0 else 1.0
    x = {
        "side": "top",
        "tickvals": list(range(len(labels))),
        "ticktext": [plain(label) for label in labels],
        "showgrid": False,
    }
    # Names of rows that look like numbers (years) stay names.
    y = {"autorange": "reversed", "showgrid": False, "type": "category"}
    return Chart(
        title=plot.title,
        caption=plot.caption,
        data=[heat(plot.frame, limit=limit, labels=labels, text=text)],
        layout={"xaxis": x, "yaxis": y, "margin": {"b": 6}},
        height=86 + 28 * len(plot.frame),
    )
