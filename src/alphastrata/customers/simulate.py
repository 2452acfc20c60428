"""Simulated customers of a fund app, with planted segments and a planted answer to an offer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError

__all__ = ["SimulatedCustomers", "simulate"]

Array = NDArray[np.float64]

FUNDS = ("money_market", "fixed_income", "mixed", "stock")
OCCUPATIONS = (
    "student",
    "private employee",
    "civil servant",
    "entrepreneur",
    "retired",
    "homemaker",
)
GOALS = (
    "emergency fund",
    "growth",
    "education",
    "retirement",
    "speculation",
    "household",
)
EDUCATION = ("high school", "diploma", "bachelor", "master")
RISK = ("very low", "low", "medium", "high", "very high")
SALARIES = (
    "< 5 million",
    "5-10 million",
    "10-25 million",
    "25-50 million",
    "50-100 million",
    "> 100 million",
)
SALARY_LIMITS = np.log([5e6, 10e6, 25e6, 50e6, 100e6])
CITIES = ("Jakarta", "Surabaya", "Bandung", "Medan", "Semarang", "Makassar", "Denpasar", "Other")


@dataclass(frozen=True, eq=False)
class SimulatedCustomers(Shown):
    """A customer table with its truth.

    Attributes
    ----------
    customers : DataFrame
        One row per customer, as a file would hold it: identifiers, personal data, mixed kinds,
        missing values.
    transactions : DataFrame or None
        Rows of `transaction_features`.
    segments : Series
        Planted segment of each customer (int, 1..K), index: customer_id. All 1 when none are
        planted.
    names : dict
        Segment -> name.
    response : Series
        Probability with which each customer accepts the offer.
    """

    customers: pd.DataFrame
    transactions: pd.DataFrame | None
    segments: pd.Series
    names: dict[int, str]
    response: pd.Series


@cache
def _archetypes() -> pd.DataFrame:
    text = (files("alphastrata.customers") / "archetypes.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), index_col="key")


def simulate(
    n_customers: int = 2_000,
    *,
    n_segments: int = 5,
    separation: float = 1.0,
    missing: float = 0.1,
    noise_columns: int = 8,
    transactions: bool = False,
    respondents: float = 0.3,
    seed: int = 0,
) -> SimulatedCustomers:
    """Return customers of a fund app with planted segments.

    Parameters
    ----------
    n_customers : int
        Rows.
    n_segments : int
        Planted segments, 1 to 8.
    separation : float
        How far the segments lie apart: 1 is the default difficulty, 0 puts every customer into
        the same cloud (columns stay skewed and correlated), below 1 they overlap more.
    missing : float
        Share of values that are missing, at random, in every column but the key.
    noise_columns : int
        Columns that have nothing to do with the segments, numeric and nominal in turn.
    transactions : bool
        Make monthly balances, buys and sells per fund as well.
    respondents : float
        Share of customers whose answer to an earlier offer of bonds is known (column
        ``response``).
    seed : int
        Seed; the same seed gives the same bits.

    Returns
    -------
    SimulatedCustomers

    Raises
    ------
    ConfigError
        If a setting is out of range; all of them are named together.

    Examples
    --------
    >>> made = simulate(100, seed=1)
    >>> made.customers.shape[0], sorted(made.segments.unique().tolist())
    (100, [1, 2, 3, 4, 5])
    """
    check = Violations("simulate")
    check.require(n_customers >= 10, "n_customers must be at least 10", first=repr(n_customers))
    check.require(1 <= n_segments <= 8, "n_segments must be 1 to 8", first=repr(n_segments))
    check.require(separation >= 0, "separation must not be negative", first=repr(separation))
    check.require(0 <= missing < 0.9, "missing must be in [0, 0.9)", first=repr(missing))
    check.require(noise_columns >= 0, "noise_columns must not be negative")
    check.require(0 <= respondents <= 1, "respondents must be a share", first=repr(respondents))
    check.raise_if_any(ConfigError)
    rng = np.random.default_rng(seed)
    kinds = _pulled_together(_archetypes().iloc[:n_segments], separation)
    segment = _memberships(n_customers, n_segments, rng)
    rows = kinds.iloc[segment].reset_index(drop=True)
    keys = pd.Index([f"C{i:06d}" for i in rng.permutation(n_customers)], name="customer_id")
    frame = _columns(rows, separation, rng)
    probability = np.clip(
        rows["response"].to_numpy() * np.exp(rng.normal(0, 0.25, n_customers)), 0, 0.95
    )
    frame["response"] = _answers(probability, respondents, rng)
    for i in range(noise_columns):
        frame[f"noise_{i + 1}"] = _noise(i, n_customers, rng)
    frame = _with_holes(frame, missing, rng)
    trades = _transactions(keys, rows, rng) if transactions else None
    frame.insert(0, "email", [f"{key.lower()}@example.com" for key in keys])
    frame.insert(0, "full_name", [f"Customer {key}" for key in keys])
    frame.insert(0, "customer_id", keys)
    planted = pd.Series(segment + 1, index=keys, name="segment")
    if separation == 0:
        planted[:] = 1
    return SimulatedCustomers(
        customers=frame,
        transactions=trades,
        segments=planted,
        names={int(str(k)): str(v) for k, v in kinds["name"].items()},
        response=pd.Series(probability, index=keys, name="probability"),
    )


def _pulled_together(kinds: pd.DataFrame, separation: float) -> pd.DataFrame:
    """Return the archetypes moved towards their mean by the factor ``separation``."""
    out = kinds.copy()
    numbers = [c for c in kinds.columns if kinds[c].dtype.kind in "fi"]
    centre = kinds[numbers].astype(float).mean()
    out[numbers] = centre + separation * (kinds[numbers].astype(float) - centre)
    out["age_sd"] = np.maximum(out["age_sd"], 1.0)
    return out


def _memberships(n: int, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    share = rng.dirichlet(np.full(k, 20.0))
    counts = np.maximum(np.round(share * n).astype(int), max(2, n // (5 * k)))
    pool = np.repeat(np.arange(k), counts)
    while len(pool) < n:
        pool = np.r_[pool, pool]
    pool = rng.permutation(pool)[:n]
    pool[:k] = np.arange(k)
    return rng.permutation(pool)


def _columns(rows: pd.DataFrame, separation: float, rng: np.random.Generator) -> pd.DataFrame:
    n = len(rows)
    # Wealth runs through every segment, so that columns are correlated without any segments.
    wealth = rng.normal(size=n)
    age = rows["age"].to_numpy() + rows["age_sd"].to_numpy() * (
        0.5 * wealth + rng.normal(0, 0.9, n)
    )
    salary = rows["log_salary"].to_numpy() + 0.3 * wealth + rng.normal(0, 0.25, n)
    total = np.exp(rows["log_balance"].to_numpy() + 0.5 * wealth + rng.normal(0, 0.4, n))
    shares = _shares(rows, rng)
    frame = pd.DataFrame(
        {
            "age": np.clip(np.round(age), 17, 90),
            "gender": rng.choice(["female", "male"], n),
            "occupation": _word(rows["occupation"], OCCUPATIONS, separation, rng),
            "education": _word(rows["education"], EDUCATION, 0.75 * separation, rng),
            "city": rng.choice(CITIES, n, p=[0.3, 0.15, 0.15, 0.1, 0.08, 0.07, 0.05, 0.1]),
            "salary_range": np.asarray(SALARIES)[np.searchsorted(SALARY_LIMITS, salary)],
            "risk_appetite": np.asarray(RISK)[
                np.clip(np.round(rows["risk"].to_numpy() + rng.normal(0, 0.6, n)), 1, 5).astype(int)
                - 1
            ],
            "goal": _word(rows["goal"], GOALS, 0.9 * separation, rng),
            "months_since_joining": np.maximum(
                1, np.round(np.maximum(rows["tenure"].to_numpy(), 3) * rng.gamma(6, 1 / 6, n))
            ),
            "logins_per_month": rng.poisson(
                np.maximum(rows["logins"].to_numpy(), 0.5) * rng.gamma(5, 0.2, n)
            ),
            "trades_per_month": rng.poisson(
                np.maximum(rows["trades"].to_numpy(), 0.1) * rng.gamma(6, 1 / 6, n)
            ),
        }
    )
    for j, fund in enumerate(FUNDS):
        held = shares[:, j] > 0.03
        frame[f"{fund}_balance"] = np.where(held, np.round(total * shares[:, j]), 0.0)
    frame["auto_invest"] = np.where(rng.random(n) < 0.35, "yes", "no")
    return frame


def _shares(rows: pd.DataFrame, rng: np.random.Generator) -> Array:
    mean = np.maximum(rows[list(FUNDS)].to_numpy(dtype=float), 0.01)
    draws = rng.gamma(14.0 * mean)
    return draws / draws.sum(axis=1, keepdims=True)


def _word(own: pd.Series, words: tuple[str, ...], keep: float, rng: np.random.Generator) -> Any:
    """Return the segment's own word with probability 0.85 keep, otherwise any word."""
    stay = rng.random(len(own)) < min(0.85 * keep, 1.0)
    return np.where(stay, own.to_numpy(dtype=object), rng.choice(words, len(own)).astype(object))


