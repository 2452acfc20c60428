"""Sizing: leverage, caps on weights, and legs scaled to a beta of one."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
import numpy.typing as npt

from alphastrata.errors import ConfigError, InputDataError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sizing:
    """How target weights become positions.

    Parameters
    ----------
    leverage
        Multiplies every weight; 1 holds each leg at wealth.
    max_weight
        No asset weighs more than this in its leg (before leverage); the excess goes to the
        others in proportion to their weights.
    beta
        Column of betas as known at the date: each leg is divided by its own beta, so that long
        and short cancel (a beta-neutral portfolio, as Frazzini and Pedersen, 2014, build theirs).
        While a leg has no positive beta there is no trade, which is counted.

    Examples
    --------
    >>> Sizing(max_weight=0.05).leverage
    1.0
    """

    leverage: float = 1.0
    max_weight: float | None = None
    beta: str | None = None

    def __post_init__(self) -> None:
        if not self.leverage > 0.0:
            raise ConfigError(f"Sizing.leverage is positive, got {self.leverage}.")
        if self.max_weight is not None and not 0.0 < self.max_weight <= 1.0:
            raise ConfigError(f"Sizing.max_weight lies in (0, 1], got {self.max_weight}.")


def capped_weights(weights: Float64, cap: float) -> Float64:
    """Return positive weights that sum as before, none above ``cap`` times their sum.

    Parameters
    ----------
    weights
        Positive, shape (n,).
    cap
        Largest share of one asset, at least 1/n.

    Raises
    ------
    InputDataError
        When n assets cannot hold everything under the cap.

    Examples
    --------
    >>> capped_weights(np.array([0.7, 0.2, 0.1]), 0.5).round(4).tolist()
    [0.5, 0.3333, 0.1667]
    """
    total = fsum(weights)  # Exactly rounded: the order of assets does not matter.
    if weights.size * cap < 1.0 - 1e-12:
        raise InputDataError(
            f"{weights.size} assets cannot hold a leg with at most {cap:g} each; "
            "raise max_weight or hold more assets."
        )
    shares = weights / total
    over = np.zeros(shares.size, dtype=bool)
    while (shares[~over] > cap * (1.0 + 1e-15)).any():
        over |= shares > cap
        free = 1.0 - cap * over.sum()
        rest = fsum(shares[~over])
        shares = np.where(over, cap, shares * (free / rest) if rest > 0.0 else 0.0)
    return shares * total


def sized(weights: Float64, betas: Float64 | None, sizing: Sizing) -> Float64 | None:
    """Return the signed weights of one portfolio on one date after sizing.

    None where betas scale the legs, and one of these is missing or not positive.

    Parameters
    ----------
    weights
        Signed, shape (n,): the long ones sum to one, and the short ones to minus one (or none).
    betas
        Betas of the assets, shape (n,), where legs are to be scaled by them; an asset without
        one counts with the mean of its leg.
    sizing
        The rules.

    Raises
    ------
    InputDataError
        When the cap cannot be met.

    Examples
    --------
    >>> sized(np.array([1.0, -1.0]), np.array([0.5, 2.0]), Sizing(beta="beta")).tolist()
    [2.0, -0.5]
    """
    out = weights * sizing.leverage
    for side in (1.0, -1.0):
        leg = weights * side > 0.0
        if not leg.any():
            continue
        part = weights[leg] * side
        if sizing.max_weight is not None:
            part = capped_weights(part, sizing.max_weight)
        scale = sizing.leverage
        if betas is not None:
            known = ~np.isnan(betas[leg])
            mean = fsum(part[known] * betas[leg][known]) / fsum(part[known]) if known.any() else 0.0
            if not mean > 0.0:
                return None
            scale /= mean
        out[leg] = side * part * scale
    return out
