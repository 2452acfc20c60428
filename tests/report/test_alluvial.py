from __future__ import annotations

from collections import defaultdict

import pandas as pd
import pytest

from alphastrata.report import Membership, ReportData
from alphastrata.report.alluvial import lay_out_flows, to_svg


def test_streams_stay_inside_their_blocks(report_data: ReportData) -> None:
    part = report_data.clusters[0].membership
    assert part is not None
    flow = lay_out_flows(part)
    blocks = {(b.column, b.cluster): b for b in flow.blocks}
    out: dict[tuple[int, int], int] = defaultdict(int)
    for stream in flow.streams:
        start = blocks[stream.column, stream.cluster_from]
        end = blocks[stream.column + 1, stream.cluster_to]
        assert start.top <= stream.top_from + 1e-9
        assert stream.top_from + stream.count <= start.top + start.count + 1e-9
        assert end.top <= stream.top_to + 1e-9
        assert stream.top_to + stream.count <= end.top + end.count + 1e-9
        out[stream.column, stream.cluster_from] += stream.count
    assert all(out[key] <= blocks[key].count for key in out)


def test_entering_leaving_and_jumping_assets_have_no_stream() -> None:
    when = pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])
    flows = pd.DataFrame(
        {
            "date_from": [when[0], when[0], when[0], when[1]],
            "date_to": [when[1], when[1], when[2], when[2]],
            "cluster_from": [1, 0, 1, 1],
            "cluster_to": [1, 1, 1, 0],
            "count": [2, 1, 1, 1],
        }
    )
    part = Membership(sizes=pd.DataFrame({1: [2, 3, 2]}, index=when), flows=flows)
    streams = lay_out_flows(part).streams
    assert [(s.column, s.count) for s in streams] == [(0, 2)]


def test_names_in_the_figure_are_escaped() -> None:
    part = Membership(sizes=pd.DataFrame({1: [2]}, index=pd.to_datetime(["2020-01-31"])))
    svg = to_svg(lay_out_flows(part), {1: "<script>alert(1)</script>"})
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg


def test_columns_are_asked_for() -> None:
    sizes = pd.DataFrame({1: [2]}, index=pd.to_datetime(["2020-01-31"]))
    with pytest.raises(ValueError, match="cluster_to"):
        Membership(sizes=sizes, flows=pd.DataFrame({"date_from": []}))
