"""The loop that a user would write today: torch with a DataLoader, and a t-SNE of a library."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class Network(torch.nn.Module):
    def __init__(self, n_features: int, latent: int = 8) -> None:
        super().__init__()
        self.encoder = torch.nn.Sequential(
            torch.nn.Linear(n_features, 64),
            torch.nn.ReLU(),
            torch.nn.Linear(64, 32),
            torch.nn.ReLU(),
            torch.nn.Linear(32, latent),
        )
        self.decoder = torch.nn.Sequential(
            torch.nn.Linear(latent, 32),
            torch.nn.ReLU(),
            torch.nn.Linear(32, 64),
            torch.nn.ReLU(),
            torch.nn.Linear(64, n_features),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x))


def scaled(X: np.ndarray) -> np.ndarray:
    return StandardScaler().fit_transform(np.sign(X) * np.log1p(np.abs(X)))


def autoencode(Z: np.ndarray, epochs: int = 60) -> np.ndarray:
    """Return latent coordinates after the same number of epochs and batches as ours."""
    torch.manual_seed(0)
    data = torch.tensor(Z, dtype=torch.float32)
    network = Network(Z.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(data), batch_size=256, shuffle=True)
    for _ in range(epochs):
        for (batch,) in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(network(batch), batch)
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return network.encoder(data).numpy()


def layout(latent: np.ndarray, library: str) -> np.ndarray:
    """Return the map that the library's defaults give (750 iterations, perplexity 30)."""
    if library == "scikit-learn":
        return TSNE(max_iter=750, init="pca", random_state=0).fit_transform(latent)
    import openTSNE

    return np.asarray(openTSNE.TSNE(random_state=0, n_jobs=1).fit(latent))


def cluster(places: np.ndarray, k: int = 6) -> np.ndarray:
    return KMeans(k, n_init=10, random_state=0).fit(places).labels_


def score(space: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    return (
        silhouette_score(space, labels),
        davies_bouldin_score(space, labels),
        calinski_harabasz_score(space, labels),
    )
