"""Tables, plots and one self-contained page. Draws what it is given and computes nothing."""

from alphastrata.report.model import (
    ClusterSection,
    DataSection,
    ExtraSection,
    FactorSection,
    Membership,
    ReportData,
    SpecificationSection,
    TestSection,
)
from alphastrata.report.page import html
from alphastrata.report.records import (
    AlphaPlot,
    Coefficients,
    HeadlineFigure,
    HowComputed,
    Table,
)

__all__ = [
    "AlphaPlot",
    "ClusterSection",
    "Coefficients",
    "DataSection",
    "ExtraSection",
    "FactorSection",
    "HeadlineFigure",
    "HowComputed",
    "Membership",
    "ReportData",
    "SpecificationSection",
    "Table",
    "TestSection",
    "html",
]
