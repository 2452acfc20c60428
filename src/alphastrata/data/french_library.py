"""The catalogue of the French library, fetching from it, and how its editions differ.

The library serves only its current edition. Those fetched before stay in the store, so that a
study can be run again on the numbers it had, and told how far they have been revised since.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.core.factors import FactorReturns
from alphastrata.data.download import Progress, download
from alphastrata.data.french_parse import parse_french
from alphastrata.data.store import Entry, Fetched, Mode, Store, utc_now
from alphastrata.errors import ConfigError, InputDataError, OfflineError

FRENCH_URL = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"
"""Folder of the library's files, `<name>_CSV.zip`."""

MAX_FILE_BYTES = 64 * 2**20
"""Cap in bytes on one file; the largest of the library has about 10 MB."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()&-]*")
_ROUNDING = 1e-12


def french_catalog() -> pd.DataFrame:
    """Return the files of the library: name -> kind, region, frequencies, dividends, description.

    Frequencies are the letters that `french(frequency=...)` takes; files with monthly returns
    hold annual ones as well.

    Examples
    --------
    >>> french_catalog().loc["F-F_Momentum_Factor", "description"]
    'The momentum factor Mom'
    """
    path = resources.files("alphastrata.data") / "french_catalog.csv"
    with path.open(encoding="utf-8") as handle:
        return pd.read_csv(handle, index_col="name", keep_default_na=False, dtype=str)


def library_name(name: str) -> str:
    """Return the library's name of a file, without "_CSV.zip".

    Raises
    ------
    ConfigError
        It cannot be a name of the library.
    """
    plain = re.sub(r"(_CSV)?(\.zip)?$", "", name, flags=re.IGNORECASE)
    if _NAME.fullmatch(plain) is None:
        raise ConfigError(f"{name!r} is neither a file nor a name of the French library.")
    return plain


def fetch_french(
    name: str,
    *,
    mode: Mode | None = None,
    vintage: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Entry:
    """Return the stored file of a library name, fetched as the mode allows.

    Only what the parser reads to its end is stored: a page of HTML or a broken file never is.

    Parameters
    ----------
    name : str
        As in `french_catalog`.
    mode : {"offline", "cache-first", "refresh"}, optional
        ALPHASTRATA_MODE, or "cache-first".
    vintage : str, optional
        "YYYYMM": the edition wanted; older ones are found in the store only.
    store : Store, optional
        The default store when not given.
    progress : callable, optional
        Called with the bytes read and, where known, their total.

    Raises
    ------
    OfflineError
        The store lacks it, and the mode is "offline" or the library cannot be reached.
    SourceError
        The library does not deliver it.
    InputDataError
        What it delivers cannot be read, or is of another vintage.
    """
    plain = library_name(name)

    def fetch() -> Fetched:
        _check_known(plain)
        got = download(
            f"{FRENCH_URL}{plain}_CSV.zip",
            max_bytes=MAX_FILE_BYTES,
            mode="cache-first",
            progress=progress,
        )
        return replace(got, vintage=parse_french(got.raw, label=plain).vintage)

    keep = store if store is not None else Store()
    command = f"alphastrata fetch french {plain}"
    try:
        entry = keep.obtain(f"french/{plain}", fetch, command=command, mode=mode, vintage=vintage)
    except OfflineError as exc:
        raise OfflineError(
            f"{exc} Without one: alphastrata.data.bundled_factors() holds monthly Mkt-RF, SMB, "
            "HML and Mom; and a file of the library on this machine is read by its path."
        ) from exc
    if vintage is not None and entry.vintage != vintage:
        have = ", ".join(e.vintage for e in keep.editions(f"french/{plain}"))
        raise InputDataError(
            f"The library serves {plain} in vintage {entry.vintage}, and {vintage} was asked for. "
            f"The store {keep.root} holds {have}; an older file can be read by its path."
        )
    return entry


def keep_french(path: str | Path, *, name: str | None = None, store: Store | None = None) -> Entry:
    """Put a file of the library that lies on this machine into the store, as one more edition.

    Parameters
    ----------
    path : str or Path
        Zip or CSV, as published.
    name : str, optional
        Its name in the library, when the file is called otherwise.
    store : Store, optional
        The default store when not given.

    Raises
    ------
    InputDataError
        The parser cannot read it with certainty.
    """
    source = Path(path).expanduser()
    plain = library_name(name or source.name.removesuffix(source.suffix))
    raw = source.read_bytes()
    file = parse_french(raw, label=source.name)
    fetched = Fetched(raw, source.resolve().as_uri(), utc_now(), file.vintage)
    return (store if store is not None else Store()).put(f"french/{plain}", fetched)


def french_vintages(name: str, *, store: Store | None = None) -> pd.DataFrame:
    """Return the stored editions of a library name, newest first.

    Columns: vintage ("YYYYMM"), fetched_at (UTC), size (bytes), sha256, url. Empty where none is
    stored.
    """
    keep = store if store is not None else Store()
    columns = ["vintage", "fetched_at", "size", "sha256", "url"]
    editions = keep.editions(f"french/{library_name(name)}")
    rows = [[getattr(entry, column) for column in columns] for entry in editions]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values("vintage", ascending=False, kind="stable", ignore_index=True)


def compare_vintages(a: FactorReturns, b: FactorReturns, *, tolerance: float = 0.0) -> pd.DataFrame:
    """Return, for each factor that both editions have, how far its history was revised.

    Parameters
    ----------
    a, b : FactorReturns
        The same table in two editions.
    tolerance : float
        Changes up to this size, in decimals, do not count; 0.00005 hides that one edition prints
        two decimals of a percent and the other four.

    Returns
    -------
    DataFrame
        Index: factor. `periods` that both have; how many `changed`, and their `share`;
        `mean_abs_change` over all shared periods and `max_abs_change`, in decimals, with
        `largest_at`; `first_changed` and `last_changed`; `correlation`; `only_a`, `only_b`:
        periods for which one edition alone has a value.

    Raises
    ------
    InputDataError
        They share no factor, or their frequencies differ.

    Examples
    --------
    >>> dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
    >>> a = FactorReturns(pd.DataFrame({"SMB": [0.01, 0.02]}, index=dates), kind="excess")
    >>> b = FactorReturns(pd.DataFrame({"SMB": [0.01, 0.03]}, index=dates), kind="excess")
    >>> compare_vintages(a, b).loc["SMB", ["periods", "changed"]].tolist()
    [2, 1]
    """
    shared = [name for name in a.factors if name in b.factors]
    if not shared or a.freq != b.freq:
        raise InputDataError(
            "Two editions are compared factor by factor at one frequency; these share "
            f"{len(shared)} factors, at {a.freq} and {b.freq}."
        )
    rows = {name: _compare(a.frame[name], b.frame[name], tolerance) for name in shared}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor")


def _compare(a: pd.Series, b: pd.Series, tolerance: float) -> dict[str, object]:
    dates = a.index.union(b.index)
    one, other = a.reindex(dates), b.reindex(dates)
    both = (one.notna() & other.notna()).to_numpy()
    change = (other - one).abs()[both]
    changed = change > tolerance + _ROUNDING
    moved = change.index[changed.to_numpy()]
    enough = both.sum() > 1 and one[both].std() > 0 and other[both].std() > 0
    return {
        "periods": int(both.sum()),
        "changed": int(changed.sum()),
        "share": float(changed.mean()) if both.any() else np.nan,
        "mean_abs_change": float(change.mean()) if both.any() else np.nan,
        "max_abs_change": float(change.max()) if both.any() else np.nan,
        "largest_at": change.idxmax() if len(moved) else pd.NaT,
        "first_changed": moved[0] if len(moved) else pd.NaT,
        "last_changed": moved[-1] if len(moved) else pd.NaT,
        "correlation": float(one[both].corr(other[both])) if enough else np.nan,
        "only_a": int((one.notna() & other.isna()).sum()),
        "only_b": int((one.isna() & other.notna()).sum()),
    }


def _check_known(name: str) -> None:
    """Refuse a name that is one slip away from a name of the catalogue."""
    known = list(french_catalog().index)
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.85)
    if close:
        raise ConfigError(
            f"{name!r} is not a name of the French library; close to it are {', '.join(close)}. "
            "All names: alphastrata.data.french_catalog()."
        )
