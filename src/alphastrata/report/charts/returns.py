"""Charts of return series: growth, drawdowns and correlations."""

from __future__ import annotations

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, dates, numbers, plain
from alphastrata.report.charts.clusters import heat
from alphastrata.report.palette import COLOURS, series_colour

__all__ = ["correlations", "growth"]


def growth(cumulative: pd.DataFrame, drawdowns: pd.DataFrame | None) -> Chart:
    """Return growth of one unit, with drawdowns under it on the same dates.

    Parameters
    ----------
    cumulative : DataFrame
        date x factor, growth of one unit.
    drawdowns : DataFrame, optional
        date x factor, decimals, <= 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"LEV": [1.0, 1.1]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> len(growth(frame, None).data)
    1
    """
    data = [
        _line(cumulative, i, {"hovertemplate": "%{y:.3f}", "legendgroup": str(i)})
        for i in range(cumulative.shape[1])
    ]
    layout: Json = {
        "hovermode": "x unified",
        "showlegend": True,
        "yaxis": {"title": {"text": "growth of 1"}},
        "xaxis": {"type": "date"},
    }
    height = 360
    if drawdowns is not None:
        position = {name: i for i, name in enumerate(cumulative.columns)}
        for i, name in enumerate(drawdowns.columns):
            under = {
                "yaxis": "y2",
                "showlegend": False,
                "hovertemplate": "%{y:.1%}",
                "legendgroup": str(position.get(name, i)),
            }
            data.append(_line(drawdowns, i, under, colour=position.get(name, i), width=1.2))
        layout["yaxis"]["domain"] = [0.36, 1.0]
        layout["yaxis2"] = {
            "domain": [0.0, 0.28],
            "tickformat": ".0%",
            "title": {"text": "drawdown"},
            "anchor": "x",
        }
        layout["xaxis"]["anchor"] = "y2"
        height = 500
    return Chart(
        title="Growth of one unit and drawdowns",
        caption="What one unit became, and under it how far each series stood below its last "
        "high. Click a name to hide its line, twice to see it alone.",
        data=data,
        layout=layout,
        height=height,
        log=bool((cumulative.min(numeric_only=True) > 0).all()),
    )


def _line(
    frame: pd.DataFrame, i: int, extra: Json, *, colour: int | None = None, width: float = 2.0
) -> Json:
    place = i if colour is None else colour
    dash = "solid" if place < len(COLOURS) else "dash"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(frame.columns[i]),
        "x": dates(frame.index),
        "y": numbers(frame.iloc[:, i]),
        "line": {"color": series_colour(place), "width": width, "dash": dash},
        **extra,
    }


def correlations(frame: pd.DataFrame) -> Chart:
    """Return the correlations of the factors as a heat map.

    Parameters
    ----------
    frame : DataFrame
        Square, factors by factors.

    Examples
    --------
    >>> correlations(pd.DataFrame({"a": [1.0]}, index=["a"])).data[0]["zmax"]
    1.0
    """
    labels = [str(name) for name in frame.columns]
    trace = heat(frame, limit=1.0, labels=labels, text=".2f")
    x = {
        "side": "top",
        "tickvals": list(range(len(labels))),
        "ticktext": [plain(label) for label in labels],
        "showgrid": False,
    }
    return Chart(
        title="Correlations",
        caption="Of the returns, over the dates that both series have.",
        data=[trace],
        layout={
            "xaxis": x,
            "yaxis": {"autorange": "reversed", "showgrid": False},
            "margin": {"b": 6},
        },
        height=76 + 32 * len(frame),
    )
