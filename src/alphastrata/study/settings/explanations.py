"""The settings of explanations: what is told of a clustering's last cross-section."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from pydantic import Field, field_validator

from alphastrata.study.settings.data import Section

__all__ = ["ExplainConfig"]


class ExplainConfig(Section):
    """What explains a clustering, on its last cross-section; nothing unless it is said.

    ``tree`` is the depth of the tree that imitates the clusters, ``importance`` the permutations
    of each characteristic, ``neighbors`` the edges of each asset, ``shuffles`` how often labels
    are shuffled for the fidelity on labels that say nothing.
    """

    profiles: bool = False
    tree: int = Field(default=0, ge=0, le=6)
    shapley: bool = False
    importance: int = Field(default=0, ge=0, le=100)
    drift: bool = False
    network: Literal["none", "tree", "backbone"] = "none"
    neighbors: int = Field(default=0, ge=0, le=30)
    shuffles: int = Field(default=10, ge=1, le=1_000)

    @field_validator("shapley")
    @classmethod
    def _installed(cls, value: bool) -> bool:
        if value and find_spec("shap") is None:
            raise ValueError(
                'Shapley values need the package shap: pip install "alphastrata[customers]", or '
                "take importance"
            )
        return value

    @property
    def asked(self) -> bool:
        """Whether anything is to be explained."""
        return self != ExplainConfig(shuffles=self.shuffles)
