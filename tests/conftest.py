"""Fixtures for every room."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import settings

# What a first call compiles, and what else runs on the machine, is no fault of an example.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("ALPHASTRATA_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data absent: no folder {folder}; set ALPHASTRATA_DATA to have it")
    return folder


class _Numbers(HTMLParser):
    """Collects the numbers of a report's tables and figures, and the entries they lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str, str | None]] = []
        self.entries: dict[str, str] = {}
        self.ids: set[str] = set()
        self._where, self._told, self._cell = "", "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {key: value or "" for key, value in attrs}
        name = own.get("id", "")
        self.ids.add(name)
        if tag == "table":
            self._where = name
        if tag == "div" and re.search(r"-how(-|$)", name):
            self._told = name
            self.entries[name] = ""
        if own.get("data-v") and tag in ("td", "span"):
            self.numbers.append((self._where if tag == "td" else "figure", own["data-v"], None))
            self._cell = True
        if tag == "a" and own.get("class") == "num" and self._cell:
            self.numbers[-1] = (*self.numbers[-1][:2], own["href"][1:])
        if tag == "a" and self._told and own.get("href", "").startswith("#manifest-"):
            self.entries[self._told] = own["href"][1:]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "span"):
            self._cell = False
        if tag == "dl":
            self._told = ""


def _unexplained(page: str) -> list[str]:
    found = _Numbers()
    found.feed(page)
    assert found.numbers
    return [
        f"{where}: {value} -> {anchor} -> {found.entries.get(anchor or '')}"
        for where, value, anchor in found.numbers
        if found.entries.get(anchor or "", "") not in found.ids - {""}
    ]


@pytest.fixture(scope="session")
def unexplained() -> Callable[[str], list[str]]:
    """Lists the numbers of a page that lead to no entry, or to one without a manifest's row."""
    return _unexplained
