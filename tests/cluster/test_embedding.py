"""t-SNE: the gradient, the divergence, the map against openTSNE, and new rows."""

import os
import subprocess
import sys

import numpy as np
import openTSNE
import pytest
from scipy.sparse import csr_matrix
from sklearn.manifold import trustworthiness
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import TSNE, isomap, neighbors, umap
from alphastrata.cluster import tsne_kernels as kernels
from alphastrata.errors import ConfigError


def blobs(n, d=8, k=5, seed=0, spread=3.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    return rng.normal(size=(n, d)) + spread * rng.normal(size=(k, d))[labels], labels


@parametrize_with_checks([TSNE(), TSNE(n_components=3, n_iter=100)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_neighbors_and_distances_are_brute_force():
    X, _ = blobs(60)
    X[3] = X[41]
    squared = ((X[:, None] - X[None]) ** 2).sum(2)
    np.testing.assert_allclose(neighbors.squared_distances(X, X.T.copy()), squared, atol=1e-12)
    np.fill_diagonal(squared, np.inf)
    index, found = neighbors.nearest_neighbors(X, X, 7, exclude_self=True)
    np.testing.assert_allclose(found, np.sort(squared, axis=1)[:, :7], atol=1e-12)
    assert index[3, 0] == 41
    assert found[3, 0] == 0.0


def test_affinities_have_the_perplexity_and_are_those_of_opentsne():
    X, _ = blobs(200)
    index, squared = neighbors.nearest_neighbors(X, X, 90, exclude_self=True)
    p = neighbors.conditional(squared, 30.0)
    np.testing.assert_allclose(np.exp(-(p * np.log(p)).sum(1)), 30.0, rtol=1e-6)
    offsets, columns, values = neighbors.affinities(X, 30.0)
    ours = csr_matrix((values, columns, offsets)).toarray()
    theirs = openTSNE.affinity.PerplexityBasedNN(X, 30, method="exact", n_jobs=1).P.toarray()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-9)
    np.testing.assert_array_equal(ours, ours.T)
    assert ours.sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_gradient_is_the_slope_of_the_divergence(dims):
    X, _ = blobs(40)
    offsets, columns, values = neighbors.affinities(X, 8.0)
    P = csr_matrix((values.astype(float), columns, offsets)).toarray()
    Y = np.random.default_rng(1).normal(size=(dims, 40))

    def divergence(places):
        w = 1 / (1 + ((places[:, :, None] - places[:, None, :]) ** 2).sum(0))
        np.fill_diagonal(w, 0)
        on = P > 0
        return (P[on] * np.log(P[on] / (w / w.sum())[on])).sum()

    once = neighbors.upper_triangle(offsets, columns, values)
    got = kernels.gradient(Y.astype(np.float32), *once, 1.0)
    slope, h = np.empty_like(Y), 1e-5
    for at in np.ndindex(*Y.shape):
        up, down = Y.copy(), Y.copy()
        up[at] += h
        down[at] -= h
        slope[at] = (divergence(up) - divergence(down)) / (2 * h)
    np.testing.assert_allclose(4 * got, slope, atol=2e-6)
    ours = kernels.kl_divergence(Y.astype(np.float32), offsets, columns, values)
    # P sums to one up to float32, and so does the divergence.
    assert ours == pytest.approx(divergence(Y), rel=1e-5)


@pytest.mark.parametrize("n", [300, 800])
def test_divergence_within_one_percent_of_opentsne(n):
    X, _ = blobs(n, spread=1.5)
    ours = TSNE(random_state=0).fit(X)
    theirs = np.asarray(openTSNE.TSNE(random_state=0, n_jobs=1, neighbors="exact").fit(X))
    affinity = neighbors.affinities(X, 30.0)
    reference = kernels.kl_divergence(np.ascontiguousarray(theirs.T, np.float32), *affinity)
    assert ours.kl_divergence_ < 1.01 * reference
    assert trustworthiness(X, ours.embedding_) > trustworthiness(X, theirs) - 0.002


def test_short_schedule_keeps_trustworthiness():
    X, _ = blobs(600, spread=1.5)
    usual = TSNE(random_state=0).fit(X)
    short = TSNE(early_iter=50, n_iter=300, random_state=0).fit(X)
    assert short.kl_divergence_ < 1.03 * usual.kl_divergence_
    assert trustworthiness(X, short.embedding_) > trustworthiness(X, usual.embedding_) - 0.005


def test_opentsne_as_the_method_lands_at_the_same_divergence():
    X, _ = blobs(300)
    exact = TSNE(method="exact", early_iter=60, n_iter=100, random_state=0).fit(X)
    other = TSNE(method="opentsne", early_iter=60, n_iter=100, random_state=0).fit(X)
    assert other.method_ == "opentsne"
    assert other.kl_divergence_ == pytest.approx(exact.kl_divergence_, rel=0.05)


def test_same_bits_twice_in_another_process_and_at_another_address():
    X, _ = blobs(150)
    one = TSNE(random_state=0, n_iter=100).fit_transform(X)
    buffer = np.empty(X.size + 1)
    shifted = buffer[1:].reshape(X.shape)
    shifted[:] = X
    assert np.array_equal(one, TSNE(random_state=0, n_iter=100).fit_transform(shifted))
    code = (
        "import numpy as np, sys; from alphastrata.cluster import TSNE\n"
        "rng = np.random.default_rng(0); labels = rng.integers(0, 5, 150)\n"
        "X = rng.normal(size=(150, 8)) + 3.0 * rng.normal(size=(5, 8))[labels]\n"
        "sys.stdout.buffer.write(TSNE(random_state=0, n_iter=100).fit_transform(X).tobytes())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == one.tobytes()


@pytest.mark.slow
def test_same_bits_from_a_cold_and_a_warm_cache_of_compiled_code(tmp_path):
    code = (
        "import numpy as np, sys; from alphastrata.cluster import TSNE\n"
        "X = np.random.default_rng(0).normal(size=(150, 8))\n"
        "model = TSNE(random_state=0, n_iter=100).fit(X)\n"
        "sys.stdout.buffer.write(model.embedding_.tobytes() + model.transform(X + 0.1).tobytes())"
    )
    settings = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=settings)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout


def test_new_rows_land_in_their_cluster_each_by_itself():
    X, labels = blobs(400)
    train, new = np.arange(300), np.arange(300, 400)
    model = TSNE(random_state=0).fit(X[train])
    places = model.transform(X[new])
    centres = np.array([model.embedding_[labels[train] == c].mean(0) for c in range(5)])
    nearest = ((places[:, None] - centres[None]) ** 2).sum(2).argmin(1)
    assert (nearest == labels[new]).mean() > 0.95
    assert np.array_equal(model.transform(X[new[5:6]]), places[5:6])
    assert np.array_equal(model.transform(X[train]), model.embedding_)


def test_new_rows_are_placed_as_opentsne_places_them():
    X, _ = blobs(500, spread=1.5)
    reference = openTSNE.TSNE(random_state=0, n_jobs=1, neighbors="exact").fit(X[:400])
    theirs = np.asarray(reference.transform(X[400:]))
    model = TSNE(random_state=0).fit(X[:400])
    model.embedding_ = np.asarray(reference).copy()
    gap = np.linalg.norm(model.transform(X[400:]) - theirs, axis=1)
    width = np.ptp(np.asarray(reference), axis=0).max()
    assert np.median(gap) < 0.05 * width


def test_going_on_from_a_map_stays_near_it():
    X, _ = blobs(300)
    first = TSNE(random_state=0).fit(X)
    again = TSNE(init=first.embedding_, early_iter=0, n_iter=50).fit(X + 1e-6)
    moved = np.linalg.norm(again.embedding_ - first.embedding_, axis=1)
    assert np.median(moved) < 0.1 * np.ptp(first.embedding_, axis=0).max()


@pytest.mark.parametrize("n_components", [1, 3])
def test_other_dimensions(n_components):
    X, labels = blobs(150)
    model = TSNE(n_components=n_components, random_state=0).fit(X)
    assert model.embedding_.shape == (150, n_components)
    assert np.isfinite(model.transform(X[:5] + 0.1)).all()


def test_all_wrong_settings_are_named_together():
    X, _ = blobs(20)
    with pytest.raises(ConfigError) as caught:
        TSNE(n_components=4, perplexity=0, init="zero", method="magic").fit(X)
    for word in ("n_components", "perplexity", "init", "method"):
        assert word in str(caught.value)
    with pytest.raises(ConfigError, match=r"shape \(20, 2\)"):
        TSNE(init=np.zeros((3, 2))).fit(X)


def test_isomap_keeps_a_straight_line_straight():
    line = np.linspace(0, 1, 60)[:, None] * np.ones((1, 4))
    got = isomap(n_components=1, n_neighbors=5).fit_transform(line).ravel()
    assert abs(np.corrcoef(got, line[:, 0])[0, 1]) > 0.9999


def test_umap_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ConfigError, match="umap-learn"):
        umap()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("n_iter", 2.5), ("early_iter", "a"), ("perplexity", None), ("learning_rate", "fast")],
)
def test_a_setting_that_cannot_be_is_named(setting, value):
    with pytest.raises(ConfigError, match=setting):
        TSNE(**{setting: value}).fit(np.random.default_rng(0).normal(size=(20, 2)))
