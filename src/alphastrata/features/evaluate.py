"""Formulas over panels: the tree of a formula turned into one value per row of a panel."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alphastrata.core.checks import Note
from alphastrata.core.lagging import lagged_rows
from alphastrata.core.panel import Panel
from alphastrata.features import prices, statements
from alphastrata.features.definitions import Definition
from alphastrata.features.lookback import SPANS, Lanes, Sources, clock_of, first_of

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STAGE = "features"
MISSING = "left missing"
AGE = "period_end_age"


# What several characteristics share: the windows of one horizon give its mean and its deviation.
Memo = dict[tuple[str, ...], tuple[Float64, ...]]


@dataclass
class Evaluation:
    """One characteristic over one panel and the daily panel beside it.

    Parameters
    ----------
    definition
        The characteristic; whatever its formula needs has been checked before.
    sources
        The panels.
    memo
        Results that other characteristics of the same call may use again.

    Attributes
    ----------
    notes
        What was left missing, summed without a part or taken from other data, in order.
    """

    definition: Definition
    sources: Sources
    memo: Memo
    notes: list[Note] = field(default_factory=list)

    def values(self) -> Float64:
        """Return the characteristic, float64 of shape (n_rows,), and note what it lacks."""
        panel = self.sources.panel
        with np.errstate(over="ignore", invalid="ignore"):
            tree = self.definition.parsed.tree
            out = np.array(self._evaluate(tree, "panel"), dtype=np.float64)
        infinite = np.isinf(out)
        self._note("the result is beyond the range of numbers", infinite, panel)
        out[infinite] = np.nan
        self._note("rows without a value", np.isnan(out), panel)
        return out

    def _note(self, what: str, mask: Mask, panel: Panel, action: str = MISSING) -> None:
        count = int(mask.sum())
        if count:
            rows = "" if panel is self.sources.panel else " (daily rows)"
            rule = f"{self.definition.name}: {what}{rows}"
            first = first_of(panel, mask)
            self.notes.append(Note(rule, count, mask.size, first, action, STAGE))

    def _source(self, where: str) -> Panel:
        panel = self.sources.of(where)
        assert panel is not None  # compute() has checked that the data are there
        return panel

    # ---- arithmetic ------------------------------------------------------------------------

    def _evaluate(self, node: ast.expr, where: str) -> Float64:
        match node:
            case ast.Name(id=name):
                return self._source(where).values(name)
            case ast.Constant(value=int() | float() as number):
                return np.full(len(self._source(where)), float(number))
            case ast.UnaryOp(operand=operand):
                return -self._evaluate(operand, where)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op, left, right, where)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                spans = {k.arg or "": str(ast.literal_eval(k.value)) for k in keywords}
                return CALLS[name](self, args, spans, where)
        raise AssertionError(f"parse() lets no {ast.dump(node)} through")

    def _binary(self, op: ast.operator, left: ast.expr, right: ast.expr, where: str) -> Float64:
        a, b = self._evaluate(left, where), self._evaluate(right, where)
        match op:
            case ast.Add():
                return a + b
            case ast.Sub():
                return a - b
            case ast.Mult():
                return a * b
        text = ast.unparse(right)
        self._note(f"division by {text} = 0", b == 0, self._source(where))
        self._note(f"division by {text} < 0", b < 0, self._source(where))
        return statements.ratio(a, b)

    # ---- functions of a formula --------------------------------------------------------------

    def _elementwise(self, name: str, args: list[ast.expr], where: str) -> Float64:
        values = [self._evaluate(arg, where) for arg in args]
        if name in ("log", "positive"):
            rule = f"{ast.unparse(args[0])} is not positive"
            self._note(rule, values[0] <= 0, self._source(where))
        return ELEMENTWISE[name](*values)

    def _sum_present(self, args: list[ast.expr], where: str) -> Float64:
        panel, names = self._source(where), [ast.unparse(arg) for arg in args]
        here = [name for name in names if name in panel.columns]
        if len(here) < len(names):
            lost = ", ".join(name for name in names if name not in here)
            every = np.ones(len(panel), dtype=bool)
            self._note(f"the panel has no {lost}", every, panel, "summed without")
        values = [panel.values(name) for name in here]
        absent = np.sum([np.isnan(value) for value in values], axis=0)
        some = (absent > 0) & (absent < len(values))
        self._note(f"one or more of {', '.join(here)} missing", some, panel, "summed without")
        return statements.sum_present(*values)

    def _lag_rows(self, periods: int) -> Int64:
        panel = self.sources.panel
        order, offsets = panel.asset_order(), panel.asset_offsets()
        return lagged_rows(order, offsets, clock_of(panel), periods)

    def _year_ago(self, args: list[ast.expr]) -> Float64:
        panel = self.sources.panel
        if AGE in panel.columns and not panel.is_categorical(AGE):
            order, offsets = panel.asset_order(), panel.asset_offsets()
            days, ages = self.sources.row_days, panel.values(AGE)
            rows = statements.year_ago_rows(order, offsets, days, ages)
        else:
            rows = self._lag_rows(SPANS[panel.freq]["12m"])
            rule = f"no {AGE} says which statement is one year older"
            every = np.ones(len(panel), dtype=bool)
            self._note(rule, every, panel, "compared with the row one calendar year earlier")
        return np.where(rows >= 0, self._evaluate(args[0], "panel")[rows], np.nan)

    def _own(self, args: list[ast.expr]) -> tuple[Lanes, Mapping[str, int], Float64]:
        lanes = self.sources.lanes("panel")
        values = lanes.gather(self._evaluate(args[0], "panel"))
        return lanes, SPANS[self.sources.panel.freq], values

    def _compounded(self, args: list[ast.expr], spans: Mapping[str, str]) -> Float64:
        lanes, periods, values = self._own(args)
        length = periods[_span(args[1])]
        skip = periods[spans["skip"]] if "skip" in spans else 0
        least = prices.least_present(length)
        return lanes.scatter(prices.compounded(values, lanes.look, length, skip, least))

    def _std(self, args: list[ast.expr], spans: Mapping[str, str]) -> Float64:
        lanes, periods, values = self._own(args)
        window, least = periods[_span(args[1])], periods[spans["least"]]
        _, std = prices.moments(values, lanes.look, window, 1, 1, least)
        return lanes.scatter(std)

    def _beta(self, args: list[ast.expr], spans: Mapping[str, str]) -> Float64:
        lanes, periods, values = self._own(args)
        clock = clock_of(self.sources.panel)
        before = self._lag_rows(1)
        cap = np.where(before >= 0, self._evaluate(args[1], "panel")[before], np.nan)
        returns = self._evaluate(args[0], "panel")
        market = prices.market_return(returns, cap, clock, n_clock=int(clock.max()) + 1)
        window, least = periods[_span(args[2])], periods[spans["least"]]
        return lanes.scatter(prices.beta(values, lanes.look, market, window, least))

    def _window(self, args: list[ast.expr], where: str, horizon: str, window: str) -> list[Float64]:
        """Return mean and standard deviation over a window of daily (or the panel's own) data."""
        source, lanes = self._source(where), self.sources.lanes(where)
        if where == "finest" and source.freq != "D":
            every = np.ones(len(source), dtype=bool)
            self._note("no daily panel", every, source, "taken from the panel's own returns")
        stale = np.zeros(len(self.sources.panel), dtype=bool)
        stale[lanes.back] = lanes.look.at < 0
        self._note("daily data end too long before the date", stale, self.sources.panel)
        periods = SPANS[source.freq]
        h = periods[horizon] if horizon else 1
        values = self._evaluate(args[0], where)
        key = (where, ast.dump(args[0]), horizon, window)
        if key not in self.memo:
            most = periods[window] - h + 1
            h_least, least = prices.least_present(h), (most + 1) // 2
            line = lanes.gather(values)
            self.memo[key] = prices.moments(line, lanes.look, periods[window], h, h_least, least)
        return [lanes.scatter(part) for part in self.memo[key]]


def _span(node: ast.expr) -> str:
    return str(ast.literal_eval(node))


ELEMENTWISE: dict[str, Callable[..., Float64]] = {
    "absolute": np.abs,
    "is_zero": statements.is_zero,
    "log": statements.log,
    "positive": statements.positive,
}

Call = Callable[[Evaluation, list[ast.expr], Mapping[str, str], str], Float64]


def _elementwise(name: str) -> Call:
    return lambda e, args, _spans, where: e._elementwise(name, args, where)


def _horizon(part: int) -> Call:
    return lambda e, args, _spans, _where: e._window(
        args, "finest", _span(args[1]), _span(args[2])
    )[part]


# Name of a function in a formula -> what computes it.
CALLS: dict[str, Call] = {
    **{name: _elementwise(name) for name in ELEMENTWISE},
    "sum_present": lambda e, args, _spans, where: e._sum_present(args, where),
    "year_ago": lambda e, args, _spans, _where: e._year_ago(args),
    "compounded": lambda e, args, spans, _where: e._compounded(args, spans),
    "std": lambda e, args, spans, _where: e._std(args, spans),
    "beta": lambda e, args, spans, _where: e._beta(args, spans),
    "daily_mean": lambda e, args, _spans, _where: e._window(args, "daily", "", _span(args[1]))[0],
    "horizon_mean": _horizon(0),
    "horizon_std": _horizon(1),
}
