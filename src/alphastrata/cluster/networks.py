"""Networks: which characteristics go together, and which assets are neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from alphastrata.cluster.neighbors import nearest_neighbors
from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["FeatureNetwork", "NeighborNetwork", "feature_network", "neighbor_network"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureNetwork(Shown):
    """Characteristics joined by their strongest associations.

    Attributes
    ----------
    association : DataFrame, feature x feature
        Spearman rank correlations over the rows where both are present.
    edges : DataFrame
        Columns source, target, association (signed) and strength (its absolute value).
    communities : Series
        Feature -> community 1, 2, …, the largest first.
    centrality : Series
        Feature -> sum of the strengths of its edges.
    places : DataFrame, feature x (x, y)
        Where a drawing puts each feature: Kamada and Kawai (1989) on the spanning tree and the
        edges, weak edges being long.
    """

    association: pd.DataFrame
    edges: pd.DataFrame
    communities: pd.Series
    centrality: pd.Series
    places: pd.DataFrame

    @property
    def nodes(self) -> pd.DataFrame:
        """Return x, y, community and centrality of each feature, as drawings take them."""
        return self.places.assign(community=self.communities, centrality=self.centrality)


def _backbone(strength: Array, level: float) -> NDArray[np.bool_]:
    """Return which pairs (d x d) are stronger than chance for one of their two ends.

    Under the null the strengths of a feature's k edges split its total at random; an edge with
    share s is that strong with probability (1 - s)^(k - 1). Serrano, Boguñá and Vespignani (2009).
    """
    degree = len(strength) - 1
    share = strength / np.maximum(strength.sum(axis=1, keepdims=True), 1e-300)
    significant = (1.0 - share) ** max(degree - 1, 1) < level
    kept: NDArray[np.bool_] = significant | significant.T
    np.fill_diagonal(kept, False)
    return kept


def _graph(association: Array, kept: NDArray[np.bool_], names: Sequence[str]) -> nx.Graph:
    graph: Any = nx.Graph()
    graph.add_nodes_from(names)
    for i, j in zip(*np.nonzero(np.triu(kept, 1)), strict=True):
        graph.add_edge(names[i], names[j], weight=float(abs(association[i, j])))
    return graph


def feature_network(
    X: pd.DataFrame | ArrayLike,
    *,
    method: Literal["tree", "backbone"] = "tree",
    level: float = 0.05,
    random_state: int = 0,
) -> FeatureNetwork:
    """Return the network of characteristics: rank correlations, thinned, in communities.

    Parameters
    ----------
    X : DataFrame or array, rows x features
        Characteristics of one cross-section; constant ones have no association, and no edge.
    method : {"tree", "backbone"}
        "tree": the maximum spanning tree of absolute correlations. "backbone": the edges that
        are stronger than chance by the disparity filter.
    level : float
        Significance level of the backbone.
    random_state : int
        Seed of the community search.

    Raises
    ------
    ConfigError
        If the method is unknown.
    InputDataError
        If there are fewer than two features, or they are no numbers.

    References
    ----------
    Mantegna, R. (1999), "Hierarchical structure in financial markets", EPJ B 11. Serrano, M.,
    Boguñá, M. and Vespignani, A. (2009), PNAS 106. Blondel, V. et al. (2008), "Fast unfolding of
    communities in large networks".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 200))
    >>> X = pd.DataFrame({"a": a, "a2": a + 0.1 * b, "b": b, "b2": b - 0.1 * a})
    >>> feature_network(X).communities.to_dict()
    {'a': 1, 'a2': 1, 'b': 2, 'b2': 2}
    """
    if method not in ("tree", "backbone"):
        raise ConfigError(f'method must be "tree" or "backbone", got {method!r}.')
    X = read_features(X, "feature_network")
    if X.shape[1] < 2:
        raise InputDataError(f"A network needs at least two features; got {X.shape[1]}.")
    association = X.corr(method="spearman")
    names = [str(name) for name in X.columns]
    values = association.fillna(0.0).to_numpy()
    strength = np.abs(values) - np.eye(len(values))
    tree: Any = nx.maximum_spanning_tree(_graph(values, strength > -1.0, names))
    spanning = np.asarray(nx.to_numpy_array(tree, nodelist=names, weight=None)) > 0
    kept = _backbone(np.maximum(strength, 0.0), level) if method == "backbone" else spanning
    kept = kept & (strength > 0.0)
    graph = _graph(values, kept, names)
    groups: Any = nx.community.louvain_communities(graph, weight="weight", seed=random_state)
    ordered = sorted(groups, key=lambda group: (-len(group), min(names.index(n) for n in group)))
    community = {name: c for c, group in enumerate(ordered, 1) for name in group}
    rows, columns = np.nonzero(np.triu(kept, 1))
    edges = pd.DataFrame(
        {
            "source": [names[i] for i in rows],
            "target": [names[j] for j in columns],
            "association": values[rows, columns],
            "strength": np.abs(values[rows, columns]),
        }
    )
    return FeatureNetwork(
        association=association,
        edges=edges.sort_values("strength", ascending=False, ignore_index=True),
        communities=pd.Series(community, name="community").reindex(names),
        centrality=pd.Series((np.abs(values) * kept).sum(axis=1), index=names, name="centrality"),
        # The tree joins all features; a backbone alone may fall into pieces without a distance.
        places=_places(values, kept | spanning, names),
    )


def _places(association: Array, joined: NDArray[np.bool_], names: Sequence[str]) -> pd.DataFrame:
    """Return coordinates in which joined features are as far apart as their edge is weak."""
    graph: Any = nx.Graph()
    graph.add_nodes_from(names)
    for i, j in zip(*np.nonzero(np.triu(joined, 1)), strict=True):
        graph.add_edge(names[i], names[j], length=2.0 - float(abs(association[i, j])))
    found: Any = nx.kamada_kawai_layout(graph, weight="length")
    places = np.array([found[name] for name in names], dtype=np.float64)
    return pd.DataFrame(places, index=list(names), columns=["x", "y"])


@dataclass(frozen=True)
class NeighborNetwork(Shown):
    """Assets joined to their nearest neighbours.

    Attributes
    ----------
    edges : DataFrame
        Columns source, target, distance and inside (whether both have the same cluster).
    purity : Series
        Cluster -> share of its assets' edges that stay inside.
    """

    edges: pd.DataFrame
    purity: pd.Series


def neighbor_network(
    places: ArrayLike | pd.DataFrame, labels: ArrayLike, *, n_neighbors: int = 5
) -> NeighborNetwork:
    """Return each asset's nearest neighbours in a space, and how often they share its cluster.

    Parameters
    ----------
    places : array or DataFrame of shape (n, d)
        Coordinates: scaled features, latent coordinates or a map. The index of a DataFrame names
        the assets.
    labels : int array of shape (n,)
        Clusters; negative or missing where not classified, whose edges are never inside.
    n_neighbors : int
        Edges per asset; an edge that two assets agree on is listed once.

    Raises
    ------
    InputDataError
        If rows differ in number or are too few, or places are no finite numbers.

    Examples
    --------
    >>> found = neighbor_network([[0.0], [1.0], [10.0], [11.0]], [1, 1, 2, 2], n_neighbors=1)
    >>> found.purity.to_dict()
    {1: 1.0, 2: 1.0}
    """
    frame = read_features(places, "neighbor_network", missing=False)
    values, names, n = np.ascontiguousarray(frame), frame.index, len(frame)
    codes = read_labels(labels, n, "neighbor_network")
    if not 1 <= n_neighbors < n:
        raise InputDataError(
            f"A network needs n_neighbors from 1 to less than the {n} rows; got "
            f"n_neighbors={n_neighbors}."
        )
    index, squared = nearest_neighbors(values, values, n_neighbors, exclude_self=True)
    source = np.repeat(np.arange(n), n_neighbors)
    target = index.ravel().astype(np.int64)
    classified = codes[source] >= 0
    inside = (codes[source] == codes[target]) & classified
    purity = pd.Series(inside[classified]).groupby(codes[source][classified]).mean()
    low, high = np.minimum(source, target), np.maximum(source, target)
    _, once = np.unique(low * n + high, return_index=True)
    edges = pd.DataFrame(
        {
            "source": names[low[once]],
            "target": names[high[once]],
            "distance": np.sqrt(squared.ravel()[once]),
            "inside": inside[once],
        }
    )
    return NeighborNetwork(edges, purity.rename("purity").rename_axis("cluster"))
