"""The direction of imports, read from the code: the rules of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "alphastrata"

MAY_IMPORT = {
    "core": {"core"},
    "data": {"core", "data"},
    "features": {"core", "features"},
    "cluster": {"core", "cluster"},
    "portfolio": {"core", "portfolio"},
    "inference": {"core", "inference"},
    "report": {"core", "report"},
    "customers": {"core", "cluster", "report", "customers"},
}
LIVES_IN = {
    "torch": {"cluster"},
    "yfinance": {"data"},
    "pandas_datareader": {"data"},
    "requests": {"data"},
    "sqlalchemy": {"data"},
    "statsmodels": {"inference"},
    # Kenneth French's bundled monthly factors ship inside linearmodels.
    "linearmodels": {"inference", "data"},
    "matplotlib": {"report"},
    "plotly": {"report"},
}
CORE_MAY_USE = {"numpy", "pandas", "numba"}


def imported(file: Path) -> set[str]:
    """Full dotted names of everything that a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            assert node.module is not None
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_rooms_import_only_what_they_may(file):
    room, names = room_of(file), imported(file)
    ours = {n.split(".")[1] for n in names if n.startswith("alphastrata.")} - {"errors"}
    if room in MAY_IMPORT:
        assert ours <= MAY_IMPORT[room], f"{file.name} reaches into {ours - MAY_IMPORT[room]}"
    for library, rooms in LIVES_IN.items():
        if any(n.split(".")[0] == library for n in names):
            assert room in rooms, f"{library} is used in {file}, it lives in {rooms}"


@pytest.mark.parametrize("file", [f for f in FILES if room_of(f) == "core"], ids=lambda f: f.name)
def test_core_needs_only_arrays_and_frames(file):
    import sys

    outside = {n.split(".")[0] for n in imported(file)} - {"alphastrata", "__future__"}
    assert outside - set(sys.stdlib_module_names) <= CORE_MAY_USE


def test_every_room_was_seen():
    assert set(MAY_IMPORT) - {"customers"} <= {room_of(f) for f in FILES}
