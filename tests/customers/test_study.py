from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from alphastrata.customers import CustomerStudy, segment_study, simulate, simulate_fund_returns
from alphastrata.customers.page import page_of
from alphastrata.errors import ConfigError, InputDataError

SMALL = {
    "segments": {
        "stages": {"reduction": "pca"},
        "effort": {"search_rows": 400, "draws": 5, "repeats": 1, "k_max": 6},
    },
}


def study(**parts):
    return CustomerStudy.model_validate({**SMALL, **parts})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("customers")
    made = simulate(700, respondents=0.6, transactions=True, seed=4)
    made.customers.to_csv(folder / "customers.csv", index=False)
    made.transactions.to_csv(folder / "transactions.csv", index=False)
    simulate_fund_returns(90, seed=1).reset_index().to_csv(folder / "returns.csv", index=False)
    return folder, made


@pytest.fixture(scope="module")
def result(files, tmp_path_factory):
    folder, _ = files
    plan = study(
        data={"transactions": str(folder / "transactions.csv")},
        portfolios={"returns": str(folder / "returns.csv")},
    )
    out = tmp_path_factory.mktemp("out")
    return segment_study(folder / "customers.csv", study=plan, out=out)


def test_the_whole_way(result):
    assert result.found.supported
    assert result.lift is not None
    assert result.allocation is not None
    assert result.warnings == ()
    assert "within its budget" in result.answer[-1]
    folder = result.report.parent
    campaign = pd.read_csv(folder / "campaign.csv")
    assert campaign["chosen"].sum() == result.campaign.count <= 0.3 * 700
    assert len(pd.read_csv(folder / "segments.csv")) == 700
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sum(key.startswith("input ") for key in manifest) == 3
    assert {"themes.csv", "portfolios.csv", "fairness.csv"} <= {f.name for f in folder.iterdir()}


def test_every_number_on_the_page_is_explained(result, unexplained):
    assert unexplained(result.report.read_text(encoding="utf-8")) == []


def test_no_customer_is_on_the_page(result, files):
    _, made = files
    page = result.report.read_text(encoding="utf-8")
    shown = repr(page_of(result))
    for name in ("email", "full_name", "customer_id"):
        values = made.customers[name].dropna().astype(str)
        assert not any(value in page for value in values)
        assert not any(value in shown for value in values)
    for file in result.report.parent.glob("*.csv"):
        text = file.read_text()
        assert "@example.com" not in text
        if file.name not in ("segments.csv", "campaign.csv"):
            assert made.customers["customer_id"].iloc[0] not in text


def test_the_page_has_every_part(result):
    page = page_of(result)
    titles = [extra.title for extra in page.extras]
    assert titles == [
        "The segments",
        "How many, and how sure",
        "Why",
        "A portfolio for each",
        "The campaign",
        "Is it fair?",
    ]
    charts = [p.title for e in page.extras for p in e.parts if hasattr(p, "data")]
    assert len(charts) == len(set(charts)) >= 14
    assert page.data.counts is not None


def test_same_study_same_page(files, result, tmp_path):
    folder, _ = files
    plan = result.study.model_copy()
    again = segment_study(study=plan, out=tmp_path)
    assert again.report.read_bytes() == result.report.read_bytes()


def test_without_segments_the_page_says_so(tmp_path):
    plan = study(data={"simulate": {"n_customers": 400, "separation": 0.0, "respondents": 0.0}})
    result = segment_study(study=plan, out=tmp_path)
    assert result.answer[0].startswith("No segments")
    assert any("one cloud" in w for w in result.warnings)
    assert any("stated rule" in w for w in result.warnings)
    assert result.campaign.count <= 120
    assert result.lift is None
    assert result.report.is_file()


def test_segments_asked_for_without_support_carry_a_warning(tmp_path):
    plan = study(
        data={"simulate": {"n_customers": 400, "separation": 0.0}},
        segments={**SMALL["segments"], "n_segments": 4},
    )
    result = segment_study(study=plan, out=tmp_path)
    assert result.found.n_segments == 4
    assert "do not support 4 segments" in result.warnings[0]


def test_a_bare_table_gets_what_it_can(tmp_path):
    frame = simulate(200, seed=2).customers[["noise_1", "noise_2", "noise_3"]]
    frame.to_csv(tmp_path / "bare.csv", index=False)
    result = segment_study(tmp_path / "bare.csv", study=study(), out=tmp_path / "out")
    assert result.allocation is None
    assert result.campaign is None
    assert [w.split(":")[0] for w in result.warnings[-2:]] == ["No portfolios", "No campaign"]


def test_costs_and_values_by_column(files, tmp_path):
    folder, _ = files
    plan = study(campaign={"share": None, "amount": 500.0, "cost": "age", "value": "stock_balance"})
    result = segment_study(folder / "customers.csv", study=plan, out=tmp_path)
    assert result.campaign.cost <= 500.0
    assert result.campaign.count > 5
    wrong = study(campaign={"cost": "occupation"})
    with pytest.raises(ConfigError, match="'occupation' is neither"):
        segment_study(folder / "customers.csv", study=wrong, out=tmp_path)


def test_mistakes_are_named(tmp_path):
    with pytest.raises(ConfigError, match="needs a file of them"):
        segment_study(study=study(), out=tmp_path)
    with pytest.raises(InputDataError, match="files that exist"):
        segment_study(tmp_path / "none.csv", study=study(), out=tmp_path)
    (tmp_path / "r.csv").write_text("month,stock,bond\nsoon,0.1,0.2\n")
    plan = study(
        data={"simulate": {"n_customers": 300}}, portfolios={"returns": str(tmp_path / "r.csv")}
    )
    with pytest.raises(InputDataError, match="must be dates; 1 are none"):
        segment_study(study=plan, out=tmp_path)


@pytest.mark.realdata
@pytest.mark.slow
def test_the_survey_end_to_end(real_data, tmp_path):
    path = real_data / "customers" / "scf2019.parquet"
    small = {"search_rows": 500, "fit_rows": 1_500, "draws": 5, "repeats": 1, "k_max": 6}
    plan = study(segments={"stages": {"reduction": "pca"}, "effort": small})
    result = segment_study(path, study=plan, out=tmp_path)
    assert len(result.found.labels) == 28_885
    assert len(result.found.customers()) == 5_777
    assert result.campaign.count <= 0.3 * 5_777
    assert not result.scored.calibrated
    assert {"sex", "race_or_ethnicity"} <= set(result.fairness.index.get_level_values(0))
    assert replace(result, report=None).report is None
