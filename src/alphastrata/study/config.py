"""Reading a study: one TOML file, checked before anything runs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from alphastrata.core.faults import Fault, SettingError, refused
from alphastrata.core.refusals import faults_of
from alphastrata.errors import ConfigError
from alphastrata.study.settings import StudyConfig


def parse_config(text: str, *, source: str = "study.toml") -> StudyConfig:
    """Return a checked study from the text of a TOML file.

    Parameters
    ----------
    text
        The file's text.
    source
        Its name, for messages.

    Raises
    ------
    ConfigError
        For text that is not TOML, unknown or missing keys and values outside their range; each
        with line, key, rule and what was given.

    Examples
    --------
    >>> study = parse_config('''
    ... name = "liquidity"
    ... [[sorts]]
    ... name = "LIQ"
    ... by = "liquidity"
    ... ''')
    >>> study.characteristics
    ['liquidity']
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{source} is not valid TOML: {error}. Texts stand in quotes, tables in [name] or "
            "[[name]]."
        ) from error
    try:
        config = StudyConfig.model_validate(raw)
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False), StudyConfig)
        raise refused(source, text, faults) from error
    faults = _misspelt(config)
    if faults:
        raise refused(source, text, faults)
    return config


def _misspelt(config: StudyConfig) -> list[Fault]:
    """Return the characteristics whose names are nearly, and not quite, of the catalogue.

    Files of one's own may hold any column, so that there every name may be right.
    """
    if config.data.source == "panel":
        return []
    from alphastrata import features

    catalogue = features.catalog()
    fields = {field for fields in catalogue["fields"] for field in str(fields).split()}
    known = sorted({*catalogue["name"], *fields})
    out = []
    for place, name in config.characteristic_uses:
        near = [] if name in known else get_close_matches(name, known, 1, cutoff=0.8)
        if near:
            said = f"{name!r} is no characteristic; did you mean {near[0]!r}?"
            out.append(Fault(place, f"{said} `alphastrata list characteristics` lists them"))
    return out


def read_config(path: str | Path) -> StudyConfig:
    """Return a checked study from a TOML file; errors as in `parse_config`."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"There is no study file {file}. `alphastrata list studies` shows some.")
    return parse_config(file.read_text(encoding="utf-8"), source=file.name)


@contextmanager
def lines_of(path: str | Path) -> Iterator[None]:
    """Tell of settings that only the data can refuse on which line of their file they stand.

    Raises
    ------
    ConfigError
        As `parse_config`, in place of a SettingError.
    """
    try:
        yield
    except SettingError as error:
        file = Path(path)
        text = file.read_text(encoding="utf-8")
        raise refused(file.name, text, error.faults) from error
