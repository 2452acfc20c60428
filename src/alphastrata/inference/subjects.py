"""What a battery of tests is about: factors, models, portfolios, panel and instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from alphastrata.core import FactorReturns, Panel
from alphastrata.errors import InputDataError
from alphastrata.inference.samples import Returns

__all__ = ["Subjects", "funded", "one_factor", "together"]


@dataclass(frozen=True)
class Subjects:
    """What a battery of tests is about.

    Attributes
    ----------
    new : FactorReturns, DataFrame or Series
        The factors under test: zero-cost returns.
    known : FactorReturns, DataFrame or Series
        The benchmark model.
    portfolios : FactorReturns, DataFrame or Series, optional
        Test assets, for example the portfolios of all strata.
    panel : Panel, optional
        Rows by (date, asset), for cross-sectional regressions.
    x : sequence of str
        Characteristics of the cross-sectional regressions.
    y : str
        Their dependent variable.
    models : mapping of name to FactorReturns, DataFrame or Series
        Factor models that are compared with each other.
    instruments : DataFrame, optional
        Date by instrument, known at their dates, for conditional models.
    """

    new: Returns
    known: Returns
    portfolios: Returns | None = None
    panel: Panel | None = None
    x: Sequence[str] = ()
    y: str = "ret"
    models: Mapping[str, Returns] = field(default_factory=dict)
    instruments: pd.DataFrame | None = None

    def lacks(self, needs: Sequence[str]) -> list[str]:
        """Return which of these subjects are absent."""
        return [name for name in needs if not self._has(name)]

    def _has(self, name: str) -> bool:
        if name == "panel":
            return self.panel is not None and bool(self.x)
        value = getattr(self, name)
        return bool(value) if name == "models" else value is not None


def one_factor(known: Returns) -> Returns:
    """Return the first factor of a model: the market, by convention."""
    if isinstance(known, FactorReturns):
        return known.select(known.factors[:1])
    return known if isinstance(known, pd.Series) else known.iloc[:, :1]


def together(known: Returns, new: Returns) -> pd.DataFrame:
    """Return the factors of a model and new ones side by side, on dates that both have."""
    frames = []
    for data in (known, new):
        if isinstance(data, FactorReturns):
            frames.append(data.excess())
        else:
            frames.append(data.to_frame() if isinstance(data, pd.Series) else data)
    names = [name for name in frames[1] if name not in frames[0]]
    return pd.concat([frames[0], frames[1][names]], axis=1, join="inner").dropna()


def funded(known: Returns) -> FactorReturns:
    """Return factors as total returns: each on top of the risk-free rate.

    Raises
    ------
    InputDataError
        Without a risk-free rate.
    """
    if isinstance(known, FactorReturns) and known.kind == "total":
        return known
    if not isinstance(known, FactorReturns) or known.risk_free is None:
        raise InputDataError(
            "Total returns of benchmark factors need a risk-free rate; hand in a FactorReturns "
            "that has one."
        )
    frame = known.frame.add(known.risk_free, axis=0)
    return FactorReturns(frame, kind="total", freq=known.freq, source=f"{known.source}, funded")
