"""Reading a study: one TOML file, checked before anything runs."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
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
        raise ConfigError(
            f"{source} is not valid TOML: {error}. Texts stand in quotes, tables in [name] or "
            "[[name]]."
        ) from error
    try:
        config = StudyConfig.model_validate(raw)
    except ValidationError as error:
        faults = [_fault(text, problem) for problem in error.errors(include_url=False)]
        raise _refused(source, faults) from error
    faults = _misspelt(text, config)
    if faults:
        raise _refused(source, faults)
    return config


def _refused(source: str, faults: list[tuple[int | None, str]]) -> ConfigError:
    """Return the error that tells all faults, in the order of the file."""
    lines = [
        f"  line {line}, {said}" if line else f"  {said}"
        for line, said in sorted(faults, key=lambda fault: fault[0] or 0)
    ]
    count = f"{len(lines)} settings are wrong" if len(lines) > 1 else "a setting is wrong"
    return ConfigError(f"{source}: {count}.\n" + "\n".join(lines))


def _fault(text: str, problem: Any) -> tuple[int | None, str]:
    """Return line and words of one fault: key, rule, and what was given or would do."""
    path = problem["loc"]
    key = ".".join(map(str, path)) or "the study"
    line = _line_of(text, path)
    if problem["type"] == "missing":
        # What is not there has no line: name the table that lacks it.
        return line or _line_of(text, path[:-1]), f"{key}: missing; add {path[-1]} = ..."
    if problem["type"] == "extra_forbidden":
        known = _known_keys(path)
        near = get_close_matches(str(path[-1]), known, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        return line, f"{key}: unknown key; {meant}known keys: {', '.join(known)}"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if problem["type"] == "value_error" else f"; got {problem['input']!r}"
    return line, f"{key}: {message}{given}"


def _misspelt(text: str, config: StudyConfig) -> list[tuple[int | None, str]]:
    """Return the characteristics whose names are nearly, and not quite, of the catalogue.

    Files of one's own may hold any column, so that there every name may be right.
    """
    if config.data.source == "panel":
        return []
    from alphastrata import features

    catalogue = features.catalog()
    fields = {field for fields in catalogue["fields"] for field in str(fields).split()}
    known = {*catalogue["name"], *fields}
    out = []
    for name in config.characteristics:
        near = [] if name in known else get_close_matches(name, sorted(known), 1, cutoff=0.8)
        if near:
            quoted = re.compile(rf"""^[^#]*["']{re.escape(name)}["']""")
            numbers = [n for n, line in enumerate(text.splitlines(), 1) if quoted.match(line)]
            said = f"{name!r} is no characteristic; did you mean {near[0]!r}?"
            listed = "`alphastrata list characteristics` lists them"
            out.append((numbers[0] if numbers else None, f"{said} {listed}"))
    return out


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
