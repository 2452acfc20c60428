"""The parser of the French library against a line-by-line reading, and against every drift."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.data.french_parse import FrenchFile, parse_french
from alphastrata.errors import InputDataError

FACTORS = (
    "This file was created using the 202003 CRSP database.\r\n"
    "The 1-month TBill return is from Ibbotson and Associates Inc.\r\n"
    "\r\n"
    ",Mkt-RF,SMB,RF\r\n"
    "202001,   -0.11,   -3.11,    0.13\r\n"
    "202002,   -8.13,    1.07,    0.12\r\n"
    "202003,  -13.39,  -99.99,    0.13\r\n"
    "\r\n"
    " Annual Factors: January-December \r\n"
    ",Mkt-RF,SMB,RF\r\n"
    "  2018,   -6.95,   -3.21,    1.81\r\n"
    "  2019,   28.28,   -6.11,    2.15\r\n"
    "\r\n"
    "Copyright 2020 Kenneth R. French\r\n"
)
PORTFOLIOS = (
    "This file was created by CMPT_ME_PRIOR_RETS using the\r\n202003 CRSP database.\r\n"
    "It contains value- weighted returns for  2 ME portfolios.\r\n"
    "\r\n"
    "Missing data are indicated by -99.99 or -999.\r\n"
    "\r\n \r\n"
    "  Average Value Weighted Returns -- Monthly\r\n"
    ",Lo 30 ,Hi 30,2-Dec\r\n"
    "202001,  1.00,-99.99, 3.25\r\n"
    "202002, -2.00,  0.50,-999\r\n"
    "202003, -2.50,  0.75, 1.00\r\n"
    "\r\n\r\n"
    "  Average Equal Weighted Returns -- Monthly\r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "202001,  1.10,-99.99, 3.35\r\n"
    "202002, -2.10,  0.60,-999.0000\r\n"
    "202003, -2.60,  0.85, 1.10\r\n"
    "\r\n\r\n"
    "  Number of Firms in Portfolios\r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "202001,    10,    0,   33\r\n"
    "202002,    11,    4,    0\r\n"
    "202003,    12,    5,   34\r\n"
    "\r\n\r\n"
    "  Average Firm Size\r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "202001,    10.5,  -99.99,  3300.25\r\n"
    "202002,    11.5,    4.25,  -99.99\r\n"
    "202003,    12.5,    5.25,  3400.25\r\n"
    "\r\n\r\n"
    "  Equally-Weighted Average of Prior Returns\r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "202001,   -41.02,   -6.61,   49.21\r\n"
    "202002,   -41.02,   -6.61,   49.21\r\n"
    "202003,   -41.02,   -6.61,  149.21\r\n"
    "\r\n\r\n"
    "  For portfolios formed in June of year t\r\n"
    "  Value Weight Average of OP Calculated as: \r\n"
    "  Sum[ME(Mth) * OP(fiscal year t-1)] / Sum[ME(Mth)] \r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "202001,   -0.82,   0.46,   0.22\r\n"
    "202002,   -0.82,   0.46,   0.22\r\n"
    "202003,   -0.82,   0.46,   0.22\r\n"
    "\r\n\r\n"
    "  Sum of BE / Sum of ME\r\n"
    ",Lo 30,Hi 30,2-Dec\r\n"
    "  2019,   0.82,   0.46,   -99.99\r\n"
    "\r\n"
    "Copyright 2020 Eugene F. Fama and Kenneth R. French\r\n"
)


def by_hand(text: str) -> list[tuple[str, list[str], list[tuple[str, list[float]]]]]:
    """Read a file line by line, the slow way: (last text line, names, [(date, numbers)])."""
    tables: list[tuple[str, list[str], list[tuple[str, list[float]]]]] = []
    texts: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells = line.split(",")
        date = cells[0].strip()
        if len(cells) > 1 and date.isdigit() and len(date) in (4, 6, 8):
            if texts:
                names = [name.strip() for name in texts[-1].split(",")[1:]]
                tables.append((texts[-2].strip() if len(texts) > 1 else "", names, []))
                texts = []
            tables[-1][2].append((date, [float(cell) for cell in cells[1:]]))
        elif line.strip():
            texts.append(line)
    return tables


def assert_same(got: FrenchFile, text: str) -> None:
    """Compare every table with the reading by hand, bit for bit."""
    expected = by_hand(text)
    assert len(got.tables) == len(expected)
    for table, (title, names, rows) in zip(got.tables, expected, strict=True):
        values = np.array([numbers for _, numbers in rows])
        values[(values == -99.99) | (values == -999)] = np.nan
        if "eturns" in title or "Factors" in title or "January-Dec" in title or "Mkt-RF" in names:
            assert table.unit == "percent"
        if names == ["Mom"]:
            assert table.unit == "percent"
        if table.unit == "percent":
            values = values / 100
        assert [re.sub(r"^(\d)-Dec$", r"Dec \1", n) for n in names] == list(table.frame.columns)
        assert np.array_equal(table.frame.to_numpy(), values, equal_nan=True)
        dates = [date for date, _ in rows]
        pattern = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d"}[len(dates[0])]
        stamps = pd.DatetimeIndex(pd.to_datetime(dates, format=pattern))
        if len(dates[0]) == 6:
            stamps = stamps + pd.offsets.MonthEnd(0)
        if len(dates[0]) == 4:
            stamps = stamps + pd.offsets.YearEnd(0)
        assert (table.frame.index == stamps).all()


def csv_text(path: Path) -> str:
    raw = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            raw = archive.read(archive.namelist()[0])
    return raw.decode("latin-1")


@pytest.mark.realdata
def test_every_file_is_read_as_by_hand(real_data: Path) -> None:
    paths = sorted((real_data / "french").glob("*/*"))
    assert len(paths) == 22
    for path in paths:
        file = parse_french(path.read_bytes(), label=path.name)
        assert file.vintage == path.parent.name[1:]
        assert file.database == ("Bloomberg" if "Developed" in path.name else "CRSP")
        assert_same(file, csv_text(path))


@pytest.mark.realdata
def test_units_and_titles_of_the_real_files(real_data: Path) -> None:
    raw = (real_data / "french/v202602/25_Portfolios_ME_OP_5x5_CSV.zip").read_bytes()
    tables = parse_french(raw).tables
    units = ["percent"] * 4 + ["count", "size"] + ["ratio"] * 4
    assert [t.unit for t in tables] == units
    assert [t.frequency for t in tables] == ["M", "M", "Y", "Y"] + ["M"] * 6
    assert tables[8].name.startswith("For portfolios formed in June of year t Value Weight Average")
    raw = (real_data / "french/v202510/F-F_Momentum_Factor_CSV.zip").read_bytes()
    assert [t.name for t in parse_french(raw).tables] == [
        "Factors -- Monthly",
        "Annual Factors: January-December",
    ]


def test_factor_file() -> None:
    file = parse_french(FACTORS.encode())
    monthly, annual = file.tables
    assert (file.vintage, file.database) == ("202003", "CRSP")
    assert (monthly.frequency, annual.frequency) == ("M", "Y")
    assert monthly.is_factors
    assert annual.is_factors
    assert np.isnan(monthly.frame.loc["2020-03-31", "SMB"])
    assert monthly.frame.loc["2020-02-29", "Mkt-RF"] == -8.13 / 100
    assert annual.frame.index[0] == pd.Timestamp("2018-12-31")
    assert monthly.frame.index.dtype == "datetime64[ns]"
    assert_same(file, FACTORS)


def test_portfolio_file() -> None:
    file = parse_french(PORTFOLIOS.encode())
    assert file.vintage == "202003"
    units = ["percent", "percent", "count", "size", "percent", "ratio", "ratio"]
    assert [t.unit for t in file.tables] == units
    assert [t.is_returns for t in file.tables] == [True, True] + [False] * 5
    assert not any(t.is_factors for t in file.tables)
    assert list(file.tables[0].frame.columns) == ["Lo 30", "Hi 30", "Dec 2"]
    assert [note.count for note in file.notes] == [1]
    assert file.tables[0].frame.isna().to_numpy().sum() == 2
    assert file.tables[-1].frame.isna().to_numpy().sum() == 1
    assert_same(file, PORTFOLIOS)


DRIFTS = {
    "LF": lambda t: t.replace("\r\n", "\n"),
    "CR": lambda t: t.replace("\r\n", "\r"),
    "CRCRLF": lambda t: t.replace("\r\n", "\r\r\n"),
    "byte order mark": lambda t: "\ufeff" + t,
    "blank lines with spaces": lambda t: re.sub(r"(?m)^\r$", "  \t \r", t),
    "blank lines with commas": lambda t: re.sub(r"(?m)^\r$", ",,,\r", t),
    "text padded with commas": lambda t: re.sub(
        r"(?m)^([^,\r]*[A-Za-z.][^,\r]*)\r$", r"\1,,,\r", t
    ),
    "three blank lines for one": lambda t: t.replace("\r\n\r\n", "\r\n\r\n\r\n\r\n"),
    "blank line under each title": lambda t: t.replace("\r\n,", "\r\n\r\n,"),
    "no blank line between tables": lambda t: re.sub(r"(?<=\d)\r\n(\s*\r\n)+", "\r\n", t),
    "padded numbers": lambda t: re.sub(r",\s*(-?[\d.]+)(?=[,\r])", r",   \1   ", t),
    "no padding": lambda t: re.sub(r",\s*(-?[\d.]+)(?=[,\r])", r",\1", t),
    "padded names": lambda t: t.replace(",SMB", ",  SMB  ").replace(",Hi 30", ", Hi 30 "),
    "heading that says Date": lambda t: re.sub(r"\r\n,(?=[^,])", "\r\nDate,", t),
    "space before the heading": lambda t: t.replace("\r\n,", "\r\n ,"),
    "glued copyright": lambda t: re.sub(r"\s+Copyright", "Copyright", t),
    "copyright without a line end": lambda t: t.rstrip("\r\n"),
    "no copyright": lambda t: re.sub(r"\r\n\s*Copyright.*\s*$", "\r\n", t),
    "glued annual title": lambda t: t.replace("0.13\r\n\r\n Annual", "0.13 Annual"),
    "glued title": lambda t: re.sub(r"(?<=\d)(\r\n\s*)+  Average Equal", "   Average Equal", t),
    "title glued to the heading": lambda t: t.replace("Monthly\r\n,", "Monthly ,"),
}


LINE_ENDS = {"LF", "CR", "CRCRLF"}


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("text", [FACTORS, PORTFOLIOS], ids=["factors", "portfolios"])
def test_drifts_change_nothing(drift: str, text: str) -> None:
    expected = parse_french(text.encode())
    got = parse_french(DRIFTS[drift](text).encode())
    assert got.vintage == expected.vintage
    assert len(got.tables) == len(expected.tables)
    for one, other in zip(got.tables, expected.tables, strict=True):
        assert (one.name, one.unit, one.frequency) == (other.name, other.unit, other.frequency)
        pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)


REFUSED = {
    "an HTML page": (lambda t: "<!DOCTYPE html><html>202001,1.0</html>\n", "HTML page"),
    "nothing": (lambda t: "", "holds no row"),
    "only text": (lambda t: "Missing data are indicated by -99.99\n", "holds no row"),
    "NUL bytes": (lambda t: "\x00" + t, "binary"),
    "a truncated row": (lambda t: t[: t.index("202003") + 20], "middle of a line"),
    "a short row": (lambda t: t.replace(",    0.12", ""), "line 6: each row needs 3 numbers"),
    "a long row": (lambda t: t.replace(",    0.12", ",1,2"), "line 6: each row needs 3 numbers"),
    "an empty cell": (lambda t: t.replace("0.12", "    "), "line 6: '' is not a number"),
    "a word": (lambda t: t.replace("0.12", "n.a."), "line 6: a row may hold only numbers"),
    "a double number": (lambda t: t.replace("0.12", "0.1.2"), "'0.1.2' is not a number"),
    "infinity": (lambda t: t.replace("0.12", " inf"), "may hold only numbers"),
    "a lost month": (lambda t: re.sub(r"202002.*\r\n", "", t), "holes between the dates"),
    "a month twice": (lambda t: t.replace("202002", "202001"), "ascend without repeats"),
    "month 13": (lambda t: t.replace("202003", "202013"), "not in the calendar"),
    "no heading": (lambda t: t.replace(",Mkt-RF,SMB,RF\r\n", "", 1), "need a heading"),
    "a short heading": (lambda t: t.replace(",SMB", "", 1), "need a heading"),
    "a name twice": (lambda t: t.replace("SMB", "RF", 1), "'RF' repeats"),
    "a name missing": (lambda t: t.replace("SMB", "  ", 1), "has no name"),
    "years under months": (
        lambda t: t.replace("\r\n Annual Factors: January-December \r\n,Mkt-RF,SMB,RF\r\n", ""),
        "dates of 4 digits follow dates of 6 digits",
    ),
    "no rows under a title": (lambda t: t[: t.index("  2018")], "belongs to no table"),
    "cut at a line end": (lambda t: t[: t.index("202003, ")], "before its vintage"),
    "years and months disagree": (
        lambda t: t.replace(" Annual Factors", " Monthly Factors"),
        "disagree on",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_uncertain_is_refused_by_name(case: str) -> None:
    change, message = REFUSED[case]
    with pytest.raises(InputDataError, match=re.escape(message)):
        parse_french(change(FACTORS).encode(), label="the file")


def test_portfolios_without_a_title_are_refused() -> None:
    text = PORTFOLIOS.replace("  Average Value Weighted Returns -- Monthly\r\n", "")
    with pytest.raises(InputDataError, match="has no title"):
        parse_french(text.encode())


def test_an_unknown_missing_code_is_refused() -> None:
    text = PORTFOLIOS.replace("-999\r\n", "-9999\r\n")
    with pytest.raises(InputDataError, match="cannot lie below -100%"):
        parse_french(text.encode())


@settings(max_examples=300, deadline=None)
@given(cut=st.integers(1, len(PORTFOLIOS) - 1))
def test_no_cut_is_read_in_part(cut: int) -> None:
    """A file cut anywhere is refused, or all its remaining tables are whole."""
    whole = parse_french(PORTFOLIOS.encode())
    try:
        got = parse_french(PORTFOLIOS[:cut].encode())
    except InputDataError:
        return
    for one, other in zip(got.tables, whole.tables, strict=False):
        pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)


@settings(max_examples=300, deadline=None)
@given(start=st.integers(0, len(FACTORS)), length=st.integers(1, 200))
def test_no_hole_changes_a_number_in_silence(start: int, length: int) -> None:
    """With bytes lost inside the file, each date that is still read has numbers it had before."""
    whole = {t.frequency: t.frame for t in parse_french(FACTORS.encode()).tables}
    try:
        got = parse_french((FACTORS[:start] + FACTORS[start + length :]).encode())
    except InputDataError:
        return
    for table in got.tables:
        assert table.frequency in whole


def test_days_and_weeks() -> None:
    head = "Created using the 202001 CRSP database.\n\n,Mkt-RF,RF\n"
    daily = parse_french(f"{head}20200129,1.0,0.1\n20200130,2,0.1\n20200131,3,0.1\n".encode())
    assert daily.tables[0].frequency == "D"
    assert daily.tables[0].name == "Factors -- Daily"
    weekly = parse_french(f"{head}20200117,1.0,0.1\n20200124,2,0.1\n20200131,3,0.1\n".encode())
    assert weekly.tables[0].frequency == "W"
    with pytest.raises(InputDataError, match="past the end of its month"):
        parse_french(f"{head}20200130,1.0,0.1\n20200131,2,0.1\n20200231,3,0.1\n".encode())


def test_breakpoints_have_no_heading() -> None:
    row = ",".join(str(0.5 * i) for i in range(1, 21))
    text = f"This file holds the ME breakpoints, using the 202001 CRSP database.\n202001, 9,{row}\n"
    counts, points = parse_french(text.encode()).tables
    assert (counts.unit, points.unit) == ("count", "size")
    assert counts.frame.loc["2020-01-31", "Count"] == 9
    assert list(points.frame.columns[[0, -1]]) == ["5", "100"]
    text = f"Prior return breakpoints, using the 202001 CRSP database.\n202001, 9,8,{row}\n"
    counts, points = parse_french(text.encode()).tables
    assert list(counts.frame.columns) == ["<=0", ">0"]
    assert (points.unit, points.frame.iloc[0, -1]) == ("percent", 0.1)


def test_breakpoints_with_a_heading_read_alike() -> None:
    row = ",".join(str(0.5 * i) for i in range(1, 21))
    names = ",".join(str(5 * i) for i in range(1, 21))
    text = f"Breakpoints using the 202001 CRSP database.\n\n,<=0,>0,{names}\n202001, 9,8,{row}\n"
    counts, points = parse_french(text.encode(), label="Prior_2-12_Breakpoints").tables
    assert counts.frame.iloc[0].tolist() == [9.0, 8.0]
    assert points.unit == "percent"


def test_a_variance_of_returns_is_no_return() -> None:
    text = PORTFOLIOS.replace("Average of OP Calculated as:", "Average of Variance of Returns")
    assert parse_french(text.encode()).tables[5].unit == "ratio"


def test_a_factor_of_another_name_is_a_factor() -> None:
    text = FACTORS.replace("Mkt-RF,SMB,RF", "New,Other,Third").replace("Ibbotson", "factor")
    assert [table.is_factors for table in parse_french(text.encode()).tables] == [True, True]


@settings(max_examples=60, deadline=None)
@given(
    drifts=st.sets(st.sampled_from(sorted(set(DRIFTS) - LINE_ENDS)), max_size=4),
    line_end=st.sampled_from(["", *sorted(LINE_ENDS)]),
    seed=st.integers(0, 10**6),
    decimals=st.integers(0, 4),
)
def test_generated_files_with_several_drifts(
    drifts: set[str], line_end: str, seed: int, decimals: int
) -> None:
    generator = np.random.default_rng(seed)
    months = pd.period_range("2019-01", "2020-03", freq="M").strftime("%Y%m")
    titles = ["Average Value Weighted Returns -- Monthly", "Number of Firms in Portfolios"]
    blocks, frames = [], []
    for title in titles:
        values = generator.normal(0, 20, (len(months), 3)).round(decimals)
        values = np.where(generator.random(values.shape) < 0.1, -99.99, values.clip(-99))
        rows = [
            f"{month},"
            + ",".join(f"{v:9.2f}" if v == -99.99 else f"{v:9.{decimals}f}" for v in row)
            for month, row in zip(months, values, strict=True)
        ]
        blocks.append("\r\n".join([f"  {title}", ",Lo 30,Med 40,Hi 30", *rows]))
        frames.append(np.where(values == -99.99, np.nan, values))
    text = (
        "Created using the 202003 CRSP database.\r\n\r\n"
        + "\r\n\r\n\r\n".join(blocks)
        + "\r\n\r\nCopyright 2020 Kenneth R. French\r\n"
    )
    for drift in [name for name in DRIFTS if name in drifts] + [line_end] * bool(line_end):
        text = DRIFTS[drift](text)
    returns, counts = parse_french(text.encode()).tables
    np.testing.assert_array_equal(returns.frame.to_numpy(), frames[0] / 100)
    np.testing.assert_array_equal(counts.frame.to_numpy(), frames[1])


def test_zip_and_csv_read_alike() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("F.CSV", FACTORS)
    zipped = parse_french(buffer.getvalue())
    for one, other in zip(zipped.tables, parse_french(FACTORS.encode()).tables, strict=True):
        pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    with pytest.raises(InputDataError, match="damaged"):
        parse_french(buffer.getvalue()[:-30])


@pytest.mark.realdata
def test_pandas_datareader_agrees(real_data: Path) -> None:
    """pandas-datareader skips tables under 800 characters and keeps missing codes."""
    famafrench = pytest.importorskip("pandas_datareader.famafrench")

    class FromDisk(famafrench.FamaFrenchReader):
        def _read_zipfile(self, url: str) -> str:
            return csv_text(path)

    for path in sorted((real_data / "french").glob("*/*.zip")):
        if "ME_Prior_12_2" in path.name or "Momentum" in path.name:
            continue  # its rule for chunks misplaces the headings of these two
        theirs = FromDisk(path.name[:-8], start="1900-01-01", end="2030-01-01")._read_one_data(
            "", {}
        )
        ours = parse_french(path.read_bytes()).tables
        theirs = [theirs[k] for k in theirs if k != "DESCR"]
        assert len(theirs) == len(ours)
        for table, frame in zip(ours, theirs, strict=True):
            values = frame.where((frame != -99.99) & (frame != -999)).to_numpy(dtype=float)
            if table.unit == "percent":
                values = values / 100
            np.testing.assert_allclose(table.frame.to_numpy(), values, rtol=1e-12, atol=1e-15)
