"""Lag rules: formulas written out, and the rules of linearmodels and arch where they agree."""

from __future__ import annotations

import numpy as np
import pytest
from arch.covariance.kernel import Bartlett

from alphastrata.inference.bandwidth import Bandwidth, select_bandwidth, whiten

SERIES = np.random.default_rng(3).normal(size=300)
for lag in range(1, 300):
    SERIES[lag] += 0.5 * SERIES[lag - 1]


def test_newey_west_plug_in_written_out() -> None:
    n = len(SERIES)
    pilot = int(4 * (n / 100) ** (2 / 9))
    gamma = [SERIES[j:] @ SERIES[: n - j] / n for j in range(pilot + 1)]
    s0 = gamma[0] + 2 * sum(gamma[1:])
    s1 = 2 * sum(j * g for j, g in enumerate(gamma))
    expected = int(1.1447 * (s1 / s0) ** (2 / 3) * n ** (1 / 3))
    assert select_bandwidth(SERIES, "newey-west").lags == expected


def test_near_arch_which_rounds_its_pilot_lags_up() -> None:
    theirs = Bartlett(SERIES, center=False, force_int=False).opt_bandwidth
    ours = select_bandwidth(SERIES, "newey-west").lags
    assert abs(ours - theirs) < 2


def test_andrews_written_out() -> None:
    past, present = SERIES[:-1] - SERIES[:-1].mean(), SERIES[1:] - SERIES[1:].mean()
    rho = past @ present / (past @ past)
    alpha1 = 4 * rho**2 / ((1 - rho) ** 2 * (1 + rho) ** 2)
    alpha2 = 4 * rho**2 / (1 - rho) ** 4
    assert select_bandwidth(SERIES, "andrews").value == pytest.approx(
        1.1447 * (alpha1 * 300) ** (1 / 3)
    )
    assert select_bandwidth(SERIES, "andrews", "quadratic-spectral").value == pytest.approx(
        1.3221 * (alpha2 * 300) ** 0.2
    )


def test_more_autocorrelation_asks_for_more_lags() -> None:
    noise = np.random.default_rng(0).normal(size=500)
    rough, smooth = noise.copy(), noise.copy()
    for t in range(1, 500):
        smooth[t] += 0.8 * smooth[t - 1]
    for rule in ("newey-west", "andrews"):
        assert select_bandwidth(smooth, rule).value > select_bandwidth(rough, rule).value


def test_whitening_removes_an_autoregression() -> None:
    residuals, transition = whiten(SERIES[:, None])
    assert transition[0, 0] == pytest.approx(0.5, abs=0.1)
    assert abs(np.corrcoef(residuals[1:, 0], residuals[:-1, 0])[0, 1]) < 0.1
    chosen = select_bandwidth(SERIES, "newey-west-prewhitened")
    assert chosen.prewhitened
    assert "prewhitened" in chosen.rule


def test_lags_of_a_bandwidth() -> None:
    assert Bandwidth(7.0, "").lags == 6
    assert Bandwidth(0.0, "").lags == 0
    assert select_bandwidth(SERIES, 4, "quadratic-spectral").value == 4.0
