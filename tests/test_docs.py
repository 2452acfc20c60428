"""What the documentation shows is true: its pages run, and the site builds without a warning."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(
    r"^```python(?: title=\"(?:alphastrata|linearmodels)\")?\n(.*?)^```",
    flags=re.MULTILINE | re.DOTALL,
)


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def runnable_pages() -> list[str]:
    """Return the pages that say of themselves, in their first lines, that their code runs."""
    pages = sorted(DOCS.rglob("*.md"))
    return [
        str(page.relative_to(DOCS))
        for page in pages
        if read(page).startswith("---\nrunnable: true")
    ]


@pytest.mark.parametrize("page", runnable_pages())
def test_code_on_pages_runs_from_top_to_bottom(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = FENCE.findall(read(DOCS / page))
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_the_pages_that_are_meant_to_run_say_so():
    pages = runnable_pages()
    assert {"start.md", "howto/own-data.md"} <= set(pages)
    assert len(pages) >= 11


@pytest.mark.parametrize("package", ["tidyfinance", "alphalens", "linearmodels"])
def test_the_same_task_stands_side_by_side(package):
    page = read(DOCS / "howto" / f"from-{package}.md")
    titles = re.findall(r"^```python title=\"(\w+)\"", page, flags=re.MULTILINE)
    pairs = list(zip(titles, titles[1:], strict=False))
    assert pairs.count((package, "alphastrata")) >= 3


def test_every_benchmark_has_a_line():
    page = read(DOCS / "benchmarks.md")
    lines = re.findall(r"^\| `(\w+\.py)` \|", page, flags=re.MULTILINE)
    assert len(lines) == len(set(lines))
    scripts = [
        file.name
        for file in (ROOT / "benchmarks").glob("*.py")
        if '__name__ == "__main__"' in read(file)
    ]
    assert scripts
    assert not [name for name in scripts if f"`{name}`" not in page]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    for package in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install -e '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    built = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    # Nothing is loaded from elsewhere: the site works without a network.
    loaded = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?:[^\"]+)\"")
    outside = {address for page in pages for address in loaded.findall(read(page))}
    assert not outside
    assert not [page.name for page in pages if 'class="arithmatex"' in read(page)]
