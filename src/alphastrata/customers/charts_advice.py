"""Charts of the advice as plain data: portfolios, frontier, campaign, gains, fairness."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alphastrata.customers.allocation import Allocation
from alphastrata.customers.campaign import Campaign
from alphastrata.customers.charts import label
from alphastrata.customers.lift import Lift
from alphastrata.customers.propensity import Propensity
from alphastrata.report import Chart
from alphastrata.report.charts.chart import Json, dates, fade, name_axis, numbers, panels, plain
from alphastrata.report.palette import UNCLASSIFIED, colour, plotly_mark, series_colour

__all__ = [
    "calibration_chart",
    "chosen_chart",
    "fairness_chart",
    "frontier_chart",
    "gains_chart",
    "growth_chart",
    "weights_chart",
]


def weights_chart(found: Allocation, names: Mapping[int, str]) -> Chart:
    """Return the portfolio of each segment as one stacked bar."""
    segments = [int(str(k)) for k in found.weights.index]
    data: list[Json] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": plain(asset),
            "x": numbers(found.weights[asset]),
            "y": list(range(len(segments))),
            # The assets' colours must not be taken for those of segments.
            "marker": {"color": _shade(i, found.weights.shape[1])},
            "hovertemplate": f"{plain(asset)}: %{{x:.0%}}<extra></extra>",
        }
        for i, asset in enumerate(found.weights.columns)
    ]
    layout: Json = {
        "barmode": "stack",
        "showlegend": True,
        "xaxis": {"tickformat": ".0%", "range": [0, 1]},
        "yaxis": {**name_axis([label(k, names) for k in segments], width=40), "showgrid": False},
        "bargap": 0.35,
    }
    return Chart(
        title="A portfolio for each segment",
        caption="Weights at the segment's risk aversion, within the bounds, estimated on all "
        "periods.",
        data=data,
        layout=layout,
        height=100 + 38 * len(segments),
    )


def _shade(i: int, count: int) -> str:
    """Return a blue from light to dark."""
    light, dark = np.array([0xC9, 0xDD, 0xEE]), np.array([0x0B, 0x2F, 0x55])
    mix = light + (dark - light) * (i / max(count - 1, 1))
    return "#" + "".join(f"{round(float(v)):02x}" for v in mix)


def frontier_chart(found: Allocation, names: Mapping[int, str]) -> Chart:
    """Return the efficient frontier with the segments and the assets on it."""
    data: list[Json] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "efficient frontier",
            "x": numbers(found.frontier["volatility"]),
            "y": numbers(found.frontier["mean"]),
            "line": {"color": "@ink", "width": 2},
            "hovertemplate": "volatility %{x:.1%}, mean %{y:.1%}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": "assets",
            "x": numbers(found.assets["volatility"]),
            "y": numbers(found.assets["mean"]),
            "text": [plain(a) for a in found.assets.index],
            "textposition": "bottom center",
            "textfont": {"color": "@muted"},
            "marker": {"color": UNCLASSIFIED, "size": 9, "symbol": "circle-open"},
            "hovertemplate": "%{text}: volatility %{x:.1%}, mean %{y:.1%}<extra></extra>",
            "cliponaxis": False,
        },
    ]
    for k in (int(str(v)) for v in found.expected.index):
        name = plain(label(k, names))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": numbers([found.expected["volatility"][k]]),
                "y": numbers([found.expected["mean"][k]]),
                "marker": {"color": colour(k), "size": 13, "symbol": plotly_mark(k)},
                "hovertemplate": f"{name}: volatility %{{x:.1%}}, mean %{{y:.1%}}<extra></extra>",
            }
        )
    layout: Json = {
        "xaxis": {"tickformat": ".0%", "title": {"text": "volatility per year"}, "showgrid": True},
        "yaxis": {"tickformat": ".0%", "title": {"text": "mean return per year"}},
        "showlegend": True,
        "legend": {"yref": "container", "y": 1.0, "yanchor": "top"},
        "margin": {"t": 100},
    }
    layout["xaxis"]["rangemode"] = "tozero"
    return Chart(
        title="The efficient frontier, and the segments on it",
        caption="In sample. Means are estimated with wide errors; the backtest says what was "
        "earned on periods that the weights had not seen.",
        data=data,
        layout=layout,
        height=500,
    )


def growth_chart(found: Allocation, names: Mapping[int, str]) -> Chart:
    """Return the growth of one unit out of sample, net of costs."""
    data: list[Json] = []
    for name in found.returns.columns:
        level = (1.0 + found.returns[name]).cumprod()
        even = not str(name).isdigit()
        text = plain(name) if even else plain(label(int(str(name)), names))
        line: Json = {"color": "@muted" if even else colour(int(str(name))), "width": 2}
        if even:
            line["dash"] = "dot"
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text,
                "x": dates(found.returns.index),
                "y": numbers(level),
                "line": line,
                "hovertemplate": "%{y:.2f}",
            }
        )
    return Chart(
        title="Growth of one unit, out of sample",
        caption=f"Weights estimated on the {found.rules.train} periods before, held for "
        f"{found.rules.test}, traded at {found.rules.cost:.2%}.",
        data=data,
        layout={
            "hovermode": "x unified",
            "showlegend": True,
            "legend": {"yref": "container", "y": 1.0, "yanchor": "top"},
            "margin": {"t": 96},
        },
        height=440,
        log=True,
    )


def chosen_chart(found: Campaign, names: Mapping[int, str]) -> Chart:
    """Return how many of each segment are chosen."""
    table = found.by_segment
    segments = [int(str(k)) for k in table.index]
    place: Json = {"type": "bar", "orientation": "h", "y": list(range(len(segments)))}
    data: list[Json] = [
        {
            **place,
            "name": "chosen",
            "x": numbers(table["chosen"]),
            "marker": {"color": [colour(k) for k in segments]},
            "hovertemplate": "chosen: %{x:,}<extra></extra>",
        },
        {
            **place,
            "name": "not chosen",
            "x": numbers(table["customers"] - table["chosen"]),
            "marker": {"color": [fade(colour(k), 0.22) for k in segments]},
            "hovertemplate": "not chosen: %{x:,}<extra></extra>",
        },
    ]
    layout: Json = {
        "barmode": "stack",
        "xaxis": {"tickformat": ","},
        "yaxis": {**name_axis([label(k, names) for k in segments], width=40), "showgrid": False},
        "bargap": 0.35,
    }
    return Chart(
        title="Whom the campaign reaches",
        caption="Customers of each segment; the full colour are the chosen.",
        data=data,
        layout=layout,
        height=70 + 36 * len(segments),
    )


def gains_chart(found: Lift) -> Chart:
    """Return gains and lift with their intervals, beside choosing at random."""
    gains = found.gains
    share = numbers(gains["share"])
    lifted = gains.iloc[1:]
    wide, narrow = panels(["Gains: acceptances captured", "Lift over random"], columns=2)
    data: list[Json] = [
        _band(gains["share"], gains["low"], gains["high"], ""),
        _curve(gains["share"], gains["captured"], "", "%{y:.0%} of acceptances"),
        {
            "type": "scatter",
            "mode": "lines",
            "x": share,
            "y": share,
            "line": {"color": "@muted", "dash": "dot", "width": 1.5},
            "hoverinfo": "skip",
        },
        _band(lifted["share"], lifted["lift_low"], lifted["lift_high"], "2"),
        _curve(lifted["share"], lifted["lift"], "2", "%{y:.2f} times as many"),
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, 1],
            "y": [1, 1],
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": "@muted", "dash": "dot", "width": 1.5},
            "hoverinfo": "skip",
        },
    ]
    for layout in (wide, narrow):
        for name in ("xaxis", "xaxis2"):
            layout[name] |= {"tickformat": ".0%", "title": {"text": "share of customers reached"}}
        layout["yaxis"] |= {"tickformat": ".0%"}
        layout["shapes"] = [
            {
                "type": "line",
                "x0": found.share,
                "x1": found.share,
                "xref": x,
                "yref": f"{y} domain",
                "y0": 0,
                "y1": 1,
                "line": {"color": series_colour(1), "dash": "dot", "width": 1.5},
            }
            for x, y in (("x", "y"), ("x2", "y2"))
        ]
    return Chart(
        title="Gains and lift",
        caption=f"Measured on {found.known:,} customers whose answers to an earlier offer are "
        "known, by scores that had not seen them. The band is the 95% interval; dotted grey is "
        "choosing at random, dotted orange the share that this campaign reaches.",
        data=data,
        layout=wide,
        height=380,
        narrow={**narrow, "height": 700},
    )


def _curve(x: pd.Series, y: pd.Series, suffix: str, text: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "line": {"color": series_colour(0), "width": 2.5},
        "hovertemplate": f"%{{x:.0%}} reached: {text}<extra></extra>",
    }


def _band(x: pd.Series, low: pd.Series, high: pd.Series, suffix: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*numbers(x), *numbers(x)[::-1]],
        "y": [*numbers(high), *numbers(low)[::-1]],
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "fill": "toself",
        "fillcolor": fade(series_colour(0), 0.15),
        "line": {"width": 0, "color": series_colour(0)},
        "hoverinfo": "skip",
    }


def calibration_chart(found: Propensity) -> Chart:
    """Return expected beside observed shares of acceptance, by fifth of the score."""
    table = found.calibration
    data: list[Json] = [
        {
            "type": "bar",
            "name": name,
            "x": [f"fifth {k}" for k in table.index],
            "y": numbers(table[name]),
            "marker": {"color": tint},
            "hovertemplate": f"{name}: %{{y:.1%}}<extra></extra>",
        }
        for name, tint in (("expected", UNCLASSIFIED), ("observed", series_colour(0)))
    ]
    return Chart(
        title="Are the probabilities right?",
        caption="Customers with known answers in five equal groups by their score, lowest first.",
        data=data,
        layout={"barmode": "group", "showlegend": True, "yaxis": {"tickformat": ".0%"}},
        height=300,
    )


def fairness_chart(table: pd.DataFrame) -> Chart:
    """Return selection rates of groups with their intervals, one row per group."""
    names = [f"{a.replace('_', ' ')}: {g}" for a, g in table.index]
    attributes = list(dict.fromkeys(a for a, _ in table.index))
    data: list[Json] = []
    for i, attribute in enumerate(attributes):
        rows = [j for j, (a, _) in enumerate(table.index) if a == attribute]
        own = table.iloc[rows]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain(attribute.replace("_", " ")),
                "x": numbers(own["rate"]),
                "y": rows,
                "marker": {"color": series_colour(i), "size": 9},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": numbers(own["high"] - own["rate"]),
                    "arrayminus": numbers(own["rate"] - own["low"]),
                    "thickness": 1.4,
                    "width": 0,
                },
                "hovertemplate": "%{x:.1%} chosen<extra></extra>",
            }
        )
    layout: Json = {
        "xaxis": {"tickformat": ".0%", "rangemode": "tozero", "showgrid": True},
        "yaxis": {**name_axis(names, width=40), "showgrid": False},
    }
    return Chart(
        title="Share chosen, by group",
        caption="With 95% intervals. Differences follow from age and occupation where these drive "
        "the answer; whether that is acceptable is a decision, not a number.",
        data=data,
        layout=layout,
        height=80 + 22 * len(names),
    )
