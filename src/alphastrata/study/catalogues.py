"""What `alphastrata list` prints."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd

from alphastrata import data, features, inference
from alphastrata.customers import read_study
from alphastrata.study.config import read_config
from alphastrata.study.examples import demo_config


def listing(kind: str) -> str:
    """Return the characteristics, factor files, tests or studies that there are, as text."""
    if kind == "characteristics":
        return _aligned(features.catalog().reset_index(drop=True)[["name", "family", "label"]])
    if kind == "factors":
        bundled = pd.DataFrame({"name": ["bundled"], "title": [data.bundled_factors().source]})
        catalog = data.french_catalog().reset_index()
        columns = [c for c in ("name", "description", "title") if c in catalog]
        files = catalog[columns].set_axis(["name", "title"][: len(columns)], axis=1)
        return _aligned(pd.concat([bundled, files], ignore_index=True))
    if kind == "tests":
        return _aligned(inference.available_tests().reset_index())
    studies = [("demo", demo_config().title, "alphastrata demo")]
    for file in sorted([*Path("examples").glob("*.toml"), *Path().glob("*.toml")]):
        if file.name == "pyproject.toml":
            continue
        studies.append(_described(file))
    return _aligned(pd.DataFrame(studies, columns=["name", "title", "command"]))


def _described(file: Path) -> tuple[str, str, str]:
    """Return name, title and command of a study of markets or of customers."""
    with file.open("rb") as opened:
        tables = tomllib.load(opened)
    if "segments" in tables:
        customers = read_study(file)
        return customers.name, customers.title, f"alphastrata segment --study {file}"
    config = read_config(file)
    return config.name, config.title, f"alphastrata run {file}"


def _aligned(table: pd.DataFrame) -> str:
    """Return a table as plain left-aligned columns."""
    cells = [[str(v) for v in row] for row in table.itertuples(index=False)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join(lines)
