"""Which rows may set breakpoints, or be sorted at all: stated filters, not silent ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alphastrata.core.bydate import breakpoints
from alphastrata.core.checks import Note
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError, InputDataError

Mask = npt.NDArray[np.bool_]


def eligible_rows(panel: Panel, rule: str | npt.NDArray[np.bool_]) -> Mask | None:
    """Return the rows that a rule names, None for all.

    Parameters
    ----------
    panel
        The market.
    rule
        "all"; the name of a numeric column (a mask: rows where it is present and not zero); a
        category of the column ``exchange``, such as "NYSE"; or booleans of shape (n_rows,).

    Returns
    -------
    numpy.ndarray or None
        bool of shape (n_rows,).

    Raises
    ------
    ConfigError
        For a rule that is none of these.
    InputDataError
        For booleans of another shape.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 2, "asset": ["A", "B"],
    ...                             "exchange": ["NYSE", "NASDAQ"]}), freq="M")
    >>> eligible_rows(panel, "NYSE")
    array([ True, False])
    """
    if not isinstance(rule, str):
        mask = np.asarray(rule)
        if mask.dtype != np.bool_ or mask.shape != (len(panel),):
            raise InputDataError(
                f"A mask of eligible rows is bool of shape ({len(panel)},), "
                f"got {mask.dtype} of shape {mask.shape}."
            )
        return mask
    if rule == "all":
        return None
    if rule in panel.columns and not panel.is_categorical(rule):
        values = panel.values(rule)
        return (values == values) & (values != 0.0)
    exchanges: list[str] = []
    if "exchange" in panel.columns and panel.is_categorical("exchange"):
        column = panel.categorical("exchange")
        exchanges = [str(name) for name in column.categories]
        if rule in exchanges:
            return np.asarray(column.codes == exchanges.index(rule))
    raise ConfigError(
        f"{rule!r} is neither 'all', a numeric mask column, nor an exchange. Exchanges in the "
        f"panel: {', '.join(exchanges) or 'none (there is no categorical column exchange)'}; "
        f"columns: {', '.join(panel.columns)}."
    )


@dataclass(frozen=True)
class Screen:
    """Stated filters: which assets are sorted at all, judged by what is known on the date.

    Parameters
    ----------
    exclude_industries
        Categories of the column ``industry`` to leave out, such as ("Financials",).
    min_price
        Leave out assets with a ``price`` below this, or without one.
    min_market_cap
        Leave out assets with a ``market_cap`` below this (currency units), or without one.
    micro_caps
        Leave out assets below this quantile of ``market_cap`` among ``breakpoints``.
    breakpoints
        Whose quantile ``micro_caps`` takes: "NYSE", "all", or a mask column.
    mask
        A mask column on top: rows where it is missing or zero are left out.

    Notes
    -----
    Micro-caps are commonly the stocks below the 20th percentile of NYSE market equity (Fama and
    French, 2008, "Dissecting anomalies", Journal of Finance 63).

    Examples
    --------
    >>> Screen(min_price=5.0, micro_caps=0.2).min_price
    5.0
    """

    exclude_industries: tuple[str, ...] = ()
    min_price: float | None = None
    min_market_cap: float | None = None
    micro_caps: float | None = None
    breakpoints: str = "NYSE"
    mask: str | None = None

    def __post_init__(self) -> None:
        if self.micro_caps is not None and not 0.0 < self.micro_caps < 1.0:
            raise ConfigError(f"Screen.micro_caps lies in (0, 1), got {self.micro_caps}.")


def screened_rows(
    panel: Panel, where: Screen | str | npt.NDArray[np.bool_]
) -> tuple[Mask | None, list[Note]]:
    """Return the rows that pass a screen (None for all), and a note for each filter that bites.

    Parameters
    ----------
    panel
        The market.
    where
        A `Screen`, or a rule of `eligible_rows`.

    Raises
    ------
    ConfigError
        For an industry that the panel does not know, or an unknown rule.
    InputDataError
        For columns that the panel lacks.
    """
    if not isinstance(where, Screen):
        mask = eligible_rows(panel, where)
        if mask is None or mask.all():
            return mask, []
        told = where if isinstance(where, str) else "mask"
        return mask, [_note(panel, f"rows outside {told}", mask)]
    keep = np.ones(len(panel), dtype=bool)
    notes: list[Note] = []
    for rule, mask in _filters(panel, where):
        if not mask.all():
            notes.append(_note(panel, rule, mask))
        keep &= mask
    return keep, notes


def _filters(panel: Panel, screen: Screen) -> Iterator[tuple[str, Mask]]:
    if screen.exclude_industries:
        column = panel.categorical("industry")
        known = [str(name) for name in column.categories]
        stray = [name for name in screen.exclude_industries if name not in known]
        if stray:
            raise ConfigError(
                f"Screen.exclude_industries names {stray[0]!r}, which the panel does not know. "
                f"Industries: {', '.join(known)}."
            )
        out = [known.index(name) for name in screen.exclude_industries]
        yield "industry excluded", ~np.isin(column.codes, out)
    for column_name, least in (("price", screen.min_price), ("market_cap", screen.min_market_cap)):
        if least is not None:
            yield f"{column_name} below {least:g} or missing", panel.values(column_name) >= least
    if screen.micro_caps is not None:
        size = panel.values("market_cap")
        setting = eligible_rows(panel, screen.breakpoints)
        cut = breakpoints(size, panel.offsets, [screen.micro_caps], eligible=setting)[:, 0]
        rule = f"market_cap below quantile {screen.micro_caps:g} of {screen.breakpoints}"
        yield rule, size >= cut[panel.date_codes]
    if screen.mask is not None:
        values = panel.values(screen.mask)
        yield f"mask {screen.mask}", (values == values) & (values != 0.0)


def _note(panel: Panel, rule: str, mask: Mask) -> Note:
    at = int(np.argmin(mask))
    date, asset = panel.dates[panel.date_codes[at]], panel.assets[panel.asset_codes[at]]
    first = f"date={date.date()}, asset={asset}"
    return Note(rule, int((~mask).sum()), mask.size, first, "not sorted", "portfolio")
