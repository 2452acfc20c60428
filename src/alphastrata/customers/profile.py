"""Who is in each segment: profiles, tests of difference, names and sentences in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, kruskal

from alphastrata.core.shown import Shown
from alphastrata.customers.segmentation import Segmentation
from alphastrata.customers.table import CustomerTable

__all__ = ["SegmentProfiles", "adjusted_pvalues", "profile_segments"]

Array = NDArray[np.float64]

WORDS: Mapping[str, tuple[str, str]] = {
    "age": ("young", "older"),
    "salary_range": ("low salary", "high salary"),
    "income": ("low income", "high income"),
    "risk_appetite": ("cautious", "ready for risk"),
    "education": ("less schooling", "well educated"),
    "net_worth": ("little wealth", "wealthy"),
    "logins_per_month": ("rarely in the app", "often in the app"),
    "trades_per_month": ("trading little", "trading often"),
    "months_since_joining": ("new customers", "long with us"),
    "tenure": ("new customers", "long with us"),
    "frequency": ("trading little", "trading often"),
    "monetary": ("small trades", "large trades"),
    "gain": ("small gains", "large gains"),
    "holdings_volatility": ("calm holdings", "volatile holdings"),
    "diversification": ("one kind of fund", "many kinds of funds"),
    "recency": ("active lately", "long inactive"),
    "children": ("without children", "with children"),
    "debt": ("little debt", "much debt"),
    "home_value": ("no house of worth", "valuable home"),
    "financial_literacy_score": ("little financial literacy", "financially literate"),
    "stocks": ("no stocks of their own", "own stocks"),
    "stock_funds": ("without stock funds", "with stock funds"),
    "retirement_accounts": ("little put by for retirement", "well provided for retirement"),
    "businesses": ("no business", "own a business"),
}
"""Column -> what a segment far below and far above the average is called."""

SPOKEN: Mapping[str, str] = {
    "monetary": "amount per trade",
    "frequency": "number of trades in 30 days",
    "recency": "number of days since the last trade",
    "net_flow": "amount bought net of sales",
    "tenure": "number of days as a customer",
    "gain": "gain on what is held",
    "holdings_volatility": "volatility of what is held",
}
"""Columns whose names need words of their own in a sentence."""

SPEAKING = ("occupation", "job", "profession", "work_status")
"""Columns whose levels need no name of the column beside them."""

NOTABLE = 0.35


@dataclass(frozen=True, eq=False)
class SegmentProfiles(Shown):
    """What each segment looks like.

    Attributes
    ----------
    shares : DataFrame
        As `Segmentation.shares` returns it.
    summary : DataFrame
        Index: column. One column per segment and "all": weighted medians of numbers, the most
        frequent level with its share otherwise, as text.
    numbers : DataFrame
        Index: (column, level); level is empty for numbers. Weighted mean of numbers, share of
        levels, per segment and for "all".
    scores : DataFrame
        Index: segment. Columns: as in ``numbers``. How far the segment lies from the average
        customer, in standard deviations of the column (of the level, for nominal columns).
    differences : DataFrame
        Index: column. ``kind``, ``test``, ``statistic``, ``pvalue``, ``adjusted`` (Benjamini and
        Hochberg 1995), ``effect`` (0 to 1) and ``made_by`` ("segmentation" for columns that made
        the segments, so that their p-values prove nothing; "outside" for the others).
    names : dict
        Segment -> name by rule.
    sentences : dict
        Segment -> one sentence in plain words.
    """

    shares: pd.DataFrame
    summary: pd.DataFrame
    numbers: pd.DataFrame
    scores: pd.DataFrame
    differences: pd.DataFrame
    names: dict[int, str]
    sentences: dict[int, str]


def profile_segments(found: Segmentation) -> SegmentProfiles:
    """Return what each segment looks like, and what sets it apart.

    Parameters
    ----------
    found : Segmentation

    Notes
    -----
    Numbers and ordered levels are compared by the Kruskal-Wallis test (effect: epsilon squared),
    nominal ones by the chi-squared test (effect: Cramér's V), on one row per customer, without
    weights. Profiles are weighted.

    References
    ----------
    Kruskal, W. and Wallis, W. (1952), JASA 47. Benjamini, Y. and Hochberg, Y. (1995), JRSS B 57.

    Examples
    --------
    >>> from alphastrata.customers import Effort, make_table, segment, simulate
    >>> table = make_table(simulate(300, seed=1).customers)
    >>> found = segment(table, n_segments=2, effort=Effort(draws=4, repeats=1, k_max=3))
    >>> sorted(profile_segments(found).names)
    [1, 2]
    """
    table, labels = found.table, found.labels.to_numpy()
    columns = [*table.columns(), *table.columns("protected", "target")]
    weights = table.weight_values()
    segments = [int(k) for k in np.unique(labels[labels > 0])]
    numbers, scores = _numbers_and_scores(table, columns, labels, weights, segments)
    shares = found.shares()
    made = set(table.columns())
    inside = pd.DataFrame(scores[[c for c in scores.columns if c[0] in made]])
    names = _names(inside)
    return SegmentProfiles(
        shares=shares,
        summary=_summary(table, columns, labels, weights, segments),
        numbers=numbers,
        scores=scores,
        differences=_differences(table, columns, labels),
        names=names,
        sentences={
            k: _sentence(k, names[k], float(shares["share"][k]), _row(inside, k), numbers, table)
            for k in segments
        },
    )


def _as_number(column: pd.Series) -> Array:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = np.asarray(column.cat.codes, dtype=np.float64)
        return np.where(codes < 0, np.nan, codes)
    return column.to_numpy(dtype=np.float64)


def _nominal(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and not column.dtype.ordered


def _mean(values: Array, weights: Array) -> float:
    known = np.isfinite(values)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum()) / total if total > 0 else float("nan")


def weighted_median(values: Array, weights: Array) -> float:
    """Return the smallest value with half of the weight at or below it; missing left out.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 3.0]))
    9.0
    """
    known = np.isfinite(values)
    if not known.any():
        return float("nan")
    own, w = values[known], weights[known]
    order = np.argsort(own, kind="stable")
    reached = np.cumsum(w[order])
    return float(own[order][np.searchsorted(reached, reached[-1] / 2)])


def _numbers_and_scores(
    table: CustomerTable, columns: list[str], labels: Array, weights: Array, segments: list[int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows: dict[tuple[str, str], dict[object, float]] = {}
    scores: dict[tuple[str, str], dict[int, float]] = {}
    for name in columns:
        column = table.frame[name]
        if _nominal(column):
            known = column.notna().to_numpy()
            parts = {
                str(v): np.where(known, (column == v).to_numpy(), np.nan).astype(np.float64)
                for v in column.cat.categories
            }
        else:
            parts = {"": _as_number(column)}
        for level, values in parts.items():
            overall = _mean(values, weights)
            row: dict[object, float] = {
                k: _mean(values[labels == k], weights[labels == k]) for k in segments
            }
            row["all"] = overall
            rows[name, level] = row
            # Ranks carry the comparison of skewed amounts; shares are compared as they are.
            if level == "":
                values = np.array(pd.Series(values).rank(pct=True), dtype=np.float64)
                overall = _mean(values, weights)
            spread = np.sqrt(_mean((values - overall) ** 2, weights)) or 1.0
            scores[name, level] = {
                k: (_mean(values[labels == k], weights[labels == k]) - overall) / spread
                for k in segments
            }
    numbers = pd.DataFrame(rows).T.rename_axis(["column", "level"])
    return numbers, pd.DataFrame(scores).reindex(segments).rename_axis("segment")


def _summary(
    table: CustomerTable, columns: list[str], labels: Array, weights: Array, segments: list[int]
) -> pd.DataFrame:
    out = {}
    for name in columns:
        column = table.frame[name]
        row = {}
        for k in [*segments, "all"]:
            inside = np.ones(len(column), bool) if k == "all" else labels == k
            row[str(k)] = _typical(column[inside], weights[inside])
        out[name] = row
    return pd.DataFrame(out).T.rename_axis("column")


def _typical(column: pd.Series, weights: Array) -> str:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        values = column.to_numpy(dtype=np.float64)
        if set(np.unique(values[np.isfinite(values)])) <= {0.0, 1.0}:
            return f"{_mean(values, weights):.0%}"
        return readable(weighted_median(values, weights))
    if column.dtype.ordered:
        middle = weighted_median(_as_number(column), weights)
        return "–" if np.isnan(middle) else str(column.cat.categories[int(middle)])
    share = pd.Series(weights).groupby(column.to_numpy(), observed=True).sum()
    if share.empty:
        return "–"
    return f"{share.idxmax()} ({share.max() / share.sum():.0%})"


def readable(value: float) -> str:
    """Return a number as people write it: 12.4 million, 3,200, 0.35.

    Examples
    --------
    >>> readable(12_400_000.0), readable(3200.4), readable(0.352)
    ('12.4 million', '3,200', '0.35')
    """
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    for limit, word in ((1e9, "billion"), (1e6, "million")):
        if size >= limit:
            return f"{value / limit:,.1f} {word}"
    if size >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.2g}" if size < 10 else f"{value:.1f}"


def adjusted_pvalues(pvalues: Array) -> Array:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995).

    Examples
    --------
    >>> adjusted_pvalues(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(pvalues)
    n = len(pvalues)
    scaled = pvalues[order] * n / np.arange(1, n + 1)
    out = np.empty(n)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out


def _differences(table: CustomerTable, columns: list[str], labels: Array) -> pd.DataFrame:
    first = ~table.customer_keys().duplicated().to_numpy() & (labels > 0)
    rows = []
    for name in columns:
        column, own = table.frame[name][first], labels[first]
        made_by = "segmentation" if name in table.columns() else "outside"
        rows.append({"column": name, **_difference(column, own), "made_by": made_by})
    out = pd.DataFrame(rows).set_index("column")
    out.insert(0, "kind", table.kinds["kind"].reindex(out.index))
    known = out["pvalue"].notna().to_numpy()
    adjusted = np.full(len(out), np.nan)
    adjusted[known] = adjusted_pvalues(out["pvalue"].to_numpy(dtype=np.float64)[known])
    out.insert(4, "adjusted", adjusted)
    return out.sort_values("effect", ascending=False, kind="stable")


def _difference(column: pd.Series, labels: Array) -> dict[str, object]:
    if _nominal(column):
        counts = pd.crosstab(column.to_numpy(), labels)
        counts = counts.loc[counts.sum(axis=1) > 0]
        if min(counts.shape) < 2:
            return {"test": "chi-squared", "statistic": np.nan, "pvalue": np.nan, "effect": 0.0}
        chi, p, _, _ = chi2_contingency(counts, correction=False)
        size = float(counts.to_numpy().sum()) * (min(counts.shape) - 1)
        return {"test": "chi-squared", "statistic": chi, "pvalue": p, "effect": np.sqrt(chi / size)}
    values = _as_number(column)
    known = np.isfinite(values)
    groups = [values[known & (labels == k)] for k in np.unique(labels)]
    groups = [g for g in groups if len(g)]
    n = int(known.sum())
    if len(groups) < 2 or np.ptp(values[known]) == 0:
        return {"test": "Kruskal-Wallis", "statistic": np.nan, "pvalue": np.nan, "effect": 0.0}
    h, p = kruskal(*groups)
    return {"test": "Kruskal-Wallis", "statistic": h, "pvalue": p, "effect": h / (n - 1)}


def _trait(column: str, level: str, score: float) -> str:
    plain = column.replace("_", " ")
    if level:
        return level if column in SPEAKING else f"{plain}: {level}"
    if column.startswith("share_") or column.endswith("_balance"):
        fund = column.removeprefix("share_").removesuffix("_balance").replace("_", " ")
        return f"{'much' if score > 0 else 'little'} in {fund}"
    low, high = WORDS.get(column, (f"low {plain}", f"high {plain}"))
    return high if score > 0 else low


def _row(frame: pd.DataFrame, k: int) -> pd.Series:
    return frame.iloc[list(frame.index).index(k)]


def _traits(scores: pd.Series, most: int) -> list[tuple[str, str, float]]:
    """Return (column, level, score) of what sets a segment apart, one per column."""
    out: list[tuple[str, str, float]] = []
    seen: set[str] = set()
    clean = scores.dropna()
    order = np.argsort(-clean.abs().to_numpy(), kind="stable")
    for i in order:
        column, level = (str(part) for part in clean.index[i])
        score = float(clean.iloc[i])
        # What a segment is not says little.
        if column in seen or abs(score) < NOTABLE or (level and score < 0):
            continue
        seen.add(column)
        out.append((column, level, score))
        if len(out) == most:
            break
    return out


def _names(scores: pd.DataFrame) -> dict[int, str]:
    """Return a name per segment; traits are added until no two names agree."""
    names: dict[int, str] = {}
    segments = [int(k) for k in scores.index]
    for most in (2, 3, 4, 5):
        for k in segments:
            repeated = list(names.values()).count(names.get(k, "")) > 1
            if most == 2 or repeated:
                traits = [_trait(*t) for t in _traits(_row(scores, k), most)]
                names[k] = ", ".join(traits) if traits else "like the average"
    for k in segments:
        if list(names.values()).count(names[k]) > 1:
            names[k] = f"{names[k]} ({k})"
    return names


def _sentence(
    k: int, name: str, share: float, scores: pd.Series, numbers: pd.DataFrame, table: CustomerTable
) -> str:
    parts = []
    for column, level, score in _traits(scores, 5):
        plain = SPOKEN.get(column, column.replace("_", " "))
        if level:
            mine, all_of_them = (float(numbers[c][column, level]) for c in (k, "all"))
            parts.append(f"{mine:.0%} have {plain} {level!r} ({all_of_them:.0%} of all)")
            continue
        kind = table.frame[column].dtype
        side = "above" if score > 0 else "below"
        if isinstance(kind, pd.CategoricalDtype):
            parts.append(f"{plain} is {side} the average")
        else:
            mine, all_of_them = (float(numbers[c][column, ""]) for c in (k, "all"))
            ratio = column.startswith("share_") or column in ("gain", "holdings_volatility")
            own, overall = (f"{v:.0%}" if ratio else readable(v) for v in (mine, all_of_them))
            parts.append(f"mean {plain} is {own} ({overall} over all)")
    detail = "; ".join(parts) if parts else "it differs from the average in no single column"
    return f"Segment {k}, {name}, holds {share:.0%} of customers: {detail}."
