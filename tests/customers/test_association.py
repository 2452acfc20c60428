from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from scipy.stats.contingency import association

from alphastrata.customers import association_matrix, association_network, customer_network
from alphastrata.customers.association import correlation_ratio, cramers_v
from alphastrata.errors import ConfigError, InputDataError


def test_numbers_are_spearmans(table):
    matrix = association_matrix(table.features())
    pair = table.frame[["age", "stock_balance"]].dropna()
    expected = abs(spearmanr(pair["age"], pair["stock_balance"]).statistic)
    assert matrix.loc["age", "stock_balance"] == pytest.approx(expected, abs=1e-12)


def test_cramers_v_near_scipys_and_unbiased():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 4_000)
    b = np.where(rng.random(4_000) < 0.5, a, rng.integers(0, 4, 4_000))
    expected = association(pd.crosstab(a, b).to_numpy(), method="cramer")
    assert cramers_v(a, b) == pytest.approx(expected, abs=0.002)
    independent = [cramers_v(rng.integers(0, 5, 200), rng.integers(0, 5, 200)) for _ in range(100)]
    assert np.mean(np.square(independent)) < 0.01
    assert np.median(independent) < 0.06


def test_correlation_ratio_by_hand():
    codes, values = np.array([0, 0, 1, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    within, total = 0.5 + 2.0, 10.0
    assert correlation_ratio(codes, values) == pytest.approx(np.sqrt(1 - within / total * 4 / 3))


def test_matrix_is_symmetric_and_finds_what_belongs_together(table):
    matrix = association_matrix(table.features())
    assert np.allclose(matrix, matrix.T)
    assert np.diag(matrix).tolist() == [1.0] * len(matrix)
    assert matrix.to_numpy().min() >= 0
    assert matrix.to_numpy().max() <= 1
    assert matrix.loc["occupation", "age"] > 0.5 > 0.2 > matrix.loc["occupation", "noise_1"]


def test_order_of_rows_does_not_matter(table):
    frame = table.features()
    shuffled = association_matrix(frame.sample(frac=1, random_state=0))
    assert np.allclose(shuffled, association_matrix(frame), atol=1e-12)


def test_tree_spans_and_noise_stands_apart(table):
    network = association_network(association_matrix(table.features()))
    assert len(network.edges) == len(network.matrix) - 1
    community = network.communities
    assert community["age"] != community["noise_1"]
    assert network.places.notna().all().all()
    backbone = association_network(network.matrix, method="backbone")
    assert len(backbone.edges) < len(network.matrix) * 3
    with pytest.raises(ConfigError, match='"tree" or "backbone"'):
        association_network(network.matrix, method="circle")
    with pytest.raises(InputDataError, match="at least two columns"):
        association_network(network.matrix.iloc[:1, :1])


def test_neighbours_share_their_segment():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 9])
    network = customer_network(X, np.repeat([1, 2], 30))
    assert network.purity.tolist() == [1.0, 1.0]
    assert len(network.nodes) == 60
