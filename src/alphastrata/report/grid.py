"""Tables laid out once, as a grid of cells, for every way of writing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from alphastrata.report.formats import decimals_for, formatter, is_numeric, show
from alphastrata.report.records import Coefficients, Format, HowComputed, Table

__all__ = ["Cell", "Grid", "Heading", "lay_out"]

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Heading:
    """The head of one column: its text, and whether numbers stand under it.

    ``how`` names the entry that says how they came to be, and is empty where there is none.
    """

    text: str
    numeric: bool
    label: bool = False
    how: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what stands under it in parentheses, and the full value.

    ``how`` is as for a heading, and goes before it: in a turned table a row has the entry.
    """

    text: str
    value: object = None
    under: str = ""
    under_value: object = None
    strong: bool = False
    how: str = ""


@dataclass(frozen=True)
class Grid:
    """A table ready to be written: headings, rows of cells, and lines under it."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    how: Mapping[str, HowComputed]
    stacked: bool = False


_CORNER = Heading("", numeric=False, label=True)


def lay_out(
    table: pd.DataFrame | Table | Coefficients,
    *,
    title: str = "",
    how: Mapping[str, HowComputed] | None = None,
) -> Grid:
    """Return a table as a grid of cells.

    Parameters
    ----------
    table : DataFrame, Table or Coefficients
    title : str
        Caption, where the table has none of its own.
    how : mapping of column to HowComputed, optional
        Besides those that the table itself brings.

    Examples
    --------
    >>> lay_out(pd.DataFrame({"a": [1.5]})).rows[0][0].text
    '1.50'
    """
    if isinstance(table, Coefficients):
        return _lay_out_coefficients(table, title, how or {})
    if isinstance(table, pd.DataFrame):
        table = Table(title=title, frame=table)
    known = {**(how or {}), **table.how}
    frame, labels = _with_index(table.frame)
    by_row = table.how_by == "row"
    formats: list[Format | None] = [table.formats.get(str(name)) for name in frame.columns]
    headings = tuple(
        Heading(
            str(name),
            numeric=is_numeric(frame.iloc[:, i]),
            label=i < labels,
            how=str(name) if str(name) in known and not by_row else "",
        )
        for i, name in enumerate(frame.columns)
    )
    columns = []
    for i, style in enumerate(formats):
        column = frame.iloc[:, i]
        write = formatter(column, style)
        columns.append([Cell(write(value), value) for value in column])
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    if by_row:
        rows = tuple(_named(row, known) for row in rows)
    used = {name: known[name] for name in _names(headings, rows)}
    return Grid(table.title or title, headings, rows, tuple(table.notes), used)


def _with_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the frame with its index as leading columns, and how many those are."""
    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame, 0
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    leading = [
        pd.Series(level.to_numpy(), name="" if level.name is None else str(level.name))
        for level in levels
    ]
    body = frame.reset_index(drop=True)
    return pd.concat([*leading, body], axis=1), index.nlevels


def _named(row: tuple[Cell, ...], known: Mapping[str, HowComputed]) -> tuple[Cell, ...]:
    """Return a row whose cells lead to the entry of the text that it starts with."""
    name = row[0].text
    return tuple(replace(cell, how=name) for cell in row) if name in known else row


def _names(headings: tuple[Heading, ...], rows: tuple[tuple[Cell, ...], ...]) -> list[str]:
    """Return the names of the entries that a table leads to, in the order of reading."""
    found = [*(h.how for h in headings), *(cell.how for row in rows for cell in row)]
    return list(dict.fromkeys(name for name in found if name))


def _lay_out_coefficients(table: Coefficients, title: str, how: Mapping[str, HowComputed]) -> Grid:
    plain = table.params.drop(columns=[c for c in table.params if c in table.percent])
    # One number of decimals for all betas, so that a reader compares along a row too.
    decimals = decimals_for(pd.Series(plain.to_numpy(dtype=float).ravel()))
    body = [_coefficient_column(table, name, decimals) for name in table.params.columns]
    extra, extra_names = _extra_columns(table)
    names = [str(name) for name in table.params.columns]
    shown = [f"{name}, %" if name in table.percent else name for name in names] + extra_names
    rows = [_row_label(label) for label in table.params.index]
    stacked = table.tstats is not None
    known = {name: how[name] for name in names + extra_names if name in how}
    if table.transpose:
        headings = (_CORNER, *(Heading(label, numeric=True) for label in rows))
        lines = tuple(
            (
                Cell(text, text),
                *(replace(cell, how=name if name in known else "") for cell in cells),
            )
            for name, text, cells in zip(names + extra_names, shown, body + extra, strict=True)
        )
        return Grid(title, headings, lines, (), known, stacked=stacked)
    heads = zip(names + extra_names, shown, strict=True)
    headings = (
        _CORNER,
        *(Heading(text, numeric=True, how=name if name in how else "") for name, text in heads),
    )
    lines = tuple(
        (Cell(label, label), *cells)
        for label, cells in zip(rows, zip(*body, *extra, strict=True), strict=True)
    )
    return Grid(title, headings, lines, (), known, stacked=stacked)


def _row_label(label: object) -> str:
    return " · ".join(map(show, label)) if isinstance(label, tuple) else show(label)


def _coefficient_column(table: Coefficients, name: object, decimals: int) -> list[Cell]:
    percent = name in table.percent
    column = table.params[name].astype(float)
    if percent:
        decimals = decimals_for(100.0 * column)
    cells = []
    for row, value in enumerate(column):
        if pd.isna(value):
            cells.append(Cell("", None))
            continue
        tstat = None if table.tstats is None else table.tstats[name].iloc[row]
        pvalue = None if table.pvalues is None else table.pvalues[name].iloc[row]
        under = "" if tstat is None or pd.isna(tstat) else f"({show(float(tstat), 'number')})"
        strong = pvalue is not None and not pd.isna(pvalue) and float(pvalue) < SIGNIFICANT
        shown = show(100.0 * value if percent else value, "number", decimals=decimals)
        cells.append(Cell(shown, float(value), under, tstat, strong))
    return cells


def _extra_columns(table: Coefficients) -> tuple[list[list[Cell]], list[str]]:
    if table.extra is None:
        return [], []
    columns = []
    for i in range(table.extra.shape[1]):
        column = table.extra.iloc[:, i]
        write = formatter(column)
        columns.append([Cell(write(value), value) for value in column])
    return columns, [str(name) for name in table.extra.columns]
