"""The eight experiments: the grid, the tables against pandas, planted effects."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import adjusted_rand_score, silhouette_score

from alphastrata.cluster import Choice, experiments
from alphastrata.errors import ConfigError, InputDataError


def cross_section(n=120, seed=0):
    """Clusters that show in price data alone."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    assets = [f"A{i:03d}" for i in range(n)]
    X = pd.DataFrame(rng.normal(size=(n, 9)), index=assets, columns=list("abcdefghi"))
    X[["g", "h", "i"]] += 6.0 * rng.normal(size=(3, 3))[labels]
    X.loc["A000", "a"] = np.nan
    groups = {"original": list("abc"), "extension": list("def"), "price": list("ghi")}
    returns = pd.DataFrame(
        rng.normal(size=(60, n)) * 0.02 + rng.normal(size=(60, 3))[:, labels] * 0.05,
        columns=assets,
    )
    return X, groups, returns, labels


@pytest.fixture(scope="module")
def found():
    X, groups, returns, _ = cross_section()
    return experiments(X, groups, clusters=(3, 4), seeds=2, returns=returns, schedule="short")


def test_the_grid_is_complete(found):
    scores = found.scores
    assert len(scores) == 4 * 2 * 2 * 2 * 2
    first = scores.drop_duplicates("experiment").set_index("experiment")
    assert first["autoencoder"].tolist() == [False] * 4 + [True] * 4
    assert first.loc[5, "features"] == first.loc[1, "features"] == "original"
    assert found.labels.shape == (120, 8 * 2 * 2)
    assert found.maps.groupby("experiment").size().tolist() == [120] * 8
    assert found.maps.notna().all().all()


def test_scores_are_those_of_the_labels(found):
    places = found.maps[found.maps["experiment"] == 6][["x", "y"]]
    row = found.scores.query("experiment == 6 and clusterer == 'spectral' and k == 4 and seed == 0")
    expected = silhouette_score(places, found.labels[6, "spectral", 4])
    assert row["silhouette_embedding"].item() == pytest.approx(expected)


def test_tables_are_means_and_spreads_over_seeds(found):
    own = found.scores.query("experiment == 5 and clusterer == 'kmeans' and k == 3")
    table = found.table("davies_bouldin", space="input")
    assert table.loc[5, 3].item() == pytest.approx(own["davies_bouldin_input"].mean())
    spread = found.table(statistic="std")
    assert spread.loc[5, 3].item() == pytest.approx(own["silhouette_embedding"].std())
    # Without the autoencoder nothing but K-means depends on the seed.
    assert spread.loc[:4].max().max() < 1e-2


def test_the_planted_clusters_are_found_in_price_data(found):
    *_, labels = cross_section()
    best = found.best()
    assert best.experiment in (4, 8)
    assert best.k == 3
    assert adjusted_rand_score(labels, found.chosen()) > 0.9
    assert found.compared_with_plain().shape == (8, 9)


def test_effects_are_paired_differences_over_seeds(found):
    effects = found.effects()
    wide = found.scores.set_index(["features", "autoencoder", "clusterer", "k", "seed"])[
        "silhouette_input"
    ].unstack("autoencoder")
    by_seed = (wide[True] - wide[False]).groupby("seed").mean()
    row = effects.loc[("autoencoder", "silhouette_input")]
    interval = ttest_1samp(by_seed, 0).confidence_interval(0.95)
    assert row["estimate"] == pytest.approx(by_seed.mean())
    assert row[["low", "high"]].tolist() == pytest.approx([interval.low, interval.high])
    assert effects.loc[("price data", "silhouette_input"), "estimate"] > 0.05


def test_profiles_boxes_and_names(found):
    labels = found.chosen()
    profile = found.profile()
    pd.testing.assert_frame_equal(
        profile["mean"], found.data.groupby(labels.to_numpy()).mean(), check_names=False
    )
    boxes = found.boxes()
    assert len(boxes) == 9 * 3
    assert (boxes["q1"] <= boxes["median"]).all()
    assert (boxes["low"] <= boxes["q1"]).all()
    names = found.names()
    assert len(set(names.values())) == 3
    assert any(word in " ".join(names.values()) for word in "ghi")


def test_every_experiment_has_a_best_and_its_map(found):
    for number in range(1, 9):
        best = found.best(experiment=number)
        own = found.scores[found.scores["experiment"] == number]
        means = own.groupby(["clusterer", "k"])["silhouette_embedding"].mean()
        assert (best.experiment, found.score(best)) == (number, pytest.approx(means.max()))
        places = found.places(best)
        assert places["cluster"].tolist() == found.chosen(best).loc[places["asset"]].tolist()
        assert {"x", "y", "x3", "y3", "z3"} <= set(places)
    whole = found.best()
    assert found.score(whole) == max(found.score(found.best(experiment=n)) for n in range(1, 9))
    with pytest.raises(ConfigError, match="no experiment 9"):
        found.best(experiment=9)


