"""Monthly windows of one cross-section each, beside the loop that a user would write today.

python benchmarks/cluster_rolling.py [--windows 60] [--assets 2000] [--features 32] [--naive 5]

The naive loops are timed on the first ``--naive`` windows, and their time per window compared;
quality is over those windows for every system. CPU seconds, one thread.
"""

from __future__ import annotations

import argparse
import resource
from itertools import pairwise

import cluster_naive as naive
import numpy as np
import torch
from cluster_clock import timed
from cluster_market import characteristics
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from alphastrata.cluster import (
    RollingOptions,
    deep_clusterer,
    rolling,
    score_clusters,
    trustworthiness,
)
from alphastrata.core.panel import Panel
from alphastrata.core.windows import RollingWindows


def loop(blocks: list[np.ndarray], library: str) -> list[dict]:
    out = []
    for X in blocks:
        Z = naive.scaled(X)
        latent = naive.autoencode(Z)
        places = naive.layout(latent, library)
        labels = naive.cluster(places)
        naive.score(Z, labels)
        naive.score(places, labels)
        out.append({"Z": Z, "latent": latent, "places": places, "labels": labels})
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--assets", type=int, default=2000)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--naive", type=int, default=5)
    args = parser.parse_args()
    frame, truth = characteristics(args.assets, args.features, args.windows)
    panel = Panel(frame)
    blocks = [panel.at(date).to_numpy() for date in panel.dates[: args.naive]]
    torch.set_num_threads(1)
    rows = []
    with threadpool_limits(limits=1):
        rolling(deep_clusterer(), panel.between(None, panel.dates[0]), RollingWindows(1))
        for name, schedule, start in (
            ("ours, same schedule", "usual", "cold"),
            ("ours, short schedule, warm autoencoder", "short", "warm"),
            ("ours, from the previous map", "short", "map"),
        ):
            found, cpu, _ = timed(
                lambda schedule=schedule, start=start: rolling(
                    deep_clusterer(schedule=schedule),
                    panel,
                    RollingWindows(1),
                    train="formation",
                    options=RollingOptions(start=start),
                )
            )
            # Quality over the windows that the naive loops see as well.
            wide = found.strata.wide().to_numpy(dtype=np.int64)[: args.naive]
            scores = found.scores[: args.naive]
            rows.append(
                (
                    name,
                    cpu / args.windows,
                    scores["silhouette_input"].mean(),
                    scores["silhouette_embedding"].mean(),
                    scores["trustworthiness"].mean(),
                    *agreement(truth, wide),
                )
            )
        for library in ("openTSNE", "scikit-learn"):
            found, cpu, _ = timed(lambda library=library: loop(blocks, library))
            rows.append(
                (
                    f"torch DataLoader + {library}",
                    cpu / args.naive,
                    np.mean([score_clusters(f["Z"], f["labels"]).silhouette for f in found]),
                    np.mean([score_clusters(f["places"], f["labels"]).silhouette for f in found]),
                    np.mean([trustworthiness(f["latent"], f["places"]) for f in found]),
                    *agreement(truth, np.array([f["labels"] for f in found])),
                )
            )
    base = rows[-1][1]
    heads = ("CPU s/window", "ratio", "sil. input", "sil. map", "trust", "ARI truth", "ARI months")
    print(f"{'system':<40}" + "".join(f"{h:>13}" for h in heads))
    for name, seconds, *rest in rows:
        cells = [f"{seconds:13.3f}", f"{base / seconds:13.1f}", *(f"{v:13.4f}" for v in rest)]
        print(f"{name:<40}" + "".join(cells))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the whole run: {peak:.2f} GB")


def agreement(truth: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return mean ARI with the planted labels, and between neighbouring windows."""
    with_truth = [adjusted_rand_score(a, b) for a, b in zip(truth, found, strict=False)]
    months = [adjusted_rand_score(a, b) for a, b in pairwise(found)]
    return float(np.mean(with_truth)), float(np.mean(months))


if __name__ == "__main__":
    main()
