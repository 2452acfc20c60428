"""Files that cannot be read: named with what is wrong, the line and the remedy."""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest

from alphastrata.data import french, read_panel
from alphastrata.data.tables import read_csv
from alphastrata.errors import ConfigError, InputDataError

GOOD = "date,asset,ret,country\n2015-01-31,Köln,0.1,x\n2015-02-28,Köln,0.1,x\n"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (GOOD.encode("latin-1"), r"line 2: byte 0xf6 is not UTF-8.*Save it as UTF-8"),
        (GOOD.replace("country", "pays é").encode("latin-1"), r"line 1: byte 0xe9"),
        (GOOD.encode("utf-16"), r"UTF-16 .*CSV UTF-8"),
        (GOOD.encode("utf-16-be"), "UTF-16"),
        (b"", "is empty"),
        (b"\n", "line 1: there is no header"),
        (GOOD.encode() + b"2015-03-31,A,0.1\n", r"4 fields .*1 breaks.*line 4 with 3 fields"),
        (GOOD.encode() + b"2015-03-31,A,0.1,x,y\n", r"line 4 with 5 fields"),
        (b"date,asset,ret\n2015-01-31,A,1,000\n2015-02-28,A,2,000\n", r"2 break.*line 2 with 4"),
        (b'date,asset,ret\n\n2015-01-31,"A\nB",1\n2015-02-28,A\n', r"line 5 with 2 fields"),
        (b"PK\x03\x04 and so on", "spreadsheet"),
        (b"date;asset;ret\n2015-01-31;A;0.1\n", "line 1: ';' stands between the columns"),
    ],
)
def test_a_broken_csv_is_named_with_its_line(tmp_path, raw, words):
    (tmp_path / "market.csv").write_bytes(raw)
    with pytest.raises(InputDataError, match=words) as caught:
        read_panel(tmp_path)
    assert "market.csv" in str(caught.value)


def test_a_header_alone_is_refused(tmp_path):
    (tmp_path / "market.csv").write_text("date,asset,ret\n")
    with pytest.raises(InputDataError, match=r"market.csv: A table has at least one row"):
        read_panel(tmp_path)


def test_what_is_odd_and_fine(tmp_path):
    path = tmp_path / "market.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert list(read_panel(tmp_path).assets) == ["Köln"]
    path.write_bytes(b'date,asset,ret\r\n2015-01-31,"A, ""B""\nC",0.1\r\n\r\n2015-02-28,N,0.1')
    assert sorted(read_panel(tmp_path).assets) == ['A, "B"\nC', "N"]


def test_broken_gzip_parquet_and_feather(tmp_path):
    whole = gzip.compress(GOOD.encode() * 50)
    path = tmp_path / "market.csv.gz"
    for raw in (whole[:-12], whole[:60], b"no gzip"):
        path.write_bytes(raw)
        with pytest.raises(InputDataError, match=r"market.csv.gz is cut short or damaged"):
            read_panel(tmp_path)
    path.unlink()
    table = pd.DataFrame({"date": pd.to_datetime(["2015-01-31"]), "asset": "A", "ret": 0.1})
    for name, write in (("market.parquet", table.to_parquet), ("market.ftr", table.to_feather)):
        path = tmp_path / name
        write(path)
        assert len(read_panel(tmp_path, freq="D")) == 1
        whole = path.read_bytes()
        for raw in (whole[: len(whole) // 2], b"", GOOD.encode()):
            path.write_bytes(raw)
            with pytest.raises(InputDataError, match=name):
                read_panel(tmp_path)
        path.unlink()


def test_the_other_layouts_name_the_file(tmp_path):
    table = pd.DataFrame({"symbol": ["A"], "date": pd.to_datetime(["2015-01-31"])})
    table.to_parquet(tmp_path / "prices_daily.parquet")
    table.to_parquet(tmp_path / "reports.parquet")
    with pytest.raises(InputDataError, match=r"prices_daily.parquet needs the columns.*close"):
        read_panel(tmp_path)
    for name in ("fundamentals.csv.gz", "securities.csv"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputDataError, match=r"fundamentals.csv.gz"):
        read_panel(tmp_path, source="nyse", lag="4M")


def test_mapped_files_and_the_mapping_itself(tmp_path):
    (tmp_path / "m.csv").write_bytes("id,day,r\nKöln,2015-01-31,0.1\n".encode("latin-1"))
    toml = '[market]\nfiles="m.csv"\nasset="id"\ndate="day"\n[market.columns]\nret="r"\n'
    (tmp_path / "mapping.toml").write_text(toml)
    with pytest.raises(InputDataError, match=r"m.csv, line 2"):
        read_panel(tmp_path)
    (tmp_path / "mapping.toml").write_bytes((toml + "# é").encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_panel(tmp_path)
    for wrong in ('missing="x"', "missing=5", "files=3", 'columns="r"'):
        (tmp_path / "mapping.toml").write_text(
            toml.replace('date="day"\n[market.columns]\nret="r"\n', f'date="day"\n{wrong}\n')
        )
        with pytest.raises(ConfigError, match=r"mapping.toml"):
            read_panel(tmp_path)


def test_time_zones_across_daylight_saving_are_refused(tmp_path):
    (tmp_path / "market.csv").write_text(
        "date,asset,ret\n2015-01-31T00:00:00-05:00,A,0.1\n2015-07-31T00:00:00-04:00,A,0.1\n"
    )
    with pytest.raises(InputDataError, match=r"market.csv: .*time zone; 2 break this"):
        read_panel(tmp_path)
    (tmp_path / "market.csv").unlink()
    zoned = pd.to_datetime(["2015-01-31", "2015-07-31"]).tz_localize("America/New_York")
    pd.DataFrame({"date": zoned, "asset": "A", "ret": 0.1}).to_parquet(tmp_path / "market.parquet")
    with pytest.raises(InputDataError, match=r"market.parquet: .*time zone; 2 break this"):
        read_panel(tmp_path)


def test_french_files(tmp_path):
    text = "Using the 202412 CRSP database.\n\n,Mkt-RF,RF\n202411,-3.17,0.37\n202412,1.0,0.4\n"
    broken = {
        "empty.csv": b"",
        "utf16.csv": text.encode("utf-16"),
        "ragged.csv": text.encode() + b"202501,1.0\n",
        "words.csv": b"nothing at all\n",
        "cut.zip": b"PK\x03\x04 and so on",
    }
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    for name, raw in broken.items():
        (tmp_path / name).write_bytes(raw)
    for name in [*broken, "none.zip"]:
        with pytest.raises(InputDataError):
            french(tmp_path / name)
    with pytest.raises(InputDataError, match="There is no file"):
        french(tmp_path)


def test_a_large_csv_is_checked_in_passing(tmp_path):
    path = tmp_path / "market.csv"
    n = 200_000
    pd.DataFrame({"asset": np.arange(n), "ret": 0.125, "price": 7.5}).to_csv(path, index=False)
    assert len(read_csv(path, dtype={"asset": str})) == n
