from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.customers import read_scf
from alphastrata.errors import InputDataError

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def path(real_data):
    return real_data / "customers" / "scf2019.parquet"


@pytest.fixture(scope="module")
def survey(path):
    return read_scf(path)


def weighted_median(values, weights):
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    return values[order][np.searchsorted(cumulated, cumulated[-1] / 2)]


def test_households_implicates_and_weights(survey):
    assert len(survey) == 28_885
    assert survey.customer_keys().nunique() == 5_777
    # The survey stands for 128.6 million families.
    assert survey.weights.sum() == pytest.approx(128.64e6, rel=1e-4)
    assert survey.columns("protected") == ["sex", "race_or_ethnicity"]
    assert "sex" not in survey.columns()


def test_published_shares(survey):
    """Bulletin of September 2020: 64.9% of families own their home, 15.2% hold stocks directly."""
    weights = survey.weights.to_numpy()
    owns = (survey.frame["home"] == "owns").to_numpy()
    assert np.average(owns, weights=weights) == pytest.approx(0.649, abs=0.0006)
    stocks = (survey.frame["stocks"] > 0).to_numpy()
    assert np.average(stocks, weights=weights) == pytest.approx(0.152, abs=0.0006)


def test_other_files_are_refused(path, tmp_path):
    raw = pd.read_parquet(path).iloc[:50]
    raw.drop(columns=["WGT"]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputDataError, match="needs the columns"):
        read_scf(tmp_path / "a.parquet")
    raw.iloc[:49].to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputDataError, match="five implicates; 1 have not"):
        read_scf(tmp_path / "b.parquet")
    raw.assign(OCCAT1=9).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputDataError, match="OCCAT1 has codes"):
        read_scf(tmp_path / "c.parquet")
