"""What settings demand of a market, checked before anything is sorted."""

from __future__ import annotations

from collections.abc import Iterator

from alphastrata.core import Panel
from alphastrata.core.faults import Fault, Place, refuse
from alphastrata.study.settings import SortConfig, StudyConfig

__all__ = ["check_market"]

CAP = "market_cap"


def check_market(config: StudyConfig, panel: Panel) -> None:
    """Raise for groups, market caps and breakpoints that the data do not have.

    Raises
    ------
    SettingError
        For a name that is neither a clustering nor a categorical column, for weights and screens
        by a market cap that is lacking, and for breakpoints among assets that are not there.
    """
    refuse((*_groups(config, panel), *_caps(config, panel), *_breakpoints(config, panel)))


def _groups(config: StudyConfig, panel: Panel) -> Iterator[Fault]:
    clusterings = [part.name for part in config.clusters]
    columns = [c for c in panel.columns if panel.is_categorical(c)]
    said = (
        f"is neither a [[clusters]] table ({', '.join(clusterings) or 'none'}) nor a categorical "
        f"column of the data ({', '.join(columns) or 'none'})"
    )
    for sort in config.sorts:
        for key, name in (("within", sort.within), ("neutral_to", sort.neutral_to)):
            if name not in (None, *clusterings, *columns):
                yield Fault((*config.place_of(sort), key), f"{name!r} {said}")


def _caps(config: StudyConfig, panel: Panel) -> Iterator[Fault]:
    if CAP in panel.columns:
        return
    lack = f"takes the column {CAP}, which the data lack; add it, or say"
    for part in config.parts:
        place = config.place_of(part)
        method = part.method if isinstance(part, SortConfig) else "quantile"
        if method == "size_neutral":
            yield Fault((*place, "method"), f'"size_neutral" {lack} method = "quantile"')
        elif method not in ("rank", "signal") and part.weighting in ("value", "capped"):
            yield Fault((*place, "weighting"), f'"{part.weighting}" {lack} weighting = "equal"')
        screen = part.screen if isinstance(part, SortConfig) else None
        if screen is not None and (screen.min_market_cap or screen.micro_caps):
            yield Fault((*place, "screen"), f"a screen by size {lack} none")
    if config.multiverse is not None and "value" in config.multiverse.weighting:
        yield Fault(("multiverse", "weighting"), f'"value" {lack} weighting = ["equal"]')


def _breakpoints(config: StudyConfig, panel: Panel) -> Iterator[Fault]:
    masks = [c for c in panel.columns if not panel.is_categorical(c)]
    listed = "exchange" in panel.columns and panel.is_categorical("exchange")
    exchanges = list(panel.categorical("exchange").categories) if listed else []
    there = ", ".join(map(str, exchanges)) or "the data have no column exchange"
    for place, rule in _rules(config):
        if rule not in ("all", *masks, *exchanges):
            said = f'{rule!r} is neither "all", an exchange ({there}) nor a numeric column'
            yield Fault(place, f'{said}; say "all"')


def _rules(config: StudyConfig) -> Iterator[tuple[Place, str]]:
    """Yield every breakpoint rule that has an effect, with its place."""
    for part in config.parts:
        place = config.place_of(part)
        if part.weighting == "capped":
            yield (*place, "cap_breakpoints"), part.cap_breakpoints
        if not isinstance(part, SortConfig):
            continue
        rules = (part.breakpoints,) if isinstance(part.breakpoints, str) else part.breakpoints
        yield from (((*place, "breakpoints"), rule) for rule in rules)
        if part.screen is not None and part.screen.micro_caps:
            yield (*place, "screen", "breakpoints"), part.screen.breakpoints
    if config.multiverse is not None:
        yield from ((("multiverse", "breakpoints"), r) for r in config.multiverse.breakpoints)
