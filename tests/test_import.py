"""Importing the package is quick and pulls in nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import alphastrata

HEAVY = ("torch", "sklearn", "statsmodels", "matplotlib", "yfinance", "linearmodels", "plotly")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    loaded = run(f"import sys, alphastrata; print([m for m in {HEAVY} if m in sys.modules])")
    assert loaded == "[]"


def test_import_of_the_command_line_loads_nothing_heavy():
    loaded = run(
        "import sys, alphastrata.cli;"
        f"print([m for m in {(*HEAVY, 'pandas', 'numba')} if m in sys.modules])"
    )
    assert loaded == "[]"


def test_import_leaves_pandas_for_first_use():
    # What is imported is what costs: without pandas and numba, the import stays in milliseconds.
    loaded = run("import sys, alphastrata; print({'pandas', 'numba'} & set(sys.modules))")
    assert loaded == "set()"


def test_every_public_name_exists():
    for name in alphastrata.__all__:
        assert getattr(alphastrata, name) is not None
    assert set(alphastrata.__all__) <= set(dir(alphastrata))
