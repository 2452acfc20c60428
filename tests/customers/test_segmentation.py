from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from alphastrata.customers import Effort, Stages, make_table, segment, simulate
from alphastrata.customers.segmentation import _sample
from alphastrata.errors import ConfigError, InputDataError

QUICK = (Stages(reduction="none"), Stages(reduction="pca"))
EFFORT = Effort(search_rows=700, draws=6, repeats=2, k_max=7)


@pytest.fixture(scope="module")
def found(table):
    return segment(table, stages=Stages(), effort=EFFORT)


def recovered(seed, **settings):
    made = simulate(1_500, seed=seed)
    table = make_table(made.customers)
    found = segment(table, random_state=seed, **settings)
    return adjusted_rand_score(made.segments.loc[table.frame.index], found.labels), found


@pytest.mark.parametrize("seed", range(5))
def test_planted_segments_come_back(seed):
    """Five segments, mixed kinds, 10% missing, eight columns of noise: the default difficulty."""
    index, found = recovered(seed, stages=QUICK, effort=EFFORT)
    assert found.n_segments == 5
    assert found.supported
    assert index >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_planted_segments_come_back_from_the_whole_search(seed):
    index, found = recovered(seed, stages="search", effort=EFFORT)
    assert found.supported
    assert index >= 0.9


@pytest.mark.parametrize("seed", range(5))
def test_no_segments_are_claimed_where_there_are_none(seed):
    table = make_table(simulate(800, separation=0, seed=seed).customers)
    found = segment(table, stages=QUICK, effort=EFFORT, random_state=seed)
    assert found.n_segments == 1
    assert not found.supported
    assert set(found.labels) == {1}
    assert found.sentence().startswith("No segments")


def test_a_division_is_no_finding():
    table = make_table(simulate(300, separation=0, seed=1).customers)
    found = segment(table, stages=Stages(), divide=3, effort=Effort(draws=4, repeats=1, k_max=4))
    assert found.n_segments == 3
    assert not found.supported
    assert "not supported by the data" in found.sentence()


def test_hdbscan_finds_its_own_number():
    table = make_table(simulate(400, seed=1).customers)
    stages = Stages(reduction="isomap", clusterer="hdbscan")
    effort = Effort(search_rows=200, draws=4, repeats=1)
    found = segment(table, stages=stages, effort=effort)
    assert found.n_segments == max(1, found.labels.max())
    assert found.sentence()
    assert found.shares()["share"].sum() == pytest.approx(1)
    with pytest.raises(ConfigError, match="its own number"):
        segment(table, stages=stages, divide=3)


def test_plain_k_means_is_the_default(table):
    found = segment(table, n_segments=3, effort=Effort(draws=4, repeats=1, k_max=4))
    assert str(found.stages) == "kmeans"
    assert found.n_segments == 3
    assert found.search is None


def test_new_customers_are_assigned_without_fitting_again(found, table, made):
    again = found.predict(table)
    assert (again == found.labels).mean() > 0.999
    raw = made.customers.set_index("customer_id").iloc[::-1]
    assert found.predict(raw).loc[table.frame.index].equals(again)
    one = found.predict(raw.iloc[[0]])
    assert one.iloc[0] == again[raw.index[0]]


def test_new_customers_may_be_written_as_in_a_file(found, made):
    raw = made.customers.set_index("customer_id").iloc[:40]
    text = raw.astype(object).where(raw.notna(), None)
    text["stock_balance"] = [None if v is None else f"Rp {v:,.0f}" for v in text["stock_balance"]]
    text["age"] = [None if v is None else str(v) for v in text["age"]]
    assert found.predict(text).equals(found.predict(raw))
    strange = raw.assign(occupation="astronaut")
    missing = raw.assign(occupation=None)
    assert found.predict(strange).equals(found.predict(missing))
    with pytest.raises(InputDataError, match="1 are absent. First: 'age'"):
        found.predict(raw.drop(columns="age"))


