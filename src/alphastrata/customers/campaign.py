"""A campaign within a budget: whom to choose, what to expect, and whether it is fair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["Budget", "Campaign", "choose_customers", "plan_campaign"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Budget:
    """What a campaign may cost.

    Parameters
    ----------
    share : float or None
        At most this share of all customers, 0 to 1; None for any number.
    amount : float or None
        At most this sum of costs; None for any sum.

    Examples
    --------
    >>> Budget().share
    0.3
    """

    share: float | None = 0.3
    amount: float | None = None

    def __post_init__(self) -> None:
        check = Violations("Budget")
        check.require(
            self.share is None or 0 <= self.share <= 1,
            "share must be from 0 to 1",
            first=repr(self.share),
        )
        check.require(
            self.amount is None or (math.isfinite(self.amount) and self.amount >= 0),
            "amount must be a finite number that is not negative",
            first=repr(self.amount),
        )
        check.require(
            self.share is not None or self.amount is not None,
            "A budget limits the share of customers, the amount, or both",
        )
        check.raise_if_any(ConfigError)

    def most(self, customers: int) -> int:
        """Return how many of so many customers may be chosen; never above the share."""
        if self.share is None:
            return customers
        count = math.floor(self.share * customers + 1e-9)
        # 0.3 x 10 is 3, whatever binary fractions make of it, and never more.
        return min(
            count if count / max(customers, 1) <= self.share + 1e-12 else count - 1, customers
        )


@dataclass(frozen=True, eq=False)
class Campaign(Shown):
    """Who is chosen.

    Attributes
    ----------
    chosen : Series of bool
        Customer -> chosen.
    expected : float
        Sum of the expected response or value of the chosen.
    bound : float
        What no choice within the budget can exceed (the linear relaxation).
    cost : float
        Sum of the costs of the chosen; at most the budget.
    count : int
    budget : Budget
    by_segment : DataFrame
        Index: segment. ``customers``, ``chosen``, ``rate``, ``expected`` (sum over the chosen)
        and ``mean`` (expected per customer chosen).
    """

    chosen: pd.Series
    expected: float
    bound: float
    cost: float
    count: int
    budget: Budget
    by_segment: pd.DataFrame


def choose_customers(values: Array, costs: Array, *, most: int, amount: float) -> Rows:
    """Return positions of customers with a large sum of values, within number and amount.

    Parameters
    ----------
    values : array of shape (n,)
        What each is worth; those worth nothing or less are never chosen.
    costs : array of shape (n,)
        Not negative.
    most : int
        Largest number.
    amount : float
        Largest sum of costs; infinity for any.

    Notes
    -----
    Equal costs: the best ones, which is optimal. Otherwise the better of two greedy choices, by
    value and by value per cost, each filled up with whoever still fits, or of a mix of the two
    rankings (a Lagrangian one); sums are exact (``math.fsum``), so that no rounding exceeds the
    budget.

    Examples
    --------
    >>> choose_customers(np.array([3.0, 1.0, 2.0]), np.ones(3), most=2, amount=np.inf).tolist()
    [0, 2]
    """
    worth = np.flatnonzero((values > 0) & (costs <= amount))
    if len(worth) == 0 or most <= 0:
        return np.zeros(0, dtype=np.int64)
    v, c = values[worth], costs[worth]
    if np.ptp(c) == 0 or not math.isfinite(amount):
        rankings = [v]
    else:
        price = np.quantile(v / np.maximum(c, 1e-300), np.linspace(0.05, 0.95, 13))
        rankings = [v, v / np.maximum(c, 1e-300), *(v - p * c for p in price)]
    best: Rows = np.zeros(0, dtype=np.int64)
    best_value = -1.0
    for ranking in rankings:
        order = np.argsort(-ranking, kind="stable")
        taken = _fill(order, c, most, amount)
        total = math.fsum(v[taken])
        if total > best_value:
            best, best_value = taken, total
    return np.sort(worth[best])


def _fill(order: Rows, costs: Array, most: int, amount: float) -> Rows:
    """Return the customers of the ranking, in turn, who still fit."""
    if not math.isfinite(amount):
        return order[:most]
    reached = np.cumsum(costs[order])
    # The leading run that surely fits goes in at once; the rest is looked at one by one.
    head = min(int(np.searchsorted(reached, amount * (1 - 1e-9), side="right")), most)
    taken = list(order[:head])
    spent = math.fsum(costs[taken])
    cheapest = float(costs.min())
    for i in order[head:]:
        if len(taken) == most or spent + cheapest > amount:
            break
        if math.fsum([*[spent], costs[i]]) <= amount:
            taken.append(i)
            spent = math.fsum([spent, float(costs[i])])
    while taken and math.fsum(costs[taken]) > amount:
        taken.pop()
    return np.asarray(taken, dtype=np.int64)


def upper_bound(values: Array, costs: Array, *, most: int, amount: float) -> float:
    """Return a sum of values that no choice within the budget exceeds.

    The smaller of two relaxations: the ``most`` best, whatever they cost; and the best by value
    per cost up to the amount, the last one in part (Dantzig 1957).

    Examples
    --------
    >>> upper_bound(np.array([3.0, 2.0]), np.array([1.0, 1.0]), most=2, amount=1.5)
    4.0
    """
    good = np.maximum(values, 0.0)
    by_number = math.fsum(np.sort(good)[::-1][: max(most, 0)])
    if not math.isfinite(amount):
        return by_number
    order = np.argsort(-good / np.maximum(costs, 1e-300), kind="stable")
    reached = np.cumsum(costs[order])
    whole = int(np.searchsorted(reached, amount, side="right"))
    total = math.fsum(good[order[:whole]])
    if whole < len(order):
        left = amount - (reached[whole - 1] if whole else 0.0)
        total += (
            float(good[order[whole]]) * max(left, 0.0) / max(float(costs[order[whole]]), 1e-300)
        )
    return float(min(by_number, total))


def plan_campaign(
    scores: pd.Series,
    segments: pd.Series,
    *,
    budget: Budget | None = None,
    costs: pd.Series | float = 1.0,
    values: pd.Series | float = 1.0,
    by: Literal["propensity", "segment"] = "propensity",
) -> Campaign:
    """Return whom to choose so that the expected response or value is largest within the budget.

    Parameters
    ----------
    scores : Series
        Customer -> probability to accept (or a score that ranks).
    segments : Series
        Customer -> segment.
    budget : Budget, optional
        30% of customers by default.
    costs : Series or float
        Cost of each customer who is chosen, currency units.
    values : Series or float
        What an acceptance is worth; 1 makes the expected number of acceptances.
    by : {"propensity", "segment"}
        Choose customers one by one, or segments in the order of their mean expected value per
        cost (the last one by its best customers).

    Raises
    ------
    InputDataError
        If customers differ between the series, or scores, costs or values are no numbers or
        negative.

    Examples
    --------
    >>> scores = pd.Series([0.9, 0.1, 0.5, 0.2], index=list("abcd"))
    >>> plan = plan_campaign(scores, pd.Series(1, index=scores.index), budget=Budget(share=0.5))
    >>> plan.chosen.tolist()
    [True, False, True, False]
    """
    limit = budget or Budget()
    each_cost, each_value = _aligned(costs, scores), _aligned(values, scores)
    _check(scores, segments, each_cost, each_value, by)
    worth = scores.to_numpy(dtype=np.float64) * each_value
    most = limit.most(len(scores))
    amount = math.inf if limit.amount is None else float(limit.amount)
    codes = segments.reindex(scores.index).to_numpy()
    if by == "segment":
        picked = _by_segment(worth, each_cost, codes, most, amount)
    else:
        picked = choose_customers(worth, each_cost, most=most, amount=amount)
    inside = np.zeros(len(scores), dtype=bool)
    inside[picked] = True
    return Campaign(
        chosen=pd.Series(inside, index=scores.index, name="chosen"),
        expected=math.fsum(worth[inside]),
        bound=upper_bound(worth, each_cost, most=most, amount=amount),
        cost=math.fsum(each_cost[inside]),
        count=int(inside.sum()),
        budget=limit,
        by_segment=_table(worth, codes, inside),
    )


def _aligned(what: pd.Series | float, scores: pd.Series) -> Array:
    if isinstance(what, pd.Series):
        return what.reindex(scores.index).to_numpy(dtype=np.float64)
    return np.full(len(scores), float(what))


def _check(scores: pd.Series, segments: pd.Series, costs: Array, values: Array, by: str) -> None:
    check = Violations("A campaign")
    check.require(len(scores) > 0, "It needs at least one customer", count=0)
    check.require(bool(scores.index.is_unique), "Each customer may appear once")
    if scores.index.is_unique and segments.index.is_unique:
        lost = ~scores.index.isin(segments.index)
        check.require(not lost.any(), "Every customer needs a segment", count=int(lost.sum()))
    for name, array in (
        ("score", scores.to_numpy(dtype=np.float64)),
        ("cost", costs),
        ("value", values),
    ):
        bad = ~np.isfinite(array) | (array < 0)
        check.require(
            not bad.any(),
            f"Every {name} must be a finite number that is not negative",
            count=int(bad.sum()),
            first=f"customer {scores.index[bad][0]}" if bad.any() else "",
        )
    check.require(by in ("propensity", "segment"), 'by must be "propensity" or "segment"')
    check.raise_if_any(InputDataError)


def _by_segment(worth: Array, costs: Array, codes: Array, most: int, amount: float) -> Rows:
    rate = {
        k: worth[codes == k].sum() / max(costs[codes == k].sum(), 1e-300) for k in np.unique(codes)
    }
    taken: list[int] = []
    for k in sorted(rate, key=lambda k: -rate[k]):
        left = amount - math.fsum(costs[taken])
        own = np.flatnonzero(codes == k)
        fits = choose_customers(worth[own], costs[own], most=most - len(taken), amount=left)
        added = [*taken, *own[fits].tolist()]
        while math.fsum(costs[added]) > amount:
            added.pop()
        taken = added
    return np.sort(np.asarray(taken, dtype=np.int64))


def _table(worth: Array, codes: Array, inside: NDArray[np.bool_]) -> pd.DataFrame:
    rows = {}
    for k in np.unique(codes):
        own = codes == k
        count = int((own & inside).sum())
        expected = math.fsum(worth[own & inside])
        rows[int(k)] = {
            "customers": int(own.sum()),
            "chosen": count,
            "rate": count / int(own.sum()),
            "expected": expected,
            "mean": expected / count if count else float("nan"),
        }
    return (
        pd.DataFrame(rows)
        .T.rename_axis("segment")
        .astype({"customers": "int64", "chosen": "int64"})
    )
