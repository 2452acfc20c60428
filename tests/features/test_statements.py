"""Arithmetic of statement items."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alphastrata.features import statements

number = st.one_of(st.just(float("nan")), st.just(0.0), st.floats(-1e9, 1e9))


@given(st.lists(st.tuples(number, number), min_size=1, max_size=30))
def test_a_ratio_is_there_where_its_denominator_is_positive(
    pairs: list[tuple[float, float]],
) -> None:
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    got = statements.ratio(a, b)
    want = [x / y if y > 0 else np.nan for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(got, want)


def test_logarithms_and_signs() -> None:
    values = np.array([np.e, 0.0, -1.0, np.nan])
    np.testing.assert_array_equal(statements.log(values), [1.0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(statements.positive(values), [np.e, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(statements.is_zero(values), [0.0, 1.0, 0.0, np.nan])


def year_ago(days: list[int], ages: list[float]) -> list[int]:
    n = len(days)
    rows = statements.year_ago_rows(
        np.arange(n), np.array([0, n]), np.array(days), np.array(ages, dtype=float)
    )
    return rows.tolist()


def test_a_late_filing_is_compared_with_the_year_before_it() -> None:
    # Year ends on days 0, 365 and 730; the second statement became known late, on day 600.
    days = [100, 300, 500, 600, 700, 850]
    ages = [100.0, 300.0, 500.0, 235.0, 335.0, 120.0]
    # Twelve months before day 850 the panel still showed the statement of day 0.
    assert year_ago(days, ages) == [-1, -1, -1, 2, 2, 4]


def test_a_statement_that_is_two_years_older_is_none_of_a_year_ago() -> None:
    assert year_ago([100, 850], [100.0, 120.0]) == [-1, -1]


def test_a_missing_age_finds_nothing_and_is_not_found() -> None:
    assert year_ago([100, 465, 470], [np.nan, 100.0, np.nan]) == [-1, -1, -1]
