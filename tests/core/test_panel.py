"""Panel: what it accepts, what it refuses, and that its order is its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Note, Panel
from alphastrata.errors import InputDataError, LookAheadError


def long_frame(seed=0, months=8, assets=6, missing=0.3):
    """A ragged long frame: rows and cells are missing, one text column."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [pd.date_range("2019-11-30", periods=months, freq="ME"), [f"A{i}" for i in range(assets)]],
        names=["date", "asset"],
    )
    frame = pd.DataFrame(
        {
            "ret": rng.normal(size=len(index)),
            "size": rng.exponential(size=len(index)),
            "exchange": rng.choice(["NYSE", "NASDAQ"], size=len(index)),
        },
        index=index,
    )
    frame.loc[rng.random(len(index)) < 0.2, "ret"] = np.nan
    return frame[rng.random(len(index)) > missing]


def same_bits(a: Panel, b: Panel) -> bool:
    return (
        a.dates.equals(b.dates)
        and a.assets.equals(b.assets)
        and np.array_equal(a.offsets, b.offsets)
        and np.array_equal(a.asset_codes, b.asset_codes)
        and all(
            a.values(c).tobytes() == b.values(c).tobytes()
            for c in a.columns
            if not a.is_categorical(c)
        )
    )


@pytest.mark.parametrize("seed", range(5))
def test_any_row_order_and_shape_gives_the_same_bits(seed):
    frame = long_frame(seed)
    panel = Panel(frame)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert same_bits(panel, Panel(shuffled))
    assert same_bits(panel, Panel(shuffled.reset_index()))
    assert same_bits(panel, Panel(shuffled.swaplevel()))
    numbers = frame[["ret", "size"]]
    wide = {name: numbers[name].unstack() for name in numbers}
    assert same_bits(Panel(numbers), Panel.from_wide(wide))


def test_rows_come_back_as_they_went_in():
    frame = long_frame()
    panel = Panel(frame.sample(frac=1, random_state=1))
    expected = frame.sort_index()
    pd.testing.assert_frame_equal(
        panel.frame[["ret", "size"]], expected[["ret", "size"]], check_index_type=False
    )
    assert panel.categorical("exchange").tolist() == expected["exchange"].tolist()
    assert panel.wide("ret").stack().dropna().sort_index().tolist() == (
        expected["ret"].dropna().tolist()
    )
    some_date = panel.dates[3]
    pd.testing.assert_series_equal(
        panel.at(some_date)["size"], expected.loc[some_date]["size"], check_names=False
    )


def test_everything_wrong_is_said_at_once():
    frame = pd.DataFrame(
        {
            "date": ["2020-01-31", "2020-01-31", "2020-02-29"],
            "asset": ["A", "A", "B"],
            "x": [1.0, np.inf, 2.0],
            "when": pd.to_datetime(["2020-01-01"] * 3),
        }
    )
    with pytest.raises(InputDataError) as caught:
        Panel(frame)
    message = str(caught.value)
    assert "breaks 3 rules" in message
    assert "'x' has no infinite values; 1 breaks this. First: row 1." in message
    assert "'when' holds numbers or categories" in message
    assert "Each (date, asset) may appear once; 1 breaks this. First: date=2020-01-31" in message


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda f: f.drop(columns="asset"), "keyed by"),
        (lambda f: f.assign(date=pd.to_datetime(f["date"]).dt.tz_localize("UTC")), "time zone"),
        (lambda f: f.assign(date=["2020-01-31", "no date"]), "can be read"),
        (lambda f: f.assign(date=[2020, 2021]), "not numbers"),
        (lambda f: f.assign(asset=["A", None]), "has an asset"),
        (lambda f: f.assign(asset=["A", 7]), "one type"),
        (lambda f: f.iloc[:0], "at least one row"),
    ],
)
def test_bad_keys_are_named(change, rule):
    frame = pd.DataFrame({"date": ["2020-01-31", "2020-02-29"], "asset": ["A", "B"], "x": [1, 2]})
    with pytest.raises(InputDataError, match=rule):
        Panel(change(frame))


def test_identifiers_stay_as_they_are():
    frame = pd.DataFrame(
        {"date": ["2020-01-31"] * 4, "asset": ["NA", "ON", "00123E10", "TRUE"], "x": range(4)}
    )
    assert Panel(frame, freq="M").assets.tolist() == ["00123E10", "NA", "ON", "TRUE"]
    assert Panel(frame.assign(asset=[10, 9, 8, 7]), freq="M").assets.tolist() == [7, 8, 9, 10]


def test_monthly_calendar_has_every_month_end_and_says_what_moved():
    frame = pd.DataFrame(
        {"date": ["2020-01-01", "2020-02-01", "2020-05-01"], "asset": ["A"] * 3, "x": [1, 2, 3]}
    )
    panel = Panel(frame)
    assert panel.dates.strftime("%m-%d").tolist() == ["01-31", "02-29", "03-31", "04-30", "05-31"]
    assert np.diff(panel.offsets).tolist() == [1, 1, 0, 0, 1]
    assert panel.notes[0].count == 3
    # A gap is a gap: May's lag is April, which has no row.
    np.testing.assert_array_equal(panel.lag().values("x"), [np.nan, 1.0, np.nan])
    with pytest.raises(InputDataError, match="may appear once"):
        Panel(
            pd.DataFrame({"date": ["2020-01-01", "2020-01-31"], "asset": ["A"] * 2, "x": [1, 2]}),
            freq="M",
        )


