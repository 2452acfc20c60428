"""Cross-products and slopes by date against brute force on ragged rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.inference import moments as module
from alphastrata.inference.moments import Lagged, moments_by_date, slopes_by_date, unshifted


def rows_of(
    counts: list[int], p: int, seed: int, missing: float, mean: float
) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    n = sum(counts)
    columns = [rng.normal(size=n) + mean * c for c in range(p)]
    for column in columns:
        column[rng.random(n) < missing] = np.nan
    return columns, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    p=st.integers(2, 6),
    seed=st.integers(0, 2**31),
    missing=st.sampled_from([0.0, 0.2]),
    weighted=st.booleans(),
)
def test_raw_products_are_brute_force(
    counts: list[int], p: int, seed: int, missing: float, weighted: bool
) -> None:
    columns, offsets = rows_of(counts, p, seed, missing, 3.0)
    w = np.random.default_rng(seed).uniform(0.5, 2, offsets[-1]) if weighted else None
    products = unshifted(moments_by_date(columns, offsets, w))
    for d in range(len(counts)):
        part = slice(offsets[d], offsets[d + 1])
        x = np.column_stack([np.ones(counts[d]), *(c[part] for c in columns)])
        kept = ~np.isnan(x).any(axis=1)
        weights = np.ones(counts[d]) if w is None else w[part]
        expected = x[kept].T @ (x[kept] * weights[kept, None])
        assert products.count[d] == kept.sum()
        np.testing.assert_allclose(products.moments[d], expected, rtol=1e-10, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 60), min_size=1, max_size=5),
    k=st.integers(1, 4),
    seed=st.integers(0, 2**31),
    intercept=st.booleans(),
)
def test_slopes_are_least_squares(counts: list[int], k: int, seed: int, intercept: bool) -> None:
    columns, offsets = rows_of(counts, k + 2, seed, 0.05, 0.0)
    slopes = slopes_by_date(moments_by_date(columns, offsets), range(k), k + 1, intercept=intercept)
    lead = int(intercept)
    for d in range(len(counts)):
        part = slice(offsets[d], offsets[d + 1])
        # Rows are those on which all columns are there, also the one that is not used.
        whole = np.column_stack([c[part] for c in columns])
        whole = whole[~np.isnan(whole).any(axis=1)]
        if len(whole) <= k + lead:
            assert np.isnan(slopes.params[d]).all()
            continue
        if slopes.pivot[d] < 1e-3:
            continue
        x = np.column_stack([np.ones((len(whole), lead)), whole[:, :k]])
        y = whole[:, k + 1]
        b = np.linalg.lstsq(x, y, rcond=None)[0]
        np.testing.assert_allclose(slopes.params[d], b, rtol=1e-7, atol=1e-9)
        e = y - x @ b
        total = ((y - lead * y.mean()) ** 2).sum()
        assert slopes.r2[d] == pytest.approx(1 - e @ e / total, abs=1e-8)


def test_blocks_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    columns, offsets = rows_of([30, 0, 700, 5, 41], 4, 1, 0.1, 5.0)
    whole = moments_by_date(columns, offsets)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 50)
    small = moments_by_date(columns, offsets)
    np.testing.assert_array_equal(whole.moments, small.moments)
    np.testing.assert_array_equal(whole.count, small.count)


def test_large_means_lose_no_digit() -> None:
    rng = np.random.default_rng(0)
    z = rng.integers(-512, 512, (400, 3)) / 256.0
    offsets = np.array([0, 200, 400])
    plain = slopes_by_date(moments_by_date(list(z.T), offsets), [0, 1], 2)
    far = slopes_by_date(moments_by_date(list((z + 2.0**20).T), offsets), [0, 1], 2)
    np.testing.assert_allclose(far.params[:, 1:], plain.params[:, 1:], rtol=1e-12)


def test_a_constant_column_has_no_pivot() -> None:
    columns, offsets = rows_of([50], 3, 0, 0.0, 0.0)
    columns[1] = np.full(50, 1e7)
    slopes = slopes_by_date(moments_by_date(columns, offsets), [0, 1], 2)
    assert slopes.pivot[0] == 0.0
    assert np.isnan(slopes.params).all()


def test_lagged_reads_through_rows() -> None:
    column = Lagged(np.array([1.0, 2.0, 3.0]), np.array([-1, 0, 1]))
    np.testing.assert_array_equal(column[0:2], [np.nan, 1.0])
