"""Explanations asked for in a study's file: as from Python, on the page and in files."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from alphastrata import cluster
from alphastrata.core import RollingWindows, Strata
from alphastrata.errors import ConfigError
from alphastrata.study import parse_config, run
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import read_manifest
from alphastrata.study.pages.explanations import _apart
from alphastrata.study.pages.explanations import explained as explained_parts
from alphastrata.study.stages.estimators import estimator_of
from alphastrata.study.stages.explanations import explanations

STUDY = """
name = "tiny"
seed = 3
[data.simulation]
n_assets = 120
start = "2005-01-31"
periods = 48
[[clusters]]
name = "CLU"
features = ["liquidity", "leverage", "operating_efficiency", "roe", "log_market_cap"]
n_clusters = 4
schedule = "short"
window = 24
step = 12
rank_by = "leverage"
weighting = "equal"
nulls = 0
"""
ALL = """
[clusters.explain]
profiles = true
tree = 3
shapley = true
importance = 2
drift = true
network = "tree"
neighbors = 4
shuffles = 5
"""
FOLDS = (
    *("Profiles", "Rules that imitate the clusters", "Shapley values of the assignment"),
    *("Importance by permutation", "Drift of the profiles"),
    *("The network of characteristics", "The network of assets"),
)


def clusters_of(out):
    key = read_manifest(out)["stages"]["clusters CLU"]["key"]
    return load(out / "stages" / f"clusters_CLU-{key[:16]}")


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    pytest.importorskip("shap")
    out = tmp_path_factory.mktemp("explained")
    return run(parse_config(STUDY + ALL), out=out)


def test_every_explanation_is_on_the_page_and_in_files(explained):
    page = explained.report.read_text(encoding="utf-8")
    for title in FOLDS:
        assert f"<h3>{title}</h3>" in page
    assert '<svg class="tree"' in page
    stems = {file.stem for file in (explained.out / "tables").glob("clusters-clu-*.parquet")}
    for words in (
        *("profiles-in-original", "box-plots", "its-rules", "fidelity-on-held-out"),
        *("mean-absolute-shapley", "importance-by-permutation", "what-moved", "communities"),
        *("the-network-of-assets-the-network-of-assets", "neighbours-of-the-same-cluster"),
    ):
        assert any(words in stem for stem in stems), words


def test_they_are_those_of_the_same_calls_from_python(explained):
    found = clusters_of(explained.out)
    labels = found["strata"].labels
    last = labels.xs(labels.index.get_level_values("date").max(), level="date").dropna()
    features = load(next((explained.out / "stages").glob("features-*")))
    config = parse_config(STUDY + ALL).clusters[0]
    X = features["panel"].at(found["strata"].dates[-1]).loc[last.index, list(config.features)]
    tree = cluster.surrogate_tree(X, last.astype("int64"), max_depth=3, shuffles=5, random_state=3)
    about = found["explain about"]
    assert about["tree"]["fidelity"] == tree.fidelity
    assert about["tree"]["shuffled"] == tree.shuffled
    pd.testing.assert_frame_equal(found["explain rules"], tree.leaves)
    profile = found["explain profiles"].set_index(["cluster", "feature"])
    expected = X.groupby(last.astype("int64")).median()
    for c in expected.index:
        assert profile.loc[(c, "leverage"), "median"] == pytest.approx(expected.loc[c, "leverage"])
    net = cluster.feature_network(X, random_state=3)
    pd.testing.assert_frame_equal(found["explain edges"], net.edges)
    rolled = cluster.rolling(
        estimator_of(config, 5, 3),
        features["panel"],
        RollingWindows(24, 12),
        features=list(config.features),
    )
    drift = cluster.profile_drift(rolled.profiles)["drift"].to_numpy()
    assert found["explain drift"]["drift"].to_numpy() == pytest.approx(drift)


def test_fidelity_collapses_on_shuffled_labels(explained):
    about = clusters_of(explained.out)["explain about"]
    for what in ("tree", "shapley"):
        own = about[what]
        assert own["fidelity"] > 0.7
        assert own["shuffled"] < own["chance"] + 0.1
        assert own["fidelity"] - own["shuffled"] > 0.35


def test_importance_is_measured_on_assets_held_out(explained):
    found = clusters_of(explained.out)
    own = found["explain about"]["importance"]
    assert own["train"] + own["held_out"] == found["explain about"]["assets"]
    assert 0 < own["agreement"] <= 1
    assert found["explain importance"]["mean"].max() > 0.05


def test_nothing_is_explained_unless_it_is_asked_for(tmp_path):
    finished = run(parse_config(STUDY), out=tmp_path)
    assert not [name for name in clusters_of(tmp_path) if name.startswith("explain")]
    assert "Rules that imitate" not in finished.report.read_text(encoding="utf-8")


def test_one_cluster_alone_is_not_explained_and_that_is_said(explained):
    found = clusters_of(explained.out)
    features = load(next((explained.out / "stages").glob("features-*")))["panel"]
    config = parse_config(STUDY + ALL).clusters[0]
    names, model = list(config.features), estimator_of(config, 5, 3)
    rolled = cluster.rolling(model, features, RollingWindows(24, 12), features=names)
    ones = Strata(found["strata"].labels.where(found["strata"].labels.isna(), 1), ordered=False)
    got = explanations(config.explain, model, features, replace(rolled, strata=ones), names, seed=3)
    assert set(got) == {"explain about"}
    (fold,) = explained_parts(got, {}, "")
    assert "fewer than two clusters" in fold.parts[0]


@pytest.mark.parametrize("line", ["tree = 9", 'network = "web"', "neighbours = 4", "shuffles = 0"])
def test_wrong_settings_are_refused_before_anything_runs(line):
    with pytest.raises(ConfigError, match=line.split(" ")[0]):
        parse_config(STUDY + f"[clusters.explain]\n{line}\n")


def test_shap_is_missed_before_anything_runs(monkeypatch):
    monkeypatch.setattr("alphastrata.study.settings.explanations.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="explain.shapley: .*shap: pip install"):
        parse_config(STUDY + "[clusters.explain]\nshapley = true\n")


def test_what_has_two_humps_in_every_cluster_does_not_tell_them_apart():
    index = {"feature": ["humps", "humps", "apart", "apart", "flat", "flat"], "cluster": [1, 2] * 3}
    boxes = {
        "low": [-1.2, -1.2, -1.6, 0.2, 0.0, 0.0],
        "q1": [-1.0, -1.0, -1.0, 0.5, 0.0, 0.0],
        "median": [-0.9, 0.9, -0.8, 0.8, 0.0, 0.0],
        "q3": [1.0, 1.0, -0.5, 1.0, 0.0, 0.0],
        "high": [1.2, 1.2, -0.2, 1.6, 0.0, 0.0],
    }
    apart = _apart(pd.DataFrame(index | boxes).set_index(["feature", "cluster"]))
    assert apart.sort_values(ascending=False).index.tolist() == ["apart", "humps", "flat"]
