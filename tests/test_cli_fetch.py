"""The fetch commands against sources on this machine: what they say, and how they go on."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alphastrata.cli import main
from alphastrata.data import Store
from alphastrata.data.store import Fetched, utc_now

_spec = importlib.util.spec_from_file_location(
    "local_sources", Path(__file__).with_name("local_sources.py")
)
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

Run = Callable[..., tuple[int, str, str]]
SPAN = ("--start", "2012-01-01", "--end", "2014-12-31")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    kit.load("conftest").loopback.__wrapped__()
    site = kit.LocalSite()
    site.http.handle_error = lambda request, address: None  # a killed client is part of the test
    kit.redirect(monkeypatch, site.url, tmp_path / "store")
    served = kit.Sources(site)
    kit.fill(served, n=4)
    yield served
    site.http.shutdown()
    site.http.server_close()


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `alphastrata fetch ...` -> exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["alphastrata", "fetch", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def test_french(sources: Any, fetch: Run) -> None:
    code, out, err = fetch("french", kit.LIBRARY)
    assert (code, err) == (0, "")
    raw = sources.library[kit.LIBRARY]
    assert f"{kit.LIBRARY}: vintage 201512, fetched 2" in out
    assert f"sha256 {digest(raw)}" in out
    assert "  M  2012-01-31 to 2015-12-31      48 rows    6 columns" in out
    assert f"1 of 1 files in {Store().root}" in out
    assert fetch("french", kit.LIBRARY)[0] == 0
    assert len(sources.site.asked) == 1
    assert fetch("french", kit.LIBRARY, "--refresh")[0] == 0
    assert len(sources.site.asked) == 2


def test_french_in_part_and_not_at_all(sources: Any, fetch: Run) -> None:
    code, out, err = fetch("french", kit.LIBRARY, "F-F_Momentum_Factor", "F-F_Momentum_Facto")
    assert code == 1
    assert f"{kit.LIBRARY}: vintage 201512" in out
    assert "1 of 3 files" in out
    assert "F-F_Momentum_Factor: failed: " in err
    assert "404" in err
    assert "close to it are F-F_Momentum_Factor" in err
    code, _, err = fetch("french", "F-F_Momentum_Factor")
    assert code == 2
    assert err.startswith("alphastrata: http")
    assert len(err.splitlines()) == 1
    code, _, err = fetch("french", kit.LIBRARY, kit.LIBRARY)
    assert code == 2
    assert "said once; repeated" in err


def test_fred(sources: Any, fetch: Run) -> None:
    code, out, err = fetch("fred", "T10Y3M", "CPIAUCSL", "GONE")
    assert code == 1
    assert "T10Y3M: 80 rows (0 missing), 2010-01-01 to 2016-08-01; fetched 2" in out
    assert digest(sources.fred["T10Y3M"]) in out
    assert "cpi (M, level), known 20 days after the period's end, revised later" in out
    assert "GONE: failed: " in err
    assert "2 of 3 series in" in out
    code, _, err = fetch("fred", "not a name")
    assert code == 2
    assert err.startswith("alphastrata: 'not a name' is not the name of a FRED series")


def test_yahoo(sources: Any, fetch: Run) -> None:
    code, out, err = fetch("yahoo", "T00", "GONE", "T02", *SPAN, "--statements", "annual")
    assert code == 1
    assert "T00: 786 days, 2012-01-02 to 2015-01-05, USD NMS; fetched 2" in out
    assert digest(sources.charts["T02"]) in out
    assert "T02: 4 statements, 2010-12-31 to 2013-12-31; fetched 2" in out
    assert err.startswith("GONE: failed: Yahoo has no data of GONE: No data found")
    assert "2 of 3 tickers in" in out
    # Under the key that a study of the same days asks for.
    assert Store().keys("yahoo/chart/T00") == ["yahoo/chart/T00/2012-01-01/2015-01-01"]
    code, _, err = fetch("yahoo", "GONE", *SPAN)
    assert code == 2
    assert "None of 1 tickers has data" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["yahoo", "T00"], "Say --start 2010-01-01 for prices, or --statements annual"),
        (["yahoo", "T00", "--start", "2012-01-01", "--end", "soon"], "--end is a day such as"),
        (["yahoo", "../x", "--start", "2012-01-01"], "Tickers must be distinct names"),
        (["edgar"], "Name companies, such as 320193 or AAPL, or say --tickers"),
        (["edgar", "100", "--user-agent", "Mozilla/5.0"], "who say who they are"),
        (["wrds", "--start", "2002", "--end", "2001"], "years, in order"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(
    sources: Any, fetch: Run, arguments: list[str], message: str
) -> None:
    code, out, err = fetch(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("alphastrata: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert sources.site.asked == []


def test_edgar(sources: Any, fetch: Run) -> None:
    code, out, err = fetch("edgar", "100", "T01", "XX", "999", "--period", "ttm")
    assert code == 1
    assert "CIK0000000100: " in out
    assert " statements, 2011-" in out
    assert digest(sources.companies[100]) in out
    assert "T01: " in out
    assert "XX: failed: 'XX' is no ticker of the SEC's list." in err
    assert "CIK0000000999: failed: " in err
    assert "holds no XBRL facts" in err
    assert "2 of 4 companies in" in out
    code, out, _ = fetch("edgar", "--tickers")
    assert code == 0
    assert out.startswith("tickers: 4 rows; fetched 2")


def test_an_interrupted_fetch_says_how_far_it_came_and_goes_on(sources: Any, fetch: Run) -> None:
    sources.down = {"CIK0000000102.json", "T02"}
    code, _, err = fetch("edgar", "100", "101", "102", "103")
    assert code == 2
    assert "403 Forbidden. 2 of 4 companies are stored; call again to go on." in err
    code, _, err = fetch("yahoo", "T00", "T01", "T02", "T03", *SPAN)
    assert code == 2
    assert "2 of 4 tickers are stored; call again to go on." in err
    sources.down = set()
    sources.site.asked.clear()
    assert fetch("edgar", "100", "101", "102", "103")[0] == 0
    assert fetch("yahoo", "T00", "T01", "T02", "T03", *SPAN)[0] == 0
    asked = [path.split("?")[0].rsplit("/", 1)[-1] for path in sources.site.asked]
    assert asked == ["CIK0000000102.json", "CIK0000000103.json", "T02", "T03"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_in_the_middle_it_goes_on(
    sources: Any, fetch: Run, tmp_path: Path, how: signal.Signals
) -> None:
    stuck, answered = threading.Event(), sources.get

    def get(path: str, default: object) -> Any:
        if "/chart/T02" in path:
            stuck.set()
            time.sleep(3)
        return answered(path, default)

    sources.get = get
    script = (
        "import importlib.util, pathlib, signal, sys, pytest\n"
        # Under a shell's background job, interrupts are ignored from birth: a terminal's are not.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"spec = importlib.util.spec_from_file_location('kit', {kit.__file__!r})\n"
        "kit = importlib.util.module_from_spec(spec); spec.loader.exec_module(kit)\n"
        f"cache = pathlib.Path({str(Store().root)!r})\n"
        f"kit.redirect(pytest.MonkeyPatch(), {sources.site.url!r}, cache)\n"
        f"sys.argv = ['alphastrata', 'fetch', 'yahoo', 'T00', 'T01', 'T02', 'T03', *{SPAN!r}]\n"
        "from alphastrata.cli import main; main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert stuck.wait(60)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "What is stored stays; the same command goes on from there." in err
        assert "Traceback" not in err
    assert len(Store().keys("yahoo/")) == 2
    assert Store().verify() == []
    sources.get = answered
    sources.site.asked.clear()
    assert fetch("yahoo", "T00", "T01", "T02", "T03", *SPAN)[0] == 0
    assert len(sources.site.asked) == 2


def test_offline_names_a_command_that_fetches_it(
    sources: Any, fetch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {
        "yahoo": ["T00", *SPAN],
        "edgar": ["100"],
        "fred": ["T10Y3M"],
        "french": [kit.LIBRARY],
    }
    for source, arguments in commands.items():
        monkeypatch.setenv("ALPHASTRATA_MODE", "offline")
        code, _, err = fetch(source, *arguments)
        assert code == 2
        named = err.split("run: alphastrata fetch ")[1].split()[: 1 + len(arguments)]
        assert named == [source, *arguments]
        monkeypatch.delenv("ALPHASTRATA_MODE")
        assert fetch(*named)[0] == 0


def test_damage_is_said_and_mended(sources: Any, fetch: Run) -> None:
    fetch("fred", "T10Y3M")
    store = Store()
    entry = store.put("fred/CPIAUCSL", Fetched(b"x", "https://example.org", utc_now()))
    (store.root / "raw" / entry.sha256).write_bytes(b"y")
    code, _, err = fetch("fred", "CPIAUCSL")
    assert code == 2
    assert "mode='refresh'" in err
    assert fetch("fred", "CPIAUCSL", "--refresh")[0] == 0


def test_wrds(tmp_path: Path, fetch: Run, monkeypatch: pytest.MonkeyPatch, wrds_url: str) -> None:
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "store"))
    monkeypatch.delenv("ALPHASTRATA_WRDS_URL", raising=False)
    monkeypatch.delenv("ALPHASTRATA_WRDS_USER", raising=False)
    code, _, err = fetch("wrds", "--start", "2001", "--end", "2003")
    assert code == 2
    assert "ALPHASTRATA_WRDS_USER" in err
    monkeypatch.setenv("ALPHASTRATA_WRDS_URL", wrds_url)
    tables = kit.load("test_wrds").small()
    kit.load("test_wrds").fill(wrds_url, {k: v for k, v in tables.items() if k != "comp.funda"})
    code, _, err = fetch("wrds", "--start", "2001", "--end", "2003")
    assert code == 2
    assert "5 of 11 queries are stored; call again to go on." in err
    kit.load("test_wrds").fill(wrds_url, tables)
    code, out, err = fetch("wrds", "--start", "2001", "--end", "2003")
    assert (code, err) == (0, "")
    assert "msf_v2: 60 rows, 2001-01-31 to 2003-06-30" in out
    assert "  wrds/msf_v2/2001: fetched 2" in out
    assert "11 of 11 queries in" in out
    monkeypatch.setenv("ALPHASTRATA_MODE", "offline")
    assert fetch("wrds", "--start", "2001", "--end", "2003")[0] == 0
    code, _, err = fetch("wrds", "--start", "2001", "--end", "2004")
    assert code == 2
    assert "run: alphastrata fetch wrds --start 2001 --end 2004" in err


@pytest.fixture(scope="module")
def wrds_url() -> Iterator[str]:
    """The URL of a PostgreSQL; a skip where there is none."""
    pytest.importorskip("sqlalchemy", reason="needs alphastrata[wrds]")
    pytest.importorskip("psycopg", reason="needs alphastrata[wrds]")
    started = kit.load("test_wrds").database.__wrapped__()
    yield next(started)
    next(started, None)


def test_help_is_light_and_shows_an_example(fetch: Run) -> None:
    for source in ("french", "yahoo", "edgar", "wrds", "fred"):
        _, out, _ = fetch(source, "--help")
        assert f"Example: alphastrata fetch {source} " in out
        assert len(out.splitlines()) <= 40
    code = "import sys, alphastrata.cli; print(*{'pandas', 'pydantic', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
