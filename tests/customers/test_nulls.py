from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from alphastrata.customers import MixedPreprocessor
from alphastrata.customers.nulls import MixedNull


@pytest.fixture(scope="module")
def prepared(table):
    model = MixedPreprocessor()
    return model.fit_transform(table.features()), model.blocks_


def test_margins_and_correlations_are_kept(prepared):
    Z, blocks = prepared
    drawn = MixedNull(Z, blocks).draw(np.random.default_rng(0))
    for block in blocks:
        own, other = Z[:, block.start : block.stop], drawn[:, block.start : block.stop]
        if block.kind == "nominal":
            assert np.abs((own != 0).mean() - (other != 0).mean()) < 0.05
            assert np.abs(own.argmax(1).mean() - other.argmax(1).mean()) < 0.35
        else:
            assert np.array_equal(np.sort(own, axis=0), np.sort(other, axis=0))
    gap = np.corrcoef(drawn.T) - np.corrcoef(Z.T)
    noise = 1 / np.sqrt(len(Z))
    assert np.abs(gap).mean() < 1.5 * noise


def test_there_are_no_segments_in_it(prepared):
    Z, blocks = prepared
    null = MixedNull(Z, blocks)
    labels = KMeans(5, n_init=3, random_state=0).fit_predict(Z)
    draws = [null.draw(np.random.default_rng(i)) for i in range(4)]
    found = [silhouette_score(d, KMeans(5, n_init=3, random_state=0).fit_predict(d)) for d in draws]
    assert silhouette_score(Z, labels) > max(found) + 0.02


def test_same_seed_same_bits(prepared):
    Z, blocks = prepared
    one, two = (MixedNull(Z, blocks, seed=4).draw(np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, two)
