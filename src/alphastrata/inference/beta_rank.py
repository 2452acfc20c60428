"""Joint tests that go with a second pass: whether betas identify premia, and when nothing can."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alphastrata.inference.grs import solve_covariance
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.samples import Sample
from alphastrata.inference.tails import chi2_upper

__all__ = ["beta_rank", "left_out"]

Array = NDArray[np.float64]


def left_out(sample: Sample, assets: list[str]) -> str:
    """Return why the joint tests of a second pass are not there."""
    n, k = sample.f.shape
    return (
        f"Tests of pricing errors and of the rank of betas left out: N = {len(assets)} assets are "
        f"not below T - K = {n - k}."
    )


def beta_rank(
    sample: Sample, betas: Array, intercept: bool
) -> tuple[float, float, str, str] | None:
    """Return the test that betas have less than full rank, so that premia are not identified.

    With an intercept betas are taken less that of the first asset: a constant beta is then of no
    use either. The statistic is the smallest root of the form of Cragg and Donald (1997), chi2
    under homoskedastic residuals; with one factor it is the Wald test that its betas are zero
    (or equal).
    """
    n, n_assets = sample.y.shape
    k = betas.shape[1]
    freedom = n_assets - k + (0 if intercept else 1)
    if freedom < 1:
        return None
    fit = fit_complete(sample.x, sample.y, covariance="nonrobust")
    rows = np.eye(n_assets)
    contrast = rows[1:] - rows[:1] if intercept else rows
    b = contrast @ betas
    sigma = contrast @ (fit.residuals.T @ fit.residuals / n) @ contrast.T
    f = sample.f - sample.f.mean(axis=0)
    form = n * b.T @ solve_covariance(sigma, b)
    root = float(np.linalg.eigvals(f.T @ f / n @ form).real.min())
    null = "betas do not tell the factors apart"
    return root, chi2_upper(root, freedom), f"chi2({freedom})", null
