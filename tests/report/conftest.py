"""A study that never ran, with every part a report can have and names that mean harm."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from alphastrata.core.checks import Note
from alphastrata.core.results import Statistic
from alphastrata.report import (
    AlphaPlot,
    ClusterSection,
    Coefficients,
    DataSection,
    ExtraSection,
    FactorSection,
    HeadlineFigure,
    HowComputed,
    Line,
    Membership,
    Plot,
    ReportData,
    SpecificationSection,
    Table,
    TestSection,
    html,
)

mpl.use("Agg")

HOSTILE = (
    "<script>window.hacked=1</script>",
    '=HYPERLINK("http://evil.example","click")',
    "$x$",
    "R&D_100%",
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "@SUM(A1:A9)",
    "\\input{/etc/passwd}",
    "%{x}",
    "@ink",
)
NAMES = {
    1: "Large, cash-rich",
    2: "Levered, asset-heavy",
    3: "Small and illiquid",
    4: "Efficient growers",
    5: "Distressed",
    6: "Mature payers",
}
CHARACTERISTICS = [
    "liquidity",
    "leverage",
    "operating_efficiency",
    "log_market_cap",
    "momentum",
    "book_to_market",
    "volatility",
    "profitability",
    "investment",
]


def how(formula: str, manifest: str = "tests/time_series", *conventions: str) -> HowComputed:
    return HowComputed(formula=formula, manifest=manifest, conventions=conventions)


def embeddings(rng: np.random.Generator, n_assets: int, n_dates: int, hover: int) -> pd.DataFrame:
    dates = pd.date_range("2009-12-31", periods=n_dates, freq="YE")
    if n_dates > 15:
        dates = pd.date_range("2012-01-31", periods=n_dates, freq="ME")
    names = np.array([*HOSTILE, *(f"A{i:04d}" for i in range(n_assets - len(HOSTILE)))])
    centres = np.array(
        [[-8, 4, 0], [7, 6, 3], [-3, -7, -4], [9, -4, -2], [0, 9, 5], [0, 0, 8]], dtype=float
    )
    weights = np.array([0.28, 0.2, 0.19, 0.16, 0.09, 0.08])
    label = rng.choice(6, n_assets, p=weights)
    own = rng.normal(0, 1.3, (n_assets, 3))
    frames = []
    for date in dates:
        moves = rng.random(n_assets) < 0.08
        label = np.where(moves, rng.choice(6, n_assets, p=weights), label)
        own = 0.8 * own + rng.normal(0, 0.8, own.shape)
        here = rng.random(n_assets) < 0.94
        here[: len(HOSTILE)] = True
        place = (centres[label] + own)[here]
        frame = pd.DataFrame(
            {
                "date": date,
                "asset": names[here],
                "cluster": label[here] + 1,
                "x": place[:, 0],
                "y": place[:, 1],
                "z": place[:, 2],
            }
        )
        for name in CHARACTERISTICS[:hover]:
            frame[name] = rng.lognormal(0, 1, here.sum())
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def membership(where: pd.DataFrame) -> Membership:
    wide = where.pivot(index="date", columns="asset", values="cluster").fillna(0).astype(int)
    sizes = pd.DataFrame({c: (wide == c).sum(axis=1) for c in range(1, 7)})
    flows = []
    for before, after in zip(wide.index[:-1], wide.index[1:], strict=True):
        pairs = pd.crosstab(wide.loc[before], wide.loc[after]).stack()
        pairs.index.names = ["cluster_from", "cluster_to"]
        part = pairs.rename("count").reset_index()
        flows.append(part.assign(date_from=before, date_to=after))
    events = pd.DataFrame(
        {
            "date": wide.index[[2, 5]],
            "event": ["birth", "split"],
            "cluster": [5, 6],
            "detail": ["from assets not classified before", "left cluster 2"],
        }
    )
    return Membership(sizes=sizes, flows=pd.concat(flows, ignore_index=True), events=events)


def clusters(rng: np.random.Generator, n_assets: int, n_dates: int, hover: int) -> ClusterSection:
    where = embeddings(rng, n_assets, n_dates, hover)
    rows = []
    for date in where["date"].unique():
        for metric, base, null in (("silhouette", 0.21, 0.12), ("davies_bouldin", 1.5, 1.9)):
            for space, shift in (("input", 0.0), ("embedding", 0.2)):
                rows.append((date, metric, space, "data", base + shift + rng.normal(0, 0.02)))
                for source, off in (
                    ("permuted columns", 0.0),
                    ("Gaussian copula", 0.04),
                    ("one factor", 0.02),
                ):
                    value = null + off + shift + rng.normal(0, 0.015)
                    rows.append((date, metric, space, source, value))
    scores = pd.DataFrame(rows, columns=["date", "metric", "space", "source", "score"])
    profiles = pd.DataFrame(
        rng.normal(0, 0.9, (6, len(CHARACTERISTICS))), index=range(1, 7), columns=CHARACTERISTICS
    )
    silhouette = "s = (b − a) / max(a, b), mean over assets"
    return ClusterSection(
        title="Deep clusters",
        names=NAMES,
        scores=scores,
        profiles=profiles,
        membership=membership(where),
        embeddings=where,
        how={"silhouette": how(silhouette, "stage/cluster", "Euclidean distance")},
        about=how("by window, on what was known then", "stage/cluster", "6 clusters"),
    )


def factors(rng: np.random.Generator) -> FactorSection:
    dates = pd.date_range("2010-01-31", periods=120, freq="ME")
    names = ["CLUSTER", "LIQ", "LEV", "OE"]
    returns = pd.DataFrame(rng.normal([0.006, 0.003, 0.002, 0.0005], 0.025, (120, 4)), dates, names)
    level = (1 + returns).cumprod()
    drawdowns = level / level.cummax() - 1
    summary = pd.DataFrame(
        {
            "mean": returns.mean(),
            "volatility": returns.std(),
            "Sharpe ratio": returns.mean() / returns.std() * 12**0.5,
            "t": returns.mean() / returns.std() * 120**0.5,
            "worst": drawdowns.min(),
            "months": 120,
        }
    )
    spells = pd.DataFrame(
        {
            "factor": names,
            "peak": dates[[10, 20, 30, 40]],
            "trough": dates[[15, 29, 44, 60]],
            "recovery": [dates[22], dates[50], pd.NaT, dates[90]],
            "depth": drawdowns.min().to_numpy(),
            "periods": [12, 30, 89, 50],
        }
    )
    sharpe = how("SR = mean(r) / sd(r) · √12", "stage/factors", "ddof = 1")
    return FactorSection(
        cumulative=level,
        drawdowns=drawdowns,
        drawdown_dates=spells,
        summary=Table(
            title="The series in numbers",
            frame=summary,
            formats={"mean": "percent", "volatility": "percent", "worst": "percent"},
            notes=["Mean and volatility per month."],
        ),
        correlations=returns.corr(),
        notes=["Long-short, value-weighted, before costs; a label at t earns returns after t."],
        how={"Sharpe ratio": sharpe},
        about=how("r = long leg − short leg", "stage/factors"),
    )


def time_series(rng: np.random.Generator) -> TestSection:
    rows = ["CLUSTER", "LIQ", "LEV", "OE", *HOSTILE[:4]]
    columns = ["alpha", "Mkt-RF", "SMB", "HML", "RMW", "CMA"]
    params = pd.DataFrame(rng.normal(0, 0.3, (8, 6)), rows, columns)
    params["alpha"] = [0.0062, 0.0031, 0.0018, -0.0004, 0.001, 0.0002, -0.0008, 0.0011]
    tstats = pd.DataFrame(rng.normal(0, 2, (8, 6)), rows, columns)
    tstats["alpha"] = [3.62, 2.21, 1.12, -0.31, 0.7, 0.1, -0.5, 0.9]
    pvalues = np.exp(-0.717 * tstats.abs() - 0.416 * tstats**2)
    se = (params["alpha"] / tstats["alpha"]).abs()
    shown = pd.DataFrame(
        {
            "alpha": params["alpha"],
            "low": params["alpha"] - 1.96 * se,
            "high": params["alpha"] + 1.96 * se,
            "tstat": tstats["alpha"],
        }
    )
    extra = pd.DataFrame({"R²": rng.uniform(0.02, 0.4, 8), "months": [120] * 8}, index=rows)
    coefficients = Coefficients(
        params=params, tstats=tstats, pvalues=pvalues, extra=extra, percent=["alpha"]
    )
    thresholds = {"5%, one test": 1.96, "5%, Bonferroni over 8": 2.73, "Harvey, Liu and Zhu": 3.0}
    grs = Statistic("GRS F", 2.7395874, 1.48983e-5, "all alphas are zero", "F(25, 576)")
    return TestSection(
        title="Five factors",
        coefficients=coefficients,
        alphas=AlphaPlot(estimates=shown, thresholds=thresholds),
        statistics=[grs],
        conventions=[
            "Newey-West errors: Bartlett kernel, 6 lags, no small-sample factor.",
            "120 months, 2010-01 to 2019-12; no month dropped.",
        ],
        how={
            "alpha": how("α̂ = mean(r) − β̂′ mean(f)"),
            "GRS F": HowComputed(
                formula="F = (T−N−K)/N · α̂′Σ̂⁻¹α̂ / (1 + μ̂′Ω̂⁻¹μ̂)",
                source="Gibbons, Ross and Shanken (1989), equation 3",
                manifest="tests/time_series",
            ),
        },
        about=how("r = α + β′f + e"),
    )


def fama_macbeth(rng: np.random.Generator) -> TestSection:
    columns = ["intercept", "leverage", "liquidity", "log_market_cap"]
    rows = ["(1)", "(2)", "(3)"]
    params = pd.DataFrame(rng.normal(0, 0.004, (3, 4)), rows, columns)
    params.loc["(1)", ["liquidity", "log_market_cap"]] = np.nan
    params.loc["(2)", "log_market_cap"] = np.nan
    tstats = pd.DataFrame(rng.normal(1, 1.5, (3, 4)), rows, columns).where(params.notna())
    extra = pd.DataFrame({"months": [119] * 3, "assets per month": [291.4] * 3}, index=rows)
    dates = pd.date_range("2010-02-28", periods=119, freq="ME")
    return TestSection(
        title="Monthly cross-sections",
        coefficients=Coefficients(params=params, tstats=tstats, extra=extra, transpose=True),
        by_date=pd.DataFrame(rng.normal(0.002, 0.02, (119, 3)), dates, columns[1:]),
        conventions=["Mean of monthly coefficients; Newey-West errors with 6 lags."],
        how={"leverage": how("slope on leverage")},
        about=how("λ̂ = mean of the slopes"),
    )


def specifications(rng: np.random.Generator) -> SpecificationSection:
    grid = [
        (w, n, b, c)
        for w in ("equal", "value")
        for n in ("3", "5", "10")
        for b in ("all", "NYSE")
        for c in ("gross", "net")
    ]
    choices = pd.DataFrame(grid, columns=["weighting", "quantiles", "breakpoints", "costs"])
    middle = 0.002 + rng.normal(0, 0.002, len(grid))
    estimates = pd.DataFrame({"estimate": middle, "low": middle - 0.003, "high": middle + 0.003})
    return SpecificationSection(
        estimates=estimates,
        choices=choices,
        label="alpha per month",
        percent=True,
        preferred=13,
        notes=["24 specifications, all of them shown."],
        about=how("α̂ of one row for each choice"),
    )


def example(n_assets: int = 300, n_dates: int = 10, hover: int = 4, seed: int = 0) -> ReportData:
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2010-01-31", periods=120, freq="ME")
    counts = pd.DataFrame(
        {
            "item": ["assets", "months", "asset-months", "first date", HOSTILE[0]],
            "value": [n_assets, 120, 33412, pd.Timestamp("2010-01-31"), HOSTILE[1]],
            "detail": ["ever in the panel", "", "with a return", "", HOSTILE[3]],
        }
    )
    coverage = pd.DataFrame(
        {
            "in the panel": 250 + np.arange(120) // 3,
            "with all characteristics": 225 + np.arange(120) // 3 - rng.integers(0, 9, 120),
        },
        dates,
    )
    vintages = pd.DataFrame(
        {
            "source": ["simulated market", "F-F_Research_Data_5_Factors_2x3"],
            "vintage": ["seed 0", "2020-06"],
            "rows": [33412, 685],
            "sha256": ["9f86d081884c7d65", "60303ae22b998861"],
        }
    )
    notes = [
        Note("no price on the day", 31, 33412, "date=2012-03-31, asset=A0003", "dropped", "data"),
        Note("leverage above its 99.5th percentile", 167, 33412, HOSTILE[0], "clipped", "features"),
    ]
    truth = pd.DataFrame(
        {
            "group": ["premium per month"] * 3 + ["beta"] * 4,
            "parameter": ["liquidity", "leverage", "efficiency", "Mkt-RF", "SMB", "HML", "Mom"],
            "truth": [0.004, 0.003, 0.002, 1.0, 0.3, 0.2, 0.0],
            "estimate": [0.0043, 0.0024, 0.0031, 1.02, 0.27, 0.24, 0.09],
            "low": [0.0021, 0.0008, 0.0022, 0.97, 0.17, 0.11, 0.02],
            "high": [0.0065, 0.0040, 0.0040, 1.07, 0.37, 0.37, 0.16],
            "covered": [True, True, False, True, True, True, False],
        }
    )
    keys = ["config", "stage/data", "stage/cluster", "stage/factors", "tests/time_series"]
    manifest = pd.DataFrame(
        {
            "key": [*keys, "python", HOSTILE[0]],
            "value": ["sha256 3b0c…", "7a31…", "c4e9…", "0d11…", "5ab2…", "3.11.9", HOSTILE[1]],
            "detail": ["study.toml", "", "seed 0, 1 thread", "", "", "", HOSTILE[3]],
            "needs": [(), ("config",), *[("stage/data",)] * 3, (), (HOSTILE[0], "no such row")],
        }
    )
    return ReportData(
        title="Demo: a simulated market with planted premia",
        question="Do deep clusters of stocks earn an alpha that the five factors do not explain?",
        answer=[
            Line(
                "The cluster factor earns 0.62% a month beyond the five factors (t = 3.62), and "
                "stays significant after correcting for eight tests.",
                how("α̂ = mean(r) − β̂′ mean(f)"),
            ),
            "Liquidity earns 0.31% (t = 2.21), which does not survive the correction; leverage and "
            "operating efficiency earn nothing that the factors leave over.",
            "The clusters score above all three kinds of noise in every window, so the grouping is "
            "not an artefact of the method.",
        ],
        figures=[
            HeadlineFigure(
                label="Alpha of the cluster factor",
                value=0.0062,
                format="percent",
                detail="per month, t = 3.62",
                tone="good",
                how=how("α̂ = mean(r) − β̂′ mean(f)"),
            ),
            HeadlineFigure(
                label="Are all alphas zero? (GRS)",
                value=1.5e-5,
                format="pvalue",
                detail="F(25, 576) = 2.74",
                how=how("p = P(F > F̂)"),
            ),
            HeadlineFigure(
                label="Silhouette above noise",
                value="10 of 10",
                detail="windows, input space",
                tone="good",
                how=how("s > max of nulls", "stage/cluster"),
            ),
            HeadlineFigure(
                label="Sharpe ratio of the cluster factor",
                value=0.84,
                detail="a year, before costs",
                how=how("SR = mean / sd · √12", "stage/factors"),
            ),
            HeadlineFigure(
                label="Truth inside the interval",
                value="5 of 7",
                detail="95% would be 6.7",
                tone="caution",
                how=how("low ≤ truth ≤ high", "stage/factors"),
            ),
        ],
        warnings=[
            "Statements carry a declared lag of four months; no filing dates were available.",
            "Ten years are short: an alpha of 0.25% a month would go unnoticed half of the time.",
            f"An asset is called {HOSTILE[0]}.",
        ],
        data=DataSection(
            counts=counts,
            coverage=coverage,
            notes=notes,
            vintages=vintages,
            about=how("counted in the panel", "stage/data"),
        ),
        clusters=[clusters(rng, n_assets, n_dates, hover)],
        factors=factors(rng),
        tests=[time_series(rng)],
        fama_macbeth=[fama_macbeth(rng)],
        truth=Table(title="", frame=truth, about=how("planted by the simulator", "stage/data")),
        specifications=specifications(rng),
        extras=[
            ExtraSection(
                title="A user's own section",
                text=[f"Text with {HOSTILE[0]}."],
                tables=[Table(title="Names", frame=pd.DataFrame({"name": list(HOSTILE)}))],
                parts=[
                    "A paragraph between.",
                    Plot(title="Lines", frame=coverage / 300, percent=True),
                    Plot(
                        title="Bars",
                        frame=pd.DataFrame({"a": [1.0, -2.0], "b": [2.0, 1.0]}, HOSTILE[:2]),
                        kind="bars",
                        caption="Bars of harmful names.",
                    ),
                    Plot(
                        title="Heat",
                        frame=pd.DataFrame(rng.normal(0, 1, (4, 5)), list("wxyz"), list("abcde")),
                        kind="heat",
                    ),
                ],
                about=how("as the user says", "config"),
            )
        ],
        manifest=manifest,
    )


@pytest.fixture(scope="session")
def report_data() -> ReportData:
    return example()


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    return HOSTILE


@pytest.fixture(scope="session")
def big_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 2,000 assets in 60 windows with five characteristics on hover."""
    path = tmp_path_factory.mktemp("big") / "report.html"
    path.write_text(html(example(2000, 60, 5)), encoding="utf-8")
    return path


