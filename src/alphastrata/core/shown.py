"""Results that hold several tables draw themselves in a notebook, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.results import format_number

__all__ = ["Shown"]

# Rows of a table that are shown, and parts of a mapping.
ROWS = 8
MOST = 12
# Longest text of one value.
LONG = 200


class Shown:
    """Base of frozen dataclasses that hold tables rather than one estimate (that is `Result`).

    In a notebook the single values stand in one table, and every frame, series or result folds out
    under its name and size.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Split(Shown):
    ...     share: float
    ...     sizes: pd.Series
    >>> page = Split(0.25, pd.Series([3, 1], name="size"))._repr_html_()
    >>> "0.2500" in page, "sizes (2 rows)" in page
    (True, True)
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        known = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        parts = {name: value for name, value in known.items() if not name.startswith("_")}
        return f"<p><b>{escape(type(self).__name__)}</b></p>{_drawn(parts)}"


def _drawn(parts: Mapping[str, Any]) -> str:
    """Return values as HTML: the plain ones in a table, then one fold for each of the others."""
    plain = {name: _plain(value) for name, value in parts.items()}
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{text}</td></tr>"
        for name, text in plain.items()
        if text is not None
    )
    folds = (_fold(str(name), parts[name]) for name, text in plain.items() if text is None)
    return (f"<table>{rows}</table>" if rows else "") + "".join(folds)


def _plain(value: Any) -> str | None:
    """Return a value as one cell; None for what has a shape, parts or a drawing of its own."""
    if isinstance(value, pd.DataFrame | pd.Series | Mapping) or hasattr(value, "_repr_html_"):
        return None
    if isinstance(value, np.ndarray):
        return " × ".join(map(str, value.shape)) + " numbers"
    if isinstance(value, list | tuple):
        if len(value) > MOST:
            return f"{len(value):,} entries"
        return "<br>".join(_text(inner) for inner in value) or "none"
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    number = value.item() if isinstance(value, np.generic) else value
    text = str(number) if isinstance(number, Note) else format_number(number)
    return escape(text if len(text) <= LONG else text[: LONG - 1] + "…")


def _fold(name: str, value: Any) -> str:
    if isinstance(value, pd.DataFrame | pd.Series):
        frame = value.to_frame() if isinstance(value, pd.Series) else value
        size = f"{len(frame):,} rows"
        if isinstance(value, pd.DataFrame):
            size += f" × {frame.shape[1]} columns"
        inner = frame.iloc[:ROWS].to_html(
            escape=True, max_cols=MOST, float_format=lambda number: format_number(float(number))
        )
    elif isinstance(value, Mapping):
        size = f"{len(value):,} entries"
        inner = _drawn(dict(list(value.items())[:MOST]))
    else:
        size, inner = type(value).__name__, value._repr_html_()
    return f"<details><summary>{escape(name)} ({escape(size)})</summary>{inner}</details>"
