"""Every method of clustering through a study: it runs, comes out again, and is refused in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata import cluster
from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.study import parse_config, run
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import read_manifest
from alphastrata.study.pages import words
from alphastrata.study.settings import ClusterConfig
from alphastrata.study.settings.clusters import ChecksConfig
from alphastrata.study.stages import clusterings
from alphastrata.study.stages.estimators import estimator_of

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
window = 24
step = 12
rank_by = "leverage"
weighting = "equal"
"""
SHORT = "\n[clusters.network]\nhidden = [8]\nepochs = 4\n"
FEATURES = ("liquidity", "leverage", "operating_efficiency", "roe")

METHODS = {
    "dec": 'method = "dec"\nn_clusters = 3' + SHORT + "pretrain_epochs = 4",
    "idec": 'method = "idec"\nn_clusters = 3' + SHORT + "gamma = 0.2",
    "vade": 'method = "vade"\nn_clusters = 3\ntrain = "formation"' + SHORT + "tol = 0.0",
    "isomap": 'embedding = "isomap"\nneighbors = 12\nn_clusters = 3\nexpanding = true' + SHORT,
    "tsne3": 'embedding_dim = 3\nschedule = "short"\nclusterer = "gmm"\nn_clusters = 3\n'
    'start = "map"' + SHORT + 'optimizer = "lbfgs"\nnoise = 0.1',
    "plain": 'autoencoder = false\nembedding = "none"\nclusterer = "spectral"\nn_clusters = 3\n'
    'start = "frozen"',
    "hdbscan": 'embedding = "none"\nclusterer = "hdbscan"\nmin_cluster_size = 8' + SHORT,
}


def study(more: str, nulls: int = 1):
    return parse_config(STUDY + f"nulls = {nulls}\n" + more)


def clusters_of(out):
    key = read_manifest(out)["stages"]["clusters CLU"]["key"]
    return load(out / "stages" / f"clusters_CLU-{key[:16]}")


@pytest.mark.parametrize("name", METHODS)
def test_a_study_runs_by_every_method_and_comes_out_again(name, tmp_path):
    finished = run(study(METHODS[name]), out=tmp_path / "a")
    found = clusters_of(finished.out)
    run(study(METHODS[name]), out=tmp_path / "b", workers=2)
    before, after = (read_manifest(tmp_path / x)["outputs"] for x in "ab")
    assert before == after
    page = finished.report.read_text(encoding="utf-8")
    assert "Map of the clusters" in page
    assert {"mean_z", "x", "y", "z"} & set(found["embeddings"]) == {"x", "y", "z"}
    assert len(found["profiles"]) == found["strata"].n
    windows = found["check What each window had"]
    assert windows["assets"].between(60, 90).all()
    if name in ("dec", "idec", "vade"):
        assert "first two principal coordinates of its latent space" in page
        assert found["strata"].probabilities is not None
        assert (windows["epochs"] <= 4).all()
    if name == "hdbscan":
        noise = int(windows["noise, unclassified"].sum())
        assert noise > 0
        classified = int(found["strata"].sizes().to_numpy().sum())
        assert classified == int(windows["assets"].sum()) - noise
        assert "asset that the clusterer calls noise" in page


@pytest.mark.slow
def test_a_study_runs_by_umap_and_a_gaussian_mixture(tmp_path):
    pytest.importorskip("umap")
    more = 'embedding = "umap"\nembedding_dim = 3\nclusterer = "gmm"\nn_clusters = 3' + SHORT
    one = run(study(more, nulls=0), out=tmp_path / "a")
    run(study(more, nulls=0), out=tmp_path / "b")
    assert "UMAP of the latent coordinates in 3 dimensions" in one.report.read_text("utf-8")
    before, after = (read_manifest(tmp_path / x)["outputs"] for x in "ab")
    assert before == after


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('method = "dec"\nstart = "warm"', 'dec learns anew in every window; take start = "cold"'),
        ('method = "vade"\nembedding = "isomap"', "embedding: vade learns its latent space"),
        ('method = "dec"\nclusterer = "kmeans"', 'drop it, or take method = "pipeline"'),
        (
            'method = "dec"\n[clusters.network]\ngamma = 1.0',
            'network.gamma: not with method = "dec',
        ),
        ('method = "idec"\n[clusters.network]\nnoise = 1.0', "network.noise: not with"),
        ("[clusters.network]\ntol = 0.1", 'network.tol: not with method = "pipeline"'),
        ('clusterer = "hdbscan"\nn_clusters = 4', "n_clusters: HDBSCAN finds its own"),
        ("min_cluster_size = 4", 'min_cluster_size: only with clusterer = "hdbscan"'),
        ('clusterer = "hdbscan"\n[clusters.checks]\nchoose_k = [2, 3]', "checks.choose_k: HDBSCAN"),
        ("[clusters.checks]\nchoose_k = [3, 2]", "ascend from at least 2"),
        ("autoencoder = false\nlatent_dim = 3", "latent_dim: only with autoencoder = true"),
        ('autoencoder = false\nstart = "warm"', "there is none; take start"),
        ('embedding = "isomap"\nperplexity = 9', 'perplexity: only with embedding = "tsne"'),
        ('embedding = "none"\nembedding_dim = 3', "embedding_dim: only with an embedding"),
        ('embedding = "isomap"\nstart = "map"', "goes on from the t-SNE map"),
        ("neighbors = 9", 'neighbors: only with embedding = "isomap" or "umap"'),
        ("embedding_dim = 4", "line 16, clusters.0.embedding_dim: expected 2 or 3"),
        ("[clusters.network]\nhidden = [0]", "line 17, clusters.0.network.hidden: widths are"),
        ('[clusters.network]\noptimiser = "sgd"', "unknown key; did you mean optimizer?"),
    ],
)
def test_impossible_combinations_are_refused_with_a_remedy(more, message):
    with pytest.raises(ConfigError) as caught:
        study(more)
    assert message in str(caught.value)


