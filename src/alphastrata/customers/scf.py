"""The Survey of Consumer Finances as a customer table: implicates and weights respected."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pandas as pd

from alphastrata.core.checks import Note, require_columns
from alphastrata.customers.table import CustomerTable, make_table, read_frame
from alphastrata.errors import InputDataError

__all__ = ["read_scf"]

# Tax-exempt, government and other bond funds of the summary extract.
BOND_FUNDS = ("TFBMUTF", "GBMUTF", "OBMUTF")


@cache
def _fields() -> pd.DataFrame:
    text = (files("alphastrata.customers") / "scf_fields.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)


def _codes(text: str) -> dict[int, str]:
    return {int(code): word for code, word in (pair.split("=") for pair in text.split(";"))}


def read_scf(path: str | Path) -> CustomerTable:
    """Return the households of a summary extract of the Survey of Consumer Finances.

    Parameters
    ----------
    path : path
        The public summary extract (``SCFP2019``) as CSV or parquet: five rows per household.

    Returns
    -------
    CustomerTable
        One row per implicate. ``groups`` is the household (``YY1``), so that the implicates of a
        household stay together; ``weights`` sum to the households of the country, because the
        extract's ``WGT`` is a fifth of the weight in each implicate. Sex and race are kept for
        the fairness table and make no segments. Amounts in dollars of the survey year.

    Raises
    ------
    InputDataError
        If a field is absent, a code is unknown, or a household has not five implicates.

    Notes
    -----
    Missing answers were imputed five times by the survey; the spread between the implicates is
    what is not known about a household, and `Segmentation.shares` carries it into its standard
    errors by Rubin's rules. Replicate weights are not in the extract: the sampling part of those
    errors treats households as drawn independently.

    References
    ----------
    Rubin, D. (1987), "Multiple Imputation for Nonresponse in Surveys". Board of Governors of the
    Federal Reserve System, "2019 Survey of Consumer Finances", summary extract public data.
    """
    raw = read_frame(path)
    fields = _fields()
    needed = [f for f in fields["field"] if f != "BOND_FUNDS"]
    require_columns(
        [str(c) for c in raw.columns], ["YY1", "Y1", "WGT", *BOND_FUNDS, *needed], "The survey"
    )
    counts = raw.groupby("YY1").size()
    odd = counts[counts != 5]
    if len(odd):
        raise InputDataError(
            f"Each household of the survey has five implicates; {len(odd)} have not. "
            f"First: YY1={odd.index[0]} with {odd.iloc[0]}. Use the whole extract."
        )
    raw = raw.assign(BOND_FUNDS=raw[list(BOND_FUNDS)].sum(axis=1))
    columns: dict[str, pd.Series] = {}
    kinds: dict[str, str | list[str]] = {}
    for field, column, kind, codes in fields.itertuples(index=False):
        columns[column] = _decoded(raw[field], _codes(codes), field) if codes else raw[field]
        kinds[column] = list(_codes(codes).values()) if kind == "ordered" else kind
    frame = pd.DataFrame(columns)
    frame["household"] = raw["YY1"]
    frame["weight"] = raw["WGT"]
    frame.index = pd.Index(raw["Y1"].astype(int).astype(str), name="customer")
    kinds |= {"household": "left out", "weight": "weight"}
    table = make_table(frame, kinds=kinds, groups="household")
    note = Note(
        "rows are implicates of households", len(raw), len(counts), "", "kept together", "customers"
    )
    return CustomerTable(
        frame=table.frame,
        kinds=table.kinds,
        weights=table.weights,
        groups=table.groups,
        notes=(*table.notes, note),
        source="Survey of Consumer Finances, summary extract",
    )


def _decoded(column: pd.Series, codes: dict[int, str], field: str) -> pd.Series:
    unknown = sorted(set(column.dropna().astype(int)) - set(codes))
    if unknown:
        raise InputDataError(
            f"The survey's {field} has codes {', '.join(map(str, codes))}; "
            f"{len(unknown)} others occur. First: {unknown[0]}. Is it the summary extract?"
        )
    return column.map(codes)
