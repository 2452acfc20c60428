"""What every test result offers: numbers in a table that reads as a published one does."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.latex import escape_latex


@dataclass(frozen=True)
class Statistic:
    """A test statistic with its null hypothesis and distribution.

    Examples
    --------
    >>> print(Statistic("GRS F", 2.7395874, 1.48983e-5, "all alphas are zero", "F(25, 576)"))
    GRS F = 2.7396, p < 0.0001 [F(25, 576)]; null: all alphas are zero
    """

    name: str
    value: float
    pvalue: float
    null: str
    distribution: str

    def __str__(self) -> str:
        """Return the statistic as one line."""
        p = "p < 0.0001" if self.pvalue < 0.0001 else f"p = {self.pvalue:.4f}"
        return f"{self.name} = {self.value:.4f}, {p} [{self.distribution}]; null: {self.null}"


_SIGN = re.compile(r"^(\(?)-(?=\d)")
STARS = "*, **, *** : p < 0.10, 0.05, 0.01 (two-sided)"


def stars(pvalue: float) -> str:
    """Return the stars of a p-value: three below 1%, two below 5%, one below 10%.

    Examples
    --------
    >>> stars(0.03), stars(0.5)
    ('**', '')
    """
    return "*" * int(sum(pvalue < level for level in (0.10, 0.05, 0.01)))


class Summary(str):
    """Text that shows itself as it is in a notebook or at a prompt."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def format_number(value: object, digits: int = 4) -> str:
    """Return a number for people: fixed digits, whole counts plain, missing as a dash."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if pd.isna(value):
        return "–"
    if value and abs(value) < 0.5 * 10.0**-digits:
        return f"{value:.{max(digits - 2, 1)}e}"
    return f"{value:,.{digits}f}"


class Result(ABC):
    """Base of frozen results: numbers only, never the model.

    A subclass is a frozen dataclass that has, as fields or properties, ``params``,
    ``std_errors``, ``tstats`` and ``pvalues`` (Series or DataFrame, alike in shape), ``title``
    and ``notes``, and says its conventions in `conventions`.
    """

    title: str
    notes: tuple[Note, ...]

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """Return the numbers of the result, one row per estimate."""

    @abstractmethod
    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same: lags, kernel, sample, policy."""

    def statistics(self) -> Sequence[Statistic]:
        """Return the joint tests of the result; none by default."""
        return ()

    def _formatted(self) -> pd.DataFrame:
        numbers = self.table()
        text = pd.DataFrame(
            {column: [format_number(v) for v in numbers[column]] for column in numbers},
            index=numbers.index,
        )
        if _starred(numbers):
            text["estimate"] = [
                cell + stars(p) for cell, p in zip(text["estimate"], numbers["p"], strict=True)
            ]
        return text

    def _footer(self) -> list[str]:
        lines = [*(str(s) for s in self.statistics()), *self.conventions()]
        if STARS not in lines and _starred(self.table()):
            lines.append(STARS)
        return [*lines, *(str(note) for note in self.notes)]

    def summary(self) -> Summary:
        """Return the table, its statistics and its conventions as text."""
        body = self._formatted().to_string(justify="right")
        width = max(len(line) for line in [self.title, *body.splitlines()])
        rule = "=" * width
        return Summary("\n".join([self.title, rule, body, "-" * width, *self._footer()]))

    def to_latex(self) -> str:
        """Return the table for LaTeX (booktabs), hostile characters escaped."""
        styled = self._formatted()
        columns = "l" + "r" * styled.shape[1]
        head = " & ".join(
            [escape_latex(styled.index.name or ""), *(escape_latex(c) for c in styled.columns)]
        )
        rows = [
            " & ".join([_opening(_label(name)), *(_cell(cell) for cell in row)]) + r" \\"
            for name, row in zip(styled.index, styled.to_numpy())
        ]
        # Broken where a page ends, since a cell over all columns is never broken by LaTeX.
        lines = [part for note in self._footer() for part in wrap(note, 100)]
        span = styled.shape[1] + 1
        notes = [
            rf"\multicolumn{{{span}}}{{l}}{{\footnotesize {escape_latex(line)}}} \\"
            for line in lines
        ]
        return "\n".join(
            [
                rf"\begin{{tabular}}{{{columns}}}",
                r"\toprule",
                head + r" \\",
                r"\midrule",
                *rows,
                r"\midrule",
                *notes,
                r"\bottomrule",
                r"\end{tabular}",
            ]
        )

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        notes = "".join(f"<br>{escape(line)}" for line in self._footer())
        table = self._formatted().to_html(escape=True, justify="right")
        return f"<p><b>{escape(self.title)}</b></p>{table}<p><small>{notes[4:]}</small></p>"


def _starred(numbers: pd.DataFrame) -> bool:
    """Return whether a table has estimates with p-values of their own."""
    return {"estimate", "p"} <= set(map(str, numbers.columns))


def _opening(label: str) -> str:
    """Return a row's first cell; the break before it would take a bracket for its argument."""
    return ("{}" if label.startswith(("[", "*")) else "") + escape_latex(label)


def _cell(text: str) -> str:
    """Return a cell, a number's sign as a minus and not as a hyphen."""
    return escape_latex(_SIGN.sub("\\1\u2212", text))


def _label(name: object) -> str:
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
