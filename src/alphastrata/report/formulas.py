"""The formulas behind the usual columns of a report, kept as a table beside this file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from alphastrata.report.records import HowComputed

__all__ = ["how_computed", "known_formulas"]


@cache
def _table() -> dict[str, dict[str, str]]:
    text = (files("alphastrata.report") / "formulas.csv").read_text(encoding="utf-8")
    return {row["name"]: row for row in csv.DictReader(text.splitlines())}


def known_formulas() -> list[str]:
    """Return the names of the columns whose formulas are known.

    Examples
    --------
    >>> "silhouette" in known_formulas()
    True
    """
    return list(_table())


def how_computed(
    names: Iterable[object], *, manifest: str = "", conventions: Sequence[str] = ()
) -> dict[str, HowComputed]:
    """Return how the named columns are computed, ready for the ``how`` of a section or table.

    Parameters
    ----------
    names : iterable
        Names of columns or statistics; those that are not known are left out.
    manifest : str
        Key of the manifest's row that says what went in.
    conventions : sequence of str
        Added to each: lags, kernel, sample.

    Returns
    -------
    dict of str to HowComputed

    Examples
    --------
    >>> how_computed(["Sharpe", "my own"], manifest="stage factors")["Sharpe"].manifest
    'stage factors'
    """
    table = _table()
    return {
        name: HowComputed(
            formula=row["formula"],
            conventions=[row["convention"], *conventions] if row["convention"] else conventions,
            manifest=manifest,
            source=row["source"],
        )
        for name in map(str, names)
        if (row := table.get(name)) is not None
    }
