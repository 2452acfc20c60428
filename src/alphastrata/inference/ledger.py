"""A ledger of trials: every specification tried, chained by hashes so that none can vanish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from alphastrata.core import FactorReturns
from alphastrata.errors import CacheCorruptError, ConfigError, InputDataError
from alphastrata.inference.multiple import Adjustment, adjust_pvalues
from alphastrata.inference.sharpe import DeflatedSharpe, SharpeMoments, deflated_sharpe

__all__ = ["Ledger", "Trial"]

_GENESIS = "0" * 64


@dataclass(frozen=True)
class Trial:
    """One specification tried and what came out.

    Attributes
    ----------
    number : int
        Position in the ledger, from 1.
    specification : dict
        Settings that define the trial.
    outcome : dict
        Numbers such as "alpha", "t", "p" and "sharpe".
    recorded : str
        When, UTC, ISO 8601.
    previous, digest : str
        sha256 of the trial before and of this one.
    """

    number: int
    specification: dict[str, Any]
    outcome: dict[str, float]
    recorded: str
    previous: str
    digest: str


class Ledger:
    """An append-only file of trials, one JSON line each.

    Every line holds the sha256 of the line before, and a small file beside the ledger (with the
    ending ".head") the number of trials and the last digest. A line that is changed, removed,
    inserted or moved breaks the chain; lines cut from the end disagree with the head. Somebody
    who rewrites both files from the start leaves no trace here, so a report prints the head:
    two reports of one study must agree on the digest of the trials that they share.

    Parameters
    ----------
    path : path
        The ledger; made with the first trial.

    Raises
    ------
    CacheCorruptError
        When the file is read and the chain does not hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = Ledger(Path(folder) / "trials.jsonl")
    ...     _ = ledger.record({"sort": "LEV", "n": 5}, {"p": 0.03, "sharpe": 0.1})
    ...     _ = ledger.record({"sort": "LEV", "n": 10}, {"p": 0.20, "sharpe": 0.05})
    ...     ledger.count, ledger.adjusted("bonferroni").tolist()
    (2, [0.06, 0.4])
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._head = self.path.with_name(self.path.name + ".head")

    def record(
        self,
        specification: Mapping[str, Any],
        outcome: Mapping[str, float],
        *,
        recorded: datetime | None = None,
    ) -> Trial:
        """Append a trial and return it.

        A trial with the same specification and outcome as one already there is not appended
        again, so that a resumed study does not count twice; the one there is returned.

        Parameters
        ----------
        specification : mapping
            Settings; values that JSON knows.
        outcome : mapping of str to float
            Numbers; missing ones may be NaN.
        recorded : datetime, optional
            Time stamp; now when None.

        Raises
        ------
        ConfigError
            If the specification cannot be written as JSON, or an outcome is no number or infinite.
        CacheCorruptError
            If the ledger at hand is broken.
        """
        try:
            settings = json.loads(json.dumps(dict(specification), sort_keys=True, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"A specification holds what JSON knows: {error}.") from error
        numbers = _finite(outcome)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self.path) + ".lock"):
            trials = self.trials()
            for trial in trials:
                if trial.specification == settings and _same(trial.outcome, numbers):
                    return trial
            stamp = (recorded or datetime.now(UTC)).isoformat(timespec="seconds")
            previous = trials[-1].digest if trials else _GENESIS
            body = _body(len(trials) + 1, settings, numbers, stamp, previous)
            trial = Trial(len(trials) + 1, settings, numbers, stamp, previous, _digest(body))
            if not trials:
                self._write_head(0, _GENESIS)  # before the first trial: none is ever without one
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps({**body, "digest": trial.digest}, sort_keys=True) + "\n")
                file.flush()
            self._write_head(trial.number, trial.digest)
        return trial

    def _write_head(self, number: int, digest: str) -> None:
        replacement = self._head.with_name(self._head.name + ".new")
        replacement.write_text(f"{number} {digest}\n", encoding="utf-8")
        replacement.replace(self._head)

    def trials(self) -> list[Trial]:
        """Return all trials in order, after verifying the chain and the head.

        Raises
        ------
        CacheCorruptError
            Naming the first trial that does not fit.
        """
        if not self.path.exists():
            if self._head.exists() and self._read_head()[0]:
                raise CacheCorruptError(
                    f"The ledger {self.path.name} is gone but its head remains: trials were "
                    "removed. Restore the file."
                )
            return []
        out: list[Trial] = []
        previous = _GENESIS
        try:
            text = self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise CacheCorruptError(
                f"The ledger {self.path.name} is no text: {error}. Restore the file."
            ) from error
        for number, line in enumerate(text.splitlines(), 1):
            trial = self._read(line, number, previous)
            out.append(trial)
            previous = trial.digest
        self._check_head(out)
        return out

    def _read(self, line: str, number: int, previous: str) -> Trial:
        problem = f"Trial {number} of the ledger {self.path.name}"
        try:
            entry = json.loads(line)
            digest = entry.pop("digest")
            trial = Trial(digest=digest, **{**entry, "outcome": _numbers(entry["outcome"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CacheCorruptError(f"{problem} cannot be read: {error}.") from error
        if _digest(entry) != digest:
            raise CacheCorruptError(f"{problem} was changed: its digest does not fit its content.")
        if trial.previous != previous or trial.number != number:
            raise CacheCorruptError(
                f"{problem} does not follow the one before it: a trial was removed, inserted or "
                "moved."
            )
        return trial

    def _check_head(self, trials: list[Trial]) -> None:
        if not self._head.exists():
            raise CacheCorruptError(
                f"The head of the ledger {self.path.name} is gone, so that trials cut from its "
                "end could not be noticed. Restore it."
            )
        count, digest = self._read_head()
        # A run that was killed between both writes leaves a head one behind, never ahead.
        behind = len(trials) == count + 1 and trials[-1].previous == digest
        last = trials[-1].digest if trials else _GENESIS
        if behind or (len(trials), last) == (count, digest):
            return
        what = "removed from the end" if len(trials) < count else "added, or the head replaced"
        raise CacheCorruptError(
            f"The ledger {self.path.name} holds {len(trials)} trials; its head says {count}: "
            f"trials were {what}."
        )

    def _read_head(self) -> tuple[int, str]:
        """Return the count and the last digest that the head holds."""
        try:
            count, digest = self._head.read_text(encoding="utf-8").split()
            return int(count), digest
        except ValueError as error:
            raise CacheCorruptError(
                f"The head of the ledger {self.path.name} was changed: it holds a count and a "
                "digest. Restore it."
            ) from error

    @property
    def count(self) -> int:
        """Number of trials."""
        return len(self.trials())

    @property
    def head(self) -> str:
        """Count and digest of the last trial, for a report."""
        trials = self.trials()
        return f"{len(trials)} trials, {trials[-1].digest if trials else _GENESIS}"

    def frame(self) -> pd.DataFrame:
        """Return one row per trial: its settings (prefix "set.") and its numbers."""
        rows = [
            {f"set.{k}": v for k, v in t.specification.items()} | t.outcome for t in self.trials()
        ]
        return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="trial"))

    def adjusted(self, method: Adjustment = "holm") -> pd.Series:
        """Return p-values adjusted for every trial; trials without one count as tests too.

        Raises
        ------
        InputDataError
            If no trial has a "p".
        """
        frame = self.frame()
        if "p" not in frame:
            raise InputDataError('No trial has a p-value; record outcomes with a "p".')
        return adjust_pvalues(frame["p"], method, n_tests=len(frame))

    def deflated_sharpe(self, returns: SharpeMoments | pd.Series | FactorReturns) -> DeflatedSharpe:
        """Return the deflated Sharpe ratio of a chosen series, with count and spread of trials.

        Raises
        ------
        InputDataError
            If fewer than two trials have a "sharpe" (per period).
        """
        frame = self.frame()
        ratios = frame["sharpe"].dropna() if "sharpe" in frame else pd.Series(dtype=float)
        if len(ratios) < 2:
            raise InputDataError(
                'The spread of trials needs two of them with a "sharpe" per period; got '
                f"{len(ratios)}."
            )
        return deflated_sharpe(returns, len(frame), float(ratios.std()))


def _body(
    number: int,
    specification: dict[str, Any],
    outcome: Mapping[str, float],
    recorded: str,
    previous: str,
) -> dict[str, Any]:
    # JSON has no NaN: missing numbers are written as null.
    numbers = {k: None if np.isnan(v) else v for k, v in outcome.items()}
    return {
        "number": number,
        "specification": specification,
        "outcome": numbers,
        "recorded": recorded,
        "previous": previous,
    }


def _finite(outcome: Mapping[str, float]) -> dict[str, float]:
    """Return an outcome as numbers, of which some may be missing."""
    numbers = {}
    for name, value in outcome.items():
        try:
            numbers[str(name)] = float(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"An outcome is a number; {name!r} is {value!r}.") from error
        if np.isinf(numbers[str(name)]):
            raise ConfigError(f"An outcome is finite or missing; {name!r} is {value!r}.")
    return numbers


def _numbers(outcome: Mapping[str, float | None]) -> dict[str, float]:
    return {k: float("nan") if v is None else float(v) for k, v in outcome.items()}


def _same(left: Mapping[str, float], right: Mapping[str, float]) -> bool:
    return left.keys() == right.keys() and all(
        left[k] == right[k] or (np.isnan(left[k]) and np.isnan(right[k])) for k in left
    )


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
