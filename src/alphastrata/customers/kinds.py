"""What kind each column of a customer table is, inferred by rule and shown for confirmation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["KINDS", "infer_kinds", "parse_numbers"]

KINDS = (
    "numeric",
    "ordered",
    "nominal",
    "protected",
    "identifier",
    "personal",
    "target",
    "weight",
    "date",
    "left out",
)
"""numeric, ordered and nominal columns make segments; the others never do."""

_PERSONAL = re.compile(
    r"(^|_)(name|first_?name|last_?name|surname|e?mail|phone|mobile|telephone|address|street|"
    r"nik|ktp|npwp|ssn|passport|iban|account_?(no|number)|tax_?id|birth_?date|date_?of_?birth|dob)"
    r"($|_)"
)
_CUSTOMER = re.compile(r"^(customer|client|user|investor|account|household|member)?_?(id|key|no)$")
_PROTECTED = re.compile(
    r"(^|_)(sex|gender|race|ethnicity|ethnic|religion|nationality|disability|disabled)($|_)"
)
_TARGET = re.compile(r"(^|_)(target|response|responded|converted|accepted|churn(ed)?)($|_)")
_WEIGHT = re.compile(r"^(weight|wgt|sample_?weight|survey_?weight)$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$")
_PHONE = re.compile(r"^\+?[\d\s().-]{9,}$")
_NUMBER = re.compile(r"^[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][-+]?\d+)?$")
_CURRENCY = re.compile(r"^(rp|idr|usd|eur|gbp|us\$|[$€£¥])\.?\s*|\s*(rp|idr|usd|eur|%)$", re.I)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_SCALES: tuple[tuple[str, ...], ...] = (
    ("very low", "low", "medium", "high", "very high"),
    ("low", "moderate", "high"),
    ("conservative", "moderate", "growth", "aggressive"),
    ("conservative", "balanced", "growth"),
    ("none", "basic", "intermediate", "advanced", "expert"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("primary", "secondary", "bachelor", "master", "doctorate"),
    ("primary school", "high school", "diploma", "bachelor", "master", "doctorate"),
    ("small", "medium", "large"),
)


def parse_numbers(values: pd.Series) -> pd.Series:
    """Return text as float64: thousands commas, currency and percent signs taken off.

    What is no number becomes missing.

    Parameters
    ----------
    values : Series of text or numbers

    Examples
    --------
    >>> parse_numbers(pd.Series(["Rp 1,500", "12.5", "abc"])).tolist()
    [1500.0, 12.5, nan]
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    text = values.astype("string").str.strip().str.replace(_CURRENCY, "", regex=True)
    fits = text.str.match(_NUMBER).fillna(False).astype(bool)
    cleaned = text.str.replace(",", "", regex=False).where(fits)
    return pd.to_numeric(cleaned, errors="coerce").astype("float64")


def _ordered_levels(levels: Sequence[str]) -> tuple[str, ...] | None:
    """Return the levels in their order where words or the figures in them give one."""
    lower = {level.strip().lower(): level for level in levels}
    for scale in _SCALES:
        if len(lower) >= 2 and set(lower) <= set(scale):
            return tuple(lower[word] for word in scale if word in lower)
    keys = [_first_figure(level) for level in levels]
    if len(levels) < 3 or any(key is None for key in keys):
        return None
    pairs = sorted((key, level) for key, level in zip(keys, levels) if key is not None)
    distinct = {key for key, _ in pairs}
    return tuple(level for _, level in pairs) if len(distinct) == len(pairs) else None


def _first_figure(level: str) -> tuple[float, int] | None:
    """Return where a range such as "< 5", "5-10" or "> 10 million" stands; None without figures."""
    figures = _FIGURE.findall(level)
    if not figures:
        return None
    first = float(figures[0].replace(",", ""))
    text = level.strip().lower()
    if text.startswith(("<", "≤", "under", "below", "less", "up to", "kurang")):
        return first, -1
    if text.startswith((">", "≥", "over", "above", "more", "lebih")) or text.endswith("+"):
        return first, 1
    return first, 0


def _reason(name: str, column: pd.Series) -> tuple[str, str]:
    """Return the kind of a column and the rule that gave it."""
    lower = re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")
    present = column.dropna()
    distinct = int(present.nunique())
    if present.empty:
        return "left out", "every value is missing"
    if _WEIGHT.match(lower):
        return "weight", "named as a sampling weight"
    if _CUSTOMER.match(lower):
        return "identifier", "named as a key of customers"
    if _PERSONAL.search(lower):
        return "personal", "named as personal data"
    if distinct == 1:
        return "left out", "the same value everywhere"
    if _PROTECTED.search(lower):
        return "protected", "named as a protected attribute"
    if _TARGET.search(lower) and distinct == 2:
        return "target", "named as a response, two values"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date", "dates"
    if pd.api.types.is_bool_dtype(column.dtype):
        return "nominal", "yes or no"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _numeric_reason(present, distinct)
    return _text_reason(str(name), present, distinct)


def _numeric_reason(present: pd.Series, distinct: int) -> tuple[str, str]:
    whole = bool((present % 1 == 0).all())
    if whole and distinct == len(present) and len(present) >= 50:
        ordered = present.astype("int64").sort_values()
        if bool((ordered.diff().dropna() == 1).all()):
            return "identifier", "consecutive whole numbers, each once"
    if distinct == 2:
        return "nominal", "two values"
    return "numeric", "numbers"


