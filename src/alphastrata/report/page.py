"""One self-contained HTML page: no network, no server, nothing beside it.

Everything that the page needs travels in it: its style, its script, the charts as data, and
plotly's script, compressed. The page forbids itself everything else through a content security
policy that names its own scripts by their hashes, so that a text that slipped through every
escape would still not run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from alphastrata.report.blocks import HowLine, Section, downloads
from alphastrata.report.formats import show, slug
from alphastrata.report.model import ReportData
from alphastrata.report.prose import Line, linked, number_link
from alphastrata.report.sections import sections

__all__ = ["html"]

SCRIPTS = ("page.js", "numbers.js", "charts.js", "map.js")


def html(report: ReportData) -> str:
    """Return a report as one HTML page that works from a file, without a network.

    Parameters
    ----------
    report : ReportData

    Returns
    -------
    str
        Write it as UTF-8. The same report gives the same text, byte for byte.

    Notes
    -----
    Texts are escaped by jinja2; the page runs in current Chromium, Firefox and Safari (it needs
    ``DecompressionStream``: 2023 or later). Without scripts, all text and tables are there and
    the interactive charts are not.

    Examples
    --------
    >>> page = html(ReportData(title="<script>", question="Does leverage earn an alpha?"))
    >>> page.startswith("<!doctype html>"), "<title>&lt;script&gt;" in page
    (True, True)
    """
    parts = sections(report)
    script = _script()
    drawn = _needs_plotly(parts)
    plotly, plotly_hash = _plotly() if drawn else ("", "")
    hashes = [_hash(script), plotly_hash] if drawn else [_hash(script)]
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            answer=_sentences("answer", report.answer),
            figures=[_figure(number, report) for number in range(len(report.figures))],
            warnings=_sentences("warning", report.warnings),
            sections=parts,
            manifest=_manifest(report),
            style=Markup(_asset("page.css")),
            script=Markup(script),
            payload=Markup(_squeeze(_payload(parts))),
            plotly=Markup(plotly),
            policy=Markup(" ".join(f"'{h}'" for h in hashes)),
        )
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("alphastrata.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["numbers"] = linked
    return made


@cache
def _asset(name: str) -> str:
    return (files("alphastrata.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    return "\n" + "\n".join(_asset(name) for name in SCRIPTS)


@cache
def _plotly() -> tuple[str, str]:
    """Return plotly's script, compressed, and its hash."""
    from plotly.offline import get_plotlyjs

    text = str(get_plotlyjs())
    return _squeeze(text), _hash(text)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _squeeze(text: str) -> str:
    """Return text compressed and in letters that HTML leaves alone; always the same bytes."""
    packed = gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def _needs_plotly(parts: Sequence[Section]) -> bool:
    return any(block.kind in ("chart", "map") for part in parts for block in part.blocks)


def _payload(parts: Sequence[Section]) -> str:
    """Return charts, maps and downloads as JSON."""
    blocks = [block for part in parts for block in part.blocks]
    content: dict[str, Any] = {
        "charts": {b.key: b.chart.as_json() for b in blocks if b.chart is not None},
        "maps": {b.key: b.extra["packed"] for b in blocks if b.kind == "map"},
        "files": dict(downloads(parts)),
    }
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _sentences(stem: str, lines: Sequence[str]) -> list[dict[str, Any]]:
    """Return the sentences of the first screen, each with the entry that its numbers lead to."""
    out = []
    for number, text in enumerate(lines, 1):
        how = text.how if isinstance(text, Line) else None
        anchor = "" if how is None else f"{stem}-{number}-how"
        line = None if how is None else HowLine(name=f"Sentence {number}", anchor=anchor, how=how)
        out.append({"text": linked(text, anchor), "how": line})
    return out


def _figure(number: int, report: ReportData) -> dict[str, Any]:
    figure = report.figures[number]
    style = None if isinstance(figure.value, str) else figure.format
    line = None
    if figure.how is not None:
        line = HowLine(name=figure.label, anchor=f"figure-{number + 1}-how", how=figure.how)
    anchor = "" if line is None else line.anchor
    return {
        "label": figure.label,
        "value": number_link(anchor, escape(show(figure.value, style))),
        "full": figure.value,
        "detail": linked(figure.detail, anchor),
        "tone": figure.tone,
        "how": line,
    }


def _manifest(report: ReportData) -> dict[str, Any] | None:
    """Return the manifest as headings and rows; each row carries the anchor of its key."""
    frame = report.manifest
    if frame is None:
        return None
    known = set(map(str, frame["key"]))
    needs = frame["needs"].tolist() if "needs" in frame else [()] * len(frame)
    plain = frame.drop(columns="needs", errors="ignore")
    rows = [
        {
            "anchor": _manifest_anchor(key),
            "cells": [show(value) for value in row],
            "needs": [(need, _manifest_anchor(need)) for need in needed if need in known],
        }
        for key, row, needed in zip(
            frame["key"], plain.to_numpy(dtype=object).tolist(), needs, strict=True
        )
    ]
    return {"headings": [str(name) for name in plain.columns], "rows": rows, "linked": any(needs)}


def _manifest_anchor(key: object) -> str:
    return f"manifest-{slug(str(key))}"
