"""Characteristics of assets: liquidity, leverage, efficiency, size, value, prices, statements."""

from alphastrata.features.compute import computable, compute, obstacles
from alphastrata.features.definitions import Definition, catalog
from alphastrata.features.macro import join_macro

__all__ = ["Definition", "catalog", "computable", "compute", "join_macro", "obstacles"]
