"""Charts as plain data: what plotly's script in the page draws, without any of its objects.

A colour written as ``"@ink"`` names a colour of the page's light or dark theme, which the page's
script fills in. Every text that comes from data goes through :func:`plain`, because plotly reads
a little HTML in its labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = [
    "Chart",
    "axis",
    "dates",
    "fade",
    "name_axis",
    "numbers",
    "panels",
    "plain",
    "row_height",
]

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart of the page.

    Parameters
    ----------
    title : str
        Heading over it.
    caption : str
        How to read it, one or two sentences.
    data : list of dict
        Plotly traces.
    layout : dict
        Plotly layout, without fonts, grounds and margins, which the page sets.
    height : int
        Pixels.
    narrow : dict
        What the layout changes to on a phone; ``height`` may be among it.
    log : bool
        Offer a logarithmic vertical axis.
    """

    title: str
    caption: str
    data: list[Json]
    layout: Json
    height: int = 360
    narrow: Json = field(default_factory=dict)
    log: bool = False

    def as_json(self) -> Json:
        """Return what the page's script needs."""
        return {
            "data": self.data,
            "layout": self.layout,
            "height": self.height,
            "narrow": self.narrow,
        }


def plain(text: object) -> str:
    """Return text that plotly shows as it stands.

    Examples
    --------
    >>> plain("<b>R&D</b>")
    '&lt;b&gt;R&amp;D&lt;/b&gt;'
    """
    # Control characters do not show and would break the label's HTML.
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def name_axis(names: Iterable[Any], *, width: int) -> Json:
    """Return a vertical axis with one name per row from the top, long names cut short.

    Rows are at 0, 1, ...; so two names that look alike keep rows of their own.

    Examples
    --------
    >>> name_axis(["leverage", "a very long name"], width=10)["ticktext"]
    ['leverage', 'a very lo…']
    """
    texts = [str(name) for name in names]
    short = [text if len(text) <= width else text[: width - 1] + "…" for text in texts]
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": [plain(text) for text in short],
        "range": [len(texts) - 0.5, -0.5],
        "automargin": True,
        # Names of very many rows would cover one another; the pointer still shows them.
        "showticklabels": row_height(len(texts)) >= 12,
    }


def row_height(rows: int) -> int:
    """Return the pixels for each named row: less where there are many.

    Examples
    --------
    >>> row_height(8), row_height(400)
    (25, 6)
    """
    return 25 if rows <= 40 else max(1000 // rows, 6)


def numbers(values: Iterable[Any], *, digits: int = 6) -> list[float | None]:
    """Return numbers with so many significant digits; what is not finite becomes None.

    Examples
    --------
    >>> numbers([0.123456789, float("nan")])
    [0.123457, None]
    """
    out: list[float | None] = []
    for value in values:
        number = math.nan if value is None or value is pd.NA else float(value)
        out.append(float(f"{number:.{digits}g}") if math.isfinite(number) else None)
    return out


def dates(index: Iterable[Any]) -> list[str]:
    """Return dates as ISO text.

    Examples
    --------
    >>> dates(pd.to_datetime(["2020-01-31"]))
    ['2020-01-31']
    """
    return [pd.Timestamp(value).strftime("%Y-%m-%d") for value in index]


def fade(colour: str, share: float) -> str:
    """Return a colour that lets through; ``share`` is its opacity.

    Examples
    --------
    >>> fade("#ff0000", 0.5)
    'rgba(255,0,0,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def axis(number: int) -> str:
    """Return plotly's suffix of the n-th axis: none for the first.

    Examples
    --------
    >>> axis(1), axis(3)
    ('', '3')
    """
    return "" if number == 1 else str(number)


def panels(
    titles: Sequence[str],
    *,
    columns: int,
    extra: Mapping[str, Json] | None = None,
    gap: float = 0.09,
) -> tuple[Json, Json]:
    """Return the layout of small multiples, and the layout with one panel under another.

    Parameters
    ----------
    titles : sequence of str
        One heading per panel, in reading order; panel i has the axes xi and yi.
    columns : int
    extra : mapping
        Settings of single axes ("xaxis", "yaxis2").
    gap : float
        Room between columns, where labels stand, as a share of the width.

    Examples
    --------
    >>> wide, narrow = panels(["a", "b"], columns=2)
    >>> wide["xaxis2"]["domain"][0] > 0.5, narrow["xaxis2"]["domain"]
    (True, [0.0, 1.0])
    """
    wide = _panel_axes(titles, columns, gap)
    narrow = _panel_axes(titles, 1, gap)
    # On a phone the legend takes up to three lines.
    narrow["margin"] = {"t": 96}
    for layout in (wide, narrow):
        for name, settings in (extra or {}).items():
            layout[name] = {**layout[name], **settings}
    return wide, narrow


def _panel_axes(titles: Sequence[str], columns: int, gap: float) -> Json:
    rows = math.ceil(len(titles) / columns)
    gap_x, gap_y = (gap if columns > 1 else 0.0), (0.42 / rows if rows > 1 else 0.0)
    width = (1.0 - gap_x * (columns - 1)) / columns
    height = (1.0 - gap_y * (rows - 1)) / rows
    layout: Json = {
        "annotations": [],
        # The legend stands above the panels' headings, wherever those are.
        "margin": {"t": 66},
        "legend": {"yref": "container", "y": 1.0, "yanchor": "top", "xref": "container", "x": 0.01},
    }
    for position, title in enumerate(titles):
        row, column = divmod(position, columns)
        left, top = column * (width + gap_x), 1.0 - row * (height + gap_y)
        suffix = axis(position + 1)
        layout[f"xaxis{suffix}"] = {
            "domain": [round(left, 4), round(left + width, 4)],
            "anchor": f"y{suffix}",
        }
        layout[f"yaxis{suffix}"] = {
            "domain": [round(top - height, 4), round(top, 4)],
            "anchor": f"x{suffix}",
        }
        layout["annotations"].append(_heading(plain(title), left, top))
    return layout


def _heading(text: str, left: float, top: float) -> Json:
    return {
        "text": f"<b>{text}</b>",
        "x": round(left, 4),
        "y": round(top, 4),
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "showarrow": False,
        "font": {"color": "@ink", "size": 12.5},
    }
