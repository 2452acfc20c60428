"""What is wrong with a panel, before a study finds out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.panel import Panel
from alphastrata.core.results import Summary
from alphastrata.data.health_checks import ERROR, INFO, WARNING, Finding, Severity, findings

__all__ = ["HealthCheck", "HealthReport", "health"]


@dataclass(frozen=True)
class HealthCheck:
    """One rule, and how the panel keeps it.

    Attributes
    ----------
    check, severity, rule, remedy
        Name; "error", "warning" or "info"; what should hold; what to do where it does not.
    count, of
        Rows that break the rule, and rows it was asked of.
    first
        The first offender.
    """

    check: str
    severity: Severity
    rule: str
    count: int
    of: int
    first: str
    remedy: str


@dataclass(frozen=True)
class HealthReport:
    """The result of :func:`health`.

    Attributes
    ----------
    checks
        All checks that apply to the panel's columns, errors first.
    rows, assets, dates
        Size of the panel.
    """

    checks: tuple[HealthCheck, ...]
    rows: int
    assets: int
    dates: int

    @property
    def broken(self) -> tuple[HealthCheck, ...]:
        """The checks that found something."""
        return tuple(check for check in self.checks if check.count)

    @property
    def ok(self) -> bool:
        """Whether no check of severity "error" found anything."""
        return not any(check.severity == ERROR for check in self.broken)

    def __getitem__(self, name: str) -> HealthCheck:
        """Return the check of that name."""
        for check in self.checks:
            if check.check == name:
                return check
        raise KeyError(name)

    def raise_if_unusable(self) -> None:
        """Raise InputDataError naming every rule of severity "error" that is broken."""
        found = Violations("panel")
        for check in self.broken:
            if check.severity == ERROR:
                found.add(check.rule, count=check.count, first=check.first, remedy=check.remedy)
        found.raise_if_any()

    def table(self) -> pd.DataFrame:
        """Return one row per check: severity, count, of, first, rule, remedy."""
        columns = ["severity", "count", "of", "first", "rule", "remedy"]
        data = [[getattr(check, name) for name in columns] for check in self.checks]
        index = pd.Index([check.check for check in self.checks], name="check")
        return pd.DataFrame(data, index=index, columns=columns)

    def summary(self) -> Summary:
        """Return the broken rules as text."""
        size = f"{self.rows:,} rows, {self.assets:,} assets, {self.dates:,} dates"
        if not self.broken:
            return Summary(f"Panel of {size}: {len(self.checks)} checks, nothing found.")
        lines = [
            f"Panel of {size}: {len(self.broken)} of {len(self.checks)} checks found something"
        ]
        for check in self.broken:
            lines.append(
                f"  {check.severity:<7} {check.check}: {check.count:,} of {check.of:,}. "
                f"{check.rule}. First: {check.first}. {check.remedy}"
            )
        return Summary("\n".join(lines))

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        table = self.table()
        shown = table[table["count"] > 0] if self.broken else table
        return str(shown.to_html(escape=True))


def health(panel: Panel) -> HealthReport:
    """Return how a panel keeps the rules that a study relies on, with counts and first offenders.

    Parameters
    ----------
    panel
        Any panel; checks whose columns are absent are left out.

    Returns
    -------
    HealthReport
        Among the checks: statements shown before they were known, returns in percent or below
        -100%, zero and negative prices, mixed currencies (errors); jumps over 100%, stale prices,
        unadjusted splits, reused tickers, missing sessions, market caps that are not price times
        shares, old statements, survivorship (warnings); split steps, gaps, missing returns
        (information).

    Examples
    --------
    >>> from alphastrata.data import simulate_market
    >>> report = health(simulate_market(30, periods=24).panel)
    >>> report.ok, report["look-ahead"].count
    (True, 0)
    """
    checks = [_count(found, panel) for found in findings(panel)]
    checks.sort(key=lambda check: (ERROR, WARNING, INFO).index(check.severity))
    return HealthReport(tuple(checks), len(panel), len(panel.assets), len(panel.dates))


def _count(found: Finding, panel: Panel) -> HealthCheck:
    first = ""
    if found.rows.size:
        row = int(found.rows[0])
        date = panel.dates[panel.date_codes[row]]
        first = f"date={date:%Y-%m-%d}, asset={panel.assets[panel.asset_codes[row]]}"
    return HealthCheck(
        found.check,
        found.severity,
        found.rule,
        int(found.rows.size),
        found.of,
        first,
        found.remedy,
    )
