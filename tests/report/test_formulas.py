from __future__ import annotations

from alphastrata.report import how_computed
from alphastrata.report.formulas import known_formulas


def test_every_formula_is_complete() -> None:
    for name, entry in how_computed(known_formulas(), manifest="stage tests").items():
        assert entry.formula
        assert entry.manifest == "stage tests"
        assert "" not in entry.conventions, name


def test_unknown_names_are_left_out_and_conventions_added() -> None:
    found = how_computed(["volatility", "beta of the moon"], conventions=["per year"])
    assert list(found) == ["volatility"]
    assert list(found["volatility"].conventions) == ["n − 1 in the denominator", "per year"]