def test_order_of_rows_hardly_matters_to_assignment(found, table):
    shuffled = table.take(np.random.default_rng(0).permutation(len(table)))
    assert found.predict(shuffled).loc[table.frame.index].equals(found.labels)


def test_segments_are_numbered_by_size(found):
    shares = found.shares()
    assert shares["share"].sum() == pytest.approx(1)
    assert (shares.loc[1:, "share"].diff().dropna() <= 0.01).all()
    assert shares["customers"].sum() == 800


def test_same_seed_same_labels(table):
    effort = Effort(draws=4, repeats=1)
    one, two = (segment(table, stages=Stages(), n_segments=4, effort=effort) for _ in range(2))
    assert one.labels.equals(two.labels)


def test_progress_counts_up_to_its_total(table):
    calls = []
    segment(
        table,
        stages=QUICK,
        effort=Effort(draws=4, repeats=1, k_max=3, search_rows=200),
        progress=lambda *call: calls.append(call),
    )
    search = [c for c in calls if c[0] == "search"]
    assert search[-1][1] == search[-1][2]
    assert all(a[1] <= b[1] for a, b in zip(search, search[1:]))
    assert calls[-1] == ("assign", 800, 800)


def implicates(table, copies=3):
    """The table several times over, as implicates, with weights."""
    frames = pd.concat([table.frame] * copies)
    keys = pd.Series(np.tile(table.frame.index.to_numpy(), copies))
    frames.index = [f"{key}-{i // len(table)}" for i, key in enumerate(keys)]
    keys.index = frames.index
    weights = pd.Series(np.tile(np.linspace(1, 5, len(table)), copies), index=frames.index)
    return replace(table, frame=frames, groups=keys, weights=weights)


def test_implicates_stay_together_and_weights_count(table):
    several = implicates(table)
    sample = _sample(several, 300, np.random.default_rng(0))
    picked = several.groups.iloc[sample]
    # The heaviest weigh five times the lightest and are drawn about as often more.
    heavy = several.weights.iloc[sample] > 3
    assert heavy.mean() == pytest.approx(2 / 3, abs=0.05)
    assert picked.nunique() >= 290
    found = segment(several, stages=Stages(), n_segments=5, effort=Effort(draws=4, repeats=1))
    customers = found.customers()
    assert len(customers) == len(table)
    assert (customers["agreement"] == 1).all()
    inside = (found.labels == 1).to_numpy()
    weights = several.weights.to_numpy()
    assert found.shares().loc[1, "share"] == pytest.approx(weights[inside].sum() / weights.sum())


def test_rubin_by_hand(table):
    several = implicates(table.take(np.arange(100)), copies=2)
    found = segment(several, stages=Stages(), n_segments=2, effort=Effort(draws=4, repeats=1))
    labels = found.labels.copy()
    labels.iloc[:] = np.r_[np.repeat([1, 2], 50), np.repeat([1, 2], [60, 40])]
    weights = several.weights.to_numpy()[:100]
    w = weights / weights.sum()
    p = np.array([w[:50].sum(), w[:60].sum()])
    u = [(w**2 * ((np.arange(100) < cut) - mean) ** 2).sum() for cut, mean in zip((50, 60), p)]
    expected = np.sqrt(np.mean(u) + 1.5 * p.var(ddof=1))
    shares = replace(found, labels=labels).shares()
    assert shares.loc[1, "share"] == pytest.approx(p.mean())
    assert shares.loc[1, "std_error"] == pytest.approx(expected)


def test_bad_requests_are_named(table):
    with pytest.raises(InputDataError, match="at least 50 customers; the table has 20"):
        segment(table.take(range(20)))
    with pytest.raises(ConfigError, match="breaks 3 rules"):
        segment(table, stages="best", n_segments=50, divide=1)
    with pytest.raises(ConfigError, match="Effort breaks 2 rules"):
        Effort(draws=1, k_max=1)
