"""Scores of a large cross-section: seconds, and the peak memory of this process.

Silhouette, Davies-Bouldin, Calinski-Harabasz of several labelings in one pass over the pairs, and
trustworthiness; with ``--pipeline``, the whole window: autoencoder, t-SNE, K-means, all scores.
python benchmarks/cluster_scores.py [--assets 20000] [--features 32] [--pipeline]
"""

from __future__ import annotations

import argparse
import resource

import numpy as np
from cluster_clock import timed
from cluster_market import characteristics
from threadpoolctl import threadpool_limits

from alphastrata.cluster import deep_clusterer, scores, trustworthiness
from alphastrata.cluster.nulls import fit_once


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--pipeline", action="store_true")
    args = parser.parse_args()
    frame, truth = characteristics(args.assets, args.features, 1)
    X = np.sign(frame.to_numpy()) * np.log1p(np.abs(frame.to_numpy()))
    rng = np.random.default_rng(0)
    labelings = [truth[0], *(rng.integers(0, k, args.assets) for k in (3, 4, 5, 6))]
    places = X[:, :2].copy()
    print(f"imports and {args.assets:,} x {args.features} values: peak {peak():.2f} GB")
    with threadpool_limits(limits=1):
        for name, work in (
            ("scores of 5 labelings", lambda: scores(X, labelings)),
            ("trustworthiness", lambda: trustworthiness(X, places)),
        ):
            _, cpu, _ = timed(work)
            print(f"{name}: {cpu:.1f} CPU s, peak {peak():.2f} GB", flush=True)
        if args.pipeline:
            fit, cpu, _ = timed(
                lambda: fit_once(deep_clusterer(schedule="short"), frame.to_numpy())
            )
            print(f"whole window, short schedule: {cpu:.1f} CPU s, peak {peak():.2f} GB")
            print({name: round(value, 3) for name, value in fit.scores.items()})


if __name__ == "__main__":
    main()
