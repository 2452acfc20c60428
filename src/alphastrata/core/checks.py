"""Checks of shape, type, alignment and range: collect every violation, then raise once."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TypeGuard

from alphastrata.errors import AlphaStrataError, InputDataError


@dataclass(frozen=True)
class Note:
    """One thing that was dropped, imputed, changed or skipped, with its count.

    Attributes
    ----------
    rule
        The rule that the rows broke, or what was found.
    count
        How many rows (or periods, or assets) it concerned.
    of
        Out of how many.
    first
        The first of them, as text.
    action
        What was done about it.
    stage
        The room that did it: "data", "features", "cluster", …

    Examples
    --------
    >>> print(Note("no close on the day", 3, 100, "date=2015-01-31, asset=A", "dropped"))
    no close on the day: 3 of 100 dropped (first: date=2015-01-31, asset=A)
    """

    rule: str
    count: int
    of: int
    first: str
    action: str
    stage: str = ""

    def __str__(self) -> str:
        """Return the note as one sentence."""
        of = f" of {self.of:,}" if self.of else ""
        # What holds for a source as a whole counts nothing.
        counted = f"{self.count:,}{of} " if self.count or self.of else ""
        first = f" (first: {self.first})" if self.first else ""
        return f"{self.rule}: {counted}{self.action}{first}"


class Violations:
    """Collects broken rules, so that a user mends all of them at once.

    Parameters
    ----------
    what
        What is being checked, the opening of the message.

    Examples
    --------
    >>> found = Violations("Panel")
    >>> found.require(True, "Dates ascend")
    >>> found.raise_if_any()
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.messages: list[str] = []

    def add(self, rule: str, *, count: int = 1, first: str = "", remedy: str = "") -> None:
        """Record one broken rule: the rule, how many rows broke it, the first and the remedy."""
        message = f"{rule}; {count:,} {'breaks' if count == 1 else 'break'} this."
        if first:
            message += f" First: {first}."
        if remedy:
            message += f" {remedy.rstrip('.')}."
        self.messages.append(message)

    def require(
        self, ok: bool, rule: str, *, count: int = 1, first: str = "", remedy: str = ""
    ) -> None:
        """Record the rule as broken unless ``ok``."""
        if not ok:
            self.add(rule, count=count, first=first, remedy=remedy)

    def raise_if_any(self, error: type[AlphaStrataError] = InputDataError) -> None:
        """Raise one error that names everything collected, or return."""
        if len(self.messages) == 1:
            raise error(f"{self.what}: {self.messages[0]}")
        if self.messages:
            listed = "\n".join(f"  {i}. {text}" for i, text in enumerate(self.messages, 1))
            raise error(f"{self.what} breaks {len(self.messages)} rules:\n{listed}")


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number, Python's or numpy's; True and False are none.

    Examples
    --------
    >>> is_whole(3), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_columns(columns: list[str], needed: list[str], what: str) -> None:
    """Raise `InputDataError` naming every needed column that is absent, and those that exist."""
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InputDataError(
            f"{what} needs the columns {', '.join(map(repr, needed))}; "
            f"{len(missing)} absent. First: {missing[0]!r}. "
            f"Columns present: {', '.join(map(str, columns)) or 'none'}."
        )
