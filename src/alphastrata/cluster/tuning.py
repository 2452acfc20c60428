"""Search over hyperparameters: scorers for scikit-learn's searchers, and a table of a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.model_selection import KFold, ParameterGrid
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from alphastrata.cluster.deep import DeepClusterer
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.seeding import reseeded, seeded
from alphastrata.cluster.validity import score_clusters
from alphastrata.cluster.window_fit import require_clusterer
from alphastrata.core.shown import Shown
from alphastrata.errors import AlphaStrataError, ConfigError, EstimationError

__all__ = ["ClusterScorer", "Tuned", "drawn_settings", "score_settings", "tune"]

_SIGNS = {"silhouette": 1.0, "davies_bouldin": -1.0, "calinski_harabasz": 1.0}


@dataclass(frozen=True)
class ClusterScorer:
    """A scorer of fitted clusterers on given rows, for scikit-learn's searchers.

    Called with (estimator, X), it assigns the rows of ``X``, which need not have been in
    training, and scores the assignment; larger is better.

    Attributes
    ----------
    score : {"silhouette", "davies_bouldin", "calinski_harabasz"}
        The score; the Davies-Bouldin index is negated.
    space : {"input", "embedding"}
        "input": the features as the pipeline scales them. "embedding": what its last step
        clusters, in which settings cannot fairly be compared, since each makes its own space.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> round(ClusterScorer()(KMeans(2, n_init=1, random_state=0).fit(X), X), 3)
    0.9
    """

    score: Literal["silhouette", "davies_bouldin", "calinski_harabasz"] = "silhouette"
    space: Literal["input", "embedding"] = "input"

    def __post_init__(self) -> None:
        if self.score not in _SIGNS or self.space not in ("input", "embedding"):
            raise ConfigError(
                f"score must be one of {sorted(_SIGNS)} and space input or embedding; got "
                f"{self.score!r} and {self.space!r}."
            )

    def __call__(self, estimator: Any, X: ArrayLike, y: object = None) -> float:
        """Return the score of the estimator's assignment of the rows of ``X``."""
        labels, standard, rows = _assigned(estimator, X)
        found = score_clusters(standard if self.space == "input" else rows, labels)
        value = float(getattr(found, self.score)) * _SIGNS[self.score]
        # One cluster for all rows is the worst that can be, and not an error of the search.
        return value if np.isfinite(value) else (-1.0 if self.score == "silhouette" else -1e9)


def _assigned(estimator: Any, X: ArrayLike) -> tuple[NDArray[np.int64], Any, Any]:
    """Return the labels of the rows of ``X``, the scaled features, and what was clustered."""
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else []
    steps = [step for step in steps if step is not None and step != "passthrough"]
    rows = standard = X
    keeps = True
    last = steps[-1] if steps else estimator
    with threadpool_limits(limits=1):
        for step in steps[:-1]:
            rows = step.transform(rows)
            named = type(step).__name__.endswith("Imputer")
            keeps &= isinstance(step, OneToOneFeatureMixin) or named
            standard = rows if keeps else standard
        labels = np.asarray(last.predict(rows), dtype=np.int64)
        if isinstance(last, DeepClusterer):
            rows = last.transform(rows)
    return labels, standard, rows


@dataclass(frozen=True)
class Tuned(Shown):
    """The settings of a grid with their held-out scores.

    Attributes
    ----------
    table : DataFrame
        One row per setting, best first: the parameters, "score" (mean over folds and seeds),
        "spread" (standard deviation over them), "clusters" (found among the assets held out,
        mean) and "noise" (share of them that is left unclassified).
    best : dict
        Parameters of the best setting.
    model : estimator
        A clone of the model with the best parameters, not fitted.
    """

    table: pd.DataFrame
    best: dict[str, Any]
    model: Any


