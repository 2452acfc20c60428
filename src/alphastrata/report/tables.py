"""Tables as CSV, LaTeX, Markdown and HTML, harmless whatever the names in them say.

A name such as ``=HYPERLINK("http://...")``, ``<script>``, ``$x$`` or ``R&D_100%`` is data. It
comes out of every writer as the text it is, and never as a formula, a tag or a command.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from alphastrata.core.latex import escape_latex
from alphastrata.report.formats import is_missing, slug
from alphastrata.report.grid import Cell, Grid, Heading, lay_out
from alphastrata.report.prose import number_link
from alphastrata.report.records import Coefficients, Table

__all__ = [
    "escape_latex",
    "escape_markdown",
    "neutralise",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
]

AnyTable = pd.DataFrame | Table | Coefficients

# A spreadsheet takes a cell that opens with one of these for a formula (also in full width).
_FORMULA = re.compile(r"^[\s\x00-\x1f\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]")
# A sheet of A4 within its margins, and a letter and a gap of its narrowest table, in CSS pixels.
PAPER, PAPER_LETTER, PAPER_GAP = 688, 5.0, 6
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PLAIN_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def neutralise(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    Parameters
    ----------
    value : object
        Text that opens with ``=``, ``+``, ``-``, ``@``, a tab or a line end gets an apostrophe in
        front, unless it is nothing but a number. Everything else passes.

    Notes
    -----
    OWASP, "CSV injection".

    Examples
    --------
    >>> neutralise("=1+1"), neutralise("-0.5"), neutralise(-0.5)
    ("'=1+1", '-0.5', -0.5)
    """
    if not isinstance(value, str):
        return value
    opens = value[:1] in ("\t", "\r", "\n") or _FORMULA.match(value) is not None
    text = _CONTROL.sub("", value)
    return "'" + text if opens and not _PLAIN_NUMBER.match(text) else text


