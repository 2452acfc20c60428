"""The smallest parts of a report: numbers, tables and tables of coefficients, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown

__all__ = ["AlphaPlot", "Coefficients", "HeadlineFigure", "HowComputed", "Plot", "Table"]

Format = Literal["number", "percent", "integer", "pvalue", "text", "date"]
Tone = Literal["neutral", "good", "caution", "bad"]


def need_columns(what: str, frame: pd.DataFrame | None, columns: Sequence[str]) -> None:
    """Raise when a frame that is given lacks one of the columns it is drawn from."""
    if frame is None:
        return
    lacking = [column for column in columns if column not in frame.columns]
    problems = Violations(what)
    problems.require(
        not lacking,
        f"the frame needs the columns {', '.join(columns)}",
        count=len(lacking),
        first=lacking[0] if lacking else "",
        remedy=f"got {', '.join(map(str, frame.columns)) or 'no columns'}",
    )
    problems.raise_if_any()


def need_same_shape(what: str, frame: pd.DataFrame, other: pd.DataFrame | None) -> None:
    """Raise when a companion frame is not labelled as the frame it belongs to."""
    if other is None:
        return
    problems = Violations(what)
    problems.require(
        frame.index.equals(other.index) and frame.columns.equals(other.columns),
        "companion frames carry the same rows and columns, in the same order",
        remedy="reindex the companion to the coefficients",
    )
    problems.raise_if_any()


@dataclass(frozen=True, kw_only=True)
class HowComputed:
    """How one number came to be.

    Parameters
    ----------
    formula : str
        The formula in one line of plain text; Unicode is welcome ("t = α̂ / se(α̂)").
    conventions : sequence of str
        What the formula leaves open: lags, kernel, degrees of freedom, dropped rows.
    manifest : str
        Key of the row of ``ReportData.manifest`` that says what went in; the page links to it.
    source : str
        Paper and equation.

    Examples
    --------
    >>> HowComputed(formula="SR = mean(r) / sd(r) · √12", conventions=("ddof = 1",)).manifest
    ''
    """

    formula: str
    conventions: Sequence[str] = ()
    manifest: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class HeadlineFigure:
    """One of the (about five) numbers on the first screen.

    Parameters
    ----------
    label : str
        What it is, in three or four words ("Alpha of the cluster factor").
    value : float or str
        A number, or text shown as it is ("4 of 6").
    format : {"number", "percent", "integer", "pvalue", "text", "date"}
        How a number is shown; "percent" multiplies by 100.
    detail : str
        One short line under it ("per month, t = 3.12").
    tone : {"neutral", "good", "caution", "bad"}
        Whether it speaks for or against the study; always told in words too, by ``detail``.
    how : HowComputed, optional

    Examples
    --------
    >>> HeadlineFigure(label="Alpha", value=0.0041, format="percent", detail="per month").value
    0.0041
    """

    label: str
    value: float | str
    format: Format = "number"
    detail: str = ""
    tone: Tone = "neutral"
    how: HowComputed | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A frame with what is needed to print it.

    Parameters
    ----------
    title : str
        Caption.
    frame : DataFrame
        Any frame. The index is printed as leading columns unless it is a plain, unnamed range.
    formats : mapping of column to format
        Columns that are not named are shown by their type: floats with digits chosen once per
        column, whole numbers with thousands apart, dates as ISO dates, missing as a dash.
    notes : sequence of str
        Lines under the table.
    how : mapping of column (or row) to HowComputed
    how_by : {"column", "row"}
        Whether ``how`` is by column, or by the text that a row starts with.
    about : HowComputed, optional
        For the columns that ``how`` does not name; otherwise they say what their section says.
    """

    title: str
    frame: pd.DataFrame
    formats: Mapping[str, Format] = field(default_factory=dict)
    notes: Sequence[str] = ()
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    how_by: Literal["column", "row"] = "column"
    about: HowComputed | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A frame drawn as a chart, for what the other records do not know.

    Parameters
    ----------
    title : str
    frame : DataFrame of numbers
        "lines": index of dates or numbers, one line per column. "bars": index of names, one bar
        per name and column. "heat": rows by columns, coloured around zero, with its numbers.
    kind : {"lines", "bars", "heat"}
    caption : str
        How to read it, one or two sentences.
    percent : bool
        Show values times 100.

    Examples
    --------
    >>> Plot(title="Accounts", frame=pd.DataFrame({"n": [3, 4]}), kind="bars").percent
    False
    """

    title: str
    frame: pd.DataFrame
    kind: Literal["lines", "bars", "heat"] = "lines"
    caption: str = ""
    percent: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Coefficients(Shown):
    """A published table: coefficients with t-statistics in parentheses under them.

    Parameters
    ----------
    params : DataFrame
        Rows: what was tested (portfolios, factors, specifications). Columns: regressors ("alpha",
        "Mkt-RF", ...). A missing value leaves the cell empty.
    tstats : DataFrame, optional
        Same labels; printed in parentheses.
    pvalues : DataFrame, optional
        Same labels; coefficients with p < 0.05 are set in bold.
    extra : DataFrame, optional
        Same rows; further columns without parentheses (R², observations).
    percent : sequence of str
        Columns of ``params`` printed times 100, with "%" in the heading (usually "alpha").
    transpose : bool
        Print regressors as rows and specifications as columns, as Fama-MacBeth tables do.
    """

    params: pd.DataFrame
    tstats: pd.DataFrame | None = None
    pvalues: pd.DataFrame | None = None
    extra: pd.DataFrame | None = None
    percent: Sequence[str] = ()
    transpose: bool = False

    def __post_init__(self) -> None:
        need_same_shape("Coefficients.tstats", self.params, self.tstats)
        need_same_shape("Coefficients.pvalues", self.params, self.pvalues)
        problems = Violations("Coefficients.extra")
        problems.require(
            self.extra is None or self.extra.index.equals(self.params.index),
            "extra carries the rows of the coefficients, in the same order",
            remedy="reindex it to the coefficients",
        )
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, eq=False)
class AlphaPlot:
    """Alphas with intervals and their t-statistics beside thresholds.

    Parameters
    ----------
    estimates : DataFrame
        Index: name. Columns ``alpha``, ``low``, ``high`` (decimals per period; the interval) and
        ``tstat``.
    thresholds : mapping of str to float
        Critical values of |t|, with their names: {"5%, one test": 1.96, "5%, Bonferroni": 2.64}.
    level : float
        Confidence level of the interval.
    """

    estimates: pd.DataFrame
    thresholds: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.95

    def __post_init__(self) -> None:
        need_columns("AlphaPlot.estimates", self.estimates, ["alpha", "low", "high", "tstat"])
