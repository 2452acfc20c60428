"""What a study of customers found, and what went in."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from alphastrata.core.shown import Shown
from alphastrata.customers.allocation import Allocation
from alphastrata.customers.campaign import Campaign
from alphastrata.customers.explain import Explanation
from alphastrata.customers.lift import Lift
from alphastrata.customers.propensity import Propensity
from alphastrata.customers.segmentation import Segmentation
from alphastrata.customers.settings import CustomerStudy

__all__ = ["StudyResult", "manifest"]

PACKAGES = ("alphastrata", "numpy", "pandas", "scikit-learn", "torch", "skfolio", "shap")


@dataclass(frozen=True, eq=False)
class StudyResult(Shown):
    """Everything that a study of customers found.

    Attributes
    ----------
    study : CustomerStudy
    found : Segmentation
    explanation : Explanation
    risk : DataFrame or None
        None where the table says nothing about risk; so is ``allocation``.
    allocation : Allocation or None
    scored : Propensity or None
        None where there is neither an answer nor a rule; so are the following.
    campaign : Campaign or None
    lift : Lift or None
        None without known answers.
    fairness : DataFrame or None
    themes : DataFrame or None
    answer : tuple of str
        What was found, in sentences.
    warnings : tuple of str
    inputs : dict
        File -> sha256.
    report : Path or None
        The page, once written.
    """

    study: CustomerStudy
    found: Segmentation
    explanation: Explanation
    risk: pd.DataFrame | None
    allocation: Allocation | None
    scored: Propensity | None
    campaign: Campaign | None
    lift: Lift | None
    fairness: pd.DataFrame | None
    themes: pd.DataFrame | None
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    inputs: dict[str, str]
    report: Path | None = None


def manifest(result: StudyResult) -> pd.DataFrame:
    """Return what went in: inputs with their sha256, settings, seed and package versions."""
    rows: list[tuple[str, str]] = [(f"input {p}", sha) for p, sha in result.inputs.items()]
    rows.append(("settings", json.dumps(result.study.model_dump(mode="json"), sort_keys=True)))
    rows.append(("seed", str(result.study.seed)))
    rows.append(("python", platform.python_version()))
    rows += [(f"version of {name}", _version(name)) for name in PACKAGES]
    return pd.DataFrame(rows, columns=["key", "value"])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
