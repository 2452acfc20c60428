"""Parts of a section: figures with the numbers they were drawn from, and parts that open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from alphastrata.report.charts import Chart
from alphastrata.report.records import HowComputed, Plot, Table

if TYPE_CHECKING:
    from alphastrata.report.model import ClusterSection

__all__ = ["Figure", "Fold", "Part", "frames_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A chart or a drawing, with the frame that a reader can download.

    Parameters
    ----------
    chart : Chart, optional
    markup : Markup
        SVG, where there is no chart; it scrolls where it is wider than the page.
    title, caption : str
        Of a drawing; a chart brings its own.
    frame : DataFrame, optional
        What it was drawn from.
    how : mapping of name to HowComputed
    """

    chart: Chart | None = None
    markup: Markup = field(default_factory=Markup)
    title: str = ""
    caption: str = ""
    frame: pd.DataFrame | None = None
    how: Mapping[str, HowComputed] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """Parts under a heading that opens and closes.

    Parameters
    ----------
    title : str
    parts : sequence of str, Table, Plot, Chart, Figure, Fold or ClusterSection
    gist : str
        What it says, beside the heading, in a few words that also a closed part shows.
    open : bool
        Whether it is open at first.
    """

    title: str
    parts: Sequence[Part | ClusterSection] = ()
    gist: str = ""
    open: bool = False


Part = str | Table | Plot | Chart | Figure | Fold


def frames_of(parts: Sequence[object], under: str = "") -> Iterator[tuple[str, Table]]:
    """Yield the tables of parts with their titles, also those that figures were drawn from.

    Parameters
    ----------
    parts : sequence
        Those that hold no table are passed over.
    under : str
        Before every title.

    Examples
    --------
    >>> fold = Fold(title="Tree", parts=[Table(title="Rules", frame=pd.DataFrame({"a": [1]}))])
    >>> [title for title, _ in frames_of([fold], "CLU")]
    ['CLU Tree Rules']
    """
    for part in parts:
        if isinstance(part, Fold):
            yield from frames_of(part.parts, f"{under} {part.title}".strip())
        elif isinstance(part, Table):
            yield f"{under} {part.title}".strip(), part
        elif isinstance(part, Plot):
            yield f"{under} {part.title}".strip(), Table(title=part.title, frame=part.frame)
        elif isinstance(part, Figure) and part.frame is not None:
            title = part.title or (part.chart.title if part.chart is not None else "figure")
            yield f"{under} {title}".strip(), Table(title=title, frame=part.frame)
