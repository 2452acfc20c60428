"""Training of DEC, IDEC and VaDE: torch loops on one thread, arrays in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alphastrata.cluster.training import ACTIVATIONS, Layers, one_thread, pick_device
from alphastrata.errors import EstimationError

__all__ = ["Refined", "Refinement", "refine_dec", "refine_vade"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Refinement:
    """How to refine a pretrained autoencoder.

    Attributes
    ----------
    activation : str
        Activation of the hidden layers.
    learning_rate : float
        Of Adam.
    batch_size, epochs : int
        Rows per step, and largest number of passes.
    tol : float
        Stop when fewer than this share of rows change their cluster in an epoch.
    reconstruction, clustering : float
        Weights of the two losses of DEC and IDEC.
    device : str
        "auto", "cpu" or "cuda".
    """

    activation: str
    learning_rate: float
    batch_size: int
    epochs: int
    tol: float
    reconstruction: float
    clustering: float
    device: str


@dataclass(frozen=True)
class Refined:
    """Layers and cluster parameters after refinement, and one row of log per epoch.

    ``parameters`` holds "centers" for DEC and IDEC; "weights", "means" and "variances" of the
    mixture for VaDE. The log has epoch, loss and the share of rows that changed cluster.
    """

    encoder: Layers
    decoder: Layers
    parameters: dict[str, Array]
    log: list[tuple[int, float, float]]


def _tensors(layers: Layers, device: str) -> list[torch.Tensor]:
    return [
        torch.tensor(array, dtype=torch.float32, device=device, requires_grad=True)
        for layer in layers
        for array in layer
    ]


def _forward(x: torch.Tensor, tensors: list[torch.Tensor], activation: str) -> torch.Tensor:
    last = len(tensors) // 2 - 1
    for k in range(last + 1):
        x = torch.addmm(tensors[2 * k + 1], x, tensors[2 * k])
        if k < last:
            x = ACTIVATIONS[activation](x)
    return x


def _layers(tensors: list[torch.Tensor]) -> Layers:
    arrays = [t.detach().cpu().numpy().copy() for t in tensors]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def _soft(z: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Return Student-t memberships q (rows x clusters), Xie et al. (2016), equation 1."""
    squared = ((z[:, None, :] - centers[None, :, :]) ** 2).sum(dim=2)
    q = 1.0 / (1.0 + squared)
    return q / q.sum(dim=1, keepdim=True)


def _target(q: torch.Tensor) -> torch.Tensor:
    """Return the sharpened memberships p, Xie et al. (2016), equation 3."""
    weight = q**2 / q.sum(dim=0)
    return weight / weight.sum(dim=1, keepdim=True)


def _check(loss: float, epoch: int, epochs: int, rate: float) -> None:
    if not np.isfinite(loss):
        raise EstimationError(
            f"The loss must stay a finite number; it was {loss} at epoch {epoch} of {epochs}. "
            f"Lower learning_rate (now {rate})."
        )


def refine_dec(
    X: NDArray[np.float32],
    encoder: Layers,
    decoder: Layers,
    centers: Array,
    recipe: Refinement,
    *,
    seed: int,
) -> Refined:
    """Return encoder and centres that sharpen the memberships of ``X`` (rows x columns).

    The loss is clustering x KL(p || q) + reconstruction x squared error; DEC has no
    reconstruction. The target p is computed once per epoch over all rows.
    """
    device = pick_device(recipe.device)
    generator = torch.Generator().manual_seed(seed)
    with one_thread():
        data = torch.tensor(X, device=device)
        coder, restorer = _tensors(encoder, device), _tensors(decoder, device)
        middle = torch.tensor(centers, dtype=torch.float32, device=device, requires_grad=True)
        trained = [*coder, middle, *(restorer if recipe.reconstruction > 0 else [])]
        optimizer = torch.optim.Adam(trained, lr=recipe.learning_rate, fused=True)
        log: list[tuple[int, float, float]] = []
        before: torch.Tensor | None = None
        for epoch in range(1, recipe.epochs + 1):
            with torch.no_grad():
                q = _soft(_forward(data, coder, recipe.activation), middle)
            p, labels = _target(q), q.argmax(dim=1)
            changed = 1.0 if before is None else float((labels != before).float().mean())
            if before is not None and changed < recipe.tol:
                break
            before = labels
            loss = _dec_epoch(data, p, coder, restorer, middle, optimizer, recipe, generator)
            _check(loss, epoch, recipe.epochs, recipe.learning_rate)
            log.append((epoch, loss, changed))
    found = {"centers": middle.detach().cpu().numpy().astype(np.float64)}
    return Refined(_layers(coder), _layers(restorer), found, log)


def _dec_epoch(
    data: torch.Tensor,
    p: torch.Tensor,
    coder: list[torch.Tensor],
    restorer: list[torch.Tensor],
    middle: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    recipe: Refinement,
    generator: torch.Generator,
) -> float:
    order = torch.randperm(len(data), generator=generator).to(data.device)
    total = 0.0
    for start in range(0, len(data), recipe.batch_size):
        rows = order[start : start + recipe.batch_size]
        optimizer.zero_grad(set_to_none=True)
        z = _forward(data[rows], coder, recipe.activation)
        q = _soft(z, middle)
        wanted = p[rows]
        loss = recipe.clustering * (wanted * (wanted / q).log()).sum(dim=1).mean()
        if recipe.reconstruction > 0:
            restored = _forward(z, restorer, recipe.activation)
            loss = loss + recipe.reconstruction * torch.nn.functional.mse_loss(restored, data[rows])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(loss.detach()) * len(rows)
    return total / len(data)


