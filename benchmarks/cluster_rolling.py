"""Monthly windows of one cross-section each, beside the loop that a user would write today.

python benchmarks/cluster_rolling.py [--windows 60] [--assets 2000] [--features 32] [--naive 12]
                                     [--jobs 2] [--ours-only]

The naive loops are timed on the first ``--naive`` windows, and their time per window compared;
quality is over those windows for every system. One thread, CPU seconds; with ``--jobs`` the cold
windows run side by side as well, and there only wall time says something: measure it on a machine
that does nothing else. ``--ours-only`` leaves the naive loops out.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import dataclass
from itertools import pairwise

import cluster_naive as naive
import numpy as np
import torch
from cluster_clock import timed
from cluster_market import characteristics
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from alphastrata.cluster import (
    RollingClusters,
    RollingOptions,
    deep_clusterer,
    rolling,
    score_clusters,
    trustworthiness,
)
from alphastrata.core.panel import Panel
from alphastrata.core.windows import RollingWindows

OURS = (
    ("ours, same schedule", "usual", "cold"),
    ("ours, short schedule, warm autoencoder", "short", "warm"),
    ("ours, from the previous map", "short", "map"),
)
QUALITY = ("sil. input", "sil. map", "trust", "ARI truth", "ARI months")


@dataclass
class Row:
    """One system: seconds per window, and each window's quality (rows of ``QUALITY``)."""

    name: str
    cpu: float
    wall: float
    quality: list[np.ndarray]


def ours(panel: Panel, schedule: str, start: str, jobs: int = 1) -> RollingClusters:
    return rolling(
        deep_clusterer(schedule=schedule),
        panel,
        RollingWindows(1),
        train="formation",
        n_jobs=jobs,
        options=RollingOptions(start=start),
    )


def loop(blocks: list[np.ndarray], library: str) -> list[dict]:
    out = []
    for X in blocks:
        Z = naive.scaled(X)
        latent = naive.autoencode(Z)
        places = naive.layout(latent, library)
        labels = naive.cluster(places)
        naive.score(Z, labels)
        naive.score(places, labels)
        out.append({"Z": Z, "latent": latent, "places": places, "labels": labels})
    return out


def agreement(truth: np.ndarray, found: np.ndarray) -> list[np.ndarray]:
    """Return ARI with the planted labels, and between neighbouring windows."""
    with_truth = [adjusted_rand_score(a, b) for a, b in zip(truth, found, strict=False)]
    months = [adjusted_rand_score(a, b) for a, b in pairwise(found)]
    return [np.array(with_truth), np.array(months)]


def measure_ours(panel: Panel, truth: np.ndarray, windows: int, seen: int) -> list[Row]:
    rows = []
    for name, schedule, start in OURS:
        found, cpu, wall = timed(lambda s=schedule, t=start: ours(panel, s, t))
        wide = found.strata.wide().to_numpy(dtype=np.int64)[:seen]
        scores = found.scores[:seen]
        names = ("silhouette_input", "silhouette_embedding", "trustworthiness")
        quality = [scores[column].to_numpy() for column in names]
        rows.append(Row(name, cpu / windows, wall / windows, [*quality, *agreement(truth, wide)]))
    return rows


def measure_naive(panel: Panel, truth: np.ndarray, seen: int) -> list[Row]:
    rows = []
    blocks = [panel.at(date).to_numpy() for date in panel.dates[:seen]]
    for library in ("openTSNE", "scikit-learn"):
        found, cpu, wall = timed(lambda library=library: loop(blocks, library))
        quality = [
            np.array([score_clusters(f["Z"], f["labels"]).silhouette for f in found]),
            np.array([score_clusters(f["places"], f["labels"]).silhouette for f in found]),
            np.array([trustworthiness(f["latent"], f["places"]) for f in found]),
            *agreement(truth, np.array([f["labels"] for f in found])),
        ]
        rows.append(Row(f"torch DataLoader + {library}", cpu / seen, wall / seen, quality))
    return rows


def show(rows: list[Row], *, compared: bool) -> None:
    """Print seconds and quality, and the differences from the last system with their errors."""
    base = rows[-1]
    print(f"{'system':<40}" + "".join(f"{h:>14}" for h in ("CPU s/window", "ratio", *QUALITY)))
    for row in rows:
        ratio = f"{base.cpu / row.cpu:14.1f}" if compared else f"{'':>14}"
        cells = "".join(f"{values.mean():14.4f}" for values in row.quality)
        print(f"{row.name:<40}{row.cpu:14.3f}{ratio}{cells}")
    if not compared:
        return
    print(f"less {base.name}, and the standard error of the difference over windows")
    for row in rows[:-1]:
        cells = ""
        for values, others in zip(row.quality, base.quality, strict=True):
            gap = values - others
            error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan
            cells += f"{f'{gap.mean():+.4f} ({error:.4f})':>18}"
        print(f"{row.name:<40}{cells}")


def side_by_side(panel: Panel, jobs: int, windows: int, rows: list[Row], *, compared: bool) -> None:
    """Print wall seconds of cold windows on several workers, their start counted and not."""
    one = rows[0].wall
    for what in ("workers started", "workers running"):
        _, _, wall = timed(lambda: ours(panel, "usual", "cold", jobs))
        each = wall / windows
        text = f"{jobs} workers, same schedule, {what:<16} {each:.3f} wall s/window, "
        text += f"{one / each:.2f} times one worker"
        if compared:
            against = [(row.name, row.wall / each) for row in rows[-2:]]
            text += "".join(f", {ratio:.1f} times {name} on one" for name, ratio in against)
        print(text)


def peak() -> float:
    """Return the most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--assets", type=int, default=2000)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--naive", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--ours-only", action="store_true")
    args = parser.parse_args()
    frame, truth = characteristics(args.assets, args.features, args.windows)
    panel = Panel(frame)
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        rolling(deep_clusterer(), panel.between(None, panel.dates[0]), RollingWindows(1))
        rows = measure_ours(panel, truth, args.windows, min(args.naive, args.windows))
        print(f"peak memory of ours: {peak():.2f} GB", flush=True)
        if not args.ours_only:
            rows += measure_naive(panel, truth, min(args.naive, args.windows))
    show(rows, compared=not args.ours_only)
    if args.jobs > 1:
        side_by_side(panel, args.jobs, args.windows, rows, compared=not args.ours_only)
    print(f"peak memory of the whole run: {peak():.2f} GB")


if __name__ == "__main__":
    main()
