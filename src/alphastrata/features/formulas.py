"""The language of the catalog's formulas: arithmetic of fields, and calls of a few functions.

A formula such as ``(current_assets - inventory) / current_liabilities`` is parsed once into what
it needs (fields, spans, and from which data) and is evaluated by `alphastrata.features.evaluate`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from alphastrata.errors import ConfigError

Where = Literal["panel", "daily", "finest"]

# Which data a function's first arguments come from: the panel itself, the daily panel, or the
# daily panel where there is one. None: whatever surrounds the call.
FUNCTIONS: dict[str, Where | None] = {
    "absolute": None,
    "is_zero": None,
    "log": None,
    "positive": None,
    "sum_present": None,
    "year_ago": "panel",
    "compounded": "panel",
    "std": "panel",
    "beta": "panel",
    "daily_mean": "daily",
    "horizon_mean": "finest",
    "horizon_std": "finest",
}
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass(frozen=True)
class Formula:
    """A parsed formula and what it needs.

    Attributes
    ----------
    text
        The formula as written.
    tree
        Its expression.
    fields
        (where, field) pairs in order of appearance; ``where`` is "panel", "daily" or "finest".
    choices
        (where, fields) pairs of which one field suffices: the items of ``sum_present``.
    spans
        (where, span) pairs, such as ("panel", "12m").
    """

    text: str
    tree: ast.expr
    fields: tuple[tuple[Where, str], ...]
    choices: tuple[tuple[Where, tuple[str, ...]], ...]
    spans: tuple[tuple[Where, str], ...]

    @property
    def required(self) -> tuple[tuple[Where, str], ...]:
        """The fields that have to be there, whatever the choices."""
        free = {(where, name) for where, names in self.choices for name in names}
        return tuple(pair for pair in self.fields if pair not in free)


@cache
def parse(text: str) -> Formula:
    """Return the formula that a text spells.

    Parameters
    ----------
    text
        Arithmetic (+ - * /, parentheses, numbers) of field names and calls of `FUNCTIONS`, whose
        spans are quoted: ``compounded(ret, '11m', skip='1m')``.

    Raises
    ------
    ConfigError
        For anything else, naming the part that is not understood.

    Examples
    --------
    >>> parse("cash / total_assets").fields
    (('panel', 'cash'), ('panel', 'total_assets'))
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ConfigError(f"Formula {text!r} cannot be read: {error.msg}.") from None
    found = list(_walk(tree, "panel", text))
    fields = dict.fromkeys((where, name[0]) for kind, where, name in found if kind == "field")
    choices = dict.fromkeys((where, names) for kind, where, names in found if kind == "choice")
    spans = dict.fromkeys((where, name[0]) for kind, where, name in found if kind == "span")
    return Formula(text, tree, tuple(fields), tuple(choices), tuple(spans))


def _walk(node: ast.expr, where: Where, text: str) -> Iterator[tuple[str, Where, tuple[str, ...]]]:
    """Yield (kind, where, names) for each field, choice and span of an expression."""
    match node:
        case ast.Name(id=name):
            yield "field", where, (name,)
        case ast.Constant(value=str(span)):
            yield "span", where, (span,)
        case ast.Constant(value=int() | float()):
            return
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            yield from _walk(left, where, text)
            yield from _walk(right, where, text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from _walk(operand, where, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in FUNCTIONS:
            inside = FUNCTIONS[name] or where
            if FUNCTIONS[name] and where != "panel":
                raise ConfigError(
                    f"Formula {text!r}: {name} looks back by itself and cannot stand inside "
                    "another function that does."
                )
            if name == "sum_present":
                yield "choice", where, _names(args, text)
            for part in (*args, *(keyword.value for keyword in keywords)):
                yield from _walk(part, inside, text)
        case _:
            raise ConfigError(
                f"Formula {text!r}: {ast.unparse(node)!r} is not understood; a formula is "
                f"arithmetic of fields and calls of {', '.join(sorted(FUNCTIONS))}."
            )


def _names(args: list[ast.expr], text: str) -> tuple[str, ...]:
    names = tuple(arg.id for arg in args if isinstance(arg, ast.Name))
    if len(names) < len(args) or not names:
        raise ConfigError(f"Formula {text!r}: sum_present takes fields, nothing else.")
    return names
