"""CRSP and Compustat tables: the screen, delistings, book equity, links."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.data.wrds_tables import (
    DelistingPolicy,
    funda_items,
    link_statements,
    market_rows,
    sic_division,
    statement_rows,
)
from alphastrata.errors import InputDataError

COMMON = {
    "sharetype": "NS",
    "securitytype": "EQTY",
    "securitysubtype": "COM",
    "usincflg": "Y",
    "issuertype": "CORP",
    "conditionaltype": "RW",
    "tradingstatusflg": "A",
}
MONTHS = pd.date_range("2020-01-31", "2020-06-30", freq="ME")


def msf(permno: int, months: pd.DatetimeIndex = MONTHS, **columns: object) -> pd.DataFrame:
    base = {
        "permno": permno,
        "mthcaldt": months,
        "mthret": 0.01,
        "mthprc": 20.0,
        "mthcap": 2e5,
        "mthvol": 1e6,
        "shrout": 1e4,
    }
    return pd.DataFrame(base | columns)


def info(
    permno: int, start: str = "1990-01-01", end: str = "2099-12-31", **more: object
) -> dict[str, object]:
    row = {"permno": permno, "secinfostartdt": start, "secinfoenddt": end}
    return row | {"primaryexch": "N", "siccd": 2834} | COMMON | more


def delists(*rows: tuple[int, str, float, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["permno", "delistingdt", "delret", "delactiontype"])


def test_units_and_names() -> None:
    table, notes = market_rows(msf(7, mthprc=-20.0), pd.DataFrame([info(7)]), delists())
    row = table.iloc[0]
    assert row["asset"] == "7"
    assert row["date"] == pd.Timestamp("2020-01-31")
    assert (row["price"], row["shares"], row["market_cap"]) == (20.0, 1e7, 2e8)
    assert (row["exchange"], row["industry"], row["delisted"]) == ("NYSE", "Manufacturing", 0.0)
    assert notes == []


def test_the_screen_holds_as_of_the_row_before() -> None:
    """The month of a delisting is no longer active, and its return survives the screen."""
    spells = [
        info(7, end="2020-05-28"),
        info(7, start="2020-05-29", tradingstatusflg="D", primaryexch="X"),
    ]
    returns = [0.01, 0.01, 0.01, 0.01, -0.8]
    rows = msf(7, MONTHS[:5], mthret=returns)
    table, _ = market_rows(rows, pd.DataFrame(spells), delists((7, "2020-05-28", -0.8, "GDR")))
    assert table["ret"].tolist() == returns
    assert table["exchange"].tolist() == ["NYSE"] * 5
    assert table["delisted"].tolist() == [0, 0, 0, 0, 1]


def test_what_is_no_common_stock_is_left_out_and_counted() -> None:
    rows = pd.concat([msf(7), msf(8), msf(9)])
    spells = [
        info(7),
        info(8, securitysubtype="UNIT"),
        info(9, end="2020-03-15"),
        info(9, start="2020-03-16", usincflg="N"),
    ]
    table, notes = market_rows(rows, pd.DataFrame(spells), delists())
    assert table.groupby("asset").size().to_dict() == {"7": 6, "9": 3}
    assert [note.count for note in notes] == [9]


@pytest.mark.parametrize(
    ("exchange", "day", "delret", "action", "expected"),
    [
        ("N", "2020-06-15", np.nan, "GDR", [(1.01 * 0.65) - 1]),
        ("A", "2020-06-15", np.nan, "GDR", [(1.01 * 0.65) - 1]),
        ("Q", "2020-06-15", np.nan, "GDR", [(1.01 * 0.45) - 1]),
        ("Q", "2020-06-30", np.nan, "GDR", [0.01, -0.55]),
        ("N", "2020-06-15", -0.2, "GDR", [0.01]),
        ("N", "2020-06-15", np.nan, "MER", [0.01]),
        ("N", "2020-09-15", np.nan, "GDR", [0.01]),
    ],
)
def test_missing_delisting_returns_follow_the_policy(
    exchange: str, day: str, delret: float, action: str, expected: list[float]
) -> None:
    table, notes = market_rows(
        msf(7), pd.DataFrame([info(7, primaryexch=exchange)]), delists((7, day, delret, action))
    )
    np.testing.assert_allclose(table["ret"].to_numpy()[5:], expected)
    assert table["date"].is_monotonic_increasing
    if len(expected) == 2:
        assert table["date"].iloc[-1] == pd.Timestamp("2020-07-31")
        assert table["delisted"].iloc[-1] == 1.0
        assert np.isnan(table["price"].iloc[-1])
    text = " ".join(map(str, notes))
    assert ("assumed -35%" in text) == (np.isnan(delret) and action == "GDR" and day < "2020-09")
    assert ("other delistings without a return (MER 1)" in text) == (action == "MER")


def test_a_missing_return_counts_as_the_assumed_one() -> None:
    rows = msf(7, mthret=[0.01] * 5 + [np.nan])
    table, _ = market_rows(
        rows,
        pd.DataFrame([info(7)]),
        delists((7, "2020-06-10", np.nan, "GDR")),
        policy=DelistingPolicy(nyse_amex=-0.3),
    )
    assert table["ret"].iloc[-1] == pytest.approx(-0.3)


def test_two_rows_in_a_month_are_refused() -> None:
    with pytest.raises(InputDataError, match="one row a month; 6 repeat. First: permno 7"):
        market_rows(pd.concat([msf(7), msf(7)]), pd.DataFrame([info(7)]), delists())


def test_statements_in_dollars_with_a_declared_lag() -> None:
    funda = pd.DataFrame(
        {
            "gvkey": ["001", "001", "001"],
            "datadate": ["2019-12-31", "2020-12-31", "2020-12-31"],
            "at": [100.0, 110.0, 120.0],
            "lt": [60.0, 60.0, 70.0],
            "sale": [50.0, 55.0, 56.0],
            "seq": [np.nan, np.nan, 50.0],
            "ceq": [np.nan, 45.0, 45.0],
            "pstk": [np.nan, 2.0, 2.0],
            "txditc": [np.nan, np.nan, 3.0],
            "pstkrv": [np.nan, np.nan, 4.0],
            "pstkl": [np.nan, np.nan, 5.0],
            "epspx": [1.5, 1.6, 1.7],
        }
    )
    table, notes = statement_rows(funda, lag="6M")
    assert table["total_assets"].tolist() == [100e6, 120e6]
    assert table["eps"].tolist() == [1.5, 1.7]
    # at - lt; and seq + txditc - pstkrv.
    assert table["book_equity"].tolist() == [40e6, 49e6]
    assert table["known_at"].dt.strftime("%Y-%m-%d").tolist() == ["2020-06-30", "2021-06-30"]
    assert [note.count for note in notes] == [2, 1]
    assert "6M" in notes[0].rule
    only, _ = statement_rows(funda.iloc[[1]], lag="6M")
    assert only["book_equity"].tolist() == [45e6 + 2e6 - 2e6]
    assert {"at", "seq", "pstkl", "esubc"} <= set(funda_items())


def test_statements_reach_a_security_while_the_link_holds() -> None:
    ends = pd.date_range("2015-12-31", "2019-12-31", freq="YE")
    statements = pd.DataFrame(
        {
            "gvkey": "001",
            "period_end": ends,
            "known_at": ends + pd.DateOffset(months=6),
            "sales": 1.0,
        }
    )
    links = pd.DataFrame(
        [
            ("001", 7, "LC", "P", "2017-01-10", "2019-03-01"),
            ("001", 8, "LU", "C", "2019-03-02", None),
            ("001", 9, "NR", "P", "1990-01-01", None),
            ("002", 9, "LC", "P", "1990-01-01", None),
        ],
        columns=["gvkey", "lpermno", "linktype", "linkprim", "linkdt", "linkenddt"],
    )
    table, notes = link_statements(statements, links)
    seven = table[table["asset"] == "7"]
    assert seven["period_end"].dt.year.tolist() == [2015, 2016, 2017]
    assert seven["known_at"].dt.strftime("%Y-%m-%d").tolist() == [
        "2017-01-10", "2017-06-30", "2018-06-30",
    ]  # fmt: skip
    eight = table[table["asset"] == "8"]
    assert eight["known_at"].min() == pd.Timestamp("2019-03-02")
    assert set(table["asset"]) == {"7", "8"}
    assert notes == []
    lonely, notes = link_statements(statements.assign(gvkey="003"), links)
    assert lonely.empty
    assert [note.count for note in notes] == [5]


def test_sic_divisions() -> None:
    codes = np.array([111, 1311, 1531, 3674, 4512, 4911, 5045, 5411, 6021, 7372, 9121, 0, 9999.5])
    assert sic_division(codes).tolist() == [
        "Agriculture", "Mining", "Construction", "Manufacturing", "Transportation", "Utilities",
        "Wholesale", "Retail", "Finance", "Services", "Public", None, None,
    ]  # fmt: skip
