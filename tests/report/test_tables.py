from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphastrata.report import Coefficients, Table
from alphastrata.report.tables import (
    escape_latex,
    escape_markdown,
    neutralise,
    to_csv,
    to_html,
    to_latex,
    to_markdown,
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def coefficients() -> Coefficients:
    params = pd.DataFrame(
        {"alpha": [0.0062, -0.0004], "Mkt-RF": [0.123456, np.nan]}, index=["LEV", "R&D_100%"]
    )
    tstats = pd.DataFrame({"alpha": [3.62, -0.31], "Mkt-RF": [2.5, np.nan]}, index=params.index)
    pvalues = pd.DataFrame({"alpha": [0.0003, 0.7], "Mkt-RF": [0.01, np.nan]}, index=params.index)
    extra = pd.DataFrame({"R²": [0.25, 0.5], "months": [120, 119]}, index=params.index)
    return Coefficients(
        params=params, tstats=tstats, pvalues=pvalues, extra=extra, percent=["alpha"]
    )


class TestCsv:
    @given(st.text())
    def test_no_text_is_taken_for_a_formula(self, text: str) -> None:
        written = neutralise(text)
        assert isinstance(written, str)
        bare = written.lstrip(" \u200b\ufeff")
        assert not bare.startswith(FORMULA_STARTS) or NUMBER.match(written)

    @given(st.lists(st.text(st.characters(blacklist_categories=["Cc", "Cs"])), min_size=1))
    def test_text_comes_back_but_for_the_apostrophe(self, texts: list[str]) -> None:
        frame = pd.DataFrame({"name": pd.Series(texts, dtype=object)})
        rows = list(csv.reader(io.StringIO(to_csv(frame)), lineterminator="\n"))[1:]
        assert [row[0] for row in rows] == [neutralise(text) for text in texts]
        assert all(row[0] in (text, "'" + text) for row, text in zip(rows, texts, strict=True))

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
    def test_numbers_come_back_to_the_bit(self, values: list[float]) -> None:
        rows = list(csv.reader(io.StringIO(to_csv(pd.DataFrame({"x": values})))))[1:]
        assert [float(row[0]) for row in rows] == values

    def test_negative_numbers_stay_numbers(self) -> None:
        assert neutralise(-0.5) == -0.5
        assert neutralise("-0.5") == "-0.5"
        assert neutralise("-1+1") == "'-1+1"

    def test_headings_and_index_names_are_neutralised_too(self) -> None:
        frame = pd.DataFrame({"=1+1": [1]}, index=pd.Index(["@x"], name="+cmd"))
        assert to_csv(frame) == '"\'+cmd","\'=1+1"\n"\'@x",1\n'

    def test_missing_dates_and_booleans(self) -> None:
        frame = pd.DataFrame(
            {
                "when": [pd.Timestamp("2020-01-31"), pd.NaT],
                "sure": [True, False],
                "n": pd.array([1, None], dtype="Int64"),
            }
        )
        assert to_csv(frame).splitlines()[1:] == ['"2020-01-31","true",1', '"","false",""']

    def test_coefficients_are_in_decimals_beside_their_t(self) -> None:
        rows = list(csv.reader(io.StringIO(to_csv(coefficients()))))
        assert rows[0][1:4] == ["alpha", "t(alpha)", "p(alpha)"]
        assert [float(value) for value in rows[1][1:4]] == [0.0062, 3.62, 0.0003]
        assert rows[2][4:7] == ["", "", ""]


class TestLatex:
    @given(st.text())
    def test_no_special_character_is_left_bare(self, text: str) -> None:
        written = escape_latex(text)
        known = sorted(
            [r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}"]
            + [r"\textgreater{}", r"\textbar{}", r"\textquotedbl{}", r"\textasciigrave{}"]
            + [r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}", r"$-$", r"$\infty$", r"$^2$"]
            + [
                rf"$\{name}$"
                for name in [
                    "cdot",
                    "times",
                    "surd",
                    "alpha",
                    "beta",
                    "chi",
                    "lambda",
                    "mu",
                    "sigma",
                ]
            ],
            key=len,
            reverse=True,
        )
        bare = re.sub("|".join(map(re.escape, known)), "", written)
        assert not re.search(r"[\\&%$#_{}~^]", bare)

    def test_hostile_names_are_typeset(self, hostile: tuple[str, ...]) -> None:
        written = to_latex(pd.DataFrame({"name": list(hostile)}))
        assert r"\$x\$" in written
        assert r"R\&D\_100\%" in written
        assert r"\input" not in written
        assert r"\textbackslash{}input\{/etc/passwd\}" in written

    def test_t_statistics_stand_under_coefficients(self) -> None:
        lines = to_latex(coefficients(), caption="Alphas", label="tab:a b").splitlines()
        row = next(i for i, line in enumerate(lines) if line.startswith("LEV"))
        assert r"\textbf{0.620}" in lines[row]
        assert lines[row + 1] == r" & (3.62) & (2.50) &  &  \\"
        assert any(r"alpha, \%" in line for line in lines[:row])
        assert r"\label{tab:a-b}" in lines

    def test_a_row_that_opens_with_a_bracket_is_no_option(self) -> None:
        assert "\n{}[x] \\\\" in to_latex(pd.DataFrame({"name": ["[x]"]}))


class TestMarkdown:
    @given(st.text())
    def test_no_tag_no_pipe_no_mathematics(self, text: str) -> None:
        written = escape_markdown(text)
        assert "<" not in written
        assert not re.search(r"(?<!\\)(\\\\)*[|$`*_]", re.sub(r"\\\\", "", written))

    def test_every_row_has_the_same_cells(self, hostile: tuple[str, ...]) -> None:
        lines = to_markdown(pd.DataFrame({"name": list(hostile), "x": 1.0})).splitlines()
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}

    def test_coefficients(self) -> None:
        assert "| **0.620** (3.62) |" in to_markdown(coefficients())


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in ("td", "th"):
            self._inside = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


