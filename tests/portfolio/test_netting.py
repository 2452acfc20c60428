"""Gross minus costs is net on every date, and costs are what turnover says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import net_of_costs

DATES = pd.date_range("2020-01-31", periods=24, freq="ME")


def gross(seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(0, 0.03, (24, 2)), index=DATES, columns=["LIQ", "LEV"])
    frame.iloc[:3, 1] = np.nan
    return FactorReturns(
        frame, kind="zero_cost", turnover=pd.DataFrame(rng.random((24, 2)), DATES, frame.columns)
    )


@pytest.mark.parametrize(("points", "fee"), [(0.0, 0.0), (25.0, 0.0), (10.0, 0.012)])
def test_gross_minus_costs_is_net(points, fee):
    before = gross()
    after = net_of_costs(before, basis_points=points, borrow_fee=fee)
    pd.testing.assert_frame_equal(before.frame - after.costs, after.frame)
    want = 2 * before.turnover * points / 1e4 + fee / 12
    np.testing.assert_allclose(after.costs["LIQ"], want["LIQ"], rtol=1e-14, atol=1e-18)
    assert after.frame["LEV"].isna().sum() == 3
    assert after.costs["LEV"].isna().sum() == 3


def test_what_cannot_be_netted_is_refused():
    with pytest.raises(ConfigError, match="not negative"):
        net_of_costs(gross(), basis_points=-1)
    bare = FactorReturns(gross().frame, kind="zero_cost")
    with pytest.raises(InputDataError, match="needs the turnover"):
        net_of_costs(bare, basis_points=1)
    with pytest.raises(InputDataError, match="zero-cost"):
        net_of_costs(FactorReturns(gross().frame, kind="excess"), basis_points=1)
