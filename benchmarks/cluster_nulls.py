"""Size and power of the null test: p-values on noise against the uniform, and on clusters.

Noise follows the null that is tested: independent normal columns for "permute", a Gaussian copula
with heavy tails for "copula", one factor for "one_factor"; independent noise is held against all
three. Clusters: four, centres normal with the deviation of ``--spread`` times the noise, in five
features, with heavy tails.
python benchmarks/cluster_nulls.py [--sets 200] [--power-sets 100] [--assets 80] [--deep]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.stats import kstest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import SignedLog, deep_clusterer, null_test
from alphastrata.cluster.nulls import NULLS

LOADINGS = np.array([0.9, 0.7, 0.5, 0.3, -0.6])
MIX = np.random.default_rng(3).normal(size=(5, 5)) / 2
SCORES = ("silhouette_input", "silhouette_embedding")


def noise(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return noise (n x 5) that follows a null."""
    if kind == "copula":
        return np.sinh(rng.normal(size=(n, 5)) @ MIX)
    if kind == "one_factor":
        own = rng.normal(size=(n, 5)) * np.sqrt(1 - LOADINGS**2)
        return rng.normal(size=(n, 1)) * LOADINGS + own
    return rng.normal(size=(n, 5))


def planted(rng: np.random.Generator, n: int, spread: float) -> np.ndarray:
    labels = rng.integers(0, 4, n)
    X = rng.normal(size=(n, 5)) + spread * rng.normal(size=(4, 5))[labels]
    # Heavy tails, which the signed logarithm takes back.
    return np.sign(X) * np.expm1(np.abs(X))


def pvalues(model, X, seed, draws, kinds):
    return null_test(model, X, draws=draws, random_state=seed, nulls=kinds).pvalues


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--power-sets", type=int, default=100)
    parser.add_argument("--assets", type=int, default=80)
    parser.add_argument("--draws", type=int, default=19)
    parser.add_argument("--power-draws", type=int, default=39)
    parser.add_argument("--spread", type=float, nargs="+", default=[1.0, 1.5, 2.0])
    parser.add_argument("--deep", action="store_true", help="autoencoder, t-SNE and K-means")
    args = parser.parse_args()
    model = make_pipeline(SignedLog(), StandardScaler(), KMeans(4, n_init=2, random_state=0))
    if args.deep:
        model = deep_clusterer(n_clusters=4, latent_dim=3, schedule="short")
        model.set_params(autoencoder__epochs=10, autoencoder__device="cpu")
    rng = np.random.default_rng(0)
    for truth, kinds in (
        ("permute", NULLS),
        ("copula", ("copula",)),
        ("one_factor", ("one_factor",)),
    ):
        found = pd.DataFrame(
            pvalues(model, noise(truth, rng, args.assets), s, args.draws, kinds)
            for s in range(args.sets)
        )
        # p-values lie on a grid of 1 / (draws + 1); spread evenly within each cell.
        even = found - rng.random(found.shape) / (args.draws + 1)
        for kind in kinds:
            for name in SCORES:
                p = even[kind, name]
                print(
                    f"noise of {truth:<10} against {kind:<10} {name:<21} "
                    f"KS p = {kstest(p, 'uniform').pvalue:.3f}, share below 0.05: "
                    f"{(p <= 0.05).mean():.3f}, below 0.1: {(p <= 0.1).mean():.3f}",
                    flush=True,
                )
    for spread in args.spread:
        found = pd.DataFrame(
            pvalues(model, planted(rng, args.assets, spread), s, args.power_draws, NULLS)
            for s in range(args.power_sets)
        )
        for name in SCORES:
            power = [f"{kind} {(found[kind, name] <= 0.05).mean():.3f}" for kind in NULLS]
            print(f"planted, spread {spread}, {name:<21} power at 5%: {', '.join(power)}")


if __name__ == "__main__":
    main()
