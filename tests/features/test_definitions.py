"""The catalog: complete, consistent with its formulas, and readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphastrata import features
from alphastrata.features.definitions import definitions
from alphastrata.features.evaluate import CALLS
from alphastrata.features.formulas import FUNCTIONS, parse
from alphastrata.features.lookback import SPANS

FAMILIES = {
    "liquidity", "market_liquidity", "leverage", "efficiency", "profitability", "size", "value",
    "investment", "momentum", "risk", "returns", "statement",
}  # fmt: skip
CATALOG = features.catalog()


def test_the_columns_and_no_empty_cell() -> None:
    assert list(CATALOG.columns) == [
        "name",
        "label",
        "family",
        "formula",
        "fields",
        "daily",
        "expected_sign",
        "log",
        "paper_group",
        "long_side",
        "source",
    ]
    assert CATALOG.index.is_unique
    assert (CATALOG.name == CATALOG.index).all()
    filled = CATALOG.drop(columns="paper_group").astype(str)
    assert (filled != "").all().all()
    assert set(CATALOG.family) == FAMILIES
    assert set(CATALOG.long_side) == {"high", "low"}
    assert set(CATALOG.expected_sign) == {-1, 0, 1}
    assert CATALOG["log"].dtype == bool


@pytest.mark.parametrize("definition", definitions().values(), ids=lambda d: d.name)
def test_a_row_says_what_its_formula_says(
    definition: features.Definition, canonical_fields: set[str]
) -> None:
    formula = definition.parsed
    assert definition.fields == tuple(dict.fromkeys(field for _, field in formula.fields))
    assert set(definition.fields) <= canonical_fields
    assert all(any(span in known for known in SPANS.values()) for _, span in formula.spans)
    looks = {where for where, _ in formula.fields}
    without_daily = all(span in SPANS["M"] for _, span in formula.spans)
    expected = "no"
    if "daily" in looks or ("finest" in looks and not without_daily):
        expected = "required"
    elif "finest" in looks:
        expected = "used"
    assert definition.daily == expected


def test_a_sign_and_a_side_agree() -> None:
    signed = CATALOG[CATALOG.expected_sign != 0]
    assert ((signed.expected_sign > 0) == (signed.long_side == "high")).all()


def test_the_papers_groups() -> None:
    groups = {g: set(CATALOG.index[CATALOG.paper_group == g]) for g in CATALOG.paper_group}
    assert groups["original"] == {
        "market_cap", "price_to_book", "price_to_earnings", "eps", "roe", "volatility",
    }  # fmt: skip
    assert len(groups["extension"]) == 17
    assert groups["price"] == {
        f"ret_{what}_{span}" for what in ("mean", "std") for span in ("1d", "1w", "1m", "3m", "6m")
    }


def test_the_defaults_of_the_three_factors() -> None:
    assert CATALOG.formula["liquidity"] == CATALOG.formula["current_ratio"]
    assert CATALOG.formula["leverage"] == "total_liabilities / total_assets"
    assert CATALOG.formula["operating_efficiency"] == "cost_of_goods_sold / sales"
    assert CATALOG.long_side["operating_efficiency"] == "low"


def test_every_function_of_the_language_can_be_called() -> None:
    assert set(CALLS) == set(FUNCTIONS)


def test_a_formula_is_parsed_once() -> None:
    assert parse("cash / sales") is parse("cash / sales")


def test_the_documentation_lists_every_formula() -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    if not page.is_file():
        pytest.skip(f"no {page}: the documentation is not part of this installation")
    text = page.read_text(encoding="utf-8")
    for row in CATALOG.itertuples():
        if row.family not in ("statement", "returns"):
            assert f"| `{row.name}` | `{row.formula}` |" in text
