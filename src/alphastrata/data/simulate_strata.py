"""Planted strata: curved arcs in a three-dimensional state space, seen through smooth ratios.

Each stratum is an arc. Neighbouring arcs reach around one another, so that no hyperplane between
centres separates them well, while along an arc assets differ a lot: what a method that follows
density finds, and what K-means on raw ratios cuts in the wrong places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

RADIUS, ARC_RADIUS, ARC_ANGLE, ARC_NOISE = 2.0, 1.2, 3.0, 0.1
ASSET_NOISE, STATEMENT_NOISE = 0.12, 0.08
MONTHLY_PERSISTENCE = 0.985
MIGRATION_MONTHS = 6
WORLD_SEED = 256
"""Seed of the map from states to ratios: one world, in which every market seed draws assets."""

SCORES = (
    "liquidity", "leverage", "efficiency", "current_share", "cash_share", "inventory_share",
    "receivables_share", "long_debt_share", "payables_share", "turnover", "overhead",
    "investment", "value", "size", "depreciation", "short_debt_share", "other_income",
    "affiliates", "cash_growth", "inventory_growth", "liquid_growth",
)  # fmt: skip
"""What the states drive: one standardised score per name."""


@dataclass(frozen=True)
class States:
    """Labels of every asset-month and scores of every asset at its period ends.

    Attributes
    ----------
    labels
        int64[n, m], the true stratum, 1..K.
    period_months
        int64[n, q], the months (columns of ``labels``) in which periods end; the last may lie
        beyond the market's end.
    scores
        Name -> float64[n, q], mean 0 and standard deviation 1 over the market.
    migrations
        int64[e, 4]: asset, month, old and new label.
    """

    labels: Int64
    period_months: Int64
    scores: dict[str, Float64]
    migrations: Int64


def draw_states(
    rng: np.random.Generator,
    n_assets: int,
    n_months: int,
    *,
    n_strata: int,
    step: int,
    anchor: int,
    migration_rate: float,
) -> States:
    """Return labels and scores of a market.

    Parameters
    ----------
    rng
        Source of randomness.
    n_assets, n_months
        Size of the market, burn-in months included.
    n_strata
        Number of planted strata, K.
    step
        Months between period ends, 3 or 12.
    anchor
        The first month that ends a calendar quarter (or year), 0..step-1.
    migration_rate
        Probability that an asset moves to another stratum within a year.
    """
    share = np.linspace(1.3, 0.7, n_strata)
    first = rng.choice(n_strata, n_assets, p=share / share.sum())
    labels, migrations = _migrate(rng, first, n_months, n_strata, migration_rate)
    # Seven in ten assets end their periods with the calendar quarter (or year).
    apart = np.where(rng.random(n_assets) < 0.7, 0, rng.integers(0, step, n_assets))
    phase = (anchor + apart) % step
    quarters = np.arange(-(-n_months // step))
    months = (phase[:, None] + step * quarters[None, :]).astype(np.int64)
    rho = MONTHLY_PERSISTENCE**step
    along = 2.0 * ndtr(_autoregression(rng, (n_assets, quarters.size), rho)) - 1.0
    around = ARC_NOISE * np.stack(
        [_autoregression(rng, (n_assets, quarters.size), rho) for _ in range(3)], axis=-1
    )
    position = _positions(labels, months, migrations, along, n_strata) + around
    scores = _scores(rng, position)
    return States(labels + 1, months, scores, migrations)


def _migrate(
    rng: np.random.Generator, first: Int64, n_months: int, n_strata: int, rate: float
) -> tuple[Int64, Int64]:
    """Labels by month (from 0) and the list of moves; moves of an asset are two years apart."""
    labels = np.repeat(first[:, None], n_months, axis=1).astype(np.int64)
    moves: list[tuple[int, int, int, int]] = []
    if n_strata == 1:
        return labels, np.empty((0, 4), np.int64)
    hits = np.argwhere(rng.random((first.size, n_months)) < rate / 12.0)
    jumps = rng.integers(1, n_strata, len(hits))
    last: dict[int, int] = {}
    for (asset, month), jump in zip(hits.tolist(), jumps.tolist(), strict=True):
        if month < MIGRATION_MONTHS or month - last.get(asset, -24) < 24:
            continue
        old = int(labels[asset, month])
        new = (old + jump) % n_strata
        labels[asset, month:] = new
        last[asset] = month
        moves.append((asset, month, old + 1, new + 1))
    return labels, np.array(moves, np.int64).reshape(-1, 4)


def _autoregression(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Float64:
    """Stationary AR(1) paths with variance one, float64[n, q]."""
    out: Float64 = rng.standard_normal(shape)
    scale = np.sqrt(1.0 - rho**2)
    for q in range(1, shape[1]):
        out[:, q] = rho * out[:, q - 1] + scale * out[:, q]
    return out


def _positions(
    labels: Int64, months: Int64, migrations: Int64, along: Float64, n_strata: int
) -> Float64:
    """Points on the arcs, float64[n, q, 3]; a moving asset crosses over within half a year."""
    at = np.minimum(months, labels.shape[1] - 1)
    position = arc(along, np.take_along_axis(labels, at, axis=1), n_strata)
    half = MIGRATION_MONTHS / 2
    for asset, month, old, new in migrations.tolist():
        way = (months[asset] - month + half) / MIGRATION_MONTHS
        moving = (way > 0) & (way < 1)
        if moving.any():
            q = np.flatnonzero(moving)
            start = arc(along[asset, q], np.full(q.size, old - 1), n_strata)
            end = arc(along[asset, q], np.full(q.size, new - 1), n_strata)
            position[asset, q] = start + way[q, None] * (end - start)
    return position


def arc(along: Float64, label: Int64, n_strata: int) -> Float64:
    """Return the points of the arcs, ``along`` in [-1, 1], with a last axis of length 3.

    The centres are spread evenly over a sphere (Fibonacci lattice); each arc opens towards the
    sphere's centre and lies in its own plane.
    """
    i = np.arange(n_strata) + 0.5
    polar, azimuth = np.arccos(1.0 - 2.0 * i / n_strata), np.pi * (1.0 + 5.0**0.5) * i
    centre = np.column_stack(
        [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)]
    )
    helper = np.where(np.abs(centre[:, [2]]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(centre, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(centre, first)
    turn = 2.0 * np.pi * 0.618 * np.arange(n_strata)[:, None]
    tangent = np.cos(turn) * first + np.sin(turn) * second
    angle = (along * ARC_ANGLE / 2.0)[..., None]
    bow = np.sin(angle) * tangent[label] - (np.cos(angle) - 0.5) * centre[label]
    return np.asarray(RADIUS * centre[label] + ARC_RADIUS * bow)


def _scores(rng: np.random.Generator, position: Float64) -> dict[str, Float64]:
    """Smooth non-linear functions of the states, plus noise of the asset and of the statement."""
    world = np.random.default_rng(WORLD_SEED)
    n_assets, n_quarters, _ = position.shape
    scores = {}
    for name in SCORES:
        linear, bend, wave = (world.standard_normal(3) for _ in range(3))
        shift = world.uniform(-1.0, 1.0)
        value = (
            0.35 * (position @ linear)
            + 0.6 * np.tanh(0.9 * (position @ bend) + shift)
            + 0.5 * np.sin(0.9 * (position @ wave) + 2.0 * shift)
        )
        value = (value - value.mean()) / value.std()
        own = ASSET_NOISE * rng.standard_normal((n_assets, 1))
        passing = STATEMENT_NOISE * rng.standard_normal((n_assets, n_quarters))
        scores[name] = value + own + passing
    return scores
