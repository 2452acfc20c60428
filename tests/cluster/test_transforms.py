"""The transformers against numpy and pandas, and scikit-learn's own checks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from alphastrata.cluster import CrossSectionalRank, MedianImputer, SignedLog, Winsorizer
from alphastrata.errors import ConfigError, EstimationError, InputDataError

FINITE = st.floats(-1e12, 1e12)
MATRIX = arrays(np.float64, (7, 2), elements=FINITE | st.just(np.nan))


@parametrize_with_checks(
    [
        SignedLog(),
        Winsorizer(),
        CrossSectionalRank(),
        MedianImputer(),
        MedianImputer(policy="refuse"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@given(MATRIX)
def test_signed_log_is_odd_monotone_and_undone(X):
    model = SignedLog().fit(X)
    Z = model.transform(X)
    np.testing.assert_array_equal(Z, -model.transform(-X))
    np.testing.assert_allclose(model.inverse_transform(Z), X, rtol=1e-12, atol=1e-12)


def test_winsorizer_is_numpys_quantile():
    X = np.random.default_rng(0).standard_t(2, size=(200, 3))
    X[::7, 1] = np.nan
    Z = Winsorizer(lower=0.05, upper=0.9).fit_transform(X)
    low, high = np.nanquantile(X, [0.05, 0.9], axis=0)
    np.testing.assert_array_equal(Z, np.clip(X, low, high))
    with pytest.raises(ConfigError, match="0.9 and 0.1"):
        Winsorizer(lower=0.9, upper=0.1).fit(X)


def test_winsorizer_leaves_an_empty_column_alone():
    X = np.column_stack([np.full(5, np.nan), np.arange(5.0)])
    assert np.isnan(Winsorizer().fit_transform(X)[:, 0]).all()


@given(MATRIX)
def test_cross_sectional_rank_is_pandas_average_rank(X):
    frame = pd.DataFrame(X)
    expected = 2 * (frame.rank() - 0.5) / frame.notna().sum() - 1
    np.testing.assert_allclose(CrossSectionalRank().fit_transform(X), expected, atol=1e-12)


def test_cross_sectional_rank_places_new_values_between():
    model = CrossSectionalRank().fit(np.array([[0.0], [1.0], [2.0]]))
    got = model.transform(np.array([[-5.0], [0.5], [9.0]])).ravel()
    np.testing.assert_allclose(got, [-2 / 3, -1 / 3, 2 / 3])


def test_median_imputer_counts_what_it_replaces():
    X = np.array([[1.0, np.nan], [np.nan, 2.0], [5.0, 4.0]])
    model = MedianImputer().fit(X)
    assert model.imputed_.tolist() == [1, 1]
    np.testing.assert_array_equal(model.transform(X), [[1, 3], [3, 2], [5, 4]])


def test_median_imputer_refuses_by_name():
    frame = pd.DataFrame({"size": [1.0, 2.0], "leverage": [0.1, np.nan]})
    with pytest.raises(InputDataError, match=r"1 of 4 are\. First: row 1, column 'leverage'"):
        MedianImputer(policy="refuse").fit(frame)
    with pytest.raises(EstimationError, match="column 'size'"):
        MedianImputer().fit(frame.assign(size=np.nan))
    with pytest.raises(ConfigError, match="policy"):
        MedianImputer(policy="mean").fit(frame)
