"""The errors of the package: one root and a few named children.

Every message names the rule, how many rows broke it, the first offender and the remedy.
"""

from __future__ import annotations


class AlphaStrataError(Exception):
    """Root of every error that this package raises on purpose."""


class InputDataError(AlphaStrataError, ValueError):
    """The data handed in break a rule of their contract."""


class ConfigError(AlphaStrataError, ValueError):
    """A setting is unknown, missing or outside its range."""


class LookAheadError(AlphaStrataError, ValueError):
    """A value would be used before it was known."""


class SourceError(AlphaStrataError, OSError):
    """A data source could not deliver what was asked of it."""


class OfflineError(SourceError):
    """The network is switched off and the store does not hold what was asked for."""


class RateLimitError(SourceError):
    """The source refuses more requests for now."""


class CacheCorruptError(SourceError):
    """A stored entry is not, byte for byte, what was stored."""


class EstimationError(AlphaStrataError, RuntimeError):
    """A model could not be estimated from the data given."""
