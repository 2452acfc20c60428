"""Segments of customers: chosen, fitted, and given to new customers without fitting again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alphastrata.core.checks import Note, Violations
from alphastrata.core.shown import Shown
from alphastrata.customers.choice import Effort, KChoice, Rows, choose_k
from alphastrata.customers.nulls import MixedNull
from alphastrata.customers.preprocess import MixedPreprocessor
from alphastrata.customers.search import StageSearch, search_stages
from alphastrata.customers.stages import Assigner, Mapper, Stages, cluster_rows
from alphastrata.customers.table import CustomerTable, convert_column
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["SegmentModel", "Segmentation", "segment"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Progress = Callable[[str, int, int], None]

PLAIN = Stages(reduction="none")
CHUNK = 10_000
FEWEST = 50


@dataclass(frozen=True, eq=False)
class SegmentModel:
    """All that is needed to give a customer their segment.

    Attributes
    ----------
    preprocessor : MixedPreprocessor
    mapper : Mapper or None
        None when there is one segment alone.
    assigner : Assigner or None
    """

    preprocessor: MixedPreprocessor
    mapper: Mapper | None
    assigner: Assigner | None

    def coordinates(self, frame: pd.DataFrame) -> Array:
        """Return the coordinates (rows x dimensions) in which customers are clustered."""
        Z = np.asarray(self.preprocessor.transform(frame))
        return Z if self.mapper is None else self.mapper.transform(Z)

    def predict(
        self, frame: pd.DataFrame, progress: Progress = lambda stage, done, total: None
    ) -> Labels:
        """Return the segments 1..k of customers, 0 where none fits; nothing is fitted again."""
        if self.assigner is None:
            return np.ones(len(frame), dtype=np.int64)
        pieces = []
        for start in range(0, len(frame), CHUNK):
            part = frame.iloc[start : start + CHUNK]
            pieces.append(self.assigner.predict(self.coordinates(part)) + 1)
            progress("assign", min(start + CHUNK, len(frame)), len(frame))
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation(Shown):
    """Customers in segments.

    Attributes
    ----------
    table : CustomerTable
    labels : Series
        Segment 1..k of each row, the largest first; 0 where none fits.
    n_segments : int
    supported : bool
        Whether the data support these segments; without support, and with no number asked for,
        all customers are in one.
    stages : Stages
    choice : KChoice
        What speaks for each number of segments.
    search : StageSearch or None
    model : SegmentModel
    sample : int array
        Positions of the rows on whom the stages were fitted.
    notes : tuple of Note
    """

    table: CustomerTable
    labels: pd.Series
    n_segments: int
    supported: bool
    stages: Stages
    choice: KChoice
    search: StageSearch | None
    model: SegmentModel
    sample: Labels
    notes: tuple[Note, ...] = ()

    def predict(self, customers: CustomerTable | pd.DataFrame) -> pd.Series:
        """Return the segments of new customers; nothing is fitted again.

        Raises
        ------
        InputDataError
            If a column that the model has learned is absent.
        """
        frame = customers.frame if isinstance(customers, CustomerTable) else customers
        return pd.Series(self.model.predict(self._like(frame)), index=frame.index, name="segment")

    def _like(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the model in the types of the model's table."""
        own = self.table.features()
        absent = [c for c in own.columns if c not in frame.columns]
        if absent:
            raise InputDataError(
                f"New customers need the columns of the table that was segmented; {len(absent)} "
                f"are absent. First: {absent[0]!r}."
            )
        out = {}
        for name in own.columns:
            kind = str(self.table.kinds["kind"][name])
            column = convert_column(frame[name], kind, self.table.kinds["levels"][name], [])
            if isinstance(own[name].dtype, pd.CategoricalDtype):
                # Levels that the model does not know count as missing.
                column = column.cat.set_categories(own[name].cat.categories)
            out[str(name)] = column
        return pd.DataFrame(out, index=frame.index)

    def customers(self) -> pd.DataFrame:
        """Return one row per customer: ``segment`` and the share of implicates that agree."""
        frame = pd.DataFrame(
            {"key": self.table.customer_keys().to_numpy(), "segment": self.labels.to_numpy()}
        )
        counts = frame.groupby(["key", "segment"], sort=True).size().unstack(fill_value=0)
        return pd.DataFrame(
            {
                "segment": counts.idxmax(axis=1).astype("int64"),
                "agreement": counts.max(axis=1) / counts.sum(axis=1),
            }
        ).rename_axis("customer")

    def shares(self) -> pd.DataFrame:
        """Return rows, customers, the weighted share of each segment and its standard error.

        Notes
        -----
        With implicates, each is estimated by itself and the estimates are combined by Rubin's
        rules: T = U + (1 + 1/m) B, where U is the mean sampling variance, with households drawn
        independently, and B the variance between the m implicates.
        """
        weights = self.table.weight_values()
        groups = self.table.customer_keys()
        order = groups.groupby(groups.to_numpy()).cumcount().to_numpy()
        rows = {}
        for k in sorted(set(self.labels)):
            inside = (self.labels == k).to_numpy()
            means, variances = [], []
            for m in np.unique(order):
                own = order == m
                w = weights[own] / weights[own].sum()
                mean = float((w * inside[own]).sum())
                means.append(mean)
                variances.append(float((w**2 * (inside[own] - mean) ** 2).sum()))
            between = float(np.var(means, ddof=1)) if len(means) > 1 else 0.0
            total = float(np.mean(variances)) + (1 + 1 / len(means)) * between
            rows[int(k)] = {
                "rows": int(inside.sum()),
                "customers": float(groups[inside].nunique()),
                "share": float(np.mean(means)),
                "std_error": float(np.sqrt(total)),
            }
        return pd.DataFrame(rows).T.rename_axis("segment")

    def sentence(self) -> str:
        """Return in one sentence how many segments there are and what speaks for them."""
        if self.n_segments == 1:
            return (
                "No segments: the customers lie in one cloud, as far as the shapes and "
                "correlations of the columns do not explain what looks like groups."
            )
        table = self.choice.table
        # HDBSCAN may find another number on all customers than on the sample.
        here = self.n_segments in table.index
        row = table.iloc[list(table.index).index(self.n_segments) if here else 0]
        verdict = "supported by the data" if self.supported else "not supported by the data"
        return (
            f"{self.n_segments} segments, {verdict}: silhouette {row['silhouette']:.2f} where one "
            f"cloud scores {row['null_mean']:.2f} (z = {row['z']:.1f}), stability "
            f"{row['stability']:.2f}, by {self.stages}."
        )

    def __repr__(self) -> str:
        return f"Segmentation({len(self.labels):,} rows; {self.sentence()})"


