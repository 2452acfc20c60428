"""Kenneth French's data library: factors and portfolios as `FactorReturns`, by name or from a file.

The library is revised: the same month differs between editions ("vintages"), so every result says
which edition it comes from, and two editions can be compared.

Source: https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html
(Copyright Eugene F. Fama and Kenneth R. French; no file of the library is part of this package.)
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import FactorReturns
from alphastrata.data.french_library import fetch_french
from alphastrata.data.french_parse import FrenchFile, FrenchTable, parse_french
from alphastrata.data.store import Mode, Store
from alphastrata.errors import ConfigError, InputDataError, SourceError

BUNDLED_COLUMNS = {"MktRF": "Mkt-RF", "SMB": "SMB", "HML": "HML", "Mom": "Mom"}
"""Columns of the factors bundled with linearmodels, and their names in the library."""

_FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Y": "annual"}


def french(
    name_or_path: str | Path,
    *,
    table: str | int | None = None,
    frequency: str = "M",
    vintage: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
) -> FactorReturns:
    r"""Return one table of returns of the French library, in decimals per period.

    Parameters
    ----------
    name_or_path : str or Path
        A name of the library (see `french_catalog`), or the path of one of its files (zip or CSV).
    table : str or int, optional
        Which table: part of its title, in any case ("equal weighted"), or its position among the
        tables of this frequency. Without it, the first table of returns of this frequency, which
        is the factors or the value-weighted portfolios.
    frequency : str
        "D", "W", "M" or "Y" ("A" is taken as "Y"). Months and years are dated by their last
        calendar day.
    vintage : str, optional
        "YYYYMM": the edition wanted. The library serves its current one; those fetched before are
        in the store.
    mode : {"offline", "cache-first", "refresh"}, optional
        Whether the network may be used for a name; ALPHASTRATA_MODE, or "cache-first".
    store : Store, optional
        Where fetched files are kept; the default store when not given.

    Returns
    -------
    FactorReturns
        Kind "excess" for factors (they have no risk-free rate left in them), with the bill rate as
        `risk_free` where the file has one; kind "total" for portfolios, with the numbers of firms
        as `counts` where the file has them.

    Raises
    ------
    InputDataError
        The file cannot be read with certainty, is of another vintage, or holds no such table.
    OfflineError
        A name is not in the store and the mode is "offline".
    SourceError
        The library does not deliver the file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "F.csv"
    >>> _ = path.write_text("Using the 202412 CRSP database.\n\n,Mkt-RF,RF\n202412,-3.17,0.37\n")
    >>> french(path)
    FactorReturns: Mkt-RF (excess, M, 1 dates, 2024-12-31 to 2024-12-31, vintage 202412)
    """
    letter = _frequency(frequency)
    file, label, origin = _open(name_or_path, vintage, mode, store)
    chosen = _choose(file, letter, table, label)
    frame = chosen.frame
    rate = frame["RF"] if "RF" in frame and frame.shape[1] > 1 else None
    if rate is not None:
        frame = frame.drop(columns="RF")
    missing = int(frame.isna().to_numpy().sum())
    notes = list(file.notes)
    if missing:
        first = frame.isna().any(axis=1).idxmax()
        rule = f"returns that {label} codes as missing (-99.99, -999)"
        where = pd.Timestamp(str(first)).date().isoformat()
        notes.append(Note(rule, missing, frame.size, f"date={where}", "kept as missing", "data"))
    return FactorReturns(
        frame,
        kind="excess" if chosen.is_factors else "total",
        freq=letter,
        risk_free=rate,
        counts=None if chosen.is_factors else _counts(file, chosen),
        source=f"Kenneth French data library, {label}, {chosen.name!r} ({origin})",
        vintage=file.vintage,
        notes=notes,
    )


def french_file(
    name_or_path: str | Path,
    *,
    vintage: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
) -> FrenchFile:
    """Return all tables of one file of the library: returns, counts, sizes, characteristics.

    Parameters and errors are those of `french`.
    """
    return _open(name_or_path, vintage, mode, store)[0]


def _open(
    name_or_path: str | Path, vintage: str | None, mode: Mode | None, store: Store | None
) -> tuple[FrenchFile, str, str]:
    """Return the tables of a path or a name, what to call it, and where its bytes are from."""
    path = Path(name_or_path).expanduser()
    if path.is_file():
        raw, label, origin = path.read_bytes(), path.name, ""
    elif path.suffix.lower() in (".zip", ".csv", ".txt") or len(path.parts) > 1:
        raise InputDataError(f"There is no file {str(path)!r}.")
    else:
        keep = store if store is not None else Store()
        entry = fetch_french(str(name_or_path), mode=mode, vintage=vintage, store=keep)
        raw, label = keep.read(entry), entry.key.removeprefix("french/")
        origin = f"{entry.url}, fetched {entry.fetched_at}, "
    file = parse_french(raw, label=label)
    if vintage is not None and file.vintage != vintage:
        raise InputDataError(
            f"{label} is of vintage {file.vintage or 'unknown'}, and {vintage} was asked for."
        )
    return file, label, f"{origin}sha256 {hashlib.sha256(raw).hexdigest()}"


def bundled_factors(frequency: str = "M") -> FactorReturns:
    """Return the monthly Mkt-RF, SMB, HML and Mom of 1949-2017 that need no network.

    They come with linearmodels (`linearmodels.datasets.french`), in decimals, dated by month ends
    here; the bill rate is in `risk_free`.

    Parameters
    ----------
    frequency : str
        "M", the only frequency that is bundled.

    Raises
    ------
    ConfigError
        Another frequency was asked for.
    SourceError
        linearmodels is not installed.

    Examples
    --------
    >>> bundled_factors()
    FactorReturns: Mkt-RF, SMB, HML, Mom (excess, M, 819 dates, 1949-01-31 to 2017-03-31)
    """
    if frequency != "M":
        raise ConfigError(
            f"The bundled factors are monthly; {frequency!r} was asked for. Fetch a daily file: "
            "alphastrata fetch french F-F_Research_Data_5_Factors_2x3_daily"
        )
    data = pd.read_csv(bundled_file(), parse_dates=["dates"])
    data = data.set_index("dates").rename_axis("date")
    return FactorReturns(
        data[list(BUNDLED_COLUMNS)].rename(columns=BUNDLED_COLUMNS).astype(np.float64),
        kind="excess",
        freq="M",
        risk_free=data["RF"].astype(np.float64),
        source="linearmodels.datasets.french (Kenneth French data library)",
    )


def bundled_file() -> Path:
    """Return the file that the bundled factors are read from.

    Raises
    ------
    SourceError
        linearmodels is not installed.

    Examples
    --------
    >>> bundled_file().name
    'french.csv.bz2'
    """
    # Found, not imported: importing linearmodels would load statsmodels for a CSV.
    spec = importlib.util.find_spec("linearmodels")
    folders = list(spec.submodule_search_locations or []) if spec else []
    paths = [Path(f) / "datasets" / "french" / "french.csv.bz2" for f in folders]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise SourceError("The bundled factors come with linearmodels; pip install linearmodels.")
    return found


def _frequency(frequency: str) -> str:
    letter = "Y" if frequency == "A" else frequency
    if letter not in _FREQUENCIES:
        raise ConfigError(f"frequency must be one of D, W, M, Y; got {frequency!r}.")
    return letter


def _choose(file: FrenchFile, letter: str, table: str | int | None, label: str) -> FrenchTable:
    """Return the table asked for, or raise naming those that there are."""
    tables = [t for t in file.tables if t.frequency == letter]
    if not tables:
        have = sorted({t.frequency for t in file.tables})
        raise InputDataError(
            f"{label} holds no {_FREQUENCIES[letter]} table; it holds frequency "
            f"{' and '.join(map(repr, have))}. Say frequency={have[0]!r}."
        )
    listed = "; ".join(f"{i}: {t.name[:70]!r} ({t.unit})" for i, t in enumerate(tables))
    if table is None:
        fitting = [t for t in tables if t.is_returns]
    elif isinstance(table, int):
        fitting = [tables[table]] if 0 <= table < len(tables) else []
    else:
        words = table.lower().replace("-", " ").split()
        fitting = [t for t in tables if all(w in t.name.lower().replace("-", " ") for w in words)]
    if not fitting:
        raise InputDataError(
            f"{label} has no {_FREQUENCIES[letter]} table {table!r}; it has {listed}."
        )
    if not fitting[0].is_returns:
        raise InputDataError(
            f"{fitting[0].name[:70]!r} of {label} holds no returns earned ({fitting[0].unit}). "
            "Read it with french_file(...).tables."
        )
    return fitting[0]


def _counts(file: FrenchFile, chosen: FrenchTable) -> pd.DataFrame | None:
    """Return the numbers of firms on the dates of the chosen table, where the file has them."""
    for other in file.tables:
        same = list(other.frame.columns) == list(chosen.frame.columns)
        if other.unit == "count" and other.frequency == chosen.frequency and same:
            return other.frame.reindex(chosen.frame.index)
    return None
