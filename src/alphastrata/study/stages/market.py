"""The first stages of every study: the market, and its characteristics."""

from __future__ import annotations

from alphastrata.core import Panel
from alphastrata.study import markets
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.inputs import Inputs, hashes
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.portfolios import market
from alphastrata.study.stages.store import Stages

__all__ = ["data_stage", "features_stage"]


def data_stage(config: StudyConfig, inputs: Inputs, store: Stages) -> Artefacts:
    """Return the market as its source has it."""
    return store.stage(
        "data",
        [config.data.model_dump(), config.seed, hashes(inputs.market), inputs.left_out],
        (),
        inputs.build,
    )


def features_stage(
    config: StudyConfig, inputs: Inputs, store: Stages, made: dict[str, Artefacts]
) -> tuple[Panel, Panel | None]:
    """Return the panel with its characteristics, which ``made`` then has, and the daily market."""
    before = market(config, inputs, made, store)
    raw: Panel = made[before]["panel"]
    daily: Panel | None = made[before].get("daily")
    made["features"] = store.stage(
        "features",
        [config.characteristics, [m.model_dump() for m in config.macro], hashes(inputs.macro)],
        (before,),
        lambda: {"panel": markets.characteristics(config, raw, daily, inputs.editions)},
    )
    return made["features"]["panel"], daily
