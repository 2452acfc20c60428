"""The report of a study of customers, filled from its result."""

from __future__ import annotations

import pandas as pd

from alphastrata.customers import page_advice, page_segments
from alphastrata.customers.result import StudyResult, manifest
from alphastrata.report import DataSection, HeadlineFigure, HowComputed, Line, ReportData, Table

__all__ = ["page_of"]


def page_of(result: StudyResult) -> ReportData:
    """Return the page of a study; no identifier and nothing personal is on it.

    Parameters
    ----------
    result : StudyResult
    """
    extras = [
        page_segments.segments(result),
        page_segments.how_many(result),
        page_segments.why(result),
    ]
    if result.allocation is not None:
        extras.append(page_advice.portfolios(result))
    if result.campaign is not None:
        extras.append(page_advice.campaign(result))
    if result.fairness is not None and len(result.fairness):
        extras.append(page_advice.fairness(result))
    below = HowComputed(
        formula="the numbers of the sections below, where each says how it was computed",
        conventions=["Segments: how many, and how sure. Rates: the campaign, on known answers."],
        manifest="settings",
    )
    return ReportData(
        title=result.study.title,
        question="Who are the customers, what portfolio suits each segment, and whom should the "
        f"offer of {result.study.campaign.offer} reach?",
        answer=[Line(sentence, below) for sentence in result.answer],
        figures=_figures(result),
        warnings=result.warnings,
        data=_data(result),
        extras=extras,
        manifest=manifest(result),
    )


def _figures(result: StudyResult) -> list[HeadlineFigure]:
    found = result.found
    out = [
        HeadlineFigure(
            label="Segments",
            value=str(found.n_segments) if found.n_segments > 1 else "none",
            detail="supported by the data" if found.supported else "not supported by the data",
            tone="good" if found.supported else "caution",
            how=HowComputed(
                formula="largest k within a tenth of the highest silhouette above chance",
                conventions=["Times stability; only among those that the data support."],
                manifest="settings",
            ),
        )
    ]
    if found.n_segments in found.choice.table.index:
        out += _quality_figures(result)
    return out + _campaign_figures(result)


def _quality_figures(result: StudyResult) -> list[HeadlineFigure]:
    table = result.found.choice.table
    row = table.iloc[list(table.index).index(result.found.n_segments)].astype("float64")
    how = HowComputed(
        formula="(s − s₀) / (1 − s₀)",
        conventions=(
            "s: mean silhouette; s₀: its mean over draws of one cloud with the same margins and "
            "correlations, through the same stages.",
        ),
        manifest="settings",
        source="Rousseeuw (1987); Cario and Nelson (1997)",
    )
    return [
        HeadlineFigure(
            label="Silhouette above chance",
            value=float(row["calibrated"]),
            detail=f"{row['z']:.1f} deviations above one cloud",
            how=how,
        ),
        HeadlineFigure(
            label="Stability",
            value=float(row["stability"]),
            detail="adjusted Rand index of two halves",
            how=HowComputed(
                formula="ARI = (index − expected index) / (maximum − expected index)",
                conventions=["Segments are found in two halves of the customers, and compared."],
                manifest="settings",
                source="Hubert and Arabie (1985)",
            ),
        ),
    ]


def _campaign_figures(result: StudyResult) -> list[HeadlineFigure]:
    out = []
    if result.campaign is not None and result.scored is not None:
        limit = result.campaign.budget
        allowed = f"at most {limit.share:.0%}" if limit.share is not None else "any number"
        out.append(
            HeadlineFigure(
                label="Customers reached",
                value=result.campaign.count / len(result.scored.scores),
                format="percent",
                detail=f"{allowed} allowed",
                how=HowComputed(formula="customers chosen / customers", manifest="settings"),
            )
        )
    if result.lift is not None:
        own = float(result.lift.comparison["response"]["this campaign"])
        base = float(result.lift.comparison["response"]["at random"])
        out.append(
            HeadlineFigure(
                label="Response over random",
                value=own / base if base > 0 else float("nan"),
                detail=f"{own:.0%} where {base:.0%} accept at random",
                tone="good" if own > base else "caution",
                how=HowComputed(
                    formula="share who accepted of those chosen / share who accepted of all",
                    manifest="settings",
                ),
            )
        )
    return out


def _data(result: StudyResult) -> DataSection:
    table = result.found.table
    keys = table.customer_keys()
    counts = [
        ("customers", keys.nunique(), ""),
        ("rows", len(table), "implicates of customers" if table.groups is not None else ""),
        ("columns that make segments", len(table.columns()), ", ".join(table.columns()[:12])),
        (
            "missing values",
            int(table.features().isna().sum().sum()),
            "taken as the mean customer's",
        ),
    ]
    if table.weights is not None:
        counts.append(("sum of weights", round(float(table.weights.sum())), "customers stood for"))
    frame = pd.DataFrame(counts, columns=["item", "value", "detail"])
    kinds = table.kinds.drop(columns=["levels"])
    personal = kinds["kind"].isin(["identifier", "personal"])
    kinds = kinds.assign(distinct=kinds["distinct"].where(~personal)).reset_index()
    return DataSection(
        counts=frame,
        notes=result.found.notes,
        tables=[
            Table(
                title="What each column was taken for",
                frame=kinds,
                formats={"missing": "percent", "distinct": "integer"},
                notes=['Wrong? Say so in the study: [kinds] column = "nominal", or its levels.'],
            )
        ],
        about=HowComputed(
            formula="counted in the table of customers as it was read",
            manifest="settings",
        ),
    )
