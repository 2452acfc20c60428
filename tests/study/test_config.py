"""The study file: what it accepts, and how it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alphastrata.customers import read_study
from alphastrata.errors import ConfigError
from alphastrata.study import demo_config, parse_config, read_config

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LEAST = 'name = "x"\n[[sorts]]\nname = "A"\nby = "liquidity"\n'


def test_the_smallest_study_is_two_lines_of_meaning():
    study = parse_config(LEAST)
    assert study.benchmarks[0].factors == ("Mkt-RF", "SMB", "HML", "Mom")
    assert study.characteristics == ["liquidity"]


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda f: f.name)
def test_examples_are_valid(file):
    customers = "[segments]" in file.read_text(encoding="utf-8")
    read = read_study if customers else read_config
    assert read(file).name == file.stem


def test_the_demo_names_each_characteristic_once():
    named = demo_config().characteristics
    assert len(named) == len(set(named)) == 8


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("n = 99\n", "line 5, sorts.0.n: .*less than or equal to 20; got 99"),
        (
            'lnog = "low"\n',
            r"line 5, sorts.0.lnog: .*did you mean long\? known keys: name, by, n, long",
        ),
        ('[data]\nsource = "moon"\n', "line 6, data.source: .*'simulated'"),
        (
            "[data]\nsuorce = 1\n",
            r"line 6, data.suorce: unknown key; did you mean source\? known keys: source",
        ),
        ("[tests]\nlags = -1\n", "line 6, tests.lags"),
        ('[[sorts]]\nname = "A"\nby = "leverage"\n', "names of clusters and sorts are unique"),
        ('[[sorts]]\nby = "leverage"\n', "line 5, sorts.1.name: missing; add name = "),
        (
            '[[benchmarks]]\nname = "d"\nfrequency = "D"\nfactors = ["SMB"]\n',
            "set data.daily = true",
        ),
        ('[tests]\nbattery = ["moon"]\n', "knows no moon; there are alphas"),
        ('[tests]\nbattery = ["panel_regression"]\n', "add one"),
        ("[experiments]\nclusters = [1, 2]\n", "line 6, experiments.clusters: .*from at least 2"),
        ("[experiments]\nclusters = []\n", "line 6, experiments.clusters: .*from at least 2"),
        ('[experiments]\ndate = "soon"\n', "line 6, experiments.date: .*isoformat"),
        ("[[sorts]\n", "not valid TOML: .*line 5"),
        ('[[sorts]]\nname = "B"\nby = "levrage"\n', "line 7, 'levrage' .*did you mean 'leverage'"),
    ],
)
def test_mistakes_are_named_with_line_key_and_remedy(more, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(LEAST + more)


def test_dates_of_toml_and_of_text_are_the_same():
    for date in ("2016-06-30", '"2016-06-30"'):
        study = parse_config(LEAST + f"[experiments]\ndate = {date}\n")
        assert study.experiments.date == "2016-06-30"


def test_all_mistakes_at_once_in_the_order_of_the_file():
    with pytest.raises(ConfigError, match="3 settings are wrong") as refused:
        parse_config(LEAST + 'n = 1\nlong = "up"\n[tests]\nlags = -1\n')
    lines = [int(line) for line in re.findall(r"line (\d+)", str(refused.value))]
    assert lines == [5, 6, 8]


def test_files_of_ones_own_may_hold_any_column():
    study = parse_config(LEAST + '[data]\nsource = "panel"\n[[sorts]]\nname="B"\nby="levrage"\n')
    assert "levrage" in study.characteristics


def test_nothing_to_study_and_no_file():
    with pytest.raises(ConfigError, match="at least one"):
        parse_config('name = "x"\n')
    with pytest.raises(ConfigError, match="no study file"):
        read_config("nowhere.toml")


def test_ticker_on_stays_a_string():
    assert parse_config(LEAST.replace('"A"', '"ON"')).sorts[0].name == "ON"
