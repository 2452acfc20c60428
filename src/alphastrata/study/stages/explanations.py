"""What explains a clustering: profiles, a tree, Shapley values, importance, drift, networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from alphastrata import cluster
from alphastrata.cluster.explain import standardised
from alphastrata.cluster.window_fit import split_steps
from alphastrata.core import Panel
from alphastrata.core.faults import Fault, SettingError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings.explanations import ExplainConfig

__all__ = ["explanations"]

# Fewer assets than this cannot be divided into those that train and those that are held out.
FEWEST = 20
# Trees of the forest that imitates the assignment, and how often it is grown on shuffled labels:
# a forest takes a hundred times as long as the tree.
TREES, FOREST_SHUFFLES = 100, 2


def explanations(
    config: ExplainConfig,
    model: Any,
    panel: Panel,
    found: cluster.RollingClusters,
    names: list[str],
    *,
    seed: int,
) -> Artefacts:
    """Return what a study asked to have explained of its last cross-section, by "explain ...".

    Parameters
    ----------
    config
        What is asked for.
    model
        The unfitted clusterer, for the importance of characteristics.
    panel
        Market with the characteristics.
    found
        The clusters of every window.
    names
        Characteristics that were clustered.
    seed
        Of everything that draws.

    Raises
    ------
    ConfigError
        When Shapley values are asked for and the package shap is not installed.
    """
    if not config.asked:
        return {}
    date = found.strata.dates[-1]
    labels = found.strata.labels.xs(date, level="date").dropna().astype("int64")
    X = panel.at(date).loc[labels.index, names]
    X = X.loc[:, X.notna().any()]
    standard = _standard(model, X)
    out: Artefacts = {}
    about: dict[str, Any] = {
        "date": f"{date:%Y-%m-%d}",
        "assets": len(X),
        "left_out": [name for name in names if name not in X],
    }
    # Only clusters of two and more can be imitated on assets held out.
    sizes = labels.value_counts()
    imitated = labels.where(labels.map(sizes) >= 2, -1)
    if (sizes >= 2).sum() < 2:
        reason = "the last cross-section has fewer than two clusters of at least two assets"
        return {"explain about": {**about, "skipped": reason}}
    if config.profiles:
        out["explain profiles"] = _long(cluster.profiles(X, standard, labels.to_numpy()))
        out["explain boxes"] = cluster.boxes(standard, labels.to_numpy()).reset_index()
    if config.tree:
        tree = cluster.surrogate_tree(
            X, labels, max_depth=config.tree, shuffles=config.shuffles, random_state=seed
        )
        out |= {"explain tree": tree.nodes.reset_index(), "explain rules": tree.leaves}
        about["tree"] = _fidelity(tree)
    if config.shapley:
        values = cluster.shapley_values(
            X, imitated, n_trees=TREES, shuffles=FOREST_SHUFFLES, random_state=seed
        )
        out["explain shapley"] = values.importance.rename(columns=str).reset_index()
        out["explain direction"] = values.direction.rename(columns=str).reset_index()
        about["shapley"] = _fidelity(values)
    if config.importance:
        out |= _importance(config, model, X, labels, about, seed=seed)
    if config.drift and len(found.scores) > 1:
        out["explain drift"] = cluster.profile_drift(found.profiles).reset_index()
    if config.network != "none":
        net = cluster.feature_network(X, method=config.network, random_state=seed)
        out["explain associations"] = net.association.rename_axis("feature").reset_index()
        out["explain features"] = net.nodes.rename_axis("feature").reset_index()
        out["explain edges"] = net.edges
    if config.neighbors:
        out |= _neighbors(config.neighbors, found, standard, labels)
    return {**out, "explain about": about}


def _standard(model: Any, X: pd.DataFrame) -> pd.DataFrame:
    """Return characteristics as the model's own scaling steps make them, up to the network."""
    steps = split_steps(model)[0]
    kept = [step for name, step in steps if name in ("impute", "signed_log", "scale")]
    values = X.to_numpy(dtype=np.float64)
    for step in kept:
        values = np.asarray(clone(step).fit_transform(values), dtype=np.float64)
    return standardised(pd.DataFrame(values, index=X.index, columns=X.columns))


def _long(profile: pd.DataFrame) -> pd.DataFrame:
    """Return profiles as rows: cluster, feature, and a column per statistic."""
    return profile.stack("feature", future_stack=True).reset_index()


def _fidelity(found: cluster.SurrogateTree | cluster.ShapleyValues) -> dict[str, float]:
    return {
        "fidelity": found.fidelity,
        "chance": found.chance,
        "shuffled": found.shuffled,
    }


def _importance(
    config: ExplainConfig,
    model: Any,
    X: pd.DataFrame,
    labels: pd.Series,
    about: dict[str, Any],
    *,
    seed: int,
) -> Artefacts:
    """Return the importance among assets that a model fitted to the others assigns."""
    if len(X) < FEWEST:
        about["importance"] = {"skipped": f"{len(X)} assets are too few to hold half of them out"}
        return {}
    order = np.random.default_rng(seed).permutation(len(X))
    train, held_out = X.iloc[np.sort(order[::2])], X.iloc[np.sort(order[1::2])]
    # A model without an imputer has one in every window.
    early, late = split_steps(model)
    fitted = clone(Pipeline([*early, *late])).fit(train)
    assigned = fitted.predict(held_out)
    agreement = adjusted_rand_score(labels[held_out.index], assigned)
    about["importance"] = {
        "agreement": float(agreement),
        "train": len(train),
        "held_out": len(held_out),
    }
    found = cluster.feature_importance(
        fitted, held_out, repeats=config.importance, random_state=seed
    )
    return {"explain importance": found.reset_index()}


def _neighbors(
    n_neighbors: int, found: cluster.RollingClusters, standard: pd.DataFrame, labels: pd.Series
) -> Artefacts:
    """Return each asset's place on the map, its nearest neighbours, and how many share clusters."""
    if len(standard) <= n_neighbors:
        said = (
            f"{n_neighbors} needs more assets than the {len(standard)} that the last "
            "cross-section has clusters for; take fewer"
        )
        raise SettingError([Fault(("explain", "neighbors"), said)])
    here = found.embeddings[found.embeddings["date"] == found.strata.dates[-1]]
    places = here.set_index("asset").loc[labels.index, ["x", "y"]].assign(cluster=labels)
    near = cluster.neighbor_network(standard, labels, n_neighbors=n_neighbors)
    return {
        "explain places": places.rename_axis("asset").reset_index(),
        "explain neighbors": near.edges,
        "explain purity": near.purity.reset_index(),
    }
