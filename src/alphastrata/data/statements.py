"""Statements of several companies, as an adapter hands them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.data.store import Entry
from alphastrata.errors import SourceError


@dataclass(frozen=True, eq=False)
class Statements(Shown):
    """Statements with two clocks, ready for `as_of`.

    Attributes
    ----------
    table
        Columns asset, period_end, filed, known_at and the canonical fields.
    failures
        Company asked for -> why it is not in the table.
    notes
        What was chosen or left out, counted.
    entries
        Company asked for -> the stored file (URL, time, sha256).
    """

    table: pd.DataFrame
    failures: Mapping[str, str]
    notes: tuple[Note, ...]
    entries: Mapping[str, Entry] = field(default_factory=dict)


def collect_statements(
    tables: list[pd.DataFrame],
    failures: dict[str, str],
    notes: list[Note],
    entries: dict[str, Entry],
) -> Statements:
    """Return the companies' tables as one, with a note for each company that failed.

    Raises
    ------
    SourceError
        None of them has a table.
    """
    if not tables:
        first = next(iter(failures.items()), ("", "no company was found"))
        raise SourceError(f"No company has statements. First: {first[0]}: {first[1]}")
    asked = len(tables) + len(failures)
    for name, reason in failures.items():
        notes.append(Note(reason, 1, asked, f"asset={name}", "left out", "data"))
    table = pd.concat(tables, ignore_index=True)
    return Statements(table, failures, tuple(notes), entries)
