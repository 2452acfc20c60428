"""The manifest: what went in, what came out, on what machine; and whether it comes out again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import sha256_of

FILE = "manifest.json"

# The packages whose versions can change a number.
PACKAGES = (
    "linearmodels",
    "numba",
    "numpy",
    "openTSNE",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "torch",
)


@dataclass(frozen=True)
class InputFile:
    """A file that a study read: its name within the study, its bytes, their sha256 and vintage."""

    name: str
    size: int
    sha256: str
    vintage: str = ""


def input_files(root: Path, files: Iterable[Path]) -> list[InputFile]:
    """Return files with their hashes, named relative to ``root``, sorted by name."""
    found = [
        InputFile(os.path.relpath(file, root).replace(os.sep, "/"), file.stat().st_size, sha)
        for file, sha in ((file, sha256_of(file)) for file in files)
    ]
    return sorted(found, key=lambda file: file.name)


@cache
def code_version() -> str:
    """Return a hash of the package's own source: a changed line makes stored stages stale."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        if file.suffix in {".py", ".csv"}:
            digest.update(str(file.relative_to(package)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def sha256_of_json(value: Any) -> str:
    """Return the sha256 of a plain value, written as JSON with sorted keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def stage_key(*parts: Any) -> str:
    """Return the hash under which a stage is stored: of code, settings, seed and inputs."""
    text = json.dumps([code_version(), *parts], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def machine() -> dict[str, Any]:
    """Return what of the machine can touch the last bits: CPU class, threads, versions."""
    from llvmlite import binding

    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu_class": binding.get_host_cpu_name(),
        "cpu_count": os.cpu_count(),
        "threads_per_worker": 1,
        "packages": {name: version(name) for name in PACKAGES},
    }


def git_commit(folder: Path) -> str | None:
    """Return the commit of the repository that a folder lies in, "+" where it has changes.

    None where there is no repository, or no git.
    """
    try:
        head = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no", "."],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def write_manifest(out: Path, manifest: dict[str, Any], *, name: str = FILE) -> Path:
    """Write the manifest into a folder at once, and return its path."""
    path = out / name
    scratch = out / f".{name}.writing"
    scratch.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(scratch, path)
    return path


def read_manifest(out: Path) -> dict[str, Any]:
    """Return the manifest of a finished study.

    Raises
    ------
    ConfigError
        When the folder holds none.
    """
    path = Path(out) / FILE
    if not path.is_file():
        raise ConfigError(
            f"{out} holds no {FILE}, so no study finished there. Run `alphastrata run` first."
        )
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return, a line each, where two manifests differ in inputs, settings, machine or results."""
    lines = []
    keys = ("alphastrata", "code", "config", "seed", "inputs", "left_out")
    for name in (*keys, "machine"):
        lines += _differ(name, before.get(name), after.get(name))
    lines += _differ("stages", _contents(before), _contents(after))
    return lines + _differ("outputs", before.get("outputs"), after.get("outputs"))


def _contents(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what stages hold; their keys follow from code, settings and inputs, told above."""
    stages = manifest.get("stages", {})
    return {
        name: {part: value for part, value in stage.items() if part != "key"}
        for name, stage in stages.items()
    }


def _differ(path: str, a: Any, b: Any) -> list[str]:
    if a == b:
        return []
    if isinstance(a, dict) and isinstance(b, dict):
        return [
            line
            for key in sorted(a.keys() | b.keys())
            for line in _differ(f"{path}.{key}", a.get(key), b.get(key))
        ]
    return [f"{path}: {_short(a)} -> {_short(b)}"]


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
