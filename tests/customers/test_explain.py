from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal
from sklearn.tree import DecisionTreeClassifier

from alphastrata.customers import Effort, Stages, explain, profile_segments, segment, segment_rules
from alphastrata.customers.explain import readable_frame
from alphastrata.customers.profile import adjusted_pvalues, readable, weighted_median
from alphastrata.errors import InputDataError

EFFORT = Effort(search_rows=500, draws=5, repeats=1, k_max=6)


@pytest.fixture(scope="module")
def found(table):
    return segment(table, stages=Stages(), n_segments=5, effort=EFFORT)


@pytest.fixture(scope="module")
def explained(found):
    pytest.importorskip("shap")
    return explain(found, shapley_rows=200, network_rows=120)


def test_profiles_are_weighted_means(found, explained):
    numbers = explained.profiles.numbers
    ages = found.table.frame["age"].groupby(found.labels).mean()
    assert np.allclose(numbers.loc[("age", ""), list(range(1, 6))].astype(float), ages)
    retired = (found.table.frame["occupation"] == "retired")[
        found.table.frame["occupation"].notna()
    ]
    share = retired.groupby(found.labels).mean()
    assert np.allclose(
        numbers.loc[("occupation", "retired"), list(range(1, 6))].astype(float), share
    )


def test_tests_of_difference_are_scipys(found, explained):
    row = explained.profiles.differences.loc["age"]
    known = found.table.frame["age"].notna()
    groups = [
        found.table.frame["age"][known & (found.labels == k)] for k in sorted(set(found.labels))
    ]
    h, p = kruskal(*groups)
    assert row["statistic"] == pytest.approx(h)
    assert row["pvalue"] == pytest.approx(p)
    made_by = explained.profiles.differences["made_by"]
    assert made_by["gender"] == made_by["response"] == "outside"
    assert made_by["age"] == "segmentation"
    noise = [c for c in made_by.index if c.startswith("noise")]
    assert explained.profiles.differences.loc[noise, "effect"].max() < 0.2


def test_names_tell_segments_apart(found, explained, made):
    names = explained.profiles.names
    assert len(set(names.values())) == 5
    truth = made.segments.loc[found.labels.index]
    for k, name in names.items():
        planted = made.names[int(truth[found.labels == k].mode()[0])]
        word = {
            "students starting out": "student",
            "young professionals in stocks": "private employee",
            "families saving for school": "civil servant",
            "business owners": "entrepreneur",
            "retired on income": "retired",
        }[planted]
        assert word in name
        share = found.shares()["share"][k]
        opening = f"Segment {k}, {name}, holds {share:.0%} of customers: "
        assert explained.profiles.sentences[k].startswith(opening)


def test_nothing_personal_in_what_is_said(explained, made):
    said = " ".join(explained.profiles.sentences.values()) + explained.profiles.summary.to_csv()
    assert "@" not in said
    assert not any(name in said for name in made.customers["full_name"].dropna())


def test_shapley_values_rank_signal_above_noise(explained):
    importance = explained.shapley.importance.sum(axis=1)
    noise = importance[[c for c in importance.index if c.startswith("noise")]]
    assert explained.shapley.fidelity > 0.8
    assert importance[["age", "occupation"]].min() > 3 * noise.max()
    assert explained.shapley.values.shape == (200, len(importance), 5)


def test_shapley_values_of_a_customer(explained):
    key = explained.shapley.customers[0]
    own = explained.shapley.of_customer(key, 1)
    assert set(own.index) == set(explained.shapley.importance.index)
    assert (own.abs().diff().dropna() <= 1e-15).all()
    with pytest.raises(InputDataError, match="Explain more rows"):
        explained.shapley.of_customer("nobody", 1)


def test_shapley_values_add_up(explained):
    """Over columns and segments together, probabilities sum to one, so the values sum to zero."""
    assert np.abs(explained.shapley.values.sum(axis=(1, 2))).max() < 1e-6


def test_rules_hold_out(found, explained):
    assert explained.tree.fidelity > explained.tree.chance + 0.3
    rules = explained.rules
    assert set(rules.index) == {1, 2, 3, 4, 5}
    assert (rules["precision"] > 0.6).all()
    assert rules["coverage"].between(0, 1).all()


def test_rules_by_hand():
    frame = pd.DataFrame(
        {
            "pay": pd.Categorical(
                ["low", "mid", "high", "high"] * 10, categories=["low", "mid", "high"], ordered=True
            ),
            "job": pd.Categorical(["a", "a", "a", "b"] * 10),
        }
    )
    X = readable_frame(frame)
    labels = np.array([1, 1, 2, 3] * 10)
    tree = DecisionTreeClassifier(random_state=0).fit(X, labels)
    rules = segment_rules(tree, X, labels, levels={"pay": ["low", "mid", "high"]})
    assert rules.loc[1, "rule"].endswith("pay is at most 'mid'")
    assert (rules[["precision", "coverage"]] == 1).all().all()


def test_one_segment_is_profiled_alone(table):
    from alphastrata.customers import simulate
    from alphastrata.customers.table import make_table

    cloud = make_table(simulate(300, separation=0, seed=1).customers)
    found = segment(cloud, effort=EFFORT)
    assert found.n_segments == 1
    out = explain(found)
    assert out.shapley is None
    assert out.rules is None
    assert out.profiles.names == {1: "like the average"}


def test_small_parts():
    assert weighted_median(np.array([3.0, 1.0, np.nan, 2.0]), np.ones(4)) == 2.0
    assert readable(1234.5) == "1,234"
    assert readable(float("nan")) == "–"
    assert adjusted_pvalues(np.array([0.04, 0.01, 0.03])).tolist() == [0.04, 0.03, 0.04]


def test_profiles_do_not_depend_on_the_order_of_rows(found):
    from dataclasses import replace

    order = np.random.default_rng(0).permutation(len(found.table))
    shuffled = replace(
        found, table=found.table.take(order), labels=found.labels.iloc[order], sample=found.sample
    )
    one, two = profile_segments(found), profile_segments(shuffled)
    assert one.names == two.names
    assert np.allclose(one.numbers.astype(float), two.numbers.astype(float), equal_nan=True)
