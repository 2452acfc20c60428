from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.customers import infer_kinds
from alphastrata.customers.kinds import parse_numbers
from alphastrata.errors import ConfigError, InputDataError


def test_kinds_of_the_simulated_columns(made):
    kinds = infer_kinds(made.customers)["kind"]
    assert kinds["customer_id"] == "identifier"
    assert kinds["full_name"] == kinds["email"] == "personal"
    assert kinds["gender"] == "protected"
    assert kinds["response"] == "target"
    for name in ("salary_range", "risk_appetite", "education"):
        assert kinds[name] == "ordered"
    for name in ("occupation", "goal", "city", "auto_invest"):
        assert kinds[name] == "nominal"
    for name in ("age", "stock_balance", "logins_per_month"):
        assert kinds[name] == "numeric"


def test_ranges_come_in_their_order():
    bands = ["> 100 million", "5-10 million", "< 5 million", "10-25 million", "25-100 million"]
    levels = infer_kinds(pd.DataFrame({"salary": bands * 4})).loc["salary", "levels"]
    assert levels == (
        "< 5 million",
        "5-10 million",
        "10-25 million",
        "25-100 million",
        "> 100 million",
    )


def test_words_of_a_scale_come_in_their_order():
    frame = pd.DataFrame({"risk": ["high", "low", "very low", "medium"]})
    assert infer_kinds(frame).loc["risk", "levels"] == ("very low", "low", "medium", "high")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"u{i}@x.org" for i in range(60)], "personal"),
        ([f"+62812345678{i:02d}" for i in range(60)], "personal"),
        ([f"tok-{i:04d}-x" for i in range(60)], "identifier"),
        (list(range(1000, 1060)), "identifier"),
        ([None] * 60, "left out"),
        (["a"] * 60, "left out"),
        (["1,000", "2,500"] * 29 + ["3", "x"], "numeric"),
        ([True, False] * 30, "nominal"),
    ],
)
def test_rules(values, kind):
    assert infer_kinds(pd.DataFrame({"column": values})).loc["column", "kind"] == kind


def test_what_is_typical_names_nobody(made):
    typical = infer_kinds(made.customers)["typical"]
    assert (typical[["customer_id", "full_name", "email"]] == "").all()
    low, high = made.customers["age"].quantile([0.05, 0.95])
    assert typical["age"] == f"{low:.4g} to {high:.4g}"
    assert made.customers["occupation"].mode()[0] in typical["occupation"]


def test_numbers_among_words_ask_for_a_decision():
    frame = pd.DataFrame({"income": ["12", "15", "17", "none", "a lot"] * 5})
    with pytest.raises(InputDataError, match="mixes numbers and words: 60%"):
        infer_kinds(frame)
    assert infer_kinds(frame, kinds={"income": "numeric"}).loc["income", "kind"] == "numeric"


def test_what_a_person_says_wins_and_is_checked():
    frame = pd.DataFrame({"size": ["s", "m", "l"], "n": [1, 2, 3]})
    kinds = infer_kinds(frame, kinds={"size": ["s", "m", "l"], "n": "left out"})
    assert kinds.loc["size", "levels"] == ("s", "m", "l")
    assert kinds.loc["n", "kind"] == "left out"
    with pytest.raises(ConfigError, match="must be in the table"):
        infer_kinds(frame, kinds={"absent": "numeric"})
    with pytest.raises(ConfigError, match="A kind is one of"):
        infer_kinds(frame, kinds={"n": "number"})
    with pytest.raises(InputDataError, match="levels that kinds does not list"):
        infer_kinds(frame, kinds={"size": ["s", "m"]})


def test_numbers_in_writing():
    text = pd.Series(["Rp 1,250,000", "$3.50", "12%", "1e3", "1,2", "", "x"])
    assert parse_numbers(text).fillna(-1).tolist() == [1250000, 3.5, 12, 1000, -1, -1, -1]
