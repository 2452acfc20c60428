from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from alphastrata.report import ReportData, html


class Page(HTMLParser):
    """What a page consists of: ids, links, tags that load or run something, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.scripts: list[dict[str, str | None]] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self._skip = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.handlers += [name for name in given if name.startswith("on")]
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [given["href"]] if tag == "a" and given.get("href") else []  # type: ignore[list-item]
        self.loads += [str(given[n]) for n in ("src", "srcset", "data", "action") if n in given]
        if tag in ("link", "iframe", "object", "embed", "base", "img"):
            self.loads.append(tag)
        if tag == "script":
            self.scripts.append(given)
        self._skip = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._skip = False

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.text += data.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def text(report_data: ReportData) -> str:
    return html(report_data)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def payload(text: str) -> dict[str, Any]:
    found = re.search(r'id="payload">([A-Za-z0-9+/=]+)<', text)
    assert found is not None
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found.group(1))))
    return content


def test_the_page_stands_alone(page: Page) -> None:
    assert page.loads == []
    assert page.handlers == []
    assert [s.get("id") for s in page.scripts] == ["payload", "plotly", None]
    assert all(link.startswith("#") for link in page.links)


def test_every_link_leads_somewhere_and_every_id_is_unique(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_every_part_is_there(page: Page, report_data: ReportData) -> None:
    for part in (report_data.question, *report_data.answer, *report_data.warnings):
        assert part in page.text
    for figure in report_data.figures:
        assert figure.label in page.text
    for title in (
        "Data",
        "Deep clusters",
        "Factor returns",
        "Alphas and tests",
        "Fama-MacBeth",
        "Truth beside estimate",
        "Specifications",
        "A user's own section",
        "Provenance",
        "Map of the clusters",
        "Membership through time",
        "Deepest drawdowns",
        "How computed",
    ):
        assert title in page.text


def test_hostile_names_are_text_and_nothing_more(
    page: Page, text: str, hostile: tuple[str, ...]
) -> None:
    for name in hostile:
        assert name in page.text
    assert "<script>window" not in text
    assert "<img" not in text


def test_no_text_of_a_report_becomes_a_tag(spoiled: ReportData, page: Page) -> None:
    text = html(spoiled)
    parsed = Page(text)
    assert parsed.tags <= page.tags
    assert [s.get("id") for s in parsed.scripts] == ["payload", "plotly", None]
    assert parsed.handlers == []
    assert parsed.loads == []


def test_downloads_are_the_tables_texts(text: str, hostile: tuple[str, ...]) -> None:
    files = payload(text)["files"]
    assert len(files) >= 10
    names = next(f["csv"] for f in files.values() if f["csv"].startswith('"name"'))
    assert '"\'=HYPERLINK(""http://evil.example"",""click"")"' in names
    assert all({"csv"} <= set(f) <= {"csv", "tex"} for f in files.values())


def test_the_same_report_gives_the_same_bytes(text: str, report_data: ReportData) -> None:
    assert html(report_data) == text


def test_absent_parts_leave_no_trace() -> None:
    text = html(ReportData(title="bare"))
    page = Page(text)
    assert "plotly" not in page.ids
    assert "Provenance" not in page.text
    assert len(text) < 60_000


@pytest.mark.parametrize(
    "part", ["data", "factors", "truth", "specifications", "manifest", "clusters", "tests"]
)
def test_any_part_may_be_absent(report_data: ReportData, part: str) -> None:
    without: Any = () if part in ("clusters", "tests") else None
    assert Page(html(replace(report_data, **{part: without}))).text


def test_two_thousand_assets_in_sixty_windows_stay_under_eight_megabytes(
    big_page: Path,
) -> None:
    assert big_page.stat().st_size < 8_000_000


def test_importing_the_room_loads_neither_matplotlib_nor_plotly() -> None:
    code = (
        "import sys, alphastrata.report as r\n"
        "assert not {'matplotlib', 'plotly'} & set(sys.modules)\n"
        "r.plots.alphas\n"
        "assert 'matplotlib' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_captions_speak_of_what_is_grouped(report_data: ReportData) -> None:
    part = report_data.clusters[0]
    assert part.embeddings is not None
    last = part.embeddings["date"].max()
    single = replace(part, embeddings=part.embeddings[part.embeddings["date"] == last])
    text = html(ReportData(title="t", clusters=[single], unit="customer"))
    assert "Each point is one customer" in text
    assert "customers: 1 · Large, cash-rich → 1 · Large" in text
    assert 'aria-label="Play through time" hidden>' in text
    assert "Play to watch" not in text


def test_numbers_lead_to_how_and_how_to_the_manifest(
    text: str, report_data: ReportData, unexplained: Callable[[str], list[str]]
) -> None:
    assert re.search(r'href="#table-\d+-how-alpha"', text)
    assert unexplained(text) == []
    assert report_data.factors is not None
    silent = replace(report_data, factors=replace(report_data.factors, about=None))
    assert any("-> None" in line for line in unexplained(html(silent)))
    assert 'href="#manifest-tests-2f-time-5f-series"' in text
    assert 'id="manifest-tests-2f-time-5f-series"' in text
