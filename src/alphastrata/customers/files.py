"""What a study of customers leaves behind: a page, tables, and a manifest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from alphastrata import report
from alphastrata.customers.page import page_of
from alphastrata.customers.result import StudyResult, manifest

__all__ = ["write_study"]


def write_study(result: StudyResult, folder: Path) -> StudyResult:
    """Write the report and the tables of a study into a folder, and return it with its page.

    Parameters
    ----------
    result : StudyResult
    folder : path
        Made where it is not there: ``report.html``, ``segments.csv`` (customer, segment),
        ``campaign.csv`` (customer, segment, score, chosen), ``kinds.csv``, ``profiles.csv``,
        ``themes.csv``, ``portfolios.csv``, ``fairness.csv`` and ``manifest.json``. The keys of
        customers stand in the first two alone; personal data in none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in _tables(result).items():
        _write(folder / name, frame.to_csv(float_format="%.8g", lineterminator="\n"))
    entries = dict(manifest(result).itertuples(index=False, name=None))
    _write(folder / "manifest.json", json.dumps(entries, indent=1) + "\n")
    target = folder / "report.html"
    _write(target, report.html(page_of(result)))
    return replace(result, report=target)


def _tables(result: StudyResult) -> dict[str, pd.DataFrame]:
    customers = result.found.customers()
    out = {
        "segments.csv": customers,
        "kinds.csv": result.found.table.kinds,
        "profiles.csv": result.explanation.profiles.numbers,
    }
    if result.campaign is not None and result.scored is not None:
        chosen = pd.DataFrame({"score": result.scored.scores, "chosen": result.campaign.chosen})
        listed = customers[["segment"]].join(chosen)
        out["campaign.csv"] = listed.sort_values(
            ["chosen", "score"], ascending=False, kind="stable"
        ).rename_axis("customer")
    if result.allocation is not None:
        out["portfolios.csv"] = result.allocation.weights
    if result.fairness is not None:
        out["fairness.csv"] = result.fairness
    if result.themes is not None:
        out["themes.csv"] = result.themes
    return out


def _write(path: Path, text: str) -> None:
    """Write a whole file or none."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
