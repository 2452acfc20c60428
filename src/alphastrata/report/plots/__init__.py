"""Figures for a paper: every function takes plain frames and returns the axes that it drew on.

The frames are those of :mod:`alphastrata.report.model`. No function opens a window, and none
changes matplotlib's settings for others. Vector files keep text as text::

    plots.save(plots.alphas(plot), "alphas.pdf")
"""

from alphastrata.report.plots.clusters import map_of_clusters, membership, profiles, scores
from alphastrata.report.plots.experiments import (
    effects,
    experiment_scores,
    map_in_3d,
    return_and_risk,
)
from alphastrata.report.plots.explain import beeswarm, boxes, drift, importance, shapley, tree
from alphastrata.report.plots.networks import neighbors, network
from alphastrata.report.plots.nulls import null_test
from alphastrata.report.plots.results import alphas, by_date, specifications, truth, tstats
from alphastrata.report.plots.returns import correlations, drawdowns, growth
from alphastrata.report.plots.search import choose_k, tuning
from alphastrata.report.style import save

__all__ = [
    "alphas",
    "beeswarm",
    "boxes",
    "by_date",
    "choose_k",
    "correlations",
    "drawdowns",
    "drift",
    "effects",
    "experiment_scores",
    "growth",
    "importance",
    "map_in_3d",
    "map_of_clusters",
    "membership",
    "neighbors",
    "network",
    "null_test",
    "profiles",
    "return_and_risk",
    "save",
    "scores",
    "shapley",
    "specifications",
    "tree",
    "truth",
    "tstats",
    "tuning",
]
