"""The by-date kernels against brute-force pandas and NumPy on ragged panels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from alphastrata.core import bydate
from alphastrata.core.crossproducts import normal_equations
from alphastrata.errors import ConfigError


@some.composite
def ragged(draw, columns=1):
    """Offsets with empty and single-asset dates; values with ties and missing ones."""
    sizes = draw(some.lists(some.integers(0, 7), min_size=1, max_size=6))
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    values = arrays.arrays(
        np.float64,
        (columns, int(offsets[-1])),
        elements=some.one_of(
            some.just(np.nan),
            some.integers(-3, 3).map(float),
            some.floats(-100, 100, allow_subnormal=False),
        ),
    )
    return draw(values), offsets


def by_date(offsets):
    return [slice(a, b) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


@settings(max_examples=60, deadline=None)
@given(ragged())
def test_rank_is_pandas_rank(data):
    (values,), offsets = data
    for pct in (False, True):
        got = bydate.rank(values, offsets, pct=pct)
        for rows in by_date(offsets):
            want = pd.Series(values[rows]).rank(pct=pct).to_numpy()
            np.testing.assert_array_equal(got[rows], want)


@settings(max_examples=60, deadline=None)
@given(ragged(), some.integers(2, 10), some.data())
def test_breakpoints_are_numpy_quantiles_of_the_eligible(data, n, more):
    (values,), offsets = data
    eligible = more.draw(arrays.arrays(np.bool_, values.shape))
    probs = [Fraction(i, n) for i in range(1, n)]
    got = bydate.breakpoints(values, offsets, probs, eligible=eligible)
    for d, rows in enumerate(by_date(offsets)):
        usable = values[rows][eligible[rows] & ~np.isnan(values[rows])]
        if usable.size == 0:
            assert np.isnan(got[d]).all()
        else:
            want = np.quantile(usable, [float(p) for p in probs])
            np.testing.assert_allclose(got[d], want, rtol=1e-13, atol=1e-13)


def test_a_breakpoint_on_an_asset_is_that_asset_to_the_bit():
    # 0.3 * (11 - 1) is 3 exactly; in floating point it is not for every such product.
    values = np.sqrt(np.arange(1.0, 12.0))
    got = bydate.breakpoints(values, np.array([0, 11]), [0.1 * i for i in range(1, 10)])
    np.testing.assert_array_equal(got[0], values[1:10])


def test_breakpoints_refuse_unordered_probabilities():
    for probs in ([], [0.5, 0.2], [0.0, 0.5], [0.5, 1.0]):
        with pytest.raises(ConfigError, match="ascend strictly"):
            bydate.breakpoints(np.ones(2), np.array([0, 2]), probs)


@settings(max_examples=60, deadline=None)
@given(ragged(), some.integers(1, 5))
def test_assign_counts_breakpoints_at_or_below(data, q):
    (values,), offsets = data
    breaks = bydate.breakpoints(values, offsets, [Fraction(i, q + 1) for i in range(1, q + 1)])
    got = bydate.assign(values, offsets, breaks)
    for d, rows in enumerate(by_date(offsets)):
        for value, label in zip(values[rows], got[rows], strict=True):
            want = 0 if np.isnan(value) else 1 + int((value >= breaks[d]).sum())
            assert label == want


@settings(max_examples=60, deadline=None)
@given(ragged(columns=2), some.data())
def test_weighted_mean_is_a_pandas_groupby(data, more):
    (values, weights), offsets = data
    weights = np.abs(weights)
    labels = more.draw(arrays.arrays(np.int64, values.shape, elements=some.integers(0, 3)))
    got = bydate.weighted_mean(values, weights, labels, offsets, 3)
    for d, rows in enumerate(by_date(offsets)):
        frame = pd.DataFrame({"x": values[rows], "w": weights[rows], "k": labels[rows]}).dropna()
        for k in range(1, 4):
            part = frame[frame["k"] == k]
            assert got.count[d, k - 1] == len(part)
            np.testing.assert_allclose(got.weight[d, k - 1], part["w"].sum(), atol=1e-12)
            if part["w"].sum() > 0:
                want = np.average(part["x"], weights=part["w"])
                np.testing.assert_allclose(got.mean[d, k - 1], want, rtol=1e-12, atol=1e-12)
            else:
                assert np.isnan(got.mean[d, k - 1])


@settings(max_examples=60, deadline=None)
@given(ragged(columns=4), some.booleans())
def test_normal_equations_give_least_squares(data, weighted):
    columns, offsets = data
    weights = np.abs(columns[3]) + 0.5 if weighted else None
    used = columns[:3]
    got = normal_equations(used, offsets, weights=weights)
    for d, rows in enumerate(by_date(offsets)):
        block = used[:, rows]
        w = np.ones(block.shape[1]) if weights is None else weights[rows]
        complete = ~np.isnan(block).any(axis=0) & ~np.isnan(w)
        shifted = np.vstack([np.ones(complete.sum()), (block[:, complete].T - got.pilot[d]).T])
        assert got.count[d] == complete.sum()
        want = (shifted * w[complete]) @ shifted.T
        np.testing.assert_allclose(got.moments[d], want, rtol=1e-10, atol=1e-8)


def test_normal_equations_keep_their_digits_far_from_zero():
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000)
    y = 2.0 * x + rng.normal(size=5000)
    far = normal_equations(np.stack([x + 1e6, y]), np.array([0, 5000]))
    centred = far.moments[0, 1:, 1:] - np.outer(far.moments[0, 0, 1:], far.moments[0, 0, 1:]) / 5000
    want = np.cov(x, y, bias=True)[0, 1] / x.var()
    # The slope of x + 1e6 as it is stored: the shift itself loses 1e-10 of x.
    assert centred[0, 1] / centred[0, 0] == pytest.approx(want, rel=1e-9)


def test_normal_equations_fill_tiles_of_any_size():
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(6, 1500))
    columns[2, ::7] = np.nan
    offsets = np.array([0, 255, 511, 768, 768, 1500])
    got = normal_equations(columns, offsets)
    for d, rows in enumerate(by_date(offsets)):
        block = columns[:, rows]
        block = block[:, ~np.isnan(block).any(axis=0)]
        shifted = np.vstack([np.ones(block.shape[1]), (block.T - got.pilot[d]).T])
        np.testing.assert_allclose(got.moments[d], shifted @ shifted.T, rtol=1e-11, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(ragged())
def test_standardize_is_a_population_z_score(data):
    (values,), offsets = data
    got = bydate.standardize(values, offsets)
    for rows in by_date(offsets):
        block = values[rows]
        sd = np.nanstd(block) if (~np.isnan(block)).any() else np.nan
        if sd > 1e-9:
            np.testing.assert_allclose(got[rows], (block - np.nanmean(block)) / sd, atol=1e-8)
        np.testing.assert_array_equal(np.isnan(got[rows]), np.isnan(block))
