"""The command line: help that answers, errors in one line with exit code 2."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.progress import Progress
from typer.testing import CliRunner

from alphastrata.cli import app, main
from alphastrata.cli_progress import make_room, progress_bars
from alphastrata.errors import ConfigError
from alphastrata.study import read_config


def every_command() -> list[list[str]]:
    """Return the words of every command and group there is."""

    def walk(command: Any, words: list[str]) -> Iterator[list[str]]:
        yield words
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, [*words, name])

    return list(walk(typer.main.get_command(app), []))


def cli(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from alphastrata.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
        check=False,
    )


def on_a_terminal(arguments: list[str], answers: list[str], cwd: Path) -> str:
    """Return what a command shows on a terminal that answers its questions in turn."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from alphastrata.cli import main; main()", *arguments],
        stdin=other,
        stdout=other,
        stderr=other,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "LINES": "40", "TERM": "xterm-256color"},
        close_fds=True,
    )
    os.close(other)
    said, waiting = "", list(answers)
    while True:
        try:
            piece = os.read(main, 4096).decode("utf-8", "replace")
        except OSError:  # the other side is closed: the command has ended
            break
        if not piece:
            break
        said += piece
        if waiting and said.rstrip(" ").endswith(":"):
            os.write(main, f"{waiting.pop(0)}\n".encode())
            said += " "
    os.close(main)
    assert process.wait(timeout=60) == 0, said
    return said


@pytest.mark.parametrize("words", every_command(), ids=lambda words: " ".join(words) or "root")
def test_help_fits_a_screen_and_shows_an_example(words):
    screen = {"COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*words, "--help"], env=screen)
    lines = done.output.splitlines()
    assert done.exit_code == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "Example: alphastrata" in done.output


def test_the_examples_of_the_help_name_real_commands():
    known = {" ".join(words) for words in every_command()}
    for words in every_command():
        shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).output
        example = re.search(r"Example: alphastrata ([^\n]+)", shown)
        assert example is not None
        first, second, *_ = [*example.group(1).split(), ""]
        assert first in known
        assert words[:1] in ([], [first])
        assert len(words) < 2 or words[1] == second


def test_the_version():
    done = CliRunner().invoke(app, ["--version"])
    assert done.output == f"alphastrata {version('alphastrata')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.toml"], "There is no study file nowhere.toml"),
        (["verify", "."], "holds no manifest.json"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments, message, tmp_path):
    done = cli(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("alphastrata: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_study_names_its_line(tmp_path):
    (tmp_path / "s.toml").write_text('name = "x"\n[[sorts]]\nname = "A"\nby = "leverage"\nn = 1\n')
    done = cli("run", "s.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "line 5, sorts.0.n" in done.stderr


def test_init_writes_from_flags_without_asking_where_nobody_can_answer(tmp_path):
    done = cli(
        "init", "mine.toml", "--clusters", "4", "--question", 'Is "value" dead?', cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    study = read_config(tmp_path / "mine.toml")
    assert study.name == "mine"
    assert study.question == 'Is "value" dead?'
    assert study.clusters[0].n_clusters == 4
    again = cli("init", "mine.toml", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_own_files_become_a_study_of_sorts(tmp_path):
    done = cli("init", "mine.toml", "--source", "panel", "--clusters", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not read_config(tmp_path / "mine.toml").clusters
    toy = Path(__file__).resolve().parents[1] / "data" / "toy"
    example = toy.parents[1] / "examples" / "own_data.toml"
    done = cli("run", str(example), "--data", str(toy), "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "report: out/report.html" in done.stdout


def test_init_asks_on_a_terminal(tmp_path):
    said = on_a_terminal(
        ["init", "mine.toml"],
        ["value", "", "panel", "6", "5", "n"],
        cwd=tmp_path,
    )
    assert "Source of the market (simulated, nyse" in said
    study = read_config(tmp_path / "mine.toml")
    assert study.name == "value"
    assert study.data.source == "panel"
    assert study.data.lag == "6M"
    assert study.clusters[0].n_clusters == 5


def test_init_asks_again_where_an_answer_cannot_be(tmp_path):
    said = on_a_terminal(
        ["init", "mine.toml"],
        ["a/b", "value", "", "csv", "panel", "six", "6", "-3", "1", "5", "n"],
        cwd=tmp_path,
    )
    for wrong in ("'a/b'", "'csv'", "'six'", "'-3'", "'1'"):
        assert f"{wrong} cannot be; say " in said
    study = read_config(tmp_path / "mine.toml")
    assert (study.name, study.data.lag, study.clusters[0].n_clusters) == ("value", "6M", 5)


def test_init_asks_a_monthly_market_for_no_days(tmp_path):
    said = on_a_terminal(["init", "mine.toml"], ["", "", "simulated", "0"], cwd=tmp_path)
    assert "Daily" not in said
    assert not read_config(tmp_path / "mine.toml").data.daily


def test_who_stops_a_study_is_told_that_it_goes_on(capsys):
    def stopped() -> None:
        with progress_bars():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert "goes on from the last finished stage" in capsys.readouterr().err


def test_what_is_done_makes_room_on_a_low_screen():
    bars = Progress(disable=True)
    whole = bars.add_task("the whole study", total=100)
    for number in range(30):
        task = bars.add_task(f"stage {number}", total=1)
        bars.update(task, completed=int(number < 29))
    make_room(bars, 7)
    shown = [task.id for task in bars.tasks if task.visible]
    assert len(shown) == 7
    assert (shown[0], shown[-1]) == (whole, task)


@pytest.mark.slow
def test_progress_on_a_terminal_and_quiet_elsewhere(tmp_path):
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[data.simulation]\nn_assets = 60\nperiods = 48\n'
        '[[sorts]]\nname = "LEV"\nby = "leverage"\n'
    )
    shown = on_a_terminal(["run", "s.toml", "--out", "a"], [], cwd=tmp_path)
    assert "the whole study" in shown
    assert "features" in shown
    assert re.search(r"\d:\d\d:\d\d", shown), "time spent and time left"
    quiet = cli("run", "s.toml", "--out", "b", cwd=tmp_path)
    assert quiet.returncode == 0
    assert quiet.stderr.startswith("warning: The market is simulated")
    assert (tmp_path / "a" / "log.txt").read_text().count("done in") >= 5


def test_places_that_cannot_be_used_are_named(tmp_path):
    """A data folder that is not there, and a file where the output should go."""
    (tmp_path / "study.toml").write_text('name = "a"\n[[sorts]]\nname = "S"\nby = "leverage"\n')
    (tmp_path / "taken").write_text("")
    for flags, said in (
        (["--data", "nowhere"], "There is no data folder nowhere"),
        (["--out", "taken"], "cannot use taken: File exists"),
    ):
        done = cli("run", "study.toml", *flags, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "alphastrata", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, version("alphastrata") in done.stdout) == (0, True)


@pytest.mark.parametrize("kind", ["characteristics", "factors", "tests", "studies"])
def test_lists_name_what_there_is(kind):
    done = CliRunner().invoke(app, ["list", kind])
    assert done.exit_code == 0
    expected = {
        "characteristics": "operating_efficiency",
        "tests": "huberman_kandel",
        "factors": "F-F_Research_Data_5_Factors_2x3",
        "studies": "demo",
    }
    assert expected[kind] in done.output


def test_main_turns_our_errors_into_exit_codes(monkeypatch, capsys):
    def fail() -> None:
        raise ConfigError("a rule; a remedy")

    monkeypatch.setattr("alphastrata.cli.app", fail)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "alphastrata: a rule; a remedy\n"
