"""Any tables, told what is what by a mapping.toml."""

import numpy as np
import pandas as pd
import pytest

from alphastrata.data import read_panel
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

PAPER = """
[market]
files = "security_daily.ftr"
asset = "tic"
date = "datadate"
returns = "close"
missing = [-99.0]

[market.columns]
price = "prccd"
volume = { field = "cshtrd", scale = 1000 }
industry = "gsector"

[statements]
files = ["financial_statements.csv", "financial_statements_extension.csv"]
asset = "tic"
period_end = "datadate"
date_format = "%d.%m.%Y"
missing = [-99.0, -999.0]
lag = "4M"

[statements.columns]
sales = { field = "saleq", scale = 1e6 }
current_assets = "actq"
total_liabilities = "ltq"
"""


@pytest.fixture
def folder(tmp_path):
    days = pd.bdate_range("2015-01-01", "2015-12-31")
    frames = []
    for name, start in (("NA", 10.0), ("ON", 20.0)):
        close = start * 1.001 ** np.arange(len(days))
        frames.append(
            pd.DataFrame(
                {"tic": name, "datadate": days, "prccd": close, "cshtrd": 2.0, "gsector": "10x"}
            )
        )
    daily = pd.concat(frames, ignore_index=True)
    daily.loc[5, "cshtrd"] = -99.0
    daily.to_feather(tmp_path / "security_daily.ftr")
    (tmp_path / "financial_statements.csv").write_text(
        "tic,datadate,saleq,actq\nNA,31.12.2014,5,-99\nON,31.12.2014,-999.0,7\nON,31.03.2015,8,9\n"
    )
    (tmp_path / "financial_statements_extension.csv").write_text(
        "tic,datadate,ltq\nNA,31.12.2014,3\nON,31.03.2015,4\n"
    )
    (tmp_path / "mapping.toml").write_text(PAPER)
    return tmp_path


def test_the_papers_three_files(folder):
    panel = read_panel(folder)
    assert list(panel.assets) == ["NA", "ON"]
    assert panel.freq == "M"
    at = panel.at("2015-05-31")
    assert at.loc["NA", "sales"] == 5e6
    assert np.isnan(at.loc["NA", "current_assets"])
    assert np.isnan(at.loc["ON", "sales"])
    assert np.isnan(at.loc["ON", "total_liabilities"])  # the extension has no such row
    assert panel.at("2015-07-31").loc["ON", ["sales", "total_liabilities"]].tolist() == [8e6, 4.0]
    assert np.isnan(panel.at("2015-03-31").loc["NA", "sales"])  # four months are not over
    assert at.loc["NA", "volume"] == 2000
    assert at.loc["NA", "industry"] == "10x"
    days = pd.bdate_range("2015-05-01", "2015-05-31")
    assert at.loc["NA", "ret"] == pytest.approx(1.001 ** len(days) - 1)
    assert any("computed from closes" in str(note) for note in panel.notes)
    daily = read_panel(folder, freq="D")
    assert np.isnan(daily.wide("volume")["NA"].iloc[5])
    assert np.isnan(daily.wide("ret").iloc[0]).all()


def test_the_callers_lag_wins_over_the_files(folder):
    later = read_panel(folder, lag="6M")
    assert np.isnan(later.at("2015-05-31").loc["NA", "sales"])


def test_without_any_clock_it_refuses(folder):
    (folder / "mapping.toml").write_text(PAPER.replace('lag = "4M"', ""))
    with pytest.raises(LookAheadError, match="lag"):
        read_panel(folder)


def test_given_returns_are_scaled_after_missing_codes_are_taken_out(tmp_path):
    (tmp_path / "m.csv").write_text(
        "id,month,r\n1,2015-01-31,1.5\n1,2015-02-28,-99\n1,2015-03-31,2\n"
    )
    (tmp_path / "mapping.toml").write_text(
        '[market]\nfiles="m.csv"\nasset="id"\ndate="month"\nmissing=[-99]\n'
        '[market.columns]\nret={field="r", scale=0.01}\n'
    )
    ret = read_panel(tmp_path).values("ret")
    np.testing.assert_allclose(ret, [0.015, np.nan, 0.02])


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("[statements]", "[accounts]", ConfigError, "accounts"),
        ("[market]", "[markt]", ConfigError, "market"),
        ('asset = "tic"', "", ConfigError, "says asset"),
        ('returns = "close"', 'returns = "guess"', ConfigError, "guess"),
        ('returns = "close"', 'colour = "red"', ConfigError, "colour"),
        ('price = "prccd"', "price = 3", ConfigError, "price"),
        ('price = "prccd"', "", ConfigError, "mapped to price"),
        ("security_daily.ftr", "absent.ftr", InputDataError, "absent.ftr"),
        ('"prccd"', '"close"', InputDataError, "'?close'?"),
        ('tic"\ndate', 'ticker"\ndate', InputDataError, "ticker"),
        ("%d.%m.%Y", "%Y%m%d", InputDataError, "date_format"),
        ("[market]", "[market", ConfigError, "TOML"),
    ],
)
def test_what_is_wrong_is_named(folder, old, new, error, words):
    assert old in PAPER
    (folder / "mapping.toml").write_text(PAPER.replace(old, new, 1))
    with pytest.raises(error, match=words):
        read_panel(folder)


def test_repeats_nameless_rows_and_mixed_columns_are_refused(folder):
    extension = folder / "financial_statements_extension.csv"
    text = extension.read_text()
    extension.write_text(text + "NA,31.12.2014,4\n")
    with pytest.raises(InputDataError, match="one row per"):
        read_panel(folder)
    extension.write_text(text.replace("2014,3", "2014,three"))
    with pytest.raises(InputDataError, match="three"):
        read_panel(folder)
    extension.write_text(text.replace(",31", ",three1"))
    with pytest.raises(InputDataError, match="three1"):
        read_panel(folder)  # rows of the second file without a partner are not lost
    extension.write_text(text)
    first = folder / "financial_statements.csv"
    first.write_text(first.read_text() + ",31.12.2014,1,1\n")
    with pytest.raises(InputDataError, match="has an asset"):
        read_panel(folder)
