"""One cross-section through the whole pipeline, and its parts, beside torch and scikit-learn.

Autoencoder, t-SNE, K-means and spectral clustering for k = 3..6, and their scores.
python benchmarks/cluster_window.py [--assets 2000] [--features 32]
"""

from __future__ import annotations

import argparse

import cluster_naive as naive
import numpy as np
import torch
from cluster_clock import timed
from cluster_market import characteristics
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from alphastrata.cluster import TSNE, Autoencoder, scores, spectral_labels

KS = (3, 4, 5, 6)


def ours(X: np.ndarray) -> dict[str, float]:
    parts = {}
    Z = naive.scaled(X)
    latent, parts["autoencoder"], _ = timed(
        lambda: Autoencoder(random_state=0, device="cpu").fit_transform(Z)
    )
    places, parts["t-SNE"], _ = timed(lambda: TSNE(random_state=0).fit_transform(latent))
    labels, parts["K-means"], _ = timed(
        lambda: [KMeans(k, n_init=10, random_state=0).fit(places).labels_ for k in KS]
    )
    more, parts["spectral"], _ = timed(lambda: spectral_labels(places, KS))
    _, parts["scores"], _ = timed(
        lambda: [scores(space, [*labels, *more]) for space in (Z, places)]
    )
    return parts | {"labels": labels[-1]}


def theirs(X: np.ndarray) -> dict[str, float]:
    parts = {}
    Z = naive.scaled(X)
    latent, parts["autoencoder"], _ = timed(lambda: naive.autoencode(Z))
    places, parts["t-SNE"], _ = timed(lambda: naive.layout(latent, "scikit-learn"))
    labels, parts["K-means"], _ = timed(
        lambda: [KMeans(k, n_init=10, random_state=0).fit(places).labels_ for k in KS]
    )
    more, parts["spectral"], _ = timed(
        lambda: [SpectralClustering(k, random_state=0).fit(places).labels_ for k in KS]
    )
    _, parts["spectral on neighbours"], _ = timed(
        lambda: [
            SpectralClustering(k, affinity="nearest_neighbors", random_state=0).fit(places)
            for k in KS
        ]
    )

    _, parts["scores"], _ = timed(
        lambda: [naive.score(space, found) for space in (Z, places) for found in (*labels, *more)]
    )
    return parts | {"labels": labels[-1]}


def line(name: str, ours_s: float, theirs_s: float) -> None:
    print(f"{name:<32} {ours_s:12.3f} {theirs_s:10.3f} {theirs_s / ours_s:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=2000)
    parser.add_argument("--features", type=int, default=32)
    args = parser.parse_args()
    frame, labels = characteristics(args.assets, args.features, 1)
    X = frame.to_numpy()
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        ours(X[:200])
        one, two = ours(X), theirs(X)
    print(f"{'part':<32} {'ours, CPU s':>12} {'theirs':>10} {'ratio':>7}")
    parts = ("autoencoder", "t-SNE", "K-means", "spectral", "scores")
    for part in parts:
        line(part, one[part], two[part])
    line("whole", *(sum(d[part] for part in parts) for d in (one, two)))
    # scikit-learn's spectral clustering on a graph of neighbours, as ours, and not on its default.
    line("spectral on neighbours", one["spectral"], two["spectral on neighbours"])
    swap = two["spectral on neighbours"] - two["spectral"]
    total = [sum(d[part] for part in parts) for d in (one, two)]
    line("whole, with that", total[0], total[1] + swap)
    found = [adjusted_rand_score(labels[0], d["labels"]) for d in (one, two)]
    print(
        f"agreement with the truth (ARI, K-means, k = 6): ours {found[0]:.3f}, "
        f"theirs {found[1]:.3f}"
    )


if __name__ == "__main__":
    main()
