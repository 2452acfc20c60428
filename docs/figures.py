"""Draw the figures of the page on clusters with the package itself: python docs/figures.py.

Small PNGs in docs/images, of the simulated market and the seeds that the page names.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from sklearn.pipeline import Pipeline

import alphastrata as st
from alphastrata.cluster.transforms import signed_log
from alphastrata.report import Membership, plots
from alphastrata.report.style import figure_of, styled
from alphastrata.study.stages.clusterings import as_flows

IMAGES = Path(__file__).parent / "images"
NAMES = ["liquidity", "leverage", "operating_efficiency", "log_market_cap", "momentum"]


def characteristics() -> st.Panel:
    """Return the characteristics that the page clusters on."""
    market = st.data.simulate_market(n_assets=300, periods=72, seed=0).panel
    return st.features.compute(market, NAMES)


def pipeline(n_clusters: int = 6) -> Pipeline:
    """Return the page's model."""
    return st.cluster.deep_clusterer(n_clusters=n_clusters, latent_dim=3, random_state=0)


def through_time(chars: st.Panel) -> dict[str, Axes]:
    """Return who moves between clusters, and the map of the last window."""
    found = st.cluster.rolling(pipeline(), chars, st.RollingWindows(36, 6), features=NAMES)
    sizes = found.strata.sizes()
    sizes.columns = pd.RangeIndex(1, found.strata.n + 1)
    flows = as_flows(found.transitions, pd.DatetimeIndex(found.scores.index))
    moves = Membership(sizes=sizes, flows=flows, events=found.events)
    labels = found.strata.labels.rename("cluster").reset_index()
    places = found.embeddings.merge(labels.dropna(), on=["date", "asset"])
    return {
        # As wide as the names under it.
        "membership": plots.membership(moves, wide(9.5, 4.4), names=found.names),
        "map": plots.map_of_clusters(places.astype({"cluster": int}), names=found.names),
    }


def searches(chars: st.Panel) -> dict[str, Axes]:
    """Return the criteria for the number of clusters, and settings by their score."""
    X = chars.at("2005-12-31")[NAMES]
    chosen = st.cluster.choose_k(pipeline(), X, candidates=range(2, 9), draws=10)
    tuned = st.cluster.tune(
        pipeline(),
        X,
        {
            "autoencoder__hidden": [(32,), (64, 32)],
            "autoencoder__optimizer": ["adam", "rmsprop"],
            "embedding__perplexity": [15, 30],
            "cluster__n_clusters": [4, 6, 8],
        },
        seeds=(0, 1),
        n_iter=12,
    )
    return {
        "choose-k": plots.choose_k(chosen.table, chosen.choices),
        "tuning": plots.tuning(tuned.table, label="silhouette, held-out assets"),
    }


def noise(chars: st.Panel) -> dict[str, Axes]:
    """Return the null test of the page's model on the page's last cross-section."""
    X = chars.at("2005-12-31")[NAMES]
    test = st.cluster.null_test(pipeline(), X, draws=49)
    return {"nulls": plots.null_test(test.observed, test.simulated)}


def explanations(chars: st.Panel) -> dict[str, Axes]:
    """Return what explains the clusters of the last window."""
    found = st.cluster.rolling(pipeline(), chars, st.RollingWindows(36, 6), features=NAMES)
    date = found.strata.dates[-1]
    labels = found.strata.labels.xs(date, level="date").dropna().astype("int64")
    X = chars.at(date).loc[labels.index, NAMES]
    standard = signed_log(X.fillna(X.median()).to_numpy())
    Z = pd.DataFrame(standard, X.index, NAMES)
    Z = (Z - Z.mean()) / Z.std(ddof=0)
    names = found.names
    tree = st.cluster.surrogate_tree(X, labels, max_depth=3, shuffles=20)
    values = st.cluster.shapley_values(X, labels, shuffles=2)
    near = st.cluster.neighbor_network(Z, labels, n_neighbors=4)
    net = st.cluster.feature_network(X)
    last = found.embeddings[found.embeddings["date"] == date].set_index("asset")
    return {
        "boxes": plots.boxes(st.cluster.boxes(Z, labels.to_numpy()), names=names),
        "tree": plots.tree(tree.nodes, names=names),
        "shapley": plots.shapley(values.importance, names=names),
        "drift": plots.drift(st.cluster.profile_drift(found.profiles), names=names),
        "features": plots.network(net.nodes, net.edges),
        "neighbors": plots.neighbors(
            last.loc[labels.index].assign(cluster=labels), near.edges, names=names
        ),
    }


def experiments() -> dict[str, Axes]:
    """Return the eight experiments on a larger simulated market."""
    market = st.data.simulate_market(400, "1975-01-31", 60, seed=0).panel
    catalog = st.features.catalog()
    can = set(st.features.computable(market))
    groups = {
        group: [n for n in catalog.loc[catalog["paper_group"] == group, "name"] if n in can]
        for group in ("original", "extension", "price")
    }
    used = [name for group in groups.values() for name in group]
    X = st.features.compute(market, used).at("1979-12-31")[used]
    X = X[X.notna().mean(axis=1) >= 0.5]
    returns = market.wide("ret").reindex(columns=X.index)
    found = st.cluster.experiments(X, groups, seeds=3, returns=returns)
    best = found.best()
    places, names = found.places(best), found.names(best)
    with styled():
        axes = plt.subplots(1, 2, figsize=(9.5, 3.0), layout="constrained")[1]
        plots.experiment_scores(found.scores, axes[0]).set_title("on the map")
        plots.experiment_scores(found.scores, axes[1], space="input").set_title("in the data")
        axes[0].get_legend().remove()
    return {
        "scores": axes[0],
        "effects": plots.effects(found.effects()),
        "map-3d": plots.map_in_3d(places, names=names),
        "risk": plots.return_and_risk(found.return_and_risk(best), names=names),
    }


def wide(width: float, height: float) -> Axes:
    """Return axes of this size in inches."""
    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def main() -> None:
    """Write every figure."""
    chars = characteristics()
    parts = {**through_time(chars), **searches(chars), **noise(chars)}
    drawn = {f"clusters-{k}": v for k, v in parts.items()}
    drawn |= {f"explain-{name}": ax for name, ax in explanations(chars).items()}
    drawn |= {f"experiments-{name}": ax for name, ax in experiments().items()}
    for name, ax in drawn.items():
        path = IMAGES / f"{name}.png"
        figure_of(ax).savefig(path, dpi=110, metadata={"Software": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()
