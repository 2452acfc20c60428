"""Kernels of t-SNE: the gradient, the descent, the divergence, and places of new rows.

Every sum runs in an order that the compiled code fixes (row after row, the lanes of one row
always combined alike), so that the same input gives the same bits whatever the number of threads.
The rows of one map are kept as separate float32 arrays per coordinate, and all pairs are visited:
for the size of a stock cross-section this vectorised loop beats tree and grid approximations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["descend", "gradient", "kl_divergence", "place_rows"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

# Sums over one row may be reassociated into vector lanes; NaN and infinities stay correct. How
# the lanes are combined is up to the compiler, so whatever is summed this way is inlined into the
# one function that is compiled: a call would find the helper as it was compiled for itself in the
# process that compiles, and as it was compiled into the caller in one that loads the cache.
_LANES = {"reassoc", "nsz", "arcp", "contract"}


@njit(inline="always")
def _repulsion2(x: Float32, y: Float32, out: Float32) -> Any:
    """Write the repulsion of every row, and return the sum of all weights; a pair is met once."""
    one = np.float32(1.0)
    total: Any = 0.0
    out[:] = np.float32(0.0)
    for i in range(len(x)):
        xi, yi = x[i], y[i]
        # Views from zero on: with an offset inside, the loop would not become vectors.
        xs, ys, out_x, out_y = x[i + 1 :], y[i + 1 :], out[0, i + 1 :], out[1, i + 1 :]
        s, gx, gy = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for j in range(len(xs)):
            dx = xi - xs[j]
            dy = yi - ys[j]
            q = one / (one + dx * dx + dy * dy)
            s += q
            q2 = q * q
            push_x, push_y = q2 * dx, q2 * dy
            gx += push_x
            gy += push_y
            out_x[j] -= push_x
            out_y[j] -= push_y
        total += 2.0 * s
        out[0, i] += gx
        out[1, i] += gy
    return total


@njit(inline="always")
def _repulsion3(x: Float32, y: Float32, z: Float32, out: Float32) -> Any:
    """Write the repulsion of every row of a map in three dimensions, as in two."""
    one = np.float32(1.0)
    total: Any = 0.0
    out[:] = np.float32(0.0)
    for i in range(len(x)):
        xi, yi, zi = x[i], y[i], z[i]
        xs, ys, zs = x[i + 1 :], y[i + 1 :], z[i + 1 :]
        out_x, out_y, out_z = out[0, i + 1 :], out[1, i + 1 :], out[2, i + 1 :]
        s = np.float32(0.0)
        gx, gy, gz = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for j in range(len(xs)):
            dx = xi - xs[j]
            dy = yi - ys[j]
            dz = zi - zs[j]
            q = one / (one + dx * dx + dy * dy + dz * dz)
            s += q
            q2 = q * q
            push_x, push_y, push_z = q2 * dx, q2 * dy, q2 * dz
            gx += push_x
            gy += push_y
            gz += push_z
            out_x[j] -= push_x
            out_y[j] -= push_y
            out_z[j] -= push_z
        total += 2.0 * s
        out[0, i] += gx
        out[1, i] += gy
        out[2, i] += gz
    return total


@njit(inline="always")
def _attraction2(
    x: Float32,
    y: Float32,
    offsets: NDArray[np.int64],
    columns: Int32,
    values: Float32,
    out: Float32,
) -> None:
    """Write the attraction of every row; the affinities hold each pair once, row before column."""
    one = np.float32(1.0)
    out[:] = np.float32(0.0)
    out_x, out_y = out[0], out[1]
    for i in range(len(x)):
        xi, yi = x[i], y[i]
        others, p = columns[offsets[i] : offsets[i + 1]], values[offsets[i] : offsets[i + 1]]
        gx, gy = np.float32(0.0), np.float32(0.0)
        for e in range(len(others)):
            # Unsigned: no code for indices that count from the end.
            j = np.uint32(others[e])
            dx = xi - x[j]
            dy = yi - y[j]
            w = p[e] / (one + dx * dx + dy * dy)
            pull_x, pull_y = w * dx, w * dy
            gx += pull_x
            gy += pull_y
            out_x[j] -= pull_x
            out_y[j] -= pull_y
        out_x[i] += gx
        out_y[i] += gy


@njit(inline="always")
def _attraction3(
    Y: Float32, offsets: NDArray[np.int64], columns: Int32, values: Float32, out: Float32
) -> None:
    """Write the attraction of every row of a map in three dimensions, as in two."""
    one = np.float32(1.0)
    x, y, z = Y[0], Y[1], Y[2]
    out[:] = np.float32(0.0)
    out_x, out_y, out_z = out[0], out[1], out[2]
    for i in range(len(x)):
        xi, yi, zi = x[i], y[i], z[i]
        others, p = columns[offsets[i] : offsets[i + 1]], values[offsets[i] : offsets[i + 1]]
        gx, gy, gz = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for e in range(len(others)):
            j = np.uint32(others[e])
            dx = xi - x[j]
            dy = yi - y[j]
            dz = zi - z[j]
            w = p[e] / (one + dx * dx + dy * dy + dz * dz)
            pull_x, pull_y, pull_z = w * dx, w * dy, w * dz
            gx += pull_x
            gy += pull_y
            gz += pull_z
            out_x[j] -= pull_x
            out_y[j] -= pull_y
            out_z[j] -= pull_z
        out_x[i] += gx
        out_y[i] += gy
        out_z[i] += gz


@njit(inline="always")
def _slope(
    Y: Float32,
    offsets: NDArray[np.int64],
    columns: Int32,
    values: Float32,
    exaggeration: Any,
    pull: Float32,
    push: Float32,
) -> None:
    """Write a quarter of the gradient of the KL divergence into ``pull``."""
    if Y.shape[0] == 2:
        _attraction2(Y[0], Y[1], offsets, columns, values, pull)
        total = _repulsion2(Y[0], Y[1], push)
    else:
        _attraction3(Y, offsets, columns, values, pull)
        total = _repulsion3(Y[0], Y[1], Y[2], push)
    r = np.float32(1.0 / total)
    for c in range(Y.shape[0]):
        for i in range(Y.shape[1]):
            pull[c, i] = exaggeration * pull[c, i] - r * push[c, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_LANES)
def gradient(
    Y: Float32,
    offsets: NDArray[np.int64],
    columns: Int32,
    values: Float32,
    exaggeration: float,
) -> Float32:
    """Return a quarter of the gradient of the KL divergence at the map ``Y`` (dims x n).

    sum_j (a p_ij - q_ij) w_ij (y_i - y_j), with w = 1 / (1 + |y_i - y_j|^2), q = w / sum w and
    exaggeration a: van der Maaten and Hinton (2008), equation 5, whose factor 4 is left to the
    learning rate as is usual. The affinities hold each pair once (``upper_triangle``).
    """
    pull = np.empty_like(Y)
    push = np.empty_like(Y)
    _slope(Y, offsets, columns, values, np.float32(exaggeration), pull, push)
    return pull


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_LANES)
def descend(
    Y: Float32,
    affinity: tuple[NDArray[np.int64], Int32, Float32],
    n_iter: int,
    exaggeration: float,
    learning_rate: float,
    momentum: float,
) -> None:
    """Move the map ``Y`` (dims x n) in place by ``n_iter`` steps with momentum and gains.

    The gains grow by 0.2 where the direction turned and shrink by a fifth where it did not,
    Jacobs (1988). No step is longer than 5, as in openTSNE, against rare explosions. The
    affinities hold each pair once (``upper_triangle``).
    """
    offsets, columns, values = affinity
    dims, n = Y.shape
    slope = np.empty_like(Y)
    push = np.empty_like(Y)
    update = np.zeros_like(Y)
    gains = np.ones_like(Y)
    rate, keep, boost = np.float32(learning_rate), np.float32(momentum), np.float32(exaggeration)
    low, up, down = np.float32(0.01), np.float32(0.2), np.float32(0.8)
    for _ in range(n_iter):
        _slope(Y, offsets, columns, values, boost, slope, push)
        for i in range(n):
            norm = np.float32(0.0)
            for c in range(dims):
                g = slope[c, i]
                gain = gains[c, i]
                gain = gain + up if (g > 0.0) != (update[c, i] > 0.0) else gain * down
                gains[c, i] = max(gain, low)
                update[c, i] = keep * update[c, i] - rate * gains[c, i] * g
                norm += update[c, i] * update[c, i]
            if norm > 25.0:
                shrink = np.float32(5.0) / np.sqrt(norm)
                for c in range(dims):
                    update[c, i] *= shrink
            for c in range(dims):
                Y[c, i] += update[c, i]
        for c in range(dims):
            total = 0.0
            for i in range(n):
                total += float(Y[c, i])
            mean = np.float32(total / n)
            for i in range(n):
                Y[c, i] -= mean


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_LANES)
def kl_divergence(Y: Float32, offsets: NDArray[np.int64], columns: Int32, values: Float32) -> float:
    """Return the KL divergence of the map's similarities from the affinities, over all pairs."""
    dims, n = Y.shape
    push = np.empty_like(Y)
    if dims == 2:
        total = _repulsion2(Y[0], Y[1], push)
    else:
        total = _repulsion3(Y[0], Y[1], Y[2], push)
    divergence = 0.0
    for i in range(n):
        for e in range(offsets[i], offsets[i + 1]):
            squared = 0.0
            for c in range(dims):
                squared += (float(Y[c, i]) - float(Y[c, columns[e]])) ** 2
            p = float(values[e])
            if p > 0.0:
                divergence += p * (np.log(p) + np.log1p(squared) + np.log(total))
    return divergence


