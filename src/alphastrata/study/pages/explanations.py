"""The explanations of a clustering as parts of its section that open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alphastrata.report import HowComputed, Plot, Table
from alphastrata.report.charts import explain as charts
from alphastrata.report.charts.networks import neighbors, network
from alphastrata.report.parts import Figure, Fold, Part
from alphastrata.report.tree import tree_svg
from alphastrata.study.artefacts import Artefacts

__all__ = ["box_plots", "explained"]

STATISTICS = {
    "mean": "mean",
    "median": "median",
    "std": "deviation",
    "mean_z": "mean, standard",
    "median_z": "median, standard",
    "std_z": "deviation, standard",
}
# Characteristics that box plots show at first: those in which the clusters differ most.
SHOWN = 8


def explained(found: Artefacts, names: Mapping[int, str], manifest: str) -> list[Part]:
    """Return the parts of a clustering's section that explain it; none where nothing was asked.

    Parameters
    ----------
    found
        Artefacts of the clustering, those of explanations under "explain ...".
    names
        Cluster -> name.
    manifest
        Row of the manifest that says what went in.
    """
    if "explain about" not in found:
        return []
    about = found["explain about"]
    if "skipped" in about:
        return [Fold(title="Explanations", gist="skipped", parts=[f"Skipped: {about['skipped']}."])]
    when = f"{about['assets']:,} assets on {about['date']}"
    folds = [
        _profiles(found, names, manifest, when),
        _tree(found, about, names, manifest),
        _shapley(found, about, names, manifest),
        _importance(found, about, manifest),
        _drift(found, names, manifest),
        _features(found, manifest, when),
        _assets(found, names, manifest),
    ]
    return [fold for fold in folds if fold is not None]


def box_plots(frame: pd.DataFrame, names: Mapping[int, str], *, how: HowComputed) -> list[Part]:
    """Return box plots of what tells the clusters apart most, and of the rest in a part that opens.

    Parameters
    ----------
    frame
        Columns feature, cluster, low, q1, median, q3, high.
    names
        Cluster -> name.
    how
        How the numbers came to be.
    """
    boxes = frame.set_index(["feature", "cluster"])
    apart = _apart(boxes)
    first = apart.sort_values(ascending=False, kind="stable").index[:SHOWN]
    rest = [name for name in apart.index if name not in first]
    few = f"Box plots of the {len(first)} characteristics that tell the clusters apart most"
    title = few if rest else "Box plots by cluster"
    top = charts.boxes(boxes.loc[list(first)], names, title=title)
    parts: list[Part] = [Figure(chart=top, frame=frame, how={"box plots": how})]
    if rest:
        chart = charts.boxes(boxes.loc[rest], names, title="Box plots of the others")
        parts.append(Fold(title="The other characteristics", parts=[Figure(chart=chart)]))
    return parts


def _apart(boxes: pd.DataFrame) -> pd.Series:
    """Return how far the clusters' medians lie apart, over the mean width of their boxes.

    Medians alone lie far apart where a characteristic has two humps, in boxes that are the same.
    """
    medians = boxes["median"].groupby(level="feature", sort=False)
    gap = medians.max() - medians.min()
    width = (boxes["q3"] - boxes["q1"]).groupby(level="feature", sort=False).mean()
    return (gap / width).where(gap > 0, 0.0)


def _profiles(found: Artefacts, names: Mapping[int, str], manifest: str, when: str) -> Fold | None:
    if "explain profiles" not in found:
        return None
    how = HowComputed(
        formula="mean, median and standard deviation (divisor n) over a cluster's members",
        conventions=[
            "Standard units: the logarithms that the model reads, at mean 0 and deviation 1 over "
            "all assets; a missing value counts as the median there, and is left out in original "
            "units.",
            "Box plots: quartiles, whiskers at the 5% and 95% quantiles.",
        ],
        manifest=manifest,
    )
    table = Table(
        title="Profiles in original and in standard units",
        frame=found["explain profiles"].rename(columns=STATISTICS),
        about=how,
    )
    return Fold(
        title="Profiles",
        gist=when,
        parts=[*box_plots(found["explain boxes"], names, how=how), table],
    )


def _tree(
    found: Artefacts, about: Mapping[str, Any], names: Mapping[int, str], manifest: str
) -> Fold | None:
    if "explain tree" not in found:
        return None
    own = about["tree"]
    how = HowComputed(
        formula="fidelity = share of held-out assets that the tree gives their own cluster",
        conventions=[
            "Five folds, or as many as the smallest cluster has assets; a tree sees the others. "
            "Shuffled: the same with the labels permuted.",
            "The tree that is drawn was grown on all assets.",
        ],
        manifest=manifest,
        source="Breiman, Friedman, Olshen and Stone (1984)",
    )
    drawing = Figure(
        markup=tree_svg(found["explain tree"], names),
        title="A tree that imitates the clusters",
        caption="Each question divides the assets that reach it; a leaf has the colour and name "
        "of its most frequent cluster.",
        frame=found["explain tree"],
        how={"fidelity": how},
    )
    rules = found["explain rules"].sort_values(["cluster", "rows"], ascending=[True, False])
    rules = rules[["cluster", "rows", "share", "rule"]].reset_index(drop=True)
    table = Table(
        title="Its rules",
        frame=rules.rename(columns={"rows": "assets"}),
        formats={"share": "percent"},
        about=how,
    )
    return Fold(
        title="Rules that imitate the clusters",
        gist=_gist(own),
        parts=[_fidelity_table(own, how), drawing, table],
    )


def _gist(own: Mapping[str, float]) -> str:
    return (
        f"right for {own['fidelity']:.0%} of held-out assets, {own['shuffled']:.0%} on shuffled "
        "labels"
    )


def _fidelity_table(own: Mapping[str, float], how: HowComputed) -> Table:
    """Return fidelity beside what shuffled labels and the largest cluster alone give."""
    frame = pd.DataFrame(
        {
            "assets held out, labels as they are": [own["fidelity"]],
            "labels shuffled": [own["shuffled"]],
            "always the largest cluster": [own["chance"]],
        }
    )
    return Table(
        title="Fidelity on held-out assets",
        frame=frame,
        formats=dict.fromkeys(frame.columns, "percent"),
        about=how,
    )


def _shapley(
    found: Artefacts, about: Mapping[str, Any], names: Mapping[int, str], manifest: str
) -> Fold | None:
    if "explain shapley" not in found:
        return None
    values, direction = (
        found[f"explain {name}"].set_index("feature").rename(columns=int)
        for name in ("shapley", "direction")
    )
    how = HowComputed(
        formula="mean over assets of |φ|; Σφ over characteristics = P(cluster) − its mean",
        conventions=[
            "t-SNE and K-means have no formula to attribute: φ belongs to a random forest of 100 "
            "trees that imitates the assignment, and its fidelity says how well.",
            "Direction: rank correlation of the characteristic with its φ.",
        ],
        manifest=manifest,
        source="Lundberg et al. (2020)",
    )
    table = Table(
        title="Mean absolute Shapley values, by cluster",
        frame=values.rename(columns=lambda c: f"cluster {c}"),
        about=how,
    )
    return Fold(
        title="Shapley values of the assignment",
        gist=f"of a forest, {_gist(about['shapley'])}",
        parts=[
            Figure(chart=charts.shapley(values, direction, names), how={"Shapley values": how}),
            table,
            _fidelity_table(about["shapley"], how),
        ],
    )


def _importance(found: Artefacts, about: Mapping[str, Any], manifest: str) -> Fold | None:
    own = about.get("importance")
    if own is None:
        return None
    title = "Importance by permutation"
    if "skipped" in own:
        return Fold(title=title, gist=own["skipped"], parts=[f"Skipped: {own['skipped']}."])
    how = HowComputed(
        formula="1 − adjusted Rand index of the labels before and after the permutation",
        conventions=[
            f"The whole pipeline, fitted to {own['train']} assets of the last cross-section, "
            f"assigns the {own['held_out']} others.",
            f"Its labels agree with the clusters' own by {own['agreement']:.2f} (adjusted Rand "
            "index).",
        ],
        manifest=manifest,
        source="Breiman (2001)",
    )
    frame = found["explain importance"].set_index("feature")
    return Fold(
        title=title,
        gist=f"{frame.index[0]} matters most",
        parts=[
            Figure(
                chart=charts.importance(frame),
                frame=frame,
                how={"importance": how},
            )
        ],
    )


def _drift(found: Artefacts, names: Mapping[int, str], manifest: str) -> Fold | None:
    if "explain drift" not in found:
        return None
    frame = found["explain drift"].set_index(["date", "cluster"])
    how = HowComputed(
        formula="drift = √ mean over characteristics of (mean now − mean one window before)²",
        conventions=["Means in cross-sectional standard deviations."],
        manifest=manifest,
    )
    size = frame.drop(columns="drift").abs().groupby(level="cluster").mean().T
    moved = size.mean(axis=1).sort_values(ascending=False, kind="stable")
    heat = Plot(
        title="What moved, by cluster",
        frame=size.loc[moved.index].rename(columns=lambda c: f"{c}"),
        kind="heat",
        caption="Mean absolute change of each characteristic from window to window.",
    )
    return Fold(
        title="Drift of the profiles",
        gist=f"{moved.index[0]} moves most",
        parts=[Figure(chart=charts.drift(frame, names), frame=frame, how={"drift": how}), heat],
    )


def _features(found: Artefacts, manifest: str, when: str) -> Fold | None:
    if "explain features" not in found:
        return None
    nodes, edges = found["explain features"].set_index("feature"), found["explain edges"]
    how = HowComputed(
        formula="Spearman rank correlations, thinned to their strongest edges",
        conventions=["Communities by the method of Louvain, on absolute correlations."],
        manifest=manifest,
        source="Mantegna (1999); Serrano, Boguñá and Vespignani (2009); Blondel et al. (2008)",
    )
    communities = nodes.groupby("community").apply(lambda own: ", ".join(own.index))
    return Fold(
        title="The network of characteristics",
        gist=f"{len(communities)} communities, {when}",
        parts=[
            Figure(chart=network(nodes, edges), frame=edges, how={"network": how}),
            Table(
                title="Communities of characteristics",
                frame=communities.rename("characteristics").reset_index(),
                about=how,
            ),
        ],
    )


def _assets(found: Artefacts, names: Mapping[int, str], manifest: str) -> Fold | None:
    if "explain places" not in found:
        return None
    places, edges = found["explain places"].set_index("asset"), found["explain neighbors"]
    purity = found["explain purity"]
    how = HowComputed(
        formula="purity = share of the edges to nearest neighbours that stay in the cluster",
        conventions=["Neighbours by Euclidean distance among the scaled characteristics."],
        manifest=manifest,
    )
    table = Table(
        title="Neighbours of the same cluster",
        frame=purity.assign(name=[names.get(int(c), "") for c in purity["cluster"]]),
        formats={"purity": "percent"},
        about=how,
    )
    share = float(edges["inside"].mean())
    return Fold(
        title="The network of assets",
        gist=f"{share:.0%} of the edges stay within a cluster",
        parts=[
            Figure(chart=neighbors(places, edges, names), frame=edges, how={"purity": how}),
            table,
        ],
    )
