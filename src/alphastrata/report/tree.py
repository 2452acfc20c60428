"""A decision tree drawn from left to right: where its nodes stand, and the drawing as SVG."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from alphastrata.report.charts.clusters import cluster_label, wrap
from alphastrata.report.formats import show
from alphastrata.report.palette import colour
from alphastrata.report.records import need_columns

__all__ = ["lay_out_tree", "question", "tree_svg"]

Row = Mapping[Hashable, Any]

NEEDED = ["parent", "side", "feature", "threshold", "cluster", "rows", "share"]


def lay_out_tree(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return where each node of a tree stands: leaves below one another, parents beside them.

    Parameters
    ----------
    nodes : DataFrame indexed by node
        Columns parent (-1 for the root), side ("", "yes" or "no"), feature, threshold, cluster,
        rows and share; a node's children come after it, the one for "yes" first.

    Returns
    -------
    DataFrame
        The same rows with "depth" (0 for the root) and "line" (0, 1, … for the leaves from the
        top, and the mean of its two children for any other node).

    Raises
    ------
    InputDataError
        If a column is lacking.

    Examples
    --------
    >>> nodes = pd.DataFrame({"parent": [-1, 0, 0], "side": ["", "yes", "no"],
    ...     "feature": ["size", "", ""], "threshold": [0.5, None, None], "cluster": [1, 1, 2],
    ...     "rows": [5, 3, 2], "share": [0.6, 1.0, 1.0]})
    >>> lay_out_tree(nodes)["line"].tolist()
    [0.5, 0.0, 1.0]
    """
    need_columns("The nodes of a tree", nodes, NEEDED)
    parents = [int(parent) for parent in nodes["parent"]]
    children: dict[int, list[int]] = {node: [] for node in range(len(nodes))}
    depth = [0] * len(nodes)
    for node, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(node)
            depth[node] = depth[parent] + 1
    line = [0.0] * len(nodes)
    # A node's number is smaller than its children's and its first branch's than its second's:
    # leaves in the order of their numbers are leaves from the top.
    for place, leaf in enumerate(node for node in children if not children[node]):
        line[leaf] = float(place)
    for node in reversed(range(len(nodes))):
        if own := children[node]:
            line[node] = sum(line[child] for child in own) / len(own)
    return nodes.reset_index(drop=True).assign(depth=depth, line=line)


def question(feature: str, threshold: float, *, width: int = 0) -> str:
    """Return what an inner node asks, a long name cut to so many letters where that is said.

    Examples
    --------
    >>> question("leverage", 0.52341), question("change_in_inventory", 2.61e6, width=12)
    ('leverage ≤ 0.523', 'change_in_i… ≤ 2.61m')
    """
    name = feature if not width or len(feature) <= width else feature[: width - 1] + "…"
    size = abs(threshold)
    for unit, word in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= unit:
            return f"{name} ≤ {threshold / unit:.3g}{word}"
    return f"{name} ≤ {threshold:.3g}"


# Pixels: from column to column, from leaf to leaf, and the size of a node.
PITCH, GAP, WIDE, TALL = 243.0, 58.0, 196.0, 44.0


def tree_svg(nodes: pd.DataFrame, names: Mapping[int, str], *, unit: str = "asset") -> Markup:
    """Return the tree as SVG: questions from left to right, leaves in the colours of clusters.

    Parameters
    ----------
    nodes : DataFrame
        As for `lay_out_tree`.
    names : mapping of cluster to str
    unit : str
        What is grouped, in the singular.

    Examples
    --------
    >>> nodes = pd.DataFrame({"parent": [-1], "side": [""], "feature": [""], "threshold": [None],
    ...     "cluster": [1], "rows": [5], "share": [1.0]})
    >>> str(tree_svg(nodes, {}))[:4]
    '<svg'
    """
    placed = lay_out_tree(nodes)
    rows = placed.to_dict("records")
    width = PITCH * placed["depth"].max() + WIDE + 2
    height = GAP * placed["line"].max() + TALL + 2
    parts = [_branch(row, rows[int(row["parent"])]) for row in rows if row["parent"] >= 0]
    parts += [_node(row, names, unit) for row in rows]
    return Markup(
        '<svg class="tree" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" '
        'style="max-width:none;display:block" role="img" aria-label="Tree of rules">{2}</svg>'
    ).format(width, height, Markup("").join(parts))


def _corner(row: Row) -> tuple[float, float]:
    return 1 + PITCH * row["depth"], 1 + GAP * row["line"]


def _branch(row: Row, parent: Row) -> Markup:
    x0, y0 = _corner(parent)
    x1, y1 = _corner(row)
    x0, y0, y1 = x0 + WIDE, y0 + TALL / 2, y1 + TALL / 2
    middle = (x0 + x1) / 2
    return Markup(
        '<path d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}" '
        'style="fill:none;stroke:var(--strong-line);stroke-width:1.3"/>'
        '<text x="{:.1f}" y="{:.1f}" text-anchor="end" '
        'style="font:11px var(--sans);fill:var(--muted)">{}</text>'
    ).format(
        *(x0, y0, middle, y0, middle, y1, x1, y1),
        *(x1 - 6, y1 - 5 if y1 <= y0 else y1 + 13),
        row["side"],
    )


def _node(row: Row, names: Mapping[int, str], unit: str) -> Markup:
    x, y = _corner(row)
    cluster, many, share = int(row["cluster"]), int(row["rows"]), float(row["share"])
    label = cluster_label(cluster, names)
    count = f"{show(many, 'integer')} {unit}{'' if many == 1 else 's'}"
    tint = colour(cluster)
    if row["feature"]:
        lines = [question(str(row["feature"]), float(row["threshold"]), width=19), count]
        look = "fill:var(--ground);stroke:var(--strong-line)"
    else:
        short = wrap(label, 27)
        head = short[0] + ("…" if len(short) > 1 else "")
        lines = [head, f"{100 * share:.0f}% of {count}"]
        look = f"fill:{tint};fill-opacity:.16;stroke:{tint}"
    texts = Markup("").join(
        Markup(
            '<text x="{:.1f}" y="{:.1f}" style="font:{} var(--sans);fill:var({})">{}</text>'
        ).format(x + 11, y + 18 + 17 * i, "600 12.5px" if i == 0 else "12px", tone, text)
        for i, (text, tone) in enumerate(zip(lines, ("--ink", "--muted"), strict=True))
    )
    words = f"{label}: {100 * share:.0f}% of {count}"
    if row["feature"]:
        words = f"{question(str(row['feature']), float(row['threshold']))}: {count}"
    return Markup(
        '<g><title>{}</title><rect x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.0f}" rx="7" '
        'style="{}"/>{}</g>'
    ).format(words, x, y, WIDE, TALL, look, texts)
