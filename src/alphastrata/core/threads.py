"""Parts of one job on every core, their results in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba.core.config import NUMBA_NUM_THREADS

Part = TypeVar("Part")
Result = TypeVar("Result")


def each(
    job: Callable[[Part], Result], parts: Sequence[Part], *, n_jobs: int | None = None
) -> list[Result]:
    """Return the job's results for all parts, in their order.

    For jobs that spend their time in compiled code, which releases the interpreter's lock. A part's
    result may depend on nothing but the part, so that the number of threads changes no bit.

    Parameters
    ----------
    job
        Called once for every part.
    parts
        What to divide among threads.
    n_jobs
        Threads; None for as many as numba may use: the cores, ``NUMBA_NUM_THREADS``, or the share
        of a joblib worker.

    Examples
    --------
    >>> each(len, ["a", "bc"], n_jobs=2)
    [1, 2]
    """
    threads = min(NUMBA_NUM_THREADS if n_jobs is None else n_jobs, len(parts))
    if threads <= 1:
        return [job(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(job, parts))
