"""Tables, plots and one self-contained page. Draws what it is given and computes nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alphastrata.report import tables
from alphastrata.report.charts.chart import Chart
from alphastrata.report.coefficients import coefficients_of
from alphastrata.report.formulas import how_computed
from alphastrata.report.model import (
    DataSection,
    ExtraSection,
    FactorSection,
    ReportData,
    SpecificationSection,
    TestSection,
)
from alphastrata.report.page import html
from alphastrata.report.parts import ClusterSection, Membership
from alphastrata.report.prose import Line
from alphastrata.report.records import (
    AlphaPlot,
    Coefficients,
    HeadlineFigure,
    HowComputed,
    Plot,
    Table,
)

if TYPE_CHECKING:
    from alphastrata.report import plots

__all__ = [
    "AlphaPlot",
    "Chart",
    "ClusterSection",
    "Coefficients",
    "DataSection",
    "ExtraSection",
    "FactorSection",
    "HeadlineFigure",
    "HowComputed",
    "Line",
    "Membership",
    "Plot",
    "ReportData",
    "SpecificationSection",
    "Table",
    "TestSection",
    "coefficients_of",
    "how_computed",
    "html",
    "plots",
    "tables",
]


def __getattr__(name: str) -> Any:
    # matplotlib takes a second to load, and a page of HTML does not need it.
    if name == "plots":
        return import_module("alphastrata.report.plots")
    raise AttributeError(f"module 'alphastrata.report' has no attribute {name!r}")
