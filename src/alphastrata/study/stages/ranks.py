"""Characteristics on one scale: ranks by date, at mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Iterable

from alphastrata.core import Panel
from alphastrata.core.bydate import rank, standardize


def unit_ranks(panel: Panel, columns: Iterable[str]) -> Panel:
    """Return the panel with columns replaced by their rank by date, at mean 0 and sd 1."""
    return panel.assign(
        {
            name: standardize(rank(panel.values(name), panel.offsets), panel.offsets)
            for name in columns
        }
    )
