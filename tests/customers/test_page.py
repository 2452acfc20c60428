"""The page in a browser: everything is drawn, nothing is fetched, nothing complains."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from alphastrata.customers import CustomerStudy, segment_study

DRIVER = Path(__file__).resolve().parents[1] / "report" / "browser.py"


def driver():
    spec = importlib.util.spec_from_file_location("browser", DRIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.find_chromium() is None:
        pytest.skip("no Chromium found: install chromium to look at the page")
    return module


@pytest.mark.slow
def test_the_page_draws_itself(tmp_path):
    module = driver()
    plan = CustomerStudy.model_validate(
        {
            "data": {"simulate": {"n_customers": 500, "respondents": 0.6}},
            "segments": {
                "stages": {"reduction": "isomap"},
                "effort": {"search_rows": 400, "draws": 5, "repeats": 1, "k_max": 6},
            },
        }
    )
    page = segment_study(study=plan, out=tmp_path / "out").report
    with module.Browser(tmp_path / "profile") as browser:
        for width in (1280, 390):
            browser.size(width)
            browser.open(page)
            charts = browser.value("document.querySelectorAll('.chart').length")
            browser.value("document.querySelectorAll('.chart').forEach(c => c.scrollIntoView())")
            browser.wait(
                "[...document.querySelectorAll('.chart')].every("
                "c => (c.scrollIntoView(), c.querySelector('.main-svg, .gl-container')))",
                seconds=60,
            )
            assert charts >= 14
            wide = browser.value("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0
            assert browser.messages == []
            assert browser.requests == [page.as_uri()]
