"""Progress on a terminal, for every command; quiet elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]
"""Called with (what, done, total)."""

GOES_ON = "Interrupted. The same command goes on from the last finished stage."


@contextmanager
def progress_bars(*, stopped: str = GOES_ON) -> Iterator[Report]:
    """Show what is done of each task, with its time; nothing where stderr is no terminal.

    Parameters
    ----------
    stopped : str
        What is said when somebody stops the command by hand; empty: nothing.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

    try:
        with bars:
            yield report
    except KeyboardInterrupt:
        if stopped:
            console.print(stopped, highlight=False)
        raise