def _browser_module() -> Any:
    path = Path(__file__).with_name("browser.py")
    spec = importlib.util.spec_from_file_location("report_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    module = _browser_module()
    if module.find_chromium() is None:
        pytest.skip("no Chromium on this machine: the page was not looked at in a browser")
    with module.Browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="session")
def example_page(report_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html(report_data), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def spoiled(report_data: ReportData) -> ReportData:
    """The example with every text of its own replaced by all the harmful names."""
    bad = "".join(HOSTILE)
    entry = HowComputed(formula=bad, conventions=[bad], manifest=bad, source=bad)
    part, test = report_data.clusters[0], report_data.tests[0]
    return replace(
        report_data,
        title=bad,
        question=bad,
        answer=[bad],
        figures=[HeadlineFigure(label=bad, value=bad, detail=bad, how=entry)],
        warnings=[bad],
        clusters=[replace(part, title=bad, names=dict.fromkeys(range(1, 7), bad))],
        tests=[replace(test, title=bad, conventions=[bad], how={"alpha": entry, bad: entry})],
        unit=bad,
    )


@pytest.fixture(scope="session")
def explained() -> dict[str, Any]:
    """Return what explains two clusters of assets with hostile names."""
    rng = np.random.default_rng(3)
    features = ["liquidity", "<b>R&D_100%</b>", "$x$"]
    pairs = pd.MultiIndex.from_product([features, [1, 2]], names=["feature", "cluster"])
    box = pd.DataFrame(np.sort(rng.normal(size=(6, 5)), axis=1), index=pairs)
    box.columns = pd.Index(["low", "q1", "median", "q3", "high"])
    assets = list(HOSTILE)
    places = pd.DataFrame(rng.normal(size=(len(assets), 5)), columns=["x", "y", "x3", "y3", "z3"])
    places = places.assign(asset=assets, cluster=1 + np.arange(len(assets)) % 2)
    dates = pd.to_datetime(["2020-12-31", "2021-12-31"])
    moved = pd.MultiIndex.from_product([dates, [1, 2]], names=["date", "cluster"])
    return {
        "names": {1: "large, <i>levered</i>", 2: "small, $x$"},
        "boxes": box,
        "nodes": pd.DataFrame(
            {
                "parent": [-1, 0, 0, 2, 2],
                "side": ["", "yes", "no", "yes", "no"],
                "feature": ["liquidity", "", "<b>R&D_100%</b>", "", ""],
                "threshold": [0.5, np.nan, 2e6, np.nan, np.nan],
                "cluster": [1, 1, 2, 2, 1],
                "rows": [100, 60, 40, 30, 10],
                "share": [0.6, 0.9, 0.8, 1.0, 0.5],
            }
        ),
        "shapley": pd.DataFrame(rng.random((3, 2)), index=features, columns=[1, 2]),
        "direction": pd.DataFrame([[0.5, -0.5]] * 3, index=features, columns=[1, 2]),
        "values": rng.normal(size=(20, 3)),
        "X": pd.DataFrame(rng.normal(size=(20, 3)), columns=features),
        "importance": pd.DataFrame({"mean": [0.5, 0.2, 0.0], "std": 0.05}, index=features),
        "drift": pd.DataFrame({"drift": [0.2, 0.4, 0.1, 0.3]}, index=moved),
        "features": pd.DataFrame(
            {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 0.0], "community": [1, 1, 2], "centrality": 0.7},
            index=features,
        ),
        "associations": pd.DataFrame(
            {
                "source": features[:2],
                "target": features[1:],
                "association": [0.8, -0.3],
                "strength": [0.8, 0.3],
            }
        ),
        "places": places.set_index("asset"),
        "near": pd.DataFrame(
            {"source": assets[:3], "target": assets[1:4], "inside": [True, False, True]}
        ),
        "scores": pd.DataFrame(
            [
                (e, "$x$", e > 1, c, k, seed, *rng.random(4))
                for e in (1, 2)
                for c in ("kmeans", "spectral")
                for k in (3, 4)
                for seed in (0, 1)
            ],
            columns=[
                *("experiment", "features", "autoencoder", "clusterer", "k", "seed"),
                *(
                    f"{m}_{s}"
                    for m in ("silhouette", "davies_bouldin")
                    for s in ("embedding", "input")
                ),
            ],
        ),
        "effects": pd.DataFrame(
            {"estimate": [0.1, -0.1], "low": [0.0, -0.2], "high": [0.2, 0.0]},
            index=pd.MultiIndex.from_product(
                [["autoencoder"], ["silhouette_input", "silhouette_embedding"]],
                names=["effect", "score"],
            ),
        ),
        "criteria": pd.DataFrame(
            {"inertia": [9.0, 2.0, 1.0], "silhouette": [0.4, 0.5, 0.3]}, index=[2, 3, 4]
        ),
        "null observed": pd.Series({"silhouette_input": 0.4, "silhouette_embedding": 0.5}),
        "null draws": pd.DataFrame(
            {"silhouette_input": [0.1, 0.2], "silhouette_embedding": [0.4, np.nan]},
            index=pd.MultiIndex.from_product([["copula"], [0, 1]], names=["null", "draw"]),
        ),
        "settings": pd.DataFrame({"$k$": [3, 2], "dim": [4, 8], "score": [0.5, 0.4]}),
        "risk": pd.DataFrame({"mean": [0.01, -0.002], "std": [0.05, 0.07]}, index=[1, 2]),
    }