def test_umap_says_what_to_install(monkeypatch):
    monkeypatch.setattr("alphastrata.study.settings.clusters.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="umap-learn: pip install"):
        study('embedding = "umap"')


def test_settings_reach_the_steps():
    text = (
        "latent_dim = 3\nperplexity = 12\n[clusters.network]\nhidden = [9, 7]\nactivation = "
        '"tanh"\noptimizer = "adamw"\nlearning_rate = 0.01\nbatch_size = 64\nepochs = 7\npatience '
        "= 2\nvalidation_fraction = 0.2\nnoise = 0.1\nweight_decay = 0.001\n"
    )
    model = estimator_of(study(text).clusters[0], 4, seed=5)
    coder = model["autoencoder"].get_params()
    said = study(text).clusters[0].network.said
    assert {k: coder[k] for k in said} == said
    assert (coder["latent_dim"], coder["random_state"]) == (3, 5)
    assert model["embedding"].perplexity == 12
    plain = estimator_of(ClusterConfig(name="a", features=FEATURES, rank_by="roe"), 4, seed=0)
    usual = cluster.deep_clusterer(latent_dim=4)
    assert repr(plain.get_params()) == repr(usual.get_params())


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_an_interrupted_study_goes_on_from_its_last_finished_window(start, tmp_path, monkeypatch):
    from alphastrata.cluster import store

    config = study(f'n_clusters = 3\nstart = "{start}"' + SHORT)
    run(config, out=tmp_path / "whole")
    fitted, real = [], store.fit_window

    def fit(task, carry):
        if len(fitted) == 4:
            raise KeyboardInterrupt
        fitted.append(task.name)
        return real(task, carry)

    monkeypatch.setattr(store, "fit_window", fit)
    with pytest.raises(KeyboardInterrupt):
        run(config, out=tmp_path / "killed")
    (folder,) = (tmp_path / "killed" / "stages").glob(".unfinished-clusters_CLU-*")
    assert len(list(folder.glob("*.npz"))) == 4
    again: list[str] = []
    monkeypatch.setattr(store, "fit_window", lambda t, c: again.append(t.name) or real(t, c))
    run(config, out=tmp_path / "killed")
    # Three windows, of the data and of three nulls; four had been finished.
    assert len(again) == 3 * 4 - 4
    assert not folder.exists()
    before, after = (read_manifest(tmp_path / x)["outputs"] for x in ("whole", "killed"))
    assert before == after


def two_groups(periods: int = 2) -> pd.DataFrame:
    """Return two groups of 30 assets, far apart, on so many month ends."""
    dates = pd.date_range("2020-01-31", periods=periods, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(60)], names=["date", "asset"])
    rng = np.random.default_rng(0)
    centres = np.tile(np.repeat([0.0, 30.0], 30), periods)
    return pd.DataFrame({n: centres + rng.normal(size=60 * periods) for n in FEATURES}, index=index)


def by_density(**more) -> ClusterConfig:
    return ClusterConfig(
        name="a",
        features=FEATURES,
        rank_by="roe",
        window=1,
        step=1,
        autoencoder=False,
        embedding="none",
        clusterer="hdbscan",
        min_cluster_size=25,
        **more,
    )


def test_nulls_in_which_nothing_is_found_are_counted_and_not_scored():
    panel = Panel(two_groups())
    found = clusterings.clusters(by_density(), panel, seed=0, workers=1, progress=None)
    few, of = found["nulls without clusters"]
    assert of == 6
    assert 0 < few <= 6
    assert set(found["scores"]["source"]) >= {"data"}


def test_the_criteria_for_k_are_a_plot_and_a_table_of_the_page(tmp_path):
    more = 'n_clusters = 3\nschedule = "short"' + SHORT
    config = study(more + "[clusters.checks]\nchoose_k = [2, 3, 4]\n", nulls=0)
    finished = run(config, out=tmp_path)
    page = finished.report.read_text(encoding="utf-8")
    assert "The number of clusters by every criterion" in page
    assert "How many clusters: CLU" in page
    (file,) = (tmp_path / "tables").glob("how-many-clusters*criteria*.csv")
    assert pd.read_csv(file)["k"].tolist() == [2, 3, 4]


