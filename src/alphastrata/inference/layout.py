"""How results are laid out for people: stars, and t-statistics in parentheses underneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alphastrata.core import Note
from alphastrata.core.results import STARS, stars

__all__ = [
    "STARS",
    "Columns",
    "compare",
    "foot",
    "long_table",
    "numbers",
    "parameter_table",
    "stacked",
    "stars",
]


def parameter_table(
    params: pd.Series, std_errors: pd.Series, tstats: pd.Series, pvalues: pd.Series
) -> pd.DataFrame:
    """Return one row per coefficient: estimate, standard error, t and p."""
    return pd.DataFrame({"estimate": params, "std_error": std_errors, "t": tstats, "p": pvalues})


def long_table(
    params: pd.DataFrame, std_errors: pd.DataFrame, tstats: pd.DataFrame, pvalues: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per (row, column) of frames alike in shape: estimate, error, t and p."""
    index = pd.MultiIndex.from_product([params.index, params.columns])
    parts = {"estimate": params, "std_error": std_errors, "t": tstats, "p": pvalues}
    return pd.DataFrame({name: f.to_numpy().ravel() for name, f in parts.items()}, index=index)


def foot(lines: Sequence[str], notes: Sequence[Note], most: int = 3) -> list[str]:
    """Return the lines under a table, with at most so many notes; the rest stay in ``notes``.

    A panel may carry dozens of notes from the rooms before.
    """
    shown = [str(note) for note in notes[-most:]]
    more = len(notes) - len(shown)
    return [*lines, *shown, *([f"… and {more} more notes, in .notes"] if more else [])]


def numbers(values: pd.Series, digits: int) -> list[str]:
    """Return numbers as text, nothing where one is missing."""
    return ["" if np.isnan(value) else f"{value:.{digits}f}" for value in values]


class Columns:
    """Columns of a layout that hold text without a t-statistic beneath (R squared, counts)."""

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        self.columns = dict(columns)


def stacked(
    params: pd.DataFrame,
    tstats: pd.DataFrame,
    pvalues: pd.DataFrame,
    *,
    percent: Sequence[str] = (),
    digits: int = 3,
    beside: Columns | None = None,
) -> pd.DataFrame:
    """Return two text rows per line of `params`: estimates with stars, t in parentheses.

    Parameters
    ----------
    params, tstats, pvalues : DataFrame
        Rows are models or assets, columns coefficients.
    percent : sequence of str
        Columns shown in per cent; " %" is added to their names.
    digits : int
        Decimals of estimates.
    beside : Columns, optional
        Text to put at the right of the first row of each pair.
    """
    rows: list[list[str]] = []
    labels: list[str] = []
    for i, name in enumerate(params.index):
        upper, lower = [], []
        for column in params.columns:
            scale = 100.0 if column in percent else 1.0
            value = params[column].iloc[i] * scale
            missing = bool(np.isnan(value))
            upper.append("" if missing else f"{value:.{digits}f}{stars(pvalues[column].iloc[i])}")
            t = tstats[column].iloc[i]
            lower.append("" if missing or np.isnan(t) else f"({t:.2f})")
        extra = beside.columns if beside is not None else {}
        rows.append(upper + [texts[i] for texts in extra.values()])
        rows.append(lower + [""] * len(extra))
        labels += [str(name), ""]
    names = [f"{c} %" if c in percent else str(c) for c in params.columns]
    if beside is not None:
        names += list(beside.columns)
    return pd.DataFrame(rows, index=pd.Index(labels), columns=pd.Index(names))


def compare(
    models: Mapping[str, tuple[pd.Series, pd.Series, pd.Series]],
    *,
    percent: Sequence[str] = (),
    digits: int = 3,
    beneath: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Return models side by side: one column per model, two rows per coefficient.

    Parameters
    ----------
    models : mapping of name to (params, tstats, pvalues)
        Each a Series indexed by coefficient; models may have different coefficients.
    percent, digits
        As in `stacked`.
    beneath : mapping of row label to (model name to text), optional
        Rows such as R squared at the foot.
    """
    names = list(dict.fromkeys(c for p, _, _ in models.values() for c in p.index))
    frames = [
        pd.DataFrame({name: series[part].reindex(names) for name, series in models.items()}).T
        for part in range(3)
    ]
    table = stacked(*frames, percent=percent, digits=digits)
    cells = table.to_numpy().reshape(len(models), 2, len(names)).transpose(2, 1, 0)
    rows = [text for name in table.columns for text in (str(name), "")]
    out = pd.DataFrame(
        cells.reshape(2 * len(names), len(models)), index=pd.Index(rows), columns=list(models)
    )
    for label, texts in (beneath or {}).items():
        foot = pd.DataFrame([[texts.get(m, "") for m in models]], [label], list(models))
        out = pd.concat([out, foot])
    return out
