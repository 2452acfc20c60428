"""Hooks of the documentation site: what pages take from the repository when they are built."""

from __future__ import annotations

import ast
import re
from html import unescape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# The same task in another package and in this one.
_BLOCK = r'^```python title="{}"\n(?:(?!^```).*\n)*?^```\n'
SIDES = re.compile(
    _BLOCK.format('(?!alphastrata)[^"]+') + r"\n" + _BLOCK.format("alphastrata"), re.M
)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in the public names of a room, files of the repository, and plain code fences."""
    folder = Path(page.file.abs_src_path).parent
    # The mark of a block that does not run by itself means nothing to the renderer.
    markdown = re.sub(r"^( *```python) no-run$", r"\1", markdown, flags=re.MULTILINE)
    for mark, fill in (("names", _names), ("files", _files), ("section", _section)):
        markdown = re.sub(rf"^<!-- {mark}: (.+) -->$", fill, markdown, flags=re.MULTILINE)
    markdown = SIDES.sub(_sides, markdown)
    return re.sub(r"\[([^\]]+)\]\((\.\./[^)#]+)\)", lambda m: _beside(m, folder), markdown)


def _sides(match: re.Match[str]) -> str:
    """Return two titled blocks that follow one another as two columns."""
    return f'<div class="sides" markdown="1">\n\n{match.group(0)}\n</div>\n'


def _beside(match: re.Match[str], folder: Path) -> str:
    """Return a link; one to a file of the repository outside the pages becomes its path."""
    text, target = match.groups()
    path = (folder / target).resolve()
    if path.is_relative_to(DOCS) or not path.exists():
        return match.group(0)
    place = f"`{path.relative_to(ROOT)}`"
    return place if text.strip("`") == place.strip("`") else f"{text} ({place})"


def on_page_content(html: str, **_: Any) -> str:
    """Set equations as MathML, which browsers draw by themselves."""
    for pattern, fill in (
        (r'<span class="arithmatex">\\\((.*?)\\\)</span>', _inline),
        (r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', _block),
    ):
        html = re.sub(pattern, fill, html, flags=re.DOTALL)
    return html


def _inline(match: re.Match[str]) -> str:
    return str(convert(unescape(match.group(1))))


def _block(match: re.Match[str]) -> str:
    return f"<p>{convert(unescape(match.group(1)), display='block')}</p>"


def _section(match: re.Match[str]) -> str:
    """Return what stands under a heading of another page: ``page.md, Heading``."""
    page, heading = match.group(1).split(", ", 1)
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise ValueError(f"docs/{page} has no section {heading!r}.")
    return found.group(1).strip()


def _names(match: re.Match[str]) -> str:
    """Return a reference entry for every public name of a module."""
    module = match.group(1)
    origins = imported(module)
    # A function by the name of its module is looked up there: here the name means the module.
    hidden = {name for name, origin in origins.items() if origin == f"{module}.{name}"}
    paths = {name: f"{module}.{name}.{name}" for name in hidden}
    return "\n\n".join(
        f"::: {paths.get(name, f'{module}.{name}')}" for name in public_names(module)
    )


def imported(module: str) -> dict[str, str]:
    """Return where a module's names are imported from."""
    nodes = ast.walk(ast.parse(source(module).read_text(encoding="utf-8")))
    found = (node for node in nodes if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in found for alias in node.names}


def source(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT / "src" / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def public_names(module: str) -> list[str]:
    """Return ``__all__`` of a module, in alphabetical order, read without importing it."""
    file = source(module)
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(ast.literal_eval(node.value), key=str.lower)
    raise ValueError(f"{file} has no __all__.")


def _files(match: re.Match[str]) -> str:
    """Return the text of a file, or of the files of a pattern with headings two levels deeper."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(ROOT.glob(match.group(1)))]
    if not texts:
        raise ValueError(f"No file of the repository is called {match.group(1)}.")
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(re.sub(r"^(#+ )", r"##\1", text, flags=re.MULTILINE) for text in texts)
