"""DEC, IDEC and VaDE: digits, memberships, determinism, failures."""

import pickle

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import DEC, IDEC, Autoencoder, VaDE
from alphastrata.errors import ConfigError, EstimationError

SMALL = {"hidden": (16,), "latent_dim": 3, "pretrain_epochs": 20, "epochs": 15}
ALL = pytest.mark.parametrize("estimator", [DEC, IDEC, VaDE])


@pytest.fixture(scope="module")
def blobs():
    X, labels = make_blobs(240, 8, centers=3, random_state=0)
    return (X - X.mean(0)) / X.std(0), labels


@parametrize_with_checks(
    [
        cls(2, hidden=(8,), latent_dim=2, pretrain_epochs=10, epochs=5, device="cpu")
        for cls in (DEC, IDEC, VaDE)
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@ALL
def test_planted_clusters_and_memberships(estimator, blobs):
    X, labels = blobs
    model = estimator(3, random_state=0, **SMALL).fit(X)
    assert adjusted_rand_score(labels, model.labels_) > 0.95
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert np.array_equal(model.predict(X), model.labels_)
    assert np.array_equal(model.predict_proba(X[7:8]), model.predict_proba(X)[7:8])
    assert model.transform(X).shape == (240, 3)
    assert list(model.log_) == ["epoch", "loss", "changed"]


@ALL
def test_same_seed_same_bits_and_pickle(estimator, blobs):
    X, _ = blobs
    one, two = (estimator(3, random_state=1, **SMALL).fit(X) for _ in range(2))
    assert np.array_equal(one.probabilities_, two.probabilities_)
    assert np.array_equal(pickle.loads(pickle.dumps(one)).predict_proba(X), one.probabilities_)


def test_dec_sharpens_memberships(blobs):
    X, _ = blobs
    model = DEC(3, tol=0.0, random_state=0, **SMALL).fit(X)
    short = DEC(3, random_state=0, **(SMALL | {"epochs": 1})).fit(X)
    assert model.probabilities_.max(1).mean() > short.probabilities_.max(1).mean()


def test_idec_restores_better_than_dec(blobs):
    X, _ = blobs
    settings = SMALL | {"epochs": 40, "tol": 0.0, "random_state": 0}

    def error(model):
        z = model.transform(X).astype(np.float32)
        for k, (weight, bias) in enumerate(model.decoder_):
            z = z @ weight + bias
            z = np.maximum(z, 0) if k < len(model.decoder_) - 1 else z
        return np.mean((z - X) ** 2)

    assert error(IDEC(3, **settings).fit(X)) < error(DEC(3, **settings).fit(X))


def test_vade_mixture_is_a_mixture(blobs):
    X, labels = blobs
    model = VaDE(3, random_state=0, **SMALL).fit(X)
    assert model.weights_.sum() == pytest.approx(1.0)
    assert (model.variances_ > 0).all()
    np.testing.assert_allclose(np.sort(model.weights_), 1 / 3, atol=0.08)


@ALL
def test_wrong_settings_and_too_few_rows(estimator, blobs):
    X, _ = blobs
    with pytest.raises(ConfigError, match="latent_dim"):
        estimator(3, latent_dim=0).fit(X)
    with pytest.raises(ConfigError, match="n_samples=4, n_clusters=6"):
        estimator(6, **SMALL).fit(X[:4])


@ALL
def test_a_loss_that_is_no_number_names_the_epoch(estimator, blobs):
    X, _ = blobs
    with pytest.raises(EstimationError, match="epoch"):
        estimator(3, random_state=0, learning_rate=1e20, **(SMALL | {"tol": 0.0})).fit(X)


@pytest.mark.slow
def test_digits():
    X, digits = load_digits(return_X_y=True)
    X = X / 16
    scores = {"DEC": [], "plain": []}
    for seed in range(3):
        model = DEC(10, random_state=seed).fit(X)
        scores["DEC"].append(normalized_mutual_info_score(digits, model.labels_))
        coder = Autoencoder(
            hidden=(256, 128),
            latent_dim=10,
            activation="relu",
            learning_rate=1e-3,
            epochs=100,
            patience=0,
            noise=0.1,
            random_state=seed,
        )
        plain = KMeans(10, n_init=20, random_state=seed).fit(coder.fit_transform(X)).labels_
        scores["plain"].append(normalized_mutual_info_score(digits, plain))
    assert np.mean(scores["DEC"]) >= 0.76
    assert np.mean(scores["DEC"]) > np.mean(scores["plain"])


@pytest.mark.parametrize(
    ("setting", "value"),
    [("hidden", (0,)), ("hidden", 64), ("device", "tpu"), ("tol", None), ("learning_rate", "a")],
)
@pytest.mark.parametrize("kind", [DEC, IDEC, VaDE])
def test_a_setting_that_cannot_be_is_named(kind, setting, value, blobs):
    with pytest.raises(ConfigError, match=setting):
        kind(2, **(SMALL | {setting: value})).fit(blobs[0])
