"""The report of a study of customers, filled from its result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.customers import charts, charts_advice
from alphastrata.customers.result import StudyResult, manifest
from alphastrata.report import (
    Chart,
    DataSection,
    ExtraSection,
    HeadlineFigure,
    HowComputed,
    Line,
    ReportData,
    Table,
)
from alphastrata.report.charts_clusters import profiles as profile_chart

__all__ = ["page_of"]

DRAWN = 600
SHOWN = 18


def page_of(result: StudyResult) -> ReportData:
    """Return the page of a study; no identifier and nothing personal is on it.

    Parameters
    ----------
    result : StudyResult
    """
    extras = [_segments(result), _how_many(result), _why(result)]
    if result.allocation is not None:
        extras.append(_portfolios(result))
    if result.campaign is not None:
        extras.append(_campaign(result))
    if result.fairness is not None and len(result.fairness):
        extras.append(_fairness(result))
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


def _segments(result: StudyResult) -> ExtraSection:
    own = result.explanation.profiles
    parts: list[str | Table | Chart] = [own.sentences[k] for k in sorted(own.sentences)]
    parts.append(charts.shares_chart(own.shares, own.names))
    if result.found.n_segments > 1:
        spread = own.scores.abs().max().sort_values(ascending=False, kind="stable")
        made = set(result.found.table.columns())
        top = [c for c in spread.index if c[0] in made][:SHOWN]
        heat = pd.DataFrame(own.scores[top])
        heat.columns = [_column(c, v) for c, v in top]
        chart = profile_chart(heat, own.names)
        parts.append(
            Chart(
                title="What sets the segments apart",
                caption="How far a segment lies from the average customer, in standard deviations "
                "of the column (numbers by their ranks, words by their shares).",
                data=chart.data,
                layout=chart.layout,
                height=chart.height,
                narrow=chart.narrow,
            )
        )
    summary = own.summary.rename(
        columns=lambda k: k if k == "all" else charts.label(int(k), own.names)
    )
    summary.index = pd.Index([str(c).replace("_", " ") for c in summary.index], name="column")
    parts.append(
        Table(
            title="The typical customer of each segment",
            frame=summary,
            notes=["Medians of numbers and levels; the most frequent word with its share."],
        )
    )
    return ExtraSection(
        title="The segments",
        parts=parts,
        about=HowComputed(
            formula="median, most frequent word or share over the members of a segment",
            conventions=[
                "Weighted where the table has weights.",
            ],
            manifest="settings",
        ),
    )


def _column(name: str, level: str) -> str:
    plain = str(name).replace("_", " ")
    return f"{plain}: {level}" if level else plain


def _how_many(result: StudyResult) -> ExtraSection:
    found = result.found
    parts: list[str | Table | Chart] = [found.sentence()]
    if len(found.choice.table) > 1:
        parts.append(charts.k_chart(found.choice, found.n_segments))
    if found.n_segments > 1:
        coordinates, labels = _drawn(result)
        if len(np.unique(labels)) > 1:
            names = result.explanation.profiles.names
            parts.append(charts.silhouette_chart(coordinates, labels, names))
            parts.append(charts.map_chart(coordinates, labels, names))
    shown = ["silhouette", "davies_bouldin", "null_mean", "null_max", "calibrated", "z"]
    shown += ["input_calibrated", "stability", "smallest", "supported"]
    table = found.choice.table[shown].rename(columns=lambda c: c.replace("_", " "))
    parts.append(
        Table(
            title=f"Numbers of segments, by {found.stages}",
            frame=table,
            formats={"smallest": "percent"},
            notes=[
                "Supported: above every draw of one cloud, by five of their deviations and 2% of "
                "the room, and two halves agree by at least 0.5. Taken: the largest k within a "
                "tenth of the highest silhouette above chance times stability."
            ],
        )
    )
    if found.search is not None:
        parts.append(
            Table(
                title="The stages that were tried",
                frame=found.search.table.rename(columns=lambda c: c.replace("_", " ")),
                formats={"k": "integer", "round": "integer"},
                notes=[
                    "Each against the same customers without segments. Round 1: few draws; round "
                    "2: the best three with the whole effort."
                ],
            )
        )
    return ExtraSection(
        title="How many, and how sure",
        parts=parts,
        about=HowComputed(
            formula="s = mean of (b − a) / max(a, b); calibrated: (s − s₀) / (1 − s₀)",
            conventions=[
                "s₀: mean over draws of one cloud with the same margins and correlations, through "
                "the same stages; z: (s − s₀) / sd of those draws.",
                "Stability: adjusted Rand index of the segments found in two halves.",
            ],
            manifest="settings",
            source="Rousseeuw (1987); Hubert and Arabie (1985)",
        ),
    )


def _drawn(result: StudyResult) -> tuple[np.ndarray, np.ndarray]:
    found = result.found
    rows = np.unique(found.sample)[:DRAWN]
    labels = found.labels.to_numpy()[rows]
    rows = rows[labels > 0]
    coordinates = found.model.coordinates(found.table.features().iloc[rows])
    return coordinates, found.labels.to_numpy()[rows]


def _why(result: StudyResult) -> ExtraSection:
    own = result.explanation
    names = own.profiles.names
    parts: list[str | Table | Chart] = []
    if own.shapley is not None:
        parts.append(charts.shapley_chart(own.shapley.importance, names))
        parts.append(
            f"The values belong to a forest that imitates the segments; on customers whom it has "
            f"not seen it gives {own.shapley.fidelity:.0%} their own segment."
        )
    if own.rules is not None and own.tree is not None:
        rules = own.rules.reset_index()
        rules["segment"] = [charts.label(int(k), names) for k in rules["segment"]]
        parts.append(
            Table(
                title="One rule per segment",
                frame=rules,
                formats={"precision": "percent", "coverage": "percent"},
                notes=[
                    f"From a tree of depth four that gives {own.tree.fidelity:.0%} of held-out "
                    f"customers their segment (always naming the largest: {own.tree.chance:.0%}). "
                    "Precision: of those who fit the rule; coverage: of the segment."
                ],
            )
        )
    parts.append(charts.network_chart(own.columns))
    if own.customers is not None:
        parts.append(charts.customers_chart(own.customers, names))
    tests = own.profiles.differences.reset_index().rename(columns={"made_by": "made by"})
    parts.append(
        Table(
            title="Tests of difference between segments",
            frame=tests,
            formats={"pvalue": "pvalue", "adjusted": "pvalue"},
            notes=[
                'Columns marked "segmentation" made the segments, so that their p-values prove '
                'nothing: read the effects. Those marked "outside" did not.'
            ],
        )
    )
    return ExtraSection(
        title="Why",
        parts=parts,
        about=HowComputed(
            formula="as the line under each table says",
            conventions=[
                "Fidelity, precision and coverage on customers held out.",
                "P-values adjusted over columns.",
            ],
            manifest="settings",
        ),
    )


def _portfolios(result: StudyResult) -> ExtraSection:
    found, risk = result.allocation, result.risk
    assert found is not None
    assert risk is not None
    names = result.explanation.profiles.names
    shown = risk.copy()
    shown.index = pd.Index([charts.label(int(k), names) for k in risk.index], name="segment")
    table = shown.rename(columns=lambda c: c.replace("_", " "))
    parts: list[str | Table | Chart] = [
        Table(
            title="How much risk each segment can bear",
            frame=table,
            notes=[
                "Each part from 0 (bears no risk) to 1, by a stated rule; the score is their mean. "
                "Relative risk aversion falls from 12 at score 0 to 1.5 at score 1."
            ],
        ),
        charts_advice.weights_chart(found, names),
        charts_advice.frontier_chart(found, names),
    ]
    if len(found.returns):
        parts.append(charts_advice.growth_chart(found, names))
        tested = found.backtest.copy()
        tested.index = pd.Index(
            [charts.label(int(k), names) if str(k).isdigit() else str(k) for k in tested.index],
            name="portfolio",
        )
        percents = ["mean", "volatility", "max drawdown", "worst 5%", "turnover", "cost"]
        parts.append(
            Table(
                title="Out of sample, net of costs",
                frame=tested.rename(
                    columns={"max_drawdown": "max drawdown", "cvar_95": "worst 5%"}
                ),
                formats=dict.fromkeys(percents, "percent"),
                notes=["Per year but for the drawdown and the mean of the worst 5% of periods."],
            )
        )
    return ExtraSection(
        title="A portfolio for each",
        parts=parts,
        about=HowComputed(
            formula="mean, volatility and Sharpe ratio of returns out of sample, per year",
            conventions=[
                "Weights at each date from returns before it; costs on what is traded.",
            ],
            manifest="settings",
        ),
    )


def _campaign(result: StudyResult) -> ExtraSection:
    plan, scored = result.campaign, result.scored
    assert plan is not None
    assert scored is not None
    names = result.explanation.profiles.names
    parts: list[str | Table | Chart] = [scored.rule, charts_advice.chosen_chart(plan, names)]
    spent = f"{plan.count:,} customers are chosen at a cost of {plan.cost:,.0f}"
    room = plan.bound / plan.expected - 1 if plan.expected > 0 else 0.0
    spent += (
        "; no choice within the budget can be expected to yield more"
        if room < 5e-4
        else f"; no choice within the budget can be expected to yield more than {room:.1%} more"
    )
    parts.insert(1, spent + ".")
    if result.themes is not None:
        shown = result.themes.reset_index()
        parts.append(
            Table(
                title="What to say to whom",
                frame=shown,
                formats={"rate": "percent", "expected": "integer"},
                notes=["Themes follow from the class of risk and the stage of life, by a table."],
            )
        )
    if result.lift is not None:
        parts.append(charts_advice.gains_chart(result.lift))
        columns = ["response", "low", "high", "difference", "difference_low", "difference_high"]
        parts.append(
            Table(
                title="This campaign beside other ways to choose as many",
                frame=result.lift.comparison[columns].rename(columns=lambda c: c.replace("_", " ")),
                formats={c.replace("_", " "): "percent" for c in columns},
                notes=[
                    "Share who accepted, with 95% bootstrap intervals; differences are this "
                    "campaign's minus the other's. The one-variable rules shown are the three that "
                    "did best on the same customers, which favours them. What was measured is "
                    "response to an offer; what part of it the offer causes is known only where a "
                    "random part was not asked."
                ],
            )
        )
        parts.append(charts_advice.calibration_chart(scored))
    return ExtraSection(
        title="The campaign",
        parts=parts,
        about=HowComputed(
            formula="response: accepted / chosen; expected: sum of calibrated scores",
            conventions=[
                "Scores of a customer come from a model that has not seen the customer.",
            ],
            manifest="settings",
        ),
    )


def _fairness(result: StudyResult) -> ExtraSection:
    table = result.fairness
    assert table is not None
    flagged = table[table["flag"] != ""]
    text = (
        "No group of at least 30 customers is chosen at less than four fifths of the highest rate."
        if flagged.empty
        else f"{len(flagged)} of {len(table)} groups are chosen at less than four fifths of the "
        "highest rate of their attribute. Sex, race and other protected columns never enter a "
        "score; they can still be reached through columns that go with them."
    )
    rates = ["rate", "low", "high"]
    return ExtraSection(
        title="Is it fair?",
        parts=[
            text,
            charts_advice.fairness_chart(table),
            Table(
                title="Selection rates by group",
                frame=table.reset_index(),
                formats=dict.fromkeys(rates, "percent"),
                notes=["Ratio: to the highest rate of the attribute (the four-fifths rule)."],
            ),
        ],
        about=HowComputed(
            formula="rate: chosen / members; ratio: rate / highest rate of the attribute",
            manifest="settings",
        ),
    )
