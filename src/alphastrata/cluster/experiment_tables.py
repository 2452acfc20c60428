"""What the eight experiments say: the paper's tables, made from their scores and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student

from alphastrata.cluster.explain import boxes, name_clusters, profiles
from alphastrata.cluster.transforms import signed_log
from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["Choice", "Experiments"]

Space = Literal["input", "latent", "embedding"]
Score = Literal["silhouette", "davies_bouldin", "calinski_harabasz"]

SPACES = ("input", "latent", "embedding")
SCORES = ("silhouette", "davies_bouldin", "calinski_harabasz")


@dataclass(frozen=True)
class Choice:
    """One clustering among the experiments: number, clusterer and k."""

    experiment: int
    clusterer: str
    k: int


@dataclass(frozen=True)
class Experiments(Shown):
    """Scores, labels and maps of the eight experiments.

    Attributes
    ----------
    scores : DataFrame
        One row per experiment, clusterer, k and seed; columns experiment, features, autoencoder,
        clusterer, k, seed, silhouette, davies_bouldin and calinski_harabasz in each of the three
        spaces (suffix _input, _latent, _embedding), and trustworthiness.
    labels : DataFrame, assets x (experiment, clusterer, k)
        Labels 1..k of seed 0, 1 being the largest cluster.
    maps : DataFrame
        Columns experiment, asset, x, y (two dimensions) and x3, y3, z3 (three), of seed 0.
    plain : DataFrame indexed by (features, k)
        Scores of two principal components and K-means.
    data : DataFrame, assets x characteristics
        What was clustered, in original units.
    returns : DataFrame, date x asset, or None
        Returns in decimals.
    notes : tuple of Note
        What was left out and imputed.
    """

    scores: pd.DataFrame
    labels: pd.DataFrame
    maps: pd.DataFrame
    plain: pd.DataFrame
    data: pd.DataFrame
    returns: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()

    def table(
        self,
        score: Score = "silhouette",
        *,
        clusterer: str = "kmeans",
        space: Space = "embedding",
        statistic: Literal["mean", "std"] = "mean",
    ) -> pd.DataFrame:
        """Return a score over experiments (rows) and k (columns): mean or spread over seeds.

        With the embedding space, the paper's tables of silhouettes and Davies-Bouldin indices.

        Raises
        ------
        ConfigError
            If there is no such score, space, statistic or clusterer.
        """
        column = _column(score, space)
        if statistic not in ("mean", "std"):
            raise ConfigError(f'statistic must be "mean" or "std"; got {statistic!r}.')
        own = self.scores[self.scores["clusterer"] == clusterer]
        if own.empty:
            raise ConfigError(f"No experiment used the clusterer {clusterer!r}.")
        return own.pivot_table(
            index=["experiment", "features", "autoencoder"],
            columns="k",
            values=column,
            aggfunc=statistic,
        )

    def best(self, *, space: Space = "embedding", experiment: int | None = None) -> Choice:
        """Return the experiment, clusterer and k with the largest mean silhouette.

        With ``experiment``, the clusterer and k within that one.

        Raises
        ------
        ConfigError
            If there is no such experiment or space.
        """
        column = _column("silhouette", space)
        own = self.scores
        if experiment is not None:
            own = own[own["experiment"] == experiment]
            if own.empty:
                raise ConfigError(f"There is no experiment {experiment}.")
        means = own.groupby(["experiment", "clusterer", "k"])[column].mean()
        number, clusterer, k = means.index[int(np.nanargmax(means.to_numpy()))]
        return Choice(int(number), str(clusterer), int(k))

    def score(
        self,
        choice: Choice,
        *,
        score: Score = "silhouette",
        space: Space = "embedding",
    ) -> float:
        """Return a score of a choice, the mean over seeds.

        Raises
        ------
        ConfigError
            If there is no such choice, score or space.
        """
        column = _column(score, space)
        self.chosen(choice)
        same = (
            (self.scores["experiment"] == choice.experiment)
            & (self.scores["clusterer"] == choice.clusterer)
            & (self.scores["k"] == choice.k)
        )
        return float(self.scores.loc[same, column].mean())

    def places(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return the maps of a choice in 2-D (x, y) and 3-D (x3, y3, z3), with its clusters.

        Columns asset, cluster, x, y, x3, y3 and z3. The clusters were found on the map in 2-D.
        """
        wanted = choice if choice is not None else self.best()
        own = self.maps[self.maps["experiment"] == wanted.experiment].drop(columns="experiment")
        labels = self.chosen(wanted)
        cluster = labels.reindex(own["asset"]).to_numpy()
        return own.assign(cluster=cluster).reset_index(drop=True)

    def compared_with_plain(self) -> pd.DataFrame:
        """Return mean scores by (features, k) of the pipelines beside principal components.

        K-means everywhere; the silhouette in the space that each clusters and in the features.
        """
        own = self.scores[self.scores["clusterer"] == "kmeans"]
        columns = ["silhouette_embedding", "silhouette_input", "davies_bouldin_embedding"]
        parts = {"PCA": self.plain[columns]}
        for flag, name in ((False, "t-SNE"), (True, "autoencoder + t-SNE")):
            same = own[own["autoencoder"] == flag]
            parts[name] = same.groupby(["features", "k"])[columns].mean()
        return pd.concat(parts, axis=1, names=["method", "score"])

    def effects(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return what the autoencoder and the price data change, with intervals over seeds.

        For each seed, the mean over the clusterers, k (and, for the autoencoder, feature sets)
        of the difference in a score; Student intervals over seeds.

        Returns
        -------
        DataFrame indexed by (effect, score)
            Columns estimate, low, high, seeds. With one seed there is no interval.

        Raises
        ------
        ConfigError
            If the level is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise ConfigError(f"level must be between 0 and 1; got {level!r}.")
        columns = [f"silhouette_{s}" for s in ("input", "embedding")]
        columns += [f"davies_bouldin_{s}" for s in ("input", "embedding")]
        keys = ["features", "autoencoder", "clusterer", "k", "seed"]
        wide = self.scores.set_index(keys)[columns]
        with_coder = wide.xs(True, level="autoencoder") - wide.xs(False, level="autoencoder")
        price = wide.xs("original + extension + price", level="features") - wide.xs(
            "original + extension", level="features"
        )
        rows = {}
        for effect, difference in (("autoencoder", with_coder), ("price data", price)):
            by_seed = difference.groupby(level="seed").mean()
            for score in columns:
                rows[effect, score] = _interval(np.asarray(by_seed[score]), level)
        table = pd.DataFrame(rows, index=["estimate", "low", "high", "seeds"]).T
        return table.rename_axis(["effect", "score"])

    def chosen(self, choice: Choice | None = None) -> pd.Series:
        """Return the labels (by asset) of a choice, the best one when None."""
        wanted = choice if choice is not None else self.best()
        key = (wanted.experiment, wanted.clusterer, wanted.k)
        if key not in self.labels.columns:
            raise ConfigError(f"No such experiment: {wanted}.")
        return self.labels[key].rename("cluster")

    def profile(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return means, medians and spreads of every characteristic by cluster.

        Columns (statistic, feature); standard units are of the signed logarithms.
        """
        filled = self.data.fillna(self.data.median())
        standard = signed_log(filled.to_numpy(dtype=np.float64))
        return profiles(self.data, standard, self.chosen(choice).to_numpy())

    def boxes(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return the five numbers of a box plot by (feature, cluster), in standard units.

        Columns low, q1, median, q3, high: the whiskers are at the 5% and 95% quantiles.
        """
        z = pd.DataFrame(
            signed_log(self.data.to_numpy(dtype=np.float64)),
            index=self.data.index,
            columns=self.data.columns,
        )
        return boxes(z, self.chosen(choice).to_numpy())

    def names(self, choice: Choice | None = None) -> dict[int, str]:
        """Return a name per cluster by rule, such as "small, highly levered"."""
        return name_clusters(pd.DataFrame(self.profile(choice)["mean_z"]))

    def cluster_returns(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return the equally weighted return of each cluster, date x cluster, in decimals.

        Raises
        ------
        InputDataError
            If no returns were given.
        """
        if self.returns is None:
            raise InputDataError("Returns of clusters need the argument returns of experiments.")
        labels = self.chosen(choice)
        shared = self.returns.columns.intersection(labels.index)
        grouped = self.returns[shared].T.groupby(labels[shared]).mean().T
        return grouped.rename_axis(columns="cluster")

    def return_and_risk(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return mean and standard deviation per period of each cluster's return."""
        own = self.cluster_returns(choice)
        return pd.DataFrame({"mean": own.mean(), "std": own.std(ddof=1)})

    def correlations(self, choice: Choice | None = None) -> pd.DataFrame:
        """Return the correlations of the clusters' returns, cluster x cluster."""
        return self.cluster_returns(choice).corr()


def _column(score: str, space: str) -> str:
    """Return the column of a score in a space, or raise where there is none."""
    if score not in SCORES or space not in SPACES:
        raise ConfigError(
            f"score must be one of {SCORES} and space one of {SPACES}; got {score!r} and {space!r}."
        )
    return f"{score}_{space}"


def _interval(values: np.ndarray, level: float) -> list[float]:
    """Return mean, lower and upper end of the Student interval, and the number of values."""
    n = len(values)
    mean = float(values.mean())
    if n < 2:
        return [mean, np.nan, np.nan, float(n)]
    half = float(student.ppf(0.5 + level / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return [mean, mean - half, mean + half, float(n)]
