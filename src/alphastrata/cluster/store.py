"""Finished windows on disk: arrays under the hash of what went into them, written atomically."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from alphastrata.cluster.window_fit import Carry, Task, WindowFit, fit_window, split_steps
from alphastrata.errors import CacheCorruptError

__all__ = ["WindowStore"]

_LAYOUT = "4"


@dataclass(frozen=True)
class WindowStore:
    """Stores fitted windows in a folder, or nowhere when it is None."""

    folder: str | Path | None

    def get_or_fit(self, task: Task, carry: Carry | None) -> WindowFit:
        """Return the window from the store, or fit and store it.

        Raises
        ------
        CacheCorruptError
            If a stored window cannot be read.
        """
        if self.folder is None:
            return fit_window(task, carry)
        path = Path(self.folder) / f"{_key(task, carry)}.npz"
        if path.is_file():
            try:
                return _read(path)
            except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise CacheCorruptError(
                    f"The stored window {path} is not what was stored: {error}. Delete the file, "
                    "and run again."
                ) from error
        fit = fit_window(task, carry)
        _write(path, fit)
        return fit


def _key(task: Task, carry: Carry | None) -> str:
    """Return the hash of everything that the fit depends on."""
    digest = hashlib.sha256()
    text = {
        "layout": _LAYOUT,
        "versions": [version(name) for name in ("alphastrata", "scikit-learn", "torch")],
        "model": [
            (name, type(step).__name__, _plain(step))
            for part in split_steps(task.model)
            for name, step in part
        ],
        "columns": task.columns,
        "start": task.start,
        "frozen": [(name, _plain(vars(step))) for name, step in task.early or []],
    }
    digest.update(json.dumps(text, sort_keys=True, default=repr).encode())
    arrays: list[Any] = [task.pooled, task.cross, task.assets]
    if carry is not None:
        arrays += [carry.assets, carry.map, *carry.weights]
    for array in arrays:
        digest.update(repr((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Return parameters as what JSON can hold; arrays by the hash of their bytes."""
    if isinstance(value, BaseEstimator):
        return {"class": type(value).__name__, **_plain(value.get_params(deep=False))}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return value


def _write(path: Path, fit: WindowFit) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "labels": fit.labels,
        "standard": fit.standard,
        "places": fit.places,
    }
    for kind, values in (("score", fit.scores), ("training", fit.training)):
        arrays[f"{kind}_names"] = np.array(list(values), dtype=np.str_)
        arrays[f"{kind}_values"] = np.array(list(values.values()), dtype=np.float64)
    arrays |= {f"weight_{k:02d}": array for k, array in enumerate(fit.weights)}
    if fit.memberships is not None:
        arrays["memberships"] = fit.memberships
    # Written beside its place and then moved, so that a killed run leaves no half a file.
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez(file, **arrays)
    os.replace(temporary, path)


def _read(path: Path) -> WindowFit:
    with np.load(path, allow_pickle=False) as stored:
        weights = sorted(name for name in stored.files if name.startswith("weight_"))
        scores, training = (
            dict(zip(stored[f"{k}_names"].tolist(), stored[f"{k}_values"].tolist(), strict=True))
            for k in ("score", "training")
        )
        return WindowFit(
            labels=stored["labels"],
            standard=stored["standard"],
            places=stored["places"],
            scores=scores,
            training=training,
            weights=[stored[name] for name in weights],
            memberships=stored["memberships"] if "memberships" in stored.files else None,
        )
