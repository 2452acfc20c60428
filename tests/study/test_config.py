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
        (
            '[[sorts]]\nname = "A"\nby = "leverage"\n',
            "line 6, sorts.1.name: .*unique, and 'A' stands above",
        ),
        ('[[sorts]]\nby = "leverage"\n', "line 5, sorts.1.name: missing; add name = "),
        (
            '[[benchmarks]]\nname = "d"\nfrequency = "D"\nfactors = ["SMB"]\n',
            "line 7, benchmarks.0.frequency: .*set data.daily = true",
        ),
        (
            '[tests]\nbattery = ["cusum", "cusm"]\n',
            r"line 6, tests.battery.1: .*did you mean cusum\? there are alphas",
        ),
        ('[tests]\nbattery = ["panel_regression"]\n', "line 6, tests.battery.0: .*add one"),
        ("[experiments]\nclusters = [1, 2]\n", "line 6, experiments.clusters: .*from at least 2"),
        ("[experiments]\nclusters = []\n", "line 6, experiments.clusters: .*from at least 2"),
        ('[experiments]\ndate = "soon"\n', "line 6, experiments.date: a day is written 2016-06-30"),
        ("[[sorts]\n", "not valid TOML: .*line 5"),
        (
            '[[sorts]]\nname = "B"\nby = "levrage"\n',
            "line 7, sorts.1.by: 'levrage' .*did you mean 'leverage'",
        ),
        ("workers = true\n", "line 5, sorts.0.workers: unknown"),
        ('min_assets = "5"\n', "line 5, sorts.0.min_assets: a number .*without quotes; got '5'"),
        ("[data]\nlag = 'four'\nsource = 'nyse'\n", 'line 6, data.lag: .*such as "4M"'),
        ("[data]\nlag = '4M'\n", "line 6, data.lag: the simulated market .*drop it"),
        ("[data]\ndaily = true\n", "line 6, data.daily: .*set daily = false"),
        ("[data]\nsource = 'wrds'\n", "line 5, data.start: .*such as start = 1990"),
        ("[sorts.screen]\nmin_prise = 1\n", "line 6, sorts.0.screen.min_prise: .*min_price"),
        ('weighting = "rank"\n', "line 5, sorts.0.weighting: .*weigh_by = "),
        ("cap = 0.5\n", "line 5, sorts.0.cap: only with weighting = "),
        ("[costs]\nhalf_spread = 'x'\n", r"line 6, costs.half_spread: .*add \[backtest\]"),
        (
            "[backtest]\ncapacities = [1e6]\nregimes = ['Mkt']\n",
            r"line 6, backtest.capacities: .*\[costs.impact\](.|\n)*line 7, backtest.regimes",
        ),
        ("[replication]\nagainst = 'FF9'\n", "line 6, replication.against: .*'FF9' is none of"),
        ("[multiverse]\nclusters = 'C'\n", "line 6, multiverse.clusters: .*'C' is none"),
        ('[tune]\ndate = "soon"\n', "line 6, tune.date: a day is written 2016-06-30"),
        (
            '[[clusters]]\nname = "D"\nfeatures = ["roe", "leverage", "roe"]\nrank_by = "roe"\n',
            "line 7, clusters.0.features: 'roe' is named twice",
        ),
        ("[tune.grid]\nlatent = [2]\n", "line 6, tune.grid.0.latent: no such key; there are"),
        ("[tune.grid]\nlatent_dim = [2]\n", r"line 5, tune.clusters: .*\[\[clusters\]\] table"),
        ("[information]\nby = ['levrage']\n", "line 6, information.by: .*mean 'leverage'"),
        (
            "[[tests.fama_macbeth]]\nname = 'a'\nx = ['roe']\n"
            "[[tests.further]]\ntest = 'cusum'\n"
            "[[tests.further]]\ntest = 'rolling'\noptions = { windw = 3 }\n",
            "line 12, tests.further.1.options: .*has no option 'windw'; it has window",
        ),
        (
            "[[tests.further]]\ntest = 'cusum'\nassets = ['B']\n",
            "line 7, tests.further.0.assets: 'B' is no factor; there are A",
        ),
        ("[[macro]]\nseries = 'tb'\n", "line 6, macro.0.series: .*such as TB3MS"),
        ("[[data]]\nlag = 3\n", r"line 5, data: this is one table: write \[data\]"),
        (
            "[tests.further]\ntest = 'cusum'\n",
            r"line 5, tests.further: .*write \[\[tests.further\]\]",
        ),
    ],
)
def test_mistakes_are_named_with_line_key_and_remedy(more, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(LEAST + more)


CLUSTERS = """name = "x"
[[clusters]]
name = "C"
features = ["leverage", "liquidity"]
rank_by = "leverage"
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('clusterer = "hdbscan"\nn_clusters = 4\n', "line 7, clusters.0.n_clusters: HDBSCAN"),
        ('embedding = "isomap"\nperplexity = 9\n', "line 7, clusters.0.perplexity: only with"),
        ('weighting = "soft"\n', "line 6, clusters.0.weighting: .*take clusterer = "),
        ('method = "dec"\nstart = "warm"\n', "line 7, clusters.0.start: .*take start"),
        ("[clusters.network]\ngamma = 1.0\n", "line 7, clusters.0.network.gamma: not with"),
        ("[clusters.checks]\ndraws = 9\nnull_test = true\n", "line 7, clusters.0.checks.draws"),
        (
            '[[clusters]]\nname = "D"\nfeatures = ["roe", "leverage"]\nrank_by = "trailing:x"\n',
            'line 9, clusters.1.rank_by: .*"trailing:12"',
        ),
        (
            '[[clusters]]\nname = "D"\nfeatures = ["roe", "leverage"]\nrank_by = "roe"\n'
            "[clusters.checks]\nstability = 2\n",
            "line 11, clusters.1.checks.stability: .*true or false",
        ),
        ("[tune.grid]\nlatent_dim = [0]\n", "line 7, tune.grid.0.latent_dim: the setting .*own"),
    ],
)
def test_mistakes_of_clusterings_are_named_with_line_key_and_remedy(more, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(CLUSTERS + more)


def test_a_list_without_a_right_entry_has_one_fault():
    with pytest.raises(ConfigError, match="a setting is wrong") as refused:
        parse_config(LEAST + '[information]\nby = ["leverage"]\nhorizons = [0]\n')
    assert str(refused.value).count("line 7, information.horizons") == 1


@pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 41])
def test_a_name_can_be_that_of_a_folder(name):
    with pytest.raises(ConfigError, match="line 1, name: a name has 1 to 40 characters"):
        parse_config(LEAST.replace('"x"', f'"{name}"'))


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
