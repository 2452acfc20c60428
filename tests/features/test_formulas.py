"""The language of formulas."""

from __future__ import annotations

import pytest

from alphastrata.errors import ConfigError
from alphastrata.features.formulas import parse


def test_fields_know_which_data_they_come_from() -> None:
    formula = parse("daily_mean(volume * price, '3m') / shares - horizon_std(ret, '1w', '12m')")
    assert formula.fields == (
        ("daily", "volume"),
        ("daily", "price"),
        ("panel", "shares"),
        ("finest", "ret"),
    )
    assert formula.spans == (("daily", "3m"), ("finest", "1w"), ("finest", "12m"))


def test_of_a_sum_of_what_is_present_one_field_suffices() -> None:
    formula = parse("(sales - sum_present(sga, interest_expense)) / book_equity")
    assert formula.choices == (("panel", ("sga", "interest_expense")),)
    assert formula.required == (("panel", "sales"), ("panel", "book_equity"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("cash ** 2", "cash ** 2"),
        ("exp(cash)", "exp(cash)"),
        ("cash.real", "cash.real"),
        ("[cash]", "[cash]"),
        ("cash if sales else ret", "cash if sales else ret"),
        ("__import__('os').system('true')", "__import__('os').system('true')"),
        ("cash +", "cannot be read"),
        ("sum_present(cash / 2)", "sum_present takes fields"),
        ("daily_mean(year_ago(cash), '3m')", "year_ago looks back by itself"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text)
    assert part in str(error.value)
