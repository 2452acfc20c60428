"""Size and power of the null test: p-values on noise against the uniform, and on clusters.

python benchmarks/cluster_nulls.py [--sets 200] [--assets 80] [--draws 19] [--deep]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import kstest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import deep_clusterer, null_test
from alphastrata.cluster.nulls import NULLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--power-sets", type=int, default=40)
    parser.add_argument("--assets", type=int, default=80)
    parser.add_argument("--draws", type=int, default=19)
    parser.add_argument("--nulls", nargs="+", default=list(NULLS))
    parser.add_argument("--deep", action="store_true", help="autoencoder, t-SNE and K-means")
    args = parser.parse_args()
    model = make_pipeline(StandardScaler(), KMeans(4, n_init=2, random_state=0))
    if args.deep:
        model = deep_clusterer(n_clusters=4, latent_dim=3, schedule="short")
        model.set_params(autoencoder__epochs=10, autoencoder__device="cpu")
    names = ("silhouette_input", "silhouette_embedding")
    rng = np.random.default_rng(0)
    noise = [pvalues(model, rng.normal(size=(args.assets, 5)), s, args) for s in range(args.sets)]
    for null in args.nulls:
        for name in names:
            # p-values lie on a grid of 1 / (draws + 1); spread evenly within each cell.
            p = np.array([found[null, name] for found in noise])
            p = p - rng.random(len(p)) / (args.draws + 1)
            test = kstest(p, "uniform")
            print(
                f"noise, {null:<10} {name:<22} KS p = {test.pvalue:.3f}, "
                f"share below 0.05: {(p <= 0.05).mean():.3f}",
                flush=True,
            )
    planted = []
    for seed in range(args.power_sets):
        labels = rng.integers(0, 4, args.assets)
        X = rng.normal(size=(args.assets, 5)) + 2.0 * rng.normal(size=(4, 5))[labels]
        planted.append(pvalues(model, X, seed, args))
    for null in args.nulls:
        for name in names:
            power = np.mean([found[null, name] <= 0.05 for found in planted])
            print(f"planted, {null:<10} {name:<22} power at 5% = {power:.3f}")


def pvalues(model, X, seed, args):
    return null_test(model, X, draws=args.draws, random_state=seed, nulls=args.nulls).pvalues


if __name__ == "__main__":
    main()
