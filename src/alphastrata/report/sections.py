"""From the records of a study to the sections of its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.results import Statistic
from alphastrata.report.alluvial import lay_out_flows, to_svg
from alphastrata.report.blocks import (
    About,
    Block,
    Keys,
    Section,
    file_name,
    how_lines,
    table_block,
)
from alphastrata.report.charts import clusters as charts_clusters
from alphastrata.report.charts import returns as charts_returns
from alphastrata.report.charts import tests as charts_tests
from alphastrata.report.charts.chart import Chart
from alphastrata.report.charts.clusters import cluster_label
from alphastrata.report.charts.plain import draw
from alphastrata.report.cloud import pack
from alphastrata.report.model import (
    DataSection,
    ExtraSection,
    FactorSection,
    ReportData,
    SpecificationSection,
    TestSection,
)
from alphastrata.report.palette import colour
from alphastrata.report.parts import ClusterSection, Figure, Fold, Membership, Part
from alphastrata.report.records import HowComputed, Plot, Table
from alphastrata.report.tables import to_csv

__all__ = ["sections"]


def sections(report: ReportData) -> list[Section]:
    """Return the sections of the page, in the order of reading; absent parts have none.

    Parameters
    ----------
    report : ReportData

    Examples
    --------
    >>> sections(ReportData(title="empty"))
    []
    """
    keys = Keys()
    out: list[Section] = []
    if report.data is not None:
        out.append(_section("Data", keys, _data(report.data, keys, report.unit)))
    for clusters in report.clusters:
        out.append(_section(clusters.title, keys, _clusters(clusters, keys, report.unit)))
    if report.factors is not None:
        out.append(_section("Factor returns", keys, _factors(report.factors, keys)))
    if report.tests:
        out.append(_section("Alphas and tests", keys, _tests(report.tests, keys)))
    if report.fama_macbeth:
        out.append(_section("Fama-MacBeth", keys, _tests(report.fama_macbeth, keys)))
    if report.truth is not None and len(_frame(report.truth)):
        out.append(_section("Truth beside estimate", keys, _truth(report.truth, keys)))
    if report.specifications is not None and len(report.specifications.estimates):
        blocks = _specifications(report.specifications, keys)
        out.append(_section("Specifications", keys, blocks))
    for extra in report.extras:
        blocks = _extra(extra, keys, report.unit)
        out.append(_section(extra.title, keys, blocks, is_open=extra.open))
    return out


def _section(title: str, keys: Keys, blocks: list[Block], *, is_open: bool = True) -> Section:
    return Section(key=keys.new("section"), title=title, blocks=blocks, open=is_open)


def _about(how: HowComputed | None, keys: Keys) -> About:
    """Return what a part says of numbers without an entry of their own."""
    return About() if how is None else About(how, f"{keys.new('part')}-how")


def _closing(about: About) -> list[Block]:
    """Return the list at the end of a part that its other numbers lead to."""
    return [Block(kind="about", how=about.lines())] if about.how is not None else []


def _chart(
    chart: Chart,
    keys: Keys,
    frame: pd.DataFrame | None = None,
    how: Mapping[str, HowComputed] | None = None,
    *,
    about: About,
) -> Block:
    """Return a chart as a block; the frame it was drawn from can be downloaded."""
    key = keys.new("chart")
    return Block(
        kind="chart",
        title=chart.title,
        key=key,
        chart=chart,
        how=how_lines(key, how or {}),
        rest=about.anchor,
        extra={
            "files": {} if frame is None else {"csv": to_csv(frame)},
            "name": file_name(chart.title) or key,
        },
    )


def _only(how: Mapping[str, HowComputed], *names: str) -> dict[str, HowComputed]:
    return {name: how[name] for name in names if name in how}


def _tables(
    tables: Sequence[Table], keys: Keys, how: Mapping[str, HowComputed], about: About
) -> list[Block]:
    return [table_block(table, keys, how=how, about=about) for table in tables]


def _data(data: DataSection, keys: Keys, unit: str) -> list[Block]:
    blocks: list[Block] = []
    about = _about(data.about, keys)
    if data.counts is not None and len(data.counts):
        blocks.append(
            table_block(data.counts, keys, title="What went in", how=data.how, about=about)
        )
    if data.coverage is not None and len(data.coverage):
        blocks.append(
            _chart(
                charts_clusters.coverage(data.coverage, unit=unit),
                keys,
                data.coverage,
                _only(data.how, "coverage"),
                about=about,
            )
        )
    if data.notes:
        title = "What was dropped, imputed or changed"
        blocks.append(table_block(_notes(data.notes), keys, title=title, about=about))
    if data.vintages is not None and len(_frame(data.vintages)):
        blocks.append(table_block(data.vintages, keys, title="Sources and vintages", about=about))
    return blocks + _tables(data.tables, keys, data.how, about) + _closing(about)


def _notes(notes: Sequence[Note]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stage": [note.stage for note in notes],
            "rule": [note.rule for note in notes],
            "rows": [note.count for note in notes],
            "of": [note.of if note.of else None for note in notes],
            "action": [note.action for note in notes],
            "first": [note.first for note in notes],
        }
    )


def _clusters(part: ClusterSection, keys: Keys, unit: str) -> list[Block]:
    blocks: list[Block] = []
    about = _about(part.about, keys)
    if part.scores is not None and len(part.scores):
        # Once each, in order: a set would come in another order in the next process.
        metrics = dict.fromkeys(str(metric) for metric in part.scores["metric"])
        how = _only(part.how, *metrics)
        chart = charts_clusters.scores(part.scores)
        blocks.append(_chart(chart, keys, part.scores, how, about=about))
    if part.profiles is not None and len(part.profiles):
        how = _only(part.how, "profiles")
        chart = charts_clusters.profiles(part.profiles, part.names)
        blocks.append(_chart(chart, keys, part.profiles, how, about=about))
    if part.embeddings is not None and len(part.embeddings):
        blocks += _map(part, part.embeddings, keys, unit, about)
    if part.membership is not None and len(part.membership.sizes):
        blocks += _membership(part, part.membership, keys, unit, about)
    blocks += _tables(part.tables, keys, part.how, about)
    return blocks + _parts(part.parts, keys, part.how, about, unit) + _closing(about)


def _map(
    part: ClusterSection, embeddings: pd.DataFrame, keys: Keys, unit: str, about: About
) -> list[Block]:
    packed = pack(embeddings, part.names)
    if not packed["dates"]:
        return []
    key = keys.new("map")
    clusters = embeddings["cluster"].dropna().astype(int).unique()
    extra = {
        "packed": packed,
        "flat": "z" not in packed["axes"] and "z3" not in packed["axes"],
        "passing": "windows" if packed["dated"] else "maps",
        "last": len(packed["dates"]) - 1,
        "dates": packed["dates"],
        "unit": unit,
        "legend": _legend(clusters, part.names),
    }
    how = how_lines(key, _only(part.how, "embedding"))
    title = "Map of the clusters"
    return [Block(kind="map", title=title, key=key, how=how, rest=about.anchor, extra=extra)]


def _legend(clusters: Iterable[int], names: Mapping[int, str]) -> list[tuple[str, str]]:
    return [(colour(c), cluster_label(c, names)) for c in sorted(clusters)]


def _membership(
    part: ClusterSection, data: Membership, keys: Keys, unit: str, about: About
) -> list[Block]:
    key = keys.new("flow")
    numbers = [int(cluster) for cluster in data.sizes.columns.tolist()]
    blocks = [
        Block(
            kind="flow",
            title="Membership through time",
            key=key,
            markup=to_svg(lay_out_flows(data), part.names, unit=unit),
            how=how_lines(key, _only(part.how, "membership")),
            rest=about.anchor,
            extra={"legend": _legend(numbers, part.names), "unit": unit},
        )
    ]
    if data.events is not None and len(data.events):
        title = "Births, deaths, splits and merges"
        blocks.append(table_block(data.events, keys, title=title, about=about))
    return blocks


def _factors(part: FactorSection, keys: Keys) -> list[Block]:
    blocks: list[Block] = []
    about = _about(part.about, keys)
    if part.notes:
        blocks.append(Block(kind="list", lines=part.notes, rest=about.anchor))
    if part.summary is not None:
        title = "The series in numbers"
        blocks.append(table_block(part.summary, keys, title=title, how=part.how, about=about))
    if part.cumulative is not None and len(part.cumulative):
        blocks.append(
            _chart(
                charts_returns.growth(part.cumulative, part.drawdowns),
                keys,
                part.cumulative,
                _only(part.how, "growth", "drawdown"),
                about=about,
            )
        )
    if part.drawdown_dates is not None and len(part.drawdown_dates):
        table = Table(
            title="Deepest drawdowns",
            frame=part.drawdown_dates,
            formats={"depth": "percent"},
        )
        blocks.append(table_block(table, keys, how=part.how, about=about))
    if part.correlations is not None and len(part.correlations):
        chart = charts_returns.correlations(part.correlations)
        how = _only(part.how, "correlations")
        blocks.append(_chart(chart, keys, part.correlations, how, about=about))
    return blocks + _tables(part.tables, keys, part.how, about) + _closing(about)


def _tests(tests: Sequence[TestSection], keys: Keys) -> list[Block]:
    return [block for test in tests for block in _test(test, keys)]


def _test(test: TestSection, keys: Keys) -> list[Block]:
    blocks = [Block(kind="heading", title=test.title)]
    about = _about(test.about, keys)
    if test.coefficients is not None:
        notes = _reading(test)
        block = table_block(
            test.coefficients, keys, title="Coefficients", how=test.how, notes=notes, about=about
        )
        blocks.append(_with_how(block, _unnamed(test, block)))
    if test.statistics:
        joint = _statistics(test.statistics)
        blocks.append(table_block(joint, keys, how=test.how, about=about))
    blocks += _tables(test.tables, keys, test.how, about)
    if test.alphas is not None and len(test.alphas.estimates):
        chart = charts_tests.alphas(test.alphas)
        blocks.append(_chart(chart, keys, test.alphas.estimates, about=about))
    if test.by_date is not None and len(test.by_date):
        blocks.append(_chart(charts_tests.by_date(test.by_date), keys, test.by_date, about=about))
    if test.coefficients is None and test.conventions:
        blocks.append(Block(kind="list", lines=test.conventions, rest=about.anchor))
    return blocks + _closing(about)


def _unnamed(test: TestSection, block: Block) -> dict[str, HowComputed]:
    """Return the entries that name no column and no joint test: they speak of the whole table."""
    named = {line.name for line in block.how} | {s.name for s in test.statistics}
    named |= {str(column) for table in test.tables for column in table.frame.columns}
    return {name: entry for name, entry in test.how.items() if name not in named}


def _reading(test: TestSection) -> list[str]:
    """Return the lines under a table of coefficients: how to read it, then the conventions."""
    table = test.coefficients
    lines = []
    if table is not None and table.tstats is not None:
        bold = "; bold: p < 0.05" if table.pvalues is not None else ""
        lines.append(f"t-statistics in parentheses{bold}.")
    return [*lines, *test.conventions]


def _with_how(block: Block, how: Mapping[str, HowComputed]) -> Block:
    return replace(block, how=[*block.how, *how_lines(block.key, how)])


def _statistics(statistics: Sequence[Statistic]) -> Table:
    frame = pd.DataFrame(
        {
            "test": [s.name for s in statistics],
            "value": [s.value for s in statistics],
            "p": [s.pvalue for s in statistics],
            "distribution": [s.distribution for s in statistics],
            "null": [s.null for s in statistics],
        }
    )
    return Table(title="Joint tests", frame=frame, formats={"p": "pvalue"}, how_by="row")


def _frame(table: Table | pd.DataFrame) -> pd.DataFrame:
    return table.frame if isinstance(table, Table) else table


def _truth(truth: Table | pd.DataFrame, keys: Keys) -> list[Block]:
    table = truth if isinstance(truth, Table) else Table(title="", frame=truth)
    about = _about(table.about, keys)
    chart = _chart(charts_tests.truth(table.frame), keys, about=about)
    plain = replace(table, title=table.title or "Planted values and their estimates", about=None)
    return [chart, table_block(plain, keys, about=about), *_closing(about)]


def _specifications(part: SpecificationSection, keys: Keys) -> list[Block]:
    about = _about(part.about, keys)
    chart = _chart(charts_tests.specifications(part), keys, about=about)
    notes = [Block(kind="list", lines=part.notes, rest=about.anchor)] if part.notes else []
    shown = ["estimate", "low", "high"]
    table = Table(
        title="All specifications",
        frame=part.estimates[shown].join(part.choices),
        formats=dict.fromkeys(shown, "percent" if part.percent else "number"),
    )
    return [chart, *notes, table_block(table, keys, about=about), *_closing(about)]


def _extra(part: ExtraSection, keys: Keys, unit: str) -> list[Block]:
    about = _about(part.about, keys)
    text = [Block(kind="text", lines=part.text, rest=about.anchor)] if part.text else []
    blocks = [*text, *_tables(part.tables, keys, part.how, about)]
    blocks += _parts(part.parts, keys, part.how, about, unit)
    return blocks + _closing(about)


def _parts(
    parts: Sequence[Part | ClusterSection],
    keys: Keys,
    how: Mapping[str, HowComputed],
    about: About,
    unit: str,
) -> list[Block]:
    """Return parts in the order of reading; a fold is its heading, its blocks, and an end."""
    blocks: list[Block] = []
    for item in parts:
        if isinstance(item, Fold):
            extra = {"gist": item.gist, "open": item.open}
            blocks.append(Block(kind="fold", title=item.title, key=keys.new("fold"), extra=extra))
            blocks += [*_parts(item.parts, keys, how, about, unit), Block(kind="end")]
        elif isinstance(item, ClusterSection):
            blocks += _clusters(item, keys, unit)
        elif isinstance(item, Figure):
            blocks.append(_figure(item, keys, about))
        elif isinstance(item, Plot):
            blocks.append(_chart(draw(item), keys, item.frame, about=about))
        elif isinstance(item, Chart):
            blocks.append(_chart(item, keys, about=about))
        elif isinstance(item, Table):
            blocks.append(table_block(item, keys, how=how, about=about))
        else:
            blocks.append(Block(kind="text", lines=[item], rest=about.anchor))
    return blocks


def _figure(item: Figure, keys: Keys, about: About) -> Block:
    if item.chart is not None:
        return _chart(item.chart, keys, item.frame, item.how, about=about)
    key = keys.new("drawing")
    files = {} if item.frame is None else {"csv": to_csv(item.frame)}
    return Block(
        kind="drawing",
        title=item.title,
        key=key,
        lines=[item.caption] if item.caption else [],
        markup=item.markup,
        how=how_lines(key, item.how),
        rest=about.anchor,
        extra={"files": files, "name": file_name(item.title) or key},
    )
