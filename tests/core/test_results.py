"""Summaries, LaTeX and HTML of a result: the numbers, and hostile names made harmless."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from alphastrata.core import Note, Result, Statistic
from alphastrata.core.latex import escape_latex
from alphastrata.core.results import format_number


@dataclass(frozen=True)
class Means(Result):
    params: pd.Series
    std_errors: pd.Series
    title: str = "Means"
    notes: tuple[Note, ...] = field(default=(Note("short", 2, 9, "x", "skipped"),))

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"mean": self.params, "std. error": self.std_errors})

    def conventions(self) -> list[str]:
        return ["Newey-West, 6 lags"]

    def statistics(self) -> list[Statistic]:
        return [Statistic("F", 1.5, 0.25, "all zero", "F(1, 2)")]


NAMES = ["<script>", "=HYPERLINK(1)", "$x$", "R&D_100%"]


def result() -> Means:
    return Means(
        pd.Series([0.1, 2.0, 3.0, 4e-7], NAMES), pd.Series([1.0, 2, 3, float("nan")], NAMES)
    )


def test_summary_holds_every_number_and_convention():
    text = result().summary()
    assert repr(text) == str(text)
    for part in ("Means", "0.1000", "4.00e-07", "–", "F = 1.5000", "Newey-West", "short: 2 of 9"):
        assert part in text


def test_hostile_names_are_harmless():
    html = result()._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    tex = result().to_latex()
    for part in (r"\$x\$", r"R\&D\_100\%", r"\toprule", r"\bottomrule"):
        assert part in tex
    assert escape_latex("a^b~c\\") == r"a\textasciicircum{}b\textasciitilde{}c\textbackslash{}"


def test_numbers_read_well():
    assert format_number(1234567) == "1,234,567"
    assert format_number(1234.5678, 2) == "1,234.57"
    assert format_number(0.0) == "0.0000"
    assert format_number(True) == "True"
    assert format_number("x") == "x"


def test_latex_fits_the_page_and_takes_any_label():
    names = ["[x]", "*y"]
    long = Note("assets whose history is too short " * 6, 2, 9, "x", "skipped")
    told = Means(pd.Series([-0.1, 2.0], names), pd.Series([1.0, 2.0], names), notes=(long,))
    lines = told.to_latex().splitlines()
    # A row that opens with a bracket or a star would belong to the break before it.
    assert lines[4].startswith("{}[x] & $-$0.1000 & ")
    assert lines[5].startswith("{}*y")
    notes = [line for line in lines if line.startswith(r"\multicolumn{3}{l}{\footnotesize ")]
    assert len(notes) > 3
    assert max(map(len, notes)) < 150  # LaTeX never breaks a cell over all columns
