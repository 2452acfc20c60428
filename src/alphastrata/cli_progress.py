"""Progress on a terminal, for every command; quiet elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Report = Callable[[str, int, int], None]
"""Called with (what, done, total)."""

# Seconds over which speed is averaged, and lines of the screen that are left to other text.
EVER, MARGIN = 1e9, 3

GOES_ON = "Interrupted. The same command goes on from the last finished stage."


@contextmanager
def progress_bars(*, stopped: str = GOES_ON) -> Iterator[Report]:
    """Show what is done of each task, with time spent and time left, on a terminal alone.

    Times left are those at the mean speed so far. Where a screen is too low for all tasks, those
    that are done make room for the others.

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
        speed_estimate_period=EVER,
    )
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
            make_room(bars, console.height - MARGIN)
        # A task that told of parts on its way is done with all of them.
        if done == total == 1 and (parts := bars.tasks[tasks[what]].total):
            done = total = int(parts)
        bars.update(tasks[what], completed=done, total=total)

    try:
        with bars:
            yield report
    except KeyboardInterrupt:
        if stopped:
            console.print(stopped, highlight=False)
        raise


def make_room(bars: Progress, lines: int) -> None:
    """Hide what was done first, until the bars fit."""
    shown = [task for task in bars.tasks if task.visible]
    done = [task for task in shown if task.finished]
    for task in done[: max(len(shown) - lines, 0)]:
        bars.update(task.id, visible=False)
