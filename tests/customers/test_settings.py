from __future__ import annotations

import re
from pathlib import Path

import pytest

from alphastrata.customers import read_study
from alphastrata.errors import ConfigError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "customers.toml"


def test_the_example_is_read():
    study = read_study(EXAMPLE)
    assert study.segments.stages == "search"
    assert study.campaign.budget().share == 0.3
    assert study.data.simulate.n_customers == 3_000


def test_paths_are_relative_to_the_file(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('[data]\ncustomers = "c.csv"\n[portfolios]\nreturns = "r.csv"\n')
    study = read_study(file)
    assert study.data.customers == tmp_path / "c.csv"
    assert study.portfolios.returns == tmp_path / "r.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "must be TOML"),
        ("nme = 'x'", "line 1, nme: unknown key; did you mean name? known keys: name, title"),
        ("[segments]\nn_segments = 'x'", "line 2, segments.n_segments: expected 'auto' or a whole"),
        (
            "[segments.effort]\ndraw = 9",
            "line 2, segments.effort.draw: unknown key; did you mean dr",
        ),
        ("[kinds]\nage = 3", "line 2, kinds.age: expected text in quotes or a list in brackets"),
        ("[campaign]\nshare = 1.5", "share must be from 0 to 1"),
        ("[segments.effort]\ndraws = 1", "draws must be at least 4"),
        ("[segments]\nstages = { reduction = 'mds' }", "reduction"),
        ("[data.simulate]\nn_segments = 99", "less than or equal to 8"),
        ("[portfolios.rules]\nmethod = 'x'", "method"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    file = tmp_path / "x.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_study(file)


def test_absent_study(tmp_path):
    with pytest.raises(ConfigError, match="must be a TOML file"):
        read_study(tmp_path / "none.toml")
