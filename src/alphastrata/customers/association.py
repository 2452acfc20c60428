"""Which columns go together, whatever their kinds, and which customers do: two networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from alphastrata.cluster.networks import neighbor_network
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = [
    "AssociationNetwork",
    "CustomerNetwork",
    "association_matrix",
    "association_network",
    "customer_network",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def association_matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the strength of association between columns of any kinds, 0 to 1.

    Parameters
    ----------
    frame : DataFrame
        float64 columns, ordered and unordered Categorical columns; missing values are left out
        pair by pair.

    Returns
    -------
    DataFrame
        Square, ones on the diagonal. Numbers and ordered levels: the absolute rank correlation of
        Spearman. Two nominal columns: Cramér's V, corrected for its bias. A nominal column and
        numbers: the correlation ratio of the ranks, corrected for the number of levels.

    References
    ----------
    Bergsma, W. (2013), "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean
    Statistical Society 42. Fisher, R. (1925), "Statistical Methods for Research Workers" (the
    correlation ratio); Kelley, T. (1935), PNAS 21 (its correction).

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 4, 3]})
    >>> float(association_matrix(frame).loc["a", "b"])
    0.6
    """
    names = [str(c) for c in frame.columns]
    codes = {c: np.asarray(frame[c].cat.codes, dtype=np.int64) for c in names if _nominal(frame[c])}
    numbers = [c for c in names if c not in codes]
    values = pd.DataFrame({c: _numbers(frame[c]) for c in numbers}, index=frame.index)
    out = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    if numbers:
        out.loc[numbers, numbers] = values.corr(method="spearman").abs().fillna(0.0).to_numpy()
    levels = list(codes)
    for i, a in enumerate(levels):
        for b in levels[i + 1 :]:
            out.loc[a, b] = out.loc[b, a] = cramers_v(codes[a], codes[b])
        for c in numbers:
            out.loc[a, c] = out.loc[c, a] = correlation_ratio(codes[a], values[c].to_numpy())
    array = out.to_numpy().copy()
    np.fill_diagonal(array, 1.0)
    return pd.DataFrame(array, index=names, columns=names)


