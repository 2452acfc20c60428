"""The theme of the campaign in each segment, as a table that marketing can use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import StringIO

import pandas as pd

from alphastrata.customers.campaign import Campaign
from alphastrata.customers.profile import SegmentProfiles

__all__ = ["themes"]

MIDDLE, OLD = 32.0, 55.0


@cache
def _themes() -> pd.DataFrame:
    text = (files("alphastrata.customers") / "themes.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), index_col=["class", "stage"])


def themes(profiles: SegmentProfiles, risk: pd.DataFrame, campaign: Campaign) -> pd.DataFrame:
    """Return what to say to each segment, about bonds newly issued by the state.

    Parameters
    ----------
    profiles : SegmentProfiles
    risk : DataFrame
        As `risk_profiles` returns it.
    campaign : Campaign

    Returns
    -------
    DataFrame
        Index: segment. ``name``, ``risk`` (class), ``chosen`` (customers), ``rate``, ``expected``
        (sum over the chosen), ``theme``, ``message``, ``channel``.

    Notes
    -----
    The theme follows from the class of risk and the stage of life (mean age below 32, to 55,
    above) by a table that comes with the package; it is a proposal to start from.
    """
    numbers = profiles.numbers
    aged = ("age", "") in numbers.index
    own = campaign.by_segment
    rows = {}
    for k in (int(str(k)) for k in risk.index):
        age = float(numbers[k][("age", "")]) if aged else (MIDDLE + OLD) / 2
        stage = "young" if age < MIDDLE else "old" if age > OLD else "middle"
        row = _themes().index.get_loc((str(risk["class"][k]), stage))
        text = _themes().iloc[int(str(row))]
        there = k in own.index
        rows[k] = {
            "name": profiles.names[k],
            "risk": str(risk["class"][k]),
            "chosen": int(own["chosen"][k]) if there else 0,
            "rate": float(own["rate"][k]) if there else 0.0,
            "expected": float(own["expected"][k]) if there else 0.0,
            "theme": str(text["theme"]),
            "message": str(text["message"]),
            "channel": str(text["channel"]),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("segment")
