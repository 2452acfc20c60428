"""The command line: whole studies, their data, and lists of what there is.

Heavy imports stay inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alphastrata.cli_fetch import fetch_app
from alphastrata.cli_init import init
from alphastrata.cli_progress import progress_bars
from alphastrata.errors import AlphaStrataError, ConfigError

if TYPE_CHECKING:
    from alphastrata.study import StudyConfig
    from alphastrata.study.run import Finished

app = typer.Typer(
    name="alphastrata",
    help=(
        "Do strata of stocks earn an alpha that Fama and French do not explain?"
        "\n\nExample: alphastrata demo"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(fetch_app, name="fetch", short_help="Fetch data into the local store.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alphastrata {version('alphastrata')}")
        raise typer.Exit


@app.callback()
def root(
    show: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Hold what belongs to no command; the help of the whole stands above."""


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for everything the study writes.")]
Study = Annotated[Path, typer.Argument(help="The study, a TOML file.")]
Data = Annotated[Path | None, typer.Option(help="Folder with the data; overrides data.folder.")]
Target = Annotated[Path | None, typer.Option("--out", "-o", help="Default: out/<name>.")]
Workers = Annotated[int | None, typer.Option(help="Processes; never changes a result.", min=1)]


class Kind(StrEnum):
    """What `alphastrata list` can show."""

    characteristics = "characteristics"
    factors = "factors"
    tests = "tests"
    studies = "studies"


def _say(finished: Finished) -> None:
    for warning in finished.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for line in finished.answer:
        typer.echo(line)
    reused = sum(finished.reused.values())
    if reused:
        typer.echo(f"{reused} of {len(finished.reused)} stages were already there.", err=True)
    typer.echo(f"report: {finished.report}")


@app.command(short_help="Run the whole way on a simulated market, offline.")
def demo(out: Out = Path("out/demo"), workers: Workers = None) -> None:
    """Run the whole way on the built-in simulated market, offline.

    Example: alphastrata demo --out out/demo
    """
    from alphastrata.study import demo_config, run

    with progress_bars() as progress:
        finished = run(demo_config(), out=out, workers=workers, progress=progress)
    _say(finished)


@app.command(name="run", short_help="Run a study: data, strata, factors, tests, report.")
def run_(
    study: Study,
    data: Data = None,
    out: Target = None,
    workers: Workers = None,
) -> None:
    """Run a study: data, strata, factors, tests, report; resumes where it stopped.

    Example: alphastrata run examples/nyse.toml --data data/nyse
    """
    from alphastrata.study import lines_of, run

    config, folder, target = _opened(study, data, out)
    with lines_of(study), progress_bars() as progress:
        finished = run(
            config, data=folder, out=target, workers=workers, progress=progress, study=study
        )
    _say(finished)


@app.command(short_help="Run the paper's eight experiments on one cross-section.")
def experiments(
    study: Study,
    data: Data = None,
    out: Target = None,
    workers: Workers = None,
) -> None:
    """Run the paper's eight experiments on one cross-section of a study's market.

    Example: alphastrata experiments examples/nyse.toml --data data/nyse
    """
    from alphastrata.study import lines_of, run_experiments

    config, folder, target = _opened(study, data, out)
    with lines_of(study), progress_bars() as progress:
        page = run_experiments(config, data=folder, out=target, workers=workers, progress=progress)
    typer.echo(f"report: {page}")


@app.command(short_help="Search the settings of a study's clustering.")
def tune(
    study: Study,
    data: Data = None,
    out: Target = None,
    workers: Workers = None,
) -> None:
    """Search the settings of a study's clustering; writes a table, a plot and a page.

    Example: alphastrata tune examples/tune.toml
    """
    from alphastrata.study import lines_of, run_tuning

    config, folder, target = _opened(study, data, out)
    with lines_of(study), progress_bars() as progress:
        page = run_tuning(config, data=folder, out=target, workers=workers, progress=progress)
    typer.echo(f"report: {page}")


def _opened(study: Path, data: Path | None, out: Path | None) -> tuple[StudyConfig, Path, Path]:
    """Return the study, the folder of its data and the folder for what it writes."""
    from alphastrata.study import read_config

    config = read_config(study)
    if data is not None and not data.is_dir():
        raise ConfigError(f"There is no data folder {data}; say --data FOLDER.")
    folder = data if data is not None else study.parent / config.data.folder
    return config, folder, out if out is not None else Path("out") / config.name


@app.command(short_help="Divide customers into segments and plan a campaign.")
def segment(
    customers: Annotated[
        Path | None, typer.Argument(help="Customers: CSV, Excel or parquet.")
    ] = None,
    study: Annotated[Path | None, typer.Option(help="A customer study, a TOML file.")] = None,
    out: Target = None,
) -> None:
    """Divide customers into segments, each with a portfolio, and plan a campaign in budget.

    Example: alphastrata segment customers.csv --out out/customers
    """
    from alphastrata.customers import segment_study

    if customers is None and study is None:
        raise ConfigError("Say a file of customers, or --study with a study that names one.")
    with progress_bars(stopped="Interrupted.") as progress:
        done = segment_study(customers, study=study, out=out, progress=progress)
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for line in done.answer:
        typer.echo(line)
    typer.echo(f"report: {done.report}")


@app.command(short_help="Compute a finished study again and compare.")
def verify(
    out: Annotated[Path, typer.Argument(help="Folder of a finished study.")],
    workers: Workers = None,
) -> None:
    """Compute a finished study again and say what differs from its manifest.

    Example: alphastrata verify out/demo
    """
    from alphastrata.study import verify as verify_

    with progress_bars(stopped="Interrupted.") as progress:
        lines = verify_(out, workers=workers, progress=progress)
    for line in lines:
        typer.echo(line)
    if lines:
        typer.echo(f"{len(lines)} differences.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{out}: everything came out again, bit for bit.")


@app.command(short_help="Say what differs between two finished studies.")
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of a finished study.")],
    after: Annotated[Path, typer.Argument(help="Folder of another.")],
) -> None:
    """Say which inputs, settings and results differ between two finished studies.

    Example: alphastrata diff out/demo out/other
    """
    from alphastrata.study import diff as diff_

    lines = diff_(before, after)
    typer.echo("\n".join(lines) if lines else "No difference.")


app.command(short_help="Write a commented study, by asking or from flags.")(init)


@app.command(name="list", short_help="List characteristics, factor files, tests or studies.")
def list_(kind: Annotated[Kind, typer.Argument(help="What to list.")]) -> None:
    """List the characteristics, the factor files, the tests or the studies that there are.

    Example: alphastrata list characteristics
    """
    from alphastrata.study.catalogues import listing

    typer.echo(listing(kind.value))


def main() -> None:
    """Run the command line; a mistake in the input ends with one message and exit code 2."""
    try:
        app()
    except AlphaStrataError as error:
        typer.echo(f"alphastrata: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.filename is None:
            raise
        said = f"cannot use {error.filename}: {error.strerror}"
        typer.echo(f"alphastrata: {said}. Choose another place, or make it readable.", err=True)
        sys.exit(2)
