"""Portfolios on the page: what they hold, what accounts earn, what characteristics foretell."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alphastrata.core import FactorReturns
from alphastrata.report import ExtraSection, HowComputed, Plot, Table
from alphastrata.report.charts.chart import Chart
from alphastrata.report.charts.money import capacity, gross_and_net
from alphastrata.report.records import Format
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BacktestConfig, CostsConfig, StudyConfig

PERFORMANCE = {
    "mean": "mean",
    "volatility": "volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "growth": "growth per year",
    "hit_rate": "hit rate",
    "alpha": "alpha",
    "beta": "beta",
}
LOSSES = {
    "max_drawdown": "drawdown",
    "peak": "peak",
    "trough": "trough",
    "recovery": "recovery",
    "calmar": "Calmar",
    "value_at_risk": "VaR 5%",
    "expected_shortfall": "shortfall 5%",
    "skewness": "skewness",
    "excess_kurtosis": "kurtosis",
}
# What every table of portfolios has.
ALWAYS = ("portfolio", "assets", "fewest assets", "effective N", "largest weight", "market_cap")
PERCENT = (
    "mean",
    "volatility",
    "growth per year",
    "hit rate",
    "alpha",
    "drawdown",
    "VaR 5%",
    "shortfall 5%",
)


def sections(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return the sections about portfolios, accounts and information, where there are any."""
    return [
        *_inside(config, made),
        *_dummies(config, made),
        *_money(config, made),
        *_information(config, made),
    ]


def by_date(made: Mapping[str, Artefacts]) -> dict[str, pd.DataFrame]:
    """Return what is written as files beside the page: one row per date and portfolio."""
    inside = made["composition"].items()
    out = {name: frame for name, frame in inside if name.startswith("inside ")}
    if "backtest" in made:
        out["accounts"] = made["backtest"]["ledger"].set_index("date")
        out["accounts by year"] = made["backtest"]["years"].set_index("year")
    if "information" in made:
        out["information"] = made["information"]["by_date"].set_index("date")
    return out


