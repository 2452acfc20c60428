"""A clusterer over rolling windows, with clusters that keep their identity through time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from alphastrata.cluster.autoencoder import Autoencoder
from alphastrata.cluster.deep import DeepClusterer
from alphastrata.cluster.embedding import TSNE
from alphastrata.cluster.rolling_result import RollingClusters, assemble, score_table
from alphastrata.cluster.store import WindowStore
from alphastrata.cluster.window_fit import (
    Carry,
    Task,
    WindowFit,
    fit_early_steps,
    require_clusterer,
    split_steps,
)
from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.windows import RollingWindows, Window
from alphastrata.errors import ConfigError, EstimationError

__all__ = ["RollingOptions", "rolling", "rolling_scores"]

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class RollingOptions:
    """Choices of ``rolling`` that most studies leave as they are.

    Attributes
    ----------
    start : {"cold", "warm", "frozen", "map"}
        What a window starts from. "cold": nothing. "warm": the previous window's autoencoder,
        with a fifth of the epochs. "frozen": the transformers are fitted once, on the first
        window, and kept. "map": "warm", and t-SNE goes on from the previous map with 150 plain
        steps: the fastest and the stablest, but the map is less trustworthy (by 0.001 to 0.005).
        "warm" and "map" make the windows a chain, in which ``n_jobs`` has no effect.
    min_assets : int
        Windows with fewer usable assets on the formation date are skipped, with a note.
    max_missing : float
        Rows with a larger share of missing features are left out and stay unclassified.
    min_overlap : float
        Smallest Jaccard overlap of members at which a cluster keeps its identity.
    store : path or None
        Folder in which every finished window is stored under the hash of its inputs and its
        settings; an interrupted run goes on from there.
    """

    start: Literal["cold", "warm", "frozen", "map"] = "cold"
    min_assets: int = 30
    max_missing: float = 0.5
    min_overlap: float = 0.05
    store: str | Path | None = None

    def __post_init__(self) -> None:
        check = Violations("RollingOptions")
        starts = ("cold", "warm", "frozen", "map")
        check.require(self.start in starts, f"start is one of {starts}", first=repr(self.start))
        check.require(self.min_assets >= 2, "min_assets is at least 2", first=repr(self.min_assets))
        for name in ("max_missing", "min_overlap"):
            value = getattr(self, name)
            check.require(0.0 <= value <= 1.0, f"{name} is between 0 and 1", first=repr(value))
        check.raise_if_any(ConfigError)


def rolling(
    model: Any,
    panel: Panel | pd.DataFrame,
    windows: RollingWindows | Sequence[Window],
    *,
    features: Sequence[str] | None = None,
    train: Literal["pooled", "formation"] = "pooled",
    n_jobs: int = 1,
    progress: Progress | None = None,
    options: RollingOptions | None = None,
) -> RollingClusters:
    """Return the clusters of every window, aligned through time.

    In each window, the transformers (imputer, scaler, autoencoder) learn from the rows of its
    training dates, and the map and the clusterer from the cross-section of its formation date;
    DEC, IDEC and VaDE, which are both, learn from the training dates and then assign the
    cross-section. Nothing after the formation date is looked at.

    Parameters
    ----------
    model : estimator
        ``deep_clusterer(...)``, or any scikit-learn clusterer or pipeline that ends in one. It is
        cloned and never changed. Without an imputer, missing values are replaced by the median
        of the training rows. Give it a ``random_state``: without one, every run draws anew.
    panel : Panel
        Characteristics, as known at their dates.
    windows : RollingWindows or sequence of Window
        The windows.
    features : sequence of str or None
        Columns to cluster on; all numeric ones when None.
    train : {"pooled", "formation"}
        What the transformers learn from: all training dates of the window, or the formation date.
    n_jobs : int
        Windows fitted at the same time, through joblib; the result does not depend on it.
    progress : callable or None
        Called with (windows done, windows in all).
    options : RollingOptions or None
        Starts, limits and the store.

    Raises
    ------
    ConfigError
        If the model is no clusterer, ``train`` is unknown, a feature is named twice, the windows do
        not ascend, or the model has nothing to start from in the window before.
    InputDataError
        If a feature is not a numeric column, or no window fits the calendar.
    EstimationError
        If a window cannot be clustered (it is named), or all had to be skipped, or every asset
        of every window is noise.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.cluster import KMeans
    >>> from alphastrata.core.panel import Panel
    >>> from alphastrata.core.windows import RollingWindows
    >>> index = pd.MultiIndex.from_product(
    ...     [pd.date_range("2020-01-31", periods=3, freq="ME"), [f"A{i:02d}" for i in range(40)]],
    ...     names=["date", "asset"])
    >>> size = np.tile(np.repeat([0.0, 9.0], 20), 3) + np.random.default_rng(0).random(120)
    >>> panel = Panel(pd.DataFrame({"size": size}, index=index))
    >>> rolling(KMeans(2, n_init=1, random_state=0), panel, RollingWindows(2)).strata.n
    2
    """
    panel = as_panel(panel)
    settings = options if options is not None else RollingOptions()
    names = _features(panel, features)
    plan = _plan(model, panel, windows, names, train, settings)
    fits = list(_fit_all(plan.tasks, settings, n_jobs, progress))
    return assemble(
        panel, names, model, plan.windows, plan.tasks, fits, settings.min_overlap, plan.notes
    )


def rolling_scores(
    model: Any,
    panel: Panel | pd.DataFrame,
    windows: RollingWindows | Sequence[Window],
    *,
    features: Sequence[str] | None = None,
    train: Literal["pooled", "formation"] = "pooled",
    n_jobs: int = 1,
    progress: Progress | None = None,
    options: RollingOptions | None = None,
) -> pd.DataFrame:
    """Return the scores of every window, also where the clusterer finds no cluster at all.

    What ``rolling(...).scores`` holds, without clusters to follow through time: for data without
    clusters, in which HDBSCAN may call everything noise. Scores that need two clusters are then
    missing.

    Parameters
    ----------
    model, panel, windows, features, train, n_jobs, progress, options
        As for ``rolling``, which see for what is raised.

    Returns
    -------
    DataFrame, formation date x score

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.cluster import HDBSCAN
    >>> index = pd.MultiIndex.from_product(
    ...     [pd.to_datetime(["2020-01-31"]), range(40)], names=["date", "asset"])
    >>> noise = np.random.default_rng(0).normal(size=(40, 3))
    >>> panel = pd.DataFrame(noise, index=index, columns=["a", "b", "c"])
    >>> model = HDBSCAN(min_cluster_size=15, copy=True)
    >>> int(rolling_scores(model, panel, RollingWindows(1))["n_noise"].iloc[0])
    40
    """
    panel = as_panel(panel)
    settings = options if options is not None else RollingOptions()
    plan = _plan(model, panel, windows, _features(panel, features), train, settings)
    fits = list(_fit_all(plan.tasks, settings, n_jobs, progress))
    return score_table([window.formation for window in plan.windows], plan.tasks, fits)


@dataclass(frozen=True)
class _Plan:
    """The windows that can be fitted, what each needs, and what had to be left out."""

    windows: list[Window]
    tasks: list[Task]
    notes: tuple[Note, ...]


def _plan(
    model: Any,
    panel: Panel,
    windows: RollingWindows | Sequence[Window],
    names: list[str],
    train: str,
    settings: RollingOptions,
) -> _Plan:
    if train not in ("pooled", "formation"):
        raise ConfigError(f'train must be "pooled" or "formation", got {train!r}.')
    require_clusterer(model)
    _require_start(model, settings.start)
    split = windows.split(panel.dates) if isinstance(windows, RollingWindows) else list(windows)
    _require_order(split)
    rows = _Rows(panel, names, settings)
    prepared = [rows.task(model, window, train) for window in split]
    tasks = [task for task in prepared if task is not None]
    kept = [window for window, task in zip(split, prepared, strict=True) if task is not None]
    if not tasks:
        raise EstimationError(
            f"At least one window needs {settings.min_assets} usable assets on its formation "
            f"date; none of {len(split)} has them. Lower min_assets, or raise max_missing."
        )
    return _Plan(kept, tasks, rows.notes(len(split)))


def _require_order(windows: list[Window]) -> None:
    """Raise `ConfigError` unless the windows ascend: a later one must not name earlier clusters."""
    dates = [window.formation for window in windows]
    late = [k for k in range(1, len(dates)) if dates[k] <= dates[k - 1]]
    if late:
        raise ConfigError(
            f"Windows ascend by formation date, each date once; {len(late)} of {len(dates)} do "
            f"not. First: {dates[late[0]].date()} after {dates[late[0] - 1].date()}. Sort them."
        )


def _require_start(model: Any, start: str) -> None:
    """Raise `ConfigError` unless the model has what is to be gone on from."""
    early, late = split_steps(model)
    last = late[-1][1]
    if isinstance(last, DeepClusterer) and start != "cold":
        raise ConfigError(
            f'{type(last).__name__} learns anew in every window, so that start must be "cold"; '
            f"got {start!r}. Warm and frozen starts are for an Autoencoder."
        )
    for name, steps, kind in (("warm", early, Autoencoder), ("map", late, TSNE)):
        if start == name and not any(isinstance(step, kind) for _, step in steps):
            raise ConfigError(
                f'start="{name}" goes on from the {kind.__name__} of the window before, and the '
                f'model has none. Take start="cold", or a model with one.'
            )


def _features(panel: Panel, features: Sequence[str] | None) -> list[str]:
    if isinstance(features, str):
        raise ConfigError(f"features is a list of columns; got the text {features!r}.")
    if features is not None:
        names = list(features)
    else:
        names = [name for name in panel.columns if not panel.is_categorical(name)]
    if not names:
        raise ConfigError("rolling needs at least one numeric column to cluster on; got none.")
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise ConfigError(
            f"Each feature is named once; {len(twice)} of {len(names)} are named again. "
            f"First: {twice[0]!r}. Name it once."
        )
    return names


class _Rows:
    """The rows of the panel as the windows need them, and what had to be left out."""

    def __init__(self, panel: Panel, names: list[str], settings: RollingOptions) -> None:
        self.panel, self.names, self.settings = panel, names, settings
        self.values = np.ascontiguousarray(panel.matrix(names).T)
        missing = np.isnan(self.values)
        self.usable = missing.mean(axis=1) <= settings.max_missing
        self.left_out: dict[str, tuple[int, int]] = {}
        self.imputed: dict[str, tuple[int, int]] = {}
        self.dropped: dict[str, list[str]] = {}
        self.skipped: list[str] = []

    def task(self, model: Any, window: Window, train: str) -> Task | None:
        """Return what the window needs, or None where too few assets are usable."""
        panel = self.panel
        name = str(window.formation.date())
        code = int(panel.dates.get_indexer(pd.DatetimeIndex([window.formation]))[0])
        if code < 0:
            self.skipped.append(name)
            return None
        at = np.arange(panel.offsets[code], panel.offsets[code + 1])
        at_usable = at[self.usable[at]]
        if len(at_usable) < self.settings.min_assets:
            self.skipped.append(name)
            return None
        pooled = at_usable
        if train == "pooled":
            wanted = np.zeros(len(panel.dates), dtype=bool)
            codes = panel.dates.get_indexer(window.train)
            wanted[codes[codes >= 0]] = True
            pooled = np.flatnonzero(wanted[panel.date_codes] & self.usable)
        present = ~np.isnan(self.values[pooled]).all(axis=0)
        # Contiguous, so that a worker gets the same layout as this process.
        cross = np.ascontiguousarray(self.values[at_usable][:, present])
        self.left_out[name] = (len(at) - len(at_usable), len(at))
        self.imputed[name] = (int(np.isnan(cross).sum()), cross.size)
        if not present.all():
            self.dropped[name] = [n for n, p in zip(self.names, present, strict=True) if not p]
        return Task(
            name=name,
            model=model,
            pooled=np.ascontiguousarray(self.values[pooled][:, present]),
            cross=cross,
            assets=panel.asset_codes[at_usable],
            columns=tuple(n for n, p in zip(self.names, present, strict=True) if p),
            start=self.settings.start,
        )

    def notes(self, n_windows: int) -> tuple[Note, ...]:
        """Return what was skipped, left out, dropped and imputed, as notes."""
        found = []
        if self.skipped:
            rule = f"window with fewer than {self.settings.min_assets} usable assets"
            found.append(
                Note(rule, len(self.skipped), n_windows, self.skipped[0], "skipped", "cluster")
            )
        if self.dropped:
            first = next(iter(self.dropped))
            text = f"{first}: {', '.join(self.dropped[first])}"
            rule = "window with a feature that has no value in training"
            action = "clustered without it"
            found.append(Note(rule, len(self.dropped), n_windows, text, action, "cluster"))
        share = f"{self.settings.max_missing:.0%}"
        for rule, counts, action in (
            (f"row with more than {share} of its features missing", self.left_out, "left out"),
            ("missing value of a classified row", self.imputed, "replaced by the median"),
        ):
            count, of = (sum(pair[i] for pair in counts.values()) for i in (0, 1))
            if count:
                first = next(name for name, pair in counts.items() if pair[0])
                found.append(Note(rule, count, of, first, action, "cluster"))
        return tuple(found)


def _fit_all(
    tasks: list[Task], settings: RollingOptions, n_jobs: int, progress: Progress | None
) -> Iterator[WindowFit]:
    """Yield the fitted windows in order, from the store where they are there."""
    store = WindowStore(settings.store)
    if settings.start == "frozen":
        tasks = _freeze(tasks)
    if settings.start in ("warm", "map"):
        results: Any = _chain(tasks, store)
    elif n_jobs == 1:
        results = (store.get_or_fit(task, None) for task in tasks)
    else:
        # A window is long work: batches would leave one worker waiting at the end.
        run = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator")
        results = run(delayed(store.get_or_fit)(task, None) for task in tasks)
    for done, fit in enumerate(results, start=1):
        if progress is not None:
            progress(done, len(tasks))
        yield fit


def _chain(tasks: list[Task], store: WindowStore) -> Iterator[WindowFit]:
    carry: Carry | None = None
    for task in tasks:
        fit = store.get_or_fit(task, carry)
        carry = fit.carry(task)
        yield fit


def _freeze(tasks: list[Task]) -> list[Task]:
    """Return the tasks with the transformers that the first one's training rows teach."""
    from dataclasses import replace

    first = tasks[0]
    early = fit_early_steps(split_steps(first.model)[0], first.pooled)
    frozen = []
    for task in tasks:
        where = [task.columns.index(c) if c in task.columns else -1 for c in first.columns]
        blank = np.full((len(task.cross), 1), np.nan)
        cross = np.hstack([task.cross, blank])[:, where]
        frozen.append(replace(task, cross=cross, columns=first.columns, early=early))
    return frozen
