from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone

from alphastrata.cluster.mixed_autoencoder import Block, MixedAutoencoder, _MixedError
from alphastrata.errors import ConfigError

BLOCKS = (Block("a", "numeric", 0, 1), Block("b", "numeric", 1, 2), Block("c", "nominal", 2, 5))


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    numbers = group[:, None] + 0.3 * rng.normal(size=(n, 2))
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    return np.c_[numbers, np.eye(3)[group]], group


def test_loss_by_hand():
    target = torch.tensor([[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0]])
    restored = torch.tensor([[0.0, 0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 9.0, 9.0, 0.0]])
    nominal = -np.log(np.exp(2) / (np.exp(2) + 2)) / np.log(3)
    expected = (0.5 + 2.0 + nominal) / 3
    assert float(_MixedError(BLOCKS)(restored, target)) == pytest.approx(expected, rel=1e-6)


def test_a_network_that_knows_nothing_scores_one():
    X, _ = rows(5_000)
    nothing = torch.zeros(X.shape)
    loss = float(_MixedError(BLOCKS)(nothing, torch.tensor(X, dtype=torch.float32)))
    assert loss == pytest.approx(1.0, abs=0.01)


def test_levels_come_back():
    X, group = rows()
    model = MixedAutoencoder(blocks=BLOCKS, latent_dim=2, epochs=60, random_state=0).fit(X)
    restored = model.inverse_transform(model.transform(X))[:, 2:].argmax(axis=1)
    assert (restored == group).mean() > 0.97
    assert model.log_["held_out"].min() < 0.3


def test_same_seed_same_bits_and_clone():
    X, _ = rows(100)
    model = MixedAutoencoder(blocks=BLOCKS, latent_dim=2, epochs=3, random_state=1)
    assert np.array_equal(model.fit_transform(X), clone(model).fit_transform(X))


@pytest.mark.parametrize("blocks", [(), BLOCKS[:2], BLOCKS[1:], (Block("a", "other", 0, 5),)])
def test_blocks_must_cover_the_columns(blocks):
    with pytest.raises(ConfigError, match="blocks of a mixed autoencoder"):
        MixedAutoencoder(blocks=blocks, latent_dim=2, epochs=1).fit(rows(50)[0])
