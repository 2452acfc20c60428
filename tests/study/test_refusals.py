"""What only the data can refuse is told as what the file itself can: line, key and remedy."""

from __future__ import annotations

import pytest

from alphastrata.errors import ConfigError
from alphastrata.study import lines_of, read_config, run

MARKET = """name = "x"
[data.simulation]
n_assets = 30
periods = 24
[[sorts]]
name = "A"
by = "leverage"
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[[sorts]]\nname = "B"\nby = "moon"\n', "line 10, sorts.1.by: 'moon' is no characteris"),
        ('[information]\nby = ["moon"]\n', "line 9, information.by: 'moon' is no characteristic"),
        (
            '[costs]\nhalf_spread = "hs"\n[backtest]\nbeta = "bta"\n',
            "line 9, costs.half_spread: 'hs'(.|\n)*line 11, backtest.beta: 'bta'",
        ),
        ('within = "sector"\n', r"line 8, sorts.0.within: .*\(exchange, industry\)"),
        ('breakpoints = "LSE"\n', r"line 8, sorts.0.breakpoints: 'LSE' .*NYSE.*say \"all\""),
        (
            'weighting = "capped"\ncap_breakpoints = "LSE"\n[sorts.screen]\nmicro_caps = 0.1\n'
            '[multiverse]\nby = ["leverage"]\nbreakpoints = ["all", "ASX"]\n',
            "line 9, sorts.0.cap_breakpoints: 'LSE'(.|\n)*line 14, multiverse.breakpoints: 'ASX'",
        ),
        ('[delistings]\ncolumn = "dlret"\n', "line 9, delistings.column: .*there are ret, price"),
        (
            '[[benchmarks]]\nname = "B"\nfactors = ["RMW"]\n',
            "line 10, benchmarks.0.factors: 'RMW' .*there are Mkt-RF, SMB",
        ),
        (
            '[[benchmarks]]\nname = "B"\nfactors = ["SMB"]\nsource = "no.csv"\n',
            "line 11, benchmarks.0.source: .*there is no file",
        ),
        (
            '[[clusters]]\nname = "C"\nfeatures = ["roe", "leverage"]\nrank_by = "roe"\n'
            "window = 24\n",
            "line 12, clusters.0.window: .*the market has 24; take a shorter window",
        ),
    ],
)
def test_what_the_data_refuse_has_a_line_too(more, message, tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(MARKET + more)
    with pytest.raises(ConfigError, match=message), lines_of(file):
        run(read_config(file), out=tmp_path / "out", data=tmp_path)


def test_all_fields_that_are_lacking_are_told_at_once(tmp_path):
    rows = [f"2015-0{m}-28,{a},0.01,1e9" for m in range(1, 7) for a in "AB"]
    (tmp_path / "market.csv").write_text("\n".join(["date,asset,ret,market_cap", *rows]))
    file = tmp_path / "s.toml"
    by = "".join(
        f'[[sorts]]\nname = "{x}"\nby = "{x}"\n' for x in ("roe", "market_cap", "leverage")
    )
    file.write_text(f'name = "x"\n[data]\nsource = "panel"\n{by}')
    said = "line 6, sorts.0.by: roe needs the field(.|\n)*line 12, sorts.2.by: leverage needs"
    with pytest.raises(ConfigError, match=said), lines_of(file):
        run(read_config(file), out=tmp_path / "out", data=tmp_path)


def test_weights_and_screens_by_a_market_cap_that_is_lacking(tmp_path):
    rows = [f"2015-0{m}-28,{a},0.01,5" for m in range(1, 7) for a in "AB"]
    (tmp_path / "market.csv").write_text("\n".join(["date,asset,ret,price", *rows]))
    file = tmp_path / "s.toml"
    file.write_text(
        'name = "x"\n[data]\nsource = "panel"\n'
        '[[sorts]]\nname = "A"\nby = "price"\n'
        '[[sorts]]\nname = "B"\nby = "price"\nweighting = "capped"\n'
        '[[sorts]]\nname = "C"\nby = "price"\nmethod = "size_neutral"\n'
        '[[sorts]]\nname = "D"\nby = "price"\nweighting = "equal"\n'
        "[sorts.screen]\nmin_market_cap = 1e6\n"
    )
    with pytest.raises(ConfigError) as refused, lines_of(file):
        run(read_config(file), out=tmp_path / "out", data=tmp_path)
    told = [line.split(": ")[0].strip() for line in str(refused.value).splitlines()[1:]]
    assert told == [
        "line 4, sorts.0.weighting",
        "line 7, sorts.1.cap_breakpoints",
        "line 10, sorts.1.weighting",
        "line 14, sorts.2.method",
        "line 19, sorts.3.screen",
    ]
