"""Bounds of an estimator's settings: whole numbers, numbers, the widths of a network."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from alphastrata.core.checks import Violations

__all__ = ["is_whole", "require_network", "require_number", "require_whole"]


def require_whole(check: Violations, model: Any, low: int, *names: str) -> None:
    """Record each of the settings that is no whole number of at least ``low``."""
    for name in names:
        value = getattr(model, name)
        check.require(
            is_whole(value) and value >= low,
            f"{name} must be a whole number of at least {low}",
            first=repr(value),
        )


def require_number(
    check: Violations,
    model: Any,
    name: str,
    low: float,
    *,
    strict: bool = False,
    below: float = float("inf"),
) -> None:
    """Record the setting unless it is a number of at least, or above, ``low`` and below a limit."""
    value = getattr(model, name)
    number = isinstance(value, Real) and not isinstance(value, bool)
    ok = number and (value > low if strict else value >= low) and value < below
    bound = f"above {low:g}" if strict else f"at least {low:g}"
    bound += f" and below {below:g}" if below < float("inf") else ""
    check.require(bool(ok), f"{name} must be a number, {bound}", first=repr(value))


def require_network(check: Violations, model: Any) -> None:
    """Record the widths of hidden layers, and the device, where there can be no such network."""
    hidden = model.hidden
    listed = isinstance(hidden, (tuple, list))
    check.require(
        listed and all(is_whole(width) and width >= 1 for width in hidden),
        "hidden must be a tuple of widths, whole numbers of at least 1",
        first=repr(hidden),
    )
    device = str(model.device)
    check.require(
        device in ("auto", "cpu", "cuda") or device.startswith("cuda:"),
        'device must be "auto", "cpu" or "cuda"',
        first=repr(model.device),
    )


def is_whole(value: object) -> bool:
    """Return whether the value is a whole number, which True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)