def score_settings(
    models: Sequence[Any],
    X: pd.DataFrame | ArrayLike,
    *,
    scorer: ClusterScorer | None = None,
    folds: int = 3,
    seeds: Sequence[int] = (),
    random_state: int = 0,
    n_jobs: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> pd.DataFrame:
    """Return how well each of several clusterers divides assets that were not in training.

    Parameters
    ----------
    models : sequence of estimators
        Clusterers with ``predict``, or pipelines that end in one; they are cloned.
    X : DataFrame or array of shape (n, d)
        Features of one cross-section.
    scorer : ClusterScorer or None
        The silhouette in the space of the scaled features when None.
    folds : int
        Folds of assets.
    seeds : sequence of int
        Each takes the place of every ``random_state`` in turn; empty leaves them as they are.
    random_state : int
        Seed of the folds, and of a model that has none.
    n_jobs : int
        Fits at the same time; the result does not depend on it.
    progress : callable or None
        Called with (fits done, fits in all).

    Returns
    -------
    DataFrame, one row per model
        "score", "spread", "clusters" and "noise", as in ``Tuned.table``, in the models' order.

    Raises
    ------
    ConfigError
        If there is no model, one is no clusterer with ``predict``, or ``folds`` is less than two
        or more than half of the rows.
    InputDataError
        If the features are no matrix of numbers.
    EstimationError
        If a setting cannot be fitted; it is named.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.r_[np.arange(30.0), np.arange(500.0, 530.0)][:, None]
    >>> models = [KMeans(k, n_init=1, random_state=0) for k in (2, 5)]
    >>> score_settings(models, X)["clusters"].tolist()
    [2.0, 5.0]
    """
    if not len(models) or folds < 2:
        raise ConfigError(
            f"A search needs at least one setting and two folds; got {len(models)} and {folds}."
        )
    for model in models:
        require_clusterer(model)
        if not hasattr(model, "predict"):
            raise ConfigError(
                f"A search scores assets that were not in training, and {type(model).__name__} "
                "cannot predict. Take a clusterer with predict."
            )
    frame = read_features(X, "A search", least=2 * folds)
    X = frame if isinstance(X, pd.DataFrame) else frame.to_numpy()
    judge = scorer if scorer is not None else ClusterScorer()
    parts = list(KFold(folds, shuffle=True, random_state=random_state).split(frame))
    fits = [
        (seeded(model, random_state) if seed is None else reseeded(model, seed), train, held)
        for model in models
        for seed in (seeds or (None,))
        for train, held in parts
    ]
    run = Parallel(n_jobs=n_jobs, return_as="generator")
    rows = []
    for done, row in enumerate(run(delayed(_one_fit)(*fit, X, judge) for fit in fits), start=1):
        rows.append(row)
        if progress is not None:
            progress(done, len(fits))
    found = np.array(rows).reshape(len(models), -1, 3)
    return pd.DataFrame(
        {
            "score": found[:, :, 0].mean(axis=1),
            "spread": found[:, :, 0].std(axis=1),
            "clusters": found[:, :, 1].mean(axis=1),
            "noise": found[:, :, 2].mean(axis=1),
        }
    )


def _one_fit(
    model: Any,
    train: NDArray[np.int64],
    held: NDArray[np.int64],
    X: Any,
    judge: ClusterScorer,
) -> tuple[float, float, float]:
    """Return score, number of clusters and share of noise on the rows held out."""
    fitted = clone(model)
    try:
        with threadpool_limits(limits=1):
            fitted.fit(_rows(X, train))
    except AlphaStrataError as error:
        raise type(error)(f"{_said(model)}: {error}") from error
    except ValueError as error:
        raise EstimationError(
            f"{_said(model)} could not be fitted to {len(train)} rows: {error}"
        ) from error
    rows = _rows(X, held)
    labels = _assigned(fitted, rows)[0]
    kept = labels >= 0
    return judge(fitted, rows), float(len(np.unique(labels[kept]))), float((~kept).mean())


def _said(model: Any) -> str:
    """Return the model and its settings in one line, to name it in an error."""
    return f"The setting {' '.join(repr(model).split())}"


def _rows(X: Any, index: NDArray[np.int64]) -> Any:
    return X.iloc[index] if isinstance(X, pd.DataFrame) else np.asarray(X)[index]


def tune(
    model: Any,
    X: pd.DataFrame | ArrayLike,
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]],
    *,
    scorer: ClusterScorer | None = None,
    folds: int = 3,
    n_iter: int | None = None,
    seeds: Sequence[int] = (),
    random_state: int = 0,
    n_jobs: int = 1,
) -> Tuned:
    """Return every setting of a grid with its score on assets that were not in training.

    Parameters
    ----------
    model : estimator
        A clusterer with ``predict``, or a pipeline that ends in one.
    X : DataFrame or array of shape (n, d)
        Features of one cross-section.
    grid : mapping, or sequence of mappings
        Parameter -> values, such as ``{"autoencoder__latent_dim": [4, 8]}``; whole steps can be
        exchanged, as in ``{"cluster": [KMeans(6), SpectralClusterer(6)]}``. Several grids are
        searched one after another, as scikit-learn's ``ParameterGrid`` does.
    scorer, folds, seeds, n_jobs
        As in ``score_settings``.
    n_iter : int or None
        Settings drawn at random from the grid; all of them when None.
    random_state : int
        Seed of the folds, of the draw, and of a model that has none.

    Raises
    ------
    ConfigError
        If the grid is empty or names what the model has not, or ``n_iter`` is less than one; and
        whatever ``score_settings`` raises.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.r_[np.arange(30.0), np.arange(500.0, 530.0)][:, None]
    >>> tune(KMeans(n_init=1, random_state=0), X, {"n_clusters": [2, 5]}).best
    {'n_clusters': 2}
    """
    tables = [grid] if isinstance(grid, Mapping) else list(grid)
    if not tables or any(not t or any(not _several(v) for v in t.values()) for t in tables):
        raise ConfigError(
            f"A grid needs at least one parameter, and a list of values for each; got {grid}."
        )
    points = list(ParameterGrid([{name: list(v) for name, v in t.items()} for t in tables]))
    if n_iter is not None:
        points = [points[k] for k in drawn_settings(len(points), n_iter, random_state)]
    try:
        models = [clone(model).set_params(**point) for point in points]
    except ValueError as error:
        raise ConfigError(f"A grid varies parameters of the model. {error}") from error
    found = score_settings(
        models, X, scorer=scorer, folds=folds, seeds=seeds, random_state=random_state, n_jobs=n_jobs
    )
    order = np.argsort(-found["score"].to_numpy(), kind="stable")
    table = pd.concat([pd.DataFrame(points), found], axis=1).iloc[order].reset_index(drop=True)
    best = dict(points[int(order[0])])
    return Tuned(table=table, best=best, model=clone(model).set_params(**best))


def _several(values: Any) -> bool:
    """Return whether these are values, at least one."""
    return not isinstance(values, str) and hasattr(values, "__len__") and len(values) > 0


def drawn_settings(n: int, n_iter: int, seed: int) -> list[int]:
    """Return the positions, ascending, of at most ``n_iter`` of ``n`` settings, drawn at random.

    Raises
    ------
    ConfigError
        If ``n_iter`` is less than one.

    Examples
    --------
    >>> drawn_settings(3, 5, seed=0)
    [0, 1, 2]
    """
    if n_iter < 1:
        raise ConfigError(f"n_iter must be at least 1, got {n_iter}.")
    chosen = np.random.default_rng(seed).permutation(n)[:n_iter]
    return sorted(int(k) for k in chosen)
