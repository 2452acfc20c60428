"""The composition stage: what each portfolio holds, by date."""

from __future__ import annotations

import pandas as pd

from alphastrata import portfolio
from alphastrata.core import Panel, Strata
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig, SortConfig
from alphastrata.study.stages.weighing import cohorts_of, weights_of


def composition(
    parts: list[tuple[ClusterConfig | SortConfig, Strata]], panel: Panel, characteristics: list[str]
) -> Artefacts:
    """Return counts, concentration, size and characteristics of every portfolio, by date.

    Parameters
    ----------
    parts
        Clusterings and sorts with their strata.
    panel
        Monthly market.
    characteristics
        Columns to average with the portfolios' weights.

    Returns
    -------
    Artefacts
        "inside NAME" by (date, portfolio) for each part; "smallest", the effective number of
        assets of its most concentrated portfolio by date; "mean", averages over dates.
    """
    out: Artefacts = {}
    smallest, means = {}, []
    for part, strata in parts:
        own = part.columns if isinstance(part, SortConfig) else ()
        columns = list(dict.fromkeys([*own, *characteristics]))
        table = portfolio.composition(
            strata,
            panel,
            columns=columns,
            weighting=weights_of(part),
            hold=cohorts_of(part),
        )
        out[f"inside {part.name}"] = table
        smallest[part.name] = table["effective_n"].groupby(level="date").min()
        by_portfolio = table.groupby(level="portfolio", sort=False)
        mean = by_portfolio.mean()
        mean.insert(1, "fewest assets", by_portfolio["assets"].min())
        mean = mean.rename_axis("portfolio").reset_index()
        mean.insert(0, "grouping", part.name)
        means.append(mean)
    out["smallest"] = pd.DataFrame(smallest).sort_index()
    out["mean"] = pd.concat(means, ignore_index=True)
    return out
