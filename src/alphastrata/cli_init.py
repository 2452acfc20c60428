"""`alphastrata init`: a commented study to start from, by asking or from flags."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from alphastrata.errors import ConfigError


class Source(StrEnum):
    """Where a study's market comes from."""

    simulated = "simulated"
    nyse = "nyse"
    pystock = "pystock"
    panel = "panel"
    yahoo = "yahoo"
    wrds = "wrds"


# Sources whose statements carry no date of filing that we know of beforehand.
UNDATED = (Source.nyse, Source.panel)
# Sources that are monthly, whatever is asked.
MONTHLY = (Source.simulated, Source.wrds)

QUESTION = "Do strata of stocks earn an alpha that the Fama-French factors do not explain?"
MOST = 50
LISTED = ", ".join(source.value for source in Source)


def init(
    file: Annotated[Path, typer.Argument(help="The study to write.")] = Path("study.toml"),
    name: Annotated[str | None, typer.Option(help="Outputs go to out/<name>.")] = None,
    question: Annotated[str | None, typer.Option(help="What the report's headline asks.")] = None,
    source: Annotated[Source | None, typer.Option(help=LISTED, metavar="<name>")] = None,
    lag: Annotated[str | None, typer.Option(help='Declared lag of statements, "4M".')] = None,
    clusters: Annotated[
        int | None, typer.Option(help="How many; 0: sorts alone.", min=0, max=MOST, metavar="<int>")
    ] = None,
    daily: Annotated[
        bool | None, typer.Option("--daily/--monthly", help="Daily factors too, or not.")
    ] = None,
) -> None:
    """Write a commented study; on a terminal, asks for what the flags leave open.

    Example: alphastrata init mine.toml --name mine --source panel
    """
    from alphastrata.study import new_study

    if file.exists():
        raise ConfigError(f"{file} is there already; choose another name or delete it.")
    if sys.stdin.isatty():
        name = name or _ask("Name of the study", file.stem, _can_be_a_name, "1 to 40 letters, no /")
        question = question or typer.prompt("Question it asks", default=QUESTION)
        source = source or _source()
        if lag is None and source in UNDATED:
            said = _ask(
                "Months from a period's end until a statement is known",
                "4",
                lambda months: months.removesuffix("M").isdigit(),
                "a whole number of months",
            )
            lag = f"{said.removesuffix('M')}M"
        if clusters is None:
            said = _ask("How many clusters (0: none)", "6", _can_be_many, f"0, or 2 to {MOST}")
            clusters = int(said)
        if daily is None and source not in MONTHLY:
            daily = typer.confirm("Daily factors beside monthly ones?", default=False)
    text = new_study(
        name or file.stem,
        source=(source or Source.simulated).value,
        lag=lag,
        daily=bool(daily),
        question=question or QUESTION,
        clusters=6 if clusters is None else clusters,
        file=str(file),
    )
    file.write_text(text, encoding="utf-8")
    typer.echo(f"{file}: edit it, then run it as its first line says.")


def _ask(text: str, default: str, fits: Callable[[str], bool], rule: str) -> str:
    """Return the first answer that fits."""
    while True:
        said = str(typer.prompt(text, default=default)).strip()
        if fits(said):
            return said
        typer.echo(f"{said!r} cannot be; say {rule}.")


def _source() -> Source:
    names = {source.value for source in Source}
    asked = f"Source of the market ({LISTED})"
    return Source(_ask(asked, Source.simulated.value, names.__contains__, "one of them"))


def _can_be_a_name(text: str) -> bool:
    return 0 < len(text) <= 40 and not {"/", "\\"} & set(text) and text.strip(".") != ""


def _can_be_many(text: str) -> bool:
    return text.isdigit() and (int(text) == 0 or 2 <= int(text) <= MOST)
