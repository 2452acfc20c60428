"""Sentences whose numbers lead somewhere: which parts of a text are numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from alphastrata.report import HowComputed, Line
from alphastrata.report.prose import linked


def marked(text: str) -> str:
    found = linked(text, "h").replace("\u00a0", " ")
    return re.sub(r'<a class="num" href="#h">(.*?)</a>', r"[\1]", found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 of 4 (t = −4.42); p = 0.012.", "[3] of [4] (t = [−4.42]); p = [0.012]."),
        (
            "F(25, 576) = 2.74, then 5% of 46,196.",
            "F([25], [576]) = [2.74], then [5%] of [46,196].",
        ),
        ("FF3, A0042, R_100%, 6M and 3b0c", "FF3, A0042, R_100%, 6M and 3b0c"),
        ("1990 to 2023, on 2013-01-31", "1990 to 2023, on 2013-01-31"),
        ("2,000 assets, 1.5e-05 each", "[2,000] assets, [1.5e-05] each"),
        ("Fama and French (1993)", "Fama and French (1993)"),
    ],
)
def test_what_is_a_number(text: str, expected: str) -> None:
    assert marked(text) == expected


@given(st.text())
def test_a_text_stays_as_it_is_and_nothing_of_it_is_a_tag(text: str) -> None:
    found = linked(text, "h")
    without = re.sub(r'<a class="num" href="#h">|</a>', "", found)
    # Spaces around a relation hold the line together; nothing else is touched.
    assert without.replace("\u00a0", " ") == Markup.escape(text).replace("\u00a0", " ")


def test_a_number_stays_on_the_line_of_its_relation() -> None:
    found = re.sub("<.*?>", "", linked("CLU p < 0.001 and t = 2.1, of 3", "h"))
    assert found == "CLU p\u00a0&lt;\u00a00.001 and t\u00a0=\u00a02.1, of 3"


def test_without_an_anchor_nothing_is_linked() -> None:
    assert linked("<3 lags>", "") == Markup("&lt;3 lags&gt;")


def test_a_line_is_its_text() -> None:
    line = Line("t = 2", HowComputed(formula="a / se"))
    assert line == "t = 2"
    assert {line: 1} == {"t = 2": 1}
    assert Line("t").how is None