def _text_reason(name: str, present: pd.Series, distinct: int) -> tuple[str, str]:
    text = present.astype(str).str.strip()
    sample = text.iloc[:500]
    if sample.str.match(_EMAIL).mean() > 0.5:
        return "personal", "e-mail addresses"
    share = float(parse_numbers(text).notna().mean())
    if share < 0.5 and sample.str.match(_PHONE).mean() > 0.5:
        return "personal", "telephone numbers"
    if share >= 0.5 and text.str.match(r"^\+\d{9,}$").mean() > 0.5:
        return "personal", "telephone numbers"
    if share >= 0.95:
        return "numeric", "numbers written as text"
    if share >= 0.5:
        raise InputDataError(
            f"Column {name!r} mixes numbers and words: {share:.0%} of its values are numbers, "
            f"the first that is not: {text[parse_numbers(text).isna()].iloc[0]!r}. "
            f'Say what it is, for example kinds={{"{name}": "numeric"}} (words become missing) '
            f'or kinds={{"{name}": "nominal"}}.'
        )
    if distinct > 0.5 * len(present) and distinct > 50:
        return "identifier", "nearly every value occurs once"
    if distinct <= 30 and _ordered_levels(sorted(text.unique())) is not None:
        return "ordered", "levels with a natural order"
    return "nominal", "words"


def infer_kinds(
    frame: pd.DataFrame, *, kinds: Mapping[str, str | Sequence[str]] | None = None
) -> pd.DataFrame:
    """Return what each column is taken for, and why: show it, mend it, hand it back.

    Parameters
    ----------
    frame : DataFrame, one row per customer
    kinds : mapping of column to kind or to levels, optional
        What a person knows better. One of `KINDS`, or a list of levels from low to high, which
        makes the column ordered.

    Returns
    -------
    DataFrame
        Index: column. Columns: ``kind``, ``levels`` (tuple, low to high, for ordered columns),
        ``reason``, ``missing`` (share), ``distinct`` (count) and ``typical`` (5% and 95% quantiles
        or the most frequent words; empty for identifiers and personal data, so that the table may
        be shown).

    Raises
    ------
    ConfigError
        If ``kinds`` names a column or a kind that there is not.
    InputDataError
        If a column mixes numbers and words and ``kinds`` does not settle it.

    Examples
    --------
    >>> frame = pd.DataFrame({"salary": ["< 5", "5-10", "> 10", "5-10"], "job": list("abca")})
    >>> infer_kinds(frame)["kind"].tolist()
    ['ordered', 'nominal']
    """
    said = dict(kinds or {})
    _check_said(frame, said)
    rows: list[dict[str, Any]] = []
    for name in frame.columns:
        column = frame[name]
        value = said.get(str(name))
        kind, reason = (
            _reason(str(name), column)
            if value is None
            else (value if isinstance(value, str) else "ordered", "as told")
        )
        present = column.dropna()
        levels: tuple[str, ...] | None = None
        if kind == "ordered":
            levels = _levels_of(str(name), present, value)
        hidden = kind in ("identifier", "personal") or present.empty
        # What is typical, never the values of one customer: the table is shown in reports.
        typical = "" if hidden else _typical(present, kind)
        rows.append(
            {
                "kind": kind,
                "levels": levels,
                "reason": reason,
                "missing": float(column.isna().mean()) if len(column) else np.nan,
                "distinct": int(present.nunique()),
                "typical": typical,
            }
        )
    out = pd.DataFrame(rows, index=pd.Index([str(c) for c in frame.columns], name="column"))
    return out.astype({"levels": object}) if len(out) else out


def _typical(present: pd.Series, kind: str) -> str:
    numbers = parse_numbers(present).dropna() if kind == "numeric" else present.iloc[:0]
    if len(numbers):
        low, high = numbers.quantile([0.05, 0.95])
        return f"{low:,.4g} to {high:,.4g}"
    words = present.astype(str).str.strip().value_counts()
    most = [str(word) for word in words.index[words >= 2][:3]]
    return ", ".join(most) + (", …" if len(words) > len(most) else "")


def _check_said(frame: pd.DataFrame, said: Mapping[str, str | Sequence[str]]) -> None:
    check = Violations("kinds")
    absent = [name for name in said if name not in frame.columns]
    check.require(
        not absent,
        "Every column named in kinds must be in the table",
        count=len(absent),
        first=repr(absent[0]) if absent else "",
    )
    unknown = [v for v in said.values() if isinstance(v, str) and v not in KINDS]
    check.require(
        not unknown,
        f"A kind is one of {', '.join(KINDS)}, or a list of levels",
        count=len(unknown),
        first=repr(unknown[0]) if unknown else "",
    )
    check.raise_if_any(ConfigError)


def _levels_of(name: str, present: pd.Series, value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is not None and not isinstance(value, str):
        levels = tuple(map(str, value))
        unknown = sorted(set(present.astype(str).str.strip()) - set(levels))
        if unknown:
            raise InputDataError(
                f"Column {name!r} has {len(unknown)} levels that kinds does not list. "
                f"First: {unknown[0]!r}. Add them in their order."
            )
        return levels
    if pd.api.types.is_numeric_dtype(present.dtype):
        return tuple(_plain(v) for v in np.sort(present.unique()))
    found = sorted(present.astype(str).str.strip().unique())
    ordered = _ordered_levels(found)
    if ordered is None:
        raise InputDataError(
            f"Column {name!r} is said to be ordered, but its {len(found)} levels do not show "
            f'their order. List them from low to high: kinds={{"{name}": [...]}}.'
        )
    return ordered


def _plain(value: float) -> str:
    return f"{value:g}"
