"""The settings of a study of customers: one TOML file, checked before anything runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alphastrata.core.faults import refused
from alphastrata.core.refusals import faults_of
from alphastrata.customers.allocation import AllocationRules
from alphastrata.customers.campaign import Budget
from alphastrata.customers.choice import Effort
from alphastrata.customers.stages import Stages
from alphastrata.errors import ConfigError

__all__ = ["CustomerStudy", "read_study"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SimulatedPart(_Part):
    """Settings of `simulate`."""

    n_customers: int = Field(default=2_000, ge=50)
    n_segments: int = Field(default=5, ge=1, le=8)
    separation: float = Field(default=1.0, ge=0)
    missing: float = Field(default=0.1, ge=0, lt=0.9)
    noise_columns: int = Field(default=8, ge=0)
    respondents: float = Field(default=0.3, ge=0, le=1)
    transactions: bool = False
    seed: int = 0


class DataPart(_Part):
    """Where customers come from."""

    customers: Path | None = None
    transactions: Path | None = None
    encoding: str = "utf-8"
    simulate: SimulatedPart | None = None


class SegmentPart(_Part):
    """How segments are found."""

    stages: Literal["search"] | Stages = "search"
    n_segments: Literal["auto"] | int = "auto"
    divide: int | None = None
    effort: Effort = Effort()
    log: Literal["auto", "always", "never"] = "auto"
    nominal: Literal["one_hot", "embedding"] = "one_hot"
    rare: float = Field(default=0.02, ge=0, lt=0.5)


class PortfolioPart(_Part):
    """Portfolios of segments; without returns, those of simulated funds."""

    returns: Path | None = None
    periods_per_year: int = Field(default=12, ge=1, le=366)
    rules: AllocationRules = AllocationRules()


class CampaignPart(_Part):
    """The campaign."""

    offer: str = "newly issued government bonds"
    share: float | None = 0.3
    amount: float | None = None
    cost: float | str = 1.0
    value: float | str = 1.0
    target: str | None = None
    rule: dict[str, float] | None = None
    by: Literal["propensity", "segment"] = "propensity"

    def budget(self) -> Budget:
        """Return the budget."""
        return Budget(share=self.share, amount=self.amount)

    @model_validator(mode="after")
    def _check(self) -> CampaignPart:
        self.budget()
        return self


class CustomerStudy(_Part):
    """A study of customers.

    Attributes
    ----------
    name, title : str
    seed : int
    data, segments, portfolios, campaign
        Its parts.
    kinds : dict
        See `infer_kinds`.
    risk_columns : dict
        See `risk_profiles`.
    """

    name: str = "customers"
    title: str = "Customers"
    seed: int = 0
    data: DataPart = DataPart()
    kinds: dict[str, str | list[str]] = {}
    segments: SegmentPart = SegmentPart()
    risk_columns: dict[str, str] = {}
    portfolios: PortfolioPart = PortfolioPart()
    campaign: CampaignPart = CampaignPart()


def read_study(path: str | Path) -> CustomerStudy:
    """Return the study in a TOML file; its paths are relative to the file.

    Raises
    ------
    ConfigError
        If the file is absent or no TOML, or a key is unknown or out of range; all are named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "x.toml"
    ...     _ = file.write_text('name = "bonds"')
    ...     read_study(file).name
    'bonds'
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"A study must be a TOML file; {file} is none.")
    try:
        text = file.read_text(encoding="utf-8")
        study = CustomerStudy.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file.name} must be TOML in UTF-8: {error}.") from error
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False), CustomerStudy)
        raise refused(file.name, text, faults) from error
    data = study.data
    moved = {
        name: file.parent / value
        for name in ("customers", "transactions")
        if (value := getattr(data, name)) is not None
    }
    returns = study.portfolios.returns
    portfolios = study.portfolios
    if returns is not None:
        portfolios = portfolios.model_copy(update={"returns": file.parent / returns})
    return study.model_copy(
        update={"data": data.model_copy(update=moved), "portfolios": portfolios}
    )