def _nominal(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and not column.dtype.ordered


def _numbers(column: pd.Series) -> Array:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = np.asarray(column.cat.codes, dtype=np.float64)
        return np.where(codes < 0, np.nan, codes)
    return column.to_numpy(dtype=np.float64)


def cramers_v(a: Codes, b: Codes) -> float:
    """Return the bias-corrected Cramér's V of two codings; negative codes are missing.

    Examples
    --------
    >>> round(cramers_v(np.array([0, 0, 1, 1] * 9), np.array([0, 0, 1, 1] * 9)), 2)
    1.0
    """
    both = (a >= 0) & (b >= 0)
    n = int(both.sum())
    if n < 2:
        return 0.0
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    counts = np.bincount(a[both] * columns + b[both], minlength=rows * columns)
    table = counts.reshape(rows, columns).astype(np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c = table.shape
    if min(r, c) < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    room = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.clip(np.sqrt(phi / room), 0.0, 1.0)) if room > 0 else 0.0


def correlation_ratio(codes: Codes, values: Array) -> float:
    """Return the correlation ratio (epsilon) of the ranks of ``values`` by level.

    Examples
    --------
    >>> round(correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 8.0, 9.0])), 2)
    0.84
    """
    both = (codes >= 0) & np.isfinite(values)
    n = int(both.sum())
    if n < 3:
        return 0.0
    ranks = rankdata(values[both])
    own = codes[both]
    counts = np.bincount(own)
    k = int((counts > 0).sum())
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if total == 0 or k < 2 or n <= k:
        return 0.0
    means = np.bincount(own, ranks) / np.maximum(counts, 1)
    within = float(((ranks - means[own]) ** 2).sum())
    return float(np.sqrt(max(0.0, 1.0 - within / total * (n - 1) / (n - k))))


@dataclass(frozen=True, eq=False)
class AssociationNetwork(Shown):
    """Columns joined by their strongest associations.

    Attributes
    ----------
    matrix : DataFrame
        As `association_matrix` returns it.
    edges : DataFrame
        ``source``, ``target`` and ``strength``, strongest first.
    communities : Series
        Column -> community 1, 2, ..., the largest first.
    places : DataFrame
        Column -> ``x``, ``y`` for a drawing.
    """

    matrix: pd.DataFrame
    edges: pd.DataFrame
    communities: pd.Series
    places: pd.DataFrame


def association_network(
    matrix: pd.DataFrame, *, method: Literal["tree", "backbone"] = "tree", level: float = 0.05
) -> AssociationNetwork:
    """Return the network of columns, thinned to a spanning tree or a backbone, in communities.

    Parameters
    ----------
    matrix : DataFrame
        Square strengths, such as `association_matrix` gives.
    method : {"tree", "backbone"}
        The maximum spanning tree, or the edges that pass the disparity filter at ``level``.
    level : float
        Significance level of the backbone.

    Raises
    ------
    ConfigError
        If the method is unknown, or networkx is not installed.
    InputDataError
        If there are fewer than two columns.

    References
    ----------
    Mantegna, R. (1999), EPJ B 11. Serrano, M., Boguñá, M. and Vespignani, A. (2009), PNAS 106.
    Blondel, V. et al. (2008), J. Stat. Mech. P10008.

    Examples
    --------
    >>> values = [[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]]
    >>> matrix = pd.DataFrame(values, list("abc"), list("abc"))
    >>> association_network(matrix).edges["strength"].tolist()
    [0.9, 0.2]
    """
    nx = _networkx()
    if method not in ("tree", "backbone"):
        raise ConfigError(f'method must be "tree" or "backbone", got {method!r}.')
    if len(matrix) < 2:
        raise InputDataError(f"A network needs at least two columns; got {len(matrix)}.")
    names = [str(c) for c in matrix.columns]
    strength = matrix.to_numpy(dtype=np.float64).copy()
    np.fill_diagonal(strength, 0.0)
    whole = nx.from_numpy_array(strength)
    # Communities come from all associations: a tree alone would cut every branch into its own.
    found = nx.community.louvain_communities(whole, weight="weight", seed=0)
    ordered = sorted(found, key=lambda part: (-len(part), min(part)))
    community = {names[i]: c for c, part in enumerate(ordered, 1) for i in part}
    kept = (
        nx.maximum_spanning_tree(nx.from_numpy_array(strength + 1e-9))
        if method == "tree"
        else _thinned(nx, strength, level)
    )
    pairs = [(names[i], names[j], float(strength[i, j])) for i, j in kept.edges]
    edges = pd.DataFrame(pairs, columns=["source", "target", "strength"])
    places = nx.kamada_kawai_layout(kept, weight=None) if kept.number_of_edges() else {}
    return AssociationNetwork(
        matrix=matrix,
        edges=edges.sort_values("strength", ascending=False, ignore_index=True, kind="stable"),
        communities=pd.Series(community, name="community").reindex(names),
        places=_frame(places, names),
    )


def _thinned(nx: Any, strength: Array, level: float) -> Any:
    share = strength / np.maximum(strength.sum(axis=1, keepdims=True), 1e-300)
    keep = (1.0 - share) ** max(len(strength) - 2, 1) < level
    return nx.from_numpy_array(np.where(keep | keep.T, strength, 0.0))


def _frame(places: dict[int, Any], names: list[str]) -> pd.DataFrame:
    rows = [np.asarray(places.get(i, (0.0, 0.0)), dtype=np.float64) for i in range(len(names))]
    return pd.DataFrame(np.vstack(rows), index=names, columns=["x", "y"])


@dataclass(frozen=True, eq=False)
class CustomerNetwork(Shown):
    """Customers joined to their nearest neighbours.

    Attributes
    ----------
    nodes : DataFrame
        ``x``, ``y`` and ``segment``; the index counts from 0 and names nobody.
    edges : DataFrame
        ``source``, ``target`` (positions) and ``inside`` (both of one segment).
    purity : Series
        Segment -> share of its members' edges that stay inside.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    purity: pd.Series


def customer_network(
    coordinates: Array, labels: Codes, *, n_neighbors: int = 4, seed: int = 0
) -> CustomerNetwork:
    """Return the network of customers, each joined to the nearest in the space of the segments.

    Parameters
    ----------
    coordinates : array of shape (n, d)
        Keep to some hundred customers, so that the drawing can be read.
    labels : int array of shape (n,)
    n_neighbors : int
    seed : int
        Seed of the drawing.

    Raises
    ------
    ConfigError
        If networkx is not installed.
    InputDataError
        If there are no more customers than neighbours.

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> customer_network(X, np.array([1, 1, 2, 2]), n_neighbors=1).purity.tolist()
    [1.0, 1.0]
    """
    nx = _networkx()
    near = neighbor_network(coordinates, labels, n_neighbors=n_neighbors)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(coordinates)))
    graph.add_edges_from(zip(near.edges["source"], near.edges["target"]))
    wide = coordinates.shape[1] >= 2
    start = {i: coordinates[i, :2] for i in range(len(coordinates))} if wide else None
    places = nx.spring_layout(graph, pos=start, iterations=60, seed=seed)
    nodes = pd.DataFrame([places[i] for i in range(len(coordinates))], columns=["x", "y"])
    nodes["segment"] = labels
    return CustomerNetwork(nodes, near.edges[["source", "target", "inside"]], near.purity)


def _networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise ConfigError(
            "Networks need the package networkx. "
            'Install it with: pip install "alphastrata[customers]".'
        ) from error
    return networkx
