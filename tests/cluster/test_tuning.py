"""Tuning: scorers on held-out assets, with our table and with scikit-learn's searchers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import silhouette_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import (
    ClusterScorer,
    SpectralClusterer,
    deep_clusterer,
    score_settings,
    tune,
)
from alphastrata.errors import ConfigError, EstimationError


@pytest.fixture(scope="module")
def X():  # noqa: N802
    rng = np.random.default_rng(0)
    return rng.normal(size=(150, 5)) + 6.0 * rng.normal(size=(3, 5))[rng.integers(0, 3, 150)]


def model():
    return deep_clusterer(n_clusters=3, latent_dim=3, schedule="short").set_params(
        autoencoder__epochs=8
    )


def test_the_scorer_is_the_silhouette_of_held_out_rows(X):
    fitted = model().fit(X[:100])
    standard = fitted[:3].transform(X[100:])
    labels = fitted.predict(X[100:])
    got = ClusterScorer()(fitted, X[100:])
    assert got == pytest.approx(silhouette_score(standard, labels))
    places = fitted[:-1].transform(X[100:])
    other = ClusterScorer(space="embedding")(fitted, X[100:])
    assert other == pytest.approx(silhouette_score(places, labels))
    assert ClusterScorer("davies_bouldin")(fitted, X[100:]) < 0


def test_the_planted_number_of_clusters_wins(X):
    grid = {"cluster__n_clusters": [2, 3, 6]}
    found = tune(model(), X, grid, folds=2)
    assert len(found.table) == 3
    assert found.best["cluster__n_clusters"] == 3
    assert found.table["score"].is_monotonic_decreasing
    assert found.model.get_params()["cluster__n_clusters"] == 3
    two = tune(model(), X, grid, folds=2, n_jobs=2)
    assert two.table.equals(found.table)


def test_whole_steps_can_be_exchanged(X):
    grid = {"cluster": [KMeans(3, n_init=2, random_state=0), SpectralClusterer(3)]}
    assert len(tune(model(), X, grid, folds=2).table) == 2


def test_scikit_learns_random_search_works(X):
    space = {"embedding__perplexity": [10, 30], "autoencoder__optimizer": ["adam", "rmsprop"]}
    search = RandomizedSearchCV(
        model(), space, n_iter=2, cv=2, scoring=ClusterScorer(), random_state=0
    ).fit(X)
    assert search.best_score_ > 0.2


def test_one_cluster_for_all_is_the_worst(X):
    fitted = KMeans(1, n_init=1).fit(X)
    assert ClusterScorer()(fitted, X) == -1.0


def test_wrong_arguments_are_refused(X):
    with pytest.raises(ConfigError, match="score"):
        ClusterScorer("gap")
    with pytest.raises(ConfigError, match="grid"):
        tune(model(), X, {})


def network():
    model = deep_clusterer(
        n_clusters=3, latent_dim=2, autoencoder=False, embedding=None, clusterer="dec"
    )
    return model.set_params(
        cluster__hidden=(8,), cluster__pretrain_epochs=4, cluster__epochs=3, cluster__device="cpu"
    )


@pytest.mark.parametrize("search", ["grid", "halving"])
def test_scikit_learns_other_searchers_work_with_networks_that_cluster(X, search):
    grid = {"cluster__n_clusters": [2, 3], "cluster__latent_dim": [2, 3]}
    scorer = ClusterScorer("calinski_harabasz", space="embedding")
    if search == "grid":
        found = GridSearchCV(network(), grid, cv=2, scoring=scorer).fit(X)
    else:
        found = HalvingGridSearchCV(
            network(), grid, cv=2, scoring=scorer, random_state=0, min_resources=60
        ).fit(X)
    assert np.isfinite(found.best_score_)
    # The best model is fitted on all assets, and assigns new ones.
    assert set(found.predict(X[:5] + 0.01)) <= {0, 1, 2}


def test_several_grids_seeds_and_a_random_draw(X):
    grids = [
        {"cluster__n_clusters": [2, 3], "autoencoder__hidden": [(16,), (16, 8)]},
        {"embedding__perplexity": [10, 20]},
    ]
    found = tune(model(), X, grids, folds=2, seeds=(0, 1))
    assert len(found.table) == 6
    assert found.table["clusters"].between(2, 3).all()
    assert (found.table["noise"] == 0).all()
    some = tune(model(), X, grids, folds=2, n_iter=3, random_state=4)
    assert len(some.table) == 3
    again = tune(model(), X, grids, folds=2, n_iter=3, random_state=4)
    assert again.table.equals(some.table)
    with pytest.raises(ConfigError, match="n_iter"):
        tune(model(), X, grids, n_iter=0)


def test_the_mean_and_the_spread_are_those_of_the_single_fits(X):
    seeds, folds = (3, 4), 2
    got = score_settings([model()], X, folds=folds, seeds=seeds, random_state=1).iloc[0]
    scores = []
    for seed in seeds:
        own = {
            name: seed for name in model().get_params() if name.split("__")[-1] == "random_state"
        }
        for train, held in KFold(folds, shuffle=True, random_state=1).split(X):
            fitted = model().set_params(**own).fit(X[train])
            standard = fitted[:3].transform(X[held])
            scores.append(silhouette_score(standard, fitted.predict(X[held])))
    assert got["score"] == pytest.approx(np.mean(scores))
    assert got["spread"] == pytest.approx(np.std(scores))


def test_a_table_of_assets_may_be_a_frame(X):
    frame = pd.DataFrame(X, columns=list("abcde"), index=[f"A{i}" for i in range(len(X))])
    kmeans = KMeans(3, n_init=2, random_state=0)
    one, two = (score_settings([kmeans], table, folds=2) for table in (X, frame))
    assert one.equals(two)


def test_a_setting_that_cannot_be_fitted_is_named(X):
    with pytest.raises(
        EstimationError, match=r"KMeans\(n_clusters=70.*could not be fitted to 60 rows"
    ):
        tune(KMeans(n_init=1, random_state=0), X[:90], {"n_clusters": [3, 70]})
    with pytest.raises(ConfigError, match="'nothing'"):
        tune(KMeans(), X, {"nothing": [1]})
    with pytest.raises(ConfigError, match="cannot predict"):
        tune(AgglomerativeClustering(), X, {"n_clusters": [3]})
    for values in (3, "random", []):
        with pytest.raises(ConfigError, match="a list of values"):
            tune(KMeans(), X, {"n_clusters": values})


def test_a_model_without_a_seed_gets_one(X):
    one, two = (tune(KMeans(n_init=1), X, {"n_clusters": [7, 8]}, n_jobs=j) for j in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)


def test_a_step_may_be_left_out(X):
    model = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    found = tune(model, X, {"standardscaler": ["passthrough", StandardScaler()]})
    assert found.table["score"].notna().all()