def segment(
    table: CustomerTable,
    *,
    stages: Stages | Sequence[Stages] | Literal["search"] = PLAIN,
    n_segments: int | Literal["auto"] = "auto",
    preprocessor: MixedPreprocessor | None = None,
    divide: int | None = None,
    effort: Effort | None = None,
    random_state: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> Segmentation:
    """Return the segments of customers, if there are any.

    Parameters
    ----------
    table : CustomerTable
    stages : Stages, sequence of Stages or "search"
        The plain default is K-means on the preprocessed columns; "search" lets calibrated
        validity and stability choose among `candidates`, a sequence among its members.
    n_segments : int or "auto"
        Number of segments; "auto" takes the number that the data support best, and one when they
        support none.
    preprocessor : MixedPreprocessor, optional
        How columns become numbers.
    divide : int, optional
        With "auto": into how many parts customers are divided where the data support no segments.
        The result says that it is a division and no finding. Without it they stay in one.
    effort : Effort, optional
    random_state : int
        Seed of everything that draws.
    progress : callable
        Called with a stage, how much is done and how much there is.

    Raises
    ------
    InputDataError
        If there are fewer than 50 customers.
    ConfigError
        If ``n_segments`` is below two or above the largest number of the effort.

    Notes
    -----
    Stages and number are chosen on a sample of at most ``effort.search_rows`` customers, fitted
    on at most ``effort.fit_rows``, and everybody is assigned. With weights, the samples are drawn
    with probabilities proportional to them, so that every stage sees the population; of the
    implicates of a customer, one is in the sample.

    Examples
    --------
    >>> from alphastrata.customers import make_table, simulate
    >>> table = make_table(simulate(300, seed=1).customers)
    >>> found = segment(table, n_segments=3, effort=Effort(draws=4, repeats=1, k_max=4))
    >>> found.n_segments
    3
    """
    work = effort or Effort()
    _check(table, stages, n_segments, divide, work)
    rng = np.random.default_rng(random_state)
    sample = _sample(table, work.fit_rows, rng)
    frame = table.features()
    prepared = MixedPreprocessor() if preprocessor is None else preprocessor
    Z = prepared.fit_transform(frame.iloc[sample])
    few = min(len(sample), work.search_rows)
    # A heavy customer may be drawn twice, and must not stand in both halves.
    owners, _ = pd.factorize(table.customer_keys().iloc[sample[:few]])
    rows = Rows(Z[:few], prepared.blocks_, np.asarray(owners, dtype=np.int64))
    null = MixedNull(rows.Z, rows.blocks, seed=random_state)
    ks = range(2, work.k_max + 1)
    found: StageSearch | None = None
    asked = None if n_segments == "auto" else int(n_segments)
    # One thread: on matrices of this size, threads of BLAS wait for one another for minutes.
    with threadpool_limits(limits=1):
        if isinstance(stages, Stages):
            choice = _one_choice(rows, null, stages, work, random_state, progress)
        else:
            tried = () if isinstance(stages, str) else stages
            found = search_stages(
                rows, null, ks=ks, effort=work, stages=tried, seed=random_state, progress=progress
            )
            choice = _steadiest(found.choices, asked, divide)
        k = asked or choice.chosen or divide or 1
        model = _fitted(prepared, Z, choice.stages, k, random_state)
        labels = model.predict(frame, progress)
    supported = bool(choice.table["supported"].get(k, False))
    if choice.stages.clusterer == "hdbscan":
        k = int(max(labels.max(), 1))
    return Segmentation(
        table=table,
        labels=pd.Series(labels, index=frame.index, name="segment"),
        n_segments=k,
        supported=supported,
        stages=choice.stages,
        choice=choice,
        search=found,
        model=model,
        sample=sample,
        notes=(*table.notes, *_notes(frame, labels, sample)),
    )


def _steadiest(choices: Sequence[KChoice], asked: int | None, divide: int | None) -> KChoice:
    """Return the best choice; for a number that is told, the one whose segments come back best."""
    told = asked or (divide if choices[0].chosen is None else None)
    if told is None:
        return choices[0]
    there = [c for c in choices if told in c.table.index and c.stages.clusterer != "hdbscan"]
    return max(there, key=lambda c: float(c.table["stability"][told]), default=choices[0])


def _check(
    table: CustomerTable,
    stages: object,
    n_segments: int | str,
    divide: int | None,
    effort: Effort,
) -> None:
    count = table.customer_keys().nunique()
    if count < FEWEST:
        raise InputDataError(
            f"Segments need at least {FEWEST} customers; the table has {count}. "
            "Describe so few customers one by one."
        )
    check = Violations("segment")
    if isinstance(stages, str):
        check.require(stages == "search", 'stages must be Stages or "search"', first=repr(stages))
    own_number = isinstance(stages, Stages) and stages.clusterer == "hdbscan"
    check.require(
        not own_number or (n_segments == "auto" and divide is None),
        "HDBSCAN finds its own number of segments",
        remedy='Leave n_segments at "auto" and divide out',
    )
    for name, number, free in (("n_segments", n_segments, "auto"), ("divide", divide, None)):
        if number != free:
            check.require(
                isinstance(number, int) and 2 <= number <= effort.k_max,
                f"{name} must be {free!r} or 2 to {effort.k_max} (effort.k_max)",
                first=repr(number),
            )
    check.raise_if_any(ConfigError)


def _one_choice(
    rows: Rows, null: MixedNull, stages: Stages, effort: Effort, seed: int, progress: Progress
) -> KChoice:
    total, done = effort.draws + effort.repeats, 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress("choose k", done, total)

    ks = range(2, effort.k_max + 1)
    return choose_k(rows, null, stages, ks=ks, effort=effort, seed=seed, tick=tick)


def _sample(table: CustomerTable, size: int, rng: np.random.Generator) -> Labels:
    """Return positions of one row each of at most ``size`` customers, heavy ones more likely."""
    groups = table.customer_keys().to_numpy()
    shuffled = rng.permutation(len(groups))
    _, first = np.unique(groups[shuffled], return_index=True)
    one_each = rng.permutation(shuffled[first])
    if table.weights is None:
        return np.asarray(one_each[:size], dtype=np.int64)
    # Systematic sampling along the cumulated weights; customers heavier than a step come again.
    weights = table.weight_values()[one_each]
    count = min(size, len(one_each))
    steps = (np.arange(count) + rng.random()) * weights.sum() / count
    places = np.searchsorted(np.cumsum(weights), steps)
    return np.asarray(rng.permutation(one_each[np.minimum(places, len(one_each) - 1)]))


def _fitted(
    prepared: MixedPreprocessor, Z: Array, stages: Stages, k: int, seed: int
) -> SegmentModel:
    if k < 2:
        return SegmentModel(prepared, None, None)
    mapper = Mapper(stages, prepared.blocks_, random_state=seed)
    X = mapper.fit_transform(Z)
    fits = cluster_rows(X, [k], stages.clusterer, blocks=prepared.blocks_, random_state=seed)
    if not fits:
        return SegmentModel(prepared, None, None)
    return SegmentModel(prepared, mapper, next(iter(fits.values())))


def _notes(frame: pd.DataFrame, labels: Labels, sample: Labels) -> list[Note]:
    cells = int(frame.isna().sum().sum())
    out = []
    if cells:
        lost = frame.isna().sum()
        out.append(
            Note(
                "value is missing",
                cells,
                frame.size,
                str(lost.idxmax()),
                "taken as the mean customer's",
                "customers",
            )
        )
    left = int((labels == 0).sum())
    if left:
        out.append(Note("no segment fits", left, len(labels), "", "not classified", "customers"))
    if len(np.unique(sample)) < len(frame):
        fitted = len(np.unique(sample))
        out.append(
            Note("segments learned on a sample", fitted, len(frame), "", "fitted", "customers")
        )
    return out
