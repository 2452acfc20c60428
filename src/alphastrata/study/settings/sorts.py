"""The settings of sorts: what is sorted, how, and how strata become portfolios."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alphastrata.core.faults import Fault, refuse
from alphastrata.study.settings.data import Name, Section

__all__ = [
    "DISTANCE",
    "TRADED",
    "TRAILING",
    "HoldingConfig",
    "ScreenConfig",
    "SortConfig",
    "trailing_months",
]

Neutral = Literal["rank", "demean", "zscore"]
DISTANCE = "distance:"
TRAILING = "trailing:"
# Value traded: price x volume, where the panel does not have the column.
TRADED = "dollar_volume"


def _cuts(value: Any, key: str = "n") -> int | tuple[float, ...]:
    """Return a number of quantiles or ascending percentiles, or raise saying the rule."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 2 <= value <= 20:
            bound = "greater than or equal to 2" if value < 2 else "less than or equal to 20"
            raise ValueError(f"a number of quantiles is {bound}; got {value}")
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(x, float) for x in value):
        cuts = tuple(value)
        if list(cuts) == sorted(set(cuts)) and cuts[0] > 0.0 and cuts[-1] < 1.0:
            return cuts
        raise ValueError(f"percentiles ascend between 0 and 1, as in [0.3, 0.7]; got {value!r}")
    raise ValueError(
        f"{key} is a number of quantiles (5), percentiles ([0.3, 0.7]), or a list with one of "
        f"either for each characteristic ([2, [0.3, 0.7]]); got {value!r}"
    )


def _quantiles(value: Any) -> Any:
    """Return quantiles for one characteristic, or one entry for each of several."""
    if isinstance(value, (list, tuple)) and not all(isinstance(x, float) for x in value):
        return tuple(_cuts(x) for x in value)
    return _cuts(value)


def _names(value: Any) -> Any:
    """Return one characteristic, or up to three distinct ones."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(x, str) and x for x in value):
        if 1 <= len(value) <= 3 and len(set(value)) == len(value):
            return tuple(value)
        raise ValueError(f"a sort is by one to three distinct characteristics; got {value!r}")
    raise ValueError(f"by names a characteristic, or a list of two or three; got {value!r}")


def _rules(value: Any) -> Any:
    """Return one breakpoint rule, or one for each characteristic."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(x, str) for x in value):
        return tuple(value)
    raise ValueError(
        'breakpoints are "all", an exchange such as "NYSE", or the name of a mask column; or a '
        f"list with one for each characteristic; got {value!r}"
    )


def _calendar(value: Any) -> Any:
    """Return when strata are formed: a period, a month, or several months."""
    months = [value] if isinstance(value, int) and not isinstance(value, bool) else value
    listed = isinstance(months, (list, tuple))
    if value in (None, "M", "Q", "Y") or (
        listed and months and all(isinstance(m, int) and 1 <= m <= 12 for m in months)
    ):
        return tuple(value) if isinstance(value, list) else value
    raise ValueError(
        f'rebalance is "M", "Q" or "Y", a month (6 is June) or several ([3, 9]); got {value!r}'
    )


Quantiles = Annotated[
    int | tuple[float, ...] | tuple[int | tuple[float, ...], ...], BeforeValidator(_quantiles)
]
By = Annotated[str | tuple[str, ...], BeforeValidator(_names)]
Breakpoints = Annotated[str | tuple[str, ...], BeforeValidator(_rules)]
Rebalance = Annotated[
    Literal["M", "Q", "Y"] | int | tuple[int, ...] | None, BeforeValidator(_calendar)
]


