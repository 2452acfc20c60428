"""Charts of accounts: what they draw, and that names stay text."""

from __future__ import annotations

import json

import pandas as pd

from alphastrata.report.charts.money import capacity, gross_and_net

DATES = pd.date_range("2020-01-31", periods=3, freq="ME")
HOSTILE = "<b>R&D</b>"


def test_gross_and_net_share_a_colour_and_a_legend_entry():
    net = pd.DataFrame({"LEV": [1.0, 1.1, 0.9], HOSTILE: [None, 1.0, 1.2]}, DATES)
    gross = net * 1.01
    chart = gross_and_net(gross, net, net / net.cummax() - 1)
    assert len(chart.data) == 6
    first, dotted, under = chart.data[:3]
    assert first["line"]["color"] == dotted["line"]["color"] == under["line"]["color"]
    assert dotted["line"]["dash"] == "dot"
    assert [trace.get("showlegend", True) for trace in chart.data[:3]] == [True, False, False]
    assert under["yaxis"] == "y2"
    assert under["y"][-1] < -0.18
    assert "<b>" not in json.dumps(chart.as_json())
    assert chart.data[3]["y"][0] is None


def test_growth_below_zero_has_no_logarithm():
    net = pd.DataFrame({"LEV": [1.0, 0.5, -0.1]}, DATES)
    assert not gross_and_net(net + 1, net, net - 1).log
    assert gross_and_net(net + 1, net + 1, net - 1).log


def test_capacity_says_capital_in_few_characters():
    curve = pd.DataFrame({HOSTILE: [0.05, 0.02, 0.01, -0.2]}, index=[500.0, 25e4, 1.5e6, 2e9])
    chart = capacity(curve)
    assert chart.layout["xaxis"]["ticktext"] == ["500", "250k", "1.5m", "2bn"]
    assert chart.data[0]["y"] == [0.05, 0.02, 0.01, -0.2]
    assert chart.data[0]["name"] == "&lt;b&gt;R&amp;D&lt;/b&gt;"
