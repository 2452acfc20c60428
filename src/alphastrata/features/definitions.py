"""What each characteristic is: the rows of catalog.csv."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

import pandas as pd

from alphastrata.features.formulas import Formula, parse


@dataclass(frozen=True)
class Definition:
    """One characteristic, as its row of the catalog states it.

    Attributes
    ----------
    name
        Name of the column that `alphastrata.features.compute` gives.
    label
        The name in words.
    family
        "liquidity", "market_liquidity", "leverage", "efficiency", "profitability", "size",
        "value", "investment", "momentum", "risk", "returns" or "statement".
    formula
        Arithmetic of canonical fields and calls, see `alphastrata.features.formulas`.
    fields
        Canonical fields that it uses; of those in a ``sum_present`` one suffices.
    daily
        "required": from daily data; "used": from daily data where they are given; "no".
    expected_sign
        Sign of the premium in the source: 1, -1, or 0 where none is claimed.
    log
        Whether the paper takes its (signed) logarithm: amounts of money.
    paper_group
        Group of the paper's experiments: "original", "extension", "price", or "".
    long_side
        "high" or "low": which side a long-short factor holds long by convention.
    source
        Paper that defines it or claims its premium.
    """

    name: str
    label: str
    family: str
    formula: str
    fields: tuple[str, ...]
    daily: Literal["required", "used", "no"]
    expected_sign: int
    log: bool
    paper_group: str
    long_side: Literal["high", "low"]
    source: str

    @property
    def parsed(self) -> Formula:
        """The parsed formula."""
        return parse(self.formula)


@cache
def definitions() -> dict[str, Definition]:
    """Return every characteristic by name, in the catalog's order."""
    text = files("alphastrata.features").joinpath("catalog.csv").read_text(encoding="utf-8")
    return {row["name"]: _read(row) for row in csv.DictReader(text.splitlines())}


def _read(row: dict[str, str]) -> Definition:
    return Definition(
        name=row["name"],
        label=row["label"],
        family=row["family"],
        formula=row["formula"],
        fields=tuple(row["fields"].split()),
        daily=cast(Literal["required", "used", "no"], row["daily"]),
        expected_sign=int(row["expected_sign"]),
        log=row["log"] == "yes",
        paper_group=row["paper_group"],
        long_side=cast(Literal["high", "low"], row["long_side"]),
        source=row["source"],
    )


def catalog() -> pd.DataFrame:
    """Return the catalog of characteristics, one row each, found by name.

    Returns
    -------
    DataFrame
        Columns name, label, family, formula, fields (separated by spaces), daily, expected_sign
        (1, -1 or 0), log (bool), paper_group, long_side ("high" or "low") and source. What each
        column means is said in `Definition`. The index holds the names too.

    Examples
    --------
    >>> catalog().loc["leverage", "formula"]
    'total_liabilities / total_assets'
    """
    frame = pd.DataFrame([asdict(definition) for definition in definitions().values()])
    frame["fields"] = frame["fields"].map(" ".join)
    return frame.set_index("name", drop=False).rename_axis(None)
