"""alphastrata: strata in, alpha out.

Do strata of stocks, found by deep clustering or by sorting on a characteristic, earn an alpha
that the Fama-French factors do not explain?

The public names load on first use, so that importing the package is quick and pulls in neither
torch nor scikit-learn, statsmodels, matplotlib or yfinance.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from alphastrata import errors

if TYPE_CHECKING:
    from alphastrata import (
        cluster,
        core,
        customers,
        data,
        features,
        inference,
        portfolio,
        report,
        study,
    )
    from alphastrata.core import (
        FactorReturns,
        Holdings,
        Note,
        Panel,
        RollingWindows,
        Strata,
        Window,
    )

__version__ = version("alphastrata")

_ROOMS = (
    "cluster",
    "core",
    "customers",
    "data",
    "features",
    "inference",
    "portfolio",
    "report",
    "study",
)
_CONTRACTS = ("FactorReturns", "Holdings", "Note", "Panel", "RollingWindows", "Strata", "Window")

__all__ = [
    "FactorReturns",
    "Holdings",
    "Note",
    "Panel",
    "RollingWindows",
    "Strata",
    "Window",
    "__version__",
    "cluster",
    "core",
    "customers",
    "data",
    "errors",
    "features",
    "inference",
    "portfolio",
    "report",
    "study",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"alphastrata.{name}")
    if name in _CONTRACTS:
        return getattr(import_module("alphastrata.core"), name)
    raise AttributeError(f"module 'alphastrata' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
