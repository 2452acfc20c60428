"""What a page consists of: sections of blocks, each of which the template knows how to print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from alphastrata.report.charts.chart import Chart
from alphastrata.report.formats import slug
from alphastrata.report.grid import lay_out
from alphastrata.report.records import Coefficients, HowComputed, Table
from alphastrata.report.tables import to_csv, to_html, to_latex

__all__ = ["About", "Block", "HowLine", "Keys", "Section", "file_name", "how_lines", "table_block"]


@dataclass(frozen=True, kw_only=True)
class HowLine:
    """One entry of a "How computed" list: what, anchor, and the record itself."""

    name: str
    anchor: str
    how: HowComputed

    @property
    def manifest_anchor(self) -> str:
        """Anchor of the row of the manifest, empty where there is none."""
        return f"manifest-{slug(self.how.manifest)}" if self.how.manifest else ""


@dataclass(frozen=True)
class About:
    """What a part of the page says of its numbers that have no entry of their own.

    ``own`` is whether the entry stands under one table, rather than at the end of the part.
    """

    how: HowComputed | None = None
    anchor: str = ""
    own: bool = False

    def lines(self) -> list[HowLine]:
        """Return the entry as a list, empty where there is none.

        Examples
        --------
        >>> About().lines()
        []
        """
        if self.how is None:
            return []
        return [HowLine(name="", anchor=self.anchor, how=self.how)]


@dataclass(frozen=True, kw_only=True)
class Block:
    """One thing on the page.

    Parameters
    ----------
    kind : str
        "heading", "text", "list", "table", "chart", "flow", "drawing", "map", "about" (a "How
        computed" list by itself), or "fold" and "end", which open and close a part that opens;
        the template has one macro for each.
    title : str
    key : str
        Unique on the page.
    lines : sequence of str
        Paragraphs, items, or lines under a table.
    markup : Markup
        Ready HTML (tables, the flow).
    how : sequence of HowLine
    rest : str
        Anchor that numbers in ``lines`` lead to.
    chart : Chart, optional
    extra : mapping
        What the kind needs besides.
    """

    kind: str
    title: str = ""
    key: str = ""
    lines: Sequence[str] = ()
    markup: Markup = field(default_factory=Markup)
    how: Sequence[HowLine] = ()
    rest: str = ""
    chart: Chart | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page with an entry in the contents."""

    key: str
    title: str
    blocks: Sequence[Block]
    open: bool = True


class Keys:
    """Hands out keys that are unique on a page."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, stem: str) -> str:
        """Return a key that starts with ``stem``."""
        count = self._counts.get(stem, 0) + 1
        self._counts[stem] = count
        return f"{stem}-{count}"


def how_lines(key: str, how: Mapping[str, HowComputed]) -> list[HowLine]:
    """Return the entries of a "How computed" list under the block with this key.

    Examples
    --------
    >>> how_lines("table-1", {"t": HowComputed(formula="a / se")})[0].anchor
    'table-1-how-t'
    """
    return [
        HowLine(name=name, anchor=f"{key}-how-{slug(name)}", how=entry)
        for name, entry in how.items()
    ]


def file_name(title: str) -> str:
    """Return a title as the stem of a file's name; empty where nothing of it can stay.

    Examples
    --------
    >>> file_name("Growth of one unit, and /drawdowns/")
    'growth-of-one-unit-and-drawdowns'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def table_block(
    table: pd.DataFrame | Table | Coefficients,
    keys: Keys,
    *,
    title: str = "",
    how: Mapping[str, HowComputed] | None = None,
    notes: Sequence[str] = (),
    about: About | None = None,
) -> Block:
    """Return a table as a block, with the texts that the page offers for download.

    Parameters
    ----------
    table : DataFrame, Table or Coefficients
    keys : Keys
    title : str
        Caption, where the table has none of its own.
    how : mapping of column to HowComputed, optional
        Entries that name no column of the table are left out.
    notes : sequence of str
        Lines under the table, after its own.
    about : About, optional
        What the table's section says of numbers that have no entry.

    Examples
    --------
    >>> table_block(pd.DataFrame({"a": [1]}), Keys(), title="Counts").key
    'table-1'
    """
    key = keys.new("table")
    own = table.about if isinstance(table, Table) else None
    about = About(own, f"{key}-how", own=True) if own is not None else (about or About())
    grid = lay_out(table, title=title, how=how)
    files = {"csv": to_csv(table), "tex": to_latex(table, caption=grid.title)}
    name = file_name(grid.title) or key
    return Block(
        kind="table",
        title=grid.title,
        key=key,
        lines=[*grid.notes, *notes],
        markup=to_html(grid, key=key, rest=about.anchor),
        how=[*how_lines(key, grid.how), *(about.lines() if about.own else [])],
        rest=about.anchor,
        extra={"files": files, "rows": len(grid.rows), "name": name},
    )


def downloads(sections: Sequence[Section]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the key of each block that has files, with their texts by file ending."""
    for section in sections:
        for block in section.blocks:
            if block.extra.get("files"):
                yield block.key, block.extra["files"]
