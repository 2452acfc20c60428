"""Customers without segments: the same margins and correlations, one cloud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alphastrata.cluster.mixed_autoencoder import Block

__all__ = ["MixedNull"]

Array = NDArray[np.float64]


class MixedNull:
    """Draws matrices that look like a preprocessed customer table and have no segments.

    A Gaussian vector is drawn for every row; numbers take the value of the same rank in their own
    column, and a nominal variable takes the level whose Gaussian, plus a constant that makes the
    levels as frequent as they are, is largest. The correlations of the Gaussian are adjusted until
    the drawn matrices have those of the data ("normal to anything"). What is left of the score of
    a segmentation above its score here is no matter of skewed, two-humped or correlated columns.

    Parameters
    ----------
    Z : array of shape (n, d)
        The preprocessed rows.
    blocks : sequence of Block
        Which columns hold which variable.
    rounds : int
        Adjustments of the correlations.
    seed : int
        Seed of the draws made while adjusting.

    References
    ----------
    Cario, M. and Nelson, B. (1997), "Modeling and generating random vectors with arbitrary
    marginal distributions and correlation matrix", Northwestern University.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(50, 2))
    >>> null = MixedNull(Z, [Block("a", "numeric", 0, 1), Block("b", "numeric", 1, 2)])
    >>> drawn = null.draw(np.random.default_rng(1))
    >>> bool((np.sort(drawn, axis=0) == np.sort(Z, axis=0)).all())
    True
    """

    def __init__(
        self, Z: Array, blocks: Sequence[Block], *, rounds: int = 4, seed: int = 0
    ) -> None:
        self.values = np.ascontiguousarray(Z)
        self.blocks = tuple(blocks)
        self._sorted = np.sort(self.values, axis=0)
        target = _correlation(self.values)
        self._root = _root(target)
        rng = np.random.default_rng(seed)
        self._offsets = self._frequencies(rng)
        latent = target
        for _ in range(rounds):
            gap = target - _correlation(self.draw(rng))
            latent = np.clip(latent + gap, -0.999, 0.999)
            np.fill_diagonal(latent, 1.0)
            self._root = _root(latent)
            self._offsets = self._frequencies(rng)

    def draw(self, rng: np.random.Generator) -> Array:
        """Return one matrix of the shape of ``Z``."""
        n, d = self.values.shape
        latent = rng.normal(size=(n, d)) @ self._root.T
        out = np.empty_like(self.values)
        for block in self.blocks:
            part = latent[:, block.start : block.stop]
            if block.kind == "nominal":
                out[:, block.start : block.stop] = self._levels(block, part, rng)
            else:
                order = np.argsort(part[:, 0], kind="stable")
                out[order, block.start] = self._sorted[:, block.start]
        return out

    def _levels(self, block: Block, part: Array, rng: np.random.Generator) -> Array:
        """Return level columns: the values that the data have for each level, or zeros."""
        own = self.values[:, block.start : block.stop]
        level, known = own.argmax(axis=1), (own != 0).any(axis=1)
        drawn = (part + self._offsets[block.name]).argmax(axis=1)
        table = np.zeros((part.shape[1], part.shape[1]))
        for code in np.unique(level[known]):
            table[code] = own[np.flatnonzero(known & (level == code))[0]]
        out = table[drawn]
        out[rng.random(len(out)) >= known.mean()] = 0.0
        return out

    def _frequencies(self, rng: np.random.Generator) -> dict[str, Array]:
        """Return the constants that make the drawn levels as frequent as those of the data."""
        out = {}
        sample = rng.normal(size=(min(4_000, 4 * len(self.values)), self.values.shape[1]))
        for block in self.blocks:
            if block.kind != "nominal":
                continue
            part = sample @ self._root[block.start : block.stop].T
            own = self.values[:, block.start : block.stop]
            level = own.argmax(axis=1)[(own != 0).any(axis=1)]
            width = block.stop - block.start
            wanted = np.bincount(level, minlength=width) / max(len(level), 1)
            offset = np.where(wanted > 0, 0.0, -1e9)
            for _ in range(30):
                found = np.bincount((part + offset).argmax(axis=1), minlength=width) / len(part)
                step = np.log(np.maximum(wanted, 1e-3) / np.maximum(found, 1e-3))
                offset = offset + 0.5 * np.where(wanted > 0, step, 0.0)
            out[block.name] = offset
        return out


def _correlation(Z: Array) -> Array:
    centred = Z - Z.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 1e-12, spread, 1.0)
    out = scaled.T @ scaled / len(Z)
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)


def _root(correlation: Array) -> Array:
    """Return a square root (d x d) of the nearest matrix that has one, with unit variances."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 1e-9))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1))[:, None])
