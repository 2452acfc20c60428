"""Membership through time: columns of clusters and the streams of assets between them.

The layout is computed once, in units of assets and columns, and drawn both by matplotlib and as
the SVG of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from alphastrata.report.charts.clusters import cluster_label
from alphastrata.report.formats import show
from alphastrata.report.palette import colour
from alphastrata.report.parts import Membership

__all__ = ["Alluvium", "Block", "Stream", "lay_out_flows", "to_svg"]


@dataclass(frozen=True)
class Block:
    """One cluster at one date: column number, and extent in assets from the top."""

    column: int
    cluster: int
    count: int
    top: float


@dataclass(frozen=True)
class Stream:
    """Assets on their way from a cluster in one column to a cluster in the next."""

    column: int
    cluster_from: int
    cluster_to: int
    count: int
    top_from: float
    top_to: float


@dataclass(frozen=True)
class Alluvium:
    """Blocks and streams with the dates of the columns; ``height`` in assets."""

    dates: tuple[pd.Timestamp, ...]
    blocks: tuple[Block, ...]
    streams: tuple[Stream, ...]
    height: float


def lay_out_flows(membership: Membership) -> Alluvium:
    """Return where each block and each stream stands.

    Parameters
    ----------
    membership : Membership

    Returns
    -------
    Alluvium
        Clusters stand in their order from the top in every column. Assets that were not
        classified before or after (cluster 0) have no block; their streams are left out, so a
        part of a block without a stream is an asset that entered or left.

    Examples
    --------
    >>> sizes = pd.DataFrame({1: [2], 2: [3]}, index=pd.to_datetime(["2020-01-31"]))
    >>> [block.top for block in lay_out_flows(Membership(sizes=sizes)).blocks]
    [0.0, 2.15]
    """
    sizes = membership.sizes.fillna(0).astype(int).sort_index(axis=1)
    clusters = [int(cluster) for cluster in sizes.columns.tolist()]
    columns = {date: i for i, date in enumerate(sizes.index.tolist())}
    gap = 0.03 * float(sizes.sum(axis=1).max())
    blocks, tops = [], {}
    for column, counts in enumerate(sizes.to_numpy().tolist()):
        top = 0.0
        for cluster, count in zip(clusters, counts, strict=True):
            tops[column, cluster] = top
            if count:
                blocks.append(Block(column, cluster, count, top))
            top += count + gap
    streams = _streams(membership.flows, columns, tops)
    height = max((block.top + block.count for block in blocks), default=1.0)
    dates = tuple(pd.Timestamp(date) for date in columns)
    return Alluvium(dates, tuple(blocks), tuple(streams), height)


_ENDS = ("date_from", "date_to")


def _streams(
    flows: pd.DataFrame | None,
    columns: Mapping[object, int],
    tops: Mapping[tuple[int, int], float],
) -> list[Stream]:
    if flows is None:
        return []
    both = flows[(flows["cluster_from"] > 0) & (flows["cluster_to"] > 0) & (flows["count"] > 0)]
    both = both.sort_values(["date_from", "cluster_from", "cluster_to"], kind="stable")
    left, right = dict(tops), dict(tops)
    out = []
    columns_of = (both[name].tolist() for name in (*_ENDS, "cluster_from", "cluster_to", "count"))
    for date_from, date_to, origin, target, count in zip(*columns_of, strict=True):
        start = columns.get(date_from)
        if start is None or columns.get(date_to) != start + 1:
            continue
        if (start, origin) not in left or (start + 1, target) not in right:
            continue
        out.append(
            Stream(start, origin, target, count, left[start, origin], right[start + 1, target])
        )
        left[start, origin] += count
        right[start + 1, target] += count
    return out


# Pixels: a page's width, height and width of the blocks, and the line of dates under them.
WIDTH, HEIGHT, BAR, FOOT = 930.0, 320.0, 16.0, 26.0


def to_svg(flow: Alluvium, names: Mapping[int, str], *, unit: str = "asset") -> Markup:
    """Return the figure as SVG; a stream says on hover what flows in it.

    Parameters
    ----------
    flow : Alluvium
    names : mapping of cluster to str
    unit : str
        What is grouped, in the singular.

    Examples
    --------
    >>> sizes = pd.DataFrame({1: [2]}, index=pd.to_datetime(["2020-01-31"]))
    >>> str(to_svg(lay_out_flows(Membership(sizes=sizes)), {}))[:4]
    '<svg'
    """
    # Fill the page while the dates under the columns have room, and scroll beyond that.
    step = min(max(WIDTH / max(len(flow.dates) - 1, 1), 58.0), 160.0)
    width = step * max(len(flow.dates) - 1, 0) + BAR
    scale = HEIGHT / flow.height
    parts = [
        _svg_stream(stream, step, scale, _words(stream, flow, names, unit))
        for stream in flow.streams
    ]
    parts += [
        _svg_block(block, step, scale, _words(block, flow, names, unit)) for block in flow.blocks
    ]
    parts += [
        Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
            "first" if i == 0 else "last" if i == len(flow.dates) - 1 else "mid",
            _short(0.0 if i == 0 else i * step + (BAR if i == len(flow.dates) - 1 else BAR / 2)),
            _short(HEIGHT + 19),
            date.strftime("%Y-%m"),
        )
        for i, date in enumerate(flow.dates)
    ]
    return Markup(
        '<svg class="flow" viewBox="0 0 {} {}" style="--w:{}px" role="img" '
        'aria-label="Membership of the clusters through time">{}</svg>'
    ).format(_short(width), _short(HEIGHT + FOOT), _short(width), Markup("").join(parts))


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _words(part: Block | Stream, flow: Alluvium, names: Mapping[int, str], unit: str) -> str:
    """Return what a block or a stream says on hover."""
    many = f"{show(part.count, 'integer')} {unit}{'' if part.count == 1 else 's'}"
    when = f"{flow.dates[part.column]:%Y-%m}"
    if isinstance(part, Block):
        return f"{cluster_label(part.cluster, names)}: {many}, {when}"
    start, end = (cluster_label(c, names) for c in (part.cluster_from, part.cluster_to))
    return f"{many}: {start} → {end}, {when} to {flow.dates[part.column + 1]:%Y-%m}"


def _svg_stream(stream: Stream, step: float, scale: float, words: str) -> Markup:
    x0, x1 = stream.column * step + BAR, (stream.column + 1) * step
    middle = (x0 + x1) / 2
    y0, y1, thick = stream.top_from * scale, stream.top_to * scale, stream.count * scale
    path = (
        f"M{_short(x0)} {_short(y0)}C{_short(middle)} {_short(y0)} {_short(middle)} {_short(y1)} "
        f"{_short(x1)} {_short(y1)}v{_short(thick)}C{_short(middle)} {_short(y1 + thick)} "
        f"{_short(middle)} {_short(y0 + thick)} {_short(x0)} {_short(y0 + thick)}z"
    )
    tint = colour(stream.cluster_from)
    return Markup('<path d="{}" fill="{}"><title>{}</title></path>').format(path, tint, words)


def _svg_block(block: Block, step: float, scale: float, words: str) -> Markup:
    return Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}</title></rect>'
    ).format(
        _short(block.column * step),
        _short(block.top * scale),
        _short(BAR),
        f"{block.count * scale:.2f}",
        colour(block.cluster),
        words,
    )
