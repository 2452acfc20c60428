"""Search over hyperparameters: scorers for scikit-learn's searchers, and a table of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from alphastrata.cluster.validity import score_clusters
from alphastrata.errors import ConfigError

__all__ = ["ClusterScorer", "Tuned", "tune"]

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
        steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else []
        rows = X
        standard: Any = X
        keeps = True
        with threadpool_limits(limits=1):
            for step in steps[:-1]:
                rows = step.transform(rows)
                named = type(step).__name__.endswith("Imputer")
                keeps &= isinstance(step, OneToOneFeatureMixin) or named
                standard = rows if keeps else standard
            last = steps[-1] if steps else estimator
            labels = last.predict(rows)
        found = score_clusters(standard if self.space == "input" else rows, labels)
        value = float(getattr(found, self.score)) * _SIGNS[self.score]
        # One cluster for all rows is the worst that can be, and not an error of the search.
        return value if np.isfinite(value) else (-1.0 if self.score == "silhouette" else -1e9)


@dataclass(frozen=True)
class Tuned:
    """The settings of a grid with their held-out scores.

    Attributes
    ----------
    table : DataFrame
        One row per setting, best first: the parameters, "score" (mean over folds) and "spread"
        (standard deviation over folds).
    best : dict
        Parameters of the best setting.
    model : estimator
        A clone of the model with the best parameters, not fitted.
    """

    table: pd.DataFrame
    best: dict[str, Any]
    model: Any


def tune(
    model: Any,
    X: pd.DataFrame | ArrayLike,
    grid: Mapping[str, Sequence[Any]],
    *,
    scorer: ClusterScorer | None = None,
    folds: int = 3,
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
    grid : mapping
        Parameter -> values, such as ``{"autoencoder__latent_dim": [4, 8]}``; whole steps can be
        exchanged, as in ``{"cluster": [KMeans(6), SpectralClusterer(6)]}``.
    scorer : ClusterScorer or None
        The silhouette in the space of the scaled features when None.
    folds : int
        Folds of assets.
    random_state : int
        Seed of the folds.
    n_jobs : int
        Fits at the same time; the result does not depend on it.

    Raises
    ------
    ConfigError
        If the grid is empty or ``folds`` is less than two.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.r_[np.arange(30.0), np.arange(500.0, 530.0)][:, None]
    >>> tune(KMeans(n_init=1, random_state=0), X, {"n_clusters": [2, 5]}).best
    {'n_clusters': 2}
    """
    if not grid or any(not len(values) for values in grid.values()) or folds < 2:
        raise ConfigError(
            f"A grid needs at least one parameter with values, and two folds; got {dict(grid)} "
            f"and {folds}."
        )
    search = GridSearchCV(
        model,
        {name: list(values) for name, values in grid.items()},
        scoring=scorer if scorer is not None else ClusterScorer(),
        cv=KFold(folds, shuffle=True, random_state=random_state),
        n_jobs=n_jobs,
        refit=False,
        error_score="raise",
    )
    search.fit(X)
    results = search.cv_results_
    table = pd.DataFrame(list(results["params"]))
    table["score"] = results["mean_test_score"]
    table["spread"] = results["std_test_score"]
    order = np.argsort(-table["score"].to_numpy(), kind="stable")
    best = dict(results["params"][int(order[0])])
    return Tuned(
        table=table.iloc[order].reset_index(drop=True),
        best=best,
        model=clone(model).set_params(**best),
    )
