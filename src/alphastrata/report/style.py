"""How figures on paper look: sizes, lines and texts that suit a journal's column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names

from alphastrata.report.charts.clusters import cluster_label, wrap
from alphastrata.report.palette import HIGH, LOW

__all__ = [
    "DIVERGING",
    "STYLE",
    "canvas",
    "cluster_lines",
    "figure_of",
    "literal",
    "plain_frame",
    "save",
    "styled",
]

INK, MUTED, LINE = "#16191d", "#5d656f", "#d9dde2"

# Blue is low, orange is high, and the middle nearly the ground.
DIVERGING = LinearSegmentedColormap.from_list("strata", [LOW, "#f4f4f2", HIGH])

STYLE: Final = {
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelsize": 8.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#8b939d",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.4,
    "figure.dpi": 120.0,
}

# Settings that count when a file is written: text stays text in vector files, dates stay out of
# them, so that the same figure gives the same file.
SAVING: Final = {"savefig.bbox": "tight", "pdf.fonttype": 42, "svg.fonttype": "none"}

_FONTS = ("Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")


@cache
def _font() -> str:
    """Return the first of the wanted fonts that this machine has."""
    known = set(get_font_names())
    return next(font for font in _FONTS if font in known)


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the project's style, and leave the user's settings as they were.

    Examples
    --------
    >>> with styled():
    ...     mpl.rcParams["axes.spines.top"]
    False
    """
    # A notebook's backend switches interactive drawing on when it loads: let it load out here, or
    # leaving the context would switch that off again and later figures would not show.
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]
    with mpl.rc_context(cast(Any, {**STYLE, "font.family": [_font()]})):
        yield


def canvas(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes to draw on: the given ones, or new ones of this size in inches.

    Examples
    --------
    >>> canvas(None, 4.0, 3.0).figure.get_size_inches().tolist()
    [4.0, 3.0]
    """
    if ax is not None:
        return ax
    _, new = plt.subplots(figsize=(width, height), layout="constrained")
    return new


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes stand in.

    Raises
    ------
    ValueError
        When the axes were taken out of their figure.

    Examples
    --------
    >>> type(figure_of(canvas(None, 2.0, 2.0))).__name__
    'Figure'
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes stand in no figure; make them with plt.subplots()")
    return figure


def literal(text: object) -> str:
    r"""Return text that matplotlib shows as it stands, also where it holds dollar signs.

    Examples
    --------
    >>> literal("$x$")
    '\\$x\\$'
    """
    shown = "".join(c if c.isprintable() else " " for c in str(text)).replace("$", r"\$")
    # Labels that start with an underscore are left out of legends.
    return " " + shown if shown.startswith("_") else shown


def cluster_lines(cluster: int, names: Mapping[int, str] | None, *, width: int) -> str:
    r"""Return a cluster's number and name for a legend, in lines of so many letters.

    Examples
    --------
    >>> cluster_lines(1, {1: "small, levered"}, width=12)
    '1 · small,\nlevered'
    """
    return "\n".join(literal(part) for part in wrap(cluster_label(cluster, names or {}), width))


def plain_frame(ax: Axes) -> None:
    """Take ticks and spines away, as on a map or a heat map.

    Examples
    --------
    >>> plain_frame(canvas(None, 2.0, 2.0))
    """
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def save(ax: Axes, path: Path | str) -> None:
    """Write the figure of some axes to a file, whose ending names its kind (.pdf, .svg, .png).

    Parameters
    ----------
    ax : Axes
    path : path
        Bitmaps are written with 300 dots per inch.

    Raises
    ------
    ValueError
        For an ending that matplotlib does not know.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(canvas(None, 2.0, 2.0), Path(folder) / "figure.svg")
    """
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with mpl.rc_context(cast(Any, {**SAVING, "svg.hashsalt": "alphastrata"})):
        figure_of(ax).savefig(path, dpi=300, metadata=undated.get(Path(path).suffix.lower()))
