from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.customers import MixedPreprocessor
from alphastrata.customers.preprocess import AmountScaler, NominalBlocks, OrderedScores
from alphastrata.errors import ConfigError, InputDataError


def test_every_variable_weighs_the_same(table):
    model = MixedPreprocessor()
    Z = model.fit_transform(table.features())
    for block in model.blocks_:
        own = Z[:, block.start : block.stop]
        present = table.frame[block.name].notna().to_numpy()
        assert own[present].var(axis=0).sum() == pytest.approx(1.0, abs=0.12), block
        assert np.abs(own.mean(axis=0)).max() < 1e-9
    assert len(model.get_feature_names_out()) == Z.shape[1]
    assert model.blocks_[-1].stop == Z.shape[1]


def test_skewed_amounts_with_zeros_come_close_to_symmetric():
    rng = np.random.default_rng(0)
    money = np.where(rng.random(2000) < 0.4, 0.0, rng.lognormal(14, 1.5, 2000))
    Z = AmountScaler().fit_transform(pd.DataFrame({"money": money}))[:, 0]
    assert abs((Z**3).mean()) < 1.7
    assert Z.max() < 5
    assert Z[money == 0].max() < Z[money > 0].min()


def test_ordered_levels_keep_their_order():
    pay = pd.Categorical(list("lmhlm") + [None], categories=["l", "m", "h"], ordered=True)
    Z = OrderedScores().fit_transform(pd.DataFrame({"pay": pay}))[:, 0]
    assert Z[0] < Z[1] < Z[2]
    assert Z[5] == 0
    assert Z.mean() == pytest.approx(0)


def test_rare_missing_and_new_levels():
    jobs = ["a"] * 50 + ["b"] * 48 + ["c", "d"]
    model = NominalBlocks(rare=0.02).fit(pd.DataFrame({"job": pd.Categorical(jobs)}))
    assert model.kept_ == [["a", "b", "other"]]
    fresh = pd.DataFrame({"job": pd.Categorical(["c", "d", "zebra", None, "a"])})
    Z = model.transform(fresh)
    assert np.array_equal(Z[0], Z[1])
    assert not Z[2].any()
    assert not Z[3].any()
    assert Z[4].argmax() == 0


def test_embedding_replaces_wide_variables():
    rng = np.random.default_rng(0)
    town = rng.integers(0, 20, 2000)
    frame = pd.DataFrame(
        {
            "x": town % 2 + 0.1 * rng.normal(size=2000),
            "y": rng.normal(size=2000),
            "town": pd.Categorical([f"t{i:02d}" for i in town]),
        }
    )
    model = MixedPreprocessor(nominal="embedding")
    Z = model.fit_transform(frame)
    assert Z.shape[1] == 4
    assert abs(np.corrcoef(Z[:, 2], town % 2)[0, 1]) > 0.95
    assert [b.kind for b in model.blocks_] == ["numeric"] * 4


def test_order_of_rows_and_columns_of_new_customers_does_not_matter(table):
    frame = table.features()
    model = MixedPreprocessor().fit(frame)
    new = frame.sample(50, random_state=0)[list(reversed(frame.columns))]
    expected = pd.DataFrame(model.transform(frame), index=frame.index).loc[new.index]
    assert np.allclose(model.transform(new), expected)


def test_settings_and_columns_are_checked(table):
    with pytest.raises(ConfigError, match="breaks 2 rules"):
        MixedPreprocessor(log="no", rare=0.9).fit(table.features())
    with pytest.raises(InputDataError, match="at least one column"):
        MixedPreprocessor().fit(table.features()[[]])
    model = MixedPreprocessor().fit(table.features())
    with pytest.raises(InputDataError, match=r"1 are absent. First: 'age'"):
        model.transform(table.features().drop(columns="age"))
