"""Whatever a public function returns draws itself in a notebook, where it holds tables."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pandas as pd
import pytest

ROOMS = ("core", "data", "features", "cluster", "portfolio", "inference", "customers", "study")


def leaves(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of."""
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from leaves(argument)


def functions(room: str) -> Iterator[Callable[..., Any]]:
    """Yield the public functions of a room, and the methods and properties of its classes."""
    module = importlib.import_module(f"alphastrata.{room}")
    for name in module.__all__:
        public = getattr(module, name)
        if inspect.isfunction(public):
            yield public
        elif inspect.isclass(public):
            for own, value in vars(public).items():
                function = value.fget if isinstance(value, property) else value
                if not own.startswith("_") and inspect.isfunction(function):
                    yield function


def returned(room: str) -> set[type]:
    """Return the package's own classes that a room returns."""
    found: set[type] = set()
    for function in functions(room):
        try:
            kinds = leaves(get_type_hints(function).get("return"))
        except (NameError, TypeError):  # names that exist for the type checker alone
            continue
        found |= {k for k in kinds if inspect.isclass(k) and k.__module__.startswith("alphastrata")}
    return found


def holds_tables(kind: type) -> bool:
    """Return whether a class is a record of frames, series, arrays, or other such records."""
    if not is_dataclass(kind):
        return False
    names = " ".join(str(f.type) for f in fields(kind))
    tables = {"DataFrame", "Series", "Panel", "FactorReturns", "Strata", "Result", "YahooChart"}
    return any(table in names for table in tables)


@pytest.mark.parametrize("room", ROOMS)
def test_results_with_tables_draw_themselves(room: str) -> None:
    bare = [k.__name__ for k in returned(room) if holds_tables(k) and not hasattr(k, "_repr_html_")]
    assert bare == []


def test_the_rule_sees_results() -> None:
    seen = {kind.__name__ for room in ROOMS for kind in returned(room) if holds_tables(kind)}
    assert {"RollingClusters", "Experiments", "Backtest", "Battery", "Segmentation"} <= seen


def test_the_contracts_draw_themselves() -> None:
    from alphastrata import core

    day = pd.Timestamp("2020-06-30")
    index = pd.MultiIndex.from_product([[day], ["<b>A</b>", "B"], ["LEV"]])
    held = core.Holdings(pd.Series([1.0, -1.0], index=index), legs="long_short")
    assert "&lt;b&gt;A" in held._repr_html_()
    for kind in (core.Panel, core.Strata, core.FactorReturns, core.Result):
        assert hasattr(kind, "_repr_html_")


def test_a_rolled_clustering_draws_itself() -> None:
    import alphastrata as st

    market = st.data.simulate_market(40, periods=30, seed=1)
    chars = st.features.compute(market.panel, ["leverage", "liquidity"])
    model = st.cluster.deep_clusterer(
        n_clusters=3, autoencoder=False, embedding=None, random_state=0
    )
    found = st.cluster.rolling(model, chars, st.RollingWindows(length=24, step=6))
    page = found._repr_html_()
    for part in ("strata (Strata)", "scores (", "transitions (", "names ("):
        assert part in page
    assert page.count("<details>") >= 6
    assert "panel (Panel)" in market._repr_html_()
