"""Columns of dates: read where they can mean one day only."""

from __future__ import annotations

import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.keys import to_dates

__all__ = ["formatted_clock", "read_clock"]


def read_clock(
    values: pd.Series, found: Violations, *, required: bool = True
) -> pd.Series[pd.Timestamp]:
    """Return naive nanosecond timestamps under the index of ``values``.

    Parameters
    ----------
    values
        Dates, date objects, periods, or text of full ISO dates. Numbers and other text are refused,
        as in `Panel`.
    found
        Collects what is wrong; where something is, the values returned are of no use.
    required
        Whether a missing date is wrong as well.

    Examples
    --------
    >>> read_clock(pd.Series(["2015-01-31"], name="date"), Violations("table"))[0].day
    31
    """
    name = repr(str(values.name))
    # A column without any value has no type to be judged by.
    plain = pd.Index(values) if bool(values.notna().any()) else pd.DatetimeIndex([pd.NaT])
    dates = to_dates(plain, found, f"Dates in {name}")
    if dates is None:
        return pd.Series(pd.NaT, index=values.index, name=values.name, dtype="datetime64[ns]")
    if plain.size != len(values):
        dates = pd.DatetimeIndex([pd.NaT] * len(values)).as_unit("ns")
    absent = values.isna().to_numpy()
    found.require(
        not (required and absent.any()),
        f"Each row has a date in {name}",
        count=int(absent.sum()),
        first=f"row {int(absent.argmax())}" if absent.any() else "",
        remedy="Fill these dates or drop the rows",
    )
    return pd.Series(dates, index=values.index, name=values.name)


def formatted_clock(values: pd.Series, form: str, found: Violations) -> pd.Series[pd.Timestamp]:
    """Return timestamps of dates that were declared to be written in a ``strptime`` format."""
    name = repr(str(values.name))
    empty = pd.Series(pd.NaT, index=values.index, name=values.name, dtype="datetime64[ns]")
    text = values.astype(str)
    try:
        parsed = pd.to_datetime(text, errors="coerce", format=form)
    except ValueError as error:
        found.add(
            f"Dates in {name} follow date_format = {form!r}",
            count=len(values),
            first=repr(text.iloc[0]) if len(text) else "",
            remedy=f"Mend the format ({error})",
        )
        return empty
    bad = parsed.isna()
    if bool(bad.any()):
        found.add(
            f"Dates in {name} follow date_format = {form!r}",
            count=int(bad.sum()),
            first=repr(text[bad].iloc[0]),
            remedy='Say another date_format, such as "%d.%m.%Y", or mend these rows',
        )
        return empty
    return read_clock(parsed, found)
