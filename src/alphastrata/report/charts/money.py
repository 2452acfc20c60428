"""Charts of accounts: growth before and after costs, and what is left as capital grows."""

from __future__ import annotations

import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, dates, numbers, plain
from alphastrata.report.palette import series_colour

__all__ = ["capacity", "gross_and_net"]


def gross_and_net(gross: pd.DataFrame, net: pd.DataFrame, drawdowns: pd.DataFrame) -> Chart:
    """Return growth of one unit after costs (full lines) and before (dotted), drawdowns under it.

    Parameters
    ----------
    gross, net : DataFrame
        date x factor, growth of one unit; the same columns.
    drawdowns : DataFrame
        date x factor, of the net returns, decimals, <= 0.

    Examples
    --------
    >>> one = pd.DataFrame({"LEV": [1.0, 1.1]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> [trace["line"]["dash"] for trace in gross_and_net(one, one, one - 1.0).data]
    ['solid', 'dot', 'solid']
    """
    data: list[Json] = []
    for i, name in enumerate(net.columns):
        data.append(_line(net[name], i, plain(name), {"hovertemplate": "%{y:.3f}"}))
        before = {"hovertemplate": "%{y:.3f}", "showlegend": False}
        data.append(_line(gross[name], i, f"{plain(name)}, gross", before, dash="dot", width=1.3))
        under = {"yaxis": "y2", "showlegend": False, "hovertemplate": "%{y:.1%}"}
        data.append(_line(drawdowns[name], i, plain(name), under, width=1.2))
    layout: Json = {
        "hovermode": "x",
        "showlegend": True,
        "xaxis": {"type": "date", "anchor": "y2"},
        "yaxis": {"title": {"text": "growth of 1"}, "domain": [0.36, 1.0]},
        "yaxis2": {
            "domain": [0.0, 0.28],
            "tickformat": ".0%",
            "title": {"text": "drawdown"},
            "anchor": "x",
        },
    }
    return Chart(
        title="Growth of one unit before and after costs",
        caption="Full lines after costs, dotted ones before; under them how far each account stood "
        "below its last high after costs. Click a name to hide its lines.",
        data=data,
        layout=layout,
        height=500,
        log=bool((net.min(numeric_only=True) > 0).all() and (gross.min() > 0).all()),
    )


def _line(
    series: pd.Series, i: int, name: str, extra: Json, *, dash: str = "solid", width: float = 2.0
) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": str(i),
        "x": dates(series.index),
        "y": numbers(series),
        "line": {"color": series_colour(i), "width": width, "dash": dash},
        **extra,
    }


def capacity(curve: pd.DataFrame) -> Chart:
    """Return net return per year over starting capital, on a logarithmic axis.

    Parameters
    ----------
    curve : DataFrame
        Index: capital, ascending, in currency units. Columns: factors; net return per year.

    Examples
    --------
    >>> capacity(pd.DataFrame({"LEV": [0.05, 0.01]}, index=[1e6, 1e8])).layout["xaxis"]["type"]
    'log'
    """
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": plain(name),
            "x": numbers(curve.index),
            "y": numbers(curve[name]),
            "line": {"color": series_colour(i), "width": 2},
            "hovertemplate": "%{y:.2%} of %{x:,.0f}",
        }
        for i, name in enumerate(curve.columns)
    ]
    return Chart(
        title="Capacity",
        caption="Net return per year over the capital that an account starts with: impact grows "
        "with the trade, the return does not.",
        data=data,
        layout={
            "showlegend": True,
            "xaxis": {
                "type": "log",
                "title": {"text": "starting capital"},
                "tickvals": numbers(curve.index),
                "ticktext": [_short(float(x)) for x in curve.index],
            },
            "yaxis": {"tickformat": ".1%", "zeroline": True, "title": {"text": "net per year"}},
        },
        height=340,
    )


def _short(value: float) -> str:
    """Return a sum of money in few characters: 250k, 10m, 1.5bn."""
    for unit, size in (("bn", 1e9), ("m", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
