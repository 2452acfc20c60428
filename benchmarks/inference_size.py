"""Monte Carlo: how often each test rejects a true null at 5%, and how often a false one.

Run:  OMP_NUM_THREADS=1 python benchmarks/inference_size.py [--draws 4000] [--what joint] [--write]

``--what``: joint (alphas, premia, spanning), series (stability, betas, Sharpe ratios), panels,
bootstraps, shanken, power; all by default. ``--write`` puts the tables into
docs/methods-inference.md. One core needs about fifteen minutes for all but the bootstraps, and as
many for those. The worlds are in `inference_nulls.py`. Simulation error of a 5% share, one standard
deviation: 0.34 points over 4,000 draws, 0.5 over 2,000, 0.7 over 1,000.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from inference_nulls import (
    AT_ONCE,
    PLAIN,
    RESAMPLES,
    Tests,
    alpha_tests,
    betas_of,
    bootstraps,
    draw,
    joint,
    pairs,
    panels,
    series,
    zoo,
)

from alphastrata.inference.tails import two_sided
from alphastrata.inference.two_pass import estimate_two_pass

PAGE = Path(__file__).parents[1] / "docs" / "methods-inference.md"
LAWS, LENGTHS, WIDTHS = ("normal", "t(5)"), (60, 240, 600), (5, 25)
World = Callable[[np.random.Generator], Tests]


def shares(world: World, draws: int, seed: int) -> pd.DataFrame:
    """Share of p-values at or below 5%, in per cent, and how many there were, by test."""
    hits: dict[str, int] = {}
    counts: dict[str, int] = {}
    for d in range(draws):
        for name, p in world(np.random.default_rng([seed, d])):
            values = np.atleast_1d(p)
            hits[name] = hits.get(name, 0) + int((values <= 0.05).sum())
            counts[name] = counts.get(name, 0) + values.size
    return pd.DataFrame({"hits": hits, "counts": counts})


def plain(frame: pd.DataFrame) -> str:
    """Return a table as text, without blanks at the end of its lines."""
    lines = frame.to_string(na_rep="", float_format="{:.1f}".format).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def verdict(row: pd.Series, draws: float) -> str:
    """Return "" within a point of 5%, give or take two standard errors of the simulation."""
    slack = 1.0 + 2 * 100 * np.sqrt(0.05 * 0.95 / draws)
    marks = ("over" if row.max() > 5 + slack else "", "under" if row.min() < 5 - slack else "")
    return ", ".join(mark for mark in marks if mark)


def table(parts: Sequence[tuple[Callable[..., Tests], int]], *, widths: bool) -> str:
    """Return the sizes of all tests of some worlds as text, by errors, width and length."""
    found: dict[tuple[str, ...], pd.Series] = {}
    fewest: dict[str, int] = {}
    for number, (law, n, t) in enumerate(
        (law, n, t) for law in LAWS for n in (WIDTHS if widths else (0,)) for t in LENGTHS
    ):
        columns = []
        for part, (world, draws) in enumerate(parts):
            fixed = partial(world, t=t, n=n, law=law) if widths else partial(world, t=t, law=law)
            share = shares(fixed, draws, 1000 * part + number)
            columns.append(100 * share["hits"] / share["counts"])
            for name, count in share["counts"].items():
                fewest[str(name)] = min(fewest.get(str(name), count), count)
        key = (law, f"N={n}", f"T={t}") if widths else (law, f"T={t}")
        found[key] = pd.concat(columns)
        print(f"  {' '.join(key)}, {time.process_time():.0f} s of CPU time", flush=True)
    frame = pd.DataFrame(found)
    frame = frame.reindex(pd.concat(found.values()).index.unique())
    off = [verdict(row, fewest[str(name)]) for name, row in frame.iterrows()]
    frame = frame.round(1)
    frame[("off by over a point", *[""] * (frame.columns.nlevels - 1))] = off
    text = plain(frame)
    counted = sorted(set(fewest.values()))
    return f"{text}\n\n{' or '.join(f'{c:,}' for c in counted)} draws by design"


def power(draws: int) -> str:
    """Share of false nulls rejected, by the size of every alpha; drawn as well."""
    columns = {}
    for n in WIDTHS:
        for alpha in (0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003):

            def world(rng: np.random.Generator, a: float = alpha, n: int = n) -> Tests:
                yield from alpha_tests(*draw(rng, 240, n, "normal", betas_of(n), a))

            share = shares(world, draws, round(alpha * 1e5))
            columns[(f"N={n}", f"{100 * alpha:.2f}%")] = 100 * share["hits"] / share["counts"]
    frame = pd.DataFrame(columns).round(1)
    frame = frame[~frame.index.str.startswith("any of N")]
    draw_power(frame, PAGE.parent / "images" / "power.svg")
    return f"{plain(frame)}\n\n{draws:,} draws by design"


def draw_power(frame: pd.DataFrame, path: Path) -> None:
    """Draw power against alpha, 5 and 25 assets side by side."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "power"
    from matplotlib import pyplot as plt

    shown = ["GRS F", "LR chi2", "Wald chi2", "Wald NW(6)", "t alpha, HC3"]
    figure, axes = plt.subplots(1, len(WIDTHS), figsize=(9, 3.6), sharey=True)
    for axis, n in zip(axes, WIDTHS, strict=True):
        part = frame[f"N={n}"].loc[shown]
        alphas = [float(str(name).rstrip("%")) for name in part.columns]
        for name, row in part.iterrows():
            axis.plot(alphas, row, marker="o", markersize=3, label=str(name))
        axis.axhline(5, color="grey", linewidth=0.8, linestyle=":")
        axis.set_title(f"{n} assets, T = 240")
        axis.set_xlabel("alpha of every asset, % a month")
    axes[0].set_ylabel("% rejected at 5%")
    axes[-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def shanken(draws: int) -> str:
    """Size of the test of a premium whose true value is zero when another one is large."""
    n, t = 25, 240
    betas = np.random.default_rng(n).normal([[1.0], [0.5]], 0.3, (2, n))
    columns = {}
    for c in (0.0, 0.25, 0.5, 1.0):
        price = np.array([np.sqrt(c), 0.0])

        def world(rng: np.random.Generator, price: np.ndarray = price) -> Tests:
            f = rng.standard_normal((t, 2))
            y = (price + f) @ betas + 2.5 * rng.standard_normal((t, n))
            fit = estimate_two_pass(y, f, method="OLS", intercept=True, hac=PLAIN)
            for kind, v in fit.covariances.items():
                yield kind, float(two_sided(fit.premia[2] / np.sqrt(v[2, 2])))

        share = shares(world, draws, round(100 * c))
        columns[f"c = {c}"] = 100 * share["hits"] / share["counts"]
    return f"{plain(pd.DataFrame(columns).round(1))}\n\n{draws:,} draws by design"


def tables(draws: int) -> dict[str, Callable[[], str]]:
    half, quarter = max(draws // 2, 1), max(draws // 4, 1)
    alone = [(series, max(draws // AT_ONCE, 1)), (pairs, half), (zoo, half)]
    return {
        "joint": lambda: table([(joint, draws)], widths=True),
        "series": lambda: table(alone, widths=False),
        "panels": lambda: table([(panels, max(draws // 20, 1))], widths=True),
        "shanken": lambda: shanken(draws),
        "power": lambda: power(half),
        "bootstraps": lambda: (
            table([(bootstraps, quarter)], widths=True) + f" of {RESAMPLES} resamples"
        ),
    }


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put a table between its marks on the page of methods."""
    mark = rf"(<!-- sizes: {name} -->\n```\n).*?(\n```\n<!-- end -->)"
    before = page.read_text(encoding="utf-8")
    after, count = re.subn(mark, lambda m: m[1] + text + m[2], before, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} has no marks for the table of {name}")
    page.write_text(after, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--what", choices=list(tables(1)))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    for name, make in tables(given.draws).items():
        if given.what in (None, name):
            print(f"{name}:", flush=True)
            text = make()
            print(f"\nPer cent rejected at 5%\n{text}\n", flush=True)
            if given.write:
                write(name, text)


if __name__ == "__main__":
    main()