def _raw(value: object) -> object:
    """Return a value as a CSV holds it: numbers in full, dates as ISO, missing as nothing."""
    if is_missing(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d") if value == value.normalize() else value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)


def to_csv(table: AnyTable) -> str:
    r"""Return a table as CSV in full precision, with formula injection neutralised.

    Parameters
    ----------
    table : DataFrame, Table or Coefficients
        A table of coefficients has a column ``t(name)`` beside each column ``name``, in decimals
        whatever the printed table shows.

    Returns
    -------
    str
        UTF-8 text, comma separated, lines that end with a line feed, text in double quotes.

    Examples
    --------
    >>> to_csv(pd.DataFrame({"asset": ["=1+1"], "ret": [-0.25]}))
    '"asset","ret"\n"\'=1+1",-0.25\n'
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    for line in _csv_lines(table):
        writer.writerow([neutralise(_raw(value)) for value in line])
    return buffer.getvalue()


def _csv_lines(table: AnyTable) -> Iterator[list[object]]:
    if isinstance(table, Coefficients):
        columns: dict[str, pd.Series] = {}
        for name in table.params.columns:
            columns[str(name)] = table.params[name]
            if table.tstats is not None:
                columns[f"t({name})"] = table.tstats[name]
            if table.pvalues is not None:
                columns[f"p({name})"] = table.pvalues[name]
        frame = pd.DataFrame(columns)
        table = frame if table.extra is None else pd.concat([frame, table.extra], axis=1)
    grid = lay_out(table)
    yield [heading.text for heading in grid.headings]
    for row in grid.rows:
        yield [cell.value for cell in row]


def to_latex(table: AnyTable, *, caption: str = "", label: str = "") -> str:
    r"""Return a table as LaTeX (package booktabs), t-statistics in parentheses under coefficients.

    Parameters
    ----------
    table : DataFrame, Table or Coefficients
    caption, label : str
        With either, the tabular stands in a ``table`` environment.

    Examples
    --------
    >>> print(to_latex(pd.DataFrame({"R&D": [0.5]})))
    \begin{tabular}{r}
    \toprule
    R\&D \\
    \midrule
    0.500 \\
    \bottomrule
    \end{tabular}
    <BLANKLINE>
    """
    grid = lay_out(table)
    lines = [rf"\begin{{tabular}}{{{''.join('r' if h.numeric else 'l' for h in grid.headings)}}}"]
    lines += [r"\toprule", _latex_row([h.text for h in grid.headings]), r"\midrule"]
    for row in grid.rows:
        lines.append(_latex_row([cell.text for cell in row], [cell.strong for cell in row]))
        if any(cell.under for cell in row):
            lines.append(_latex_row([cell.under for cell in row]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    caption = caption or grid.title
    if caption or label:
        head = [r"\begin{table}", r"\centering"]
        head += [rf"\caption{{{escape_latex(caption)}}}"] if caption else []
        head += [rf"\label{{{re.sub(r'[^A-Za-z0-9:.-]', '-', label)}}}"] if label else []
        lines = [*head, *lines, r"\end{table}"]
    return "\n".join(lines) + "\n"


def _latex_row(texts: list[str], strong: list[bool] | None = None) -> str:
    bold = strong or [False] * len(texts)
    cells = [
        rf"\textbf{{{escape_latex(text)}}}" if heavy else escape_latex(text)
        for text, heavy in zip(texts, bold, strict=True)
    ]
    # A row that opens with a bracket would be read as the optional argument of the "\\" before it.
    if cells and cells[0].lstrip().startswith(("[", "*")):
        cells[0] = "{}" + cells[0]
    return " & ".join(cells) + r" \\"


def escape_markdown(text: str) -> str:
    r"""Return text that Markdown shows as it stands, also where it allows HTML and mathematics.

    Examples
    --------
    >>> escape_markdown("a|b <b> $x$")
    'a\\|b &lt;b&gt; \\$x\\$'
    """
    text = _CONTROL.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|$~])", r"\\\1", re.sub(r"\s+", " ", text))


def to_markdown(table: AnyTable) -> str:
    r"""Return a table as a Markdown pipe table, t-statistics in parentheses beside coefficients.

    Parameters
    ----------
    table : DataFrame, Table or Coefficients

    Examples
    --------
    >>> print(to_markdown(pd.DataFrame({"asset": ["A|B"], "ret": [0.5]})))
    | asset | ret |
    |:--|--:|
    | A\|B | 0.500 |
    <BLANKLINE>
    """
    grid = lay_out(table)
    lines = [_markdown_row([escape_markdown(h.text) for h in grid.headings])]
    lines.append("|" + "|".join("--:" if h.numeric else ":--" for h in grid.headings) + "|")
    lines += [_markdown_row([_markdown_cell(cell) for cell in row]) for row in grid.rows]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_cell(cell: Cell) -> str:
    text = escape_markdown(cell.text)
    text = f"**{text}**" if cell.strong else text
    return f"{text} {cell.under}" if cell.under else text


def to_html(table: AnyTable | Grid, *, key: str = "", rest: str = "") -> Markup:
    """Return a table as HTML, every text escaped, ready to be sorted by the report's script.

    Parameters
    ----------
    table : DataFrame, Table, Coefficients or Grid
    key : str
        The ``id`` of the table element: letters, digits and hyphens. Numbers become links to the
        entries of its "How computed" list.
    rest : str
        The ``id`` that numbers without an entry of their own lead to.

    Examples
    --------
    >>> "&lt;script&gt;" in to_html(pd.DataFrame({"asset": ["<script>"]}))
    True
    """
    grid = table if isinstance(table, Grid) else lay_out(table)
    anchors = {name: f"{key}-how-{slug(name)}" for name in grid.how} if key else {}
    head = Markup("").join(_html_heading(heading) for heading in grid.headings)
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                _html_cell(heading, cell, anchors.get(cell.how or heading.how, rest))
                for heading, cell in zip(grid.headings, row, strict=True)
            )
        )
        for row in grid.rows
    )
    kinds = " ".join(["grid", *(["stacked"] if grid.stacked else []), *_on_paper(grid)])
    return Markup(
        '<table id="{}" class="{}"><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>'
    ).format(key, kinds, head, body)


def _on_paper(grid: Grid) -> Iterator[str]:
    """Yield what can stay unbroken on a sheet: "whole" numbers, "words" of headings as well."""
    numbers = [max((len(cell.text) for cell in column), default=0) for column in zip(*grid.rows)]
    words = [max(map(len, re.split(r"\s|(?<=_)", h.text)), default=0) for h in grid.headings]
    both = [max(pair) for pair in zip(numbers, words, strict=False)]
    gaps = PAPER_GAP * len(grid.headings)
    for name, widths in (("whole", numbers), ("words", both)):
        if PAPER_LETTER * sum(widths) + gaps <= PAPER:
            yield name


def _html_heading(heading: Heading) -> Markup:
    kind = "n" if heading.numeric else "t"
    text = escape(heading.text).replace("_", Markup("_<wbr>"))
    if len(heading.text) > 14:
        kind += " w"
    return Markup('<th scope="col" class="{}"><span>{}</span></th>').format(kind, text)


def _html_cell(heading: Heading, cell: Cell, anchor: str) -> Markup:
    content = Markup("<b>{}</b>").format(cell.text) if cell.strong else escape(cell.text)
    if cell.under:
        content = Markup('{}<span class="u">{}</span>').format(content, cell.under)
    short = Markup(' class="s"') if len(cell.text) <= 14 else ""
    if heading.label:
        return Markup('<th scope="row"{}>{}</th>').format(short, content)
    if _is_number(cell.value):
        content = number_link(anchor, content)
    if heading.numeric:
        full = Markup(' data-t="{}"').format(_raw(cell.under_value)) if cell.under else ""
        return Markup('<td class="n" data-v="{}"{}>{}</td>').format(_raw(cell.value), full, content)
    return Markup("<td{}>{}</td>").format(short, content)


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool | np.bool_) and not is_missing(value)
