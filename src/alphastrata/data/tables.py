"""Tables read from files: CSV, parquet, feather; what cannot be read is named with its line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from alphastrata.core.checks import Violations
from alphastrata.errors import InputDataError

__all__ = ["CSV_SUFFIXES", "read_binary", "read_csv"]

CSV_SUFFIXES = (".csv", ".csv.gz", ".txt")
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)


def read_csv(path: Path, *, dtype: Mapping[str, type] | type) -> pd.DataFrame:
    """Return a CSV whose rows all have the fields of its header; nothing counts as missing.

    Parameters
    ----------
    path
        UTF-8, with commas, a header, and perhaps gzip.
    dtype
        As in `pandas.read_csv`.

    Raises
    ------
    InputDataError
        The file is empty, is not UTF-8, repeats a column or has rows of another length.
    """
    try:
        _check_shape(path)
        table: pd.DataFrame = pd.read_csv(
            path, dtype=dict(dtype) if isinstance(dtype, Mapping) else dtype,
            keep_default_na=False, na_values={}, index_col=False, low_memory=False,
        )  # fmt: skip
    except InputDataError:
        raise
    except UnicodeDecodeError as error:
        raise InputDataError(_encoding(path)) from error
    except _BROKEN as error:
        raise InputDataError(
            f"{path.name} is cut short or damaged ({error}). Copy or fetch it again."
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputDataError(
            f"{path.name} cannot be read as CSV: {error}. Write it as UTF-8 text with commas."
        ) from error
    except OSError as error:
        raise InputDataError(f"{path.name} cannot be opened: {error}.") from error
    return table


def read_binary(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a parquet or feather table, or its named columns.

    Raises
    ------
    InputDataError
        The file is no such table, or lacks a column.
    """
    kind = "parquet" if path.suffix == ".parquet" else "feather"
    read: Any = pd.read_parquet if kind == "parquet" else pd.read_feather
    chosen = None if columns is None else list(columns)
    try:
        table: pd.DataFrame = read(path, columns=chosen)
    except pa.ArrowInvalid as error:
        if "FieldRef" in str(error) or "Field " in str(error):
            raise InputDataError(f"{path.name} needs the columns {chosen}: {error}.") from error
        raise InputDataError(
            f"{path.name} is no {kind} file, or is cut short: {error}. Write it again."
        ) from error
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InputDataError(f"{path.name} cannot be read as {kind}: {error}.") from error
    return table


def _check_shape(path: Path) -> None:
    """Refuse another encoding, an empty file, a repeated column and ragged rows."""
    with _open(path) as stream:
        head = stream.read(4)
    if not head:
        raise InputDataError(f"{path.name} is empty. Export it again, with a header.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head:
        raise InputDataError(f'{path.name} is UTF-16 or binary. Save it as "CSV UTF-8".')
    if head.startswith(b"PK\x03\x04"):
        raise InputDataError(f"{path.name} is a zip or a spreadsheet. Save it as CSV.")
    with _open(path) as stream:
        first = stream.readline().decode("utf-8-sig")
    names = next(csv.reader([first]), [])
    if not any(name.strip() for name in names):
        raise InputDataError(f"{path.name}, line 1: there is no header. Name the columns there.")
    between = next((mark for mark in ";\t|" if mark in first), "")
    if len(names) == 1 and between:
        raise InputDataError(
            f"{path.name}, line 1: {between!r} stands between the columns. Save it with commas."
        )
    found = Violations(path.name)
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    found.require(
        not twice, "Each column appears once in the header", count=len(twice),
        first=repr(twice[0]) if twice else "", remedy="Rename or drop the repeated columns",
    )  # fmt: skip
    found.raise_if_any()
    ragged = _ragged(path)
    if ragged:
        row = ragged[0]
        found.add(
            f"Each row has the {row.expected_columns} fields of the header",
            count=len(ragged),
            first=f"line {_line_of(path, row.text)} with {row.actual_columns} fields, "
            f"{row.text[:60]!r}",
            remedy="Mend these lines; text with commas stands in double quotes",
        )
    found.raise_if_any()


def _ragged(path: Path) -> list[Any]:
    """Return the rows whose number of fields is not that of the header."""
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "skip"

    with _open(path) as stream:
        rows = pyarrow.csv.open_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=keep
            ),
            # The fields are not looked at: as bytes none of them can be wrong.
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=["\x00"], include_missing_columns=True
            ),
        )
        for _ in rows:
            pass
    return ragged


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _line_of(path: Path, text: str) -> str:
    """Return the number of the first line that reads so, or "?" where a field spans lines."""
    with _open(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.rstrip(b"\r\n").decode("utf-8", "replace") == text:
                return str(number)
    return "?"


def _encoding(path: Path) -> str:
    """Say where a file stops being UTF-8."""
    with _open(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"{path.name}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8; the "
                    "file is in another encoding, such as latin-1. Save it as UTF-8, e.g. with "
                    "iconv -f latin1 -t utf-8."
                )
    return f"{path.name} is not UTF-8. Save it as UTF-8."
