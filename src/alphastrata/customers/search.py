"""Which stages: every configuration against the same customers without segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alphastrata.core.shown import Shown
from alphastrata.customers.choice import NEAR, Effort, KChoice, Rows, best_k, choose_k
from alphastrata.customers.nulls import MixedNull
from alphastrata.customers.stages import Stages

__all__ = ["StageSearch", "candidates", "search_stages"]

Progress = Callable[[str, int, int], None]

FINALISTS = 3


@dataclass(frozen=True, eq=False)
class StageSearch(Shown):
    """What every configuration scored.

    Attributes
    ----------
    table : DataFrame
        Index: stages, as text, best first. ``k`` (best number of segments), ``silhouette``,
        ``calibrated``, ``input_calibrated``, ``z``, ``stability``, ``supported``, ``score`` and
        ``round`` (1: sifted out on few draws; 2: finalist). Supported ones come first.
    choices : tuple of KChoice
        The finalists, best first.
    """

    table: pd.DataFrame
    choices: tuple[KChoice, ...]


def candidates(*, wide: bool = False, mixed: bool = True) -> list[Stages]:
    """Return the configurations that are tried.

    Parameters
    ----------
    wide : bool
        With t-SNE, UMAP, spectral clustering, HDBSCAN and K-prototypes as well.
    mixed : bool
        Whether there are both numbers and nominal columns, which K-prototypes needs.

    Examples
    --------
    >>> [str(stages) for stages in candidates()][:2]
    ['kmeans', 'pca → kmeans']
    """
    out = [
        Stages(reduction="none"),
        Stages(reduction="pca"),
        Stages(reduction="pca", clusterer="gaussian_mixture"),
        Stages(reduction="isomap"),
        Stages(autoencoder=True, reduction="none"),
        Stages(autoencoder=True, reduction="isomap"),
    ]
    if wide:
        out += [
            Stages(reduction="tsne"),
            Stages(reduction="umap"),
            Stages(reduction="pca", clusterer="spectral"),
            Stages(reduction="isomap", clusterer="hdbscan"),
            Stages(autoencoder=True, reduction="tsne"),
            Stages(autoencoder=True, reduction="umap", clusterer="gaussian_mixture"),
        ]
        if mixed:
            out.append(Stages(reduction="none", clusterer="kprototypes"))
    return out


def search_stages(
    rows: Rows,
    null: MixedNull,
    *,
    ks: Sequence[int],
    effort: Effort,
    stages: Sequence[Stages] = (),
    seed: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> StageSearch:
    """Return the configurations in the order of calibrated validity times stability.

    Every configuration is first tried on a few draws and one pair of halves; the best three are
    then tried with the whole effort.

    Parameters
    ----------
    rows : Rows
        The sample.
    null : MixedNull
        Draws customers without segments.
    ks : sequence of int
        Numbers of segments.
    effort : Effort
    stages : sequence of Stages
        Configurations; `candidates` by default.
    seed : int
    progress : callable
        Called with a stage, how much is done and how much there is.

    Notes
    -----
    Silhouettes of different spaces cannot be compared: t-SNE makes islands of anything. Each is
    therefore measured above what the same stages score on customers without segments, in the space
    that is clustered and in that of the columns; each of the two is divided by the best of all
    configurations, and their mean times the stability is the score. Of finalists within a tenth of
    the best, the one with the most segments is taken, as for the number of segments.
    """
    mixed = len({b.kind == "nominal" for b in rows.blocks}) == 2
    tried = list(stages) or candidates(wide=effort.wide, mixed=mixed)
    quick = replace(effort, draws=min(5, effort.draws), repeats=1)
    first = []
    finalists_work = min(FINALISTS, len(tried)) * (effort.draws + effort.repeats)
    total = len(tried) * (quick.draws + quick.repeats) + finalists_work
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress("search", done, total)

    for one in tried:
        first.append(choose_k(rows, null, one, ks=ks, effort=quick, seed=seed, tick=tick))
    sifted = _summary(first)
    order = np.argsort(-sifted["score"].to_numpy(), kind="stable")
    chosen = [first[i].stages for i in order[:FINALISTS]]
    last = [choose_k(rows, null, one, ks=ks, effort=effort, seed=seed, tick=tick) for one in chosen]
    progress("search", total, total)
    final = _summary(last)
    best = _ranked(final)
    rest = sifted.iloc[order[FINALISTS:]].assign(round=1)
    table = pd.concat([final.iloc[best].assign(round=2), rest])
    return StageSearch(table, tuple(last[i] for i in best))


def _ranked(final: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the order of the finalists: supported ones, of near scores the finer one first."""
    score = final["score"].to_numpy(dtype=np.float64)
    supported = final["supported"].to_numpy(dtype=bool)
    best = score[supported].max() if supported.any() else np.inf
    near = supported & (score >= (1.0 - NEAR) * best)
    finer = np.where(near, final["k"].to_numpy(dtype=np.float64), 0.0)
    return np.lexsort((-score, -finer, ~near, ~supported))


def _summary(choices: Sequence[KChoice]) -> pd.DataFrame:
    """Return one row per configuration, at its best k: a supported one where there is any."""
    rows = []
    for choice in choices:
        row: dict[str, object] = {"stages": str(choice.stages)}
        k = choice.chosen or best_k(choice.table, supported_only=False)
        if k is not None:
            place = list(choice.table.index).index(k)
            kept = ["silhouette", "calibrated", "input_calibrated", "z", "stability"]
            row |= {"k": float(k)} | {c: float(choice.table[c].iloc[place]) for c in kept}
        rows.append(row)
    columns = ["k", "silhouette", "calibrated", "input_calibrated", "z", "stability"]
    frame = pd.DataFrame(rows).set_index("stages").reindex(columns=columns).astype("float64")
    out = pd.DataFrame(frame)
    own = _relative(out["calibrated"]) + _relative(out["input_calibrated"])
    out["supported"] = [choice.chosen is not None for choice in choices]
    out["score"] = (own / 2 * out["stability"].clip(lower=0)).fillna(0.0)
    return out


def _relative(values: pd.Series) -> pd.Series:
    best = float(values.max())
    return values.clip(lower=0) / best if best > 0 else values * 0.0
