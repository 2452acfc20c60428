"""The toy market in data/ is what the generator writes, and reads as a user's own folder does."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import alphastrata as st

FOLDER = Path(__file__).resolve().parents[1] / "data"


def test_the_generator_writes_the_same_bytes_again(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("make_toy", FOLDER / "make_toy.py")
    make_toy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_toy)
    monkeypatch.setattr(make_toy, "HERE", tmp_path)
    make_toy.main()
    for name in ("market.csv", "statements.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / "toy" / name).read_bytes()


def test_it_reads_as_a_panel_with_statements_as_known():
    panel = st.data.read_panel(FOLDER / "toy")
    assert len(panel.assets) == 20
    assert panel.freq == "M"
    known = panel.values("known_age")
    assert (known[known == known] >= 0).all()
    assert panel.values("total_assets").size == len(panel)
