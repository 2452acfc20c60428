"""Faults of settings: what is wrong, at which key, and on which line of a TOML file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from alphastrata.errors import ConfigError

__all__ = [
    "Fault",
    "Place",
    "SettingError",
    "place_lines",
    "refuse",
    "refused",
    "within",
]

Place = tuple[str | int, ...]
"""Where a setting stands: tables, positions in arrays of tables, and last the key."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one setting: where it stands, and words that end in a remedy."""

    place: Place
    said: str

    def __str__(self) -> str:
        """Return key and words."""
        key = ".".join(map(str, self.place)) or "the study"
        return f"{key}: {self.said}"

    def under(self, place: Place) -> Fault:
        """Return the fault as seen from the table that holds the one it was found in."""
        return Fault((*place, *self.place), self.said)


class SettingError(ConfigError):
    """Settings that are wrong, each with its place, so that the line of a file can be told."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


def refuse(faults: Iterable[Fault]) -> None:
    """Raise one SettingError that tells all faults, where there are any."""
    found = tuple(faults)
    if found:
        raise SettingError(found)


@contextmanager
def within(place: Place) -> Iterator[None]:
    """Tell faults that are found inside as faults of what stands at a place."""
    try:
        yield
    except SettingError as error:
        raise SettingError(fault.under(place) for fault in error.faults) from error


def place_lines(text: str) -> dict[Place, int]:
    r"""Return the line on which each table and key of a TOML text stands.

    Examples
    --------
    >>> place_lines('seed = 1\n[[sorts]]\nby = "roe"')
    {('seed',): 1, ('sorts',): 2, ('sorts', 0): 2, ('sorts', 0, 'by'): 3}
    """
    lines: dict[Place, int] = {}
    counts: Counter[Place] = Counter()
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _opened(_names(header[2]), counts, array=header[1] == "[[")
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
            continue
        key = _KEY.match(line)
        if key:
            lines.setdefault((*table, *_names(key[1])), number)
    return lines


def _opened(names: Sequence[str], counts: Counter[Place], *, array: bool) -> Place:
    """Return the place of a table, inside the last element of each array above it."""
    place: Place = ()
    for depth, name in enumerate(names, start=1):
        place = (*place, name)
        if array and depth == len(names):
            counts[place] += 1
        if counts[place]:
            place = (*place, counts[place] - 1)
    return place


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Return the line of a setting, or of the nearest table around it that the file has.

    What stands in one table may have been read as the first of several.
    """
    for end in range(len(place), 0, -1):
        part = place[:end]
        for here in (part, tuple(name for name in part if isinstance(name, str))):
            if here in lines:
                return lines[here]
    return 1


def refused(source: str, text: str, faults: Iterable[Fault]) -> ConfigError:
    """Return the error that tells all faults with their lines, in the order of the file.

    Parameters
    ----------
    source, text
        Name and text of the TOML file.
    faults
        What is wrong with it.
    """
    lines = place_lines(text)
    found = [(_line_of(lines, fault.place), str(fault)) for fault in faults]
    told = [f"  line {line}, {said}" for line, said in sorted(found, key=lambda pair: pair[0])]
    count = f"{len(told)} settings are wrong" if len(told) > 1 else "a setting is wrong"
    return ConfigError(f"{source}: {count}.\n" + "\n".join(told))
