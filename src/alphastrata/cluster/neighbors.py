"""Exact neighbours of a cross-section, and the affinities of t-SNE over them.

Every sum runs in a fixed order, so that the same input gives the same bits whatever the number of
threads, which a matrix product does not promise.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["affinities", "conditional", "nearest_neighbors", "squared_distances", "upper_triangle"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def squared_distances(A: Array, B_columns: Array) -> Array:
    """Return the squared Euclidean distances (a x b) of the rows of ``A`` to those of B.

    ``B_columns`` is B transposed (columns x b). Differences are squared, rather than products
    combined, so that close rows keep their digits and equal rows are at distance zero exactly.
    """
    n, d = A.shape
    m = B_columns.shape[1]
    out = np.zeros((n, m))
    for i in range(n):
        row = out[i]
        for k in range(d):
            a = A[i, k]
            b = B_columns[k]
            for j in range(m):
                difference = a - b[j]
                row[j] += difference * difference
    return out


def nearest_neighbors(
    X: Array, reference: Array, k: int, *, exclude_self: bool
) -> tuple[Int32, Array]:
    """Return positions (n x k) and squared distances of the k nearest reference rows.

    Neighbours are sorted by distance, then by position. With ``exclude_self``, ``X`` is the
    reference and row i is no neighbour of itself. Works in chunks of about 4 MB.
    """
    columns = np.ascontiguousarray(reference.T)
    n, m = len(X), len(reference)
    index = np.empty((n, k), dtype=np.int32)
    squared = np.empty((n, k))
    step = max(1, 500_000 // max(m, 1))
    for start in range(0, n, step):
        block = squared_distances(np.ascontiguousarray(X[start : start + step]), columns)
        rows = np.arange(len(block))
        if exclude_self:
            block[rows, start + rows] = np.inf
        found = (
            np.argpartition(block, k - 1, axis=1)[:, :k]
            if k < m
            else np.tile(np.arange(m), (len(block), 1))
        )
        found.sort(axis=1)
        near = np.take_along_axis(block, found, axis=1)
        order = np.argsort(near, axis=1, kind="stable")
        index[start : start + step] = np.take_along_axis(found, order, axis=1)
        squared[start : start + step] = np.take_along_axis(near, order, axis=1)
    return index, squared


@njit(cache=True, nogil=True, error_model="numpy")
def conditional(squared: Array, perplexity: float) -> Array:
    """Return p(j|i) (n x k) over the k neighbours, with entropy log(perplexity) in every row.

    The precision beta is found by Newton steps within a bracket, and by bisection where a step
    leaves it: van der Maaten and Hinton (2008), equation 1; the entropy falls in beta with slope
    -beta Var(d) under p.
    """
    n, k = squared.shape
    p = np.empty((n, k))
    target = np.log(perplexity)
    for i in range(n):
        scale = 0.0
        for j in range(k):
            scale += (squared[i, j] - squared[i, 0]) / k
        beta = 1.0 / scale if scale > 0.0 else 1.0
        low, high = 0.0, np.inf
        for _ in range(100):
            total, first, second = 0.0, 0.0, 0.0
            for j in range(k):
                # The nearest distance is taken off, so that at least one weight is one.
                d = squared[i, j] - squared[i, 0]
                w = np.exp(-beta * d)
                p[i, j] = w
                total += w
                first += w * d
                second += w * d * d
            mean = first / total
            excess = np.log(total) + beta * mean - target
            for j in range(k):
                p[i, j] /= total
            if abs(excess) < 1e-8 or beta > 1e300 or beta < 1e-300:
                break
            if excess > 0.0:
                low = beta
            else:
                high = beta
            spread = second / total - mean * mean
            step = beta + excess / (beta * spread) if spread > 0.0 else -1.0
            if low < step < high:
                beta = step
            else:
                beta = beta * 2.0 if high == np.inf else 0.5 * (low + high)
    return p


@njit(cache=True, nogil=True)
def _symmetrize(index: Int32, p: Array) -> tuple[NDArray[np.int64], Int32, Float32]:
    """Return the joint affinities (p(j|i) + p(i|j)) / 2n in compressed rows, columns ascending."""
    n, k = index.shape
    # Who has row j among its neighbours: filled row after row, so that its columns ascend.
    back_start = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        for e in range(k):
            back_start[index[i, e] + 1] += 1
    back_start = np.cumsum(back_start)
    fill = back_start[:-1].copy()
    back = np.empty(n * k, dtype=np.int32)
    back_p = np.empty(n * k)
    for i in range(n):
        for e in range(k):
            j = index[i, e]
            back[fill[j]] = i
            back_p[fill[j]] = p[i, e] / (2.0 * n)
            fill[j] += 1
    # Turned around once more, the neighbours themselves ascend.
    own = np.empty((n, k), dtype=np.int32)
    own_p = np.empty((n, k))
    count = np.zeros(n, dtype=np.int64)
    for j in range(n):
        for e in range(back_start[j], back_start[j + 1]):
            i = back[e]
            own[i, count[i]] = j
            own_p[i, count[i]] = back_p[e]
            count[i] += 1
    # Merge the two sorted lists of each row; a mutual neighbour is in both.
    offsets = np.zeros(n + 1, dtype=np.int64)
    columns = np.empty(2 * n * k, dtype=np.int32)
    values = np.empty(2 * n * k)
    size = 0
    for i in range(n):
        a, b, end = 0, back_start[i], back_start[i + 1]
        while a < k or b < end:
            left = own[i, a] if a < k else n
            right = back[b] if b < end else n
            value = 0.0
            if left <= right:
                value += own_p[i, a]
                a += 1
            if right <= left:
                value += back_p[b]
                b += 1
            columns[size] = min(left, right)
            values[size] = value
            size += 1
        offsets[i + 1] = size
    return offsets, columns[:size].copy(), values[:size].astype(np.float32)


def affinities(X: Array, perplexity: float) -> tuple[NDArray[np.int64], Int32, Float32]:
    """Return the joint affinities of the rows of ``X`` over 3 x perplexity exact neighbours.

    Returns
    -------
    offsets : int64 (n + 1,), columns : int32, values : float32
        Compressed rows of a symmetric matrix that sums to one.
    """
    k = min(len(X) - 1, int(3 * perplexity))
    index, squared = nearest_neighbors(X, X, k, exclude_self=True)
    return _symmetrize(index, conditional(squared, perplexity))


@njit(cache=True, nogil=True)
def upper_triangle(
    offsets: NDArray[np.int64], columns: Int32, values: Float32
) -> tuple[NDArray[np.int64], Int32, Float32]:
    """Return the entries right of the diagonal: a symmetric matrix needs each pair once."""
    n = len(offsets) - 1
    kept = np.empty(n + 1, dtype=np.int64)
    right = np.empty(len(columns), dtype=np.int32)
    weight = np.empty(len(values), dtype=np.float32)
    size = 0
    kept[0] = 0
    for i in range(n):
        for e in range(offsets[i], offsets[i + 1]):
            if columns[e] > i:
                right[size] = columns[e]
                weight[size] = values[e]
                size += 1
        kept[i + 1] = size
    return kept, right[:size].copy(), weight[:size].copy()