def _noise(number: int, n: int, rng: np.random.Generator) -> Any:
    kinds = (
        lambda: rng.normal(size=n),
        lambda: rng.choice(["north", "south", "east", "west"], n),
        lambda: rng.lognormal(3, 1, n),
        lambda: rng.choice(["web", "ios", "android"], n, p=[0.2, 0.3, 0.5]),
    )
    return kinds[number % len(kinds)]()


def _answers(probability: Array, known: float, rng: np.random.Generator) -> Array:
    answer = (rng.random(len(probability)) < probability).astype(float)
    return np.where(rng.random(len(probability)) < known, answer, np.nan)


def _with_holes(frame: pd.DataFrame, missing: float, rng: np.random.Generator) -> pd.DataFrame:
    out = frame.copy()
    for name in out.columns:
        if name == "response":
            continue
        out[name] = out[name].where(rng.random(len(out)) >= missing)
    return out


def _transactions(keys: pd.Index, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a year of month ends: a balance per customer and fund that moves with its fund."""
    n, months = len(keys), 12
    dates = pd.date_range("2023-01-31", periods=months, freq="ME")
    drift = np.array([0.004, 0.006, 0.007, 0.009])
    spread = np.array([0.002, 0.012, 0.03, 0.05])
    returns = rng.normal(drift, spread, size=(months, len(FUNDS)))
    shares = _shares(rows, rng)
    total = np.exp(rows["log_balance"].to_numpy() + rng.normal(0, 0.6, n))
    balance = np.where(shares > 0.03, total[:, None] * shares, 0.0)
    invested = balance.copy()
    active = np.clip(rows["trades"].to_numpy() / 10.0, 0.05, 0.95)
    first = rng.integers(0, months // 2, n)
    pieces = []
    for month in range(months):
        balance = balance * (1.0 + returns[month])
        buys = (rng.random(balance.shape) < active[:, None] * 0.5) * rng.gamma(
            2, 0.02, balance.shape
        )
        sells = (rng.random(balance.shape) < active[:, None] * 0.3) * rng.uniform(
            0, 0.1, balance.shape
        )
        bought, sold = np.round(buys * total[:, None]), np.round(sells * balance)
        bought = np.where(balance > 0, bought, 0.0)
        invested = (
            invested * (1.0 - np.divide(sold, balance, out=np.zeros_like(sold), where=balance > 0))
            + bought
        )
        balance = balance + bought - sold
        rows_of_month = pd.DataFrame(
            {
                "customer_id": np.repeat(keys.to_numpy(), len(FUNDS)),
                "date": dates[month],
                "fund": np.tile(FUNDS, n),
                "balance": np.round(balance).ravel(),
                "invested": np.round(invested).ravel(),
                "buy": bought.ravel(),
                "sell": sold.ravel(),
            }
        )
        pieces.append(rows_of_month[np.repeat(first <= month, len(FUNDS))])
    return pd.concat(pieces, ignore_index=True)
