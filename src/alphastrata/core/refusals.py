"""What a pydantic model refuses, in words for whoever wrote the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from alphastrata.core.faults import Fault, Place, SettingError

__all__ = ["faults_of"]

# What TOML calls the things for which validators have Python's names.
_WORDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dataclass_type": "a table",
    "float_parsing": "a number, without quotes",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number, without quotes",
    "int_type": "a whole number",
    "list_type": 'a list in brackets, as in ["a", "b"]',
    "string_type": "text in quotes",
    "tuple_type": 'a list in brackets, as in ["a", "b"]',
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def faults_of(problems: Sequence[Mapping[str, Any]], model: Any) -> list[Fault]:
    """Return what a pydantic model found wrong, one fault for each place.

    Parameters
    ----------
    problems
        The errors of a ``ValidationError``.
    model
        The model of the whole file, which knows the keys that there are.
    """
    found: dict[Place, list[Mapping[str, Any]]] = {}
    for problem in problems:
        found.setdefault(_place(problem, model), []).append(problem)
    faults: list[Fault] = []
    for place, here in found.items():
        # A list that is too short for want of a wrong entry has one fault, not two.
        if not any(len(other) > len(place) and other[: len(place)] == place for other in found):
            faults += _faults_at(place, here, model)
    return faults


def _faults_at(place: Place, problems: Sequence[Mapping[str, Any]], model: Any) -> list[Fault]:
    first = problems[0]
    kind, given = first["type"], first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SettingError):
        return [fault.under(place) for fault in cause.faults]
    if kind == "missing":
        return [Fault(place, f"missing; add {place[-1]} = ...")]
    if kind in _UNKNOWN:
        known = list(dict.fromkeys(_keys(_kinds_at(place[:-1], model))))
        near = get_close_matches(str(place[-1]), known, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        return [Fault(place, f"unknown key; {meant}known keys: {', '.join(known)}")]
    header = ".".join(part for part in place if isinstance(part, str))
    if kind == "tuple_type" and isinstance(given, dict):
        return [Fault(place, f"there may be several of these tables: write [[{header}]]")]
    if kind in ("model_type", "dataclass_type") and len(problems) == 1:
        return [Fault(place, f"this is one table: write [{header}]")]
    if kind == "value_error":
        return [Fault(place, str(cause))]
    # A setting that may be one of several things says all of them.
    said = " or ".join(dict.fromkeys(map(_expected, problems))).replace(" or expected ", " or ")
    return [Fault(place, f"{said[:1].lower()}{said[1:]}; got {given!r}")]


def _expected(problem: Mapping[str, Any]) -> str:
    """Return what was expected, as the rest of a sentence."""
    message = str(problem["msg"])
    word = _WORDS.get(problem["type"])
    return f"expected {word}" if word else message.replace("Input should be ", "expected ", 1)


def _place(problem: Mapping[str, Any], model: Any) -> Place:
    """Return where a problem stands in the file, without pydantic's names of alternatives."""
    place: Place = ()
    parts = problem["loc"]
    for depth, part in enumerate(parts, start=1):
        kinds = _kinds_at(place, model)
        last = depth == len(parts) and problem["type"] in (*_UNKNOWN, "missing")
        if isinstance(part, int) or last or part in _keys(kinds) or dict in kinds:
            place = (*place, part)
    return place


def _kinds_at(place: Place, model: Any) -> list[Any]:
    """Return everything that may stand at a place: models, dict, and plain types."""
    kinds: list[Any] = [model]
    for part in place:
        if isinstance(part, str):
            inner = [kind for own in kinds for kind in _kinds_of(own, part)]
            kinds = inner or [kind for kind in kinds if kind is not dict]
    return kinds


def _kinds_of(kind: Any, key: str) -> Iterator[Any]:
    field = _fields(kind).get(key)
    if field is not None:
        annotation = getattr(field, "annotation", None) or field.type
        yield from _leaves(annotation)


def _leaves(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of, and dict where keys are free."""
    if get_origin(annotation) is dict:
        yield dict
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _leaves(argument)


def _fields(kind: Any) -> Mapping[str, Any]:
    found = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None)
    return found or {}


def _keys(kinds: Sequence[Any]) -> list[str]:
    return [key for kind in kinds for key in _fields(kind)]