class HoldingConfig(Section):
    """How strata become portfolios.

    ``weighting`` is "value", "equal", "capped" (value, capped at the quantile ``cap`` of
    ``cap_breakpoints``), "rank" or "signal" (the rank of the column ``weigh_by``, or the column
    itself) or "soft" (membership probabilities, times the column ``weigh_by``; for clusterers that
    give them). ``overlapping`` holds the mean of that many cohorts. A ``missing`` return leaves
    its weight to the others, or counts as zero.
    """

    weighting: Literal["value", "equal", "capped", "rank", "signal", "soft"] = "value"
    weigh_by: str | None = None
    cap: float = Field(default=0.8, gt=0, lt=1)
    cap_breakpoints: str = "NYSE"
    overlapping: int | None = Field(default=None, ge=2, le=60)
    missing: Literal["renormalise", "zero"] = "renormalise"

    @model_validator(mode="after")
    def _weights_fit(self) -> HoldingConfig:
        needs = self.weighting in ("rank", "signal")
        if needs and self.weigh_by is None:
            said = (
                f'"{self.weighting}" needs the column that weighs, such as weigh_by = "market_cap"'
            )
            refuse([Fault(("weighting",), said)])
        if self.weigh_by is not None and not needs and self.weighting != "soft":
            said = f'for weighting = "rank", "signal" or "soft", not "{self.weighting}"; drop it'
            refuse([Fault(("weigh_by",), said)])
        for key, usual in (("cap", 0.8), ("cap_breakpoints", "NYSE")):
            if getattr(self, key) != usual and self.weighting != "capped":
                refuse([Fault((key,), 'only with weighting = "capped"')])
        return self


class ScreenConfig(Section):
    """Which assets are sorted at all, by what is known on the date; what is dropped is counted.

    ``micro_caps`` is a quantile of market cap among ``breakpoints``; ``mask`` names a column, and
    rows where it is missing or zero are left out.
    """

    exclude_industries: tuple[str, ...] = ()
    min_price: float | None = Field(default=None, gt=0)
    min_market_cap: float | None = Field(default=None, gt=0)
    micro_caps: float | None = Field(default=None, gt=0, lt=1)
    breakpoints: str = "NYSE"
    mask: str | None = None


class _Sorted(Section):
    """What is sorted: kept apart so that these keys come before those of `HoldingConfig`."""

    name: Name
    by: By
    n: Quantiles = 5
    long: Literal["high", "low"] = "high"
    breakpoints: Breakpoints = "all"
    rebalance: Rebalance = None
    method: Literal["quantile", "size_neutral", "rank", "signal"] = "quantile"
    kind: Literal["independent", "dependent"] = "independent"
    within: str | None = None
    neutral_to: str | None = None
    neutral: Neutral = "rank"
    min_assets: int | None = Field(default=None, ge=2)
    screen: ScreenConfig | None = None


