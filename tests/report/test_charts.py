from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.report import Plot, ReportData, SpecificationSection, Table
from alphastrata.report.charts.chart import name_axis, numbers, plain
from alphastrata.report.charts.clusters import coverage, profiles, scores
from alphastrata.report.charts.nulls import null_test
from alphastrata.report.charts.plain import draw
from alphastrata.report.charts.returns import correlations, growth
from alphastrata.report.charts.tests import alphas, by_date, specifications, truth


def every_text(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in every_text(item)]
    if isinstance(value, list):
        return [text for item in value for text in every_text(item)]
    return []


@pytest.fixture
def charts(report_data: ReportData) -> dict[str, Any]:
    part, factors = report_data.clusters[0], report_data.factors
    test, cross = report_data.tests[0], report_data.fama_macbeth[0]
    assert report_data.data is not None
    assert report_data.data.coverage is not None
    assert part.scores is not None
    assert part.profiles is not None
    assert test.alphas is not None
    assert factors is not None
    assert factors.cumulative is not None
    assert factors.correlations is not None
    assert cross.by_date is not None
    assert isinstance(report_data.truth, Table)
    assert report_data.specifications is not None
    return {
        "coverage": coverage(report_data.data.coverage),
        "scores": scores(part.scores),
        "profiles": profiles(part.profiles, part.names),
        "growth": growth(factors.cumulative, factors.drawdowns),
        "correlations": correlations(factors.correlations),
        "alphas": alphas(test.alphas),
        "by_date": by_date(cross.by_date),
        "truth": truth(report_data.truth.frame),
        "specifications": specifications(report_data.specifications),
    }


def test_charts_are_json_that_a_browser_reads(charts: dict[str, Any]) -> None:
    for chart in charts.values():
        json.dumps(chart.as_json(), allow_nan=False)
        assert chart.height > 0
        assert chart.title
        assert chart.caption


def test_no_tag_but_our_own(charts: dict[str, Any]) -> None:
    for chart in charts.values():
        for text in every_text(chart.as_json()):
            rest = text
            for own in ("<b>", "</b>", "<br>", "<extra></extra>"):
                rest = rest.replace(own, "")
            assert "<" not in rest, text


def test_hostile_labels() -> None:
    frame = pd.DataFrame({"<b>x</b>": [1.0]}, index=pd.to_datetime(["2020-01-31"]))
    assert coverage(frame).data[0]["name"] == "&lt;b&gt;x&lt;/b&gt;"
    assert plain("a\x00b\nc\u202ed") == "a b c d"
    assert name_axis(["<" * 40], width=4)["ticktext"] == ["&lt;&lt;&lt;…"]


def test_the_noise_band_spans_the_nulls(report_data: ReportData) -> None:
    frame = report_data.clusters[0].scores
    assert frame is not None
    part = frame[(frame["metric"] == "silhouette") & (frame["space"] == "input")]
    nulls = part[part["source"] != "data"].groupby("date")["score"]
    band = next(t for t in scores(frame).data if t["name"] == "noise band")
    n = part["date"].nunique()
    np.testing.assert_allclose(band["y"][:n], nulls.max(), rtol=1e-5)
    np.testing.assert_allclose(band["y"][n:][::-1], nulls.min(), rtol=1e-5)


def test_several_draws_of_a_null_are_one_line_of_means() -> None:
    when = pd.to_datetime(["2020-01-31", "2020-01-31", "2021-01-31", "2021-01-31"])
    shared = {"metric": "silhouette", "space": "input"}
    null = pd.DataFrame({"date": when, "source": "permuted", "score": [0.1, 0.3, 0.2, 0.4]})
    data = pd.DataFrame({"date": when[::2], "source": "data", "score": [0.5, 0.5]})
    traces = scores(pd.concat([data, null]).assign(**shared)).data
    line = next(trace for trace in traces if trace["name"] == "permuted")
    assert line["y"] == [0.2, 0.3]
    assert len(line["x"]) == 2


