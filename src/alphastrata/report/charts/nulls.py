"""Chart of a null test: what the same pipeline scores on data without clusters, and on the data."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from alphastrata.report.charts.chart import Chart, Json, axis, numbers, panels, plain
from alphastrata.report.palette import HIGH

__all__ = ["NULL_NAMES", "SPACES", "null_test", "spread"]

NULL_NAMES: Final = {
    "permute": "permuted columns",
    "copula": "Gaussian copula",
    "one_factor": "one factor",
}
SPACES: Final = {
    "silhouette_embedding": "Silhouette where it is clustered",
    "silhouette_latent": "Silhouette in the latent space",
    "silhouette_input": "Silhouette in the features",
}


def spread(count: int) -> list[float]:
    """Return heights in [-0.3, 0.3] that keep so many dots apart, the same every time.

    Examples
    --------
    >>> spread(2)
    [-0.3, 0.07]
    """
    turns = np.modf(np.arange(count) * 0.6180339887)[0]
    return [round(float(value), 2) for value in 0.6 * turns - 0.3]


def null_test(observed: pd.Series, simulated: pd.DataFrame) -> Chart:
    """Return the silhouettes of every draw of every null as dots, and the data's as a line.

    Parameters
    ----------
    observed : Series
        Score -> value on the data, as ``NullTest.observed``.
    simulated : DataFrame indexed by (null, draw)
        The same scores on data without clusters, ``NullTest.simulated``.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("permute", 0)], names=["null", "draw"])
    >>> chart = null_test(pd.Series({"silhouette_input": 0.4}),
    ...                   pd.DataFrame({"silhouette_input": [0.1]}, index=index))
    >>> [trace["x"] for trace in chart.data]
    [[0.1], [0.4, 0.4]]
    """
    shown = [score for score in SPACES if score in observed.index]
    kinds = list(dict.fromkeys(simulated.index.get_level_values("null")))
    data: list[Json] = []
    for number, score in enumerate(shown, start=1):
        place = {"type": "scatter", "xaxis": f"x{axis(number)}", "yaxis": f"y{axis(number)}"}
        for height, kind in enumerate(kinds):
            draws = simulated.loc[kind, score].dropna()
            data.append(
                {
                    **place,
                    "mode": "markers",
                    "name": plain(NULL_NAMES.get(kind, kind)),
                    "x": numbers(draws),
                    "y": [height + step for step in spread(len(draws))],
                    "marker": {"color": "@muted", "size": 5, "opacity": 0.6},
                    "hovertemplate": f"{plain(NULL_NAMES.get(kind, kind))}: %{{x:.3f}}"
                    "<extra></extra>",
                }
            )
        value = numbers(observed[[score, score]])
        data.append(
            {
                **place,
                "mode": "lines",
                "name": "data",
                "x": value,
                "y": [-0.5, len(kinds) - 0.5],
                "line": {"color": HIGH, "width": 2.5},
                "hovertemplate": "data: %{x:.3f}<extra></extra>",
            }
        )
    ticks = {
        "tickvals": list(range(len(kinds))),
        "ticktext": [plain(NULL_NAMES.get(kind, kind)) for kind in kinds],
        "range": [-0.6, len(kinds) - 0.4],
    }
    extra: dict[str, Json] = {f"yaxis{axis(n)}": ticks for n in range(1, len(shown) + 1)}
    wide, narrow = panels([SPACES[score] for score in shown], columns=1, extra=extra)
    height = 90 + (60 + 34 * len(kinds)) * max(len(shown), 1)
    return Chart(
        title="The data's score among those of data without clusters",
        caption="A dot is the whole pipeline on one draw without clusters, the line is the data. "
        "A line among the dots is no better than noise. What has not two clusters has no score.",
        data=data,
        layout={**wide, "showlegend": False, "hovermode": "closest"},
        height=height,
        narrow={**narrow, "height": height},
    )
