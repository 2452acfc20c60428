"""What rolling windows give: clusters under one identity, and tables about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.cluster.alignment import Aligned, align
from alphastrata.cluster.explain import name_clusters, profiles
from alphastrata.cluster.window_fit import Task, WindowFit
from alphastrata.core.checks import Note
from alphastrata.core.panel import Panel
from alphastrata.core.shown import Shown
from alphastrata.core.strata import Strata
from alphastrata.core.windows import Window
from alphastrata.errors import EstimationError

__all__ = ["RollingClusters", "assemble", "score_table"]

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class RollingClusters(Shown):
    """Clusters of every window, under one identity per cluster.

    Attributes
    ----------
    strata : Strata
        (formation date, asset) -> cluster, unordered; noise and unusable rows are missing.
    scores : DataFrame, formation date x score
        silhouette, davies_bouldin and calinski_harabasz in the space of the scaled input, of the
        latent coordinates and of the embedding; trustworthiness of the map; epochs that the
        window's network was trained, and its loss on held-out rows; n_assets, n_features,
        n_clusters, n_noise, imputed (values).
    embeddings : DataFrame
        Columns date, asset, x, y and, with three dimensions, z. Without a map step, principal
        coordinates of what was clustered.
    profiles : DataFrame indexed by (date, cluster)
        Columns (statistic, feature): mean, median and std in original units, mean_z, median_z and
        std_z in cross-sectional standard deviations.
    events : DataFrame
        Columns date, event ("birth", "death", "split", "merge"), cluster, related, members.
    transitions : DataFrame
        Columns date, origin, target, count: assets by their clusters in the window before and in
        this one; 0 = not classified or not in the sample.
    names : dict
        Cluster -> descriptive name by rule, from the profiles of all windows. The strata carry
        numbers only: a name that knows later windows has no place among labels of earlier ones.
    notes : tuple of Note
        What was imputed, left out and skipped.
    """

    strata: Strata
    scores: pd.DataFrame
    embeddings: pd.DataFrame
    profiles: pd.DataFrame
    events: pd.DataFrame
    transitions: pd.DataFrame
    names: dict[int, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = field(default=())

    def transition_matrix(self) -> pd.DataFrame:
        """Return the share (origin x target) of a cluster's assets that is next in each cluster.

        Assets that are classified in both of two neighbouring windows, over all windows.
        """
        both = self.transitions.query("origin > 0 and target > 0")
        counts = both.pivot_table(
            index="origin", columns="target", values="count", aggfunc="sum", fill_value=0
        )
        return counts.div(counts.sum(axis=1), axis=0)

    def turnover(self) -> pd.Series:
        """Return the share of assets, classified in both windows, that changed cluster, by date."""
        both = self.transitions.query("origin > 0 and target > 0")
        total = both.groupby("date")["count"].sum()
        moved = both[both["origin"] != both["target"]].groupby("date")["count"].sum()
        return (moved.reindex(total.index, fill_value=0) / total).rename("turnover")

    def tenure(self) -> pd.Series:
        """Return the mean number of neighbouring windows that an asset stays, by cluster."""
        wide = self.strata.wide().fillna(0).astype("int64").to_numpy()
        spells: dict[int, list[int]] = {}
        for path in wide.T:
            edges = np.flatnonzero(np.diff(path)) + 1
            for spell in np.split(path, edges):
                if spell[0] > 0:
                    spells.setdefault(int(spell[0]), []).append(len(spell))
        means = {cluster: float(np.mean(spells[cluster])) for cluster in sorted(spells)}
        return pd.Series(means, name="tenure").rename_axis("cluster")

    def __repr__(self) -> str:
        score = self.scores["silhouette_input"].mean()
        return (
            f"RollingClusters: {len(self.scores)} windows, {self.strata.n} clusters, "
            f"{len(self.events)} events, mean silhouette {score:.3f} in the input space"
        )


def assemble(
    panel: Panel,
    names: list[str],
    model: Any,
    windows: list[Window],
    tasks: list[Task],
    fits: list[WindowFit],
    min_overlap: float,
    notes: tuple[Note, ...],
) -> RollingClusters:
    """Return the result of the fitted windows, their clusters aligned through time."""
    dates = [window.formation for window in windows]
    looks = [_profile(task, fit, names) for task, fit in zip(tasks, fits, strict=True)]
    aligned = align(
        [fit.labels for fit in fits],
        [task.assets for task in tasks],
        [_centres(look) for look in looks],
        min_overlap=min_overlap,
    )
    if not aligned.n:
        raise EstimationError(
            f"The clusterer called every asset noise in all of {len(fits)} windows. "
            "Lower its minimum cluster size."
        )
    notes = (*notes, *_noise_note(tasks, fits))
    by_identity = [
        look.rename(index=_identities(fit.labels, ids))
        for look, fit, ids in zip(looks, fits, aligned.labels, strict=True)
    ]
    profile = pd.concat(by_identity, keys=dates, names=["date", "cluster"]).sort_index()
    means = pd.DataFrame(profile["mean_z"])
    called = name_clusters(means.groupby(level="cluster").mean())
    index = pd.MultiIndex.from_arrays(
        [
            np.repeat(pd.DatetimeIndex(dates), [len(task.assets) for task in tasks]),
            panel.assets[np.concatenate([task.assets for task in tasks])],
        ],
        names=["date", "asset"],
    )
    flat = pd.Series(pd.array(np.concatenate(aligned.labels), dtype="Int64"), index=index)
    strata = Strata(
        flat.mask(flat == 0),
        ordered=False,
        probabilities=_probabilities(aligned, fits, index),
        source=f"rolling {_describe(model)}",
        n=aligned.n,
        notes=notes,
    )
    return RollingClusters(
        strata=strata,
        scores=score_table(dates, tasks, fits),
        embeddings=_embedding_table(index, fits),
        profiles=profile,
        events=_event_table(aligned, dates),
        transitions=_transition_table(aligned, tasks, dates),
        names=called,
        notes=notes,
    )


def _noise_note(tasks: list[Task], fits: list[WindowFit]) -> list[Note]:
    """Return the note on assets that the clusterer left out as noise, where there are any."""
    counts = [int((fit.labels < 0).sum()) for fit in fits]
    if not sum(counts):
        return []
    first = next(task.name for task, count in zip(tasks, counts, strict=True) if count)
    rule = "asset that the clusterer calls noise"
    of = sum(len(fit.labels) for fit in fits)
    return [Note(rule, sum(counts), of, first, "left unclassified", "cluster")]


def _profile(task: Task, fit: WindowFit, names: list[str]) -> pd.DataFrame:
    """Return the profile of the window's clusters, missing for features it did not have."""
    original = pd.DataFrame(task.cross, columns=list(task.columns))
    same = fit.standard.shape == original.shape
    look = profiles(
        original, fit.standard if same else original.fillna(original.median()), fit.labels
    )
    statistics = list(dict.fromkeys(look.columns.get_level_values("statistic")))
    full = pd.MultiIndex.from_product([statistics, names], names=["statistic", "feature"])
    return look.reindex(columns=full)


