from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.customers import simulate
from alphastrata.errors import ConfigError


def test_same_seed_same_bits():
    one, two = simulate(200, transactions=True, seed=5), simulate(200, transactions=True, seed=5)
    pd.testing.assert_frame_equal(one.customers, two.customers)
    pd.testing.assert_frame_equal(one.transactions, two.transactions)
    assert not one.customers.equals(simulate(200, seed=6).customers)


def test_what_is_asked_for_is_there():
    made = simulate(3_000, n_segments=8, missing=0.1, noise_columns=4, seed=1)
    assert sorted(made.segments.unique()) == list(range(1, 9))
    assert made.customers.drop(columns=["response"]).iloc[
        :, 3:
    ].isna().mean().mean() == pytest.approx(0.1, abs=0.005)
    assert sum(c.startswith("noise_") for c in made.customers) == 4
    known = made.customers.set_index("customer_id")["response"]
    by_segment = known.groupby(made.segments).mean()
    assert by_segment.idxmax() == 5


def test_no_separation_no_segments():
    made = simulate(4_000, separation=0, seed=2)
    assert set(made.segments) == {1}
    ages = made.customers["age"].dropna()
    assert abs(ages.kurt()) < 0.5


def test_settings_are_checked_together():
    with pytest.raises(ConfigError, match="breaks 3 rules"):
        simulate(2, n_segments=9, missing=1.0)
