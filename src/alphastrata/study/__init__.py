"""Whole studies: one TOML in, a report out; the only room that knows the whole way."""

from alphastrata.study.config import StudyConfig, parse_config, read_config
from alphastrata.study.examples import demo_config
from alphastrata.study.run import Finished, run, verify

__all__ = [
    "Finished",
    "StudyConfig",
    "demo_config",
    "parse_config",
    "read_config",
    "run",
    "verify",
]
