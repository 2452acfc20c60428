"""What is drawn of a search: the criteria for the number of clusters, and settings by their score.

Plain descriptions that the page's charts and the figures for a paper share.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["CRITERIA", "Criterion", "Panel", "criteria_in", "tuning_panels"]


@dataclass(frozen=True)
class Criterion:
    """One way to choose the number of clusters, as one panel.

    Attributes
    ----------
    name : str
        As in the index of the choices.
    title : str
    lines : tuple of (str, str)
        Columns of the table, and what each is called where there are several.
    error : str
        Column with the standard error of the first line, empty where there is none.
    """

    name: str
    title: str
    lines: tuple[tuple[str, str], ...]
    error: str = ""


CRITERIA = (
    Criterion("elbow", "Squares within clusters, elbow", (("inertia", ""),)),
    Criterion(
        "silhouette",
        "Silhouette ↑",
        (("silhouette", "where it is clustered"), ("silhouette_input", "in the features")),
    ),
    Criterion("gap", "Gap statistic ↑", (("gap", ""),), "gap_se"),
    Criterion("stability", "Stability over half samples ↑", (("stability", ""),)),
    Criterion("calibrated", "Against noise, in its deviations ↑", (("calibrated", ""),)),
)


def criteria_in(table: pd.DataFrame) -> list[Criterion]:
    """Return the criteria of which the table has every column.

    Examples
    --------
    >>> [c.name for c in criteria_in(pd.DataFrame({"inertia": [3.0, 2.0]}, index=[2, 3]))]
    ['elbow']
    """
    return [c for c in CRITERIA if {column for column, _ in c.lines} <= set(table.columns)]


@dataclass(frozen=True)
class Panel:
    """The scores of all settings by the value of one parameter.

    Attributes
    ----------
    parameter : str
    values : list of str
        Values that were tried, in the order of the horizontal axis.
    places : list of int
        For each setting, the position of its value.
    scores : list of float
        For each setting.
    means : list of float
        For each value.
    best : int
        Position of the value of the best setting.
    """

    parameter: str
    values: list[str]
    places: list[int]
    scores: list[float]
    means: list[float]
    best: int


def tuning_panels(table: pd.DataFrame, *, score: str = "score") -> list[Panel]:
    """Return a panel for every parameter of which more than one value was tried.

    Parameters
    ----------
    table : DataFrame
        One row per setting, best first; the columns before ``score`` are parameters. Where a
        setting has no value of a parameter, it is missing from its panel.
    score : str
        Column of the score.

    Examples
    --------
    >>> table = pd.DataFrame({"k": [3, 2, 3], "cut": "a", "score": [0.5, 0.4, 0.3]})
    >>> [(p.parameter, p.values, p.means) for p in tuning_panels(table)]
    [('k', ['2', '3'], [0.4, 0.4])]
    """
    parameters = table.columns[: list(table.columns).index(score)]
    panels = []
    for name in parameters:
        tried = table[table[name].notna() & (table[name].astype(str) != "")]
        texts = tried[name].astype(str)
        values = sorted(texts.unique(), key=_order)
        if len(values) < 2:
            continue
        places = [values.index(text) for text in texts]
        means = tried[score].groupby(texts.to_numpy()).mean()
        panels.append(
            Panel(
                parameter=str(name),
                values=values,
                places=places,
                scores=[float(s) for s in tried[score]],
                means=[float(means[value]) for value in values],
                best=places[0],
            )
        )
    return panels


def _order(text: str) -> tuple[int, float, str]:
    """Return what sorts numbers by size, before names by letter."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
