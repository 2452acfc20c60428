"""Deep clustering of assets: transformers, maps, clusterers, windows, validity, explanations."""

from alphastrata.cluster.alignment import Aligned, Event, align
from alphastrata.cluster.attribution import (
    ShapleyValues,
    feature_importance,
    profile_drift,
    shapley_values,
)
from alphastrata.cluster.autoencoder import Autoencoder
from alphastrata.cluster.choose_k import ChosenK, choose_k, elbow
from alphastrata.cluster.deep import DEC, IDEC
from alphastrata.cluster.density import DensityClusterer
from alphastrata.cluster.embedding import TSNE, isomap, umap
from alphastrata.cluster.experiment_tables import Choice, Experiments
from alphastrata.cluster.experiments import FEATURE_SETS, experiments
from alphastrata.cluster.explain import boxes, name_clusters, profiles
from alphastrata.cluster.networks import (
    FeatureNetwork,
    NeighborNetwork,
    feature_network,
    neighbor_network,
)
from alphastrata.cluster.nulls import NullTest, null_test, sample_null
from alphastrata.cluster.pipeline import deep_clusterer
from alphastrata.cluster.purge import SizePurge, project_out, size_purge
from alphastrata.cluster.rolling import RollingOptions, rolling, rolling_scores
from alphastrata.cluster.rolling_many import rolling_many
from alphastrata.cluster.rolling_result import RollingClusters
from alphastrata.cluster.spectral import SpectralClusterer, spectral_labels
from alphastrata.cluster.stability import Stability, stability, window_stability
from alphastrata.cluster.surrogate import SurrogateTree, surrogate_tree
from alphastrata.cluster.transforms import (
    CrossSectionalRank,
    MedianImputer,
    SignedLog,
    Winsorizer,
)
from alphastrata.cluster.tuning import ClusterScorer, Tuned, drawn_settings, score_settings, tune
from alphastrata.cluster.vade import VaDE
from alphastrata.cluster.validity import Scores, score_clusters, scores, trustworthiness

__all__ = [
    "DEC",
    "FEATURE_SETS",
    "IDEC",
    "TSNE",
    "Aligned",
    "Autoencoder",
    "Choice",
    "ChosenK",
    "ClusterScorer",
    "CrossSectionalRank",
    "DensityClusterer",
    "Event",
    "Experiments",
    "FeatureNetwork",
    "MedianImputer",
    "NeighborNetwork",
    "NullTest",
    "RollingClusters",
    "RollingOptions",
    "Scores",
    "ShapleyValues",
    "SignedLog",
    "SizePurge",
    "SpectralClusterer",
    "Stability",
    "SurrogateTree",
    "Tuned",
    "VaDE",
    "Winsorizer",
    "align",
    "boxes",
    "choose_k",
    "deep_clusterer",
    "drawn_settings",
    "elbow",
    "experiments",
    "feature_importance",
    "feature_network",
    "isomap",
    "name_clusters",
    "neighbor_network",
    "null_test",
    "profile_drift",
    "profiles",
    "project_out",
    "rolling",
    "rolling_many",
    "rolling_scores",
    "sample_null",
    "score_clusters",
    "score_settings",
    "scores",
    "shapley_values",
    "size_purge",
    "spectral_labels",
    "stability",
    "surrogate_tree",
    "trustworthiness",
    "tune",
    "umap",
    "window_stability",
]
