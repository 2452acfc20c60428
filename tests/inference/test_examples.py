"""Every example in a docstring runs as printed."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pandas as pd
import pytest

import alphastrata.inference

MODULES = sorted(m.name for m in pkgutil.iter_modules(alphastrata.inference.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"alphastrata.inference.{name}")
    names = {"np": np, "pd": pd}
    assert doctest.testmod(module, extraglobs=names).failed == 0
