"""A portfolio per segment: weights at its risk profile, a backtest out of sample, the frontier."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import FactorReturns
from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, EstimationError, InputDataError

__all__ = ["Allocation", "AllocationRules", "allocate"]

Array = NDArray[np.float64]
Method = Literal["mean_variance", "risk_parity", "min_cvar"]

METHODS = ("mean_variance", "risk_parity", "min_cvar")


@dataclass(frozen=True)
class AllocationRules:
    """What a portfolio may be and how it is tried out.

    Parameters
    ----------
    method : {"mean_variance", "risk_parity", "min_cvar"}
        Mean-variance maximises mean - (risk aversion / 2) x variance, per period of the returns;
        the others minimise or even out risk, and differ between segments by the ceiling alone.
    min_weight, max_weight : float
        Bounds of every weight.
    ceiling : bool
        Whether the risky half of the assets (the more volatile ones) may hold at most a fifth
        plus the segment's risk score.
    train, test : int
        Periods on which weights are estimated, and for which they are held, in the backtest.
    cost : float
        Cost of trading, as a share of what is traded.

    Examples
    --------
    >>> AllocationRules(method="risk_parity").cost
    0.002
    """

    method: Method = "mean_variance"
    min_weight: float = 0.0
    max_weight: float = 0.8
    ceiling: bool = True
    train: int = 60
    test: int = 12
    cost: float = 0.002

    def __post_init__(self) -> None:
        check = Violations("AllocationRules")
        check.require(
            self.method in METHODS,
            f"method must be one of {', '.join(METHODS)}",
            first=repr(self.method),
        )
        check.require(
            0 <= self.min_weight < self.max_weight <= 1,
            "Weights need 0 <= min_weight < max_weight <= 1",
            first=f"{self.min_weight}, {self.max_weight}",
        )
        check.require(self.train >= 12, "train must be at least 12", first=repr(self.train))
        check.require(self.test >= 1, "test must be at least 1", first=repr(self.test))
        check.require(0 <= self.cost < 0.1, "cost must be in [0, 0.1)", first=repr(self.cost))
        check.raise_if_any(ConfigError)


@dataclass(frozen=True, eq=False)
class Allocation(Shown):
    """Portfolios of segments.

    Attributes
    ----------
    weights : DataFrame, segment x asset
        Estimated on all periods; rows sum to one.
    expected : DataFrame
        Index: segment. ``mean`` and ``volatility`` per year, in sample.
    backtest : DataFrame
        Index: segment, and "equal weights". ``mean``, ``volatility``, ``sharpe`` (per year),
        ``max_drawdown``, ``cvar_95`` (mean of the worst 5% of periods, as a loss), ``turnover``
        (traded per year, as a share of the portfolio) and ``cost`` (per year), out of sample,
        net of costs. Empty where there are too few periods.
    returns : DataFrame
        Out-of-sample returns, net of costs: date x segment.
    frontier : DataFrame
        ``volatility`` and ``mean`` per year of efficient portfolios within the bounds.
    rules : AllocationRules
    assets : DataFrame
        Index: asset. ``mean``, ``volatility`` per year and ``risky``.
    """

    weights: pd.DataFrame
    expected: pd.DataFrame
    backtest: pd.DataFrame
    returns: pd.DataFrame
    frontier: pd.DataFrame
    rules: AllocationRules
    assets: pd.DataFrame


def allocate(
    returns: pd.DataFrame | FactorReturns,
    risk: pd.DataFrame,
    *,
    rules: AllocationRules | None = None,
    periods_per_year: int = 12,
) -> Allocation:
    """Return a portfolio for each segment at its risk aversion.

    Parameters
    ----------
    returns : DataFrame or FactorReturns
        date x asset, decimals: types of funds, factors, or portfolios of strata.
    risk : DataFrame
        As `risk_profiles` returns it: ``score`` and ``risk_aversion`` per segment.
    rules : AllocationRules, optional
    periods_per_year : int
        12 for monthly returns.

    Raises
    ------
    InputDataError
        If there are missing or infinite returns, fewer than two assets, or too few periods.
    ConfigError
        If skfolio is not installed, or the bounds leave no portfolio.
    EstimationError
        If an optimisation fails.

    Notes
    -----
    Optimisation is skfolio's. In the backtest, weights are estimated on the ``train`` periods
    before, held for ``test`` periods while they drift, and traded at ``cost``; nothing after a
    date is known at it.

    References
    ----------
    Markowitz, H. (1952), Journal of Finance 7. Maillard, S., Roncalli, T. and Teïletche, J.
    (2010), Journal of Portfolio Management 36. Rockafellar, R. and Uryasev, S. (2000), Journal of
    Risk 2.

    Examples
    --------
    >>> from alphastrata.customers.funds import simulate_fund_returns
    >>> risk = pd.DataFrame({"score": [0.2, 0.9], "risk_aversion": [8.0, 2.0]}, index=[1, 2])
    >>> found = allocate(simulate_fund_returns(48, seed=0), risk, rules=AllocationRules(train=36))
    >>> found.weights.sum(axis=1).round(6).tolist()
    [1.0, 1.0]
    """
    own = rules or AllocationRules()
    frame = _checked(returns, own)
    spread = frame.std(ddof=1)
    risky = spread > float(spread.median())
    assets = pd.DataFrame(
        {
            "mean": frame.mean() * periods_per_year,
            "volatility": spread * np.sqrt(periods_per_year),
            "risky": risky,
        }
    )
    solver = _Solver(own, risky.to_numpy(), [str(c) for c in frame.columns])
    weights = pd.DataFrame(
        [solver.weights(frame, float(s), float(a)) for s, a in _profiles(risk)],
        index=risk.index,
        columns=frame.columns,
    )
    cov = frame.cov().to_numpy() * periods_per_year
    expected = pd.DataFrame(
        {
            "mean": weights.to_numpy() @ assets["mean"].to_numpy(),
            "volatility": np.sqrt(np.einsum("ki,ij,kj->k", weights, cov, weights)),
        },
        index=risk.index,
    )
    tested, backtest = _backtest(frame, risk, solver, own, periods_per_year)
    return Allocation(
        weights=weights,
        expected=expected,
        backtest=backtest,
        returns=tested,
        frontier=solver.frontier(frame, periods_per_year),
        rules=own,
        assets=assets,
    )


def _profiles(risk: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(risk["score"].tolist(), risk["risk_aversion"].tolist(), strict=True))


def _checked(returns: pd.DataFrame | FactorReturns, rules: AllocationRules) -> pd.DataFrame:
    frame = returns.frame if isinstance(returns, FactorReturns) else returns
    frame = frame.rename(columns=str).sort_index()
    check = Violations("The returns of a portfolio")
    check.require(frame.shape[1] >= 2, "There must be at least two assets", count=frame.shape[1])
    bad = ~np.isfinite(frame.to_numpy(dtype=np.float64))
    first = ""
    if bad.any():
        i, j = np.argwhere(bad)[0]
        first = f"{frame.index[i]}, {frame.columns[j]}"
    check.require(
        not bad.any(),
        "Every return must be a finite number",
        count=int(bad.sum()),
        first=first,
        remedy="Drop the periods or the assets with gaps",
    )
    check.require(
        len(frame) >= rules.train,
        f"There must be at least the {rules.train} periods of training",
        count=len(frame),
    )
    check.require(bool((frame > -1).all().all()), "Returns are decimals above -1")
    check.raise_if_any()
    constant = [c for c in frame if frame[c].std() == 0]
    if constant:
        raise InputDataError(f"An asset's returns must vary; {constant[0]!r} is constant.")
    if not rules.min_weight * frame.shape[1] <= 1 <= rules.max_weight * frame.shape[1]:
        raise ConfigError(
            f"Bounds of {rules.min_weight} to {rules.max_weight} leave no portfolio of "
            f"{frame.shape[1]} assets that sums to one. Widen them."
        )
    return frame.astype("float64")


class _Solver:
    """Weights by skfolio under the rules."""

    def __init__(self, rules: AllocationRules, risky: NDArray[np.bool_], assets: list[str]) -> None:
        try:
            skfolio = import_module("skfolio")
            optimization = import_module("skfolio.optimization")
        except ImportError as error:
            raise ConfigError(
                "Portfolios need the package skfolio. "
                'Install it with: pip install "alphastrata[customers]".'
            ) from error
        self.optimization = optimization
        self.measures = skfolio.RiskMeasure
        self.rules = rules
        self.risky = risky
        self.assets = assets

    def _limits(self, score: float | None) -> dict[str, Any]:
        rules = self.rules
        out: dict[str, Any] = {"min_weights": rules.min_weight, "max_weights": rules.max_weight}
        if rules.ceiling and score is not None and self.risky.any() and not self.risky.all():
            calm = int((~self.risky).sum())
            # The calm assets must be able to hold what the risky ones may not.
            lowest = 1.0 - calm * rules.max_weight
            most = max(min(0.2 + score, 1.0), lowest + 1e-6, rules.min_weight * self.risky.sum())
            if most < 1.0:
                groups = ["risky" if r else "calm" for r in self.risky]
                out |= {"groups": [groups], "linear_constraints": [f"risky <= {most:.6f}"]}
        return out

    def weights(self, frame: pd.DataFrame, score: float, aversion: float) -> Array:
        """Return the weights of one profile, estimated on the frame's periods."""
        limits = self._limits(score)
        opt = self.optimization
        if self.rules.method == "mean_variance":
            model = opt.MeanRisk(
                objective_function=opt.ObjectiveFunction.MAXIMIZE_UTILITY,
                risk_measure=self.measures.VARIANCE,
                risk_aversion=aversion / 2.0,
                **limits,
            )
        elif self.rules.method == "risk_parity":
            model = opt.RiskBudgeting(risk_measure=self.measures.VARIANCE, **limits)
        else:
            model = opt.MeanRisk(risk_measure=self.measures.CVAR, cvar_beta=0.95, **limits)
        return self._solve(model, frame)

    def _solve(self, model: Any, frame: pd.DataFrame) -> Array:
        try:
            model.fit(frame)
        except Exception as error:  # skfolio raises the solver's own errors of many kinds
            raise EstimationError(
                f"No portfolio was found by {self.rules.method} within the bounds: {error}"
            ) from error
        weights = np.clip(np.asarray(model.weights_, dtype=np.float64), 0.0, None)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    def frontier(self, frame: pd.DataFrame, periods_per_year: int) -> pd.DataFrame:
        """Return volatility and mean per year of twenty efficient portfolios."""
        opt = self.optimization
        model = opt.MeanRisk(
            risk_measure=self.measures.VARIANCE, efficient_frontier_size=20, **self._limits(None)
        )
        weights = self._solve(model, frame)
        cov = frame.cov().to_numpy() * periods_per_year
        return pd.DataFrame(
            {
                "volatility": np.sqrt(np.einsum("ki,ij,kj->k", weights, cov, weights)),
                "mean": weights @ frame.mean().to_numpy() * periods_per_year,
            }
        )


