"""Profiles against pandas, names that are unique, trees that collapse on shuffled labels."""

import numpy as np
import pandas as pd
import pytest

from alphastrata.cluster import boxes, name_clusters, profiles, surrogate_tree
from alphastrata.errors import InputDataError


@pytest.fixture
def planted():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    X = pd.DataFrame(rng.normal(size=(400, 5)), columns=list("abcde"))
    X["a"] += 4 * (labels % 2)
    X["b"] += 4 * (labels // 2)
    return X, labels


def test_profiles_are_pandas(planted):
    X, labels = planted
    got = profiles(X, X, labels)
    pd.testing.assert_frame_equal(
        got["mean"], X.groupby(labels).mean(), check_names=False, check_index_type=False
    )
    z = (X - X.mean()) / X.std(ddof=0)
    pd.testing.assert_frame_equal(got["median_z"], z.groupby(labels).median(), check_names=False)
    assert set(got.columns.get_level_values(0)) == {
        "mean",
        "median",
        "std",
        "mean_z",
        "median_z",
        "std_z",
    }
    with pytest.raises(InputDataError, match="one label per row"):
        profiles(X, X, labels[:5])
    with pytest.raises(InputDataError, match="same rows"):
        profiles(X, X[:5], labels)


def test_profiles_leave_noise_out(planted):
    X, labels = planted
    labels = np.where(labels == 3, -1, labels)
    assert profiles(X, X, labels).index.tolist() == [0, 1, 2]


def test_names_follow_the_rule():
    means = pd.DataFrame(
        {"log_market_cap": [-1.0, 2.0, 0.1], "leverage": [0.8, 0.1, -0.2], "odd_one": [0, 0.6, 0]},
        index=[1, 2, 3],
    )
    assert name_clusters(means) == {
        1: "small, highly levered",
        2: "very large, high odd one",
        3: "average",
    }


def test_names_are_always_unique():
    means = pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [0.0, 0.0, 0.2]}, index=[1, 2, 3])
    names = name_clusters(means)
    assert len(set(names.values())) == 3
    assert all(name.startswith("high a") for name in names.values())


def test_a_tree_finds_planted_rules(planted):
    X, labels = planted
    tree = surrogate_tree(X, labels, max_depth=2)
    assert tree.fidelity > 0.9
    assert set(tree.importance.nlargest(2).index) == {"a", "b"}
    assert "a <=" in tree.rules


def test_fidelity_collapses_on_shuffled_labels(planted):
    X, labels = planted
    tree = surrogate_tree(X, np.random.default_rng(1).permutation(labels))
    assert tree.fidelity < tree.chance + 0.1


def test_a_tree_needs_two_clusters(planted):
    X, labels = planted
    with pytest.raises(InputDataError, match="two clusters"):
        surrogate_tree(X, np.zeros_like(labels))


def test_fidelity_on_shuffled_labels_is_chance_and_stands_beside_the_fidelity(planted):
    X, labels = planted
    tree = surrogate_tree(X, labels, max_depth=2, shuffles=5)
    assert tree.fidelity > 0.9
    assert abs(tree.shuffled - tree.chance) < 0.08
    assert np.isnan(surrogate_tree(X, labels, shuffles=0).shuffled)


def test_the_nodes_of_the_tree_are_scikit_learns(planted):
    X, labels = planted
    found = surrogate_tree(X, labels, max_depth=3)
    nodes, inner = found.nodes, found.tree.tree_
    leaf_of_row = found.tree.apply(X)
    rows = pd.Series(leaf_of_row).value_counts()
    leaves = nodes[nodes["feature"] == ""]
    assert leaves["rows"].to_dict() == rows.to_dict()
    assert (nodes["rows"] == inner.n_node_samples).all()
    for leaf, own in leaves.iterrows():
        members = labels[leaf_of_row == leaf]
        assert own["cluster"] == np.bincount(members).argmax()
        assert own["share"] == pytest.approx((members == own["cluster"]).mean())
    assert nodes.loc[0, ["parent", "side"]].tolist() == [-1, ""]


def test_the_rules_of_the_leaves_select_their_rows(planted):
    X, labels = planted
    leaves = surrogate_tree(X, labels, max_depth=3).leaves
    assert leaves["rows"].sum() == len(X)
    for leaf in leaves.itertuples():
        parts = [X.eval(part) for part in leaf.rule.split(" and ")]
        # Bounds are written with three digits, so a row or two may fall on the other side.
        assert abs(np.all(parts, axis=0).sum() - leaf.rows) <= 4


def test_box_plots_are_pandas_quantiles(planted):
    X, labels = planted
    got = boxes(X, np.where(labels == 3, -1, labels))
    z = ((X - X.mean()) / X.std(ddof=0))[labels != 3]
    expected = z.groupby(labels[labels != 3]).quantile(0.25)
    assert got.index.get_level_values("feature").unique().tolist() == list("abcde")
    for cluster in range(3):
        np.testing.assert_allclose(
            got["q1"].xs(cluster, level="cluster"), expected.loc[cluster], atol=1e-12
        )
    with pytest.raises(InputDataError, match="one label per row"):
        boxes(X, labels[:4])


def test_profiles_leave_out_what_is_missing(planted):
    X, labels = planted
    holes = X.mask(np.random.default_rng(0).random(X.shape) < 0.2)
    got = profiles(holes, holes, labels)
    z = (holes - holes.mean()) / holes.std(ddof=0)
    pd.testing.assert_frame_equal(
        got["mean_z"], z.groupby(labels).mean(), check_names=False, check_index_type=False
    )
    flat = X.assign(flat=1.0)
    assert (profiles(flat, flat, labels)["mean_z", "flat"] == 0.0).all()


@pytest.mark.parametrize("n", [60, 127, 128, 300])
def test_what_is_constant_describes_no_cluster(n):
    # The deviation of so many equal values is rounding, and not always zero.
    flat = pd.DataFrame({"a": np.arange(float(n)), "b": np.full(n, 0.1), "c": np.full(n, 1e9 / 3)})
    labels = np.arange(n) % 2
    look = profiles(flat, flat, labels)
    assert (look[["mean_z", "std_z"]].drop(columns="a", level="feature") == 0.0).all().all()
    assert (boxes(flat, labels).loc[["b", "c"]] == 0.0).all().all()
    assert set(name_clusters(look["mean_z"][["b", "c"]]).values()) == {"average (1)", "average (2)"}
