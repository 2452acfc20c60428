"""Whole studies: one TOML in, a report out; the only room that knows the whole way."""

from alphastrata.study.config import lines_of, parse_config, read_config
from alphastrata.study.examples import demo_config, new_study
from alphastrata.study.experiments import run_experiments
from alphastrata.study.run import Finished, diff, run, verify
from alphastrata.study.settings import StudyConfig
from alphastrata.study.tuning import run_tuning

__all__ = [
    "Finished",
    "StudyConfig",
    "demo_config",
    "diff",
    "lines_of",
    "new_study",
    "parse_config",
    "read_config",
    "run",
    "run_experiments",
    "run_tuning",
    "verify",
]