class SortConfig(HoldingConfig, _Sorted):
    """One sort by up to three characteristics, and the factor made of it.

    ``method`` makes the factor of one characteristic: the extreme quantiles, two size groups by
    three (size-neutral), or weights by rank or z-score ("signal"). With several characteristics
    the factor is the last one's ends, averaged over the cells of the others. The strata of the
    joint tests are the quantiles or cells, whatever the method.

    ``by`` may say "distance:CLU": how far an asset is from the centroid of its cluster.
    ``within`` sorts inside each industry (a categorical column) or cluster (the name of a
    [[clusters]] table); ``neutral_to`` replaces the characteristic by its standing there
    (``neutral``: rank, demean or zscore), for any method.
    """

    @model_validator(mode="after")
    def _possible(self) -> SortConfig:
        found = [*self._faults_of_many(), *self._faults_of_methods()]
        if self.weighting == "soft":
            said = (
                f"{self.name} is a sort, and its strata have no membership probabilities; "
                '"soft" is for [[clusters]]'
            )
            found.append(("weighting", said))
        if self.neutral != "rank" and self.neutral_to is None:
            said = "it says how; say neutral_to too, an industry column or a clustering"
            found.append(("neutral", said))
        refuse(Fault((key,), said) for key, said in found)
        return self

    def _faults_of_many(self) -> Iterable[tuple[str, str]]:
        """Yield keys that do not go with the number of characteristics, and what to do."""
        several = len(self.characteristics) > 1
        if len(self.quantiles) != len(self.characteristics):
            yield (
                "n",
                f"{len(self.quantiles)} entries for {len(self.characteristics)} "
                "characteristics; give one for each, or one for all",
            )
        if isinstance(self.breakpoints, tuple) and len(self.breakpoints) != len(
            self.characteristics
        ):
            yield (
                "breakpoints",
                f"{len(self.breakpoints)} entries for {len(self.characteristics)} "
                "characteristics; give one for each, or one for all",
            )
        if several and self.method != "quantile":
            yield (
                "method",
                f'"{self.method}" takes one characteristic, and by has '
                f'{len(self.characteristics)}; take method = "quantile", which is neutral to all '
                "but the last",
            )
        if several and self.within is not None:
            yield (
                "within",
                "it sorts by one characteristic; take neutral_to, or make the groups' own "
                'characteristic the first of by with kind = "dependent"',
            )
        if not several and self.kind == "dependent":
            said = '"dependent" needs a second characteristic, as in by = ["market_cap", ...]'
            yield "kind", said

    def _faults_of_methods(self) -> Iterable[tuple[str, str]]:
        """Yield keys that the method does not heed, and what to do."""
        if self.method == "quantile":
            return
        for key in ("within", "min_assets"):
            if getattr(self, key) is not None:
                remedy = "neutral_to" if key == "within" else "a screen"
                yield key, f'for method = "quantile"; with "{self.method}" take {remedy}'
        if self.method in ("rank", "signal") and self.breakpoints != "all":
            said = f'method = "{self.method}" has no breakpoints; drop them, or sort with a screen'
            yield "breakpoints", said

    @property
    def characteristics(self) -> tuple[str, ...]:
        """What is sorted by, as written."""
        return (self.by,) if isinstance(self.by, str) else self.by

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are sorted by: the characteristics, or their standing in groups."""
        if self.neutral_to is None:
            return self.characteristics
        return tuple(f"{x} ({self.neutral} in {self.neutral_to})" for x in self.characteristics)

    @property
    def quantiles(self) -> tuple[int | tuple[float, ...], ...]:
        """Quantiles or percentiles of each characteristic."""
        if isinstance(self.n, tuple) and not isinstance(self.n[0], float):
            return tuple(x for x in self.n if not isinstance(x, float))
        # One entry stands for all.
        one: Any = self.n
        return (one,) * len(self.characteristics)

    @property
    def distances(self) -> tuple[str, ...]:
        """Names of the clusterings whose centroids the sort measures distance from."""
        return tuple(
            x.removeprefix(DISTANCE) for x in self.characteristics if x.startswith(DISTANCE)
        )

    @property
    def columns_named(self) -> tuple[str, ...]:
        """Columns of the market that are sorted by, distances aside."""
        return tuple(x for x in self.characteristics if not x.startswith(DISTANCE))

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the market that the sort reads."""
        more = (self.weigh_by, None if self.screen is None else self.screen.mask)
        return (*self.columns_named, *(name for name in more if name is not None))


def trailing_months(rank_by: str) -> int | None:
    """Return the months of "trailing:12", None for the name of a characteristic.

    Raises
    ------
    ValueError
        For "trailing:" without a whole number from 1 to 120.

    Examples
    --------
    >>> trailing_months("trailing:12"), trailing_months("leverage")
    (12, None)
    """
    if not rank_by.startswith(TRAILING):
        return None
    months = rank_by.removeprefix(TRAILING)
    if not months.isdigit() or not 1 <= int(months) <= 120:
        raise ValueError(
            f'rank_by is a characteristic, or "trailing:12" for the mean return of the last 12 '
            f"months known; got {rank_by!r}"
        )
    return int(months)
