"""Tail probabilities against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from alphastrata.inference.tails import chi2_upper, f_upper, two_sided


def test_scipy() -> None:
    t = np.array([-40.0, -2.5, 0.0, 0.3, 8.0])
    np.testing.assert_allclose(two_sided(t), 2 * stats.norm.sf(abs(t)), rtol=1e-12)
    np.testing.assert_allclose(two_sided(t, 17), 2 * stats.t.sf(abs(t), 17), rtol=1e-12)
    assert f_upper(2.7, 25, 576) == pytest.approx(stats.f.sf(2.7, 25, 576), rel=1e-12)
    assert chi2_upper(70.0, 25) == pytest.approx(stats.chi2.sf(70.0, 25), rel=1e-12)
