"""Trading days of the New York Stock Exchange."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from alphastrata.data.sessions import next_session, nyse_holidays


def test_published_holidays() -> None:
    """Source: the exchange's published calendars of 2010, 2012, 2021, 2022 and 2024."""
    expected = {
        "2010": "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
        "2012": "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25",
        "2021": "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
        "2022": "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
        "2024": "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    }
    for year, days in expected.items():
        got = nyse_holidays(pd.Timestamp(f"{year}-01-01"), pd.Timestamp(f"{year}-12-31"))
        assert [str(day)[5:] for day in got] == days.split()


def test_the_next_session() -> None:
    days = ["2021-12-31", "2022-01-01", "2012-10-26", "2001-09-10", "1997-01-17", "1998-01-16"]
    got = next_session(pd.DatetimeIndex(days)).strftime("%Y-%m-%d").tolist()
    assert got == [
        "2022-01-03", "2022-01-03", "2012-10-31", "2001-09-17", "1997-01-20", "1998-01-20",
    ]  # fmt: skip
    assert len(next_session(pd.DatetimeIndex([]))) == 0


@pytest.mark.realdata
def test_real_trading_days(real_data: Path) -> None:
    """The days of the French daily factors are the exchange's, 1971 on."""
    from alphastrata import data

    daily = data.french(
        real_data / "french/v202510/F-F_Research_Data_Factors_daily_CSV.zip", frequency="D"
    )
    dates = daily.between("1971-01-01").dates
    assert next_session(dates[:-1]).equals(dates[1:])
