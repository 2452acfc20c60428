"""What a campaign would have gained on those whose answers are known: gains, lift, intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core.shown import Shown
from alphastrata.customers.propensity import Propensity
from alphastrata.customers.table import CustomerTable
from alphastrata.errors import InputDataError

__all__ = ["Lift", "measure_lift"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lift(Shown):
    """The targeting measured on known answers.

    Attributes
    ----------
    gains : DataFrame
        ``share`` of customers reached, best first, ``captured`` (share of all acceptances among
        them), ``low`` and ``high`` (95% interval), ``lift`` (captured over share) and
        ``lift_low``, ``lift_high``.
    comparison : DataFrame
        Index: how the same number of customers would have been chosen ("this campaign", "at
        random", and the best one-variable rules). ``response`` (share who accepted), ``low``,
        ``high``, and for the others ``difference`` (this campaign's minus theirs) with
        ``difference_low`` and ``difference_high``.
    share : float
        Share of customers reached in the comparison.
    known : int
        Customers whose answers were used.
    """

    gains: pd.DataFrame
    comparison: pd.DataFrame
    share: float
    known: int


def measure_lift(
    scored: Propensity,
    table: CustomerTable,
    *,
    share: float = 0.3,
    rules: int = 3,
    draws: int = 500,
    random_state: int = 0,
) -> Lift:
    """Return how the scores would have done on customers whose answers are known.

    Parameters
    ----------
    scored : Propensity
        Its scores of known customers are out of fold.
    table : CustomerTable
        Where one-variable rules come from: every number and ordered column, highest or lowest
        first; the ``rules`` that did best on the same customers are shown, which favours them.
    share : float
        Share of customers reached.
    rules : int
    draws : int
        Bootstrap samples of customers; intervals are their 2.5% and 97.5% quantiles.
    random_state : int

    Raises
    ------
    InputDataError
        If fewer than 20 answers are known, or all are alike.

    Notes
    -----
    The known answers are answers to an offer, so that what is measured is response. What part of
    it the offer caused is known only where a random part of customers was not asked.

    Examples
    --------
    >>> keys = pd.Index([str(i) for i in range(40)])
    >>> answer = pd.Series([1.0, 0.0] * 20, index=keys)
    >>> scored = Propensity(answer, answer, True, {}, pd.DataFrame(), "")
    >>> table = CustomerTable(pd.DataFrame(index=keys), pd.DataFrame({"kind": []}))
    >>> float(measure_lift(scored, table, share=0.5, draws=20).comparison["response"].iloc[0])
    1.0
    """
    known = scored.known
    if len(known) < 20 or known.nunique() < 2:
        raise InputDataError(
            f"Lift needs at least 20 known answers of both kinds; there are {len(known)}."
        )
    y = known.to_numpy(dtype=np.float64)
    rng = np.random.default_rng(random_state)
    # Ties are broken at random once, so that the order of rows has no say.
    jitter = rng.random(len(y))
    own = _order(scored.scores.reindex(known.index).to_numpy(dtype=np.float64), jitter)
    samples = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=draws).astype(np.float64)
    gains = _gains(y, own, samples)
    orders = {"this campaign": own, **_rules(table, known.index, y, jitter, share, rules)}
    rates, spread = {}, {}
    for name, order in orders.items():
        rates[name] = _response(y, order, np.ones((1, len(y))), share)[0]
        spread[name] = _response(y, order, samples, share)
    rates["at random"], spread["at random"] = y.mean(), samples @ y / samples.sum(axis=1)
    rows = {}
    for name in ["this campaign", "at random", *[n for n in orders if n != "this campaign"]]:
        low, high = np.quantile(spread[name], [0.025, 0.975])
        rows[name] = {"response": rates[name], "low": low, "high": high}
        if name != "this campaign":
            gap = spread["this campaign"] - spread[name]
            down, up = np.quantile(gap, [0.025, 0.975])
            rows[name] |= {
                "difference": rates["this campaign"] - rates[name],
                "difference_low": down,
                "difference_high": up,
            }
    return Lift(gains, pd.DataFrame(rows).T.rename_axis("chosen by"), share, len(y))


def _order(score: Array, jitter: Array) -> NDArray[np.int64]:
    filled = np.where(
        np.isfinite(score), score, np.nanmedian(score) if np.isfinite(score).any() else 0
    )
    return np.lexsort((jitter, -filled))


def _response(y: Array, order: NDArray[np.int64], samples: Array, share: float) -> Array:
    """Return the response (draws,) among the first ``share`` of each weighted sample."""
    weights = samples[:, order]
    limit = share * weights.sum(axis=1, keepdims=True)
    before = np.cumsum(weights, axis=1) - weights
    taken = np.clip(limit - before, 0.0, weights)
    return np.asarray((taken @ y[order]) / np.maximum(taken.sum(axis=1), 1e-300))


def _gains(y: Array, order: NDArray[np.int64], samples: Array) -> pd.DataFrame:
    shares = np.linspace(0.0, 1.0, 21)
    whole = np.ones((1, len(y)))
    rows = []
    for share in shares:
        if share == 0:
            rows.append({"share": 0.0, "captured": 0.0, "low": 0.0, "high": 0.0})
            continue
        base = samples @ y / samples.sum(axis=1)
        drawn = _response(y, order, samples, share) * share / np.maximum(base, 1e-12)
        captured = float(_response(y, order, whole, share)[0] * share / y.mean())
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append({"share": float(share), "captured": captured, "low": low, "high": high})
    out = pd.DataFrame(rows)
    safe = out["share"].where(out["share"] > 0)
    out["lift"] = out["captured"] / safe
    out["lift_low"], out["lift_high"] = out["low"] / safe, out["high"] / safe
    return out


def _rules(
    table: CustomerTable, keys: pd.Index, y: Array, jitter: Array, share: float, count: int
) -> dict[str, NDArray[np.int64]]:
    groups = table.customer_keys()
    first = ~groups.duplicated().to_numpy()
    frame = table.frame[first].set_axis(pd.Index(groups[first].astype(str)))
    found: list[tuple[float, str, NDArray[np.int64]]] = []
    for name in table.columns("numeric", "ordered"):
        column = frame[name].reindex(keys)
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = np.asarray(column.cat.codes, dtype=np.float64)
            values = np.where(codes < 0, np.nan, codes)
        else:
            values = column.to_numpy(dtype=np.float64)
        if not np.isfinite(values).any():
            continue
        for sign, word in ((1.0, "highest"), (-1.0, "lowest")):
            order = _order(sign * values, jitter)
            rate = float(_response(y, order, np.ones((1, len(y))), share)[0])
            found.append((rate, f"{word} {name.replace('_', ' ')}", order))
    found.sort(key=lambda item: (-item[0], item[1]))
    return {name: order for _, name, order in found[:count]}
