"""The null test: margins kept, uniform on noise, powerful on planted clusters."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, kstest, spearmanr
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import (
    DensityClusterer,
    SignedLog,
    deep_clusterer,
    null_test,
    sample_null,
)
from alphastrata.errors import ConfigError, InputDataError


def plain(k=3):
    return make_pipeline(StandardScaler(), KMeans(k, n_init=1, random_state=0))


def planted(n=150, d=5, k=3, seed=0, spread=2.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    return rng.normal(size=(n, d)) + spread * rng.normal(size=(k, d))[labels]


@pytest.mark.parametrize("null", ["permute", "copula", "one_factor"])
def test_margins_and_counts_of_missing_values_are_kept(null):
    X = np.random.default_rng(0).standard_t(2, size=(400, 4))
    X[:7, 1] = np.nan
    X[:, 3] = np.random.default_rng(1).integers(0, 3, 400)
    Z = sample_null(X, null, np.random.default_rng(1))
    assert not np.array_equal(Z, X, equal_nan=True)
    assert np.isnan(Z).sum(axis=0).tolist() == [0, 7, 0, 0]
    np.testing.assert_array_equal(np.sort(Z[:, 3]), np.sort(X[:, 3]))
    if null == "permute":
        np.testing.assert_array_equal(np.sort(Z, axis=0), np.sort(X, axis=0))
        return
    for k in range(3):
        old, new = (column[~np.isnan(column)] for column in (X[:, k], Z[:, k]))
        # Smooth, but of the same shape, and within the range of the sample.
        assert ks_2samp(old, new).statistic < 0.08
        assert old.min() <= new.min()
        assert new.max() <= old.max()


@pytest.mark.parametrize("shape", [(12, 3), (20, 30), (3, 2), (60, 1)])
@pytest.mark.parametrize("null", ["copula", "one_factor"])
def test_few_rows_and_constant_columns_can_be_drawn(shape, null):
    X = np.random.default_rng(0).normal(size=shape)
    X[:, 0] = 1.0
    Z = sample_null(X, null, np.random.default_rng(0))
    assert np.isfinite(Z).all()
    assert (Z[:, 0] == 1.0).all()


def test_copula_keeps_rank_correlations():
    rng = np.random.default_rng(0)
    X = np.exp(rng.normal(size=(3000, 3)) @ np.array([[1, 0.5, 0], [0, 1, -0.7], [0, 0, 1]]))
    Z = sample_null(X, "copula", rng)
    np.testing.assert_allclose(spearmanr(Z)[0], spearmanr(X)[0], atol=0.06)
    independent = sample_null(X, "permute", rng)
    assert np.abs(spearmanr(independent)[0] - np.eye(3)).max() < 0.06


def test_one_factor_shares_only_the_factor():
    rng = np.random.default_rng(0)
    size = rng.normal(size=4000)
    other = rng.normal(size=(4000, 1))
    X = np.column_stack([size, size, other, other]) + 0.5 * rng.normal(size=(4000, 4))
    Z = sample_null(X, "one_factor", rng, factor=size)
    got = spearmanr(Z)[0]
    assert got[0, 1] > 0.7
    assert abs(got[2, 3]) < 0.06


def test_planted_clusters_beat_every_null_and_noise_does_not():
    found = null_test(plain(), planted(), draws=19)
    assert (found.pvalues.xs("silhouette_input", level="score") == 0.05).all()
    assert (found.calibrated.xs("silhouette_input", level="score") > 3).all()
    noise = null_test(plain(), np.random.default_rng(5).normal(size=(150, 5)), draws=19)
    assert (noise.pvalues.xs("silhouette_input", level="score") > 0.05).all()


def test_size_alone_does_not_pass_as_more_than_one_factor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1)) + 0.4 * rng.normal(size=(200, 6))
    found = null_test(plain(), X, nulls=["permute", "one_factor"], draws=19)
    p = found.pvalues.xs("silhouette_input", level="score")
    assert p["permute"] == 0.05
    assert p["one_factor"] > 0.05


def test_pvalue_is_the_rank_among_the_draws():
    found = null_test(plain(), planted(spread=0.3), nulls=["permute"], draws=30)
    for score, smaller in (("silhouette_input", False), ("davies_bouldin_input", True)):
        values = found.simulated[score]
        better = values <= found.observed[score] if smaller else values >= found.observed[score]
        assert found.pvalues["permute", score] == pytest.approx((1 + better.sum()) / 31)


def test_workers_and_repetition_change_nothing():
    X = planted(n=60)
    one = null_test(plain(), X, draws=4)
    two = null_test(plain(), X, draws=4, n_jobs=2)
    pd.testing.assert_frame_equal(one.simulated, two.simulated, check_exact=True)
    assert one.summary() == two.summary()


def test_prints_as_a_table():
    text = null_test(plain(), planted(n=60), nulls=["permute"], draws=4).summary()
    assert "silhouette_input (permute)" in text
    assert "4 draws per null" in text
    assert "p-value" in text


def test_the_deep_pipeline_knows_its_own_noise():
    model = deep_clusterer(n_clusters=4, latent_dim=3, schedule="short")
    model.set_params(autoencoder__epochs=10)
    found = null_test(model, np.random.default_rng(0).normal(size=(150, 8)), draws=9)
    # t-SNE makes islands of noise, and the test says that they are nothing.
    assert found.observed["silhouette_embedding"] > 0.3
    assert (found.pvalues.xs("silhouette_embedding", level="score") > 0.1).all()


def test_missing_values_are_imputed_by_the_pipeline():
    X = planted()
    X[::9, 2] = np.nan
    assert null_test(plain(), X, nulls=["copula"], draws=4).observed.notna().all()


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigError, match="permute"):
        null_test(plain(), planted(), nulls=["shuffle"])
    with pytest.raises(ConfigError, match="draws"):
        null_test(plain(), planted(), draws=0)
    with pytest.raises(InputDataError, match="at least 3 rows"):
        null_test(plain(), np.zeros((2, 2)))


LOADINGS = np.array([0.9, 0.7, 0.5, 0.3, -0.6])


def noise(kind, rng, n=80):
    """Return noise that follows a null: independent, correlated with heavy tails, one factor."""
    if kind == "permute":
        return rng.normal(size=(n, 5))
    if kind == "one_factor":
        own = np.sqrt(1 - LOADINGS**2)
        return rng.normal(size=(n, 1)) * LOADINGS + rng.normal(size=(n, 5)) * own
    mix = np.random.default_rng(3).normal(size=(5, 5)) / 2
    return np.sinh(rng.normal(size=(n, 5)) @ mix)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("truth", "kinds"),
    [
        ("permute", ["permute", "copula", "one_factor"]),
        ("copula", ["copula"]),
        ("one_factor", ["one_factor"]),
    ],
)
def test_pvalues_are_uniform_on_noise_that_follows_the_null(truth, kinds):
    rng = np.random.default_rng(0)
    model = make_pipeline(SignedLog(), *[step for _, step in plain(4).steps])
    found = pd.DataFrame(
        [
            null_test(model, noise(truth, rng), nulls=kinds, draws=19, random_state=s).pvalues.xs(
                "silhouette_input", level="score"
            )
            for s in range(200)
        ]
    )
    # p-values lie on a grid of twentieths; spread evenly within each cell.
    spread = found - rng.random(found.shape) / 20
    assert (spread.apply(lambda p: kstest(p, "uniform").pvalue) > 0.01).all()
    assert ((spread <= 0.05).mean() <= 0.1).all()


@pytest.mark.slow
def test_power_on_planted_clusters_is_high_against_every_null():
    found = [
        null_test(plain(4), planted(n=80, k=4, seed=s), draws=19).pvalues.xs(
            "silhouette_input", level="score"
        )
        for s in range(100)
    ]
    assert ((pd.DataFrame(found) <= 0.05).mean() >= 0.95).all()


def test_data_without_clusters_beat_no_draw():
    X = np.random.default_rng(0).normal(size=(60, 4))
    test = null_test(DensityClusterer(min_cluster_size=30), X, nulls=["permute"], draws=3)
    assert (test.labels == -1).all()
    assert test.observed.isna().all()
    assert (test.pvalues == 1.0).all()
    assert test.calibrated.isna().all()
    assert len(test.table()) == 9


def test_a_model_without_a_seed_gets_one():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = KMeans(5, n_init=1)
    one, two = (null_test(model, X, nulls=["permute"], draws=4, n_jobs=j) for j in (1, 2))
    pd.testing.assert_frame_equal(one.simulated, two.simulated)
    assert np.array_equal(one.labels, two.labels)
    assert model.random_state is None


def test_wrong_factors_are_refused():
    X = planted()
    for factor, match in (
        (np.arange(5), "one value per row"),
        (np.ones(len(X)), "two different values"),
        (np.full(len(X), np.nan), "two different values"),
    ):
        with pytest.raises(InputDataError, match=match):
            null_test(plain(), X, nulls=["one_factor"], draws=1, factor=factor)
    with pytest.raises(ConfigError, match="not among the nulls"):
        null_test(plain(), X, nulls=["permute"], draws=1, factor=X[:, 0])
    with pytest.raises(ConfigError, match="list of some"):
        null_test(plain(), X, nulls="permute")
    with pytest.raises(ConfigError, match="named once"):
        null_test(plain(), X, nulls=["permute", "permute"])


def test_rounding_decides_nothing():
    # A single column permuted is the same sample: no draw is worse than the data, or better.
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(60, 1)) + 9.0 * rng.integers(0, 2, 60)[:, None]
        test = null_test(plain(2), X, nulls=["permute"], draws=5)
        assert (test.pvalues == 1.0).all()
        assert test.calibrated.isna().all()
