"""Seeds of models: another one for all that draws, or one where there is none."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

__all__ = ["reseeded", "seeded"]


def reseeded(model: Any, seed: int) -> Any:
    """Return a clone in which every ``random_state`` is the seed.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> reseeded(KMeans(random_state=1), 2).random_state
    2
    """
    return _set(model, seed, keep=False)


def seeded(model: Any, seed: int) -> Any:
    """Return a clone in which every ``random_state`` that is None is the seed.

    Without it, what is repeated on several workers would depend on them, and on the day.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> seeded(KMeans(), 2).random_state, seeded(KMeans(random_state=1), 2).random_state
    (2, 1)
    """
    return _set(model, seed, keep=True)


def _set(model: Any, seed: int, *, keep: bool) -> Any:
    copy = clone(model)
    names = [
        name
        for name, value in copy.get_params().items()
        if name.split("__")[-1] == "random_state" and (value is None or not keep)
    ]
    return copy.set_params(**dict.fromkeys(names, seed))