def test_stability_speaks_of_the_clusters_as_the_page_numbers_them():
    fitted = np.array([0, 0, 0, 1, 1, 1, 2, 2, -1])
    page = np.array([5, 5, 5, 2, 2, 3, 3, 3, 0])
    steady = cluster.Stability(np.array([]), np.array([]), pd.Series([0.9, 0.8, 0.7]), fitted)
    table = clusterings.by_identity(steady, page)
    assert table["Jaccard"].to_dict() == {2: 0.8, 3: 0.7, 5: 0.9}
    shared = table["members shared with the fit to this date alone"]
    assert shared.tolist() == pytest.approx([2 / 3, 2 / 3, 1.0])


def test_a_few_draws_of_noise_are_not_called_a_test():
    when = pd.to_datetime(["2020-01-31"] * 3 + ["2021-01-31"] * 3)
    scores = {
        "metric": "silhouette",
        "space": "embedding",
        "source": ["data", "permuted", "copula"] * 2,
    }
    frame = pd.DataFrame({"date": when, **scores, "score": [0.5, 0.3, 0.4] * 2})
    sentence = words.cluster_sentence("CLU", {"scores": frame})
    assert "more than" in sentence
    assert "(0.300 to 0.400; 2 draws, which are not a test)" in sentence


def test_the_null_test_is_a_plot_and_pvalues_of_the_page(tmp_path):
    more = 'n_clusters = 3\nschedule = "short"' + SHORT
    config = study(more + "[clusters.checks]\nnull_test = true\n", nulls=0)
    finished = run(config, out=tmp_path)
    page = finished.report.read_text(encoding="utf-8")
    assert "Clusters against noise: CLU" in page
    assert "among those of data without clusters" in page
    (file,) = (tmp_path / "tables").glob("clusters-against-noise*null-test*.csv")
    table = pd.read_csv(file, index_col=0)
    for kind in ("permute", "copula", "one_factor"):
        row = table.loc[f"silhouette_input ({kind})"]
        assert 0.05 <= row["p-value"] <= 1.0
    beaten = (table.filter(like="silhouette_input", axis=0)["p-value"] <= 0.05).all()
    warning = "score no better than noise in the features"
    assert (warning in page) == (not beaten)
    assert "what the same pipeline finds in data without clusters (p = " in page


def test_the_null_test_takes_some_nulls_and_enough_draws():
    checks = ChecksConfig.model_validate({"null_test": ["copula"]})
    assert checks.null_test == ("copula",)
    assert ChecksConfig().null_test == ChecksConfig.model_validate({"null_test": False}).null_test
    with pytest.raises(ValueError, match="draws = 19 or more"):
        ChecksConfig(null_test=("permute",), draws=9)


def test_one_formation_date_is_enough():
    panel = Panel(two_groups(periods=1))
    found = clusterings.clusters(by_density(nulls=0), panel, seed=0, workers=1, progress=None)
    assert "check Agreement of neighbouring windows" not in found
    assert found["strata"].n == 2


def test_a_last_date_on_which_nothing_is_found_is_said():
    frame = two_groups()
    last = frame.index.get_level_values("date") == frame.index.levels[0][-1]
    frame[last] = np.random.default_rng(1).normal(size=(60, 4))
    config = by_density(nulls=0, checks={"null_test": ["permute"]})
    found = clusterings.clusters(config, Panel(frame), seed=0, workers=1, progress=None)
    assert found["check What each window had"]["noise, unclassified"].tolist() == [0, 60]
    assert "The clusters of a on 2020-01-31:" in words.cluster_sentence("a", found)


def test_checks_leave_out_what_has_no_value_on_the_last_date():
    frame = two_groups()
    last = frame.index.get_level_values("date") == frame.index.levels[0][-1]
    frame.loc[last, "roe"] = np.nan
    frame["market_cap"] = np.exp(np.random.default_rng(0).normal(size=120))
    frame.loc[last & (frame.index.get_level_values("asset") < 3), "market_cap"] = np.nan
    checks = {"purge": True, "stability": True, "draws": 5}
    config = by_density(nulls=0, train="pooled", checks=checks).model_copy(update={"window": 2})
    found = clusterings.clusters(config, Panel(frame), seed=0, workers=1, progress=None)
    size = found["check How much of the labels is size or industry"]
    assert size["assets with a size"].tolist() == [57]
    assert "check Stability over seeds and bootstrap samples" in found


def test_a_purge_needs_a_market_cap_before_anything_runs(monkeypatch):
    monkeypatch.setattr(cluster, "rolling", lambda *a, **k: pytest.fail("it ran"))
    config = by_density(nulls=0, checks={"purge": True})
    with pytest.raises(InputDataError, match="checks.purge of a needs the columns 'market_cap'"):
        clusterings.clusters(config, Panel(two_groups()), seed=0, workers=1, progress=None)
