"""A search over settings: from the file to table, plot and page, without a look ahead."""

from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.core import Panel
from alphastrata.errors import ConfigError
from alphastrata.study import parse_config, run, run_tuning
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import read_manifest
from alphastrata.study.settings import ClusterConfig, TuneConfig
from alphastrata.study.settings.clusters import tuned_settings
from alphastrata.study.stages.tuning import search

STUDY = """
name = "tiny"
seed = 3
[data.simulation]
n_assets = 90
start = "2005-01-31"
periods = 48
[[clusters]]
name = "CLU"
features = ["liquidity", "leverage", "operating_efficiency", "roe"]
n_clusters = 3
schedule = "short"
window = 24
step = 12
rank_by = "leverage"
weighting = "equal"
nulls = 0
[clusters.network]
hidden = [8]
epochs = 4
"""
SEARCH = """
[tune]
seeds = 2
folds = 2
[[tune.grid]]
hidden = [[8], [8, 6]]
optimizer = ["adam", "rmsprop"]
perplexity = [10]
[[tune.grid]]
method = ["dec"]
pretrain_epochs = [3]
n_clusters = [2, 4]
"""
FEATURES = ("a", "b", "c")
BASE = ClusterConfig(
    name="CLU",
    features=FEATURES,
    rank_by="a",
    window=3,
    n_clusters=3,
    autoencoder=False,
    embedding="none",
)


def blobs(periods=6, n=90, seed=0):
    import numpy as np

    rng = np.random.default_rng(seed)
    dates = pd.date_range("2010-01-31", periods=periods, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(n)], names=["date", "asset"])
    centres = 9.0 * np.eye(3)[np.tile(np.arange(n) % 3, periods)]
    return pd.DataFrame(centres + rng.normal(size=centres.shape), index=index, columns=FEATURES)


def test_the_search_writes_table_plot_and_page(tmp_path):
    page = run_tuning(parse_config(STUDY + SEARCH), out=tmp_path / "a")
    assert page.name == "tune.html"
    (table,) = (tmp_path / "a" / "tune-tables").glob("*best-first.csv")
    found = pd.read_csv(table, keep_default_na=False)
    assert len(found) == 6
    assert found["score"].is_monotonic_decreasing
    assert set(found["hidden"]) == {"8", "8, 6", ""}
    parquet = pd.read_parquet(table.with_suffix(".parquet"))
    assert parquet["score"].tolist() == found["score"].tolist()
    assert (tmp_path / "a" / "tune.svg").read_text(encoding="utf-8").count("optimizer") == 1
    text = page.read_text(encoding="utf-8")
    for words in (
        "Settings by their score",
        "settings the best is",
        "flattered by the search",
    ):
        assert words in text
    again = run_tuning(parse_config(STUDY + SEARCH), out=tmp_path / "b", workers=2)
    assert (tmp_path / "b" / "tune.svg").read_bytes() == (tmp_path / "a" / "tune.svg").read_bytes()
    assert again.read_bytes() == page.read_bytes()


def test_a_run_has_the_search_as_a_section(tmp_path):
    finished = run(parse_config(STUDY + SEARCH), out=tmp_path)
    assert "Settings of CLU" in finished.report.read_text(encoding="utf-8")
    stages = read_manifest(tmp_path)["stages"]
    alone = run_tuning(parse_config(STUDY + SEARCH), out=tmp_path)
    assert alone.exists()
    # The very same stage: nothing was searched twice.
    assert len(list((tmp_path / "stages").glob("tune-*"))) == 1
    made = load(tmp_path / "stages" / f"tune-{stages['tune']['key'][:16]}")
    assert made["about"]["date"] == made["about"]["first"] == "2006-12-31"


def test_the_planted_number_of_clusters_is_found():
    tune = TuneConfig(grid={"n_clusters": (2, 3, 6), "clusterer": ("kmeans", "gmm")}, seeds=2)
    made = search(tune, BASE, Panel(blobs()), seed=0)
    assert made["table"]["n_clusters"].iloc[0] == "3"
    own = made["about"]["own"]
    assert own["score"] == pytest.approx(made["table"]["score"].iloc[0], abs=1e-9)


