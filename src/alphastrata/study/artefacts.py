"""What a stage leaves on disk: typed tables in one folder, written at once or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from alphastrata.core import FactorReturns, Note, Panel, Strata
from alphastrata.errors import CacheCorruptError

Artefacts = dict[str, Any]
INDEX = "index.json"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    """Have the bytes on the disk before the folder takes its name."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _notes(notes: tuple[Note, ...]) -> list[dict[str, Any]]:
    return [asdict(note) for note in notes]


def _read_notes(raw: list[dict[str, Any]]) -> list[Note]:
    return [Note(**note) for note in raw]


def _pack(value: Any) -> tuple[str, dict[str, pd.DataFrame], Any]:
    """Return the kind of a value, its frames and its other content."""
    if isinstance(value, Panel):
        return "panel", {"": value.frame}, {"freq": value.freq, "notes": _notes(value.notes)}
    if isinstance(value, Strata):
        frames = {"": value.labels.astype("int64").to_frame()}
        if value.probabilities is not None:
            frames["probabilities"] = value.probabilities.rename(columns=str)
        return (
            "strata",
            frames,
            {
                "ordered": value.ordered,
                "names": {str(k): v for k, v in value.names.items()},
                "source": value.source,
                "n": value.n,
                "notes": _notes(value.notes),
            },
        )
    if isinstance(value, FactorReturns):
        beside = {
            name: getattr(value, name)
            for name in ("turnover", "costs", "counts")
            if getattr(value, name) is not None
        }
        if value.risk_free is not None:
            beside["risk_free"] = value.risk_free.to_frame("RF")
        return (
            "factors",
            {"": value.frame, **beside},
            {
                "kind": value.kind,
                "freq": value.freq,
                "source": value.source,
                "vintage": value.vintage,
                "notes": _notes(value.notes),
            },
        )
    if isinstance(value, pd.DataFrame):
        return "frame", {"": value}, None
    return "json", {}, value


def _unpack(kind: str, frames: Mapping[str, pd.DataFrame], rest: Any) -> Any:
    if kind == "panel":
        return Panel(frames[""], freq=rest["freq"], notes=_read_notes(rest["notes"]))
    if kind == "strata":
        chances = frames.get("probabilities")
        return Strata(
            frames[""]["stratum"],
            ordered=rest["ordered"],
            names={int(k): v for k, v in rest["names"].items()},
            probabilities=None if chances is None else chances.rename(columns=int),
            source=rest["source"],
            n=rest["n"],
            notes=_read_notes(rest["notes"]),
        )
    if kind == "factors":
        return FactorReturns(
            frames[""],
            kind=rest["kind"],
            freq=rest["freq"],
            risk_free=frames["risk_free"]["RF"] if "risk_free" in frames else None,
            turnover=frames.get("turnover"),
            costs=frames.get("costs"),
            counts=frames.get("counts"),
            source=rest["source"],
            vintage=rest["vintage"],
            notes=_read_notes(rest["notes"]),
        )
    return frames[""] if kind == "frame" else rest


def save(folder: Path, artefacts: Mapping[str, Any]) -> None:
    """Write a stage's artefacts into a folder that appears complete or not at all.

    Parameters
    ----------
    folder
        Where they go; it must not exist yet.
    artefacts
        Name -> Panel, Strata, FactorReturns, DataFrame, or anything that JSON holds.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        index: dict[str, Any] = {}
        for number, (name, value) in enumerate(artefacts.items()):
            kind, frames, rest = _pack(value)
            files = {}
            for part, frame in frames.items():
                file = f"{number:03d}{'-' + part if part else ''}.parquet"
                frame.to_parquet(scratch / file)
                _to_disk(scratch / file)
                files[part] = {"file": file, "sha256": sha256_of(scratch / file)}
            index[name] = {"kind": kind, "files": files, "rest": rest}
        text = json.dumps(index, indent=1, ensure_ascii=False, allow_nan=False)
        (scratch / INDEX).write_text(text, encoding="utf-8")
        _to_disk(scratch / INDEX)
        os.replace(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def load(folder: Path) -> Artefacts:
    """Read a stage's artefacts back, each file checked against its sha256.

    Raises
    ------
    CacheCorruptError
        When a file is missing or is not, byte for byte, what was written.
    """
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    out: Artefacts = {}
    for name, entry in index.items():
        frames = {}
        for part, file in entry["files"].items():
            path = folder / file["file"]
            if not path.is_file() or sha256_of(path) != file["sha256"]:
                raise CacheCorruptError(
                    f"The stored {name!r} of {folder.name} is damaged: {path.name} is not what "
                    f"was written. Delete {folder} and run the study again."
                )
            frames[part] = pd.read_parquet(path)
        out[name] = _unpack(entry["kind"], frames, entry["rest"])
    return out


def contents(folder: Path) -> dict[str, str]:
    """Return the sha256 of every artefact in a stage's folder, by name and part."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for name, entry in index.items():
        for part, file in entry["files"].items():
            found[f"{name}{'/' + part if part else ''}"] = file["sha256"]
        if entry["rest"] is not None:
            text = json.dumps(entry["rest"], sort_keys=True, ensure_ascii=False)
            found[f"{name}/values"] = hashlib.sha256(text.encode()).hexdigest()
    return found
