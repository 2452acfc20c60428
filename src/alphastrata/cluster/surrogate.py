"""A shallow tree that imitates a clustering, and how well it does on assets it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, export_text

from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["SurrogateTree", "surrogate_tree"]

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class SurrogateTree(Shown):
    """A shallow decision tree that imitates a clustering.

    Attributes
    ----------
    fidelity : float
        Share of held-out rows to which the tree gives the cluster's own label.
    chance : float
        The same for always naming the largest cluster.
    shuffled : float
        Mean fidelity on held-out rows of trees that were grown on shuffled labels: what a tree of
        this depth makes of labels that say nothing. Missing where no shuffle was asked for.
    rules : str
        The tree as text, fitted on all rows.
    nodes : DataFrame indexed by node
        Columns parent (-1 for the root), side ("" for the root, otherwise "yes" or "no", whether
        the parent's question is answered so), feature and threshold of the question
        "feature <= threshold" ("" and missing in a leaf), cluster (the most frequent one), rows,
        and share (of the rows, those of that cluster).
    leaves : DataFrame
        One row per leaf, from yes to no: rule (the way there as text), cluster, rows, share.
    importance : Series
        Feature -> share of the tree's gain in purity.
    tree : DecisionTreeClassifier
        The fitted tree.
    """

    fidelity: float
    chance: float
    shuffled: float
    rules: str
    nodes: pd.DataFrame
    leaves: pd.DataFrame
    importance: pd.Series
    tree: DecisionTreeClassifier


def surrogate_tree(
    X: pd.DataFrame | ArrayLike,
    labels: ArrayLike,
    *,
    max_depth: int = 4,
    folds: int = 5,
    shuffles: int = 1,
    random_state: int = 0,
) -> SurrogateTree:
    """Return a shallow tree that imitates ``labels``, with its fidelity on held-out rows.

    Parameters
    ----------
    X : DataFrame or array, rows x features
        Features in the units in which rules should read; missing values are handled by the tree.
    labels : int array of shape (rows,)
        Clusters; rows with a negative or a missing label are left out, and so is a cluster of one
        row, which cannot be both learned and held out. ``nodes`` begins with how many are left.
    max_depth : int
        Depth of the tree, at least 1.
    folds : int
        At least 2; each row is predicted by a tree that was fitted without its fold; lowered to
        the size of the smallest cluster.
    shuffles : int
        How often the labels are shuffled for the fidelity on labels that say nothing.
    random_state : int
        Seed of the folds, of the shuffles and of ties in the tree.

    Raises
    ------
    ConfigError
        If a number is out of range.
    InputDataError
        If the features are no matrix of numbers, there is not one label per row, or fewer than two
        clusters have two members.

    Examples
    --------
    >>> X = pd.DataFrame({"size": np.r_[np.zeros(20), np.ones(20)]})
    >>> found = surrogate_tree(X, np.repeat([0, 1], 20))
    >>> found.fidelity, found.leaves["rule"].tolist()
    (1.0, ['size <= 0.5', 'size > 0.5'])
    """
    if max_depth < 1 or folds < 2 or shuffles < 0:
        raise ConfigError(
            f"A surrogate tree needs a depth of at least 1, two folds and no negative shuffles; "
            f"got {max_depth}, {folds} and {shuffles}."
        )
    X = read_features(X, "surrogate_tree")
    codes = read_labels(labels, len(X), "surrogate_tree")
    kept = codes >= 0
    found, counts = np.unique(codes[kept], return_counts=True)
    large = found[counts >= 2]
    if len(large) < 2:
        raise InputDataError(
            f"A surrogate tree needs two clusters of at least two rows; got {len(large)}."
        )
    kept &= np.isin(codes, large)
    rows, own = X[kept], codes[kept]
    tree = DecisionTreeClassifier(
        max_depth=max_depth, min_samples_leaf=max(1, len(rows) // 200), random_state=random_state
    )
    split = StratifiedKFold(
        min(folds, int(counts[counts >= 2].min())), shuffle=True, random_state=random_state
    )
    rng = np.random.default_rng(random_state)
    noise = [_fidelity(tree, rows, rng.permutation(own), split) for _ in range(shuffles)]
    fidelity = _fidelity(tree, rows, own, split)
    tree.fit(rows, own)
    names = [str(c) for c in X.columns]
    nodes = _nodes(tree, names)
    return SurrogateTree(
        fidelity=fidelity,
        chance=float(counts.max() / counts.sum()),
        shuffled=float(np.mean(noise)) if noise else float("nan"),
        rules=export_text(tree, feature_names=names),
        nodes=nodes,
        leaves=_leaves(nodes),
        importance=pd.Series(tree.feature_importances_, index=names, name="importance"),
        tree=tree,
    )


def _fidelity(
    tree: DecisionTreeClassifier, rows: pd.DataFrame, labels: Labels, split: StratifiedKFold
) -> float:
    """Return the share of held-out rows that trees grown on the other folds get right."""
    held_out = cross_val_predict(tree, rows, labels, cv=split)
    return float((held_out == labels).mean())


def _nodes(tree: DecisionTreeClassifier, names: list[str]) -> pd.DataFrame:
    """Return the nodes of a fitted tree, in the order in which it lists them."""
    inner = tree.tree_
    n = inner.node_count
    parent, side = np.full(n, -1), np.full(n, "", dtype=object)
    for node in range(n):
        for child, answer in (
            (inner.children_left[node], "yes"),
            (inner.children_right[node], "no"),
        ):
            if child >= 0:
                parent[child], side[child] = node, answer
    split = inner.children_left >= 0
    shares = inner.value[:, 0, :]
    largest = shares.argmax(axis=1)
    return pd.DataFrame(
        {
            "parent": parent,
            "side": side,
            "feature": [names[f] if is_split else "" for f, is_split in zip(inner.feature, split)],
            "threshold": np.where(split, inner.threshold, np.nan),
            "cluster": tree.classes_[largest],
            "rows": inner.n_node_samples,
            "share": shares[np.arange(n), largest] / shares.sum(axis=1),
        },
        index=pd.RangeIndex(n, name="node"),
    )


def _leaves(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per leaf with the way there: for each feature its bounds, in the end."""
    columns = ("parent", "side", "feature", "threshold", "cluster", "rows", "share")
    parent, side, feature, threshold, cluster, rows, share = (nodes[c].tolist() for c in columns)
    out = []
    for leaf in (node for node, name in enumerate(feature) if not name):
        low: dict[str, float] = {}
        high: dict[str, float] = {}
        asked: list[str] = []
        node = leaf
        while (above := parent[node]) >= 0:
            # From the leaf upwards, the first bound met on either side is the tightest one.
            bounds = high if side[node] == "yes" else low
            bounds.setdefault(feature[above], threshold[above])
            asked.append(feature[above])
            node = above
        order = dict.fromkeys(reversed(asked))
        words = [_bounds(name, low.get(name), high.get(name)) for name in order]
        out.append((" and ".join(words), cluster[leaf], rows[leaf], share[leaf]))
    return pd.DataFrame(out, columns=["rule", "cluster", "rows", "share"])


def _bounds(feature: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{feature} <= {high:.3g}"
    return f"{feature} > {low:.3g}" if high is None else f"{low:.3g} < {feature} <= {high:.3g}"
