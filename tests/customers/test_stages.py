from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.metrics import davies_bouldin_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import scores
from alphastrata.cluster.mixed_autoencoder import Block
from alphastrata.customers import MixedPreprocessor, Stages
from alphastrata.customers.choice import Effort, Rows, choose_k, elbow
from alphastrata.customers.nulls import MixedNull
from alphastrata.customers.search import _ranked
from alphastrata.customers.stages import CLUSTERERS, Mapper, cluster_rows
from alphastrata.errors import ConfigError


def numbers(X):
    return tuple(Block(str(j), "numeric", j, j + 1) for j in range(X.shape[1]))


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 240)
    corner = 6.0 * np.eye(3)[group] @ rng.normal(size=(3, 5))
    X = StandardScaler().fit_transform(corner + rng.normal(size=(240, 5)))
    job = np.eye(3)[np.where(rng.random(240) < 0.8, group, rng.integers(0, 3, 240))]
    blocks = (*numbers(X), Block("job", "nominal", 5, 8))
    return np.hstack([X, job]), blocks, group


@pytest.mark.parametrize("clusterer", CLUSTERERS)
def test_every_clusterer_finds_and_assigns(blobs, clusterer):
    Z, blocks, group = blobs
    # Density says nothing in eight dimensions of 240 rows; on the three leading ones it does.
    X = PCA(3).fit_transform(Z) if clusterer == "hdbscan" else Z
    found = cluster_rows(X, [3], clusterer, blocks=blocks)
    fit = found[3]
    classified = fit.labels >= 0
    assert classified.mean() > 0.8
    table = np.zeros((3, 3))
    np.add.at(table, (fit.labels[classified], group[classified]), 1)
    assert table.max(axis=1).sum() / table.sum() > 0.97
    counts = np.bincount(fit.labels[classified])
    assert (np.diff(counts) <= 0).all()
    again = fit.predict(X)
    assert (again == fit.labels)[classified].mean() > 0.97


@pytest.mark.parametrize(
    "reduction",
    ["none", "pca", "isomap", "tsne", pytest.param("umap", marks=pytest.mark.slow)],
)
def test_every_reduction_places_new_rows(blobs, reduction):
    Z, blocks, _ = blobs
    if reduction == "umap":
        pytest.importorskip("umap")
    mapper = Mapper(Stages(reduction=reduction), blocks)
    X = mapper.fit_transform(Z)
    new = mapper.transform(Z[:20])
    assert new.shape == (20, X.shape[1])
    # Places of known rows lie nearer to their own than to other rows' places.
    own = np.linalg.norm(new - X[:20], axis=1)
    assert np.median(own) < 0.3 * np.median(np.linalg.norm(X[:, None] - X[None], axis=2))


def test_stages_are_checked():
    with pytest.raises(ConfigError, match="breaks 2 rules"):
        Stages(reduction="mds", clusterer="dbscan")
    with pytest.raises(ConfigError, match="columns themselves"):
        Stages(clusterer="kprototypes")


@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_scores_are_scikit_learns(load):
    X = StandardScaler().fit_transform(load().data)
    rows = Rows(X, numbers(X), np.arange(len(X)))
    null = MixedNull(X, rows.blocks)
    effort = Effort(draws=4, repeats=1)
    stages = Stages(reduction="none")
    choice = choose_k(rows, null, stages, ks=range(2, 7), effort=effort)
    fits = cluster_rows(X, range(2, 7), "kmeans")
    for k, fit in fits.items():
        row = choice.table.loc[k]
        assert row["silhouette"] == pytest.approx(silhouette_score(X, fit.labels), abs=1e-10)
        assert row["davies_bouldin"] == pytest.approx(
            davies_bouldin_score(X, fit.labels), abs=1e-10
        )
        assert row["inertia"] == pytest.approx(fit.model.inertia_, rel=1e-9)


def test_wine_has_three_kinds():
    X = StandardScaler().fit_transform(load_wine().data)
    rows = Rows(X, numbers(X), np.arange(len(X)))
    effort = Effort(draws=10, repeats=3)
    choice = choose_k(
        rows, MixedNull(X, rows.blocks), Stages(reduction="none"), ks=range(2, 7), effort=effort
    )
    assert choice.chosen == choice.by_silhouette == 3


def test_one_cloud_has_no_k():
    X = np.random.default_rng(3).normal(size=(300, 4)) @ np.random.default_rng(4).normal(
        size=(4, 4)
    )
    X = StandardScaler().fit_transform(X)
    rows = Rows(X, numbers(X), np.arange(len(X)))
    effort = Effort(draws=6, repeats=2)
    for stages in (
        Stages(reduction="none"),
        Stages(),
        Stages(reduction="isomap", clusterer="hdbscan"),
    ):
        choice = choose_k(rows, MixedNull(X, rows.blocks), stages, ks=range(2, 6), effort=effort)
        assert choice.chosen is None, stages


def test_of_near_finalists_the_finer_is_taken():
    final = pd.DataFrame(
        {
            "k": [4, 5, 7, 2],
            "score": [0.98, 0.92, 0.5, 0.99],
            "supported": [True, True, True, False],
        }
    )
    assert _ranked(final).tolist() == [1, 0, 2, 3]


def test_elbow():
    assert elbow([1, 2, 3, 4, 5], [100, 40, 12, 9, 7]) == 3
    assert elbow([2, 3], [2.0, 1.0]) is None
    assert scores(np.arange(6.0)[:, None], [[0, 0, 0, 1, 1, 1]])[0].n_clusters == 2


def test_preprocessed_customers_go_through_the_autoencoder(table):
    model = MixedPreprocessor()
    Z = model.fit_transform(table.features())[:200]
    mapper = Mapper(Stages(autoencoder=True, reduction="none"), model.blocks_)
    assert mapper.fit_transform(Z).shape == (200, 8)
