"""Parser of Kenneth French's data library: bytes of one file in, all its tables out.

Nothing is assumed about where a table starts. Rows of numbers are found by their looks (a date of
4, 6 or 8 digits and a comma), the line above them names the columns, the text above that line is
the title, and the title tells the unit. The files drift between vintages (line ends, decimals,
padding, missing titles, names that a spreadsheet turned into dates), so whatever cannot be read
with certainty is refused with the line number, and never read in part.

Source of the format: https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.data.french_dates import (
    FREQUENCY_WORDS,
    Frequency,
    check_dates,
    dates_of,
    frequency_of,
)
from alphastrata.data.french_text import Block, blocks_of, text_of
from alphastrata.errors import InputDataError

Unit = Literal["percent", "count", "size", "ratio"]

MISSING_CODES = (-99.99, -999.0)
"""What the library writes for a missing value, in every table and before any scaling."""

FACTOR_NAMES = frozenset(
    ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "RF", "Mom", "MOM", "WML", "UMD", "ST_Rev", "LT_Rev")
)

_VINTAGE = re.compile(r"using\s+the\s+(\d{6})\s+(\w+)\s+database", re.IGNORECASE)
_TITLE = re.compile(
    r"((?:average\s+)?(?:value|equal(?:ly)?)[- ]\s*weight(?:ed)?\s+(?:returns|average)\b.*"
    r"|annual factors\b.*|number of firms\b.*|average (?:firm size|market cap)\b.*"
    r"|sum of be\b.*)$",
    re.IGNORECASE,
)
_RETURNS = re.compile(r"\breturns?\b|\bannual factors\b", re.IGNORECASE)
_COUNTS = re.compile(r"\bnumber of\b", re.IGNORECASE)
_SIZES = re.compile(r"\baverage\s+(firm\s+size|market\s+cap)", re.IGNORECASE)
_SPREADSHEET_DECILE = re.compile(r"^([2-9])-Dec$")


@dataclass(frozen=True, eq=False)
class FrenchTable(Shown):
    """One table of a file.

    Attributes
    ----------
    name
        The title as printed, on one line; "Factors -- Monthly" and the like where none is printed.
    frequency
        "D", "W", "M" or "Y".
    unit
        "percent" (held in decimals), "count" (firms), "size" (millions of dollars) or "ratio"
        (as printed).
    frame
        float64, one column per portfolio or factor; index "date" (nanoseconds): the day, the end
        of the month, the end of the year.
    """

    name: str
    frequency: Frequency
    unit: Unit
    frame: pd.DataFrame

    @property
    def is_returns(self) -> bool:
        """Whether the numbers are returns earned in the period, not an average of prior ones."""
        return self.unit == "percent" and "average of prior" not in self.name.lower()

    @property
    def is_factors(self) -> bool:
        """Whether the columns are factors (already excess or zero-cost), not portfolios."""
        named = self.name.startswith(("Factors --", "Annual Factors"))
        known = bool(FACTOR_NAMES.intersection(self.frame.columns))
        return self.unit == "percent" and (named or known)

    def __repr__(self) -> str:
        rows, columns = self.frame.shape
        return f"FrenchTable({self.name!r}, {self.frequency}, {self.unit}, {rows} x {columns})"


@dataclass(frozen=True, eq=False)
class FrenchFile(Shown):
    """All tables of one file of the library.

    Attributes
    ----------
    title
        The text above the first table.
    vintage
        "YYYYMM" of the database the file was made from; "" where the file does not say.
    database
        "CRSP" or "Bloomberg"; "" where the file does not say.
    tables
        In the order of the file.
    notes
        What was changed while reading, counted.
    """

    title: str
    vintage: str
    database: str
    tables: tuple[FrenchTable, ...]
    notes: tuple[Note, ...] = ()


def parse_french(raw: bytes, *, label: str = "the file") -> FrenchFile:
    r"""Return every table of one file of Kenneth French's library.

    Parameters
    ----------
    raw : bytes
        The file as published: a zip with one CSV in it, or that CSV.
    label : str
        What to call the file in messages.

    Returns
    -------
    FrenchFile
        Returns and prior returns in decimals, counts, sizes and ratios as printed. -99.99 and
        -999 are missing, and become so before anything is divided by 100.

    Raises
    ------
    InputDataError
        The bytes are not such a file, or any part of it cannot be read with certainty: an HTML
        page, a truncated row, a heading without rows, a table without a title, dates that repeat
        or leave holes. The message names the line.

    Examples
    --------
    >>> raw = b"Made using the 202412 CRSP database.\n\n,Mkt-RF,RF\n202412, -3.17,0.37\n"
    >>> parse_french(raw).tables[0].frame.round(4).values.tolist()
    [[-0.0317, 0.0037]]
    """
    text = text_of(raw, label=label)
    blocks, below = blocks_of(text, label=label)
    preamble = [line.strip(" ,\t") for line in blocks[0].above]
    found = _VINTAGE.search(" ".join(preamble))
    notes: list[Note] = []
    tables: list[FrenchTable] = []
    for number, block in enumerate(blocks):
        tables.extend(_table(block, number == 0, preamble, label, notes))
    vintage = found.group(1) if found else ""
    _check_end(tables[-1], vintage, below, label)
    return FrenchFile(
        title=" ".join(" ".join(preamble).split()),
        vintage=vintage,
        database=found.group(2) if found else "",
        tables=tuple(tables),
        notes=tuple(notes),
    )


def _check_end(last: FrenchTable, vintage: str, below: list[str], label: str) -> None:
    """Refuse a file that stops before its end.

    A file cut at a line break looks whole, so its last table is compared with the vintage; the
    copyright line, where there is one, says that nothing is missing.
    """
    if any(line.lower().startswith("copyright") for line in below):
        strange = [line for line in below if not line.lower().startswith("copyright")]
    else:
        strange = below
    if strange:
        raise InputDataError(
            f"{label} ends with text that belongs to no table: {strange[0][:60]!r}. A table is "
            "missing its rows; fetch the file again."
        )
    if below or not vintage:
        return
    end = last.frame.index[-1]
    due = pd.Timestamp(f"{vintage[:4]}-{vintage[4:]}-01") + pd.offsets.MonthEnd(0)
    slack = {"D": 7, "W": 13, "M": 0, "Y": 0}[last.frequency]
    if last.frequency == "Y":
        due = pd.Timestamp(year=due.year - 1, month=12, day=31)
    short = end < due - pd.Timedelta(days=slack)
    if short:
        raise InputDataError(
            f"{label} stops at {end.date()} in {last.name!r}, before its vintage {vintage} and "
            "without a closing line: it is truncated. Fetch it again."
        )


def _table(
    block: Block, is_first: bool, preamble: list[str], label: str, notes: list[Note]
) -> list[FrenchTable]:
    """Return the table of one block, or the two of a block of breakpoints."""
    n_columns = block.rows[0].count(",")
    texts = [line for line in block.above if line.strip()]
    header = texts[-1] if texts and "," in texts[-1] else ""
    cells = [cell.strip() for cell in header.split(",")]
    where = f"{label}, line {block.first_line}"
    if "breakpoint" in f"{' '.join(preamble)} {label}".lower() and n_columns in (21, 22):
        return _breakpoints(block, n_columns, preamble, label)
    if len(cells) - 1 != n_columns or not any(cells[1:]):
        raise InputDataError(
            f"{where}: {len(block.rows):,} rows of {n_columns} numbers need a heading with as many "
            f"names; the line above reads {(texts[-1].strip()[:60] if texts else '')!r}. "
            "Fetch the file again."
        )
    names = _column_names(cells[1:], where, notes)
    glued = cells[0] if cells[0].lower() not in ("", "date") else ""
    if glued and _TITLE.search(glued) is None:
        raise InputDataError(f"{where}: a heading may not begin with {glued[:60]!r}.")
    # A spreadsheet pads lines of text with commas.
    title = _title([line.strip(" ,\t") for line in texts[:-1]], glued, is_first)
    frame, frequency = _frame(block, names, title, label)
    unit = _unit(title, names, " ".join(preamble), where)
    word = FREQUENCY_WORDS[frequency].capitalize()
    if unit == "percent":
        _check_returns(frame, names, where)
        frame = frame / 100.0
    return [FrenchTable(title or f"Factors -- {word}", frequency, unit, frame)]


def _breakpoints(
    block: Block, n_columns: int, preamble: list[str], label: str
) -> list[FrenchTable]:
    """Return the firm counts and the 5th, 10th, …, 100th percentiles of a breakpoint file.

    These files have no heading: one count (or those at or below zero and those above), then twenty
    percentiles.
    """
    counts = ["Count"] if n_columns == 21 else ["<=0", ">0"]
    names = counts + [str(p) for p in range(5, 101, 5)]
    frame, frequency = _frame(block, names, "", label)
    about = f"{' '.join(preamble)} {label}".lower()
    unit: Unit = "size" if n_columns == 21 and re.search(r"\bme\b|me_", about) else "ratio"
    values = frame[names[len(counts) :]]
    if "prior" in about:
        unit, values = "percent", values / 100.0
    return [
        FrenchTable("Number of Firms", frequency, "count", frame[counts]),
        FrenchTable("Breakpoints", frequency, unit, values),
    ]


def _column_names(cells: list[str], where: str, notes: list[Note]) -> list[str]:
    """Return the names without padding, deciles that a spreadsheet made into dates put right."""
    names = [_SPREADSHEET_DECILE.sub(r"Dec \1", cell) for cell in cells]
    changed = [old for old, new in zip(cells, names, strict=True) if old != new]
    if changed and not any(note.first == changed[0] for note in notes):
        rule = "decile names that a spreadsheet had turned into dates (2-Dec)"
        notes.append(Note(rule, len(changed), len(cells), changed[0], "renamed Dec 2 …", "data"))
    blank = [i for i, name in enumerate(names) if not name]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if blank or twice:
        what = f"{twice[0]!r} repeats" if twice else f"column {blank[0] + 1} has no name"
        raise InputDataError(f"{where}: each column needs a name of its own; {what}.")
    return names


def _title(texts: list[str], glued: str, is_first: bool) -> str:
    """Return the title on one line; "" where the file prints none."""
    if glued:
        return " ".join(glued.split())
    if not is_first:
        return " ".join(" ".join(texts).split())
    found = _TITLE.search(" ".join(texts[-1].split())) if texts else None
    return found.group(1) if found else ""


def _unit(title: str, names: list[str], preamble: str, where: str) -> Unit:
    """Return the unit that the title tells; without a title only factors are certain."""
    if _COUNTS.search(title):
        return "count"
    if _SIZES.search(title):
        return "size"
    # The average of anything but a return is a ratio, even a variance of returns.
    average = "average of" in title.lower() and "prior return" not in title.lower()
    if _RETURNS.search(title) and not average:
        return "percent"
    if title:
        return "ratio"
    if FACTOR_NAMES.intersection(names) or "factor" in preamble.lower():
        return "percent"
    raise InputDataError(
        f"{where}: the table has no title, so whether it holds returns, counts or sizes is "
        "unknown. Fetch the file again."
    )


def _frame(
    block: Block, names: list[str], title: str, label: str
) -> tuple[pd.DataFrame, Frequency]:
    """Return the numbers by date, missing codes as missing, and the frequency of the dates."""
    data = ("\n".join(block.rows) + "\n").encode("ascii", "replace")
    types = {"f0": pa.int64()} | {f"f{i + 1}": pa.float64() for i in range(len(names))}
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, autogenerate_column_names=True, block_size=len(data) + 1
            ),
            parse_options=arrow_csv.ParseOptions(quote_char=False),
            convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=[]),
        )
    except pa.ArrowInvalid as exc:
        raise _bad_row(block, len(names), label) from exc
    if table.num_columns != len(names) + 1:
        raise _bad_row(block, len(names), label)
    values = np.column_stack([table.column(i + 1).to_numpy() for i in range(len(names))])
    if not np.isfinite(values).all():
        raise _bad_row(block, len(names), label)
    for code in MISSING_CODES:
        values[values == code] = np.nan
    where = f"{label}, line {block.first_line}"
    digits = len(block.rows[0].split(",", 1)[0].strip())
    dates = dates_of(table.column(0).to_numpy(), digits, where)
    frequency = frequency_of(dates, digits, title, where)
    check_dates(dates, frequency, where)
    return pd.DataFrame(values, index=dates, columns=names), frequency


def _bad_row(block: Block, n: int, label: str) -> InputDataError:
    """Return the error that names the first row that is not a date and `n` numbers."""
    for offset, row in enumerate(block.rows):
        cells = row.split(",")
        where = f"{label}, line {block.first_line + offset}"
        if len(cells) != n + 1:
            return InputDataError(
                f"{where}: each row needs {n} numbers after its date; this one has "
                f"{len(cells) - 1}: {row.strip()[:60]!r}. The file is truncated or damaged."
            )
        for cell in cells[1:]:
            if re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)\s*", cell) is None:
                return InputDataError(
                    f"{where}: {cell.strip()!r} is not a number. The file is truncated or damaged."
                )
    return InputDataError(f"{label}, line {block.first_line}: the rows cannot be read as numbers.")


def _check_returns(frame: pd.DataFrame, names: list[str], where: str) -> None:
    """Refuse portfolio returns below -100%: an unknown code for a missing value."""
    if FACTOR_NAMES.intersection(names):
        return
    below = frame.lt(-100.0)
    if below.to_numpy().any():
        first = pd.DatetimeIndex(below.index[below.any(axis=1)])[0]
        raise InputDataError(
            f"{where}: returns cannot lie below -100%; {int(below.to_numpy().sum())} do. "
            f"First: {first.date()}. The file uses an unknown code for missing values."
        )
