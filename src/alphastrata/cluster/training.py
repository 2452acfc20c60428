"""Training of the autoencoder: plain mini-batches over torch on one thread, arrays in and out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alphastrata.cluster.network import ACTIVATIONS, Error, Network
from alphastrata.errors import ConfigError, EstimationError

__all__ = ["ACTIVATIONS", "OPTIMIZERS", "Layers", "Recipe", "Trained", "one_thread", "train"]

Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Weights (inputs x outputs) and biases (outputs) of each layer, from the input on."""

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "lbfgs")


@dataclass(frozen=True)
class Recipe:
    """How to train: the settings of ``Autoencoder`` that matter to the loop."""

    activation: str
    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    validation_fraction: float
    noise: float
    weight_decay: float
    device: str


@dataclass(frozen=True)
class Trained:
    """What training leaves behind: the layers of both halves and one row of log per epoch."""

    encoder: Layers
    decoder: Layers
    log: list[tuple[int, float, float]]
    best_epoch: int
    device: str


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, which is fastest at these sizes, and restore the count after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pick_device(name: str) -> str:
    """Return "cuda" or "cpu" for "auto", and any other name as it is.

    Raises
    ------
    ConfigError
        If a GPU is asked for and torch finds none.
    """
    there = torch.cuda.is_available()
    if name.startswith("cuda") and not there:
        raise ConfigError(
            f'device="{name}" needs a GPU, and torch finds none. Take device="auto" or "cpu".'
        )
    return ("cuda" if there else "cpu") if name == "auto" else name


def initial_layers(widths: list[int], generator: torch.Generator) -> Layers:
    """Return Glorot-uniform weights and zero biases for layers between ``widths``."""
    layers: Layers = []
    for n_in, n_out in pairwise(widths):
        bound = (6.0 / (n_in + n_out)) ** 0.5
        weight = (torch.rand(n_in, n_out, generator=generator) * 2.0 - 1.0) * bound
        layers.append((weight.numpy(), np.zeros(n_out, dtype=np.float32)))
    return layers


def make_optimizer(recipe: Recipe, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    """Return the torch optimiser that the recipe names."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=0.9)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, weight_decay=decay)
    if recipe.optimizer == "lbfgs":
        return torch.optim.LBFGS(
            parameters, lr=rate, max_iter=10, history_size=20, line_search_fn="strong_wolfe"
        )
    raise ConfigError(f"optimizer must be one of {OPTIMIZERS}, got {recipe.optimizer!r}.")


def train(
    X: NDArray[np.float32],
    recipe: Recipe,
    encoder: Layers,
    decoder: Layers,
    *,
    seed: int,
    error: Error = torch.nn.functional.mse_loss,
) -> Trained:
    """Return the layers that reconstruct ``X`` (rows x columns) best, started from given layers.

    ``error`` makes one number of the reconstruction and of what it should be. A random part of
    the rows is held out; the layers of the epoch with the smallest error on that part are kept,
    and training stops ``patience`` epochs after it.

    Raises
    ------
    EstimationError
        If the loss stops being a number; the message names the epoch.
    """
    device = pick_device(recipe.device)
    generator = torch.Generator().manual_seed(seed)
    with one_thread():
        order = torch.randperm(len(X), generator=generator)
        n_held = int(recipe.validation_fraction * len(X)) if recipe.patience else 0
        data = torch.from_numpy(X)
        held, rows = data[order[:n_held]].to(device), data[order[n_held:]].to(device)
        network = Network(
            encoder, decoder, activation=recipe.activation, device=device, error=error
        )
        optimizer = make_optimizer(recipe, [network.flat])
        log: list[tuple[int, float, float]] = []
        best, best_epoch, best_state = np.inf, 0, network.snapshot()
        for epoch in range(1, recipe.epochs + 1):
            train_loss = _epoch(network, optimizer, rows, recipe, generator)
            held_loss = _held_out(network, held) if n_held else train_loss
            log.append((epoch, train_loss, held_loss if n_held else float("nan")))
            if not np.isfinite(train_loss + held_loss):
                raise EstimationError(
                    f"The loss of the autoencoder must stay a finite number; it was {train_loss} "
                    f"at epoch {epoch} of {recipe.epochs}. Lower learning_rate (now "
                    f"{recipe.learning_rate}) or standardise the columns first."
                )
            if not n_held or held_loss < best:
                best, best_epoch, best_state = held_loss, epoch, network.snapshot()
            elif epoch - best_epoch >= recipe.patience:
                break
        encoded, decoded = network.layers(best_state)
    return Trained(encoded, decoded, log, best_epoch, device)


def _held_out(network: Network, held: torch.Tensor) -> float:
    return float(network.loss(held, held))


def _epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    rows: torch.Tensor,
    recipe: Recipe,
    generator: torch.Generator,
) -> float:
    """Go once through the rows and return the mean loss."""
    if recipe.optimizer == "lbfgs":
        return _full_batch(network, optimizer, rows, recipe, generator)
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    shuffled = rows[order]
    total = torch.zeros((), device=rows.device)
    for start in range(0, len(rows), recipe.batch_size):
        batch = shuffled[start : start + recipe.batch_size]
        loss = network.descend(_corrupt(batch, recipe.noise, generator), batch)
        optimizer.step()
        total += loss * len(batch)
    return float(total) / len(rows)


def _full_batch(
    network: Network,
    optimizer: Any,
    rows: torch.Tensor,
    recipe: Recipe,
    generator: torch.Generator,
) -> float:
    # The line search compares losses, so that the noise must be the same within one step.
    noisy = _corrupt(rows, recipe.noise, generator)

    def closure() -> torch.Tensor:
        loss = network.descend(noisy, rows)
        slope = network.flat.grad
        if slope is not None:
            slope.add_(network.flat, alpha=2.0 * recipe.weight_decay)
        return loss + recipe.weight_decay * (network.flat**2).sum()

    return float(optimizer.step(closure))


def _corrupt(batch: torch.Tensor, noise: float, generator: torch.Generator) -> torch.Tensor:
    if noise == 0.0:
        return batch
    # Drawn on the CPU, so that every device sees the same noise.
    return batch + noise * torch.randn(batch.shape, generator=generator).to(batch.device)
