from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from alphastrata.errors import InputDataError
from alphastrata.report import AlphaPlot, ReportData, plots


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


Drawings = dict[str, Callable[[Axes | None], Axes]]


def explanations(made: dict[str, Any]) -> Drawings:
    names = made["names"]
    return {
        "boxes": lambda ax: plots.boxes(made["boxes"], ax, names=names),
        "tree": lambda ax: plots.tree(made["nodes"], ax, names=names),
        "shapley": lambda ax: plots.shapley(made["shapley"], ax, names=names),
        "beeswarm": lambda ax: plots.beeswarm(made["values"], made["X"], ax),
        "importance": lambda ax: plots.importance(made["importance"], ax),
        "drift": lambda ax: plots.drift(made["drift"], ax, names=names),
        "network": lambda ax: plots.network(made["features"], made["associations"], ax),
        "neighbors": lambda ax: plots.neighbors(made["places"], made["near"], ax, names=names),
        "experiment_scores": lambda ax: plots.experiment_scores(made["scores"], ax),
        "effects": lambda ax: plots.effects(made["effects"], ax),
        "return_and_risk": lambda ax: plots.return_and_risk(made["risk"], ax, names=names),
        "map_in_3d": lambda ax: plots.map_in_3d(made["places"], ax, names=names),
        "choose_k": lambda ax: plots.choose_k(made["criteria"], pd.Series({"elbow": 3}), ax),
        "null_test": lambda ax: plots.null_test(made["null observed"], made["null draws"], ax),
        "tuning": lambda ax: plots.tuning(made["settings"], ax, label="silhouette, <b>"),
    }


def drawings(data: ReportData) -> Drawings:
    part, factors, test = data.clusters[0], data.factors, data.tests[0]
    assert factors is not None
    assert test.alphas is not None
    assert part.membership is not None
    return {
        "growth": lambda ax: plots.growth(factors.cumulative, ax, log=True),
        "drawdowns": lambda ax: plots.drawdowns(factors.drawdowns, ax),
        "correlations": lambda ax: plots.correlations(factors.correlations, ax),
        "profiles": lambda ax: plots.profiles(part.profiles, ax, names=part.names),
        "scores": lambda ax: plots.scores(part.scores, ax, space="embedding"),
        "map_of_clusters": lambda ax: plots.map_of_clusters(part.embeddings, ax, names=part.names),
        "membership": lambda ax: plots.membership(part.membership, ax, names=part.names),
        "alphas": lambda ax: plots.alphas(test.alphas, ax),
        "tstats": lambda ax: plots.tstats(test.alphas, ax),
        "truth": lambda ax: plots.truth(data.truth.frame, ax, group="beta"),
        "by_date": lambda ax: plots.by_date(data.fama_macbeth[0].by_date, ax, column="liquidity"),
        "specifications": lambda ax: plots.specifications(data.specifications, ax),
    }


def test_every_plot_is_tested(report_data: ReportData, explained: dict[str, Any]) -> None:
    assert set(plots.__all__) == {*drawings(report_data), *explanations(explained), "save"}


