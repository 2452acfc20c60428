"""Why a customer is in their segment: Shapley values, rules, networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from alphastrata.cluster import SurrogateTree, surrogate_tree
from alphastrata.cluster.attribution import shapley_values
from alphastrata.core.shown import Shown
from alphastrata.customers.association import (
    AssociationNetwork,
    CustomerNetwork,
    association_matrix,
    association_network,
    customer_network,
)
from alphastrata.customers.profile import SegmentProfiles, profile_segments, readable
from alphastrata.customers.segmentation import Segmentation
from alphastrata.errors import InputDataError

__all__ = ["CustomerShapley", "Explanation", "explain", "segment_rules", "shapley_by_column"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CustomerShapley(Shown):
    """What each column adds to the chance that a customer belongs to each segment.

    Attributes
    ----------
    values : array of shape (customers, columns, segments)
        Over columns they sum to the imitating forest's probability less its base.
    columns, segments : list
    customers : Index
        Keys of the customers explained.
    importance : DataFrame, column x segment
        Mean absolute value, the columns that matter most first.
    fidelity : float
        Share of held-out customers whom the forest gives their own segment.
    """

    values: Array
    columns: list[str]
    segments: list[int]
    customers: pd.Index
    importance: pd.DataFrame
    fidelity: float

    def of_customer(self, key: object, segment: int) -> pd.Series:
        """Return what each column adds to this customer's chance of this segment.

        Raises
        ------
        InputDataError
            If the customer was not among those explained.
        """
        if key not in self.customers or segment not in self.segments:
            raise InputDataError(
                f"Shapley values are there for {len(self.customers)} customers and segments "
                f"{self.segments}; not for customer {key!r} and segment {segment}. "
                "Explain more rows."
            )
        row = list(self.customers).index(key)
        own = self.values[row, :, self.segments.index(segment)]
        out = pd.Series(own, index=self.columns, name=str(key))
        return out.sort_values(key=lambda v: -v.abs(), kind="stable")


@dataclass(frozen=True, eq=False)
class Explanation(Shown):
    """Everything that says what the segments are.

    Attributes
    ----------
    profiles : SegmentProfiles
    columns : AssociationNetwork
    customers : CustomerNetwork or None
        None when there is one segment alone, as are the following.
    shapley : CustomerShapley or None
    tree : SurrogateTree or None
    rules : DataFrame or None
        As `segment_rules` returns them.
    """

    profiles: SegmentProfiles
    columns: AssociationNetwork
    customers: CustomerNetwork | None
    shapley: CustomerShapley | None
    tree: SurrogateTree | None
    rules: pd.DataFrame | None


def explain(
    found: Segmentation, *, shapley_rows: int = 500, network_rows: int = 400, max_depth: int = 4
) -> Explanation:
    """Return what the segments are and why: profiles, Shapley values, rules and networks.

    Parameters
    ----------
    found : Segmentation
    shapley_rows : int
        Customers who are explained one by one, from those on whom the segments were learned.
    network_rows : int
        Customers in the drawn network.
    max_depth : int
        Depth of the tree of rules.

    Raises
    ------
    ConfigError
        If shap or networkx is not installed.

    Examples
    --------
    >>> from alphastrata.customers import Effort, make_table, segment, simulate
    >>> table = make_table(simulate(300, seed=1).customers)
    >>> found = segment(table, n_segments=2, effort=Effort(draws=4, repeats=1, k_max=3))
    >>> explain(found, shapley_rows=60, network_rows=60).shapley.values.shape[0]
    60
    """
    profiles = profile_segments(found)
    learned = _unique(found.sample)
    features = found.table.features().iloc[learned]
    columns = association_network(association_matrix(features.iloc[:4_000]))
    labels = found.labels.to_numpy()[learned]
    if len(np.unique(labels[labels > 0])) < 2:
        return Explanation(profiles, columns, None, None, None, None)
    kept = labels > 0
    few = np.flatnonzero(kept)[:network_rows]
    coordinates = found.model.coordinates(features.iloc[few])
    readable_columns = readable_frame(features)
    tree = surrogate_tree(readable_columns[kept], labels[kept], max_depth=max_depth)
    return Explanation(
        profiles=profiles,
        columns=columns,
        customers=customer_network(coordinates, labels[few]),
        shapley=shapley_by_column(found, rows=shapley_rows),
        tree=tree,
        rules=segment_rules(
            tree.tree, readable_columns[kept], labels[kept], levels=_levels(features)
        ),
    )


def _levels(features: pd.DataFrame) -> dict[str, list[str]]:
    return {
        str(c): list(features[c].cat.categories)
        for c in features
        if isinstance(features[c].dtype, pd.CategoricalDtype) and features[c].cat.ordered
    }


def _unique(sample: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions once each, in their order."""
    _, first = np.unique(sample, return_index=True)
    return np.asarray(sample[np.sort(first)], dtype=np.int64)