def test_return_risk_and_correlation(found):
    X, _, returns, _ = cross_section()
    own = returns[X.index[found.chosen() == 1]].mean(axis=1)
    table = found.return_and_risk()
    assert table.loc[1].tolist() == pytest.approx([own.mean(), own.std()])
    np.testing.assert_allclose(np.diag(found.correlations()), 1.0)


def test_workers_change_nothing(found):
    X, groups, returns, _ = cross_section()
    done = []
    two = experiments(
        X,
        groups,
        clusters=(3, 4),
        seeds=2,
        returns=returns,
        schedule="short",
        n_jobs=2,
        progress=lambda *a: done.append(a),
    )
    pd.testing.assert_frame_equal(two.scores, found.scores, check_exact=True)
    assert done[-1] == (16, 16)


def test_notes_say_what_was_imputed_and_left_out():
    X, groups, *_ = cross_section(n=40)
    found = experiments(X.assign(b=np.nan), groups, clusters=(3,), seeds=1, schedule="short")
    text = [str(note) for note in found.notes]
    assert text[0].startswith("characteristic without a value on the date: 1 of 9 left out")
    assert text[1].startswith("missing value of a characteristic: 1 of 320 replaced")
    assert found.effects()["low"].isna().all()
    with pytest.raises(InputDataError, match="returns"):
        found.cluster_returns()


def test_wrong_arguments_are_refused(found):
    X, groups, *_ = cross_section(n=40)
    with pytest.raises(ConfigError, match="'price'"):
        experiments(X, {k: v for k, v in groups.items() if k != "price"})
    with pytest.raises(ConfigError, match="'zz'"):
        experiments(X, groups | {"price": ["zz"]})
    with pytest.raises(ConfigError, match="40 assets"):
        experiments(X, groups, clusters=(3, 40))
    with pytest.raises(ConfigError, match="No such experiment"):
        found.chosen(Choice(9, "kmeans", 3))
    with pytest.raises(ConfigError, match="clusterer"):
        found.table(clusterer="ward")


def test_a_table_that_is_no_cross_section_is_refused():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(20, 3)), columns=list("abc"))
    groups = {"original": ["a"], "extension": ["b"], "price": ["c"]}
    with pytest.raises(InputDataError, match="appears once; 1 breaks this. First: 1"):
        experiments(X.rename(index={2: 1}), groups, clusters=(2,), seeds=1)
    with pytest.raises(ConfigError, match="in one group; 1 breaks this. First: 'a'"):
        experiments(X, groups | {"price": ["a"]}, clusters=(2,), seeds=1)
    with pytest.raises(ConfigError, match="First: 'prices'"):
        experiments(X, groups | {"prices": ["c"]}, clusters=(2,), seeds=1)


def test_few_assets_have_no_trustworthiness():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(6, 3)), columns=list("abc"))
    groups = {"original": ["a"], "extension": ["b"], "price": ["c"]}
    found = experiments(X, groups, clusters=(2,), seeds=1, schedule="short")
    assert found.scores["trustworthiness"].isna().all()
    assert found.table().notna().all().all()


def test_what_is_not_there_is_refused_by_name(found):
    best = found.best()
    for call, match in (
        (lambda: found.table("inertia"), "'inertia'"),
        (lambda: found.table(space="map"), "'map'"),
        (lambda: found.table(statistic="median"), "'median'"),
        (lambda: found.best(space="map"), "'map'"),
        (lambda: found.score(best, score="inertia"), "'inertia'"),
        (lambda: found.score(Choice(9, "kmeans", 3)), "experiment=9"),
        (lambda: found.effects(level=2), "level"),
    ):
        with pytest.raises(ConfigError, match=match):
            call()


def test_assets_without_returns_are_noted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        rng.normal(size=(20, 3)), columns=list("abc"), index=list("ABCDEFGHIJKLMNOPQRST")
    )
    groups = {"original": ["a"], "extension": ["b"], "price": ["c"]}
    returns = pd.DataFrame(rng.normal(size=(5, 18)), columns=X.index[2:])
    settings = {"clusters": (2,), "seeds": 1, "schedule": "short"}
    found = experiments(X, groups, returns=returns, **settings)
    (note,) = found.notes
    assert (note.count, note.of, note.first) == (2, 20, "A")
    with pytest.raises(InputDataError, match="none of the 20 assets has one"):
        experiments(X, groups, returns=returns.rename(columns=str.lower), **settings)


@pytest.mark.parametrize(
    "setting", [{"clusters": (3.5,)}, {"clusters": (3, 3)}, {"seeds": 1.5}, {"schedule": "long"}]
)
def test_settings_that_cannot_be_are_refused(setting):
    X = pd.DataFrame(np.zeros((9, 3)), columns=list("abc"))
    groups = {"original": ["a"], "extension": ["b"], "price": ["c"]}
    with pytest.raises(ConfigError):
        experiments(X, groups, **({"clusters": (3,)} | setting))
    with pytest.raises(InputDataError, match="need a DataFrame"):
        experiments(X.to_numpy(), groups, clusters=(3,))
