"""A risk profile per segment, from age, income, holdings and what customers say themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.customers.segmentation import Segmentation
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["RISK_COLUMNS", "risk_profiles"]

Array = NDArray[np.float64]

RISK_COLUMNS: Mapping[str, str] = {
    "age": r"^age$",
    "income": r"^(salary_range|salary|income|annual_income|monthly_income)$",
    "appetite": r"^(risk_appetite|risk_tolerance|risk_profile|takes_above_average_risk)$",
    "no_risk": r"^takes_no_financial_risk$",
    "volatility": r"^holdings_volatility$",
}
"""Part of the profile -> pattern of the column that it is taken from."""

_STOCKS = re.compile(r"(^|_)(stocks?|equity|equities|shares)(_|$)")
_HELD = re.compile(
    r"_balance$|_funds$|^share_|^(stocks|bonds|bank_accounts|certificates_of_deposit)$"
)
CLASSES = ("very cautious", "cautious", "balanced", "growth", "adventurous")
MOST_AVERSE, LEAST_AVERSE = 12.0, 1.5
YOUNG, OLD = 25.0, 75.0


def risk_profiles(found: Segmentation, *, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return how much risk each segment can and wants to bear.

    Parameters
    ----------
    found : Segmentation
    columns : mapping, optional
        Part of the profile ("age", "income", "appetite", "no_risk", "volatility") -> column, where
        the names of `RISK_COLUMNS` do not fit.

    Returns
    -------
    DataFrame
        Index: segment. The parts that the table has, each 0 (bears no risk) to 1, then ``score``
        (their mean), ``class`` and ``risk_aversion``.

    Raises
    ------
    ConfigError
        If ``columns`` names a part or a column that there is not.
    InputDataError
        If the table has none of the parts.

    Notes
    -----
    The scoring rule, stated so that it can be argued with: ``age`` falls from 1 at 25 to 0 at 75;
    ``income``, ``appetite`` and ``volatility`` are mean ranks among all customers; ``no_risk`` is
    the share who do not say that they take no risk; ``holdings`` is the share of stocks in what is
    held. Relative risk aversion falls geometrically from 12 at score 0 to 1.5 at score 1, which
    spans what surveys find (Barsky et al. 1997, QJE 112: most answers above 3.76, few below 2).

    Examples
    --------
    >>> from alphastrata.customers import Effort, make_table, segment, simulate
    >>> table = make_table(simulate(300, seed=1).customers)
    >>> found = segment(table, n_segments=2, effort=Effort(draws=4, repeats=1, k_max=3))
    >>> risk_profiles(found).columns.tolist()
    ['age', 'income', 'appetite', 'holdings', 'score', 'class', 'risk_aversion']
    """
    parts = _parts(found, dict(columns or {}))
    if not parts:
        raise InputDataError(
            "A risk profile needs at least one of age, income, risk appetite, holdings and their "
            "volatility; the table has none. Name the columns: columns={'age': ...}."
        )
    labels = found.labels.to_numpy()
    weights = found.table.weight_values()
    rows = {}
    for k in np.unique(labels[labels > 0]):
        inside = labels == k
        rows[int(k)] = {name: _mean(v[inside], weights[inside]) for name, v in parts.items()}
    out = pd.DataFrame(rows).T.rename_axis("segment")
    score = out.mean(axis=1)
    out["score"] = score
    place = np.minimum((score.to_numpy() * len(CLASSES)).astype(int), len(CLASSES) - 1)
    out["class"] = [CLASSES[i] for i in place]
    out["risk_aversion"] = MOST_AVERSE * (LEAST_AVERSE / MOST_AVERSE) ** score
    return out


def _mean(values: Array, weights: Array) -> float:
    known = np.isfinite(values)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total > 0 else float("nan")


def _parts(found: Segmentation, said: dict[str, str]) -> dict[str, Array]:
    frame, weights = found.table.frame, found.table.weight_values()
    unknown = [p for p in said if p not in RISK_COLUMNS]
    absent = [c for c in said.values() if c not in frame.columns]
    if unknown or absent:
        raise ConfigError(
            f"columns maps parts ({', '.join(RISK_COLUMNS)}) to columns of the table; unknown: "
            f"{', '.join([*unknown, *absent])}."
        )
    where = {
        part: said.get(part) or next((c for c in frame if re.search(pattern, str(c))), None)
        for part, pattern in RISK_COLUMNS.items()
    }
    out: dict[str, Array] = {}
    if where["age"] is not None:
        age = _number(frame[where["age"]])
        out["age"] = np.clip((OLD - age) / (OLD - YOUNG), 0.0, 1.0)
    for part in ("income", "appetite", "volatility"):
        if where[part] is not None:
            out[part] = _ranks(_number(frame[where[part]]), weights)
    if where["no_risk"] is not None:
        column = frame[where["no_risk"]].astype("string")
        out["no_risk"] = np.where(column.isna(), np.nan, (column != "yes").to_numpy(dtype=float))
    held = [str(c) for c in frame if _HELD.search(str(c)) and _is_number(frame[c])]
    stocks = [c for c in held if _STOCKS.search(c)]
    if stocks and len(held) > len(stocks):
        total = frame[held].fillna(0.0).clip(lower=0.0).sum(axis=1).to_numpy()
        risky = frame[stocks].fillna(0.0).clip(lower=0.0).sum(axis=1).to_numpy()
        out["holdings"] = np.where(total > 0, risky / np.where(total > 0, total, 1.0), np.nan)
    return out


def _is_number(column: pd.Series) -> bool:
    return not isinstance(column.dtype, pd.CategoricalDtype)


def _number(column: pd.Series) -> Array:
    if _is_number(column):
        return column.to_numpy(dtype=np.float64)
    codes = np.asarray(column.cat.codes, dtype=np.float64)
    return np.where(codes < 0, np.nan, codes)


def _ranks(values: Array, weights: Array) -> Array:
    """Return the share of the population's weight below each value, ties in the middle."""
    out = np.full(len(values), np.nan)
    known = np.isfinite(values)
    found, where = np.unique(values[known], return_inverse=True)
    mass = np.bincount(where, weights[known], minlength=len(found))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    out[known] = middle[where]
    return out
