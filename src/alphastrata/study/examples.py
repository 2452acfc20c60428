"""The study that ships inside the package, and the template for new ones."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template

from alphastrata.study.config import parse_config
from alphastrata.study.settings import StudyConfig

# What the [data] table says of the sample, by source.
_SAMPLES = {
    "panel": '# start = "2013-01-31"        # cut the sample\n# end = "2017-12-31"',
    "yahoo": """start = "2010-01-01"
end = "2024-12-31"
tickers = [                   # as Yahoo writes them; those of today, so survivors
    "AAPL", "CAT", "COST", "CVX", "HD", "HON", "IBM", "INTC", "JNJ", "KO",
    "MCD", "MMM", "MRK", "MSFT", "NKE", "ORCL", "PEP", "PFE", "PG", "QCOM",
    "SBUX", "T", "TGT", "TXN", "UNP", "UPS", "VZ", "WMT", "XOM",
]
# The SEC asks who you are: export ALPHASTRATA_SEC_USER_AGENT="Ann Smith ann@example.org"
statements = "edgar"          # edgar: as filed | yahoo: with a declared lag | none
period = "ttm"                # annual | quarterly | ttm
mode = "cache-first"          # offline | cache-first | refresh""",
    "wrds": """start = 1990                  # years; export ALPHASTRATA_WRDS_USER=name
end = 2023
mode = "cache-first"          # offline | cache-first | refresh""",
}


def _quoted(text: str) -> str:
    """Return a text as it stands between the quotes of TOML."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def demo_text() -> str:
    """Return the text of the built-in study, a TOML file to start from."""
    return _packaged("demo.toml")


def _packaged(name: str) -> str:
    return files("alphastrata.study").joinpath(name).read_text(encoding="utf-8")


def demo_config() -> StudyConfig:
    """Return the built-in study: the whole way on the simulated market, offline.

    Examples
    --------
    >>> demo_config().data.source
    'simulated'
    """
    return parse_config(demo_text(), source="demo.toml")


def new_study(
    name: str,
    *,
    source: str = "simulated",
    lag: str | None = None,
    daily: bool = False,
    question: str = "Do strata of stocks earn an alpha?",
    clusters: int = 6,
    file: str = "study.toml",
) -> str:
    """Return the text of a commented study to start from, already checked.

    Parameters
    ----------
    name
        Name of the study.
    source
        "simulated", "nyse", "pystock", "panel", "yahoo" (with statements of the SEC) or "wrds".
    lag
        Declared lag of statements after their period's end, such as "4M", where the source has
        no filing dates.
    daily
        Whether to build daily factors too.
    question
        What the report's headline asks.
    clusters
        How many clusters the deep clustering finds; 0: sorts alone.
    file
        Name of the file that the text will stand in.

    Raises
    ------
    ConfigError
        When the settings do not make a valid study.

    Examples
    --------
    >>> parse_config(new_study("mine")).name
    'mine'
    """
    short = source in ("nyse", "pystock")
    no_folder = source in ("simulated", "yahoo", "wrds")
    text = Template(_packaged("template.toml")).substitute(
        name=_quoted(name),
        question=_quoted(question),
        clusters=clusters,
        file=file,
        data_flag="" if no_folder else " --data FOLDER",
        source=source,
        lag_line=f'lag = "{lag}"' if lag else '# lag = "4M"                # without filing dates',
        daily=str(daily).lower(),
        sample=_SAMPLES.get(source, _SAMPLES["panel"]),
        efficiency="operating_expense_ratio" if source == "pystock" else "operating_efficiency",
        window=12 if short else 36,
        step=3 if short else 12,
        breakpoints="all" if short or source == "yahoo" else "NYSE",
    )
    if clusters == 0:
        start, end = text.index("[[clusters]]"), text.index("[[sorts]]")
        text = text[:start] + text[end:]
    parse_config(text, source=file)
    return text