def _inside(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return counts, concentration and characteristics of every portfolio.

    The page has the characteristics that a grouping is made of; the files have all of them.
    """
    found = made["composition"]
    own = {sort.name: [*sort.characteristics, *sort.columns] for sort in config.sorts}
    own |= {part.name: [*part.features, *part.needs] for part in config.clusters}
    frame: pd.DataFrame = found["mean"].rename(
        columns={"effective_n": "effective N", "max_weight": "largest weight"}
    )
    formats: dict[str, Format] = {
        "assets": "integer",
        "fewest assets": "integer",
        "largest weight": "percent",
        "market_cap": "integer",
    }
    return [
        ExtraSection(
            title="Inside the portfolios",
            text=[
                "Means over dates; by date they are in results/. The effective N is the number of "
                "equally weighted assets that would be as concentrated."
            ],
            tables=[
                Table(
                    title=f"Portfolios of {name}",
                    frame=part[[c for c in part if c in (*ALWAYS, *own[str(name)])]],
                    formats=formats,
                )
                for name, part in frame.groupby("grouping", sort=False)
            ],
            parts=[
                Plot(
                    title="The most concentrated portfolio",
                    frame=found["smallest"],
                    caption="Effective N of the most concentrated portfolio of each grouping.",
                )
            ],
            about=HowComputed(
                formula="effective N = 1 / Σw²; characteristics: Σw·x over assets that have them",
                conventions=[
                    "Weights w at the end of a date, with which the next return is earned."
                ],
                manifest="stage composition",
            ),
        )
    ]


def _dummies(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return what each cluster earned over the mean cluster."""
    out = []
    for part in config.clusters:
        if not part.dummies:
            continue
        returns: FactorReturns = made["factors"][f"dummies {part.name}"]
        frame = returns.frame
        table = pd.DataFrame(
            {
                "mean": 12 * frame.mean(),
                "t": frame.mean() / (frame.std() / frame.count() ** 0.5),
                "volatility": 12**0.5 * frame.std(),
                "months": frame.count(),
            }
        ).rename_axis("cluster")
        out.append(
            ExtraSection(
                title=f"Returns to membership in {part.name}",
                text=[
                    "What a cluster earned over the mean cluster: the coefficient of its dummy "
                    "when returns are regressed on membership and coefficients sum to zero."
                ],
                tables=[
                    Table(
                        title=f"Clusters of {part.name} over their mean, per year",
                        frame=table,
                        formats={"mean": "percent", "volatility": "percent", "months": "integer"},
                    )
                ],
                parts=[
                    Plot(
                        title=f"Growth of one unit over the mean cluster, {part.name}",
                        frame=(1.0 + frame.fillna(0.0)).cumprod(),
                    )
                ],
                about=HowComputed(
                    formula="d(k, t) = r(k, t) − mean over k of r(k, t)",
                    conventions=["t for independent months."],
                    manifest="stage factors",
                ),
            )
        )
    return out


def _money(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return what accounts earned, before and after costs."""
    if config.backtest is None:
        return []
    found = made["backtest"]
    rates = ("gross", "trading", "borrowing", "net", "traded", "turnover, one-sided")
    return [
        ExtraSection(
            title="In money",
            text=_rules(config.backtest, config.costs),
            tables=[
                Table(
                    title="Per year, of wealth",
                    frame=found["summary"],
                    formats={**dict.fromkeys(rates, "percent"), "final wealth": "integer"},
                    notes=["Traded: two-sided turnover, all that is bought and sold."],
                )
            ],
            parts=[
                gross_and_net(found["gross"], found["net"], found["drawdowns"]),
                *_performance(found),
                _by_year(found),
                *(_by_regime(name, found) for name in config.backtest.regimes),
                *_capacity(found),
                *_met(found),
            ],
            about=HowComputed(
                formula="net = gross − trading − borrowing, means over months × 12",
                conventions=["Each over the wealth before it; holdings drift in between."],
                manifest="stage backtest",
            ),
        )
    ]


def _rules(wanted: BacktestConfig, costs: CostsConfig) -> list[str]:
    """Return in words how accounts trade and what they pay."""
    legs = "its weights" if wanted.legs == "long_short" else "the weights of its long leg"
    lines = [
        f"Every factor starts with {wanted.capital:,.0f} and trades to {legs} on its formation "
        "dates; holdings drift in between. Gross less trading less borrowing is net on every date."
    ]
    paid = [f"{costs.basis_points:g} basis points of the value traded"]
    if costs.half_spread:
        paid.append(f"the half-spread {costs.half_spread} of each asset")
    if costs.impact:
        paid.append(
            f"square-root impact ({costs.impact.coefficient:g} x {costs.impact.volatility} x root "
            f"of the share of {costs.impact.volume})"
        )
    paid.append(f"{costs.borrow_fee:.2%} a year on short positions")
    sized = [f"leverage {wanted.leverage:g}"] if wanted.leverage != 1.0 else []
    sized += [f"no asset above {wanted.max_weight:.1%} of its leg"] if wanted.max_weight else []
    sized += [f"each leg divided by its {wanted.beta}"] if wanted.beta else []
    sized += ["cash earns the risk-free rate"] if wanted.cash == "risk_free" else []
    lines.append(f"Costs: {', '.join(paid)}.{' Rules: ' + '; '.join(sized) + '.' if sized else ''}")
    return lines


def _performance(found: Artefacts) -> list[Table]:
    """Return what accounts earned and risked, and what they lost when."""
    benchmark = found["about"]["benchmark"]
    out = []
    for title, key, names, notes in (
        (
            "Performance after costs, per year",
            "performance",
            PERFORMANCE,
            [f"Alpha and beta against {benchmark}; hit rate: share of months above zero."],
        ),
        (
            "Losses after costs",
            "losses",
            LOSSES,
            ["Deepest drawdown and its dates; no recovery: not by the end. VaR and shortfall: the "
             "5% quantile of months and the mean up to it."],
        ),
    ):  # fmt: skip
        frame = found[key].rename(columns=names)[list(names.values())]
        formats: dict[str, Format] = {c: "percent" for c in frame if c in PERCENT}
        formats |= {c: "date" for c in ("peak", "trough", "recovery") if c in frame}
        out.append(Table(title=title, frame=frame, formats=formats, notes=notes))
    return out


def _by_year(found: Artefacts) -> Table:
    """Return compounded net returns, one row per calendar year."""
    frame: pd.DataFrame = found["by_year"].rename(index=str).rename_axis("year").reset_index()
    shares: dict[str, Format] = {str(c): "percent" for c in frame if c != "year"}
    return Table(
        title="Net return by calendar year", frame=frame, formats={"year": "text", **shares}
    )


def _by_regime(name: str, found: Artefacts) -> Table:
    """Return performance after costs, one row per regime and factor."""
    names = {"regime": "regime", "series": "factor", **PERFORMANCE, "periods": "months"}
    frame = found[f"regime {name}"].rename(columns=names)
    shown = [c for c in names.values() if c in frame]
    formats: dict[str, Format] = {c: "percent" for c in shown if c in PERCENT}
    return Table(
        title=f"Net, by regime: {name}",
        frame=frame[shown],
        formats={**formats, "months": "integer"},
    )


def _met(found: Artefacts) -> list[Table]:
    """Return what accounts met on the way, where they met anything."""
    if not len(found["met"]):
        return []
    return [Table(title="What the accounts met", frame=found["met"])]


def _capacity(found: Artefacts) -> list[Chart | Table]:
    """Return the capacity curve, as a figure and as numbers."""
    if "capacity" not in found:
        return []
    curve: pd.DataFrame = found["capacity"]
    formats: dict[str, Format] = {str(c): "percent" for c in curve if c != "capital"}
    return [
        capacity(curve.set_index("capital")),
        Table(
            title="Net return per year by starting capital",
            frame=curve,
            formats={"capital": "integer", **formats},
        ),
    ]


def _information(config: StudyConfig, made: Mapping[str, Artefacts]) -> list[ExtraSection]:
    """Return how well characteristics foretell returns, and for how long."""
    if not config.informed:
        return []
    found = made["information"]
    returns: pd.DataFrame = found["quantiles"]
    shown = [str(c) for c in returns if c not in ("characteristic", "horizon")]
    return [
        ExtraSection(
            title="Information coefficients",
            text=[
                "Correlation, by date, of a characteristic (and of its rank) with the return of "
                "the months after it; t with Newey-West errors that cover the overlap."
            ],
            tables=[
                Table(
                    title="By horizon in months",
                    frame=found["table"],
                    formats={"p": "pvalue", "dates": "integer", "positive": "percent"},
                )
            ],
            parts=[
                Plot(
                    title="Mean rank correlation by horizon",
                    frame=found["means"].rename(index=_months),
                    kind="bars",
                ),
                Plot(
                    title=f"Rank correlation by date, {_months(found['means'].index[0])} ahead",
                    frame=found["smooth"],
                    caption="Mean over the last twelve dates.",
                ),
                Table(
                    title="Return per month of each quantile, by horizon",
                    frame=returns,
                    formats=dict.fromkeys(shown, "percent"),
                    notes=["Equally weighted at the date, held over the horizon; 1 is the lowest."],
                ),
                *_quantile_plots(returns),
                Plot(
                    title="Rank correlation of a characteristic with itself, by lag",
                    frame=found["stickiness"].rename(index=_months),
                    kind="bars",
                    caption="Close to one: portfolios sorted on it trade little.",
                ),
            ],
            about=HowComputed(
                formula="IC = mean over t of the correlation of x(t) with r(t+1 … t+h)",
                conventions=["t = mean / Newey-West error with h lags, which cover the overlap."],
                manifest="stage information",
                source="Grinold and Kahn (1999), Active Portfolio Management",
            ),
        )
    ]


def _quantile_plots(returns: pd.DataFrame) -> list[Plot]:
    """Return a chart of quantile returns for each characteristic."""
    return [
        Plot(
            title=f"Return per month by quantile of {name}",
            frame=part.drop(columns=["characteristic", "highest - lowest"])
            .set_index("horizon")
            .rename(index=_months)
            .T,
            kind="bars",
            percent=True,
        )
        for name, part in returns.groupby("characteristic", sort=False)
    ]


def _months(number: int) -> str:
    return "1 month" if number == 1 else f"{number} months"
