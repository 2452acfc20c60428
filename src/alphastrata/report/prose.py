"""Sentences whose numbers lead to how they were computed."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from alphastrata.report.records import HowComputed

__all__ = ["Line", "linked"]

# A number that stands by itself. Parts of names (FF3, R&D_100%), of dates and of hashes are none,
# and neither is the year of a reference.
_NUMBER = re.compile(
    r"(?<![\w.,/:\u2013\u2212&#$=@%^~-])"
    r"[+\u2212-]?(?!(?:1[6-9]|20)\d\d(?!\d|[.,]\d))\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?%?"
    r"(?![\w/:&#$=@^~-]|\.\d|,\d)"
)
_RELATION = re.compile(r" ([<=>\u2264\u2265]) $")


class Line(str):
    """A sentence that knows how its numbers came to be.

    Parameters
    ----------
    text : str
    how : HowComputed, optional
        None: the numbers lead to what the part of the page says of itself.

    Examples
    --------
    >>> line = Line("An alpha of 0.41%.", how=HowComputed(formula="r = α + β′f + e"))
    >>> line, line.how.formula
    ('An alpha of 0.41%.', 'r = α + β′f + e')
    """

    __slots__ = ("how",)
    how: HowComputed | None

    def __new__(cls, text: str, how: HowComputed | None = None) -> Line:
        """Return the sentence; the text alone decides whether two are equal."""
        line = super().__new__(cls, text)
        line.how = how
        return line


def linked(text: str, anchor: str) -> Markup:
    """Return a text as HTML, each number in it a link to an anchor; everything is escaped.

    Parameters
    ----------
    text : str
    anchor : str
        The ``id`` of an entry of a "How computed" list; without one, nothing is linked.

    Examples
    --------
    >>> print(linked("6 lags & FF3 (1993)", "h"))
    <a class="num" href="#h">6</a> lags &amp; FF3 (1993)
    """
    if not anchor:
        return escape(text)
    out, end = Markup(""), 0
    for found in _NUMBER.finditer(text):
        # A number stays on the line of what it is equal to, or less than.
        before = _RELATION.sub("\u00a0\\1\u00a0", text[end : found.start()])
        out += escape(before) + number_link(anchor, escape(found.group()))
        end = found.end()
    return out + escape(text[end:])


def number_link(anchor: str, content: Markup) -> Markup:
    """Return a number as a link to how it was computed; without an anchor, as it is.

    Examples
    --------
    >>> print(number_link("table-1-how-t", Markup("2.1")))
    <a class="num" href="#table-1-how-t">2.1</a>
    """
    if not anchor:
        return content
    return Markup('<a class="num" href="#{}">{}</a>').format(anchor, content)
