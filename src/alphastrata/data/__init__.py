"""Sources of data: files, libraries and markets in, `Panel` and `FactorReturns` out."""

from alphastrata.data.asof import as_of
from alphastrata.data.french import bundled_factors, french, french_file
from alphastrata.data.french_parse import FrenchFile, FrenchTable, parse_french
from alphastrata.data.lags import apply_lag
from alphastrata.data.simulate import Market, SimulationOptions, simulate_market
from alphastrata.data.simulate_truth import Truth

__all__ = [
    "FrenchFile",
    "FrenchTable",
    "Market",
    "SimulationOptions",
    "Truth",
    "apply_lag",
    "as_of",
    "bundled_factors",
    "french",
    "french_file",
    "parse_french",
    "simulate_market",
]
