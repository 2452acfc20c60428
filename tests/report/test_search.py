"""Searches drawn: criteria for k and settings by score, on the page and on paper."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from alphastrata.report import plots
from alphastrata.report.charts import search as charts_search
from alphastrata.report.search import CRITERIA, criteria_in, tuning_panels


@pytest.fixture
def criteria():
    k = [2, 3, 4, 5]
    columns = ("inertia", "silhouette", "silhouette_input", "gap", "gap_se", "stability")
    values = {name: np.linspace(1.0, 0.5, 4) + i for i, name in enumerate(columns)}
    table = pd.DataFrame({**values, "calibrated": [1.0, 3.0, 2.0, np.nan]}, index=k)
    choices = {"elbow": 3, "silhouette": 2, "gap": 1, "stability": 2, "calibrated": 3}
    return table, pd.Series(choices)


@pytest.fixture
def settings():
    return pd.DataFrame(
        {
            "k<b>": ["10", "2", "10", ""],
            "only": "x",
            "clusterer": ["$a$", "b", "b", "b"],
            "score": [0.5, 0.4, 0.2, 0.1],
            "spread": 0.01,
        }
    )


def test_all_criteria_stand_side_by_side_with_what_they_choose(criteria):
    table, choices = criteria
    assert criteria_in(table) == list(CRITERIA)
    chart = charts_search.choose_k(table, choices)
    assert len({trace["xaxis"] for trace in chart.data}) == 5
    stars = [trace for trace in chart.data if trace["marker"].get("symbol") == "star"]
    # The gap chooses one cluster, which is not on the axis.
    assert [trace["x"] for trace in stars] == [[3], [2], [2], [3]]
    assert [t["xaxis"] for t in chart.data if "error_y" in t] == ["x3"]
    json.dumps(chart.as_json(), allow_nan=False)
    panels = plots.choose_k(table, choices).child_axes
    assert [panel.get_title("left") for panel in panels] == [c.title for c in CRITERIA]
    plt.close("all")


def test_settings_are_drawn_by_value_numbers_in_order(settings):
    shown = tuning_panels(settings)
    assert [p.parameter for p in shown] == ["k<b>", "clusterer"]
    assert shown[0].values == ["2", "10"]
    assert shown[0].means == [0.4, pytest.approx(0.35)]
    assert shown[0].scores == [0.5, 0.4, 0.2]
    assert (shown[0].best, shown[1].best) == (1, 0)
    chart = charts_search.tuning(settings)
    text = json.dumps(chart.as_json(), allow_nan=False)
    assert "k&lt;b&gt;" in text
    panels = plots.tuning(settings).child_axes
    assert [label.get_text() for label in panels[1].get_xticklabels()] == [r"\$a\$", "b"]
    plt.close("all")


def test_a_search_in_which_nothing_varied_draws_an_empty_frame():
    table = pd.DataFrame({"k": ["3"], "score": [0.5]})
    assert tuning_panels(table) == []
    assert charts_search.tuning(table).data == []
    assert plots.tuning(table).child_axes == []
    plt.close("all")


def test_figures_are_written_into_given_axes(criteria, tmp_path):
    _, ax = plt.subplots(figsize=(9, 2.4), layout="constrained")
    assert plots.choose_k(*criteria, ax=ax) is ax
    plots.save(ax, tmp_path / "k.svg")
    assert "Gap statistic" in (tmp_path / "k.svg").read_text(encoding="utf-8")
    plt.close("all")