def _backtest(
    frame: pd.DataFrame, risk: pd.DataFrame, solver: _Solver, rules: AllocationRules, per_year: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    n = len(frame)
    if n <= rules.train:
        return pd.DataFrame(index=frame.index[:0]), pd.DataFrame()
    starts = range(rules.train, n, rules.test)
    plans: dict[object, list[Array]] = {k: [] for k in risk.index}
    for start in starts:
        past = frame.iloc[start - rules.train : start]
        for k, (score, aversion) in zip(risk.index, _profiles(risk)):
            plans[k].append(solver.weights(past, score, aversion))
    even = np.full(frame.shape[1], 1.0 / frame.shape[1])
    plans["equal weights"] = [even for _ in starts]
    values = frame.to_numpy()
    out, rows = {}, {}
    for name, weights in plans.items():
        net, traded = drift(values[rules.train :], weights, rules.test, rules.cost)
        out[name] = pd.Series(net, index=frame.index[rules.train :])
        rows[name] = _performance(net, traded, rules.cost, per_year)
    table = pd.DataFrame(rows).T.rename_axis("segment")
    return pd.DataFrame(out), table


def drift(returns: Array, plans: list[Array], hold: int, cost: float) -> tuple[Array, float]:
    """Return net returns of weights that drift between trades, and all that was traded.

    Parameters
    ----------
    returns : array of shape (periods, assets)
    plans : list of arrays of shape (assets,)
        Weights traded to at the beginning of periods 0, ``hold``, 2 ``hold``, ...
    hold : int
    cost : float
        Share of what is traded; taken from the first period's return after the trade. The first
        purchase costs as well.

    Examples
    --------
    >>> drift(np.array([[0.1, 0.0]]), [np.array([0.5, 0.5])], 1, 0.01)[0].round(4).tolist()
    [0.0395]
    """
    net = np.empty(len(returns))
    held = np.zeros(returns.shape[1])
    total = 0.0
    for t, row in enumerate(returns):
        fee = 0.0
        if t % hold == 0:
            plan = plans[t // hold]
            traded = float(np.abs(plan - held).sum())
            total += traded
            fee = cost * traded
            held = plan
        gross = float(held @ row)
        net[t] = (1.0 - fee) * (1.0 + gross) - 1.0
        held = held * (1.0 + row) / (1.0 + gross)
    return net, total


def _performance(net: Array, traded: float, cost: float, per_year: int) -> dict[str, float]:
    level = np.cumprod(1.0 + net)
    peak = np.maximum.accumulate(np.r_[1.0, level])[1:]
    spread = float(net.std(ddof=1)) if len(net) > 1 else float("nan")
    worst = np.sort(net)[: max(1, int(np.ceil(0.05 * len(net))))]
    years = len(net) / per_year
    return {
        "mean": float(net.mean()) * per_year,
        "volatility": spread * np.sqrt(per_year),
        "sharpe": float(net.mean()) / spread * np.sqrt(per_year) if spread > 0 else float("nan"),
        "max_drawdown": float((level / peak - 1.0).min()),
        "cvar_95": -float(worst.mean()),
        "turnover": traded / years,
        "cost": traded * cost / years,
    }
