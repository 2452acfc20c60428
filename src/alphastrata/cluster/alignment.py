"""One identity per cluster through time, and what happened to it: pure functions of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.errors import InputDataError

__all__ = ["Aligned", "Event", "align"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

_MEMBERS_WEIGHT = 0.75
_MAJORITY = 0.5
_SAME_PLACE = 0.5


@dataclass(frozen=True)
class Event:
    """One thing that happened to a cluster between two windows.

    Attributes
    ----------
    window : int
        Position of the later window.
    kind : str
        "birth", "death", "split" (``cluster`` came out of ``related``, which lived on or not) or
        "merge" (``cluster`` went into ``related`` and ended).
    cluster : int
        The cluster concerned.
    related : int
        The other cluster; 0 where there is none.
    members : int
        How many assets: of the new cluster for births, of the old one for deaths, those that
        went from one to the other for splits and merges.
    """

    window: int
    kind: str
    cluster: int
    related: int
    members: int


@dataclass(frozen=True)
class Aligned(Shown):
    """Labels that mean the same cluster in every window.

    Attributes
    ----------
    labels : list of int64 arrays
        Per window, the identity 1..n of each row, 0 where not classified.
    n : int
        Number of identities.
    events : list of Event
        In the order of windows.
    overlap : list of dict
        Per window, identity -> Jaccard overlap with the same cluster in the window before.
    """

    labels: list[Labels]
    n: int
    events: list[Event]
    overlap: list[dict[int, float]]


def canonical(labels: Labels, assets: Labels) -> Labels:
    """Return labels renumbered 0, 1, … by size, then by the smallest asset; negatives stay -1.

    What a clusterer calls its clusters carries no information; after this, neither does the
    result.
    """
    out = np.full(len(labels), -1, dtype=np.int64)
    kept = labels >= 0
    found, codes, counts = np.unique(labels[kept], return_inverse=True, return_counts=True)
    smallest = np.full(len(found), np.iinfo(np.int64).max)
    np.minimum.at(smallest, codes, assets[kept])
    rank = np.empty(len(found), dtype=np.int64)
    rank[np.lexsort((smallest, -counts))] = np.arange(len(found))
    out[kept] = rank[codes]
    return out


def _joint(
    before: tuple[Labels, Labels], after: tuple[Labels, Labels], sizes: tuple[int, int]
) -> NDArray[np.int64]:
    """Return how many assets, classified in both windows, went from each cluster to each."""
    _, i, j = np.intersect1d(before[1], after[1], assume_unique=True, return_indices=True)
    a, b = before[0][i], after[0][j]
    both = (a >= 0) & (b >= 0)
    flat = np.bincount(a[both] * sizes[1] + b[both], minlength=sizes[0] * sizes[1])
    return flat.reshape(sizes)


def _closeness(before: Array, after: Array) -> Array:
    """Return exp(-d^2 / s^2), s^2 the mean squared distance between clusters of one window."""
    squared = ((before[:, None, :] - after[None, :, :]) ** 2).sum(axis=2)
    spread = [
        ((c[:, None, :] - c[None, :, :]) ** 2).sum() / max(len(c) * (len(c) - 1), 1)
        for c in (before, after)
    ]
    scale = float(np.mean(spread))
    return np.exp(-squared / scale) if scale > 0.0 else (squared == 0.0).astype(np.float64)


def _match(
    joint: NDArray[np.int64], closeness: Array, min_overlap: float
) -> tuple[dict[int, int], Array]:
    """Return which later cluster (key) is which earlier one, and the Jaccard overlaps."""
    union = joint.sum(axis=1)[:, None] + joint.sum(axis=0)[None, :] - joint
    jaccard = np.divide(joint, union, out=np.zeros(joint.shape), where=union > 0)
    similarity = _MEMBERS_WEIGHT * jaccard + (1.0 - _MEMBERS_WEIGHT) * closeness
    # Either will do: the same members, or (all members may have left) the same place.
    accepted = (jaccard >= min_overlap) | (closeness >= _SAME_PLACE)
    rows, columns = linear_sum_assignment(np.where(accepted, similarity, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {b: a for a, b in pairs if accepted[a, b]}, jaccard


def _events(
    window: int,
    joint: NDArray[np.int64],
    identity: tuple[NDArray[np.int64], NDArray[np.int64]],
    born: list[int],
    ended: list[int],
    counts: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> list[Event]:
    """Return births or splits of the new clusters, deaths or merges of those that ended."""
    old, new = identity
    events = []
    for b in born:
        came = joint[:, b]
        a = int(came.argmax()) if len(came) else -1
        split = a >= 0 and came[a] > _MAJORITY * came.sum() and came[a] > _MAJORITY * counts[1][b]
        events.append(
            Event(window, "split", int(new[b]), int(old[a]), int(came[a]))
            if split
            else Event(window, "birth", int(new[b]), 0, int(counts[1][b]))
        )
    for a in ended:
        went = joint[a]
        b = int(went.argmax()) if len(went) else -1
        merge = b >= 0 and went[b] > _MAJORITY * went.sum() and went[b] > _MAJORITY * counts[0][a]
        events.append(
            Event(window, "merge", int(old[a]), int(new[b]), int(went[b]))
            if merge
            else Event(window, "death", int(old[a]), 0, int(counts[0][a]))
        )
    return events


def _check_windows(
    labels: Sequence[Labels], assets: Sequence[Labels], centroids: Sequence[dict[int, Array]]
) -> None:
    check = Violations("align")
    for t, (given, codes, centre) in enumerate(zip(labels, assets, centroids, strict=True)):
        check.require(
            len(given) == len(codes),
            "There is one label per asset",
            first=f"window {t}, {len(given)} labels for {len(codes)} assets",
        )
        twice = len(codes) - len(np.unique(codes))
        check.require(not twice, "An asset is once in a window", count=twice, first=f"window {t}")
        bare = sorted({int(c) for c in np.unique(given) if c >= 0} - set(centre))
        check.require(
            not bare,
            "Every cluster has a centre",
            count=len(bare),
            first=f"window {t}, cluster {bare[0]}" if bare else "",
        )
    check.raise_if_any(InputDataError)


def align(
    labels: Sequence[Labels],
    assets: Sequence[Labels],
    centroids: Sequence[dict[int, Array]],
    *,
    min_overlap: float = 0.05,
) -> Aligned:
    """Return labels with one identity per cluster through all windows, and the events.

    Between neighbouring windows, clusters are matched one to one (Hungarian algorithm) by three
    quarters Jaccard overlap of their members among assets in both windows and one quarter
    closeness of their centroids, exp(-d^2 / s^2) with s^2 the mean squared distance between the
    clusters of a window. A pair can be the same cluster if its overlap reaches ``min_overlap`` or
    its closeness 1/2. A cluster that nothing matches is new, one that matches nothing has ended.
    Identities are not used again.

    Parameters
    ----------
    labels : sequence of int64 arrays
        Per window, the label of each row; negative where not classified.
    assets : sequence of int64 arrays
        Per window, the code of each row's asset; unique within a window.
    centroids : sequence of dict
        Per window, label -> centre in units that are comparable through time.
    min_overlap : float
        Smallest Jaccard overlap at which two clusters can be the same one. Zero keeps as many
        identities as there are clusters.

    Raises
    ------
    InputDataError
        If the windows of the arguments do not fit one another: as many of each, one label per
        asset, each asset once, a centre for each cluster.

    Notes
    -----
    The result does not depend on how the clusterer numbered its clusters, nor on the order of
    rows. In the first window identities are numbered by size.

    Examples
    --------
    >>> import numpy as np
    >>> one, two = np.array([0, 0, 1]), np.array([1, 1, 0])
    >>> codes = np.arange(3)
    >>> centres = [{0: np.zeros(1), 1: np.ones(1)}, {1: np.zeros(1), 0: np.ones(1)}]
    >>> [window.tolist() for window in align([one, two], [codes, codes], centres).labels]
    [[1, 1, 2], [1, 1, 2]]
    """
    if not len(labels) == len(assets) == len(centroids):
        raise InputDataError(
            f"Labels, assets and centroids must cover the same windows; got {len(labels)}, "
            f"{len(assets)} and {len(centroids)}."
        )
    _check_windows(labels, assets, centroids)
    out: list[Labels] = []
    events: list[Event] = []
    overlap: list[dict[int, float]] = []
    n = 0
    before: tuple[Labels, Labels] | None = None
    old_ids, old_centres = np.empty(0, dtype=np.int64), np.empty((0, 0))
    for t, (given, codes, centre) in enumerate(zip(labels, assets, centroids, strict=True)):
        now = canonical(np.asarray(given), np.asarray(codes))
        k = int(now.max(initial=-1)) + 1
        named = [int(given[np.argmax(now == c)]) for c in range(k)]
        # A window may have no cluster at all: then all of the one before have ended.
        centres = np.array([centre[c] for c in named]).reshape(k, -1) if k else np.empty((0, 0))
        ids = np.zeros(k, dtype=np.int64)
        shared: dict[int, float] = {}
        matched: dict[int, int] = {}
        joint = np.zeros((len(old_ids), k), dtype=np.int64)
        if before is not None and k and len(old_ids):
            joint = _joint(before, (now, codes), (len(old_ids), k))
            matched, jaccard = _match(joint, _closeness(old_centres, centres), min_overlap)
            for b, a in matched.items():
                ids[b] = old_ids[a]
                shared[int(old_ids[a])] = float(jaccard[a, b])
        born = [c for c in range(k) if c not in matched]
        ids[born] = n + 1 + np.arange(len(born))
        n += len(born)
        if before is not None:
            ended = [a for a in range(len(old_ids)) if a not in set(matched.values())]
            counts = (_sizes(before[0], len(old_ids)), _sizes(now, k))
            events += _events(t, joint, (old_ids, ids), born, ended, counts)
        out.append(np.where(now >= 0, np.append(ids, 0)[now], 0))
        overlap.append(shared)
        before, old_ids, old_centres = (now, np.asarray(codes)), ids, centres
    return Aligned(out, n, events, overlap)


def _sizes(codes: Labels, k: int) -> NDArray[np.int64]:
    return np.bincount(codes[codes >= 0], minlength=k).astype(np.int64)
