"""What users hand in: odd frames and labels are read, or refused by rule, count, first, remedy."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from alphastrata.cluster import (
    boxes,
    choose_k,
    experiments,
    feature_importance,
    feature_network,
    neighbor_network,
    null_test,
    profiles,
    sample_null,
    scores,
    shapley_values,
    size_purge,
    spectral_labels,
    stability,
    surrogate_tree,
    trustworthiness,
    tune,
)
from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.errors import ConfigError, InputDataError


@pytest.fixture
def X():  # noqa: N802
    values = np.random.default_rng(0).normal(size=(40, 4))
    return pd.DataFrame(values, columns=list("abcd"), index=[f"S{i}" for i in range(40)])


LABELS = np.repeat([0, 1], 20)
MODEL = KMeans(2, n_init=1, random_state=0)
GROUPS = {"original": ["a"], "extension": ["b"], "price": ["c", "d"]}

READERS = {
    "null_test": lambda X: null_test(MODEL, X, nulls=["permute"], draws=1),
    "stability": lambda X: stability(MODEL, X, seeds=1, bootstraps=1),
    "size_purge": lambda X: size_purge(MODEL, X, np.arange(40.0), draws=1),
    "choose_k": lambda X: choose_k(MODEL, X, candidates=(2, 3), draws=2),
    "tune": lambda X: tune(MODEL, X, {"n_clusters": [2]}),
    "surrogate_tree": lambda X: surrogate_tree(X, LABELS),
    "shapley_values": lambda X: shapley_values(X, LABELS, n_trees=1),
    "feature_importance": lambda X: feature_importance(MODEL.fit(np.zeros((9, 4))), X, repeats=1),
    "profiles": lambda X: profiles(X, X, LABELS),
    "boxes": lambda X: boxes(X, LABELS),
    "feature_network": feature_network,
    "neighbor_network": lambda X: neighbor_network(X, LABELS),
    "scores": lambda X: scores(X, [LABELS]),
    "trustworthiness": lambda X: trustworthiness(X, X),
    "spectral_labels": lambda X: spectral_labels(X, [2]),
    "experiments": lambda X: experiments(X, GROUPS, clusters=(2,), seeds=1, schedule="short"),
}


@pytest.fixture(params=READERS.values(), ids=READERS)
def reader(request):
    if "shapley" in request.node.name:
        pytest.importorskip("shap")
    return request.param


@pytest.mark.filterwarnings("ignore")
def test_text_and_infinite_values_are_named(reader, X):
    with pytest.raises(InputDataError, match=r"'b' holds numbers; 40 break this.*'x' in row S0"):
        reader(X.assign(b="x"))
    with pytest.raises(InputDataError, match="'b' holds numbers"):
        reader(X.assign(b=pd.Categorical(["u", "v"] * 20)))
    X.iloc[3, 1] = np.inf
    with pytest.raises(InputDataError, match=r"infinite; 1 breaks this.*row S3, column 'b'"):
        reader(X)


def test_repeated_columns_are_named(reader, X):
    with pytest.raises(InputDataError, match=r"different names; 1 breaks this. First: 'a'"):
        reader(X.set_axis(list("abca"), axis=1)[["a", "b", "c"]].assign(d=1.0))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["object", "float32", "Float64"])
def test_the_kind_of_number_changes_nothing(X, kind):
    rounded = X.round(2).astype("float32").astype("float64")
    given = rounded.astype(kind)
    assert scores(given, [LABELS]) == scores(rounded, [LABELS])
    pd.testing.assert_frame_equal(
        profiles(given, given, LABELS), profiles(rounded, X * 0 + rounded, LABELS)
    )
    pd.testing.assert_frame_equal(boxes(given, LABELS), boxes(rounded, LABELS))
    pd.testing.assert_frame_equal(feature_network(given).edges, feature_network(rounded).edges)


def test_all_that_is_wrong_is_named_together(X):
    X = X.assign(b="x", c=np.nan)
    X.iloc[0, 0] = -np.inf
    with pytest.raises(InputDataError) as raised:
        read_features(X, "An example", empty=False)
    for part in ("breaks 3 rules", "'b' holds numbers", "infinite", "has a value", "First: 'b'"):
        assert part in str(raised.value)


def test_missing_values_pass_or_are_named(X):
    X.iloc[2, 3] = np.nan
    assert read_features(X, "An example").isna().to_numpy().sum() == 1
    with pytest.raises(InputDataError, match="missing; 1 breaks this. First: row S2, column 'd'"):
        scores(X, [LABELS])


def test_the_shape_is_named():
    with pytest.raises(InputDataError, match=r"shape \(3,\)"):
        read_features(np.zeros(3), "An example")
    with pytest.raises(InputDataError, match="2 rows and 1 columns"):
        null_test(MODEL, np.zeros((2, 1)))
    with pytest.raises(InputDataError, match=r"shape \(3,\)"):
        sample_null(np.zeros(3), "permute", np.random.default_rng(0))


def test_labels_are_whole_numbers_or_not_classified():
    assert read_labels(pd.array([1, None], dtype="Int64"), 2, "An example").tolist() == [1, -1]
    assert read_labels([True, False], 2, "An example").tolist() == [1, 0]
    with pytest.raises(InputDataError, match="shape \\(2,\\) for 3 rows"):
        read_labels([1, 2], 3, "An example")
    with pytest.raises(InputDataError, match="whole numbers; 1 breaks this. First: 1.5"):
        read_labels([1.0, 1.5], 2, "An example")
    with pytest.raises(InputDataError, match="whole numbers; 2 break this. First: 'x'"):
        read_labels(["x", "y"], 2, "An example")


@pytest.mark.parametrize("odd", [KMeans, "kmeans", None, np.zeros(3)], ids=repr)
def test_what_is_no_clusterer_is_refused(odd, X):
    for call in (null_test, stability, choose_k):
        with pytest.raises(ConfigError, match="must be a clusterer"):
            call(odd, X)
    with pytest.raises(ConfigError, match="must be a clusterer"):
        size_purge(odd, X, np.arange(40.0))
