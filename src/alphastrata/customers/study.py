"""The whole way: customers, segments, portfolios, a campaign, and a report of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from alphastrata.customers.allocation import Allocation, allocate
from alphastrata.customers.campaign import Campaign, plan_campaign
from alphastrata.customers.explain import Explanation, explain
from alphastrata.customers.fairness import fairness
from alphastrata.customers.files import write_study
from alphastrata.customers.funds import simulate_fund_returns
from alphastrata.customers.lift import Lift, measure_lift
from alphastrata.customers.preprocess import MixedPreprocessor
from alphastrata.customers.propensity import Propensity, propensity
from alphastrata.customers.result import StudyResult
from alphastrata.customers.risk import risk_profiles
from alphastrata.customers.scf import read_scf
from alphastrata.customers.segmentation import Segmentation, segment
from alphastrata.customers.settings import CampaignPart, CustomerStudy, PortfolioPart, read_study
from alphastrata.customers.simulate import simulate
from alphastrata.customers.table import CustomerTable, make_table, read_customers, read_frame
from alphastrata.customers.themes import themes
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["StudyResult", "run_study", "segment_study"]

Progress = Callable[[str, int, int], None]


def segment_study(
    customers: str | Path | None = None,
    *,
    study: str | Path | CustomerStudy | None = None,
    out: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> StudyResult:
    """Run a study of customers and write its report and tables.

    Parameters
    ----------
    customers : path, optional
        CSV, Excel or parquet; overrides the study's ``data.customers``. A summary extract of the
        Survey of Consumer Finances is recognised by its columns.
    study : path or CustomerStudy, optional
        A TOML file; defaults for everything without one.
    out : path, optional
        Folder for ``report.html``, the tables and ``manifest.json``; ``out/<name>`` by default.
    progress : callable
        Called with a stage, how much is done and how much there is.

    Returns
    -------
    StudyResult
        With ``report`` set, and ``answer`` and ``warnings`` to print.

    Raises
    ------
    InputDataError
        If the customers are not what they should be.
    ConfigError
        If the study is not, or there are no customers.

    Examples
    --------
    >>> import tempfile
    >>> from alphastrata.customers import Effort
    >>> small = CustomerStudy.model_validate({
    ...     "data": {"simulate": {"n_customers": 300}},
    ...     "segments": {"stages": {"reduction": "pca"}, "effort": Effort(draws=4, repeats=1)}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     segment_study(study=small, out=folder).report.name
    'report.html'
    """
    plan = study if isinstance(study, CustomerStudy) else CustomerStudy()
    if study is not None and not isinstance(study, CustomerStudy):
        plan = read_study(study)
    if customers is not None:
        data = plan.data.model_copy(update={"customers": Path(customers), "simulate": None})
        plan = plan.model_copy(update={"data": data})
    result = run_study(plan, progress=progress)
    folder = Path(out) if out is not None else Path("out") / plan.name
    return write_study(result, folder)


def run_study(
    study: CustomerStudy, *, progress: Progress = lambda stage, done, total: None
) -> StudyResult:
    """Return what a study finds, with nothing written.

    Raises
    ------
    InputDataError, ConfigError
        As `segment_study`.
    """
    table, inputs = _load(study)
    part = study.segments
    prepared = MixedPreprocessor(log=part.log, nominal=part.nominal, rare=part.rare)
    found = segment(
        table,
        stages=part.stages,
        n_segments=part.n_segments,
        divide=part.divide,
        preprocessor=prepared,
        effort=part.effort,
        random_state=study.seed,
        progress=progress,
    )
    progress("explain", 0, 1)
    explanation = explain(found)
    progress("explain", 1, 1)
    warnings = _first_warnings(found)
    risk, allocation = _portfolios(found, study, warnings, inputs)
    progress("portfolios", 1, 1)
    scored, campaign, lift = _campaign(found, study.campaign, warnings, study.seed)
    fair = fairness(found, campaign.chosen) if campaign is not None else None
    themed = None
    if campaign is not None and risk is not None:
        themed = themes(explanation.profiles, risk, campaign)
    progress("campaign", 1, 1)
    return StudyResult(
        study=study,
        found=found,
        explanation=explanation,
        risk=risk,
        allocation=allocation,
        scored=scored,
        campaign=campaign,
        lift=lift,
        fairness=fair,
        themes=themed,
        answer=tuple(_answer(found, explanation, campaign, scored, lift, study.campaign)),
        warnings=tuple(warnings),
        inputs=inputs,
    )


def _load(study: CustomerStudy) -> tuple[CustomerTable, dict[str, str]]:
    data = study.data
    if data.simulate is not None and data.customers is None:
        made = simulate(**data.simulate.model_dump())
        return make_table(made.customers, kinds=study.kinds, transactions=made.transactions), {}
    if data.customers is None:
        raise ConfigError(
            "A study of customers needs a file of them: name it, or set data.customers or "
            "data.simulate in the study."
        )
    inputs = {str(p): _sha256(p) for p in (data.customers, data.transactions) if p is not None}
    if _is_survey(data.customers):
        return read_scf(data.customers), inputs
    table = read_customers(
        data.customers, kinds=study.kinds, transactions=data.transactions, encoding=data.encoding
    )
    return table, inputs


def _is_survey(path: Path) -> bool:
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    from pyarrow.parquet import read_schema

    return {"YY1", "Y1", "WGT", "HHSEX", "NETWORTH"} <= set(read_schema(path).names)


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise InputDataError(f"A study reads files that exist; {path} is none.")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _first_warnings(found: Segmentation) -> list[str]:
    out = []
    if found.n_segments > 1 and not found.supported:
        out.append(
            f"The data do not support {found.n_segments} segments: the same stages score as well, "
            "or come out as different, on customers without any. Use them as a division, not as a "
            "finding."
        )
    if found.n_segments == 1:
        out.append(
            "No segments were found that one cloud of customers would not show as well. What "
            "follows treats all customers alike; a division by rule (age, wealth) may still serve."
        )
    return out


def _portfolios(
    found: Segmentation, study: CustomerStudy, warnings: list[str], inputs: dict[str, str]
) -> tuple[pd.DataFrame | None, Allocation | None]:
    try:
        risk = risk_profiles(found, columns=study.risk_columns)
    except InputDataError as error:
        warnings.append(f"No portfolios: {error}")
        return None, None
    part = study.portfolios
    if part.returns is None:
        warnings.append(
            "The portfolios rest on simulated returns of four types of funds: set "
            "portfolios.returns to a file of real ones before advising anybody."
        )
        returns = simulate_fund_returns(seed=study.seed)
    else:
        returns = _returns(part)
        inputs[str(part.returns)] = _sha256(part.returns)
    allocation = allocate(returns, risk, rules=part.rules, periods_per_year=part.periods_per_year)
    return risk, allocation


def _returns(part: PortfolioPart) -> pd.DataFrame:
    assert part.returns is not None
    frame = read_frame(part.returns)
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame
    first = frame.columns[0]
    dates = pd.to_datetime(frame[first], errors="coerce")
    if dates.isna().any():
        raise InputDataError(
            f"The first column of {part.returns.name} must be dates; {int(dates.isna().sum())} are "
            f"none. First: {frame[first][dates.isna()].iloc[0]!r}. Write dates as 2024-01-31."
        )
    return frame.drop(columns=first).set_index(pd.DatetimeIndex(dates, name="date"))


def _campaign(
    found: Segmentation, part: CampaignPart, warnings: list[str], seed: int
) -> tuple[Propensity | None, Campaign | None, Lift | None]:
    try:
        scored = propensity(found, target=part.target, rule=part.rule, random_state=seed)
    except InputDataError as error:
        warnings.append(f"No campaign: {error}")
        return None, None, None
    segments = found.customers()["segment"]
    plan = plan_campaign(
        scored.scores,
        segments,
        budget=part.budget(),
        costs=_per_customer(found, part.cost),
        values=_per_customer(found, part.value),
        by=part.by,
    )
    if not scored.calibrated:
        warnings.append(
            "Customers are ranked by a stated rule, not by a probability: too few answers to an "
            "earlier offer are known. Ask a random part first, then choose."
        )
        return scored, plan, None
    share = plan.count / max(len(scored.scores), 1)
    lift = measure_lift(scored, found.table, share=max(share, 0.01), random_state=seed)
    return scored, plan, lift


def _per_customer(found: Segmentation, what: float | str) -> pd.Series | float:
    if not isinstance(what, str):
        return float(what)
    if what not in found.table.columns("numeric"):
        raise ConfigError(
            f"A cost or value per customer is a number or a numeric column; {what!r} is neither."
        )
    groups = found.table.customer_keys()
    first = ~groups.duplicated().to_numpy()
    column = found.table.frame[what][first].set_axis(pd.Index(groups[first].astype(str)))
    return column.fillna(column.median())


def _answer(
    found: Segmentation,
    explanation: Explanation,
    campaign: Campaign | None,
    scored: Propensity | None,
    lift: Lift | None,
    part: CampaignPart,
) -> list[str]:
    out = [found.sentence()]
    if found.n_segments > 1:
        names = [f"{k} {name}" for k, name in explanation.profiles.names.items()]
        out.append("The segments, largest first: " + "; ".join(names) + ".")
    if campaign is not None and scored is not None:
        share = campaign.count / len(scored.scores)
        said = (
            f"The campaign for {part.offer} reaches {campaign.count:,} of "
            f"{len(scored.scores):,} customers ({share:.0%}) within its budget"
        )
        if lift is not None:
            own = lift.comparison.loc["this campaign"]
            chance = lift.comparison.loc["at random"]
            said += (
                f"; measured on {lift.known:,} earlier answers, {own['response']:.0%} accept "
                f"({own['low']:.0%} to {own['high']:.0%}) where {chance['response']:.0%} do at "
                "random"
            )
        out.append(said + ".")
    return out
