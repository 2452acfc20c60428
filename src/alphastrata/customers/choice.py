"""How many segments: elbow, silhouette, and the silhouette above what one cloud would score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from alphastrata.cluster import Scores, scores
from alphastrata.cluster.mixed_autoencoder import Block
from alphastrata.core.checks import Violations
from alphastrata.core.shown import Shown
from alphastrata.customers.nulls import MixedNull
from alphastrata.customers.stages import Assigner, Mapper, Stages, cluster_rows
from alphastrata.errors import ConfigError

__all__ = ["Effort", "KChoice", "Rows", "best_k", "choose_k", "elbow"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Tick = Callable[[], None]

CLEAR, ENOUGH, STEADY = 5.0, 0.02, 0.5
NEAR = 0.1


@dataclass(frozen=True)
class Effort:
    """How much work a segmentation may do.

    Parameters
    ----------
    search_rows : int
        Customers in the sample on which stages and k are chosen.
    fit_rows : int
        Customers on whom the chosen stages are fitted; the others are assigned.
    draws : int
        Draws of data without segments.
    repeats : int
        Pairs of halves for the stability.
    k_max : int
        Largest number of segments tried.
    wide : bool
        Search t-SNE, UMAP, spectral clustering, HDBSCAN and K-prototypes as well.

    Examples
    --------
    >>> Effort(draws=10).k_max
    8
    """

    search_rows: int = 1_200
    fit_rows: int = 4_000
    draws: int = 20
    repeats: int = 3
    k_max: int = 8
    wide: bool = False

    def __post_init__(self) -> None:
        check = Violations("Effort")
        for name, low in (("search_rows", 50), ("fit_rows", 50), ("draws", 4), ("repeats", 1)):
            value = getattr(self, name)
            check.require(value >= low, f"{name} must be at least {low}", first=repr(value))
        check.require(2 <= self.k_max <= 20, "k_max must be 2 to 20", first=repr(self.k_max))
        check.raise_if_any(ConfigError)


@dataclass(frozen=True, eq=False)
class Rows:
    """Preprocessed customers of a search: the matrix, its blocks and who belongs together."""

    Z: Array
    blocks: tuple[Block, ...]
    groups: Labels


@dataclass(frozen=True, eq=False)
class KChoice(Shown):
    """What speaks for each number of segments.

    Attributes
    ----------
    stages : Stages
    table : DataFrame
        Index: k. ``inertia`` (within-segment sum of squares in the space that is clustered),
        ``silhouette``, ``davies_bouldin``, ``calinski_harabasz`` (same space),
        ``input_silhouette`` (in the space of the preprocessed columns), ``null_mean``,
        ``null_std``, ``null_max`` (silhouette of the same stages on customers without segments),
        ``calibrated`` (silhouette above chance: (s - mean) / (1 - mean) of the null), ``z``
        ((s - mean) / deviation of the null), ``input_calibrated`` (silhouette above chance in the
        space of the columns), ``stability`` (adjusted Rand index of segmentations
        learned from disjoint halves), ``smallest`` (share of the smallest segment) and
        ``supported``.
    elbow : int or None
        Where the inertia bends (Satopaa et al. 2011); None where it does not.
    by_silhouette : int or None
        Where the plain silhouette is highest.
    chosen : int or None
        `best_k` among those that the data support; None when they support none.
    score : float
        Calibrated silhouette times stability at that k.
    """

    stages: Stages
    table: pd.DataFrame
    elbow: int | None
    by_silhouette: int | None
    chosen: int | None
    score: float


def elbow(ks: Sequence[int], inertia: Sequence[float]) -> int | None:
    """Return the k at which the inertia bends, by kneed; None if it does not, or if too short.

    Raises
    ------
    ConfigError
        If kneed is not installed.

    References
    ----------
    Satopaa, V. et al. (2011), "Finding a 'kneedle' in a haystack", ICDCS Workshops.

    Examples
    --------
    >>> elbow([1, 2, 3, 4, 5], [100, 40, 12, 9, 7])
    3
    """
    try:
        from kneed import KneeLocator
    except ImportError as error:
        raise ConfigError(
            "The elbow needs the package kneed. "
            'Install it with: pip install "alphastrata[customers]".'
        ) from error
    if len(ks) < 3:
        return None
    found = KneeLocator(list(ks), list(inertia), curve="convex", direction="decreasing").knee
    return None if found is None else int(found)


def _inertia(X: Array, labels: Labels) -> float:
    total = 0.0
    for c in np.unique(labels[labels >= 0]):
        own = X[labels == c]
        total += float(((own - own.mean(axis=0)) ** 2).sum())
    return total


@dataclass(frozen=True)
class _Job:
    """What every fit of one choice shares."""

    rows: Rows
    stages: Stages
    ks: tuple[int, ...]
    seed: int
    n_components: int | None = None

    def fit(self, Z: Array) -> tuple[Mapper, Array, dict[int, Assigner]]:
        # As many components in every draw as on the data, so that the spaces are alike.
        mapper = Mapper(
            self.stages, self.rows.blocks, n_components=self.n_components, random_state=self.seed
        )
        X = mapper.fit_transform(Z)
        fits = cluster_rows(
            X, self.ks, self.stages.clusterer, blocks=self.rows.blocks, random_state=self.seed
        )
        return mapper, X, fits


def _null_silhouettes(
    job: _Job, null: MixedNull, draws: int, tick: Tick
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return silhouettes (draws x k) of the same stages on customers without segments.

    First in the space that is clustered, then in that of the preprocessed columns.
    """
    own, given = [], []
    for draw in range(draws):
        # The same draws for every configuration, so that they are compared on equal data.
        Z = null.draw(np.random.default_rng([job.seed, draw]))
        _, X, fits = job.fit(Z)
        labels = [fit.labels for fit in fits.values()]
        own.append({k: s.silhouette for k, s in zip(fits, _scores(X, labels), strict=True)})
        given.append({k: s.silhouette for k, s in zip(fits, _scores(Z, labels), strict=True)})
        tick()
    return pd.DataFrame(own), pd.DataFrame(given)


