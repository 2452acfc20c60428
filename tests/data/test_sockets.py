"""Who may open a connection: the download module, and the two libraries that keep their own."""

from __future__ import annotations

import ast
from pathlib import Path

import alphastrata.data

ALLOWED = {
    "requests": {"download"},
    "socket": set(),
    "urllib": {"download"},
    "http": set(),
    "yfinance": {"yahoo"},
    "sqlalchemy": {"wrds"},
    "psycopg": {"wrds"},
    "pandas_datareader": {"fred"},
}


def test_connections_are_opened_in_few_places() -> None:
    folder = Path(alphastrata.data.__file__).parent
    found: dict[str, set[str]] = {name: set() for name in ALLOWED}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in found:
                    found[name.split(".")[0]].add(path.stem)
    for name, modules in ALLOWED.items():
        assert found[name] <= modules, name