class _Mixture:
    """The Gaussian mixture prior of VaDE: logits, means and log variances as tensors."""

    def __init__(self, weights: Array, means: Array, variances: Array, device: str) -> None:
        def make(array: Array) -> torch.Tensor:
            return torch.tensor(array, dtype=torch.float32, device=device, requires_grad=True)

        self.logits = make(np.log(weights))
        self.means = make(means)
        self.log_variances = make(np.log(variances))

    def log_joint(self, z: torch.Tensor) -> torch.Tensor:
        """Return log p(c) + log p(z | c), rows x clusters."""
        gap = (z[:, None, :] - self.means[None]) ** 2
        log_density = -0.5 * (
            np.log(2.0 * np.pi) + self.log_variances + gap / self.log_variances.exp()
        ).sum(dim=2)
        return torch.log_softmax(self.logits, dim=0) + log_density

    def arrays(self) -> dict[str, Array]:
        """Return weights, means and variances."""
        return {
            "weights": torch.softmax(self.logits, 0).detach().cpu().numpy().astype(np.float64),
            "means": self.means.detach().cpu().numpy().astype(np.float64),
            "variances": self.log_variances.exp().detach().cpu().numpy().astype(np.float64),
        }


def _vade_loss(
    x: torch.Tensor,
    coder: list[torch.Tensor],
    restorer: list[torch.Tensor],
    mixture: _Mixture,
    activation: str,
    noise: torch.Tensor,
) -> torch.Tensor:
    """Return minus the evidence lower bound per row, Jiang et al. (2017), equation 9.

    The variance of the reconstruction is the batch's mean squared error, which is its maximum
    likelihood: Rybkin, Daniilidis and Levine (2021), "sigma-VAE".
    """
    mean, log_variance = _forward(x, coder, activation).chunk(2, dim=1)
    log_variance = log_variance.clamp(-10.0, 10.0)
    z = mean + noise * (0.5 * log_variance).exp()
    error = torch.nn.functional.mse_loss(_forward(z, restorer, activation), x)
    likelihood = 0.5 * x.shape[1] * error.clamp_min(1e-6).log()
    log_joint = mixture.log_joint(z)
    gamma = torch.softmax(log_joint, dim=1)
    spread = mixture.log_variances.exp()
    expected = (
        mixture.log_variances
        + (log_variance.exp()[:, None, :] + (mean[:, None, :] - mixture.means) ** 2) / spread
    ).sum(dim=2)
    prior = 0.5 * (gamma * expected).sum(dim=1)
    labels = (gamma * (gamma.clamp_min(1e-10).log() - torch.log_softmax(mixture.logits, 0))).sum(1)
    entropy = 0.5 * (1.0 + log_variance).sum(dim=1)
    return likelihood + (prior + labels - entropy).mean()


def refine_vade(
    X: NDArray[np.float32],
    encoder: Layers,
    decoder: Layers,
    mixture: dict[str, Array],
    recipe: Refinement,
    *,
    seed: int,
) -> Refined:
    """Return a variational autoencoder with a mixture prior, from a pretrained autoencoder.

    The last layer of ``encoder`` gives mean and log variance side by side (2 x latent columns).
    """
    device = pick_device(recipe.device)
    generator = torch.Generator().manual_seed(seed)
    with one_thread():
        data = torch.tensor(X, device=device)
        coder, restorer = _tensors(encoder, device), _tensors(decoder, device)
        prior = _Mixture(mixture["weights"], mixture["means"], mixture["variances"], device)
        trained: Any = [*coder, *restorer, prior.logits, prior.means, prior.log_variances]
        optimizer = torch.optim.Adam(trained, lr=recipe.learning_rate, fused=True)
        width = prior.means.shape[1]
        log: list[tuple[int, float, float]] = []
        before: torch.Tensor | None = None
        for epoch in range(1, recipe.epochs + 1):
            order = torch.randperm(len(data), generator=generator).to(device)
            total = 0.0
            for start in range(0, len(data), recipe.batch_size):
                x = data[order[start : start + recipe.batch_size]]
                noise = torch.randn((len(x), width), generator=generator).to(device)
                optimizer.zero_grad(set_to_none=True)
                loss = _vade_loss(x, coder, restorer, prior, recipe.activation, noise)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(trained, 5.0)
                optimizer.step()
                total += float(loss.detach()) * len(x)
            _check(total, epoch, recipe.epochs, recipe.learning_rate)
            with torch.no_grad():
                mean = _forward(data, coder, recipe.activation)[:, :width]
                labels = prior.log_joint(mean).argmax(dim=1)
            changed = 1.0 if before is None else float((labels != before).float().mean())
            log.append((epoch, total / len(data), changed))
            if changed < recipe.tol:
                break
            before = labels
    return Refined(_layers(coder), _layers(restorer), prior.arrays(), log)
