"""The command line: help that answers, errors in one line with exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alphastrata.cli import app, main
from alphastrata.errors import ConfigError

COMMANDS = [
    "demo",
    "run",
    "experiments",
    "tune",
    "segment",
    "verify",
    "diff",
    "init",
    "list",
    "fetch",
]


def cli(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from alphastrata.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
        check=False,
    )


def test_help_fits_a_screen_and_shows_an_example():
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(command in shown for command in COMMANDS)
    for command in COMMANDS:
        text = CliRunner().invoke(app, [command, "--help"]).output
        assert len(text.splitlines()) <= 40
        if command != "fetch":
            assert "Example: alphastrata" in text


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


@pytest.mark.parametrize("kind", ["characteristics", "factors", "studies"])
def test_lists_name_what_there_is(kind):
    done = CliRunner().invoke(app, ["list", kind])
    assert done.exit_code == 0
    expected = {
        "characteristics": "operating_efficiency",
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
