"""Sources of data: files, libraries and markets in, `Panel` and `FactorReturns` out."""

from alphastrata.data.french import bundled_factors, french, french_file
from alphastrata.data.french_parse import FrenchFile, FrenchTable, parse_french

__all__ = [
    "FrenchFile",
    "FrenchTable",
    "bundled_factors",
    "french",
    "french_file",
    "parse_french",
]