def _scores(X: Array, labelings: list[Labels]) -> list[Scores]:
    return scores(X, labelings) if labelings else []


def _stability(job: _Job, repeats: int, tick: Tick) -> pd.DataFrame:
    """Return adjusted Rand indices, repeats x k, between segmentations from disjoint halves."""
    keys = np.unique(job.rows.groups)
    out = []
    for repeat in range(repeats):
        rng = np.random.default_rng([job.seed, 1_000 + repeat])
        first = np.isin(job.rows.groups, rng.permutation(keys)[: len(keys) // 2])
        ways = []
        for half in (first, ~first):
            mapper, _, fits = job.fit(job.rows.Z[half])
            X = mapper.transform(job.rows.Z)
            ways.append({k: fit.predict(X) for k, fit in fits.items()})
        if job.stages.clusterer == "hdbscan":
            # Whatever numbers the halves find; a half without segments agrees with nothing.
            a, b = (next(iter(way.values()), None) for way in ways)
            out.append({-1: 0.0 if a is None or b is None else adjusted_rand_score(a, b)})
        else:
            out.append({k: adjusted_rand_score(ways[0][k], ways[1][k]) for k in job.ks})
        tick()
    return pd.DataFrame(out)


def choose_k(
    rows: Rows,
    null: MixedNull,
    stages: Stages,
    *,
    ks: Sequence[int],
    effort: Effort,
    seed: int = 0,
    tick: Tick = lambda: None,
) -> KChoice:
    """Return what speaks for each number of segments under these stages.

    Parameters
    ----------
    rows : Rows
        The sample.
    null : MixedNull
        Draws customers without segments.
    stages : Stages
    ks : sequence of int
        Numbers of segments to try; HDBSCAN tries its own alone.
    effort : Effort
    seed : int
    tick : callable
        Called after each of the ``draws + repeats`` pieces of work.

    Notes
    -----
    The data support k segments when the silhouette exceeds every draw without segments, by at
    least five of their standard deviations and 2% of the room that is left, and when two halves
    of the customers give segmentations with an adjusted Rand index of at least 0.5.
    """
    job = _Job(rows, stages, tuple(ks), seed)
    mapper, X, fits = job.fit(rows.Z)
    if not fits:
        return KChoice(stages, _empty(), None, None, None, 0.0)
    job = replace(job, n_components=mapper.components_)
    labels = [fit.labels for fit in fits.values()]
    found = scores(X, labels)
    table = pd.DataFrame(
        {
            "inertia": [_inertia(X, own) for own in labels],
            "silhouette": [s.silhouette for s in found],
            "davies_bouldin": [s.davies_bouldin for s in found],
            "calinski_harabasz": [s.calinski_harabasz for s in found],
            "input_silhouette": [s.silhouette for s in scores(rows.Z, labels)],
            "smallest": [_smallest(own) for own in labels],
        },
        index=pd.Index(list(fits), name="k"),
    )
    own, given = _null_silhouettes(job, null, effort.draws, tick)
    stable = _stability(job, effort.repeats, tick).mean()
    if stages.clusterer == "hdbscan":
        own, given = _any_number(own, table.index), _any_number(given, table.index)
        stable = pd.Series(float(stable.iloc[0]), index=table.index)
    table = _calibrated(table, own, given, stable)
    ks_tried = [int(k) for k in fits]
    chosen = best_k(table)
    return KChoice(
        stages=stages,
        table=table,
        elbow=elbow(ks_tried, table["inertia"].tolist()),
        by_silhouette=_highest(ks_tried, table["silhouette"]),
        chosen=chosen,
        score=0.0 if chosen is None else float(_merit(table)[chosen]),
    )


def _merit(table: pd.DataFrame) -> pd.Series:
    return table["calibrated"] * table["stability"]


def _highest(ks: Sequence[int], values: pd.Series) -> int | None:
    present = np.nan_to_num(values.to_numpy(dtype=np.float64), nan=-np.inf)
    return None if not np.isfinite(present).any() else int(ks[int(present.argmax())])


def best_k(table: pd.DataFrame, *, supported_only: bool = True) -> int | None:
    """Return the largest k whose calibrated silhouette times stability is near the highest.

    Near is within a tenth: of divisions as valid and as steady, the finer one says more, and
    segments are merged more easily than split.

    Parameters
    ----------
    table : DataFrame
        ``KChoice.table``.
    supported_only : bool
        Whether k that the data do not support are passed over.

    Examples
    --------
    >>> table = pd.DataFrame({"calibrated": [0.30, 0.29, 0.1], "stability": 0.9,
    ...                       "supported": True}, index=[4, 5, 6])
    >>> best_k(table)
    5
    """
    merit = _merit(table[table["supported"]] if supported_only else table).dropna()
    if merit.empty:
        return None
    best = float(merit.max())
    near = merit[merit >= best - NEAR * abs(best)]
    return max(int(str(k)) for k in near.index)


def _any_number(nulls: pd.DataFrame, ks: pd.Index) -> pd.DataFrame:
    """Return HDBSCAN's score of each draw, whatever number it found; none found scores zero."""
    best = nulls.max(axis=1).fillna(0.0) if nulls.shape[1] else pd.Series(0.0, nulls.index)
    return pd.DataFrame(dict.fromkeys(ks, best))


def _calibrated(
    table: pd.DataFrame, own: pd.DataFrame, given: pd.DataFrame, stable: pd.Series
) -> pd.DataFrame:
    out = table.copy()
    out["null_mean"], out["null_std"], out["null_max"] = own.mean(), own.std(ddof=1), own.max()
    above = out["silhouette"] - out["null_mean"]
    out["calibrated"] = above / (1.0 - out["null_mean"])
    out["z"] = above / np.maximum(out["null_std"], 1e-3)
    out["input_calibrated"] = (out["input_silhouette"] - given.mean()) / (1.0 - given.mean())
    out["stability"] = stable
    out["supported"] = (
        (out["silhouette"] > out["null_max"])
        & (out["z"] >= CLEAR)
        & (out["calibrated"] >= ENOUGH)
        & (out["stability"] >= STEADY)
    )
    return out


def _smallest(labels: Labels) -> float:
    own = labels[labels >= 0]
    return float(np.bincount(own).min() / len(labels)) if len(own) else 0.0


def _empty() -> pd.DataFrame:
    columns = ["inertia", "silhouette", "davies_bouldin", "calinski_harabasz"]
    columns += ["input_silhouette", "smallest", "null_mean", "null_std", "null_max"]
    columns += ["calibrated", "z", "input_calibrated", "stability"]
    frame = pd.DataFrame(columns=columns, index=pd.Index([], name="k"), dtype="float64")
    frame["supported"] = pd.Series(dtype=bool)
    return frame