@pytest.mark.parametrize("date", [None, "2010-04-15"])
def test_nothing_after_the_date_is_looked_at(date):
    tune = TuneConfig(grid={"n_clusters": (2, 3)}, date=date, seeds=1)
    frame = blobs()
    changed = frame.copy()
    changed.loc[changed.index.get_level_values("date") > "2010-03-31"] *= -7.0
    one, two = (search(tune, BASE, Panel(f), seed=0) for f in (frame, changed))
    assert one["about"]["date"] == two["about"]["date"] == "2010-03-31"
    pd.testing.assert_frame_equal(one["table"], two["table"], check_exact=True)


def test_a_later_date_is_a_warning(tmp_path):
    page = run_tuning(parse_config(STUDY + SEARCH), out=tmp_path)
    assert "would have looked ahead" not in page.read_text(encoding="utf-8")
    later = (STUDY + SEARCH).replace("[tune]\n", "[tune]\ndate = 2008-06-30\n")
    page = run_tuning(parse_config(later), out=tmp_path)
    assert "labels before it would have looked ahead" in page.read_text(encoding="utf-8")


def test_random_search_draws_so_many_settings_by_the_seed():
    grid = {"n_clusters": (2, 3, 4, 5), "clusterer": ("kmeans", "spectral", "gmm")}
    tune = TuneConfig(grid=grid, search="random", n_iter=4, seeds=1, folds=2)
    one, two, other = (search(tune, BASE, Panel(blobs()), seed=s) for s in (0, 0, 1))
    assert len(one["table"]) == 4
    pd.testing.assert_frame_equal(one["table"], two["table"])
    keys = ["n_clusters", "clusterer"]
    assert set(map(tuple, one["table"][keys].to_numpy())) != set(
        map(tuple, other["table"][keys].to_numpy())
    )


def test_noise_of_hdbscan_is_counted():
    tune = TuneConfig(grid={"clusterer": ("hdbscan",), "min_cluster_size": (5, 12)}, seeds=1)
    table = search(tune, BASE, Panel(blobs()), seed=0)["table"]
    assert table["noise"].between(0, 1).all()
    assert (table["noise"] > 0).any()


def test_what_the_grid_makes_void_is_dropped_and_what_it_says_is_not():
    base = BASE.model_copy(update={"autoencoder": None, "embedding": "tsne", "perplexity": 9.0})
    tune = TuneConfig(grid=({"embedding": ("isomap",)}, {"clusterer": ("hdbscan",)}))
    settings = [config for _, config in tuned_settings(tune, base)]
    assert [c.perplexity for c in settings] == [None, 9.0]
    assert [c.n_clusters for c in settings] == [3, None]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[tune.grid]\ndepth = [1]\n", "tune.grid.0.depth: no such key; there are method"),
        ("[tune.grid]\nn_clusters = []\n", "tune.grid.0.n_clusters: a list of values to try"),
        (
            "[tune.grid]\nn_clusters = [1]\n",
            "n_clusters = 1 is wrong: n_clusters: expected greater",
        ),
        ('[tune.grid]\noptimizer = ["magic"]\n', "network.optimizer: expected 'adam'"),
        (
            '[tune.grid]\nclusterer = ["hdbscan"]\nn_clusters = [3]\n',
            r"HDBSCAN finds its own .*\[\[tune.grid\]\] tables of its own",
        ),
        ('[tune]\nsearch = "random"\n[tune.grid]\nn_clusters = [3]\n', "say both"),
        (
            '[tune]\nclusters = "X"\n[tune.grid]\nn_clusters = [3]\n',
            "line 22, tune.clusters: .* there are 'CLU'",
        ),
    ],
)
def test_wrong_searches_are_refused_before_any_work(more, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(STUDY + more)


def test_a_study_without_a_search_says_what_to_add(tmp_path):
    with pytest.raises(ConfigError, match=r"has no \[tune\] table. Add one"):
        run_tuning(parse_config(STUDY), out=tmp_path)
    early = TuneConfig(grid={"n_clusters": (2,)}, date="1999-01-31")
    with pytest.raises(ConfigError, match="say a later date"):
        search(early, BASE, Panel(blobs()), seed=0)
    many = TuneConfig(grid={"n_clusters": (2,)}, folds=10)
    with pytest.raises(ConfigError, match="needs at least 100 assets"):
        search(many, BASE, Panel(blobs()), seed=0)
