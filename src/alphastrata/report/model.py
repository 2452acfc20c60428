"""What a report is made of: frozen records of plain frames.

A study fills these records and :func:`alphastrata.report.html` draws them. The report computes
nothing: every number that it shows stands in one of these frames. Every part of a
:class:`ReportData` but the title is optional; an absent part leaves no trace on the page.

Units are those of the whole project: returns, alphas and premia in decimals per period of the
data, dates as (time-zone naive) timestamps, clusters as integers 1..K. Cluster 0 means "not
classified" and appears in flows alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.results import Statistic
from alphastrata.report.parts import ClusterSection, Part
from alphastrata.report.records import (
    AlphaPlot,
    Coefficients,
    HeadlineFigure,
    HowComputed,
    Table,
    need_columns,
)

__all__ = [
    "DataSection",
    "ExtraSection",
    "FactorSection",
    "ReportData",
    "SpecificationSection",
    "TestSection",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSection:
    """What the data were.

    Parameters
    ----------
    counts : DataFrame, optional
        Columns ``item`` (str: "assets", "months", "rows"), ``value`` (number, date or str) and,
        if wanted, ``detail`` (str). One row per count, in the order of reading.
    coverage : DataFrame, optional
        Index: date. One column per series of counts ("in the panel", "classified"): assets alive
        at each date, drawn as lines.
    notes : sequence of Note
        Everything that was dropped, imputed or changed on the way.
    vintages : Table or DataFrame, optional
        One row per input file or source; columns as wanted, usually ``source``, ``vintage``,
        ``first``, ``last``, ``rows``, ``sha256``.
    tables : sequence of Table
    how : mapping of item to HowComputed
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.
    """

    counts: pd.DataFrame | None = None
    coverage: pd.DataFrame | None = None
    notes: Sequence[Note] = ()
    vintages: Table | pd.DataFrame | None = None
    tables: Sequence[Table] = ()
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    about: HowComputed | None = None

    def __post_init__(self) -> None:
        need_columns("DataSection.counts", self.counts, ["item", "value"])


@dataclass(frozen=True, kw_only=True, eq=False)
class FactorSection:
    """The return series.

    Parameters
    ----------
    cumulative : DataFrame, optional
        Index: date. Columns: factors. Values: growth of one unit (1.0 before the first return).
    drawdowns : DataFrame, optional
        Same labels. Values: fall from the highest level so far, decimals, <= 0.
    drawdown_dates : DataFrame, optional
        One row per drawdown: ``factor``, ``peak``, ``trough``, ``recovery`` (dates; recovery
        missing while it lasts), ``depth`` (decimals, < 0) and, if wanted, ``periods``.
    summary : Table or DataFrame, optional
        Index: factor. Columns: statistics (mean, volatility, Sharpe ratio, t, skewness, turnover).
    correlations : DataFrame, optional
        Square, factors by factors.
    tables : sequence of Table
    notes : sequence of str
        What the series are: kind, weighting, costs.
    how : mapping of column to HowComputed
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.
    """

    cumulative: pd.DataFrame | None = None
    drawdowns: pd.DataFrame | None = None
    drawdown_dates: pd.DataFrame | None = None
    summary: Table | pd.DataFrame | None = None
    correlations: pd.DataFrame | None = None
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    about: HowComputed | None = None

    def __post_init__(self) -> None:
        spell = ["factor", "peak", "trough", "recovery", "depth"]
        need_columns("FactorSection.drawdown_dates", self.drawdown_dates, spell)


@dataclass(frozen=True, kw_only=True, eq=False)
class TestSection:
    """One test, or one family of tests, of the return series.

    Parameters
    ----------
    title : str
    coefficients : Coefficients, optional
    tables : sequence of Table
        Further tables, for what is no table of coefficients.
    alphas : AlphaPlot, optional
    by_date : DataFrame, optional
        Index: date. Columns: regressors. Coefficients of each period's cross-section
        (Fama-MacBeth), drawn through time.
    statistics : sequence of Statistic
        Joint tests (GRS and its relatives), each with value, p-value, null and distribution.
    conventions : sequence of str
        Lines under the table: lags, kernel, small-sample factor, dropped rows.
    how : mapping of column or statistic to HowComputed
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.
    """

    __test__ = False  # not a test class, whatever its name says to pytest

    title: str
    coefficients: Coefficients | None = None
    tables: Sequence[Table] = ()
    alphas: AlphaPlot | None = None
    by_date: pd.DataFrame | None = None
    statistics: Sequence[Statistic] = ()
    conventions: Sequence[str] = ()
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    about: HowComputed | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SpecificationSection:
    """One estimate under every defensible choice: the specification curve.

    Parameters
    ----------
    estimates : DataFrame
        One row per specification: ``estimate``, ``low``, ``high`` (floats).
    choices : DataFrame
        Same rows. One column per decision ("weighting"), the option taken as text ("value").
    label : str
        What is estimated ("alpha per month").
    percent : bool
        Show estimates times 100.
    preferred : object
        Row label of the study's own specification, marked in the figure.
    notes : sequence of str
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.

    References
    ----------
    Simonsohn, U., Simmons, J. P. and Nelson, L. D. (2020), Specification curve analysis,
    Nature Human Behaviour 4, 1208-1214.
    """

    estimates: pd.DataFrame
    choices: pd.DataFrame
    label: str = "estimate"
    percent: bool = False
    preferred: object = None
    notes: Sequence[str] = ()
    about: HowComputed | None = None

    def __post_init__(self) -> None:
        what = "SpecificationSection.estimates"
        need_columns(what, self.estimates, ["estimate", "low", "high"])
        problems = Violations("SpecificationSection.choices")
        problems.require(
            self.estimates.index.equals(self.choices.index),
            "choices carry one row per estimate, in the same order",
            remedy="reindex them to the estimates",
        )
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, eq=False)
class ExtraSection:
    """A section of text, tables and charts, for what the other sections do not hold.

    Parameters
    ----------
    title : str
    text : sequence of str
        Paragraphs of plain text.
    tables : sequence of Table
    parts : sequence of str, Table, Plot, Chart, Figure, Fold or ClusterSection
        Paragraphs, tables, charts, parts that open, and clusterings in the order of reading, after
        the text and the tables.
    open : bool
        Whether the section is open at first.
    how : mapping of column to HowComputed
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.
    """

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table] = ()
    parts: Sequence[Part | ClusterSection] = ()
    open: bool = True
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    about: HowComputed | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportData:
    """Everything that one report shows, in the order of reading.

    Parameters
    ----------
    title : str
    question : str
        The question of the study, one sentence.
    answer : sequence of str
        The answer in about three sentences, with the numbers in them. A ``Line`` says how they
        were computed; so in ``warnings``.
    figures : sequence of HeadlineFigure
        The five numbers that matter.
    warnings : sequence of str
        What a reader has to know before believing the numbers.
    data : DataSection, optional
    clusters : sequence of ClusterSection
    factors : FactorSection, optional
    tests : sequence of TestSection
    fama_macbeth : sequence of TestSection
    truth : Table or DataFrame, optional
        Simulated markets only. Columns ``parameter`` (str), ``truth``, ``estimate``, ``low``,
        ``high`` (floats) and ``covered`` (bool), optionally ``group`` (str).
    specifications : SpecificationSection, optional
    extras : sequence of ExtraSection
    manifest : DataFrame, optional
        Columns ``key`` (str, unique: what ``HowComputed.manifest`` names) and ``value``, and
        further ones as wanted (``detail``, ``sha256``). A column ``needs`` holds the keys, as a
        tuple, of the rows that this one was made from.
    unit : str
        What is grouped, in the singular ("asset", "customer"); captions speak of it.

    Examples
    --------
    >>> ReportData(title="Leverage", question="Does leverage earn an alpha?").clusters
    ()
    """

    title: str
    question: str = ""
    answer: Sequence[str] = ()
    figures: Sequence[HeadlineFigure] = ()
    warnings: Sequence[str] = ()
    data: DataSection | None = None
    clusters: Sequence[ClusterSection] = ()
    factors: FactorSection | None = None
    tests: Sequence[TestSection] = ()
    fama_macbeth: Sequence[TestSection] = ()
    truth: Table | pd.DataFrame | None = None
    specifications: SpecificationSection | None = None
    extras: Sequence[ExtraSection] = ()
    manifest: pd.DataFrame | None = None
    unit: str = "asset"

    def __post_init__(self) -> None:
        needed = ["parameter", "truth", "estimate", "low", "high", "covered"]
        truth = self.truth.frame if isinstance(self.truth, Table) else self.truth
        need_columns("ReportData.truth", truth, needed)
        need_columns("ReportData.manifest", self.manifest, ["key", "value"])
