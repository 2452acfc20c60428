"""Charts of tests: alphas and thresholds, coefficients by date, truth, specifications."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

from alphastrata.report.charts.chart import (
    Chart,
    Json,
    axis,
    dates,
    fade,
    name_axis,
    numbers,
    panels,
    plain,
    row_height,
)
from alphastrata.report.model import SpecificationSection
from alphastrata.report.palette import HIGH, series_colour
from alphastrata.report.records import AlphaPlot

__all__ = ["alphas", "by_date", "specifications", "truth"]

# Few, calm dashes so that thresholds differ without colour.
DASHES = ("dot", "dash", "dashdot", "longdash", "solid")


def alphas(plot: AlphaPlot) -> Chart:
    """Return alphas with their intervals, and t-statistics beside the thresholds.

    Parameters
    ----------
    plot : AlphaPlot

    Examples
    --------
    >>> frame = pd.DataFrame({"alpha": [0.01], "low": [0.0], "high": [0.02], "tstat": [2.1]},
    ...                      index=["LEV"])
    >>> alphas(AlphaPlot(estimates=frame)).data[0]["x"]
    [0.01]
    """
    frame = plot.estimates
    rows = list(range(len(frame)))
    names = [plain(name) for name in frame.index]
    main = {"color": series_colour(0), "size": 9}
    data: list[Json] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": numbers(frame["alpha"]),
            "y": rows,
            "text": names,
            "marker": main,
            "error_x": _whisker(frame["alpha"], frame["low"], frame["high"]),
            "hovertemplate": "%{text}: %{x:.3%}<extra></extra>",
            "showlegend": False,
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": numbers(frame["tstat"]),
            "y": rows,
            "text": names,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": {**main, "symbol": "diamond"},
            "hovertemplate": "%{text}: t = %{x:.2f}<extra></extra>",
            "showlegend": False,
        },
    ]
    shapes = [_rule("x", 0.0, "y domain", {"color": "@muted", "width": 1})]
    shapes.append(_rule("x2", 0.0, "y2 domain", {"color": "@muted", "width": 1}))
    for position, (label, value) in enumerate(plot.thresholds.items()):
        line = {"color": HIGH, "width": 1.4, "dash": DASHES[position % len(DASHES)]}
        shapes += [_rule("x2", sign * value, "y2 domain", line) for sign in (-1.0, 1.0)]
        name = f"|t| = {value:.2f}: {plain(label)}"
        data.append({**_legend_only(name), "line": line, "xaxis": "x2", "yaxis": "y2"})
    extra: dict[str, Json] = {
        "xaxis": {"tickformat": ".2%", "nticks": 5},
        "yaxis": name_axis(frame.index, width=30),
        "yaxis2": {**name_axis(frame.index, width=30), "showticklabels": False},
    }
    titles = [f"Alpha per period, {plot.level:.0%} interval", "t-statistic"]
    wide, narrow = panels(titles, columns=2, extra=extra)
    short = name_axis(frame.index, width=16)
    narrow["yaxis"] = {**narrow["yaxis"], **short}
    narrow["yaxis2"] = {**narrow["yaxis2"], **short}
    height = 130 + row_height(len(frame)) * len(frame)
    return Chart(
        title="Alphas and how sure they are",
        caption="A whisker that crosses zero is an alpha that may be none. The dashed lines are "
        "thresholds for |t|; testing many series asks for the outer ones.",
        data=data,
        layout={**wide, "shapes": shapes, "showlegend": bool(plot.thresholds)},
        height=height,
        narrow={**narrow, "height": 2 * height},
    )


def _whisker(middle: pd.Series, low: pd.Series, high: pd.Series) -> Json:
    return {
        "type": "data",
        "symmetric": False,
        "array": numbers(high - middle),
        "arrayminus": numbers(middle - low),
        "color": series_colour(0),
        "thickness": 1.6,
        "width": 0,
    }


def _rule(across: str, value: float, along: str, line: Json) -> Json:
    """Return a vertical line through one panel."""
    return {
        "type": "line",
        "xref": across,
        "yref": along,
        "x0": value,
        "x1": value,
        "y0": 0,
        "y1": 1,
        "line": line,
        "layer": "below",
    }


def _legend_only(name: str) -> Json:
    return {"type": "scatter", "mode": "lines", "name": name, "x": [None], "y": [None]}


def by_date(frame: pd.DataFrame) -> Chart:
    """Return the coefficients of each period's cross-section, one panel per regressor.

    Parameters
    ----------
    frame : DataFrame
        date x regressor.

    Examples
    --------
    >>> by_date(pd.DataFrame({"lev": [0.1]}, pd.to_datetime(["2020-01-31"]))).data[0]["type"]
    'bar'
    """
    data = [_period_trace(frame, i) for i in range(frame.shape[1])]
    columns = 2 if frame.shape[1] > 1 else 1
    wide, narrow = panels([str(name) for name in frame.columns], columns=columns)
    rows = -(-frame.shape[1] // columns)
    return Chart(
        title="Coefficient of every period",
        caption="One cross-sectional regression per date. The table holds their means; an even "
        "spread over time says more than a few great months.",
        data=data,
        layout={**wide, "bargap": 0.05, "margin": {"t": 30}},
        height=70 + 150 * rows,
        narrow={**narrow, "height": 70 + 150 * frame.shape[1], "margin": {"t": 30}},
    )


# Bars beyond this number are thinner than a pixel, and slow to draw.
MOST_BARS = 700


def _period_trace(frame: pd.DataFrame, i: int) -> Json:
    suffix = axis(i + 1)
    tint = series_colour(0)
    shape: Json = {"type": "bar", "marker": {"color": tint}}
    if len(frame) > MOST_BARS:
        shape = {"type": "scatter", "mode": "lines", "line": {"color": tint, "width": 0.8}}
    return {
        **shape,
        "name": plain(frame.columns[i]),
        "x": dates(frame.index),
        "y": numbers(frame.iloc[:, i]),
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "hovertemplate": "%{x|%Y-%m-%d}: %{y:.4f}<extra></extra>",
        "showlegend": False,
    }


def truth(frame: pd.DataFrame) -> Chart:
    """Return planted values beside their estimates and intervals, one panel per group.

    Parameters
    ----------
    frame : DataFrame
        Columns as in ``ReportData.truth``.

    Examples
    --------
    >>> frame = pd.DataFrame({"parameter": ["beta"], "truth": [1.0], "estimate": [1.1],
    ...                       "low": [0.9], "high": [1.3], "covered": [True]})
    >>> [trace["name"] for trace in truth(frame).data]
    ['estimate and interval', 'truth, covered', 'truth, missed']
    """
    groups = frame["group"].astype(str) if "group" in frame else pd.Series("", frame.index)
    titles = list(dict.fromkeys(groups))
    data: list[Json] = []
    parts = [frame[groups == title] for title in titles]
    extra: Mapping[str, Json] = {
        f"yaxis{axis(i + 1)}": name_axis(part["parameter"], width=24)
        for i, part in enumerate(parts)
    }
    longest_name = min(max(len(str(name)) for name in frame["parameter"]), 24)
    wide, narrow = panels(
        titles, columns=min(2, len(titles)), extra=extra, gap=0.05 + 0.008 * longest_name
    )
    for number, part in enumerate(parts, start=1):
        data += _truth_traces(part, number)
    longest = int(groups.value_counts().max())
    rows = -(-len(titles) // 2)
    return Chart(
        title="Truth beside estimate",
        caption="The market was simulated, so the truth is known. A filled circle is a truth "
        "inside the interval, a cross one outside it.",
        data=data,
        layout={**wide, "showlegend": True},
        height=130 + rows * (50 + row_height(longest) * longest),
        narrow={**narrow, "height": 130 + len(titles) * (50 + row_height(longest) * longest)},
    )


def _truth_traces(part: pd.DataFrame, number: int) -> list[Json]:
    suffix = axis(number)
    place: Json = {
        "type": "scatter",
        "mode": "markers",
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "showlegend": number == 1,
    }
    names = pd.Series([plain(name) for name in part["parameter"]])
    rows = pd.Series(range(len(part)))
    traces: list[Json] = [
        {
            "name": "estimate and interval",
            "legendgroup": "estimate",
            "x": numbers(part["estimate"]),
            "y": rows.tolist(),
            "text": names.tolist(),
            "marker": {"color": series_colour(0), "size": 10, "symbol": "line-ns-open"},
            "error_x": _whisker(part["estimate"], part["low"], part["high"]),
            "hovertemplate": "%{text}: estimate %{x:.4f}<extra></extra>",
            **place,
        }
    ]
    covered = part["covered"].astype(bool).to_numpy()
    looks = (("truth, covered", covered, "@ink", "circle"), ("truth, missed", ~covered, HIGH, "x"))
    for name, chosen, colour, symbol in looks:
        traces.append(
            {
                "name": name,
                "legendgroup": name,
                "x": numbers(part["truth"][chosen]) or [None],
                "y": rows[chosen].tolist() or [None],
                "text": names[chosen].tolist(),
                "marker": {"color": colour, "size": 8, "symbol": symbol},
                "hovertemplate": "%{text}: truth %{x:.4f}<extra></extra>",
                **place,
            }
        )
    return traces


def specifications(section: SpecificationSection) -> Chart:
    """Return the specification curve: sorted estimates over the choices behind each.

    Parameters
    ----------
    section : SpecificationSection

    Examples
    --------
    >>> estimates = pd.DataFrame({"estimate": [0.2, 0.1], "low": [0.0, 0.0], "high": [0.4, 0.2]})
    >>> choices = pd.DataFrame({"weighting": ["equal", "value"]})
    >>> specifications(SpecificationSection(estimates=estimates, choices=choices)).data[0]["y"]
    [0.1, 0.2]
    """
    order = section.estimates["estimate"].argsort(kind="stable").to_numpy()
    ranked, choices = section.estimates.iloc[order], section.choices.iloc[order]
    place = list(range(1, len(ranked) + 1))
    apart = (ranked["low"] > 0) | (ranked["high"] < 0)
    ours = [label == section.preferred for label in ranked.index]
    colours = [
        HIGH if mine else (series_colour(0) if sure else "@muted")
        for mine, sure in zip(ours, apart, strict=True)
    ]
    data: list[Json] = [
        _band(ranked, place),
        {
            "type": "scatter",
            "mode": "markers",
            "x": place,
            "y": numbers(ranked["estimate"]),
            "marker": {
                "color": colours,
                "size": [11 if mine else 6 for mine in ours],
                "opacity": 1,
            },
            "text": [_taken(row) for row in choices.astype(str).to_dict("records")],
            "hovertemplate": "<b>%{y:.3%}</b>%{text}<extra></extra>"
            if section.percent
            else "<b>%{y:.4f}</b>%{text}<extra></extra>",
            "showlegend": False,
        },
    ]
    data.reverse()
    rows: list[str] = []
    for decision in choices.columns:
        options = _options(section.choices[decision])
        rows += [f"<b>{plain(decision)}</b>"] + [plain(option) for option in options]
    data += _choice_traces(choices, section.choices, colours)
    top = 0.42
    layout: Json = {
        "xaxis": {"showticklabels": False, "showgrid": False, "anchor": "y2", "zeroline": False},
        "yaxis": {
            "domain": [1.0 - top, 1.0],
            "title": {"text": plain(section.label)},
            "tickformat": ".2%" if section.percent else "",
            "zeroline": True,
        },
        "yaxis2": {
            "domain": [0.0, 1.0 - top - 0.04],
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    }
    return Chart(
        title="Specification curve",
        caption="Every defensible way to make the estimate, lowest to highest, over the choices "
        "made in each. Blue: the interval excludes zero. Orange: the study's own choice.",
        data=data,
        layout=layout,
        height=230 + 22 * len(rows),
    )


def _band(ranked: pd.DataFrame, place: list[int]) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": place + place[::-1],
        "y": numbers(ranked["high"]) + numbers(ranked["low"])[::-1],
        "fill": "toself",
        "fillcolor": fade(series_colour(0), 0.14),
        "line": {"color": series_colour(0), "width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _taken(row: Mapping[Hashable, str]) -> str:
    return "".join(f"<br>{plain(decision)}: {plain(option)}" for decision, option in row.items())


def _options(choices: pd.Series) -> list[str]:
    """Return the options of one decision in the order in which the study names them."""
    return list(dict.fromkeys(choices.astype(str)))


def _choice_traces(choices: pd.DataFrame, order: pd.DataFrame, colours: list[str]) -> list[Json]:
    x: list[int] = []
    y: list[int] = []
    tint: list[str] = []
    row = 0
    for decision in choices.columns:
        taken = choices[decision].astype(str).tolist()
        options = _options(order[decision])
        for position, option in enumerate(taken):
            x.append(position + 1)
            y.append(row + 1 + options.index(option))
            tint.append(colours[position])
        row += 1 + len(options)
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": x,
            "y": y,
            "yaxis": "y2",
            "marker": {"color": tint, "size": 6, "symbol": "line-ns-open", "line": {"width": 2}},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
