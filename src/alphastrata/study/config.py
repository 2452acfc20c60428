"""Reading a study: one TOML file, checked before anything runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from alphastrata.errors import ConfigError
from alphastrata.study.settings import StudyConfig


def _line_of(text: str, path: tuple[Any, ...]) -> int | None:
    """Return the line of the file that sets a key, by its table and name; None if not found."""
    keys = [p for p in path if isinstance(p, str)]
    nth = next((p for p in path if isinstance(p, int)), 0)
    table, seen = "", -1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header:
            table = header.group(1)
            seen += keys[:1] == [table.split(".")[0]] and line.lstrip().startswith("[[")
            if keys == table.split(".") and seen in (-1, nth):
                return number
            continue
        name = re.match(r"\s*([A-Za-z0-9_-]+)\s*=", line)
        here = [*(table.split(".") if table else []), name.group(1) if name else ""]
        if name and here == keys[: len(here)] and seen in (-1, nth):
            return number
    return None


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
        raise ConfigError(f"{source} is not valid TOML: {error}") from error
    try:
        return StudyConfig.model_validate(raw)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False):
            where = _line_of(text, problem["loc"])
            key = ".".join(map(str, problem["loc"])) or "the study"
            at = f"line {where}, " if where else ""
            given = (
                ""
                if problem["type"] in ("missing", "value_error")
                else (f"; got {problem['input']!r}")
            )
            message = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "extra_forbidden":
                message = f"unknown key; known keys: {', '.join(_known_keys(problem['loc']))}"
                given = ""
            lines.append(f"{at}{key}: {message}{given}")
        count = f"{len(lines)} settings are wrong" if len(lines) > 1 else "a setting is wrong"
        raise ConfigError(f"{source}: {count}.\n" + "\n".join(f"  {x}" for x in lines)) from error


def _known_keys(path: tuple[Any, ...]) -> list[str]:
    """Return the keys that the table of an unknown key may have."""
    model: Any = StudyConfig
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        model = inner
    return list(model.model_fields)


def read_config(path: str | Path) -> StudyConfig:
    """Return a checked study from a TOML file; errors as in `parse_config`."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"There is no study file {file}. `alphastrata list studies` shows some.")
    return parse_config(file.read_text(encoding="utf-8"), source=file.name)
