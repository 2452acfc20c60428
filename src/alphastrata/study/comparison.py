"""What differs between two finished studies, for people: inputs, settings, stages and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.study.manifest import differences, read_manifest

# Of each table's four files, the one that is compared number by number.
SUFFIX = ".csv"


def compare(before: Path, after: Path) -> list[str]:
    """Return, a line each, where two finished studies differ.

    Parameters
    ----------
    before, after
        Their folders.

    Returns
    -------
    list of str
        Settings with both values, inputs, code and machine, the stages that were computed anew,
        and for each table how many numbers differ and the one that differs most.

    Raises
    ------
    ConfigError
        When one of the folders holds no finished study.
    """
    a, b = read_manifest(before), read_manifest(after)
    lines = [
        line.replace("config.", "setting ", 1)
        for line in differences(_part(a, "config"), _part(b, "config"))
    ]
    lines += _files("input", _hashes(a["inputs"]), _hashes(b["inputs"]))
    for name in ("alphastrata", "code"):
        if a[name] != b[name]:
            lines.append(f"{name}: {a[name][:12]} -> {b[name][:12]}")
    lines += differences(_part(a, "machine"), _part(b, "machine"))
    stages = {
        name
        for name in a["stages"].keys() | b["stages"].keys()
        if a["stages"].get(name, {}).get("artefacts") != b["stages"].get(name, {}).get("artefacts")
    }
    if stages:
        lines.append(f"stages with other results: {', '.join(sorted(stages))}")
    return lines + _results(before, after, a["outputs"], b["outputs"])


def _part(manifest: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: _by_name(manifest[name])}


def _by_name(value: Any) -> Any:
    """Return settings whose tables are found by their names, wherever they stand in a list."""
    if isinstance(value, dict):
        return {key: _by_name(inner) for key, inner in value.items()}
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, dict) and "name" in v for v in value)
    ):
        return {str(inner["name"]): _by_name(inner) for inner in value}
    return value


def _hashes(files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: str(file["sha256"]) for name, file in files.items()}


def _files(what: str, a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """Return which files are in one alone, and which have other bytes."""
    lines = [f"{what} {name}: only in the first" for name in sorted(a.keys() - b.keys())]
    lines += [f"{what} {name}: only in the second" for name in sorted(b.keys() - a.keys())]
    return lines + [
        f"{what} {name}: sha256 {a[name][:12]} -> {b[name][:12]}"
        for name in sorted(a.keys() & b.keys())
        if a[name] != b[name]
    ]


def _results(before: Path, after: Path, a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """Return what of the tables differs; their other formats and the page follow from them."""
    tables = [{n: sha for n, sha in own.items() if n.endswith(SUFFIX)} for own in (a, b)]
    lines = []
    for line in _files("result", *tables):
        name = line.removeprefix("result ").split(": ")[0]
        both = line.count("sha256") and (before / name).is_file() and (after / name).is_file()
        lines.append(f"result {name}: {_changed(before / name, after / name)}" if both else line)
    return lines


def _changed(before: Path, after: Path) -> str:
    """Return what of a table differs: columns, rows, words, and the number that differs most."""
    a, b = pd.read_csv(before), pd.read_csv(after)
    said = _alone("column", a.columns, b.columns)
    keys = _keys(a, b)
    if keys:
        a, b = a.set_index(keys), b.set_index(keys)
        said += _alone("row", a.index, b.index)
    elif len(a) != len(b):
        return "; ".join([*said, f"{len(a):,} rows -> {len(b):,}"])
    rows = a.index.intersection(b.index)
    shared = [name for name in a.columns if name in b.columns]
    a, b = a.loc[rows, shared], b.loc[rows, shared]
    numeric = pd.api.types.is_numeric_dtype
    numbers = [name for name in shared if numeric(a[name]) and numeric(b[name])]
    if apart := _numbers_apart(a[numbers], b[numbers]):
        said.append(apart)
    words = [name for name in shared if name not in numbers]
    other = (a[words].astype(str) != b[words].astype(str)).to_numpy()
    if other.any():
        said.append(f"{int(other.sum()):,} of {other.size:,} words differ")
    return "; ".join(said) or "the same numbers and words in another order or form"


def _keys(a: pd.DataFrame, b: pd.DataFrame) -> list[str]:
    """Return the columns that name each row in both tables: as few as will do; none if none do."""
    shared = [name for name in a.columns if name in b.columns]
    first = shared[:1]
    whole = [n for n in shared[1:] if all(pd.api.types.is_integer_dtype(f[n]) for f in (a, b))]
    text = [n for n in shared[1:] if not any(pd.api.types.is_numeric_dtype(f[n]) for f in (a, b))]
    names = [*first, *text, *whole]
    for many in range(1, len(names) + 1):
        if not any(frame.duplicated(names[:many]).any() for frame in (a, b)):
            return names[:many]
    return []


def _alone(what: str, a: pd.Index, b: pd.Index) -> list[str]:
    """Return which columns or rows are in one table alone."""
    lines = []
    for where, names in (("first", a.difference(b, sort=False)), ("second", b.difference(a))):
        if len(names):
            listed = ", ".join(map(_label, names[:3])) + (", …" if len(names) > 3 else "")
            many = "s" * (len(names) > 1)
            lines.append(f"{len(names):,} {what}{many} only in the {where} ({listed})")
    return lines


def _numbers_apart(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Return how many numbers differ, and the one that differs most; empty where none does."""
    x, y = (frame.to_numpy(dtype=float) for frame in (a, b))
    apart = (x != y) & ~(np.isnan(x) & np.isnan(y))
    if not apart.any():
        return ""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.where(apart, np.abs(x - y) / np.maximum(np.abs(x), np.abs(y)), -1.0)
    # What has a number in one table alone differs most.
    row, column = divmod(int(np.nan_to_num(size, nan=np.inf).argmax()), size.shape[1])
    where = f"{_label(a.index[row])}, {a.columns[column]}"
    most = f"{where}: {x[row, column]:.6g} -> {y[row, column]:.6g}"
    return f"{int(apart.sum()):,} of {x.size:,} numbers differ, most in {most}"


def _label(name: object) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