@pytest.mark.parametrize("periods", [0, 1, 2, 5])
def test_lag_is_a_shift_of_the_wide_frame(periods):
    panel = Panel(long_frame(seed=3, months=12))
    got = panel.lag(["ret", "size"], periods)
    for name in ("ret", "size"):
        want = panel.wide(name).shift(periods)
        rows = got.frame[name]
        np.testing.assert_array_equal(rows.to_numpy(), [want.loc[d, a] for d, a in rows.index])
    with pytest.raises(LookAheadError, match="lead"):
        panel.lag(periods=-1)


def test_lookup_finds_exactly_the_rows_that_exist():
    panel = Panel(long_frame(seed=4))
    every = [(d, a) for d in range(-1, len(panel.dates) + 1) for a in range(-1, 8)]
    dates, assets = (np.array(column, dtype=np.int64) for column in zip(*every, strict=True))
    found = panel.lookup(dates, assets)
    rows = {(d, a): i for i, (d, a) in enumerate(zip(panel.date_codes, panel.asset_codes))}
    assert found.tolist() == [rows.get(pair, -1) for pair in every]


def test_cuts_keep_values_and_calendar_rules():
    panel = Panel(long_frame(seed=5, months=12))
    cut = panel.between("2020-02-01", "2020-06-30")
    assert cut.dates[0] == pd.Timestamp("2020-02-29")
    assert cut.frame["ret"].equals(panel.frame.loc["2020-02-01":"2020-06-30", "ret"])
    big = panel.where(panel.values("size") > 1)
    assert big.dates.equals(panel.dates)
    assert len(big) == (panel.frame["size"] > 1).sum()
    with pytest.raises(InputDataError, match="No rows between"):
        panel.between("1990-01-01", "1990-12-31")
    with pytest.raises(InputDataError, match="no row"):
        panel.where(np.zeros(len(panel), dtype=bool))


def test_join_matches_rows_and_counts_those_without_a_partner():
    frame = long_frame(seed=6)
    left = Panel(frame[["ret"]])
    right = frame[["size"]].sample(frac=0.5, random_state=0)
    joined = left.join(right)
    want = frame[["ret"]].join(right).sort_index()
    np.testing.assert_array_equal(joined.values("size"), want["size"].to_numpy())
    assert joined.notes[-1].count == len(frame) - len(right)
    inner = left.join(right, how="inner")
    assert len(inner) == len(right)
    with pytest.raises(InputDataError, match="in both"):
        left.join(frame[["ret"]])


def test_join_keeps_its_own_categories():
    frame = long_frame(seed=6)
    panel = Panel(frame)
    joined = panel.join(Panel(frame[["exchange"]].assign(beta=1.0)))
    assert joined.columns == ["ret", "size", "exchange", "beta"]


def test_assign_aligns_a_series_and_refuses_a_wrong_length():
    panel = Panel(long_frame(seed=7))
    series = panel.frame["size"].sample(frac=0.5, random_state=0) * 2
    got = panel.assign({"double": series, "one": 1.0})
    want = series.reindex(panel.index).to_numpy()
    np.testing.assert_array_equal(got.values("double"), want)
    assert (got.values("one") == 1).all()
    with pytest.raises(InputDataError, match="one value per row"):
        panel.assign({"bad": np.ones(3)})


def test_a_panel_cannot_be_written_to():
    panel = Panel(long_frame())
    with pytest.raises(ValueError, match="read-only"):
        panel.values("ret")[0] = 1.0
    assert panel.select(["ret"]).columns == ["ret"]
    with pytest.raises(InputDataError, match="'nothing'"):
        panel.values("nothing")
    with pytest.raises(InputDataError, match="holds categories"):
        panel.values("exchange")


def test_notes_travel():
    note = Note("no close", 3, 10, "A", "dropped", "data")
    panel = Panel(long_frame(), notes=[note])
    assert panel.lag().notes == panel.select(["ret"]).notes == (note,)
    assert str(note) == "no close: 3 of 10 dropped (first: A)"


def test_object_columns_are_settled_or_refused():
    from decimal import Decimal

    base = {"date": ["2020-01-31", "2020-02-29", "2020-03-31"], "asset": ["A"] * 3}
    mixed = pd.DataFrame({**base, "ret": pd.Series([0.1, "x", 0.2], dtype=object)})
    with pytest.raises(InputDataError, match=r"numbers or text, not both; 1 breaks.*'x' at 1"):
        Panel(mixed)
    numbers = pd.DataFrame({**base, "ret": pd.Series([0.1, None, Decimal("0.5")], dtype=object)})
    np.testing.assert_array_equal(Panel(numbers).values("ret"), [0.1, np.nan, 0.5])
    nothing = pd.DataFrame({**base, "ret": pd.Series([None] * 3, dtype=object)})
    assert np.isnan(Panel(nothing).values("ret")).all()
    text = pd.DataFrame({**base, "code": pd.Series(["x", None, "y"], dtype=object)})
    assert Panel(text).is_categorical("code")


def test_nullable_boolean_and_text_columns():
    frame = pd.DataFrame(
        {
            "date": ["2020-01-31", "2020-02-29"],
            "asset": ["A", "A"],
            "whole": pd.array([1, None], dtype="Int64"),
            "flag": [True, False],
            "name": ["x", None],
        }
    )
    panel = Panel(frame)
    np.testing.assert_array_equal(panel.values("whole"), [1.0, np.nan])
    np.testing.assert_array_equal(panel.values("flag"), [1.0, 0.0])
    assert panel.categorical("name").isna().tolist() == [False, True]
    assert panel.wide("name").iloc[0, 0] == "x"
    assert "Panel: 2 rows" in repr(panel)
    assert "<table" in panel._repr_html_()
