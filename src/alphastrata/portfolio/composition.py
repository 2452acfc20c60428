"""What portfolios consist of by date: counts, concentration, size and characteristics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import require_columns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.core.sums import sums_by_cell
from alphastrata.portfolio.returns import check_rules
from alphastrata.portfolio.schedule import Hold
from alphastrata.portfolio.targets import weights_of_strata
from alphastrata.portfolio.weights import Weighting


def composition(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    columns: Sequence[str] = (),
    weighting: Weighting = "value",
    hold: Hold = None,
) -> pd.DataFrame:
    """Return what each stratum holds from the end of each date on.

    Parameters
    ----------
    strata, panel, weighting, hold
        As for `portfolio_returns`.
    columns
        Characteristics to average, with the portfolio's weights, over the assets that have them.

    Returns
    -------
    pandas.DataFrame
        Indexed by (date, portfolio): ``assets`` (how many), ``effective_n`` (1 / sum of squared
        weights: how many equally weighted assets would be as concentrated), ``max_weight``,
        ``market_cap`` (sum, where the panel has it) and one column per characteristic, called
        ``mean market_cap`` and the like where its name is taken.

    Raises
    ------
    ConfigError, InputDataError
        As for `portfolio_returns`.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "lev": [1., 3],
    ...                             "market_cap": [1.0, 1.0]}), freq="M")
    >>> one = Strata(pd.DataFrame({"A": [1], "B": [1]}, index=panel.dates), ordered=True)
    >>> composition(one, panel, columns=["lev"]).iloc[0].to_dict()
    {'assets': 2.0, 'effective_n': 2.0, 'max_weight': 0.5, 'market_cap': 2.0, 'lev': 2.0}
    """
    panel = as_panel(panel)
    check_rules(panel, weighting, hold, "renormalise", None)
    require_columns(panel.columns, list(columns), "composition")
    table = weights_of_strata(strata, panel, weighting, hold, formation_only=False)
    date = table["date"].to_numpy()
    rows = panel.lookup(date, table["asset"].to_numpy())
    cell = date * strata.n + table["stratum"].to_numpy() - 1
    size = len(panel.dates) * strata.n
    share = table["weight"].to_numpy()
    count = np.bincount(cell, minlength=size).astype(np.float64)
    kept = np.flatnonzero(count)
    squares = sums_by_cell(cell, share**2, size)
    largest = np.zeros(size)
    np.maximum.at(largest, cell, share)
    effective = np.zeros(size)
    effective[kept] = 1.0 / squares[kept]
    out: dict[str, npt.NDArray[np.float64]] = {
        "assets": count,
        "effective_n": effective,
        "max_weight": largest,
    }
    if "market_cap" in panel.columns:
        caps = np.nan_to_num(panel.values("market_cap")[rows])
        out["market_cap"] = sums_by_cell(cell, caps, size)
    for name in columns:
        values = panel.values(name)[rows]
        known = ~np.isnan(values)
        top = sums_by_cell(cell[known], (share * values)[known], size)
        base = sums_by_cell(cell[known], share[known], size)
        mean = np.full(size, np.nan)
        np.divide(top, base, out=mean, where=base > 0.0)
        out[f"mean {name}" if name in out else name] = mean
    index = pd.MultiIndex.from_arrays(
        [panel.dates[kept // strata.n], np.array(list(strata.names.values()))[kept % strata.n]],
        names=["date", "portfolio"],
    )
    return pd.DataFrame({name: values[kept] for name, values in out.items()}, index=index)
