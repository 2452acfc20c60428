"""Kernels of prices: against plain loops, on lines with gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.features import prices

returns = st.lists(
    st.one_of(st.just(float("nan")), st.just(-1.0), st.floats(-0.9, 3.0)), min_size=1, max_size=60
)


@settings(max_examples=200)
@given(returns, st.integers(1, 15), st.integers(1, 15))
def test_horizons_compound_what_is_there(line: list[float], length: int, least: int) -> None:
    x = np.array(line)
    least = min(least, length)
    got = np.empty_like(x)
    prices.compound_line(x, length, least, np.empty_like(x), got)
    for j in range(x.size):
        part = x[max(j - length + 1, 0) : j + 1]
        part = part[~np.isnan(part)]
        want = np.prod(1 + part) - 1 if part.size >= least else np.nan
        np.testing.assert_allclose(got[j], want, rtol=1e-12, atol=1e-12)


@settings(max_examples=100)
@given(returns, st.integers(1, 15), st.integers(0, 59))
def test_a_horizon_sees_nothing_later(line: list[float], length: int, cut: int) -> None:
    x = np.array(line)
    cut = min(cut, x.size - 1)
    y = x.copy()
    y[cut + 1 :] = 17.0
    whole, other = np.empty_like(x), np.empty_like(x)
    prices.compound_line(x, length, 1, np.empty_like(x), whole)
    prices.compound_line(y, length, 1, np.empty_like(x), other)
    assert whole[: cut + 1].tobytes() == other[: cut + 1].tobytes()


@settings(max_examples=150)
@given(returns, returns, st.integers(1, 15), st.integers(1, 5))
def test_moments_of_a_window(
    first: list[float], second: list[float], window: int, least: int
) -> None:
    n = min(len(first), len(second))
    x, y = np.array(first[:n]), np.array(second[:n])
    out = np.empty((n, 4))
    prices.moments_line(x, y, window, least, np.empty((n, 5)), out)
    for j in range(n):
        part = slice(max(j - window + 1, 0), j + 1)
        both = ~(np.isnan(x[part]) | np.isnan(y[part]))
        a, b = x[part][both], y[part][both]
        assert out[j, 3] == a.size
        want = [np.nan] * 3
        if a.size >= max(least, 1):
            want = [b.mean(), ((b - b.mean()) ** 2).sum(), ((a - a.mean()) * (b - b.mean())).sum()]
        np.testing.assert_allclose(out[j, :3], want, rtol=1e-10, atol=1e-12)


def lane(values: list[float], clock: list[int], at: list[int]) -> tuple[np.ndarray, prices.Look]:
    n, m = np.array([len(values)]), np.array([0, len(at)])
    zero = np.array([0])
    return np.array(values), prices.Look(np.array(clock), zero, n, np.array(at), m)


def test_a_later_row_does_not_change_an_earlier_one() -> None:
    # Ten days with returns, then silence. Whether the asset trades again on day 40 must not show
    # in what is seen from day 10.
    early = [0.01] * 10
    quiet = prices.moments(*lane(early, list(range(10)), [10]), 20, 10, 9, 1)
    again = prices.moments(*lane([*early, 0.5], [*range(10), 40], [10, 40]), 20, 10, 9, 1)
    assert quiet[0][0] == again[0][0] == pytest.approx((1.01**10 + 2 * 1.01**9) / 3 - 1, rel=1e-9)


def test_the_deviation_of_nearly_constant_values_keeps_its_digits() -> None:
    values = [1e6 + 1e-3 * (i % 2) for i in range(20)]
    _, std = prices.moments(*lane(values, list(range(20)), [19]), 20, 1, 1, 2)
    assert std[0] == pytest.approx(np.std(values, ddof=1), rel=1e-7)


def test_a_market_that_stands_still_has_no_beta() -> None:
    market = np.full(30, 0.01)
    rng = np.random.default_rng(0)
    values = rng.normal(size=30).tolist()
    got = prices.beta(*lane(values, list(range(30)), [29]), market, 30, 10)
    assert np.isnan(got[0])


def test_an_asset_without_rows_is_missing() -> None:
    none, zero = np.array([], dtype=np.int64), np.array([0])
    look = prices.Look(none, zero, zero, np.array([3]), np.array([0, 1]))
    got = prices.compounded(np.array([]), look, 2, 0, 1)
    assert np.isnan(got[0])


def test_nine_tenths_of_the_periods() -> None:
    assert [prices.least_present(n) for n in (1, 5, 10, 11, 21, 63, 126)] == [
        1, 5, 9, 10, 19, 57, 114,
    ]  # fmt: skip


def test_the_market_is_weighted_by_what_is_there() -> None:
    got = prices.market_return(
        np.array([0.1, 0.3, np.nan, 0.5]),
        np.array([1.0, 3.0, 9.0, np.nan]),
        np.array([0, 0, 0, 2]),
        n_clock=3,
    )
    np.testing.assert_allclose(got, [0.25, np.nan, np.nan], rtol=1e-15)