@njit(inline="always")
def _place_gradient(
    point: Array, Y: Array, index: Int32, p: Array, exaggeration: float, out: Array
) -> None:
    dims, n = Y.shape
    total = 0.0
    push_x, push_y, push_z = 0.0, 0.0, 0.0
    x, y, z = point[0], point[1], point[dims - 1]
    # With two dimensions the third difference is switched off by the factor.
    third = 1.0 if dims == 3 else 0.0
    X_, Y_, Z_ = Y[0], Y[1], Y[dims - 1]
    for j in range(n):
        dx = x - X_[j]
        dy = y - Y_[j]
        dz = third * (z - Z_[j])
        q = 1.0 / (1.0 + dx * dx + dy * dy + dz * dz)
        total += q
        q2 = q * q
        push_x += q2 * dx
        push_y += q2 * dy
        push_z += q2 * dz
    pull_x, pull_y, pull_z = 0.0, 0.0, 0.0
    for e in range(len(index)):
        j = index[e]
        dx = x - X_[j]
        dy = y - Y_[j]
        dz = third * (z - Z_[j])
        w = p[e] / (1.0 + dx * dx + dy * dy + dz * dz)
        pull_x += w * dx
        pull_y += w * dy
        pull_z += w * dz
    out[0] = exaggeration * pull_x - push_x / total
    out[1] = exaggeration * pull_y - push_y / total
    if dims == 3:
        out[2] = exaggeration * pull_z - push_z / total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_LANES)