def shapley_by_column(found: Segmentation, *, rows: int = 500) -> CustomerShapley:
    """Return Shapley values per column: those of the columns of a nominal variable added up.

    Parameters
    ----------
    found : Segmentation
        Of at least two segments.
    rows : int
        Customers who are explained, from those on whom the segments were learned.

    Notes
    -----
    The values belong to a random forest that imitates the assignment; ``fidelity`` says how well
    it does on customers whom it has not seen. Shapley values are additive, so that the sum over
    the columns of a variable is the value of the variable as a block.
    """
    learned = _unique(found.sample)
    learned = learned[found.labels.to_numpy()[learned] > 0][:rows]
    labels = found.labels.to_numpy()[learned]
    counts = np.bincount(labels)
    learned = learned[counts[labels] >= 2]
    labels = found.labels.to_numpy()[learned]
    frame = found.table.features().iloc[learned]
    model = found.model.preprocessor
    Z = pd.DataFrame(model.transform(frame), columns=model.get_feature_names_out())
    forest = shapley_values(Z, labels)
    blocks = model.raw_blocks_ if not model.turns_ else model.blocks_
    values = np.stack([forest.values[:, b.start : b.stop].sum(axis=1) for b in blocks], axis=1)
    names = [b.name for b in blocks]
    segments = [int(k) for k in np.unique(labels)]
    importance = pd.DataFrame(np.abs(values).mean(axis=0), index=names, columns=segments)
    order = importance.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return CustomerShapley(
        values=values,
        columns=names,
        segments=segments,
        customers=frame.index,
        importance=importance.loc[order],
        fidelity=forest.fidelity,
    )


def readable_frame(features: pd.DataFrame) -> pd.DataFrame:
    """Return columns in which rules can be read: numbers, level numbers, one yes-no per level.

    Examples
    --------
    >>> frame = pd.DataFrame({"job": pd.Categorical(["a", "b"])})
    >>> readable_frame(frame).columns.tolist()
    ['job = a', 'job = b']
    """
    out: dict[str, Array] = {}
    for name in features.columns:
        column = features[name]
        if not isinstance(column.dtype, pd.CategoricalDtype):
            out[str(name)] = column.to_numpy(dtype=np.float64)
        elif column.dtype.ordered:
            codes = np.asarray(column.cat.codes, dtype=np.float64)
            out[str(name)] = np.where(codes < 0, np.nan, codes)
        else:
            known = column.notna().to_numpy()
            for level in column.cat.categories:
                yes = (column == level).to_numpy().astype(np.float64)
                out[f"{name} = {level}"] = np.where(known, yes, np.nan)
    return pd.DataFrame(out, index=features.index)


def segment_rules(
    tree: DecisionTreeClassifier,
    X: pd.DataFrame,
    labels: NDArray[np.int64],
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Return for each segment the one rule of the tree that holds most of it.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        Fitted to ``X`` and ``labels``, such as ``surrogate_tree(...).tree``.
    X : DataFrame
        As `readable_frame` returns it.
    labels : int array
    levels : mapping, optional
        Ordered column -> its levels, so that rules name levels and not their numbers.

    Returns
    -------
    DataFrame
        Index: segment. ``rule`` (conditions joined by "and"), ``precision`` (share of those who
        fit the rule that are in the segment) and ``coverage`` (share of the segment that fits).
        Segments that the tree never names are left out.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [20.0, 25.0, 60.0, 65.0]})
    >>> tree = DecisionTreeClassifier().fit(X, [1, 1, 2, 2])
    >>> segment_rules(tree, X, np.array([1, 1, 2, 2]))["rule"].tolist()
    ['age <= 42.5', 'age > 42.5']
    """
    leaves = np.asarray(tree.apply(X))
    paths = _paths(tree, [str(c) for c in X.columns], levels or {})
    rows = {}
    for k in np.unique(labels):
        best: tuple[float, int] | None = None
        for leaf in np.unique(leaves[labels == k]):
            inside = leaves == leaf
            named = int(tree.classes_[tree.tree_.value[leaf, 0].argmax()])
            hits = int((labels[inside] == k).sum())
            if named == k and (best is None or hits > best[0]):
                best = (hits, int(leaf))
        if best is not None:
            inside = leaves == best[1]
            rows[int(k)] = {
                "rule": " and ".join(paths[best[1]]) or "everybody",
                "precision": best[0] / int(inside.sum()),
                "coverage": best[0] / int((labels == k).sum()),
            }
    columns = ["rule", "precision", "coverage"]
    return (
        pd.DataFrame(rows, index=columns)
        .T.rename_axis("segment")
        .astype({"precision": "float64", "coverage": "float64"})
    )


def _paths(
    tree: DecisionTreeClassifier, names: list[str], levels: Mapping[str, Sequence[str]]
) -> dict[int, list[str]]:
    """Return the conditions that lead to each leaf; of several on one column, the tightest."""
    inner = tree.tree_
    out: dict[int, list[str]] = {}
    stack: list[tuple[int, dict[tuple[str, str], float]]] = [(0, {})]
    while stack:
        node, limits = stack.pop()
        left, right = int(inner.children_left[node]), int(inner.children_right[node])
        if left == right:
            out[node] = [_condition(n, sign, v, levels) for (n, sign), v in limits.items()]
            continue
        name, cut = names[int(inner.feature[node])], float(inner.threshold[node])
        below, above = (name, "<="), (name, ">")
        stack.append((left, limits | {below: min(cut, limits.get(below, np.inf))}))
        stack.append((right, limits | {above: max(cut, limits.get(above, -np.inf))}))
    return out


def _condition(name: str, sign: str, cut: float, levels: Mapping[str, Sequence[str]]) -> str:
    plain = name.replace("_", " ")
    if not np.isfinite(cut):
        # The tree sends missing values to one side of their own.
        return f"{plain} is {'known' if sign == '<=' else 'missing'}"
    if " = " in name:
        return plain if sign == ">" else plain.replace(" = ", " is not ")
    if name in levels:
        at_most = levels[name][int(np.floor(cut))]
        return f"{plain} is {'at most' if sign == '<=' else 'above'} {at_most!r}"
    return f"{plain} {sign} {readable(cut)}"
