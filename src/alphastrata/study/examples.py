"""The study that ships inside the package."""

from __future__ import annotations

from importlib.resources import files

from alphastrata.study.config import StudyConfig, parse_config


def demo_text() -> str:
    """Return the text of the built-in study, a TOML file to start from."""
    return files("alphastrata.study").joinpath("demo.toml").read_text(encoding="utf-8")


def demo_config() -> StudyConfig:
    """Return the built-in study: the whole way on the simulated market, offline.

    Examples
    --------
    >>> demo_config().data.source
    'simulated'
    """
    return parse_config(demo_text(), source="demo.toml")
