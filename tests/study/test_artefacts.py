"""What is saved comes back to the bit, and damage is noticed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import FactorReturns, Note, Panel, Strata
from alphastrata.errors import CacheCorruptError
from alphastrata.study.artefacts import contents, load, save

DATES = pd.date_range("2020-01-31", periods=3, freq="ME")


def everything():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([DATES, ["NA", "ON", "<b>"]], names=["date", "asset"])
    note = Note("short", 1, 9, "x", "dropped")
    panel = Panel(
        pd.DataFrame({"ret": rng.normal(size=9), "exchange": list("NANANANAN")}, index=index),
        notes=[note],
    )
    labels = pd.Series([1, 2, 3] * 3, index=index)
    chances = pd.DataFrame(np.full((9, 3), 1 / 3), index=index, columns=[1, 2, 3])
    strata = Strata(labels, ordered=False, names={1: "big"}, probabilities=chances, source="s", n=3)
    frame = pd.DataFrame({"f": rng.normal(size=3)}, index=DATES)
    factors = FactorReturns(
        frame, kind="total", risk_free=frame["f"] / 9, counts=frame, vintage="202510", notes=[note]
    )
    profile = pd.DataFrame({1: [0.1], 2: [np.nan]}, index=["liquidity"])
    return {"p": panel, "s": strata, "f": factors, "profile": profile, "j": {"a": [1, "é"]}}


def test_round_trip_is_exact(tmp_path):
    before = everything()
    save(tmp_path / "stage", before)
    after = load(tmp_path / "stage")
    assert after["p"].values("ret").tobytes() == before["p"].values("ret").tobytes()
    assert after["p"].categorical("exchange").equals(before["p"].categorical("exchange"))
    assert after["p"].assets.tolist() == before["p"].assets.tolist()
    assert after["p"].notes == before["p"].notes
    assert np.array_equal(after["s"].codes, before["s"].codes)
    assert after["s"].names == before["s"].names
    assert after["s"].probabilities.equals(before["s"].probabilities)
    assert after["f"].frame.equals(before["f"].frame)
    assert after["f"].risk_free.tolist() == before["f"].risk_free.tolist()
    assert (after["f"].kind, after["f"].vintage) == ("total", "202510")
    pd.testing.assert_frame_equal(after["profile"], before["profile"])
    assert after["j"] == before["j"]


def test_same_artefacts_have_the_same_bytes(tmp_path):
    save(tmp_path / "a", everything())
    save(tmp_path / "b", everything())
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "a")) == 11


def test_damage_is_noticed(tmp_path):
    save(tmp_path / "stage", everything())
    for file in (tmp_path / "stage").glob("*.parquet"):
        raw = bytearray(file.read_bytes())
        raw[len(raw) // 2] ^= 1
        good = file.read_bytes()
        file.write_bytes(bytes(raw))
        with pytest.raises(CacheCorruptError, match="is damaged"):
            load(tmp_path / "stage")
        file.write_bytes(good)
    load(tmp_path / "stage")


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        save(tmp_path / "stage", {"good": everything()["profile"], "bad": object()})
    assert list(tmp_path.iterdir()) == []
