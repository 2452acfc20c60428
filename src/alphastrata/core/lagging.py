"""Which row holds an asset's value so many dates earlier."""

from __future__ import annotations

import numpy as np
from numba import njit

from alphastrata.core.grouping import Int64


@njit(cache=True, nogil=True)
def lagged_rows(asset_order: Int64, asset_offsets: Int64, date_codes: Int64, periods: int) -> Int64:
    """Return, for each row, the same asset's row ``periods`` dates earlier, -1 where none is.

    Parameters
    ----------
    asset_order
        Row positions sorted by (asset, date), shape (n_rows,).
    asset_offsets
        Bounds of each asset in ``asset_order``, shape (n_assets + 1,).
    date_codes
        Date code of each row, shape (n_rows,).
    periods
        How many dates earlier on the calendar, at least 0.
    """
    out = np.full(asset_order.size, -1, dtype=np.int64)
    for a in range(asset_offsets.size - 1):
        behind = asset_offsets[a]
        for i in range(asset_offsets[a], asset_offsets[a + 1]):
            row = asset_order[i]
            want = date_codes[row] - periods
            while date_codes[asset_order[behind]] < want:
                behind += 1
            if date_codes[asset_order[behind]] == want:
                out[row] = asset_order[behind]
    return out
