"""`alphastrata init`: a commented study to start from, by asking or from flags."""

from __future__ import annotations

import sys
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

QUESTION = "Do strata of stocks earn an alpha that the Fama-French factors do not explain?"


def init(
    file: Annotated[Path, typer.Argument(help="The study to write.")] = Path("study.toml"),
    name: Annotated[str | None, typer.Option(help="Name; outputs go to out/<name>.")] = None,
    question: Annotated[str | None, typer.Option(help="What the report's headline asks.")] = None,
    source: Annotated[Source | None, typer.Option(help="Where the market comes from.")] = None,
    lag: Annotated[str | None, typer.Option(help='Declared lag of statements, "4M".')] = None,
    clusters: Annotated[
        int | None, typer.Option(help="How many clusters; 0: none.", max=50)
    ] = None,
    daily: Annotated[
        bool | None, typer.Option("--daily/--monthly", help="Daily factors beside monthly ones.")
    ] = None,
) -> None:
    """Write a commented study to start from; on a terminal, asks for what the flags leave open.

    Example: alphastrata init mine.toml --name mine --source panel
    """
    from alphastrata.study import new_study

    if file.exists():
        raise ConfigError(f"{file} is there already; choose another name or delete it.")
    if sys.stdin.isatty():
        name = name or typer.prompt("Name of the study", default=file.stem)
        question = question or typer.prompt("Question it asks", default=QUESTION)
        source = source or _source()
        if lag is None and source in UNDATED:
            lag = typer.prompt("Months from a period's end until a statement is known", default=4)
            lag = f"{str(lag).removesuffix('M')}M"
        if clusters is None:
            clusters = typer.prompt("How many clusters (0: none)", default=6, type=int)
        if daily is None:
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


def _source() -> Source:
    listed = ", ".join(source.value for source in Source)
    while True:
        said = typer.prompt(f"Source of the market ({listed})", default=Source.simulated.value)
        if said in {source.value for source in Source}:
            return Source(said)
        typer.echo(f"{said!r} is none of them.")
