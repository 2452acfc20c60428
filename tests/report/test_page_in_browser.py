"""The page in a real browser: it draws, plays, sorts and prints, and runs its own scripts alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from alphastrata.report import Coefficients, ExtraSection, ReportData, Table, TestSection, html

READ_BLOB = (
    "window.blobs = []; window.make ??= URL.createObjectURL.bind(URL); "
    "URL.createObjectURL = (b) => { window.blobs.push(b); return window.make(b); };"
)


AS_OPENED = """(() => {
  delete document.documentElement.dataset.theme;
  document.querySelectorAll('details.section').forEach((part) => { part.open = true; });
  if (document.querySelector('[data-dim="2"]').getAttribute('aria-pressed') === 'false')
    document.querySelector('[data-dim="2"]').click();
  const find = document.querySelector('.find'), time = document.querySelector('.time');
  find.value = '';
  find.dispatchEvent(new Event('input'));
  time.value = time.max;
  time.dispatchEvent(new Event('input'));
})()"""


@pytest.fixture
def opened(browser: Any, example_page: Path) -> Any:
    """The example's page at a laptop's width; loaded once, and put back as it was opened."""
    browser.dark(False)
    browser.size(1280)
    if browser.value("location.href.split('#')[0]") == example_page.as_uri():
        browser.value(AS_OPENED)
        browser.wait("document.querySelector('.map').dataset.at === '2018-12-31'")
        browser.messages.clear()
    else:
        browser.open(example_page)
    return browser


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_draws_without_an_error_or_a_request(
    browser: Any, example_page: Path, width: int, dark: bool
) -> None:
    browser.dark(dark)
    browser.size(width)
    browser.open(example_page)
    assert browser.messages == []
    assert browser.requests == [example_page.as_uri()]
    assert browser.value("typeof window.hacked") == "undefined"
    empty = "[...document.querySelectorAll('.chart')].filter(c => !c.querySelector('.main-svg'))"
    assert browser.value(f"{empty}.map(c => c.id)") == []
    assert browser.value("document.documentElement.scrollWidth") == width
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 21, 25)" if dark else "rgb(255, 255, 255)")


def test_hostile_names_show_as_text_in_charts(opened: Any) -> None:
    labels = opened.value(
        "[...document.querySelectorAll('.chart svg text')].map(t => t.textContent).join('\\n')"
    )
    for name in ("<script>window.hacked=1</scr", '=HYPERLINK("http://evil', "$x$", "R&D_100%"):
        assert name in labels
    assert opened.value("document.querySelectorAll('.chart svg a').length") == 0


def test_the_player_moves_and_stops(opened: Any) -> None:
    state = "document.querySelector('.map').dataset"
    assert opened.value(f"{state}.at") == "2018-12-31"
    opened.value("document.querySelector('.play').click()")
    opened.wait(f"{state}.at === '2010-12-31'")
    opened.value("document.querySelector('.play').click()")
    assert opened.value(f"{state}.playing") == "no"
    assert opened.value("document.querySelector('.when').textContent") == "2010-12-31"
    assert opened.value("document.querySelector('.time').value") == "1"
    slide = "t.value = '4'; t.dispatchEvent(new Event('input'))"
    opened.value(f"(() => {{ const t = document.querySelector('.time'); {slide} }})()")
    opened.wait(f"{state}.at === '2013-12-31'")
    assert opened.messages == []


def test_points_carry_asset_date_cluster_and_characteristics(opened: Any) -> None:
    node = "document.querySelector('.cloud')"
    texts = opened.value(f"{node}.data.flatMap(t => t.text).join('\\n')")
    assert "<b>&lt;script&gt;window.hacked=1&lt;/script&gt;</b> · 2018-12-31" in texts
    assert "1 · Large, cash-rich<br>liquidity " in texts
    colours = opened.value(f"{node}.data.map(t => t.marker.color)")
    legend = opened.value(
        "[...document.querySelectorAll('.legend.phone i')].map(i => i.getAttribute('style'))"
    )
    assert [f"background:{c}" for c in colours] == legend


def test_pointing_at_an_asset_tells_about_it(opened: Any) -> None:
    opened.point_at(".cloud .scatterlayer .points path")
    opened.wait("document.querySelector('.cloud .hoverlayer .hovertext')")
    text = opened.value("document.querySelector('.cloud .hoverlayer .hovertext').textContent")
    assert "2018-12-31" in text
    assert "liquidity" in text


def test_an_asset_is_found_by_its_name_whatever_it_is(opened: Any) -> None:
    found = (
        "(() => { const f = document.querySelector('.find'); f.value = %s; "
        "f.dispatchEvent(new Event('input')); })()"
    )
    plain = opened.value("document.querySelector('.cloud').data.length")
    opened.value(found % "'A0042'")
    opened.wait(f"document.querySelector('.cloud').data.length === {plain} + 1")
    opened.value(found % "'no such asset'")
    opened.wait(f"document.querySelector('.cloud').data.length === {plain}")
    opened.value(found % "'<SCRIPT>window.hacked=1</script>'")
    opened.wait(f"document.querySelector('.cloud').data.length === {plain} + 1")
    assert opened.value("typeof window.hacked") == "undefined"


def test_three_dimensions(opened: Any) -> None:
    if not opened.value("!!document.createElement('canvas').getContext('webgl')"):
        pytest.skip("this browser has no WebGL")
    opened.value("document.querySelector('[data-dim=\"3\"]').click()")
    opened.wait("document.querySelector('.cloud').data[0].type === 'scatter3d'")
    opened.wait("document.querySelector('.cloud canvas') !== null")
    opened.value("document.querySelector('[data-dim=\"2\"]').click()")
    opened.wait("document.querySelector('.cloud').data[0].type === 'scatter'")
    assert opened.messages == []


def test_tables_sort_by_value_and_back(opened: Any) -> None:
    table = "document.querySelector('table.stacked')"
    first = f"[...{table}.tBodies[0].rows].map(r => Number(r.cells[1].dataset.v))"
    before = opened.value(first)
    click = f"{table}.tHead.rows[0].cells[1].querySelector('span').click()"
    for expected in (sorted(before, reverse=True), sorted(before), before):
        opened.value(click)
        assert opened.value(first) == expected


def test_tables_download_as_written(opened: Any) -> None:
    opened.value(READ_BLOB)
    opened.value("document.querySelector('[data-kind=csv][data-name=names]').click()")
    text = opened.value("window.blobs[0].text()")
    assert text.lstrip("\ufeff").startswith('"name"\n"<script>window.hacked=1</script>"\n"\'=HYP')


def test_charts_download_as_vector_graphics(opened: Any) -> None:
    opened.value(READ_BLOB)
    opened.value("document.querySelector('[data-image]').click()")
    opened.wait("window.blobs.length === 1")
    assert "<svg" in opened.value("window.blobs[0].text()")
    assert opened.messages == []


def test_light_and_dark_at_a_click(opened: Any) -> None:
    ink = "document.querySelector('.chart .xtick text').style.fill"
    light = opened.value(ink)
    opened.value("document.querySelector('#theme').click()")
    opened.wait(f"{ink} !== {light!r}")
    assert opened.value("document.documentElement.dataset.theme") == "dark"


def test_a_link_opens_what_it_leads_to(opened: Any) -> None:
    opened.value("document.querySelectorAll('details').forEach(d => { d.open = false; })")
    opened.value("document.querySelector('details.section').open = true")
    opened.value("document.querySelector('td a.num').click()")
    opened.value("document.querySelector('#card .from a').click()")
    opened.wait("document.querySelector('tr:target')?.checkVisibility()")
    assert opened.value("document.querySelector('#card').hidden")


def test_prints_with_everything_open(opened: Any, tmp_path: Path) -> None:
    opened.value("document.querySelector('details.section').open = false")
    opened.pdf(tmp_path / "report.pdf")
    pages = (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n")
    assert pages >= 4
    assert opened.off_paper() == []
    assert opened.messages == []


WIDE = """(() => [...document.querySelectorAll('td.n')]
  .filter((cell) => !cell.querySelector('.u') && cell.getBoundingClientRect().height > 30)
  .map((cell) => cell.textContent))()"""
APART = """(() => [...document.querySelectorAll('.section > p, .section > .lines')]
  .filter((part) => part.nextElementSibling?.tagName === 'FIGURE')
  .map((part) => getComputedStyle(part).breakAfter))()"""
SMALL = """(() => { const u = document.querySelector('td .u');
  const size = (part) => parseFloat(getComputedStyle(part).fontSize);
  return size(u) < size(u.parentElement);
})()"""


def test_paper_keeps_numbers_whole_and_openings_with_what_they_open(
    browser: Any, tmp_path: Path
) -> None:
    names = ["portfolio", "market_cap", *(f"a_long_characteristic_{i}" for i in range(11))]
    wide = pd.DataFrame([[158_526_650_749.0] * 2 + [0.7654] * 11] * 3, columns=names)
    params = pd.DataFrame({"alpha": [0.01]}, index=["a"])
    notes = [f"note {i}" for i in range(6)]
    page = ReportData(
        title="paper",
        question="Why?",
        extras=[
            ExtraSection(
                title="Wide",
                text=["What opens a section."],
                tables=[
                    Table(title="T", frame=wide, notes=notes, formats={"market_cap": "integer"})
                ],
            )
        ],
        tests=[TestSection(title="Test", coefficients=Coefficients(params=params, tstats=params))],
    )
    path = tmp_path / "wide.html"
    path.write_text(html(page), encoding="utf-8")
    browser.size(1280)
    browser.open(path)
    browser.size(688)
    browser._call("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.value(WIDE) == []
    assert browser.value(APART) == ["avoid"]
    assert browser.value(SMALL)
    browser.pdf(tmp_path / "wide.pdf")
    assert browser.value("[...document.querySelectorAll('.more')].map((part) => part.open)") == [
        True
    ]
    browser._call("Emulation.setEmulatedMedia", {"media": ""})
    assert browser.off_paper() == []


def test_a_script_that_slipped_in_does_not_run(
    browser: Any, example_page: Path, tmp_path: Path
) -> None:
    text = example_page.read_text(encoding="utf-8")
    bad = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'></body>"
    path = tmp_path / "bad.html"
    path.write_text(text.replace("</body>", bad), encoding="utf-8")
    browser.open(path)
    assert browser.value("typeof window.hacked") == "undefined"
    assert browser.messages


def test_sixty_windows_of_two_thousand_assets_play(browser: Any, big_page: Path) -> None:
    browser.size(1280)
    browser.open(big_page)
    browser.value("document.querySelector('.play').click()")
    browser.wait("document.querySelector('.map').dataset.at === '2012-02-29'")
    assert browser.messages == []


def test_a_report_of_words_alone(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bare.html"
    path.write_text(html(ReportData(title="bare", question="Why?")), encoding="utf-8")
    browser.open(path)
    assert browser.value("document.querySelector('h1').textContent") == "Why?"
    assert browser.messages == []


def test_a_report_full_of_harm_does_none(browser: Any, spoiled: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "spoiled.html"
    path.write_text(html(spoiled), encoding="utf-8")
    browser.size(1280)
    browser.open(path)
    assert browser.value("typeof window.hacked") == "undefined"
    assert browser.messages == []
    assert browser.requests == [path.as_uri()]
    assert browser.value("document.querySelectorAll('img, iframe, .chart a').length") == 0


def test_every_number_tells_how_it_was_computed_and_from_what(opened: Any) -> None:
    many, wrong, bare = opened.numbers()
    assert many > 200
    assert wrong == []
    assert bare == []
    assert opened.messages == []


def test_numbers_are_reached_by_key(opened: Any) -> None:
    opened.value("document.querySelector('table.stacked td a.num').focus()")
    here = "document.activeElement.closest('td').dataset.v"
    first = opened.value(here)
    stops = "document.querySelectorAll('table.stacked a.num[tabindex=\"0\"]').length"
    tables = opened.value("document.querySelectorAll('table.stacked').length")
    assert opened.value(stops) == tables
    opened.key("ArrowRight")
    opened.key("ArrowDown")
    second = opened.value(here)
    assert second != first
    assert opened.value(stops) == tables
    opened.key("Enter")
    opened.wait("!document.querySelector('#card').hidden")
    assert second in opened.value("document.querySelector('#card .full').textContent")
    opened.key("Escape")
    assert opened.value("document.querySelector('#card').hidden")
    assert opened.value(here) == second


def test_the_card_stays_on_the_screen(opened: Any) -> None:
    opened.value(
        "(() => { const all = document.querySelectorAll('table.stacked td:last-child a.num'); "
        "all[0].scrollIntoView({block: 'end'}); all[0].click(); })()"
    )
    box = opened.value(
        "(() => { const b = document.querySelector('#card').getBoundingClientRect(); "
        "return [b.left, b.top, innerWidth - b.right, innerHeight - b.bottom]; })()"
    )
    assert min(box) >= 0
    opened.key("Escape")
