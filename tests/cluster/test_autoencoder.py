"""The autoencoder: what it learns, that it is reproducible, and how it fails."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import Autoencoder
from alphastrata.cluster.autoencoder import apply_layers
from alphastrata.cluster.training import ACTIVATIONS, pick_device
from alphastrata.errors import ConfigError, EstimationError, InputDataError


@pytest.fixture(scope="module")
def X():  # noqa: N802
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, size=(400, 2))
    lift = np.column_stack([t, t**2, t[:, :1] * t[:, 1:], np.sin(3 * t)])
    return (lift - lift.mean(0)) / lift.std(0) + 0.01 * rng.normal(size=lift.shape)


@parametrize_with_checks([Autoencoder(device="cpu", epochs=15)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_beats_principal_components_on_a_curved_surface(X):
    model = Autoencoder(latent_dim=2, epochs=200, patience=50, random_state=0).fit(X)
    pca = PCA(2).fit(X)
    linear = np.mean((pca.inverse_transform(pca.transform(X)) - X) ** 2)
    assert -model.score(X) < 0.5 * linear


def test_same_seed_same_bits_and_another_seed_others(X):
    one, two = (Autoencoder(epochs=4, random_state=3).fit_transform(X) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, Autoencoder(epochs=4, random_state=4).fit_transform(X))


def test_bits_do_not_depend_on_threads_or_on_where_the_array_lies(X):
    before = torch.get_num_threads()
    one = Autoencoder(epochs=3, random_state=0).fit_transform(X)
    buffer = np.empty(X.size + 1)
    shifted = buffer[1:].reshape(X.shape)
    shifted[:] = X
    try:
        torch.set_num_threads(2)
        two = Autoencoder(epochs=3, random_state=0).fit_transform(shifted)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(one, two)


def test_a_row_is_embedded_alike_whichever_rows_come_with_it(X):
    model = Autoencoder(epochs=3, random_state=0).fit(X)
    whole = model.transform(X)
    for rows in ([7], [7, 3], list(range(250, 7, -1)), [7] * 33):
        assert np.array_equal(model.transform(X[rows]), whole[rows])


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_kernel_is_torchs_forward_pass(X, activation):
    model = Autoencoder(activation=activation, epochs=2, random_state=0).fit(X)
    h = torch.from_numpy(X)
    for k, (weight, bias) in enumerate(model.encoder_):
        h = h @ torch.from_numpy(weight.astype(np.float64)) + torch.from_numpy(bias)
        if k < len(model.encoder_) - 1:
            h = ACTIVATIONS[activation](h)
    np.testing.assert_allclose(model.transform(X), h.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(apply_layers(X, model.encoder_, activation), model.transform(X))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "lbfgs"])
def test_every_optimizer_lowers_the_loss(X, optimizer):
    model = Autoencoder(optimizer=optimizer, epochs=8, weight_decay=1e-4, random_state=0).fit(X)
    assert model.log_["train"].iloc[-1] < model.log_["train"].iloc[0]
    assert list(model.log_) == ["epoch", "train", "held_out"]


def test_depth_and_width_follow_the_settings(X):
    model = Autoencoder(hidden=(10, 6, 5), latent_dim=3, epochs=1, random_state=0).fit(X)
    assert [w.shape for w, _ in model.encoder_] == [(8 - 1, 10), (10, 6), (6, 5), (5, 3)]
    assert [w.shape for w, _ in model.decoder_] == [(3, 5), (5, 6), (6, 10), (10, 7)]
    assert model.get_feature_names_out().tolist() == [f"autoencoder{i}" for i in range(3)]


def test_early_stopping_keeps_the_best_epoch():
    noise = np.random.default_rng(0).normal(size=(80, 6))
    model = Autoencoder(
        latent_dim=5, epochs=400, patience=5, learning_rate=0.03, random_state=0
    ).fit(noise)
    log = model.log_
    assert len(log) < 400
    assert log["held_out"].idxmin() + 1 == model.best_epoch_ == len(log) - 5


def test_denoising_smooths(X):
    clean = Autoencoder(epochs=5, random_state=0).fit_transform(X)
    assert not np.array_equal(
        clean, Autoencoder(epochs=5, noise=0.3, random_state=0).fit_transform(X)
    )


def test_warm_start_goes_on_from_the_weights(X):
    model = Autoencoder(epochs=30, warm_start=True, random_state=0).fit(X)
    first = model.log_["train"].iloc[0]
    model.set_params(epochs=1).fit(X)
    assert model.log_["train"].iloc[0] < 0.5 * first


def test_a_loss_that_is_no_number_names_the_epoch(X):
    with pytest.raises(EstimationError, match=r"at epoch \d+ of 50.*Lower learning_rate"):
        Autoencoder(optimizer="sgd", learning_rate=1e8, epochs=50, random_state=0).fit(X)


def test_all_wrong_settings_are_named_together(X):
    with pytest.raises(ConfigError) as caught:
        Autoencoder(activation="step", optimizer="magic", latent_dim=0, noise=-1).fit(X)
    for word in ("activation", "optimizer", "latent_dim", "noise"):
        assert word in str(caught.value)


def test_survives_pickle_clone_and_disk(X, tmp_path):
    model = Autoencoder(epochs=2, random_state=0).fit(X)
    model.save(tmp_path / "model")
    loaded = Autoencoder.load(tmp_path / "model")
    for other in (pickle.loads(pickle.dumps(model)), loaded):
        assert np.array_equal(other.transform(X), model.transform(X))
        assert np.array_equal(
            other.inverse_transform(np.zeros((1, 8))), model.inverse_transform(np.zeros((1, 8)))
        )
    assert loaded.get_params() == model.get_params()
    assert loaded.log_.equals(model.log_)
    assert not hasattr(clone(model), "encoder_")
    (tmp_path / "model" / "weights.safetensors").unlink()
    with pytest.raises(InputDataError, match=r"weights\.safetensors"):
        Autoencoder.load(tmp_path / "model")


@pytest.mark.parametrize("there", [False, True])
def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert pick_device("auto") == ("cuda" if there else "cpu")
    assert pick_device("cpu") == "cpu"


def test_a_gpu_that_is_not_there_is_refused(X, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch finds none"):
        Autoencoder(device="cuda").fit(X)


def test_the_fitted_model_says_where_it_was_trained(X):
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert Autoencoder(epochs=1, random_state=0).fit(X).device_ == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_within_tolerance(X):
    one, two = (
        Autoencoder(epochs=20, device=device, random_state=0).fit(X) for device in ("cpu", "cuda")
    )
    assert two.score(X) == pytest.approx(one.score(X), rel=0.05)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("hidden", odd) for odd in ((0,), (-1,), (2.5,), 64, "64", None)),
        *(("device", odd) for odd in ("tpu", None, 0)),
        *(("learning_rate", odd) for odd in ("fast", None, 0.0, float("nan"), float("inf"))),
        *(("noise", odd) for odd in ("a", -1.0)),
        *(("validation_fraction", odd) for odd in (1.0, None)),
        *(("latent_dim", odd) for odd in (True, 2.0)),
    ],
)
def test_a_setting_that_cannot_be_is_named(X, setting, value):
    with pytest.raises(ConfigError, match=setting):
        Autoencoder(epochs=1, **{setting: value}).fit(X)


def test_settings_from_a_grid_of_numpys_are_saved(X, tmp_path):
    model = Autoencoder(hidden=(np.int64(4),), epochs=np.int64(1), noise=np.float64(0.1)).fit(X)
    model.save(tmp_path)
    assert Autoencoder.load(tmp_path).get_params()["hidden"] == (4,)
