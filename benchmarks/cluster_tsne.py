"""t-SNE of a cross-section: seconds, divergence and trustworthiness beside two libraries.

python benchmarks/cluster_tsne.py [--assets 2000 5000]
"""

from __future__ import annotations

import argparse

import numpy as np
import openTSNE
import sklearn.manifold
from cluster_clock import timed
from threadpoolctl import threadpool_limits

from alphastrata.cluster import TSNE, trustworthiness
from alphastrata.cluster.neighbors import affinities
from alphastrata.cluster.tsne_kernels import kl_divergence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, nargs="+", default=[2000])
    parser.add_argument("--skip-scikit-learn", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    TSNE(random_state=0).fit(rng.normal(size=(50, 8)))
    print(
        f"{'assets':>7} {'method':<28} {'CPU s':>8} {'wall s':>8} {'ratio':>6} "
        f"{'KL':>7} {'trust':>7}"
    )
    for n in args.assets:
        X = rng.normal(size=(n, 8)) + 1.5 * rng.normal(size=(6, 8))[rng.integers(0, 6, n)]
        affinity = affinities(X, 30.0)
        systems = {
            "ours, 250 + 500": lambda X=X: TSNE(method="exact").fit_transform(X),
            "ours, 50 + 300": lambda X=X: TSNE(
                method="exact", early_iter=50, n_iter=300
            ).fit_transform(X),
            "openTSNE, 250 + 500": lambda X=X: np.asarray(
                openTSNE.TSNE(random_state=0, n_jobs=1).fit(X)
            ),
        }
        if not args.skip_scikit_learn:
            systems["scikit-learn, 750"] = lambda X=X: sklearn.manifold.TSNE(
                max_iter=750, init="pca", random_state=0
            ).fit_transform(X)
        first = 0.0
        for name, work in systems.items():
            with threadpool_limits(limits=1):
                places, cpu, wall = timed(work)
            first = first or cpu
            Y = np.ascontiguousarray(places.T, dtype=np.float32)
            print(
                f"{n:>7} {name:<28} {cpu:8.2f} {wall:8.2f} {cpu / first:6.1f} "
                f"{kl_divergence(Y, *affinity):7.4f} {trustworthiness(X, places):7.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
