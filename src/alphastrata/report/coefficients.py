"""From results of tests to tables of coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from alphastrata.core.results import Result
from alphastrata.report.records import Coefficients

__all__ = ["coefficients_of"]


def coefficients_of(
    results: Result | Mapping[str, Result],
    *,
    percent: Sequence[str] = (),
    extra: pd.DataFrame | None = None,
    transpose: bool = False,
) -> Coefficients:
    """Return the estimates of one result, or of several side by side, as a published table.

    Parameters
    ----------
    results : Result or mapping of str to Result
        A result whose estimates are one series is one row, named by its key in the mapping (or
        its title); one whose estimates are a frame brings the frame's rows. Regressors that a
        result does not have are left empty.
    percent : sequence of str
        Columns printed times 100.
    extra : DataFrame, optional
        Same rows; further columns (observations, R²).
    transpose : bool
        Regressors down, results across.

    Returns
    -------
    Coefficients
        Ready for ``tables.to_latex``, ``tables.to_markdown``, ``tables.to_csv`` or a section of a
        report.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Mean(Result):
    ...     params: pd.Series
    ...     title: str = "mean"
    ...     notes: tuple = ()
    ...     tstats = pvalues = property(lambda self: self.params)
    ...     def table(self): return self.params.to_frame()
    ...     def conventions(self): return []
    >>> coefficients_of({"(1)": Mean(pd.Series({"alpha": 0.5}))}).params.loc["(1)"].tolist()
    [0.5]
    """
    named = {results.title: results} if isinstance(results, Result) else results
    params, tstats, pvalues = (
        pd.concat([_rows(name, getattr(result, part)) for name, result in named.items()])
        for part in ("params", "tstats", "pvalues")
    )
    return Coefficients(
        params=params,
        tstats=tstats,
        pvalues=pvalues,
        extra=extra,
        percent=percent,
        transpose=transpose,
    )


def _rows(name: str, values: pd.DataFrame | pd.Series) -> pd.DataFrame:
    return values.to_frame(name).T if isinstance(values, pd.Series) else values