def _centres(look: pd.DataFrame) -> dict[int, NDArray[np.float64]]:
    means = look["mean_z"].fillna(0.0)
    return {int(str(c)): row.to_numpy(dtype=np.float64) for c, row in means.iterrows()}


def _identities(labels: Labels, ids: Labels) -> dict[int, int]:
    return {int(label): int(ids[np.argmax(labels == label)]) for label in np.unique(labels)}


def _probabilities(
    aligned: Aligned, fits: list[WindowFit], index: pd.MultiIndex
) -> pd.DataFrame | None:
    """Return memberships by identity (1..n), where every window's clusterer knows them.

    A cluster of which no asset is a member has no identity; its share goes to the others.
    """
    blocks = []
    for fit, ids in zip(fits, aligned.labels, strict=True):
        if fit.memberships is None:
            return None
        block = np.zeros((len(ids), aligned.n))
        for label, identity in _identities(fit.labels, ids).items():
            if identity > 0:
                block[:, identity - 1] = fit.memberships[:, label]
        blocks.append(block / block.sum(axis=1, keepdims=True))
    return pd.DataFrame(np.vstack(blocks), index=index, columns=range(1, aligned.n + 1))


def _describe(model: Any) -> str:
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    return " -> ".join(type(step).__name__ for step in steps if not isinstance(step, str))


def score_table(
    dates: list[pd.Timestamp], tasks: list[Task], fits: list[WindowFit]
) -> pd.DataFrame:
    """Return the scores of the fitted windows, formation date x score."""
    table = pd.DataFrame(
        [fit.scores | fit.training for fit in fits], index=pd.DatetimeIndex(dates, name="date")
    )
    table["n_assets"] = [len(task.assets) for task in tasks]
    table["n_features"] = [task.cross.shape[1] for task in tasks]
    table["imputed"] = [int(np.isnan(task.cross).sum()) for task in tasks]
    return table.astype({"n_clusters": "int64", "n_noise": "int64"})


def _embedding_table(index: pd.MultiIndex, fits: list[WindowFit]) -> pd.DataFrame:
    width = max(fit.places.shape[1] for fit in fits)
    places = np.full((len(index), width), np.nan)
    start = 0
    for fit in fits:
        places[start : start + len(fit.places), : fit.places.shape[1]] = fit.places
        start += len(fit.places)
    return pd.DataFrame(places, columns=["x", "y", "z"][:width], index=index).reset_index()


def _event_table(aligned: Aligned, dates: list[pd.Timestamp]) -> pd.DataFrame:
    rows = [(dates[e.window], e.kind, e.cluster, e.related, e.members) for e in aligned.events]
    table = pd.DataFrame(rows, columns=["date", "event", "cluster", "related", "members"])
    # Without a row there would be no types, and without types no dates to compare.
    kinds = {"date": "datetime64[ns]", "cluster": "int64", "related": "int64", "members": "int64"}
    return table.astype(kinds)


def _transition_table(
    aligned: Aligned, tasks: list[Task], dates: list[pd.Timestamp]
) -> pd.DataFrame:
    frames = []
    for t in range(1, len(tasks)):
        before = pd.Series(aligned.labels[t - 1], index=tasks[t - 1].assets)
        after = pd.Series(aligned.labels[t], index=tasks[t].assets)
        pair = pd.concat({"origin": before, "target": after}, axis=1).fillna(0).astype("int64")
        count = pair.value_counts(sort=False).rename("count").reset_index()
        frames.append(count.sort_values(["origin", "target"]).assign(date=dates[t]))
    columns = ["date", "origin", "target", "count"]
    if not frames:
        empty = {name: pd.Series(dtype="int64") for name in columns}
        return pd.DataFrame(empty | {"date": pd.Series(dtype="datetime64[ns]")})
    return pd.concat(frames, ignore_index=True)[columns]
