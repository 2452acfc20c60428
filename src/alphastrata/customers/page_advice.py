"""The advice on the page: a portfolio for each segment, the campaign, and whether it is fair."""

from __future__ import annotations

import pandas as pd

from alphastrata.customers import charts, charts_advice
from alphastrata.customers.result import StudyResult
from alphastrata.report import Chart, ExtraSection, HowComputed, Table

__all__ = ["campaign", "fairness", "portfolios"]


def portfolios(result: StudyResult) -> ExtraSection:
    """Return the portfolio of each segment, and the risk that it answers to."""
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


def campaign(result: StudyResult) -> ExtraSection:
    """Return whom the offer reaches within the budget, and what that is worth."""
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


def fairness(result: StudyResult) -> ExtraSection:
    """Return how the campaign treats groups of customers."""
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
