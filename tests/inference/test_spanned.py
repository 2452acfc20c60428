"""A test asset that the factors span has no alpha to test: refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import EstimationError
from alphastrata.inference import (
    bootstrap_alphas,
    grs,
    huberman_kandel,
    joint_alphas,
    romano_wolf,
    spanning,
)

DATES = pd.date_range("2000-01-31", periods=120, freq="ME")


@pytest.mark.parametrize("test", [grs, joint_alphas, spanning, huberman_kandel, romano_wolf])
@pytest.mark.parametrize("mix", [lambda f: f["S"], lambda f: f["S"] + f["H"]])
def test_a_spanned_asset_is_named(test, mix):
    rng = np.random.default_rng(0)
    f = pd.DataFrame(rng.normal(0.004, 0.03, (120, 2)), DATES, ["S", "H"])
    y = pd.DataFrame(rng.normal(0, 0.02, (120, 3)), DATES, ["a", "b", "c"]).add(f["S"], axis=0)
    test(y, f)
    with pytest.raises(EstimationError, match="combination of the factors.*'F'"):
        test(y.assign(F=mix(f)), f)


def test_luck_leaves_a_spanned_asset_out_and_says_so():
    rng = np.random.default_rng(0)
    f = pd.DataFrame(rng.normal(0.004, 0.03, (120, 2)), DATES, ["S", "H"])
    y = pd.DataFrame(rng.normal(0, 0.02, (120, 3)), DATES, ["a", "b", "c"]).add(f["S"], axis=0)
    alone, more = (bootstrap_alphas(r, f, draws=99) for r in (y, y.assign(F=f["S"] + f["H"])))
    pd.testing.assert_frame_equal(more.percentiles, alone.percentiles)
    assert "assets that the factors span: 1 of 4 left out (first: F)" in more.summary()
