"""Two clocks: CPU seconds of this process, which other processes do not lengthen, and wall."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def timed(work: Callable[[], Value]) -> tuple[Value, float, float]:
    """Return the value, CPU seconds and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    value = work()
    return value, time.process_time() - cpu, time.perf_counter() - wall