def place_rows(Y: Array, index: Int32, p: Array, n_iter: int) -> Array:
    """Return where new rows (m x dims) belong on the fixed map ``Y`` (dims x n).

    Each row starts at the mean of its neighbours, weighted by its affinities ``p`` (m x k) to the
    training rows ``index``, and descends alone, exaggeration 1.5, learning rate 0.1 and momentum
    0.8 as in openTSNE, Poličar, Stražar and Zupan (2023): where a row lands does not depend on
    the rows that come with it.
    """
    m, k = index.shape
    dims = Y.shape[0]
    out = np.zeros((m, dims))
    slope = np.empty(dims)
    for i in range(m):
        point = out[i]
        for e in range(k):
            for c in range(dims):
                point[c] += p[i, e] * Y[c, index[i, e]]
        update = np.zeros(dims)
        gains = np.ones(dims)
        for _ in range(n_iter):
            _place_gradient(point, Y, index[i], p[i], 1.5, slope)
            norm = 0.0
            for c in range(dims):
                norm += slope[c] * slope[c]
            clip = min(1.0, 0.25 / np.sqrt(norm)) if norm > 0.0 else 1.0
            for c in range(dims):
                g = slope[c] * clip
                turned = (g > 0.0) != (update[c] > 0.0)
                gains[c] = max(gains[c] + 0.2 if turned else gains[c] * 0.8, 0.01)
                update[c] = 0.8 * update[c] - 0.1 * gains[c] * g
                point[c] += update[c]
    return out