@pytest.mark.parametrize("name", [n for n in plots.__all__ if n != "save"])
def test_draws_on_the_given_axes_and_leaves_settings_alone(
    name: str,
    report_data: ReportData,
    explained: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a library never shows"))
    before = dict(mpl.rcParams)
    figure, ax = plt.subplots(subplot_kw={"projection": "3d"} if name == "map_in_3d" else None)
    assert {**drawings(report_data), **explanations(explained)}[name](ax) is ax
    figure.canvas.draw()
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", ["alphas", "specifications", "membership"])
def test_files_are_vector_with_text_and_the_same_every_time(
    name: str, report_data: ReportData, tmp_path: Path
) -> None:
    written = []
    for number in range(2):
        path = tmp_path / f"{number}.svg"
        plots.save(drawings(report_data)[name](None), path)
        written.append(path.read_text(encoding="utf-8"))
    assert written[0] == written[1]
    assert "<text" in written[0]


def test_hostile_names_are_drawn_as_they_stand(hostile: tuple[str, ...], tmp_path: Path) -> None:
    frame = pd.DataFrame({"alpha": 0.0, "low": -1.0, "high": 1.0, "tstat": 0.0}, list(hostile))
    plots.save(plots.alphas(AlphaPlot(estimates=frame)), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<script" not in text
    assert ">$x$<" in text
    assert ">R&amp;D_100%<" in text
    ax = plots.growth(
        pd.DataFrame({"_hidden": [1.0, 2.0]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    )
    legend = ax.get_legend()
    assert legend is not None
    assert [t.get_text().strip() for t in legend.get_texts()] == ["_hidden"]


def test_a_date_without_a_map_is_refused(report_data: ReportData) -> None:
    part = report_data.clusters[0]
    assert part.embeddings is not None
    with pytest.raises(InputDataError, match="2018-12-31"):
        plots.map_of_clusters(part.embeddings, date="1999-12-31")


def test_the_noise_band_reaches_from_the_lowest_to_the_highest_null() -> None:
    when = pd.to_datetime(["2020-01-31"] * 4 + ["2020-02-29"] * 4)
    frame = pd.DataFrame(
        {
            "date": when,
            "metric": "silhouette",
            "space": "input",
            "source": ["data", "a", "a", "b"] * 2,
            "score": [0.5, 0.1, 0.2, 0.3, 0.5, 0.15, 0.25, 0.05],
        }
    )
    ax = plots.scores(frame)
    low_high = ax.collections[0].get_paths()[0].get_extents()
    assert (low_high.ymin, low_high.ymax) == (0.05, 0.3)


def test_the_line_of_the_data_stands_clear_of_the_frame() -> None:
    """A score a little beyond the draws lies inside the limits that the dots alone would have."""
    index = pd.MultiIndex.from_product([["permute"], range(11)], names=["null", "draw"])
    draws = pd.DataFrame({"silhouette_input": np.linspace(0.0, 1.0, 11)}, index=index)
    panel = plots.null_test(pd.Series({"silhouette_input": 1.0499}), draws).child_axes[0]
    assert panel.get_xlim()[1] > 1.09


def test_figures_of_explanations_show_names_as_they_stand(
    explained: dict[str, Any], tmp_path: Path
) -> None:
    for name, draw in explanations(explained).items():
        plots.save(draw(None), tmp_path / f"{name}.svg")
        assert "<script" not in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        plt.close("all")
    tree = (tmp_path / "tree.svg").read_text(encoding="utf-8")
    assert ">liquidity ≤ 0.5<" in tree
    assert ">&lt;b&gt;R&amp;D_100%&lt;/b&gt; ≤ 2m<" in tree
    assert ">1 · large, &lt;i&gt;levered&lt;/i&gt;<" in tree


def test_boxes_stand_where_the_quantiles_are(explained: dict[str, Any]) -> None:
    ax = plots.boxes(explained["boxes"])
    assert len(ax.patches) == 6
    found = sorted(tuple(np.round(p.get_path().get_extents().intervalx, 9)) for p in ax.patches)
    expected = explained["boxes"][["q1", "q3"]].to_numpy()
    assert found == sorted(tuple(np.round(row, 9)) for row in expected)


def test_scores_of_experiments_are_means_over_seeds(explained: dict[str, Any]) -> None:
    scores = explained["scores"]
    ax = plots.experiment_scores(scores, metric="davies_bouldin", space="input")
    own = scores.query("k == 3 and clusterer == 'kmeans'")
    expected = own.groupby("experiment")["davies_bouldin_input"].mean()
    assert ax.containers[0].lines[0].get_ydata().tolist() == pytest.approx(expected.tolist())
    with pytest.raises(InputDataError, match="no column 'dunn_input'"):
        plots.experiment_scores(scores, metric="dunn", space="input")


def test_a_flat_map_is_not_drawn_in_three_dimensions(explained: dict[str, Any]) -> None:
    with pytest.raises(InputDataError, match="third coordinate"):
        plots.map_in_3d(explained["places"][["cluster", "x", "y"]])
    with pytest.raises(InputDataError, match="projection"):
        plots.map_in_3d(explained["places"], plt.subplots()[1])
