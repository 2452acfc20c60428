"""Which statements belong to which assets of the market."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.errors import InputDataError

__all__ = ["match_assets"]


def match_assets(asset: pd.Series, market: pd.Index) -> tuple[npt.NDArray[np.int64], list[Note]]:
    """Return the position in ``market`` of each statement's asset, -1 for none, and a note.

    Parameters
    ----------
    asset
        Identifiers of statements, as text.
    market
        Unique identifiers of the market.

    Raises
    ------
    InputDataError
        There are statements and assets, and no identifier is in both.

    Examples
    --------
    >>> match_assets(pd.Series(["B", "Z"]), pd.Index(["A", "B"]))[0].tolist()
    [1, -1]
    """
    codes = market.astype(str).get_indexer(pd.Index(asset.astype(str))).astype(np.int64)
    distinct = pd.unique(asset)
    absent = pd.unique(asset[codes < 0])
    if not len(absent):
        return codes, []
    if len(absent) == len(distinct) and len(market):
        raise InputDataError(
            f"statements: An asset with statements has prices; none of {len(distinct):,} assets "
            f"has. First: {str(distinct[0])!r}, while the market's first is {str(market[0])!r}. "
            "Write identifiers alike in both tables: the same text, no blanks around it, no "
            "decimal point behind numbers."
        )
    note = Note(
        "An asset with statements has prices",
        len(absent),
        len(distinct),
        f"asset={absent[0]}",
        "without prices, their statements left out",
        "as_of",
    )
    return codes, [note]
