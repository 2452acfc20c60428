"""Who is chosen, by group: selection rates, and where one group is passed over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from alphastrata.customers.segmentation import Segmentation

__all__ = ["AGE_BANDS", "fairness"]

AGE_BANDS = (0, 25, 35, 45, 55, 65, 200)
FOUR_FIFTHS = 0.8
FEWEST = 30


def fairness(found: Segmentation, chosen: pd.Series) -> pd.DataFrame:
    """Return the share chosen in each group of age, sex, occupation and other protected columns.

    Parameters
    ----------
    found : Segmentation
    chosen : Series of bool
        Customer -> chosen, such as ``Campaign.chosen``.

    Returns
    -------
    DataFrame
        Index: (attribute, group). ``customers``, ``chosen``, ``rate``, ``low`` and ``high``
        (Wilson's 95% interval), ``ratio`` (to the highest rate among groups of the attribute
        with at least 30 customers) and ``flag`` ("below four fifths" where the ratio is below 0.8
        and the group has at least 30 customers).

    References
    ----------
    Wilson, E. (1927), JASA 22. US Equal Employment Opportunity Commission (1978), Uniform
    Guidelines, 29 CFR 1607.4 D (the four-fifths rule).

    Examples
    --------
    >>> from alphastrata.customers import Effort, make_table, segment, simulate
    >>> table = make_table(simulate(300, seed=1).customers)
    >>> found = segment(table, n_segments=2, effort=Effort(draws=4, repeats=1, k_max=3))
    >>> chosen = pd.Series(True, index=table.frame.index)
    >>> set(fairness(found, chosen)["ratio"].dropna())
    {1.0}
    """
    groups = found.table.customer_keys()
    first = ~groups.duplicated().to_numpy()
    frame = found.table.frame[first].set_axis(pd.Index(groups[first].astype(str)))
    picked = chosen.reindex(frame.index).fillna(False).to_numpy(dtype=bool)
    pieces = []
    for name, labels in _attributes(found, frame).items():
        pieces.append(_rates(name, labels, picked))
    if not pieces:
        return pd.DataFrame(columns=["customers", "chosen", "rate", "low", "high", "ratio", "flag"])
    return pd.concat(pieces)


def _attributes(found: Segmentation, frame: pd.DataFrame) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    if "age" in frame and found.table.kinds["kind"].get("age") == "numeric":
        names = [f"{a}-{b - 1}" if b < 200 else f"{a}+" for a, b in pairwise(AGE_BANDS)]
        names[0] = "under 25"
        out["age"] = pd.cut(frame["age"], list(AGE_BANDS), right=False, labels=names)
    for name in [*found.table.columns("protected"), "occupation"]:
        if name in frame and isinstance(frame[name].dtype, pd.CategoricalDtype):
            out[name] = frame[name]
    return out


def _rates(
    name: str, labels: pd.Series, picked: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> pd.DataFrame:
    text = labels.astype(object).where(labels.notna(), "not known")
    order = [*labels.cat.categories, "not known"]
    counts = pd.DataFrame({"group": text.to_numpy(), "chosen": picked}).groupby("group")["chosen"]
    out = pd.DataFrame({"customers": counts.size(), "chosen": counts.sum()})
    out = out.reindex([g for g in order if g in out.index])
    n, p = out["customers"], out["chosen"] / out["customers"]
    z = 1.959963984540054
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    out["rate"], out["low"], out["high"] = p, middle - half, middle + half
    large = (n >= FEWEST) & (out.index != "not known")
    best = float(p[large].max()) if large.any() else float("nan")
    out["ratio"] = (p / best if best > 0 else p * np.nan).where(out.index != "not known")
    flagged = large & (out["ratio"] < FOUR_FIFTHS)
    out["flag"] = np.where(flagged, "below four fifths", "")
    out.index = pd.MultiIndex.from_product([[name], out.index], names=["attribute", "group"])
    return out
