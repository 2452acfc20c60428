"""A study runs, resumes, and comes out the same bit for bit, however it was interrupted."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError
from alphastrata.inference import Ledger
from alphastrata.study import diff, parse_config, run, verify
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import git_commit, read_manifest, write_manifest
from alphastrata.study.plan import WHOLE, Whole, shares

SMALL = """
name = "small"
seed = 3
[data.simulation]
n_assets = 100
start = "2005-01-31"
periods = 60
[[clusters]]
name = "CLU"
features = ["liquidity", "leverage", "operating_efficiency", "roe"]
n_clusters = 3
window = 24
step = 12
rank_by = "leverage"
nulls = 1
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
[[tests.fama_macbeth]]
name = "all"
x = ["liquidity", "leverage"]
"""


def outputs(out: Path) -> dict[str, str]:
    return read_manifest(out)["outputs"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    run(parse_config(SMALL), out=out)
    return out


def test_a_page_says_nothing_of_stars_and_counts_in_plain_words(finished):
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "*, **" not in page
    assert "1 artefact<" in page
    assert "1 artefacts" not in page


def test_the_stages_of_a_study_are_known_beforehand(finished):
    planned = shares(parse_config(SMALL))
    assert sorted([*read_manifest(finished)["stages"], "report"]) == sorted(planned)


def test_the_whole_is_told_beside_its_stages():
    told = []
    whole = Whole(parse_config(SMALL), lambda *said: told.append(said))
    whole("data", 1, 1)  # it was there: no part of the work
    whole("benchmarks", 0, 1)
    assert told == [(WHOLE, 0, 100), ("data", 1, 1), (WHOLE, 0, 100), ("benchmarks", 0, 1)]
    for stage in list(shares(parse_config(SMALL)))[1:]:
        whole(stage, 0, 2)
        whole(stage, 1, 2)
        whole(stage, 1, 1)
    per_cent = [done for what, done, _ in told if what == WHOLE]
    assert per_cent == sorted(per_cent)
    assert per_cent[-1] == 100


def test_another_version_of_the_code_is_one_difference(finished, tmp_path):
    out = tmp_path / "older"
    shutil.copytree(finished, out)
    manifest = read_manifest(out)
    manifest["code"] = "0" * 64
    for stage in manifest["stages"].values():
        stage["key"] = "0" * 64
    write_manifest(out, manifest)
    assert [line.split(":")[0] for line in verify(out)] == ["code"]


def test_a_study_leaves_report_tables_and_manifest(finished, unexplained):
    assert unexplained((finished / "report.html").read_text(encoding="utf-8")) == []
    assert (finished / "report.html").stat().st_size > 100_000
    names = outputs(finished)
    assert {"report.html", "tables/truth-beside-estimate.csv", "tables/performance.tex"} <= set(
        names
    )
    manifest = read_manifest(finished)
    assert set(manifest["stages"]) >= {"data", "features", "clusters CLU", "sort LEV", "tests"}
    assert manifest["machine"]["packages"]["numpy"]


def test_returns_and_labels_are_written_for_others(finished):
    folder = finished / "results"
    names = {file.name for file in folder.iterdir()}
    for name in ("spreads-m", "portfolios-clu", "labels-clusters-clu", "labels-sort-lev"):
        assert {f"{name}.csv", f"{name}.parquet"} <= names
    csv = pd.read_csv(folder / "spreads-m.csv", parse_dates=["date"])
    parquet = pd.read_parquet(folder / "spreads-m.parquet")
    np.testing.assert_allclose(csv["LEV"], parquet["LEV"], rtol=0, atol=0)
    table = pd.read_parquet(finished / "tables" / "performance.parquet")
    assert set(table["factor"]) == {"CLU", "LEV"}


def test_the_manifest_names_the_commit_of_the_study(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    assert git_commit(tmp_path) is None
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "study.toml").write_text("x = 1\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "study"], check=True)
    clean = git_commit(tmp_path)
    assert clean is not None
    assert len(clean) == 40
    (tmp_path / "study.toml").write_text("x = 2\n")
    assert git_commit(tmp_path) == clean + "+"


def test_a_second_run_reuses_every_stage(finished):
    before = outputs(finished)
    again = run(parse_config(SMALL), out=finished)
    assert all(again.reused.values())
    assert outputs(finished) == before


def test_changed_tests_run_only_tests_and_report(finished, tmp_path):
    # In a copy: every trial stays in the ledger, and the report counts them.
    out = shutil.copytree(finished, tmp_path / "copy")
    changed = SMALL.replace("[[tests.fama", "[tests]\nlags = 2\n[[tests.fama")
    again = run(parse_config(changed), out=out)
    made = {name for name, reused in again.reused.items() if not reused}
    assert made == {"performance", "tests", "truth"}
    assert Ledger(out / "trials.jsonl").count == 8  # two factors and two slopes, twice
    run(parse_config(SMALL), out=out)
    assert Ledger(out / "trials.jsonl").count == 8


def test_two_studies_are_compared_in_settings_and_numbers(finished, tmp_path):
    assert diff(finished, finished) == []
    out = shutil.copytree(finished, tmp_path / "copy")
    changed = SMALL.replace("[[tests.fama", "[tests]\nlags = 2\n[[tests.fama")
    run(parse_config(changed), out=out)
    lines = diff(finished, out)
    assert lines[0] == "setting tests.lags: 6 -> 2"
    assert "stages with other results: performance, tests, truth" in lines
    (alphas,) = (line for line in lines if "alphas-and-betas" in line)
    assert re.search(r"\d+ of \d+ numbers differ, most in (CLU|LEV), .*: .* -> ", alphas)
    assert not [line for line in lines if line.startswith("input")]


def test_workers_do_not_change_a_bit(finished, tmp_path):
    run(parse_config(SMALL), out=tmp_path / "two", workers=2)
    assert outputs(tmp_path / "two") == outputs(finished)


@pytest.mark.parametrize("hashing", ["1", "2"])
def test_another_process_writes_the_same_page(finished, tmp_path, hashing):
    # What hangs on the order of a set would differ from process to process.
    shutil.copytree(finished / "stages", tmp_path / "out" / "stages")
    for file in finished.glob("trials.jsonl*"):
        shutil.copy2(file, tmp_path / "out")
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    code = (
        "from alphastrata.study import read_config, run;"
        f"run(read_config({str(tmp_path / 'small.toml')!r}), out={str(tmp_path / 'out')!r})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hashing}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert outputs(tmp_path / "out") == outputs(finished)


def test_verify_finds_nothing_and_then_what_was_tampered_with(finished):
    assert verify(finished) == []
    table = finished / "tables" / "performance.csv"
    good = table.read_bytes()
    table.write_bytes(good + b"\n")
    assert verify(finished) == [
        "outputs.tables/performance.csv: the file is not what the manifest says"
    ]
    table.write_bytes(good)


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_resumes_to_the_same_bits(finished, tmp_path):
    study = tmp_path / "small.toml"
    study.write_text(SMALL, encoding="utf-8")
    rng = random.Random(0)
    out, kills, folders = tmp_path / "killed-0", 0, 1
    while kills < 20:
        code = (
            "from alphastrata.study import read_config, run;"
            f"run(read_config({str(study)!r}), out={str(out)!r})"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=rng.uniform(2.0, 8.0))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        # It came to its end between two kills: compare, and start from nothing again.
        assert process.returncode == 0
        assert outputs(out) == outputs(finished)
        out, folders = tmp_path / f"killed-{folders}", folders + 1
    run(parse_config(SMALL), out=out)
    assert outputs(out) == outputs(finished)
    for stage in (out / "stages").iterdir():
        if not stage.name.startswith(".writing-"):
            load(stage)


def test_what_is_missing_is_said_before_any_work(tmp_path):
    real = parse_config(
        'name = "x"\n[data]\nsource = "pystock"\n[[sorts]]\nname="A"\nby="leverage"'
    )
    with pytest.raises(ConfigError, match="data.source: .*say --data FOLDER"):
        run(real, out=tmp_path / "a")
    with pytest.raises(ConfigError, match="no data folder"):
        run(real, out=tmp_path / "b", data=tmp_path / "nowhere")
    lost = parse_config(
        'name = "x"\n[[sorts]]\nname="A"\nby="leverage"\n'
        '[[benchmarks]]\nname="F"\nsource="gone.zip"\nfactors=["SMB"]'
    )
    with pytest.raises(ConfigError, match="reads 'gone.zip'"):
        run(lost, out=tmp_path / "c")
    with pytest.raises(ConfigError, match=r"holds no manifest\.json"):
        verify(tmp_path)
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "c").exists()
