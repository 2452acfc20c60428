"""Every example in a docstring runs and gives what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"


def modules() -> list[str]:
    """Return every module whose docstrings hold an example."""
    files = sorted((SOURCE / "alphastrata").rglob("*.py"))
    names = [
        file.relative_to(SOURCE).with_suffix("").parts
        for file in files
        if ">>>" in file.read_text(encoding="utf-8")
    ]
    return [".".join(name[:-1] if name[-1] == "__init__" else name) for name in names]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("alphastrata"):
            raise
        pytest.skip(f"{name} needs the optional package {error.name}, which is not installed")
    # As in the docstrings of numpy and pandas, np and pd are taken as imported.
    finder = doctest.DocTestFinder(exclude_empty=True)
    failures: list[str] = []
    for test in finder.find(module, name, extraglobs={"np": np, "pd": pd}):
        doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)
