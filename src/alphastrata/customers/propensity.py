"""How likely each customer is to accept: a calibrated classifier, or a rule that is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.customers.profile import readable
from alphastrata.customers.segmentation import Segmentation
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["Propensity", "propensity"]

Array = NDArray[np.float64]

FEWEST_KNOWN, FEWEST_EACH = 100, 20


@dataclass(frozen=True, eq=False)
class Propensity(Shown):
    """Scores of customers for an offer.

    Attributes
    ----------
    scores : Series
        Customer -> probability to accept where past answers exist (out of fold for those whose
        answer is known), a score from 0 to 1 that only ranks where they do not.
    known : Series
        Customer -> past answer (0 or 1), for those who gave one.
    calibrated : bool
        Whether scores are probabilities.
    quality : dict
        ``auc``, ``brier`` and ``brier_base`` (always the mean), ``known``, ``accepted``; empty
        for a rule.
    calibration : DataFrame
        By fifth of the score: ``expected`` and ``observed`` share, ``customers``.
    rule : str
        How the scores were made, in words.
    notes : tuple of Note
    """

    scores: pd.Series
    known: pd.Series
    calibrated: bool
    quality: dict[str, float]
    calibration: pd.DataFrame
    rule: str
    notes: tuple[Note, ...] = ()


def propensity(
    found: Segmentation,
    *,
    target: str | None = None,
    rule: Mapping[str, float] | None = None,
    folds: int = 5,
    random_state: int = 0,
) -> Propensity:
    """Return how likely each customer is to accept the offer.

    Parameters
    ----------
    found : Segmentation
        Its table may hold a target: past answers, 0 or 1, missing where not asked.
    target : str, optional
        Column of past answers; the table's only target by default.
    rule : mapping of column to weight, optional
        Used where past answers are absent or fewer than 100 (or fewer than 20 of a kind): the
        weighted mean of the ranks of these columns; a negative weight prefers low values. Without
        it, every customer's score is their segment's mean rank in what is held in funds of low
        risk, which is said in ``rule``.
    folds : int
        For cross-fitting and calibration.
    random_state : int

    Raises
    ------
    ConfigError
        If ``target`` or ``rule`` names a column that there is not.
    InputDataError
        If there is neither an answer nor a column that a rule could use.

    Notes
    -----
    A logistic regression on the preprocessed columns and the segments, with its probabilities
    calibrated by Platt's sigmoid in cross-validation. Protected columns are never used. The
    probability of a customer whose answer is known comes from a model that has not seen it.

    References
    ----------
    Platt, J. (1999), "Probabilistic outputs for support vector machines". Niculescu-Mizil, A. and
    Caruana, R. (2005), "Predicting good probabilities with supervised learning", ICML.

    Examples
    --------
    >>> from alphastrata.customers import Effort, make_table, segment, simulate
    >>> table = make_table(simulate(600, respondents=0.8, seed=1).customers)
    >>> found = segment(table, n_segments=3, effort=Effort(draws=4, repeats=1, k_max=4))
    >>> propensity(found).calibrated
    True
    """
    frame, keys = _customers(found)
    name = _target(found, target)
    answers = frame[name] if name is not None else pd.Series(np.nan, index=frame.index)
    known = answers.dropna()
    enough = len(known) >= FEWEST_KNOWN and known.sum() >= FEWEST_EACH
    if enough and (known == 0).sum() >= FEWEST_EACH and rule is None:
        return _by_model(found, frame, keys, answers, folds, random_state)
    return _by_rule(found, frame, keys, known, rule)


def _customers(found: Segmentation) -> tuple[pd.DataFrame, pd.Index]:
    """Return one row per customer (the first implicate) with its segment, and the keys."""
    groups = found.table.customer_keys()
    first = ~groups.duplicated().to_numpy()
    frame = found.table.frame[first].assign(segment=found.labels.to_numpy()[first])
    keys = pd.Index(groups[first].astype(str), name="customer")
    return frame.set_axis(keys), keys


def _target(found: Segmentation, target: str | None) -> str | None:
    if target is not None:
        if target not in found.table.columns("target"):
            raise ConfigError(
                f"target must be one of the table's targets "
                f"({', '.join(found.table.columns('target')) or 'none'}); got {target!r}. "
                f'Make it one: kinds={{"{target}": "target"}}.'
            )
        return target
    targets = found.table.columns("target")
    return targets[0] if targets else None


def _design(found: Segmentation, frame: pd.DataFrame) -> Array:
    Z = np.asarray(found.model.preprocessor.transform(frame))
    codes = frame["segment"].to_numpy()
    present = [k for k in np.unique(codes) if k > 0]
    return np.hstack([Z, *[(codes == k)[:, None].astype(np.float64) for k in present]])


def _model(folds: int) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(LogisticRegression(C=0.1, max_iter=2_000), cv=folds)


def _by_model(
    found: Segmentation,
    frame: pd.DataFrame,
    keys: pd.Index,
    answers: pd.Series,
    folds: int,
    seed: int,
) -> Propensity:
    X = _design(found, frame)
    has = answers.notna().to_numpy()
    y = answers.to_numpy(dtype=np.float64)
    p = np.empty(len(X))
    asked = np.flatnonzero(has)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in split.split(X[asked], y[asked]):
        fitted = _model(folds).fit(X[asked[train]], y[asked[train]])
        p[asked[test]] = fitted.predict_proba(X[asked[test]])[:, 1]
    if (~has).any():
        p[~has] = _model(folds).fit(X[asked], y[asked]).predict_proba(X[~has])[:, 1]
    own, answer = p[has], y[has]
    quality = {
        "auc": float(roc_auc_score(answer, own)),
        "brier": float(brier_score_loss(answer, own)),
        "brier_base": float(brier_score_loss(answer, np.full(len(own), answer.mean()))),
        "known": float(has.sum()),
        "accepted": float(answer.sum()),
    }
    note = Note("answers to an earlier offer known", int(has.sum()), len(has), "", "learned from")
    return Propensity(
        scores=pd.Series(p, index=keys, name="score"),
        known=pd.Series(answer, index=keys[has], name="answer"),
        calibrated=True,
        quality=quality,
        calibration=_calibration(own, answer),
        rule=(
            f"Probability to accept, by a calibrated logistic regression learned from "
            f"{int(has.sum()):,} earlier answers (AUC {quality['auc']:.2f}, out of fold)."
        ),
        notes=(note,),
    )


def _calibration(p: Array, answer: Array) -> pd.DataFrame:
    fifth = np.minimum((rankdata(p, method="ordinal") - 1) * 5 // len(p), 4).astype(int)
    rows = [
        {
            "fifth": k + 1,
            "expected": float(p[fifth == k].mean()),
            "observed": float(answer[fifth == k].mean()),
            "customers": int((fifth == k).sum()),
        }
        for k in range(5)
    ]
    return pd.DataFrame(rows).set_index("fifth")


def _by_rule(
    found: Segmentation,
    frame: pd.DataFrame,
    keys: pd.Index,
    known: pd.Series,
    rule: Mapping[str, float] | None,
) -> Propensity:
    weights = dict(rule) if rule is not None else _default_rule(frame)
    absent = [c for c in weights if c not in frame.columns]
    if absent:
        raise ConfigError(
            f"A rule names columns of the table; {len(absent)} are absent. First: {absent[0]!r}."
        )
    protected = [c for c in weights if c in found.table.columns("protected")]
    if protected:
        raise ConfigError(f"A rule must not use protected columns; it names {protected[0]!r}.")
    total = sum(abs(w) for w in weights.values())
    if not total > 0:
        raise ConfigError("A rule needs at least one column with a weight that is not zero.")
    score = np.zeros(len(frame))
    for column, weight in weights.items():
        rank = _share_below(frame[column])
        score += abs(weight) / total * (rank if weight > 0 else 1.0 - rank)
    said = ", ".join(
        f"{'high' if w > 0 else 'low'} {c.replace('_', ' ')} ({readable(abs(w) / total * 100)}%)"
        for c, w in weights.items()
    )
    why = "No earlier answers" if known.empty else f"Only {len(known)} earlier answers"
    return Propensity(
        scores=pd.Series(score, index=keys, name="score"),
        known=known,
        calibrated=False,
        quality={},
        calibration=pd.DataFrame(),
        rule=f"{why if rule is None else 'A rule as told'}: customers are ranked by {said}. "
        "The score ranks; it is no probability.",
    )


def _default_rule(frame: pd.DataFrame) -> dict[str, float]:
    wanted = {
        "fixed_income_balance": 2.0,
        "share_fixed_income": 2.0,
        "bond_funds": 2.0,
        "bonds": 1.0,
        "certificates_of_deposit": 1.0,
        "money_market_balance": 1.0,
        "money_market_funds": 1.0,
        "bank_accounts": 1.0,
        "age": 0.5,
    }
    out = {c: w for c, w in wanted.items() if c in frame.columns}
    if not out:
        raise InputDataError(
            "Without earlier answers a campaign needs a scoring rule, and the table has no column "
            "that the default one knows. Say one: rule={'balance': 1.0}."
        )
    return out


def _share_below(column: pd.Series) -> Array:
    """Return the rank of each value from 0 to 1, ties in the middle; missing in the middle too."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        if not column.dtype.ordered:
            raise ConfigError(
                f"A rule ranks by numbers or ordered levels; {column.name!r} is neither."
            )
        values = np.asarray(column.cat.codes, dtype=np.float64)
        values[values < 0] = np.nan
    else:
        values = column.to_numpy(dtype=np.float64)
    out = np.full(len(values), 0.5)
    known = np.isfinite(values)
    if known.any():
        out[known] = (rankdata(values[known]) - 0.5) / known.sum()
    return out
