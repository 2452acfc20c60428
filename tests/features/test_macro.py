"""Macro series as they were known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata import features
from alphastrata.core.panel import Panel
from alphastrata.errors import InputDataError, LookAheadError

DATES = pd.date_range("2020-01-31", periods=6, freq="ME")


@pytest.fixture
def panel() -> Panel:
    index = pd.MultiIndex.from_product([DATES, ["A", "B"]], names=["date", "asset"])
    return Panel(pd.DataFrame({"beta": np.arange(12.0)}, index=index))


def vintages(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    about = pd.DatetimeIndex(rng.choice(pd.date_range("2019-10-31", periods=7, freq="ME"), 30))
    known = about + pd.to_timedelta(rng.integers(0, 120, 30), unit="D")
    values = np.where(rng.random(30) < 0.1, np.nan, rng.normal(size=30))
    frame = pd.DataFrame({"growth": values, "known_at": known}, index=about)
    return frame[~frame.reset_index().duplicated(["index", "known_at"]).to_numpy()]


@pytest.mark.parametrize("seed", range(5))
def test_the_latest_figure_in_its_latest_vintage(seed: int, panel: Panel) -> None:
    series = vintages(seed)
    got = features.join_macro(panel, series).wide("growth")
    for date in panel.dates:
        seen = series[(series.known_at <= date) & series.growth.notna()].copy()
        seen["about"] = seen.index
        seen = seen.sort_values(["about", "known_at"])
        want = seen.growth.iloc[-1] if len(seen) else np.nan
        np.testing.assert_array_equal(got.loc[date], [want, want])


def test_shuffled_and_later_releases_change_nothing(panel: Panel) -> None:
    series = vintages()
    got = features.join_macro(panel, series.sample(frac=1, random_state=1)).values("growth")
    assert got.tobytes() == features.join_macro(panel, series).values("growth").tobytes()
    corrupt = series.assign(growth=series.growth.where(series.known_at <= DATES[3], 1e9))
    past = features.join_macro(panel, corrupt).between(None, DATES[3]).values("growth")
    assert past.tobytes() == got[: past.size].tobytes()


def test_a_declared_lag_is_recorded(panel: Panel) -> None:
    series = pd.DataFrame({"cpi": [1.0, 2.0]}, index=pd.to_datetime(["2020-01-31", "2020-03-31"]))
    got = features.join_macro(panel, series, lag_days=30, interact={"beta": ["cpi"]})
    np.testing.assert_array_equal(got.wide("cpi")["A"], [np.nan, np.nan, 1.0, 2.0, 2.0, 2.0])
    np.testing.assert_array_equal(got.values("beta_x_cpi"), got.values("beta") * got.values("cpi"))
    text = [str(note) for note in got.notes]
    assert any("taken as known 30 days after" in line for line in text)
    assert any("cpi: dates before the first release: 2 of 6 left missing" in line for line in text)


def test_a_series_that_ended_is_noted(panel: Panel) -> None:
    series = pd.DataFrame({"old": [1.0]}, index=pd.to_datetime(["2019-03-31"]))
    got = features.join_macro(panel, series, lag_days=0)
    assert [note.count for note in got.notes if "days old" in note.rule] == [2]


def test_release_dates_have_to_be_there_and_be_possible(panel: Panel) -> None:
    series = vintages()
    with pytest.raises(LookAheadError, match="when figures became known"):
        features.join_macro(panel, series.drop(columns="known_at"))
    with pytest.raises(LookAheadError, match="in one way"):
        features.join_macro(panel, series, lag_days=3)
    with pytest.raises(LookAheadError, match="on its date or later"):
        features.join_macro(panel, series.assign(known_at=pd.Timestamp("2019-01-01")))
    with pytest.raises(LookAheadError, match="has its known_at"):
        features.join_macro(panel, series.assign(known_at=pd.NaT))
    with pytest.raises(LookAheadError, match="not negative"):
        features.join_macro(panel, series[["growth"]], lag_days=-1)


def test_wrong_columns_are_named_together(panel: Panel) -> None:
    series = vintages().assign(beta=1.0, name="x", wild=np.inf)
    with pytest.raises(InputDataError) as error:
        features.join_macro(panel, series, interact={"gamma": ["growth"], "beta": ["nothing"]})
    for part in ("'name'", "'wild'", "First: beta", "'gamma'", "'nothing'"):
        assert part in str(error.value)
    with pytest.raises(InputDataError, match="indexed by dates"):
        features.join_macro(panel, series.reset_index(drop=True))
