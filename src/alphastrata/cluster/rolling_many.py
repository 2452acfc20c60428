"""Several clusterers over the same windows: seeds or settings side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from joblib import Parallel, delayed

from alphastrata.cluster.rolling import RollingOptions, rolling
from alphastrata.cluster.rolling_result import RollingClusters
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.windows import RollingWindows, Window
from alphastrata.errors import ConfigError

__all__ = ["rolling_many"]


def rolling_many(
    models: Mapping[str, Any],
    panel: Panel | pd.DataFrame,
    windows: RollingWindows | Sequence[Window],
    *,
    features: Sequence[str] | None = None,
    train: Literal["pooled", "formation"] = "pooled",
    n_jobs: int = 1,
    progress: Callable[[int, int], object] | None = None,
    options: RollingOptions | None = None,
) -> dict[str, RollingClusters]:
    """Return ``rolling`` of each of several clusterers, which differ by seed or settings.

    Where windows are a chain (``start="warm"`` or ``"map"``), models run at the same time; where
    they do not depend on one another, the windows of one model after another do.

    Parameters
    ----------
    models : mapping of str to estimator
        Name -> clusterer, or pipeline that ends in one.
    panel, windows, features, train, options
        As for ``rolling``; a store may be shared.
    n_jobs : int
        Models or windows at the same time; the result does not depend on it.
    progress : callable or None
        Called with (models done, models in all).

    Raises
    ------
    ConfigError
        If there is no model; and whatever ``rolling`` raises.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> index = pd.MultiIndex.from_product(
    ...     [pd.to_datetime(["2020-01-31", "2020-02-29"]), range(40)], names=["date", "asset"])
    >>> panel = pd.DataFrame({"size": np.tile(np.repeat([0.0, 9.0], 20), 2)}, index=index)
    >>> models = {f"seed {s}": KMeans(2, n_init=1, random_state=s) for s in (0, 1)}
    >>> found = rolling_many(models, panel, RollingWindows(1))
    >>> [result.strata.n for result in found.values()]
    [2, 2]
    """
    if not models:
        raise ConfigError("rolling_many needs at least one model; got none.")
    market = as_panel(panel)
    chained = options is not None and options.start in ("warm", "map")

    def one(model: Any, jobs: int) -> RollingClusters:
        return rolling(
            model, market, windows, features=features, train=train, n_jobs=jobs, options=options
        )

    results: Any
    if chained and n_jobs != 1:
        run = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator")
        results = run(delayed(one)(model, 1) for model in models.values())
    else:
        results = (one(model, n_jobs) for model in models.values())
    found: dict[str, RollingClusters] = {}
    for name, result in zip(models, results, strict=True):
        found[name] = result
        if progress is not None:
            progress(len(found), len(models))
    return found
