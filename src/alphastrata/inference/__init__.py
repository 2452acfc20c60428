"""Tests of factors: alphas, joint tests, cross-sectional regressions and many tests at once."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alphastrata.inference.battery import (
    Battery,
    Request,
    Subjects,
    available_tests,
    run_battery,
)
from alphastrata.inference.bayesian import BayesianResult, bayesian_fama_macbeth
from alphastrata.inference.betas import BetaResult, dimson_beta, downside_beta
from alphastrata.inference.britten_jones import TangencyResult, tangency
from alphastrata.inference.comparison import (
    SideBySide,
    models_side_by_side,
    pricing_table,
    side_by_side,
)
from alphastrata.inference.conditional import ConditionalResult, conditional_model
from alphastrata.inference.factor_models import (
    ModelComparison,
    adjusted_squared_sharpe,
    compare_models,
    select_factors,
)
from alphastrata.inference.fama_macbeth import FamaMacBethResult, fama_macbeth
from alphastrata.inference.grs import GRSResult, grs, grs_statistic
from alphastrata.inference.hac import HAC
from alphastrata.inference.interactions import with_indicators, with_products
from alphastrata.inference.joint import JointResult, joint_alphas
from alphastrata.inference.ledger import Ledger, Trial
from alphastrata.inference.ledoit_wolf import SharpeDifference, sharpe_difference
from alphastrata.inference.luck import LuckResult, bootstrap_alphas
from alphastrata.inference.multiple import adjust_pvalues, adjustments, t_threshold
from alphastrata.inference.multiverse import Estimate, MultiverseResult, estimate_of, multiverse
from alphastrata.inference.rolling import RollingBetas, rolling_betas
from alphastrata.inference.sharpe import (
    DeflatedSharpe,
    SharpeMoments,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)
from alphastrata.inference.spanning import SpanningResult, huberman_kandel, spanning
from alphastrata.inference.specifications import SpecificationsResult, specifications
from alphastrata.inference.stability import StabilityResult, chow, cusum
from alphastrata.inference.tabulated import (
    TableResult,
    adjusted_alphas,
    factor_selection,
    pricing_models,
    sharpe_differences,
    track_record,
)
from alphastrata.inference.three_pass import ThreePassResult, three_pass
from alphastrata.inference.time_series import TimeSeriesResult, time_series
from alphastrata.inference.two_pass import TwoPassResult, two_pass

if TYPE_CHECKING:
    from alphastrata.inference.double_lasso import DoubleSelectionResult, double_selection
    from alphastrata.inference.pooled import PanelRegressionResult, panel_regression
    from alphastrata.inference.snooping import (
        RealityCheck,
        RomanoWolfResult,
        reality_check,
        romano_wolf,
    )

# Loaded on first use: they pull in scikit-learn, linearmodels and arch. None of these modules
# has the name of a function, which would hide it.
_LATER = {
    "DoubleSelectionResult": "double_lasso",
    "double_selection": "double_lasso",
    "PanelRegressionResult": "pooled",
    "panel_regression": "pooled",
    "RealityCheck": "snooping",
    "RomanoWolfResult": "snooping",
    "reality_check": "snooping",
    "romano_wolf": "snooping",
}

__all__ = [
    "HAC",
    "Battery",
    "BayesianResult",
    "BetaResult",
    "ConditionalResult",
    "DeflatedSharpe",
    "DoubleSelectionResult",
    "Estimate",
    "FamaMacBethResult",
    "GRSResult",
    "JointResult",
    "Ledger",
    "LuckResult",
    "ModelComparison",
    "MultiverseResult",
    "PanelRegressionResult",
    "RealityCheck",
    "Request",
    "RollingBetas",
    "RomanoWolfResult",
    "SharpeDifference",
    "SharpeMoments",
    "SideBySide",
    "SpanningResult",
    "SpecificationsResult",
    "StabilityResult",
    "Subjects",
    "TableResult",
    "TangencyResult",
    "ThreePassResult",
    "TimeSeriesResult",
    "Trial",
    "TwoPassResult",
    "adjust_pvalues",
    "adjusted_alphas",
    "adjusted_squared_sharpe",
    "adjustments",
    "available_tests",
    "bayesian_fama_macbeth",
    "bootstrap_alphas",
    "chow",
    "compare_models",
    "conditional_model",
    "cusum",
    "deflated_sharpe",
    "dimson_beta",
    "double_selection",
    "downside_beta",
    "estimate_of",
    "expected_maximum_sharpe",
    "factor_selection",
    "fama_macbeth",
    "grs",
    "grs_statistic",
    "huberman_kandel",
    "joint_alphas",
    "minimum_track_record",
    "models_side_by_side",
    "multiverse",
    "panel_regression",
    "pricing_models",
    "pricing_table",
    "probabilistic_sharpe",
    "reality_check",
    "rolling_betas",
    "romano_wolf",
    "run_battery",
    "select_factors",
    "sharpe_difference",
    "sharpe_differences",
    "sharpe_moments",
    "side_by_side",
    "spanning",
    "specifications",
    "t_threshold",
    "tangency",
    "three_pass",
    "time_series",
    "track_record",
    "two_pass",
    "with_indicators",
    "with_products",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"alphastrata.inference.{_LATER[name]}"), name)
    raise AttributeError(f"module 'alphastrata.inference' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
