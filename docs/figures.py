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
from alphastrata.report import Membership, plots
from alphastrata.report.style import figure_of
from alphastrata.study.clusterings import as_flows

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


def wide(width: float, height: float) -> Axes:
    """Return axes of this size in inches."""
    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def main() -> None:
    """Write every figure."""
    chars = characteristics()
    for name, ax in {**through_time(chars), **searches(chars)}.items():
        path = IMAGES / f"clusters-{name}.png"
        figure_of(ax).savefig(path, dpi=110, metadata={"Software": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()
