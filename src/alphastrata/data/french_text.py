"""The text of a file of the French library, and the runs of data rows in it.

A row is told by its looks: a date of 4, 6 or 8 digits, then a comma. Everything else is text that
belongs to the rows below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alphastrata.data.archives import is_zip, read_single_member
from alphastrata.errors import InputDataError

MAX_UNPACKED = 128 * 2**20
"""Cap in bytes on one unpacked file; the largest of the library has about 30 MB."""

_ROW_START = re.compile(r"[ \t]*(\d{4}|\d{6}|\d{8})[ \t]*,")
_GLUED_ROW = re.compile(
    r"([ \t]*(?:\d{4}|\d{6}|\d{8})[ \t]*,.*?\d\.?)[ \t]*([A-Za-z][^,]*)[, \t]*$"
)


@dataclass(frozen=True)
class Block:
    """Consecutive rows of numbers: where they start, and the text lines above them."""

    first_line: int
    rows: list[str]
    above: list[str]


def text_of(raw: bytes, *, label: str) -> str:
    """Return the text of the CSV with one kind of line end, or refuse what is not one."""
    if is_zip(raw):
        raw = read_single_member(raw, suffixes=(".csv", ".txt"), max_bytes=MAX_UNPACKED)
    head = raw[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<") or b"<html" in head:
        raise InputDataError(
            f"{label} is an HTML page, not a file of the French library: the server answered with "
            "a page instead of data. Fetch it again."
        )
    if b"\x00" in raw:
        raise InputDataError(f"{label} is binary or UTF-16, not a CSV of the French library.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = re.sub(r"\r+\n|\r", "\n", text)
    last = text[text.rfind("\n") + 1 :]
    if last.strip(" ,\t") and not last.lstrip(" ,\t").lower().startswith("copyright"):
        glued = _GLUED_ROW.match(last)
        if glued is None or not glued.group(2).lower().startswith("copyright"):
            raise InputDataError(
                f"{label} ends in the middle of a line ({last.strip()[:40]!r}): it is truncated. "
                "Fetch it again, or end it with a line break if it is complete."
            )
    return text


def blocks_of(text: str, *, label: str) -> tuple[list[Block], list[str]]:
    """Return the runs of data rows with the text above each, and the text below the last."""
    blocks: list[Block] = []
    above: list[str] = []
    rows: list[str] = []
    width = first = 0
    for number, line in enumerate(text.split("\n"), start=1):
        match = _ROW_START.match(line)
        trailing = ""
        if match and any(map(str.isalpha, line)):
            line, trailing = _unglue(line, number, label)
        if match is None:
            if rows:
                blocks.append(Block(first, rows, above))
                above, rows = [], []
            above.append(line if line.strip(" ,\t") else "")
            continue
        if rows and len(match.group(1)) != width:
            raise InputDataError(
                f"{label}, line {number}: dates of {len(match.group(1))} digits follow dates of "
                f"{width} digits with no heading between them. Fetch the file again."
            )
        if not rows:
            first, width = number, len(match.group(1))
        rows.append(line)
        if trailing:
            blocks.append(Block(first, rows, above))
            above, rows = [trailing], []
    if rows:
        blocks.append(Block(first, rows, above))
        above = []
    if not blocks:
        raise InputDataError(
            f"{label} holds no row of the form 'YYYYMM, number, …'; it is not a CSV file of the "
            "French library (the TXT edition is not read)."
        )
    return blocks, [line.strip(" ,\t") for line in above if line.strip(" ,\t")]


def _unglue(line: str, number: int, label: str) -> tuple[str, str]:
    """Split a row from the text that was glued to its end."""
    glued = _GLUED_ROW.match(line)
    if glued is None:
        raise InputDataError(
            f"{label}, line {number}: a row may hold only numbers; it reads {line.strip()[:60]!r}."
        )
    return glued.group(1), glued.group(2)
