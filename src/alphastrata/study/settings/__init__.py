"""The settings of a study, as pydantic models: what may be said, and within which bounds."""

from alphastrata.study.settings.clusters import (
    ChecksConfig,
    ClusterConfig,
    EstimatorConfig,
    NetworkConfig,
    TuneConfig,
)
from alphastrata.study.settings.data import DataConfig, MacroConfig, SimulationConfig
from alphastrata.study.settings.inference import (
    BenchmarkConfig,
    ErrorsConfig,
    FamaMacBethConfig,
    FurtherConfig,
    MultiverseConfig,
    TestsConfig,
)
from alphastrata.study.settings.portfolios import (
    BacktestConfig,
    CostsConfig,
    DelistingsConfig,
    ImpactConfig,
    InformationConfig,
    ReplicationConfig,
)
from alphastrata.study.settings.sorts import HoldingConfig, ScreenConfig, SortConfig
from alphastrata.study.settings.study import ExperimentsConfig, StudyConfig

__all__ = [
    "BacktestConfig",
    "BenchmarkConfig",
    "ChecksConfig",
    "ClusterConfig",
    "CostsConfig",
    "DataConfig",
    "DelistingsConfig",
    "ErrorsConfig",
    "EstimatorConfig",
    "ExperimentsConfig",
    "FamaMacBethConfig",
    "FurtherConfig",
    "HoldingConfig",
    "ImpactConfig",
    "InformationConfig",
    "MacroConfig",
    "MultiverseConfig",
    "NetworkConfig",
    "ReplicationConfig",
    "ScreenConfig",
    "SimulationConfig",
    "SortConfig",
    "StudyConfig",
    "TestsConfig",
    "TuneConfig",
]
