"""The autoencoder for columns of mixed kinds: each is restored by the loss that fits its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from alphastrata.cluster.autoencoder import Autoencoder, Layers
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

if TYPE_CHECKING:
    import torch

__all__ = ["Block", "MixedAutoencoder"]


@dataclass(frozen=True)
class Block:
    """Columns ``start`` to ``stop`` (excluded) of a matrix, which hold one variable.

    Attributes
    ----------
    name : str
        The variable.
    kind : {"numeric", "ordered", "nominal"}
        "nominal": one column per level, the largest in a row is its level, and a row of zeros
        alone is missing.
    start, stop : int
    """

    name: str
    kind: str
    start: int
    stop: int


class MixedAutoencoder(Autoencoder):
    """An autoencoder that restores numbers by squared error and nominal columns by cross-entropy.

    A nominal variable of L levels is restored as L logits, whose softmax is compared with the
    level of the row; its loss is divided by that of knowing nothing (log L), so that every
    variable weighs the same, as the squared error of a standardised column does.

    Parameters
    ----------
    blocks : sequence of Block
        Which columns belong to which variable; they cover all columns.
    latent_dim, epochs, random_state
        As in `Autoencoder`, whose other settings keep their defaults.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.c_[rng.normal(size=100), np.eye(3)[rng.integers(0, 3, 100)]]
    >>> blocks = [Block("age", "numeric", 0, 1), Block("job", "nominal", 1, 4)]
    >>> MixedAutoencoder(blocks=blocks, latent_dim=2, epochs=2).fit_transform(X).shape
    (100, 2)
    """

    def __init__(
        self,
        *,
        blocks: Sequence[Block] = (),
        latent_dim: int = 8,
        epochs: int = 60,
        random_state: Any = None,
    ) -> None:
        super().__init__(latent_dim=latent_dim, epochs=epochs, random_state=random_state)
        self.blocks = blocks

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Train on ``X`` (rows x columns).

        Raises
        ------
        ConfigError
            If the blocks do not cover the columns, or a setting is out of range.
        EstimationError
            If the loss stops being a finite number.
        """
        from alphastrata.cluster.training import Recipe, initial_layers, train

        self._check_settings()
        values = np.asarray(validate_data(self, X, dtype=np.float64))
        check_blocks(self.blocks, values.shape[1])
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        encoder, decoder = self._start(values.shape[1], seed, initial_layers)
        settings = {name: getattr(self, name) for name in Recipe.__dataclass_fields__}
        settings["batch_size"] = min(max(len(values) // 64, 256), 1024)
        trained = train(
            values.astype(np.float32),
            Recipe(**settings),
            encoder,
            decoder,
            seed=seed,
            error=_MixedError(self.blocks),
        )
        self.encoder_: Layers = trained.encoder
        self.decoder_: Layers = trained.decoder
        self.log_ = pd.DataFrame(trained.log, columns=["epoch", "train", "held_out"])
        self.best_epoch_ = trained.best_epoch
        self.device_ = trained.device
        return self


def check_blocks(blocks: Sequence[Block], n_columns: int) -> None:
    """Raise `ConfigError` unless the blocks cover the columns once, in order."""
    check = Violations("The blocks of a mixed autoencoder")
    expected = 0
    for block in blocks:
        check.require(
            block.start == expected and block.stop > block.start,
            "Each block must begin where the one before it ends",
            first=repr(block),
        )
        check.require(
            block.kind in ("numeric", "ordered", "nominal"),
            "A block is numeric, ordered or nominal",
            first=repr(block.kind),
        )
        expected = block.stop
    check.require(
        expected == n_columns, f"They must cover {n_columns} columns", first=str(expected)
    )
    check.raise_if_any(ConfigError)


class _MixedError:
    """Mean over variables of their loss, each about 1 for a network that knows nothing."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.nominal = [(b.start, b.stop) for b in blocks if b.kind == "nominal"]
        self.numbers = [c for b in blocks if b.kind != "nominal" for c in range(b.start, b.stop)]
        self.n_variables = max(len(self.nominal) + len(self.numbers), 1)

    def __call__(self, restored: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import cross_entropy

        total = ((restored[:, self.numbers] - target[:, self.numbers]) ** 2).mean(dim=0).sum()
        for start, stop in self.nominal:
            block = target[:, start:stop]
            known = (block != 0).any(dim=1)
            loss = cross_entropy(restored[:, start:stop], block.argmax(dim=1), reduction="none")
            share = (loss * known).sum() / known.sum().clamp(min=1)
            total = total + share / float(np.log(max(stop - start, 2)))
        return total / self.n_variables
