"""Hooks of the documentation site: what pages take from the repository when they are built."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def on_config(config: Any) -> Any:
    """Leave guides out of the navigation whose page is not written yet."""
    config.nav = _written(config.nav)
    return config


def _written(entry: Any) -> Any:
    if isinstance(entry, list):
        return [kept for kept in map(_written, entry) if kept]
    if isinstance(entry, dict):
        kept = {name: _written(target) for name, target in entry.items()}
        return {name: target for name, target in kept.items() if target}
    return entry if (DOCS / str(entry)).is_file() else None


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the public names of a room, files of the repository, and plain code fences."""
    # The mark of a block that does not run by itself means nothing to the renderer.
    markdown = re.sub(r"^```python no-run$", "```python", markdown, flags=re.MULTILINE)
    markdown = re.sub(r"^<!-- names: (\S+) -->$", _names, markdown, flags=re.MULTILINE)
    return re.sub(r"^<!-- files: (\S+) -->$", _files, markdown, flags=re.MULTILINE)


def _names(match: re.Match[str]) -> str:
    """Return a reference entry for every public name of a module."""
    module = match.group(1)
    return "\n\n".join(f"::: {module}.{name}" for name in public_names(module))


def public_names(module: str) -> list[str]:
    """Return ``__all__`` of a module, in alphabetical order, read without importing it."""
    path = ROOT / "src" / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(ast.literal_eval(node.value), key=str.lower)
    raise ValueError(f"{file} has no __all__.")


def _files(match: re.Match[str]) -> str:
    """Return the text of the files of a pattern, their headings one level deeper."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(ROOT.glob(match.group(1)))]
    return "\n\n".join(re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE) for text in texts)
