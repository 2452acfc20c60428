"""Networks of characteristics and of assets."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import spearmanr

from alphastrata.cluster import feature_network, neighbor_network
from alphastrata.errors import ConfigError, InputDataError


@pytest.fixture(scope="module")
def blocks():
    """Three blocks of four characteristics, each driven by one factor."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(300, 3))
    X = np.repeat(factor, 4, axis=1) + 0.6 * rng.normal(size=(300, 12))
    return pd.DataFrame(X, columns=[f"{b}{i}" for b in "abc" for i in range(4)])


def test_associations_are_spearmans(blocks):
    found = feature_network(blocks)
    np.testing.assert_allclose(found.association, spearmanr(blocks)[0], atol=1e-12)


def test_the_tree_is_scipys(blocks):
    found = feature_network(blocks)
    assert len(found.edges) == 11
    distance = 1 - np.abs(spearmanr(blocks)[0]) + 1e-9
    tree = minimum_spanning_tree(np.triu(distance, 1)).toarray() > 0
    rows, columns = np.nonzero(tree)
    names = blocks.columns
    expected = {frozenset((names[i], names[j])) for i, j in zip(rows, columns, strict=True)}
    assert {frozenset(e) for e in found.edges[["source", "target"]].to_numpy()} == expected
    assert found.edges["strength"].is_monotonic_decreasing


@pytest.mark.parametrize("method", ["tree", "backbone"])
def test_communities_are_the_blocks(blocks, method):
    found = feature_network(blocks, method=method, level=0.3)
    first = found.communities.groupby(found.communities.index.str[0]).nunique()
    assert (first == 1).all()
    assert found.communities.nunique() == 3
    assert (found.centrality > 0).all()


@pytest.mark.parametrize("method", ["tree", "backbone"])
def test_joined_features_are_drawn_near_each_other(blocks, method):
    found = feature_network(blocks, method=method)
    assert found.places.index.tolist() == list(blocks.columns)
    assert np.isfinite(found.places.to_numpy()).all()
    gap = np.linalg.norm(found.places.to_numpy()[:, None] - found.places.to_numpy(), axis=2)
    gap = pd.DataFrame(gap, index=blocks.columns, columns=blocks.columns)
    joined = [gap.loc[a, b] for a, b in found.edges[["source", "target"]].to_numpy()]
    assert np.mean(joined) < 0.7 * gap.to_numpy()[np.triu_indices(12, 1)].mean()
    same = feature_network(blocks, method=method).places
    pd.testing.assert_frame_equal(same, found.places, check_exact=True)


def test_neighbours_are_brute_force():
    rng = np.random.default_rng(0)
    places = pd.DataFrame(rng.normal(size=(40, 2)), index=[f"A{i}" for i in range(40)])
    labels = rng.integers(0, 3, 40)
    found = neighbor_network(places, labels, n_neighbors=3)
    gap = np.linalg.norm(places.to_numpy()[:, None] - places.to_numpy()[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    near = np.argsort(gap, axis=1)[:, :3]
    pairs = {frozenset((f"A{i}", f"A{j}")) for i in range(40) for j in near[i]}
    assert {frozenset(e) for e in found.edges[["source", "target"]].to_numpy()} == pairs
    assert found.purity.index.tolist() == [0, 1, 2]
    for cluster in (0, 1, 2):
        own = np.flatnonzero(labels == cluster)
        assert found.purity[cluster] == pytest.approx((labels[near[own]] == cluster).mean())


def test_what_is_not_classified_is_no_cluster():
    places, labels = np.arange(6.0)[:, None], pd.array([0, 0, 0, -1, None, -1], dtype="Int64")
    found = neighbor_network(places, labels, n_neighbors=2)
    assert found.purity.to_dict() == {0: pytest.approx(5 / 6)}
    assert found.edges["inside"].sum() == 3


def test_wrong_arguments_are_refused(blocks):
    with pytest.raises(ConfigError, match="method"):
        feature_network(blocks, method="web")
    with pytest.raises(InputDataError, match="two features"):
        feature_network(blocks[["a0"]])
    with pytest.raises(InputDataError, match="n_neighbors=9"):
        neighbor_network(np.zeros((5, 1)), np.zeros(5), n_neighbors=9)


def test_constant_characteristics_have_no_edge(blocks):
    flat = blocks.assign(flat=1.0)
    found = feature_network(flat)
    assert "flat" not in found.edges[["source", "target"]].to_numpy()
    assert found.communities.value_counts()[found.communities["flat"]] == 1
    pd.testing.assert_frame_equal(found.edges, feature_network(blocks).edges)
    assert feature_network(blocks * 0.0).communities.nunique() == blocks.shape[1]