class TestHtml:
    def test_hostile_names_are_shown_and_nothing_else(self, hostile: tuple[str, ...]) -> None:
        parser = _Texts()
        parser.feed(str(to_html(pd.DataFrame({hostile[0]: list(hostile)}), key="t")))
        assert parser.cells == [hostile[0], *hostile]
        assert parser.tags <= {"table", "thead", "tbody", "tr", "th", "td", "span", "wbr"}

    def test_cells_carry_their_full_value(self) -> None:
        written = to_html(pd.DataFrame({"x": [0.123456789]}))
        assert 'data-v="0.123456789"' in written
        assert ">0.123<" in written

    def test_short_names_of_rows_stay_on_one_line(self) -> None:
        rows = pd.DataFrame({"x": [1.0, 2.0]}, index=["2017-12-31", "a name of many words"])
        written = to_html(rows)
        assert '<th scope="row" class="s">2017-12-31</th>' in written
        assert '<th scope="row">a name of many words</th>' in written

    def test_formats(self) -> None:
        frame = pd.DataFrame({"p": [0.0002, 0.04], "r": [-0.0123, np.nan], "n": [12345, 1]})
        table = Table(title="", frame=frame, formats={"p": "pvalue", "r": "percent"})
        written = to_html(table)
        for text in ("&lt;0.001", "0.040", "−1.23%", "–", "12,345"):
            assert f">{text}<" in written

    def test_transposed_coefficients(self) -> None:
        turned = Coefficients(params=coefficients().params, transpose=True)
        parser = _Texts()
        parser.feed(str(to_html(turned)))
        assert parser.cells[:4] == ["", "LEV", "R&D_100%", "alpha"]


def test_companions_have_to_match() -> None:
    params = pd.DataFrame({"alpha": [1.0]}, index=["a"])
    with pytest.raises(ValueError, match="same rows and columns"):
        Coefficients(params=params, tstats=params.rename(index={"a": "b"}))
    with pytest.raises(ValueError, match="rows of the coefficients"):
        Coefficients(params=params, extra=pd.DataFrame({"n": [1]}, index=["b"]))
