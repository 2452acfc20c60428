"""The README's code runs as printed, its commands exist, and its pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_research_code_runs_as_printed(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 1
    lines = [line for line in blocks[0].splitlines() if line.strip()]
    assert len(lines) <= 20
    exec(compile(blocks[0], "README.md", "exec"), {})
    printed = capsys.readouterr().out
    for part in ("alpha", "GRS", "Fama-MacBeth"):
        assert part in printed


def test_commands_and_files_exist():
    targets = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets == ["demo", "test"]
    assert all(f"\n{target}: " in makefile for target in targets)
    for file in re.findall(r"\]\(((?!http)[^)]+)\)", README) + ["constraints.txt", "examples"]:
        assert (ROOT / file).exists(), f"README points to {file}"


@pytest.mark.parametrize("command", ["demo", "run", "verify", "fetch", "list"])
def test_commands_named_are_commands(command):
    from typer.testing import CliRunner

    from alphastrata.cli import app

    assert f"alphastrata {command}" in README
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
