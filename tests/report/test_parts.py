"""Explanations and experiments on the page: charts, drawings, parts that open, in a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.report import ClusterSection, ExtraSection, ReportData, Table, html
from alphastrata.report.charts import experiments as charts_experiments
from alphastrata.report.charts import explain as charts_explain
from alphastrata.report.charts.chart import Chart
from alphastrata.report.charts.networks import neighbors, network
from alphastrata.report.palette import colour
from alphastrata.report.parts import Figure, Fold, frames_of
from alphastrata.report.tree import lay_out_tree, tree_svg


def charts(made: dict[str, Any]) -> dict[str, Chart]:
    names, scores = made["names"], made["scores"]
    places = made["places"].reset_index()
    index = pd.MultiIndex.from_product([["price", "<b>"], [3, 4]], names=["features", "k"])
    columns = pd.MultiIndex.from_product([["PCA", "t-SNE"], ["silhouette"]])
    methods = pd.DataFrame(np.random.default_rng(0).random((4, 2)), index, columns)
    both = ["embedding", "input"]
    return {
        "boxes": charts_explain.boxes(made["boxes"], names),
        "shapley": charts_explain.shapley(made["shapley"], made["direction"], names),
        "importance": charts_explain.importance(made["importance"]),
        "drift": charts_explain.drift(made["drift"], names),
        "network": network(made["features"], made["associations"]),
        "neighbors": neighbors(made["places"], made["near"], names),
        "scores": charts_experiments.experiment_scores(scores, metric="silhouette", spaces=both),
        "effects": charts_experiments.effects(made["effects"]),
        "methods": charts_experiments.methods(methods, score="silhouette", title="Methods"),
        "maps": charts_experiments.maps(places.assign(title="1 · <b>original</b>")),
        "risk": charts_experiments.return_and_risk(made["risk"], names),
    }


@pytest.fixture(scope="module")
def page(explained: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything in parts that are closed at first."""
    places = explained["places"].reset_index().assign(date="6 · original")
    moving = pd.concat([places.assign(date="5 · <b>price</b>"), places])
    drawing = Figure(
        markup=tree_svg(explained["nodes"], explained["names"]),
        title="A tree",
        frame=explained["nodes"],
    )
    folds = [
        *(Fold(title=name, gist="&c.", parts=[c]) for name, c in charts(explained).items()),
        Fold(title="tree", parts=[drawing, Fold(title="inner", parts=["Paragraph <3"])]),
        Fold(title="map", parts=[ClusterSection(embeddings=moving)]),
    ]
    report = ReportData(title="Parts that open", extras=[ExtraSection(title="All", parts=folds)])
    path = tmp_path_factory.mktemp("folds") / "page.html"
    path.write_text(html(report), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("boxes", "shapley", "importance", "drift", "network", "neighbors"),
        *("scores", "effects", "methods", "maps", "risk"),
    ],
)
def test_charts_are_plain_json_with_names_escaped(name: str, explained: dict[str, Any]) -> None:
    text = json.dumps(charts(explained)[name].as_json(), allow_nan=False)
    assert "<b>R&D" not in text
    assert "<i>" not in text


def test_boxes_and_drift_wear_the_colours_of_their_clusters(explained: dict[str, Any]) -> None:
    for name in ("boxes", "drift", "risk"):
        tints = [
            trace.get("line", trace.get("marker"))["color"]
            for trace in charts(explained)[name].data
        ]
        assert tints == [colour(1), colour(2)]


def test_the_direction_of_a_shapley_value_is_its_colour(explained: dict[str, Any]) -> None:
    first, second = charts(explained)["shapley"].data
    assert len({*first["marker"]["color"], *second["marker"]["color"]}) == 2
    assert set(first["marker"]["color"]).isdisjoint(second["marker"]["color"])


def test_leaves_of_a_tree_stand_below_one_another(explained: dict[str, Any]) -> None:
    placed = lay_out_tree(explained["nodes"])
    leaves = placed[placed["feature"] == ""]
    assert leaves["line"].tolist() == [0.0, 1.0, 2.0]
    assert placed["depth"].tolist() == [0, 1, 1, 2, 2]
    assert placed.loc[0, "line"] == pytest.approx((0.0 + 1.5) / 2)
    text = str(tree_svg(explained["nodes"], explained["names"]))
    assert "liquidity ≤ 0.5" in text
    assert "&lt;b&gt;R&amp;D_100%&lt;/b&gt; ≤ 2m" in text
    assert "<i>" not in text
    assert text.count("<rect") == 5


def test_tables_of_parts_are_found_at_any_depth() -> None:
    frame = pd.DataFrame({"a": [1]})
    inner = Fold(title="inner", parts=["text", Figure(title="Drawn", frame=frame)])
    parts = [Fold(title="outer", parts=[inner, Table(title="T", frame=frame)]), Figure(title="no")]
    assert [title for title, _ in frames_of(parts, "S")] == ["S outer inner Drawn", "S outer T"]


def test_a_closed_part_draws_when_it_opens(browser: Any, page: Path) -> None:
    browser.dark(False)
    browser.size(1280)
    browser.open(page)
    assert browser.messages == []
    drawn = "[...document.querySelectorAll('.chart')].filter(c => c.querySelector('.main-svg'))"
    assert browser.value(f"{drawn}.length") == 0
    browser.value("document.querySelectorAll('details.fold').forEach(f => { f.open = true; })")
    browser.wait(f"{drawn}.length === document.querySelectorAll('.chart').length")
    assert browser.value("document.querySelectorAll('.chart').length") == 12
    assert browser.messages == []
    assert browser.value("typeof window.hacked") == "undefined"
    assert browser.value("document.querySelector('svg.tree text').textContent") is not None
    nested = "document.querySelector('details.fold details.fold p').textContent"
    assert browser.value(nested) == "Paragraph <3"


def test_a_map_of_no_date_has_its_own_third_dimension(browser: Any, page: Path) -> None:
    browser.size(1280)
    browser.open(page)
    browser.value("document.querySelectorAll('details.fold').forEach(f => { f.open = true; })")
    browser.wait("document.querySelector('.map .main-svg')")
    assert browser.value("document.querySelector('.when').textContent") == "6 · original"
    assert "watch the maps pass" in browser.value("document.querySelector('.map').textContent")
    if browser.value("Boolean(document.createElement('canvas').getContext('webgl'))"):
        browser.value("document.querySelector('[data-dim=\"3\"]').click()")
        chart = "document.querySelector('.map .chart')"
        browser.wait(f"{chart}.data && {chart}.data[0].type === 'scatter3d'")
        flat = browser.value(f"{chart}.data[0].x[0]")
        assert flat is not None


@pytest.mark.parametrize("width", [390, 1280])
def test_parts_that_open_fit_the_width(browser: Any, page: Path, width: int) -> None:
    browser.size(width)
    browser.open(page)
    browser.value("document.querySelectorAll('details.fold').forEach(f => { f.open = true; })")
    browser.wait("document.querySelectorAll('.chart .main-svg').length >= 12")
    assert browser.value("document.documentElement.scrollWidth") == width
