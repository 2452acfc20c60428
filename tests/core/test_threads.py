"""Parts of one job on threads."""

from __future__ import annotations

import numpy as np
import pytest

from alphastrata.core import threads
from alphastrata.inference.moments import moments_by_date


@pytest.mark.parametrize("n_jobs", [None, 1, 3, 8])
def test_results_come_in_the_order_of_the_parts(n_jobs):
    parts = list(range(40))
    assert threads.each(lambda part: part**2, parts, n_jobs=n_jobs) == [p**2 for p in parts]


def test_no_parts_are_no_results():
    assert threads.each(len, []) == []


def test_a_failing_part_fails_the_job():
    with pytest.raises(ZeroDivisionError):
        threads.each(lambda part: 1 / part, [2, 1, 0, 4], n_jobs=2)


def test_the_number_of_threads_changes_no_bit_of_cross_products(monkeypatch):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 4_000, 150))])
    columns = list(rng.normal(size=(4, offsets[-1])))
    columns[1][rng.random(offsets[-1]) < 0.1] = np.nan
    found = []
    for count in (1, 2, 5):
        monkeypatch.setattr(threads, "NUMBA_NUM_THREADS", count)
        found.append(moments_by_date(columns, offsets, np.abs(columns[0]) + 0.1))
    for other in found[1:]:
        assert np.array_equal(found[0].count, other.count)
        assert np.array_equal(found[0].pilot, other.pilot)
        assert np.array_equal(found[0].moments, other.moments)


def test_cross_products_of_no_dates_are_empty():
    assert moments_by_date([np.empty(0)], np.array([0])).moments.shape == (0, 2, 2)