def test_scores_without_nulls_say_so(report_data: ReportData) -> None:
    frame = report_data.clusters[0].scores
    assert frame is not None
    chart = scores(frame[frame["source"] == "data"])
    assert "Not compared" in chart.caption
    assert {trace["name"] for trace in chart.data} == {"data"}


def test_thresholds_are_drawn_on_both_sides(charts: dict[str, Any]) -> None:
    lines = [s["x0"] for s in charts["alphas"].layout["shapes"] if s["xref"] == "x2"]
    assert sorted(lines) == [-3.0, -2.73, -1.96, 0.0, 1.96, 2.73, 3.0]


def test_whiskers_reach_the_interval(report_data: ReportData, charts: dict[str, Any]) -> None:
    plot = report_data.tests[0].alphas
    assert plot is not None
    trace = charts["alphas"].data[0]
    high = np.array(trace["x"]) + np.array(trace["error_x"]["array"])
    np.testing.assert_allclose(high, plot.estimates["high"], rtol=1e-4, atol=1e-8)


def test_missed_truths_are_marked(charts: dict[str, Any]) -> None:
    missed = [t for t in charts["truth"].data if t["name"] == "truth, missed"]
    assert [t["text"] for t in missed] == [["efficiency"], ["Mom"]]


def test_options_keep_the_order_of_the_study() -> None:
    estimates = pd.DataFrame({"estimate": [1.0, 2.0, 3.0], "low": 0.5, "high": 4.0})
    choices = pd.DataFrame({"quantiles": ["10", "3", "5"]})
    chart = specifications(SpecificationSection(estimates=estimates, choices=choices))
    assert chart.layout["yaxis2"]["ticktext"] == ["<b>quantiles</b>", "10", "3", "5"]
    assert chart.data[-1]["y"] == [1, 2, 3]


def test_many_rows_stay_on_the_page_and_many_periods_become_a_line() -> None:
    n = 400
    frame = pd.DataFrame(
        {
            "parameter": [f"p{i}" for i in range(n)],
            "truth": 0.0,
            "estimate": 0.1,
            "low": -1.0,
            "high": 1.0,
            "covered": True,
        }
    )
    assert truth(frame).height < 3000
    assert not truth(frame).layout["yaxis"]["showticklabels"]
    days = pd.DataFrame({"lev": 0.0}, pd.date_range("2000-01-03", periods=2000, freq="B"))
    assert by_date(days).data[0]["type"] == "scatter"


def test_plots_of_any_frame() -> None:
    frame = pd.DataFrame({"<i>": [1.0, np.nan]}, index=[0.5, 1.5])
    assert draw(Plot(title="t", frame=frame)).data[0]["x"] == [0.5, 1.5]
    assert draw(Plot(title="t", frame=frame)).data[0]["y"] == [1.0, None]
    assert draw(Plot(title="t", frame=frame, kind="bars")).data[0]["x"] == ["0.5", "1.5"]
    heat = draw(Plot(title="t", frame=frame, kind="heat"))
    assert heat.data[0]["zmax"] == 1.0
    assert heat.layout["xaxis"]["ticktext"] == ["&lt;i&gt;"]
    wide = pd.DataFrame(np.eye(20))
    assert draw(Plot(title="t", frame=wide, kind="heat")).data[0]["texttemplate"] == ""


def test_numbers() -> None:
    assert numbers([1, np.inf, None, pd.NA, 1 / 3]) == [1.0, None, None, None, 0.333333]


def test_data_without_clusters_have_no_line_among_the_nulls():
    index = pd.MultiIndex.from_tuples([("permute", 0), ("permute", 1)], names=["null", "draw"])
    draws = pd.DataFrame({"silhouette_input": [0.1, np.nan]}, index=index)
    dots, line = null_test(pd.Series({"silhouette_input": np.nan}), draws).data
    assert dots["x"] == [0.1]
    assert line["x"] == [None, None]
